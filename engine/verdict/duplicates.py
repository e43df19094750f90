"""Trials that are nearly one: a search that looks again beside its best must not look broader for it.

The bar that a winner has to clear is the spread of the trials times the expected maximum of their number.
Two hundred copies of a winner, or of anything, would narrow that spread faster than their number raises it.
So the trials are also looked at one of each kind: ``kinds`` keeps the best of every group whose returns are
correlated above a level, the best first. What one of the views says against a search counts.
"""

from __future__ import annotations

import numpy as np

from engine.statistics.estimate import NO_VARIATION, Floats, Integers
from engine.verdict.table import Table

LEVELS = (0.95, 0.9, 0.8, 0.7, 0.5)
"""Correlations above which two trials are of one kind, for the bar of the deflated Sharpe ratio."""

COPIES = 0.9
"""The one of them for overfitting, and for whether trials are interchangeable."""

BLOCK = 100  # trials whose correlations with all after them are at hand at a time

MOST = 2_000
"""Trials whose correlations are looked at, evenly spaced by rank; above, no history is long enough."""


def kinds(returns: Floats | Table, ratios: Floats) -> dict[float, Integers]:
    """Return columns of (T, N) returns by level: the best of each kind, by Sharpe ratio, best first.

    ``ratios`` are (N,); columns without one are left out. Of equals the first column leads.
    """
    order = np.argsort(-ratios, kind="stable")
    order = order[np.isfinite(ratios[order])]
    if len(order) > MOST:
        order = order[np.unique(np.linspace(0, len(order) - 1, MOST).round().astype(np.int64))]
    if len(returns) < 3 or not len(order):
        return dict.fromkeys(LEVELS, order)
    centred = Table.of(returns).columns(order)
    centred -= centred.mean(axis=0)
    for begin in range(0, len(order), BLOCK):
        some = centred[:, begin : begin + BLOCK]
        some /= np.maximum(np.sqrt((some**2).sum(axis=0)), NO_VARIATION)
    free = {level: np.ones(len(order), dtype=np.bool_) for level in LEVELS}
    leaders: dict[float, list[int]] = {level: [] for level in LEVELS}
    for begin in range(0, len(order), BLOCK):
        # Rounded, so that the last bits of a product of matrices decide nothing.
        alike = centred[:, begin : begin + BLOCK].T @ centred[:, begin:]
        np.round(alike, 9, out=alike)
        for place, row in enumerate(alike, start=begin):
            for level in LEVELS:
                if free[level][place]:  # like no leader before it
                    leaders[level].append(place)
                    free[level][begin:] &= row <= level
    return {level: order[places] for level, places in leaders.items()}
