"""Comparisons of the funds of one session with each other.

Row by row: row *d* depends on row *d* alone. Sums over funds are exactly rounded (``math.fsum``), so that
neither the order of the columns nor a fund without values changes a bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A line through two points leaves no residual to rank by.
FEWEST_FUNDS = 3
# A standard deviation up to this is rounding noise around a constant.
NO_SPREAD = 1e-12


def row_sums(x: Floats) -> Floats:
    """Return the sum of the finite values of each row, (D, 1); 0 where there is none."""
    values = np.where(np.isfinite(x), x, 0.0)
    return np.array([math.fsum(row) for row in values.tolist()]).reshape(-1, 1)


def row_means(x: Floats) -> Floats:
    """Return the mean of the finite values of each row, (D, 1); NaN where there is none."""
    counts = np.isfinite(x).sum(axis=1, keepdims=True)
    return np.where(counts > 0, row_sums(x) / np.maximum(counts, 1), np.nan)


def row_zscores(x: Floats) -> Floats:
    """Return ``(x - mean) / std`` (ddof 1) over the known funds of each row; 0 where they are all the same.

    NaN where x is not known, and in rows with fewer than three known funds.
    """
    counts = np.isfinite(x).sum(axis=1, keepdims=True)
    deviations = x - row_means(x)
    spread = np.sqrt(row_sums(deviations * deviations) / np.maximum(counts - 1, 1))
    scored = np.where(spread > NO_SPREAD, deviations / np.where(spread > NO_SPREAD, spread, 1.0), 0.0)
    return np.where(np.isfinite(x) & (counts >= FEWEST_FUNDS), scored, np.nan)


def row_ranks(x: Floats) -> Floats:
    """Return ranks over the known funds of each row, from -1 (lowest) to 1, ties averaged; 0 for one fund."""
    result = np.full(x.shape, np.nan)
    for row, values in enumerate(x):
        places = np.flatnonzero(np.isfinite(values))
        if not len(places):
            continue
        _, inverse, counts = np.unique(values[places], return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        middle = last - (counts + 1) / 2.0
        most = len(places) - 1
        result[row, places] = 2.0 * middle[inverse] / most - 1.0 if most else 0.0
    return result


def group_means(x: Floats, groups: Sequence[str]) -> Floats:
    """Return (D, S), in each cell the mean of the finite values of the fund's group in that row.

    ``groups`` names the group of each column. NaN where no fund of the group has a value.
    """
    result = np.full(x.shape, np.nan)
    for members in _members(groups):
        result[:, members] = row_means(x[:, members])
    return result


def ranks_in_group(x: Floats, groups: Sequence[str], symbols: Sequence[str]) -> Floats:
    """Return the rank of each fund in its group, 1 = highest, ties by symbol; NaN where x is not known."""
    ranks = np.full(x.shape, np.nan)
    rows = np.arange(len(x))
    for members in _members(groups):
        by_symbol = sorted(members, key=lambda column: symbols[column])
        order = np.argsort(-x[:, by_symbol], axis=1, kind="stable")
        for place in range(len(members)):
            ranks[rows, np.take(by_symbol, order[:, place])] = place + 1
    return np.where(np.isfinite(x), ranks, np.nan)


def residuals(y: Floats, x: Floats) -> Floats:
    """Return what is left of ``y`` after a regression on ``x`` and a constant over the funds of each row.

    ``e = (y - mean y) - b (x - mean x)``, ``b = sum (x - mean x)(y - mean y) / sum (x - mean x)^2``, over
    funds where both are known; b = 0 where all x are equal. NaN elsewhere, and in rows with fewer than
    three such funds.
    """
    both = np.isfinite(x) & np.isfinite(y)
    both &= both.sum(axis=1, keepdims=True) >= FEWEST_FUNDS
    x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
    dx, dy = x - row_means(x), y - row_means(y)
    spread = row_sums(dx * dx)
    slope = np.where(spread > 0, row_sums(dx * dy) / np.where(spread > 0, spread, 1.0), 0.0)
    return dy - slope * dx


def _members(groups: Sequence[str]) -> list[list[int]]:
    """Return the columns of each group."""
    columns: dict[str, list[int]] = {}
    for column, group in enumerate(groups):
        columns.setdefault(group, []).append(column)
    return list(columns.values())
