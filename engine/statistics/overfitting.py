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
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import UsageError
from engine.statistics.estimate import NO_VARIATION, Estimate, Floats, Integers, known_matrix, undefined

CELLS = 262_144  # of a chunk of halves times trials: two megabytes
LARGEST_SPLIT = 20  # 184,756 choices


@dataclass(frozen=True)
class Overfitting:
    """What becomes out of sample of the trial that was best in sample.

    Attributes
    ----------
    probability : float
        Share of choices with ``logits`` at or below zero; NaN with ``reason``. About 0.5 if all trials are
        equally good: it measures the selection, not skill.
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

    UsageError with fewer than two trials. NaN with a reason for fewer than two rows a block, or if fewer than
    two trials vary in every half.
    """
    values = known_matrix(returns, "returns of trials")
    if values.shape[1] < 2:
        raise UsageError("too few trials to choose from", received=values.shape[1], limit="at least 2")
    if blocks % 2 or not 2 <= blocks <= LARGEST_SPLIT:
        raise UsageError("wrong number of blocks", received=blocks, limit=f"even, 2 to {LARGEST_SPLIT}")
    if len(values) < 2 * blocks:
        return _undefined(blocks, (), f"fewer than two rows a block: {len(values)} rows in {blocks} blocks")
    dropped = len(values) % blocks
    cut = values[dropped:].reshape(blocks, -1, values.shape[1])
    usable = ~_constant_in_a_half(cut)
    columns = np.flatnonzero(usable)
    excluded = tuple(np.flatnonzero(~usable).tolist())
    if len(columns) < 2:
        return _undefined(blocks, excluded, "fewer than two trials vary in every half")
    used = cut[:, :, columns]
    ranks, best, inside, outside = _measure(used, _sharpe_of_halves(used))
    slope, r_squared = _line(inside, outside)
    share = ranks / (len(columns) + 1.0)
    logits = np.log(share / (1.0 - share))
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


Halves = Callable[[Integers], Floats]
"""Takes block numbers (halves, S/2), returns Sharpe ratios (halves, N)."""


def _sharpe_of_halves(cut: Floats) -> Halves:
    blocks, length, _ = cut.shape
    level = cut.mean(axis=(0, 1))
    centred = cut - level
    sums, squares = centred.sum(axis=1), (centred**2).sum(axis=1)
    rows = length * (blocks // 2)

    def measure(halves: Integers) -> Floats:
        total, square = sums[halves[:, 0]], squares[halves[:, 0]]
        for block in halves.T[1:]:
            total += sums[block]
            square += squares[block]
        total /= rows
        square -= rows * total**2
        square /= rows - 1
        total += level
        ratio: Floats = total / np.sqrt(square)
        return ratio

    return measure


def _measure(cut: Floats, measure: Halves) -> tuple[Floats, Integers, Floats, Floats]:
    """Rank out of sample, choice, and its ratios in and out of sample."""
    blocks, trials = cut.shape[0], cut.shape[2]
    total = math.comb(blocks, blocks // 2)
    ranks, inside, outside = np.empty(total), np.empty(total), np.empty(total)
    best = np.empty(total, dtype=np.int64)
    first_halves = combinations(range(blocks), blocks // 2)
    size = max(1, CELLS // trials)
    for start in range(0, total // 2, size):
        halves = np.array(list(islice(first_halves, min(size, total // 2 - start))))
        here = np.arange(start, start + len(halves))
        there = total - 1 - here
        ours, theirs = measure(halves), measure(_complements(halves, blocks))
        for place, seen, unseen in ((here, ours, theirs), (there, theirs, ours)):
            row = np.arange(len(place))
            best[place] = np.argmax(seen, axis=1)
            inside[place] = seen[row, best[place]]
            outside[place] = unseen[row, best[place]]
            level = outside[place][:, np.newaxis]
            below, equal = np.sum(unseen < level, axis=1), np.sum(unseen == level, axis=1)
            ranks[place] = below + (equal + 1) / 2.0
    return ranks, best, inside, outside


def _complements(halves: Integers, blocks: int) -> Integers:
    outside = np.ones((len(halves), blocks), dtype=np.bool_)
    np.put_along_axis(outside, halves, False, axis=1)
    return np.nonzero(outside)[1].reshape(len(halves), -1)


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
