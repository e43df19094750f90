"""The luck band: what a run would have earned with funds drawn by lot, everything else being its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from engine.kernel.stops import entry_levels
from engine.result import Result
from engine.spec import Conditions
from engine.statistics.random_rotation import random_rotations

Floats = NDArray[np.float64]

DRAWS = 500
LEVELS = (0.05, 0.95)
FREE = 0.2
"""Share of the funds that must be left to draw from: who holds nearly all of them chooses nothing."""


@dataclass(frozen=True)
class Luck:
    """``band`` (2, D): equity that 5 % and 95 % of the draws are below at each close.

    ``beaten`` is the share of the draws that ended below the run.
    """

    band: Floats
    beaten: float


def luck_of(result: Result, panel: Panel, conditions: Conditions, *, seed: int = 0) -> Luck | None:
    """Return the luck of a result; None where it bought nothing, or nearly all that there was."""
    if not len(result.fills):
        return None
    first, last = panel.row(result.days[0].item()), panel.row(result.days[-1].item())
    span, market = slice(first, last + 1), panel.market
    holding = (result.shares > 0).any(axis=1)
    if (result.shares > 0).sum() > (1.0 - FREE) * market.traded[span][holding].sum():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        level = market.total_return_level[first - 1 : last + 1]
        whole = level[1:] / level[:-1]
        intraday = market.close[span] / getattr(market, conditions.fill)[span]
        overnight = whole / np.where(np.isfinite(intraday), intraday, 1.0) - 1.0
    rows = np.searchsorted(result.days, result.fills["day"].to_numpy().astype(result.days.dtype))
    paid = result.fills[["commission", "fee", "slippage"]].to_numpy(np.float64).sum(axis=1)
    costs = np.bincount(rows, paid, len(result.days))
    capital = np.concatenate(([result.initial_cash], result.equity[:-1]))
    drawn = random_rotations(
        result.held_weights,
        overnight,
        intraday - 1.0,
        np.isfinite(entry_levels(market, conditions.fill))[span],
        (result.interest - costs) / capital,
        draws=DRAWS,
        seed=seed,
    )
    band = np.quantile(drawn, LEVELS, axis=0) * result.initial_cash
    grown = float(result.equity[-1]) / result.initial_cash
    return Luck(band, float((drawn[:, -1] < grown).mean()))
