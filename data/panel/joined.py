"""A panel of two markets: what its common sessions would lose of each market's own ones.

A day on which one market alone is open is no session of the panel. Still its close is what the market's next
session begins from, and its bars are part of the data that somebody looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from data.panel.facts import Facts
from data.panel.panel import Panel

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]


def with_references(facts: Facts, own: Sequence[Panel], days: Days) -> Facts:
    """Return facts on ``days`` with the reference prices that funds have on the sessions of their own market.

    ``own`` are the panels of the markets, whose funds stand one after the other in ``facts``. So limits,
    halts and first bars are those of the market, whatever day it was alone on.
    """
    bars = facts.grids["bars"]
    references = np.hstack([_on(days, each.days, each.market.reference) for each in own])
    columns = {**bars.columns, "pre_close": references}
    return replace(facts, grids={**facts.grids, "bars": replace(bars, columns=columns)})


def all_closes(own: Sequence[Panel]) -> tuple[Days, Floats]:
    """Return the closing prices of the funds of all panels, (U, S), on the sessions of any, (U,)."""
    days = reduce(np.union1d, [each.days for each in own])
    return days, np.hstack([_on(days, each.days, each.market.close) for each in own])


def last_bars(own: Sequence[Panel]) -> tuple[date | None, ...]:
    """Return the last day on which each panel has a bar of any fund, also of one that was halted."""
    found: list[date | None] = []
    for each in own:
        bars = each.ingredients.facts.grids["bars"].columns
        there = (np.isfinite(bars["close"]) | np.isfinite(bars["volume"])).any(axis=1)
        found.append(each.days[there][-1].item() if there.any() else None)
    return tuple(found)


def _on(days: Days, own: Days, values: Floats) -> Floats:
    """Return rows of ``own`` on ``days``; NaN on days that it does not have."""
    rows = np.minimum(np.searchsorted(own, days), len(own) - 1)
    return np.where((own[rows] == days)[:, None], values[rows], np.nan)
