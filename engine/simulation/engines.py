"""Simulation: target weights in, ledger out. Chooses the engine and checks its books."""

from __future__ import annotations

import numpy as np

from data.errors import DataError, UsageError, did_you_mean
from data.panel.panel import Panel
from engine.kernel.costs import Costs
from engine.kernel.rotation import Targets
from engine.simulation.decisions import Decide, follow
from engine.simulation.ledger import Ledger

ENGINES = ("reference", "batch")
FILLS = ("open", "vwap", "close")


def simulate(
    panel: Panel,
    targets: Targets | Decide,
    *,
    first: int,
    last: int | None = None,
    cash: float = 1_000_000.0,
    costs: Costs | None = None,
    fill: str = "open",
    engine: str = "reference",
) -> Ledger:
    """Return the ledger of following ``targets`` over the sessions ``first`` to ``last`` of ``panel``.

    ``targets`` are decided weights, or a function that is asked before each open. The books of the run are
    checked before it is returned.
    """
    costs = costs or Costs()
    last = len(panel.days) - 1 if last is None else last
    check_choice("engine", engine, ENGINES)
    check_conditions(panel, first, last, cash, fill)
    if engine == "batch":
        ledger = _batch(panel, targets, first, last, cash, costs, fill)
    else:
        from engine.simulation.reference import simulate_reference

        decide = follow(targets) if isinstance(targets, Targets) else targets
        ledger = simulate_reference(panel, decide, first=first, last=last, cash=cash, costs=costs, fill=fill)
    ledger.check(panel, cash)
    return ledger


def _batch(
    panel: Panel, targets: Targets | Decide, first: int, last: int, cash: float, costs: Costs, fill: str
) -> Ledger:
    if not isinstance(targets, Targets):
        raise UsageError(
            "the batch engine runs strategies that decide on all sessions at once",
            hint="Use --engine reference for one that looks at its own positions.",
        )
    from engine.simulation.batch import simulate_batch

    return simulate_batch(panel, targets, first=first, last=last, cash=cash, costs=costs, fill=fill)


def check_conditions(panel: Panel, first: int, last: int, cash: float, fill: str) -> None:
    """Raise UsageError or DataError unless a run over these sessions, with this cash and fill, can be."""
    check_choice("fill", fill, FILLS)
    if not 1 <= first <= last < len(panel.days):
        raise UsageError(
            "a run needs a session of data before its first one",
            received=f"sessions {first} to {last}",
            limit=f"1 to {len(panel.days) - 1}",
        )
    if not (np.isfinite(cash) and cash > 0.0):
        raise UsageError("`cash` must be above zero", received=cash)
    if fill == "vwap":
        _require_amounts(panel, first, last)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise UsageError with close matches if ``value`` is none of ``choices``."""
    if value not in choices:
        raise UsageError(f"unknown {name} `{value}`", hint=did_you_mean(value, choices))


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
