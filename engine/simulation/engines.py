"""Simulation: target weights in, ledger out. Chooses the engine and checks its books."""

from __future__ import annotations

import numpy as np

from data.errors import DataError, UsageError
from data.facts.symbols import currency_of
from data.panel.currency import Converted
from data.panel.panel import Panel
from engine.kernel.targets import Targets
from engine.simulation.decisions import Decide, OwnOrders, follow
from engine.simulation.ledger import Ledger
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapters import BacktraderAdapter

Decisions = Targets | Decide | OwnOrders


def simulate(
    panel: Panel,
    decisions: Decisions,
    first: int,
    last: int,
    conditions: Conditions = DEFAULT,
) -> Ledger:
    """Return the ledger of following ``decisions`` over the sessions ``first`` to ``last`` of ``panel``.

    ``decisions`` are target weights, a function that is asked before each open, or a strategy that sends its
    own orders. The books of the run are
    checked before it is returned. Of ``conditions`` the days are not looked at: the rows say which they are.
    """
    require_market(panel, first, last, conditions)
    if conditions.engine == "batch":
        ledger = _batch(panel, decisions, first, last, conditions)
    elif isinstance(decisions, OwnOrders):
        ledger = _own_orders(panel, decisions.strategy, first, last, conditions)
    else:
        from engine.simulation.reference import simulate_reference

        decide = follow(decisions) if isinstance(decisions, Targets) else decisions
        ledger = simulate_reference(panel, decide, first, last, conditions)
    ledger.check(panel, conditions.cash)
    return ledger


def _own_orders(
    panel: Panel, strategy: BacktraderAdapter, first: int, last: int, conditions: Conditions
) -> Ledger:
    from engine.simulation.reference import simulate_backtrader

    ledger: Ledger = strategy.asked(
        simulate_backtrader, panel, strategy.strategy, dict(strategy.given), first, last, conditions
    )
    return ledger


def _batch(panel: Panel, decisions: Decisions, first: int, last: int, conditions: Conditions) -> Ledger:
    if not isinstance(decisions, Targets):
        raise UsageError(
            "the batch engine runs strategies that decide on all sessions at once",
            hint="Use --engine reference for one that looks at its own positions, or sends its own orders.",
        )
    from engine.simulation.batch import simulate_batch

    return simulate_batch(panel, decisions, first, last, conditions)


def require_market(panel: Panel, first: int, last: int, conditions: Conditions) -> None:
    """Raise UsageError or DataError unless ``panel`` has what a run over these sessions needs."""
    if not 1 <= first <= last < len(panel.days):
        raise UsageError(
            "a run needs a session of data before its first one",
            received=f"sessions {first} to {last}",
            limit=f"1 to {len(panel.days) - 1}",
        )
    require_rates(panel, first, last)
    if conditions.fill == "vwap":
        _require_amounts(panel, first, last)


def require_rates(panel: Panel, first: int, last: int) -> None:
    """Raise DataError unless exchange rates are known before each of these sessions, where any are needed."""
    if not isinstance(panel.market, Converted):
        return
    span = slice(first, last + 1)
    lacking = ~np.isfinite(panel.market.rates[span])
    if lacking.any():
        row, column = (int(each[0]) for each in np.nonzero(lacking))
        foreign = currency_of(panel.symbols[column])
        raise DataError(
            f"no exchange rate of {foreign} is known for the account in {panel.currency}",
            received=f"none before {panel.days[first + row]} that is recent enough",
            limit=f"one of the {panel.ingredients.stale_after} sessions before, in the table `fx`",
            hint="Import rates: a CSV with pair (USDCNY), day and rate. Or begin later, or end earlier.",
        )


def _require_amounts(panel: Panel, first: int, last: int) -> None:
    span = slice(first, last + 1)
    lacking = panel.market.traded[span] & ~np.isfinite(panel.market.vwap[span])
    if lacking.any():
        row, column = (int(each[0]) for each in np.nonzero(lacking))
        raise DataError(
            "fills at VWAP need the amount of money traded",
            received=f"none for {panel.symbols[column]} on {panel.days[first + row]}",
            hint="Import `amount`, or use --fill open.",
        )
