"""The falls of a run from its peaks: how deep, from when to when, for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.result import Result
from engine.statistics.paths import falls


@dataclass(frozen=True)
class Drawdown:
    """One fall from a peak of equity, until that peak is reached again.

    Attributes
    ----------
    depth : float
        Trough over peak, minus one; negative.
    peak : date or None
        None is the initial capital, before the first session.
    trough : date
    recovery : date or None
        None while the peak has not been reached again.
    to_trough, under_water : int
        Sessions from the peak to the trough, and to the recovery (or to the end of the run).
    """

    depth: float
    peak: date | None
    trough: date
    recovery: date | None
    to_trough: int
    under_water: int


def drawdowns(result: Result, top: int = 5) -> list[Drawdown]:
    """Return the ``top`` deepest drawdowns, deepest first, measured from the initial capital.

    pyfolio measures from the first session instead, and so misses a loss in it; it also counts weekdays,
    holidays included, where this counts sessions.
    """
    levels = np.concatenate(([result.initial_cash], result.equity))
    days = [None, *result.days.astype("datetime64[D]").tolist()]
    found = [
        Drawdown(
            depth=float(levels[trough] / levels[peak] - 1.0),
            peak=days[peak],
            trough=days[trough],
            recovery=days[end] if end < len(levels) else None,
            to_trough=trough - peak,
            under_water=end - peak - (end == len(levels)),
        )
        for peak, trough, end in falls(levels)
    ]
    return sorted(found, key=lambda drawdown: drawdown.depth)[:top]
