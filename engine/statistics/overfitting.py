"""Probability of backtest overfitting: whether the trial that was best in one half does well in the other.

1. Rows are cut into S contiguous blocks; every choice of S/2 of them is in sample, the rest out of sample.
2. In each, the trial with the best Sharpe ratio in sample is chosen, and ranked out of sample among all.
3. The probability is the share of choices in which its rank is at or below the median.

The out-of-sample half of a choice is the in-sample half of its complement, which in lexicographic order is
the mirrored one; so each half is measured once. Sharpe ratios come from sums over blocks, added in their
order. Source: Bailey, Borwein, López de Prado and Zhu (2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import UsageError
from data.numeric.compiled import compiled, frozen
from engine.statistics.estimate import NO_VARIATION, Estimate, Floats, Integers, known_matrix, undefined

LARGEST_SPLIT = 20  # 184,756 choices
COLUMNS = 512  # added up at a time


@dataclass(frozen=True)
class Overfitting:
    """What becomes out of sample of the trial that was best in sample.

    Attributes
    ----------
    probability : float
        Share of choices with ``logits`` at or below zero; NaN with ``reason``. About 0.5 if many trials are
        equally good: it measures the selection, not skill. A rank at the very median counts, so that of few
        and odd numbers of trials it is more, (N + 1) / 2N, and of trials that trade alike up to 1.
    probability_of_loss : float
        Share of choices in which the chosen trial's Sharpe ratio out of sample is negative.
    slope, r_squared : Estimate
        Of the chosen trials' Sharpe ratio out of sample on that in sample.
    blocks : int
    logits : (choices,) array
        ``ln(ω/(1-ω))`` with ω = rank / (N + 1) out of sample, 1 the worst, ties averaged; in lexicographic
        order of the choices, like the next three.
    chosen : (choices,) integer array
        Column of the best trial in sample, the first of equals.
    in_sample, out_of_sample : (choices,) arrays
        The chosen trial's Sharpe ratio, per period.
    excluded : tuple of int
        Columns without variation in some half.
    dropped : int
        Oldest rows left out so that the blocks are equal.
    """

    probability: float
    probability_of_loss: float
    slope: Estimate
    r_squared: Estimate
    blocks: int
    logits: Floats
    chosen: Integers
    in_sample: Floats
    out_of_sample: Floats
    excluded: tuple[int, ...]
    dropped: int
    reason: str | None = None


def overfitting(returns: ArrayLike, blocks: int = 16) -> Overfitting:
    """Return the probability of backtest overfitting of all trials of a search.

    Parameters
    ----------
    returns : (T, N) array
        Return of every trial (not of survivors only) per period. Rows with NaN are dropped; then the oldest
        that do not fill a block.
    blocks : int
        Even; a block should span a rebalance cycle at least, better a quarter. UsageError if odd or out of 2
        to 20.

    UsageError with fewer than two trials. NaN with a reason for fewer than two rows a block, if fewer than
    two trials vary in every half, or if all that do are one and the same.
    """
    values = known_matrix(returns, "returns of trials")
    return overfitting_of_parts(np.array_split(values, -(-values.shape[1] // COLUMNS), axis=1), blocks)


def overfitting_of_parts(parts: Iterable[Floats], blocks: int = 16) -> Overfitting:
    """Return the same of trials in parts (T, k), side by side, each looked at once and known throughout."""
    if blocks % 2 or not 2 <= blocks <= LARGEST_SPLIT:
        raise UsageError("wrong number of blocks", received=blocks, limit=f"even, 2 to {LARGEST_SPLIT}")
    added = [_added(values, blocks) for values in parts]
    trials, rows = sum(each.trials for each in added), added[0].rows
    if trials < 2:
        raise UsageError("too few trials to choose from", received=trials, limit="at least 2")
    if rows < 2 * blocks:
        return _undefined(blocks, (), f"fewer than two rows a block: {rows} rows in {blocks} blocks")
    dropped = rows % blocks
    usable = np.concatenate([each.usable for each in added])
    columns = np.flatnonzero(usable)
    excluded = tuple(np.flatnonzero(~usable).tolist())
    if len(columns) < 2:
        return _undefined(blocks, excluded, "fewer than two trials vary in every half")
    ranks, best, inside, outside = _measure(added, columns, rows // blocks)
    first = next(each.first for each in added if each.first is not None)
    alike = all(each.first is None or (each.alike and (each.first == first).all()) for each in added)
    if (2.0 * ranks == len(columns) + 1.0).all() and alike:
        return _undefined(blocks, excluded, "all trials have the same returns: there was nothing to choose")
    slope, r_squared = _line(inside, outside)
    share = ranks / (len(columns) + 1.0)
    logits = np.array([math.log(each) for each in (share / (1.0 - share)).tolist()])
    return Overfitting(
        # a rank at the very median counts, whatever its logarithm is rounded to
        probability=float(np.mean(2.0 * ranks <= len(columns) + 1.0)),
        probability_of_loss=float(np.mean(outside < 0.0)),
        slope=slope,
        r_squared=r_squared,
        blocks=blocks,
        logits=logits,
        chosen=columns[best],
        in_sample=inside,
        out_of_sample=outside,
        excluded=excluded,
        dropped=dropped,
    )


@dataclass(frozen=True)
class _Added:
    """Of trials (T, k): sums of blocks (S, k) around the ``level`` (k,), and which vary in every half.

    ``first`` (T,) is the first of these, ``alike`` whether all of them are equal to it.
    """

    rows: int
    trials: int
    usable: NDArray[np.bool_]
    level: Floats
    sums: Floats
    squares: Floats
    first: Floats | None
    alike: bool


def _added(values: Floats, blocks: int) -> _Added:
    rows, trials = values.shape
    if rows < 2 * blocks:
        nothing = np.empty((0, trials))
        return _Added(rows, trials, np.empty(0, dtype=np.bool_), nothing, nothing, nothing, None, False)
    cut = values[rows % blocks :].reshape(blocks, -1, trials)
    usable = ~_constant_in_a_half(cut)
    columns = np.flatnonzero(usable)
    first = values[:, columns[0]].copy() if len(columns) else None
    level = cut.mean(axis=(0, 1))
    centred = cut - level
    sums = centred.sum(axis=1)
    squares = np.square(centred, out=centred).sum(axis=1)
    alike = first is not None and all((values[:, each] == first).all() for each in columns)
    return _Added(rows, trials, usable, level, sums, squares, first, alike)


def _measure(
    added: Sequence[_Added], columns: Integers, length: int
) -> tuple[Floats, Integers, Floats, Floats]:
    """Rank out of sample, choice, and its ratios in and out of sample, of the ``columns`` of all."""
    level = np.concatenate([each.level for each in added])[columns]
    sums = np.concatenate([each.sums for each in added], axis=1)[:, columns]
    squares = np.concatenate([each.squares for each in added], axis=1)[:, columns]
    blocks = len(sums)
    total = math.comb(blocks, blocks // 2)
    halves = np.array(list(islice(combinations(range(blocks), blocks // 2), total // 2)))
    ranks, inside, outside = np.empty(total), np.empty(total), np.empty(total)
    best = np.empty(total, dtype=np.int64)
    compiled(measure_choices, measure_half, measure_choice)(
        frozen(sums), frozen(squares), frozen(level), length, frozen(halves), ranks, best, inside, outside
    )
    for scores in (inside, outside):
        scores[:] = np.copysign(np.sqrt(np.abs(scores) * (length * blocks // 2 - 1)), scores)
    return ranks, best, inside, outside


def measure_choices(
    sums: Floats,
    squares: Floats,
    level: Floats,
    length: int,
    halves: Integers,
    ranks: Floats,
    best: Integers,
    inside: Floats,
    outside: Floats,
) -> None:
    """Measure each of ``halves`` (choices / 2, S/2), in machine code, and its complement, in one go.

    ``sums`` and ``squares`` (S, N) are of the blocks of ``length`` rows, centred on ``level`` (N,).
    """
    blocks, trials = sums.shape
    size, choices = halves.shape[1], len(ranks)
    ours, theirs = np.empty(trials), np.empty(trials)
    our_sums, their_sums = np.empty((2, size, trials)), np.empty((2, size, trials))
    half, before = np.full(size, -1), np.full(size, -1)
    other, other_before = np.full(size, -1), np.full(size, -1)
    for choice in range(len(halves)):
        found = taken = 0
        for block in range(blocks):
            if taken < size and halves[choice, taken] == block:
                half[taken] = block
                taken += 1
            else:
                other[found] = block
                found += 1
        measure_half(sums, squares, level, length, half, before, our_sums, ours)
        measure_half(sums, squares, level, length, other, other_before, their_sums, theirs)
        measure_choice(ours, theirs, choice, ranks, best, inside, outside)
        measure_choice(theirs, ours, choices - 1 - choice, ranks, best, inside, outside)


def measure_half(
    sums: Floats,
    squares: Floats,
    level: Floats,
    length: int,
    half: Integers,
    before: Integers,
    added: Floats,
    scores: Floats,
) -> None:
    """Write the squares of the Sharpe ratios (N,) of the blocks ``half``, with their signs, but for a factor.

    They rank as the ratios do, without their roots. What a half has in common with ``before`` is added.

    ``added`` (2, S/2, N) are sums and squares of the first, the first two, ... blocks. In lexicographic order
    most of them are those of the choice before.
    """
    last = len(half) - 1
    common = 0
    while common < last and half[common] == before[common]:
        common += 1
    for place in range(common, len(half)):
        block = half[place]
        before[place] = block
        for trial in range(len(level)):
            if place == 0:
                added[0, 0, trial], added[1, 0, trial] = sums[block, trial], squares[block, trial]
            else:
                added[0, place, trial] = added[0, place - 1, trial] + sums[block, trial]
                added[1, place, trial] = added[1, place - 1, trial] + squares[block, trial]
    rows = length * len(half)
    share = 1.0 / rows
    for trial in range(len(level)):
        away = added[0, last, trial] * share
        mean = away + level[trial]
        scores[trial] = mean * abs(mean) / (added[1, last, trial] - rows * (away * away))


def measure_choice(
    seen: Floats,
    unseen: Floats,
    choice: int,
    ranks: Floats,
    best: Integers,
    inside: Floats,
    outside: Floats,
) -> None:
    """Write which trial is best of those ``seen`` (N,), the first of equals, and how it does ``unseen``."""
    chosen = 0
    for trial in range(len(seen)):
        if seen[trial] > seen[chosen]:
            chosen = trial
    value, below, equal = unseen[chosen], 0, 0
    for trial in range(len(unseen)):
        below += unseen[trial] < value
        equal += unseen[trial] == value
    ranks[choice] = below + (equal + 1) / 2.0
    best[choice], inside[choice], outside[choice] = chosen, seen[chosen], value


def _constant_in_a_half(cut: Floats) -> NDArray[np.bool_]:
    """Columns with S/2 blocks that all hold one and the same value."""
    half = len(cut) // 2
    low, high = cut.min(axis=1), cut.max(axis=1)
    levels = np.sort(np.where(high - low <= NO_VARIATION, low, np.nan), axis=0)  # NaN comes last
    constant: NDArray[np.bool_]
    constant = (levels[half - 1 :] - levels[: half + 1] <= NO_VARIATION).any(axis=0)
    return constant


def _line(x: Floats, y: Floats) -> tuple[Estimate, Estimate]:
    """Slope and R² of y on x."""
    dx, dy = x - x.mean(), y - y.mean()
    if x.std() <= NO_VARIATION:
        flat = undefined("the metric in sample does not vary")
        return flat, flat
    slope = Estimate(float(np.sum(dx * dy) / np.sum(dx**2)))
    if y.std() <= NO_VARIATION:
        return slope, undefined("the metric out of sample does not vary")
    return slope, Estimate(float(np.sum(dx * dy) ** 2 / (np.sum(dx**2) * np.sum(dy**2))))


def _undefined(blocks: int, excluded: tuple[int, ...], reason: str) -> Overfitting:
    none, nowhere = np.empty(0), undefined(reason)
    return Overfitting(
        probability=math.nan,
        probability_of_loss=math.nan,
        slope=nowhere,
        r_squared=nowhere,
        blocks=blocks,
        logits=none,
        chosen=np.empty(0, dtype=np.int64),
        in_sample=none,
        out_of_sample=none,
        excluded=excluded,
        dropped=0,
        reason=reason,
    )
