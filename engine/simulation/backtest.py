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

from data.errors import DataError, UsageError, ValidationError
from data.panel.panel import Panel
from engine.result import Result
from engine.simulation.alternatives import (
    EQUAL_WEIGHT,
    benchmark_return,
    equal_weight_return,
    known_part,
    require_benchmark,
)
from engine.simulation.decisions import OwnOrders, asking
from engine.simulation.engines import Decisions, simulate
from engine.simulation.ledger import Ledger
from engine.spec import Conditions
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import BacktraderAdapter, SessionAdapter
from engine.strategy.causality import alike, impure, require_apart, require_causal, sessions_asked
from engine.strategy.fresh import fresh

Floats = NDArray[np.float64]

FLOW_SESSIONS = 20


def backtest(
    strategy: Adapter,
    panel: Panel,
    conditions: Conditions,
    manifest: Mapping[str, Any],
    *,
    checked: bool = True,
) -> Result:
    """Return the result of running ``strategy`` on ``panel`` under ``conditions``.

    ``checked``: ValidationError if it looks ahead on one of the sessions that are asked again.
    """
    require_benchmark(panel, conditions.benchmark)
    last = last_session(panel, conditions.end)
    first, decisions = decisions_of(
        strategy, panel, conditions.start, last, checked=checked, fill=conditions.fill
    )
    ledger = simulate(panel, decisions, first, last, conditions)
    if checked and isinstance(decisions, OwnOrders):
        _require_same_orders(decisions, panel, ledger, conditions)
    _check_lot(ledger, panel, conditions)
    return _result(ledger, panel, conditions, manifest)


def decisions_of(
    strategy: Adapter,
    panel: Panel,
    start: date | None,
    last: int,
    *,
    checked: bool = True,
    fill: str = "open",
) -> tuple[int, Decisions]:
    """Return the first row of a run that ends with the row ``last``, and what is decided from it on.

    ``checked``: ValidationError if it looks ahead on one of the sessions that are asked again. What one of
    backtrader decides only a simulation tells.
    """
    if isinstance(strategy, AtOnceAdapter):
        untouched = fresh(strategy) if checked else strategy
        values = strategy.values_on(panel)
        first = strategy.first_session(panel, start, last, values)
        _check_span(panel, first, last)
        if checked:
            require_causal(untouched, panel.known, values, first, last)
        return first, strategy.decisions(panel, first, last, values, fill=fill)
    first = strategy.first_session(panel, start, last)
    _check_span(panel, first, last)
    if checked:
        require_apart(strategy)
    if isinstance(strategy, SessionAdapter):
        return first, asking(strategy, sessions_asked(first, last) if checked else frozenset())
    if isinstance(strategy, BacktraderAdapter):
        return first, OwnOrders(strategy)
    raise TypeError(f"{type(strategy).__name__} is no way to decide")


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


def _require_same_orders(own: OwnOrders, panel: Panel, ledger: Ledger, conditions: Conditions) -> None:
    """Raise ValidationError if orders change when the market ends with the session before the last."""
    row = ledger.first + len(ledger.days) - 2
    if row < ledger.first:
        return
    ended = replace(
        panel, days=panel.days[: row + 1], market=panel.market.until(row), known=panel.known.until(row)
    )
    again = simulate(ended, OwnOrders(fresh(own.strategy)), ledger.first, row, conditions).orders
    whole = ledger.orders[: len(again)]
    same = alike(again, whole, exact=True)
    if not same.all():
        twice = simulate(panel, OwnOrders(fresh(own.strategy)), ledger.first, row + 1, conditions).orders
        if not alike(twice, ledger.orders, exact=True).all():
            raise impure(own.strategy)
        day, column = (int(each[0]) for each in np.nonzero(~same))
        raise ValidationError(
            f"{own.strategy.name} looks ahead: its order for {panel.symbols[column]} on {ledger.days[day]} "
            f"changes when the data end on {panel.days[row]}",
            received=f"{whole[day, column]:g} shares with later data, {again[day, column]:g} without",
            hint="Decide in `next` by the lines of `self.datas`: they end with the session.",
        )


def _check_span(panel: Panel, first: int, last: int) -> None:
    if first > last:
        raise DataError(
            "the period has no session",
            received=f"from {panel.days[min(first, len(panel.days) - 1)]} to {panel.days[last]}",
            limit=f"{panel.days[1]} to {panel.days[-1]}",
        )


def _check_lot(ledger: Ledger, panel: Panel, conditions: Conditions) -> None:
    """Raise UsageError if the cash was too little to buy a single lot of anything that was wanted."""
    wanted = ledger.targets.weights > 0.0
    if not wanted.any() or len(ledger.fills) or len(ledger.rejections):
        return
    rows, columns = np.nonzero(wanted)
    row = ledger.targets.decisions[rows]
    lot_values = panel.market.reference[row, columns] * panel.market.lot[row, columns]
    needed = np.nanmin(lot_values * ledger.targets.turns[rows, 0] / ledger.targets.weights[rows, columns])
    raise UsageError(
        "`cash` is too little for one lot of any fund that was chosen",
        received=f"{conditions.cash:g}",
        limit=f"about {needed / (1.0 - conditions.reserve):.0f} at the least",
        hint="Raise --cash, or hold fewer funds.",
    )


def _result(ledger: Ledger, panel: Panel, conditions: Conditions, manifest: Mapping[str, Any]) -> Result:
    first, last = ledger.first, ledger.first + len(ledger.days) - 1
    decided, per_year = ledger.targets.decided, panel.per_year(first, last)
    decisions = decided.decisions
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
        weights=decided.weights_of_account,
        scores=decided.scores,
        decision_flows=flows_at(panel, decisions),
        fills=ledger.fills,
        rejections=ledger.rejections,
        merges=ledger.merges(panel.market.events),
        exits=ledger.exits(),
        initial_cash=float(conditions.cash),
        sessions_per_year=per_year,
    )
    known = known_part(result)
    return (
        result if known is None else replace(result, manifest={**result.manifest, "benchmark_known": known})
    )


def flows_at(panel: Panel, decisions: NDArray[np.int64]) -> Floats:
    """Return the net inflow of the last 20 known sessions relative to AUM, for each decision, (K, S)."""
    flows, aum = panel.known.flow("vwap"), panel.known.aum
    result = np.full((len(decisions), len(panel.symbols)), np.nan)
    for number, row in enumerate(decisions):
        window = flows[max(0, row - FLOW_SESSIONS + 1) : row + 1]
        known = np.isfinite(window).any(axis=0)
        result[number] = np.where(known, np.nansum(window, axis=0) / aum[row], np.nan)
    return result
