"""What rejections cost: the same decisions on a market without the rule that rejected.

One rule is taken away at a time, and the account is kept once more with the same targets:

- ``halted``: a fund that did not trade does, at the exchange's reference price, in any number;
- ``limit_up``, ``limit_down``: there is no such limit;
- ``participation``: the whole order trades, at the price of its own impact;
- ``cash``: what is missing is owed, at the rate that idle cash earns.

For what was not listed there is no price to trade at, and what a strategy orders by itself depends on what
it holds: their cost is not known. The difference includes what a fund did later: a purchase that was rejected
and would have lost is a gain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from engine.kernel.fills import REASONS, Terms, terms_of
from engine.kernel.targets import Targets
from engine.result import Result
from engine.simulation.batch import equity_of, follower, work_of
from engine.simulation.tape import Tape, tape_of
from engine.spec import Conditions
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import SessionAdapter

Floats = NDArray[np.float64]

RULES = ("halted", "limit_up", "limit_down", "participation", "cash")
NO_LIMIT = {"limit_up": np.inf, "limit_down": 0.0}
ANY_VOLUME = 1e15  # shares: any order, and no impact; whole lots of it are whole numbers still


def decisions_followed(
    strategy: Adapter, panel: Panel, result: Result, values: Floats | None = None, *, fill: str = "open"
) -> Targets | None:
    """Return the decisions that a result followed; None for a strategy that orders by itself.

    ``values`` are what the strategy says of the panel, where that is known already; ``fill`` is where
    its orders filled.
    """
    first, last = panel.row(result.days[0].item()), panel.row(result.days[-1].item())
    if isinstance(strategy, AtOnceAdapter):
        return strategy.decisions(panel, first, last, values, fill=fill)
    if isinstance(strategy, SessionAdapter):
        rows = np.searchsorted(panel.days, result.decision_days).astype(np.int64)
        return Targets.of_weights(rows, result.weights)
    return None


def rejection_costs(
    result: Result, targets: Targets | None, panel: Panel, conditions: Conditions
) -> dict[str, float | None]:
    """Return what each reason of a rejection cost ``result`` a year, a fraction, in the order of REASONS.

    Positive: without the rule the annual return were higher. Reasons that never came up are left out; None
    where it is not known. ``targets`` are the decisions that the result followed; None: it ordered by itself.
    """
    met = set(result.rejections["reason"].astype(str))
    found: dict[str, float | None] = dict.fromkeys(reason for reason in REASONS if reason in met)
    removed = [reason for reason in RULES if reason in found]
    if targets is None or not removed:
        return found
    first, last = panel.row(result.days[0].item()), panel.row(result.days[-1].item())
    decided = targets.decisions[(targets.decisions >= first) & (targets.decisions <= last)] - first
    tape, terms = tape_of(panel, first, last, conditions, np.unique(decided)), terms_of(conditions.costs)
    follow_orders = follower(work_of(targets, first, last) * len(removed))
    years = len(result.days) / result.sessions_per_year
    earned = _annual(result.equity[-1], result.initial_cash, years)
    for reason in removed:
        freed, without = _without(reason, tape, terms)
        equity = equity_of(freed, targets, first, conditions, without, follow_orders)
        found[reason] = _annual(equity[-1], result.initial_cash, years) - earned
    return found


def _without(reason: str, tape: Tape, terms: Terms) -> tuple[Tape, Terms]:
    """Return a market, and terms of trade, that know no such reason."""
    if reason == "cash":
        return tape, terms._replace(credit=np.inf)
    if reason == "participation":
        return tape, terms._replace(participation_rate=0.0)
    cells = tape.cells.copy()
    if reason in NO_LIMIT:
        cells[reason] = NO_LIMIT[reason]
    else:
        halted = cells["tradable"] & ~(cells["volume"] > 0.0)
        cells["base"] = np.where(halted, cells["reference"], cells["base"])
        cells["volume"] = np.where(halted, ANY_VOLUME, cells["volume"])
        for name, limit in NO_LIMIT.items():
            cells[name] = np.where(halted, limit, cells[name])
    return tape._replace(cells=cells), terms


def _annual(equity: float, capital: float, years: float) -> float:
    """Return the annual return of an account; minus all where nothing is left."""
    return float((max(equity, 0.0) / capital) ** (1.0 / years) - 1.0)
