"""Ranking, compiled: the best columns of each decision session, once for all rotations of the same scores.

A threshold only cuts a ranking off, and ``top`` and ``hysteresis`` only say how much of it is looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.numeric.compiled import compiled
from engine.kernel.targets import Rule, rank_columns

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Of up to so many funds each is compared with each, which takes no guess at which is higher.
FEW = 32
# Up to so many places a ranking is kept sorted while it is filled; above that, rows are sorted whole.
SHORT = 32


def reach_of(rule: Rule, funds: int) -> int:
    """Return how much of a ranking of so many funds a rotation looks at."""
    return min(rule.top + rule.hysteresis, funds) if rule.top else funds


def rank(scores: Floats, listed: Bools, wanted: Bools, depth: int, floor: float) -> tuple[Integers, Integers]:
    """Return the best ``depth`` columns of each row, (D, depth) or more, and how many there are, (D,).

    By (-score, column), of the listed funds with a finite score above ``floor``.
    ``scores``, ``listed`` (D, S); rows that are not ``wanted`` (D,) stay empty.
    """
    if depth <= SHORT:
        ranking = np.empty((len(scores), depth), dtype=np.int64)
        write = rank_few if scores.shape[1] <= FEW else rank_rows
        return ranking, compiled(write)(scores, listed, wanted, depth, floor, ranking)
    ranking = np.empty(scores.shape, dtype=np.int64)
    counts = np.zeros(len(scores), dtype=np.int64)
    ranking[wanted], counts[wanted] = rank_columns(scores[wanted], listed[wanted], floor)
    return ranking, counts


def rank_rows(
    scores: Floats, listed: Bools, wanted: Bools, depth: int, floor: float, ranking: Integers
) -> Integers:
    """Write the best columns of the wanted rows into ``ranking`` (D, depth), as ``rank`` has them."""
    rows, funds = scores.shape
    counts = np.zeros(rows, dtype=np.int64)
    best = np.empty(depth)
    for row in range(rows):
        if not wanted[row]:
            continue
        count, lowest = 0, floor
        for column in range(funds):
            score = scores[row, column]
            if not score > lowest or not (score < np.inf and listed[row, column]):
                continue
            place = min(count, depth - 1)
            count = min(count + 1, depth)
            while place > 0 and score > best[place - 1]:
                best[place] = best[place - 1]
                ranking[row, place] = ranking[row, place - 1]
                place -= 1
            best[place] = score
            ranking[row, place] = column
            if count == depth:
                lowest = best[depth - 1]
        counts[row] = count
    return counts


def rank_few(
    scores: Floats, listed: Bools, wanted: Bools, depth: int, floor: float, ranking: Integers
) -> Integers:
    """Do what ``rank_rows`` does, for few funds: the place of each is how many are better.

    A third of the time of the other, since the processor has no branch to guess wrong.
    """
    rows, funds = scores.shape
    counts = np.zeros(rows, dtype=np.int64)
    qualified, places = np.empty(funds + 1, dtype=np.int64), np.empty(funds + 1, dtype=np.int64)
    values = np.empty(funds + 1)
    for row in range(rows):
        if not wanted[row]:
            continue
        count = 0
        for column in range(funds):
            score = scores[row, column]
            qualified[count], values[count] = column, score
            count += (score > floor) & (score < np.inf) & listed[row, column]
        for each in range(count):
            place = 0
            for other in range(each):
                ahead = values[other] >= values[each]
                place += ahead
                places[other] += not ahead
            places[each] = place
        for each in range(count):
            if places[each] < depth:
                ranking[row, places[each]] = qualified[each]
        counts[row] = min(count, depth)
    return counts


def count_qualified(
    scores: Floats, ranking: Integers, ranked: Integers, threshold: float, qualified: Integers
) -> None:
    """Write how many of the ranked columns of each row have a score above a threshold."""
    for row in range(len(scores)):
        count = 0
        while count < ranked[row] and scores[row, ranking[row, count]] > threshold:
            count += 1
        qualified[row] = count
