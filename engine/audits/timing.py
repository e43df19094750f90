"""Timing luck: the same strategy on every phase of its cycle, which differ in nothing but the day.

Source: Hoffstein, Sibears and Faber, "Rebalance timing luck: the difference between hired and fired", Journal
of Index Investing, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from data.words import percent
from engine.audits.audited import Audited, annual_return, returns_of_strategies, sharpe
from engine.audits.opinion import Opinion
from engine.kernel.schedule import distinct_phases
from engine.strategy.adapters import ScoreAdapter

Floats = NDArray[np.float64]

NAME = "timing_luck"
FEWEST = 6
"""Phases that it takes for one of them to be conspicuous: of five, one in five is the best."""
LIMIT = 0.9
"""Share of the other phases above which the one that is reported must not be."""


@dataclass(frozen=True)
class Standing:
    """Where one phase stands among all: its rank from the best, and the share of the others that are below.

    Equal ones are neither above nor below.
    """

    rank: int
    below: float


def timing_luck(audited: Audited) -> Opinion:
    """Return how the result depends on the phase; the gate is missed by one that is picked, or could be.

    That is the best of more than five phases, or one above more than nine in ten of the others, by Sharpe
    ratio; five or fewer are not judged. ``details``: ``phases`` is their number, 0 where the strategy has
    none; ``phase`` and ``rank`` of the one that is audited; ``below``, the share of the others that are
    worse; and by phase ``sharpe_ratio`` and ``annual_return``.
    """
    strategy = audited.strategy
    count = None
    if isinstance(strategy, ScoreAdapter) and hasattr(strategy.strategy, "phase"):
        count = distinct_phases(strategy.rotation.rebalance, strategy.tranches)
    if count is None or count < 2:
        return Opinion(NAME, None, f"Not applicable: {_why(audited)}", {"phases": 0})
    try:
        phases = [strategy.with_parameters({"phase": phase}) for phase in range(count)]
    except EtflowError as error:
        return Opinion(NAME, None, f"Not applicable: it refuses other phases ({error}).", {"phases": 0})
    per_year = audited.per_year(audited.first())
    returns = returns_of_strategies(audited, phases, audited.first())
    ratios, annual = sharpe(returns, per_year), annual_return(returns, per_year)
    mine = strategy.phase % count
    standing = standing_of(ratios, mine)
    details = {
        "phases": count,
        "phase": mine,
        "rank": standing.rank,
        "below": standing.below,
        "sharpe_ratio": ratios,
        "annual_return": annual,
    }
    spread = (
        f"Over the {count} phases of its cycle the Sharpe ratio is {np.nanmin(ratios):.2f} to "
        f"{np.nanmax(ratios):.2f} (median {np.nanmedian(ratios):.2f}), and the annual return "
        f"{percent(annual.min(), 1)} to {percent(annual.max(), 1)}; phase {mine} is rank {standing.rank}."
        if np.isfinite(ratios).any()
        else f"On none of its {count} phases do its returns vary."
    )
    if count < FEWEST or not np.isfinite(ratios[mine]):
        return Opinion(NAME, None, spread, details)
    if standing.below == 1.0:
        verdict = "It is the best of them: expect the median."
    elif standing.below > LIMIT:
        verdict = "Less than one in ten are better: expect the median."
    else:
        verdict = ""
    return Opinion(NAME, not verdict, f"{spread} {verdict}".rstrip(), details)


def standing_of(values: Floats, place: int) -> Standing:
    """Return where one of the values (N,) stands; an undefined one is below all others."""
    known = np.nan_to_num(values, nan=-np.inf)
    others = np.delete(known, place)
    return Standing(1 + int((others > known[place]).sum()), float((others < known[place]).mean()))


def _why(audited: Audited) -> str:
    rebalance = audited.strategy.rebalance
    if not isinstance(audited.strategy, ScoreAdapter):
        return "the strategy decides by itself when it trades."
    if not hasattr(audited.strategy.strategy, "phase"):
        return "the strategy has no `phase`."
    if rebalance == 1:
        return "with rebalance 1 every session is a decision session."
    if rebalance == "once":
        return "it decides once, on the first session."
    if isinstance(rebalance, str):
        return f"with rebalance {rebalance} it decides on days of the calendar, not every so many sessions."
    return f"{audited.strategy.tranches} tranches hold all {rebalance} phases at once."
