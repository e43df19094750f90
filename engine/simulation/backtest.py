"""One backtest, from a strategy and a panel to a result.

1. the first session is found: the first on which the strategy can decide (``Adapter.first_session``);
2. the strategy turns the known panel into decisions (``decisions_of``): scores through the shared rotation,
   weights as they are, or a question before each open;
3. an engine follows them (``engine.simulation.engines``);
4. what happened becomes a :class:`Result`, beside the benchmark and the equal-weight alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, StrategyError, UsageError
from data.panel.panel import Panel
from engine.kernel.targets import Targets
from engine.result import Result
from engine.simulation.alternatives import (
    EQUAL_WEIGHT,
    benchmark_return,
    equal_weight_return,
    known_part,
    require_benchmark,
)
from engine.simulation.decisions import Decide, asking
from engine.simulation.engines import simulate
from engine.simulation.ledger import Ledger
from engine.spec import Conditions
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import BacktraderAdapter, SessionAdapter
from engine.strategy.causality import require_apart, require_causal, sessions_asked
from engine.strategy.fresh import fresh
from engine.strategy.protocol import METHODS

Floats = NDArray[np.float64]

FLOW_SESSIONS = 20


def backtest(strategy: Adapter, panel: Panel, conditions: Conditions, manifest: Mapping[str, Any]) -> Result:
    """Return the result of running ``strategy`` on ``panel`` under ``conditions``."""
    require_benchmark(panel, conditions.benchmark)
    last = last_session(panel, conditions.end)
    if isinstance(strategy, BacktraderAdapter):
        first = strategy.first_session(panel, conditions.start, last)
        _check_span(panel, first, last)
        ledger = _run_backtrader(strategy, panel, first, last, conditions)
    else:
        first, decisions = decisions_of(strategy, panel, conditions.start, last)
        ledger = simulate(panel, decisions, first, last, conditions)
    _check_lot(ledger, panel, conditions.cash)
    return _result(ledger, panel, conditions, manifest)


def decisions_of(
    strategy: Adapter, panel: Panel, start: date | None, last: int, *, checked: bool = True
) -> tuple[int, Targets | Decide]:
    """Return the first row of a run that ends with the row ``last``, and what is decided from it on.

    ``checked``: ValidationError if it looks ahead on one of the sessions that are asked again.
    StrategyError for a backtrader strategy, which does not tell what it decides.
    """
    if isinstance(strategy, AtOnceAdapter):
        untouched = fresh(strategy) if checked else strategy
        values = strategy.values_on(panel)
        first = strategy.first_session(panel, start, last, values)
        _check_span(panel, first, last)
        if checked:
            require_causal(untouched, panel.known, values, first, last)
        return first, strategy.decisions(panel, first, last, values)
    if isinstance(strategy, SessionAdapter):
        first = strategy.first_session(panel, start, last)
        _check_span(panel, first, last)
        if checked:
            require_apart(strategy)
        return first, asking(strategy, panel, sessions_asked(first, last) if checked else frozenset())
    raise StrategyError(
        f"{strategy.name} is a backtrader strategy, which does not tell what it decides",
        limit=f"strategies with {', '.join(METHODS)}",
    )


def last_session(panel: Panel, end: date | None) -> int:
    """Return the row of the last session up to ``end``."""
    if end is None:
        return len(panel.days) - 1
    row = int(np.searchsorted(panel.days, np.datetime64(end, "D"), side="right")) - 1
    if row < 1:
        raise DataError(
            "`end` is before the data begin", received=end, limit=f"{panel.days[1]} to {panel.days[-1]}"
        )
    return row


def _run_backtrader(
    strategy: BacktraderAdapter, panel: Panel, first: int, last: int, conditions: Conditions
) -> Ledger:
    from engine.simulation.reference import simulate_backtrader

    ledger: Ledger = strategy.asked(
        simulate_backtrader, panel, strategy.strategy, dict(strategy.given), first, last, conditions
    )
    ledger.check(panel, conditions.cash)
    return ledger


def _check_span(panel: Panel, first: int, last: int) -> None:
    if first > last:
        raise DataError(
            "the period has no session",
            received=f"from {panel.days[min(first, len(panel.days) - 1)]} to {panel.days[last]}",
            limit=f"{panel.days[1]} to {panel.days[-1]}",
        )


def _check_lot(ledger: Ledger, panel: Panel, cash: float) -> None:
    """Raise UsageError if the cash was too little to buy a single lot of anything that was wanted."""
    wanted = ledger.targets.weights > 0.0
    if not wanted.any() or len(ledger.fills) or len(ledger.rejections):
        return
    rows, columns = np.nonzero(wanted)
    row = ledger.targets.decisions[rows]
    lot_values = panel.market.reference[row, columns] * panel.market.lot[row, columns]
    needed = np.nanmin(lot_values / ledger.targets.weights[rows, columns])
    raise UsageError(
        "`cash` is too little for one lot of any fund that was chosen",
        received=f"{cash:g}",
        limit=f"about {needed:.0f} at the least",
        hint="Raise --cash, or hold fewer funds.",
    )


def _result(ledger: Ledger, panel: Panel, conditions: Conditions, manifest: Mapping[str, Any]) -> Result:
    first, last = ledger.first, ledger.first + len(ledger.days) - 1
    decisions, per_year = ledger.targets.decisions, panel.per_year(first, last)
    named = {"benchmark": conditions.benchmark or EQUAL_WEIGHT, "sessions_per_year": per_year}
    result = Result(
        manifest={**manifest, **named},
        days=ledger.days,
        symbols=ledger.symbols,
        equity=ledger.equity,
        cash=ledger.cash,
        receivable=ledger.receivable,
        shares=ledger.shares,
        mark=ledger.mark,
        interest=ledger.interest,
        dividend=ledger.dividend,
        benchmark_return=benchmark_return(panel, conditions, first, last),
        equal_weight_return=equal_weight_return(panel, conditions, first, last),
        decision_days=panel.days[decisions],
        weights=ledger.targets.weights,
        scores=ledger.targets.scores,
        decision_flows=_flows_at(panel, decisions),
        fills=ledger.fills,
        rejections=ledger.rejections,
        initial_cash=float(conditions.cash),
        sessions_per_year=per_year,
    )
    known = known_part(result)
    return (
        result if known is None else replace(result, manifest={**result.manifest, "benchmark_known": known})
    )


def _flows_at(panel: Panel, decisions: NDArray[np.int64]) -> Floats:
    """Return the net inflow of the last 20 known sessions relative to AUM, for each decision, (K, S)."""
    flows, aum = panel.known.flow("vwap"), panel.known.aum
    result = np.full((len(decisions), len(panel.symbols)), np.nan)
    for number, row in enumerate(decisions):
        window = flows[max(0, row - FLOW_SESSIONS + 1) : row + 1]
        known = np.isfinite(window).any(axis=0)
        result[number] = np.where(known, np.nansum(window, axis=0) / aum[row], np.nan)
    return result
