"""One backtest, from a strategy and a panel to a result.

1. the first session is found: the first on which the strategy can decide (``first_session``);
2. the strategy turns the known panel into decisions (``_decisions``): scores through the shared rotation,
   weights as they are, or a question before each open;
3. an engine follows them (``engine.simulation.engines``);
4. what happened becomes a :class:`Result`, beside the benchmark and the equal-weight alternative.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, EtflowError, StrategyError, UsageError, did_you_mean
from data.numeric.arithmetic import total
from data.panel.panel import Panel
from engine.kernel.costs import Costs
from engine.kernel.rotation import Targets, decision_rows, require_rotation, target_weights
from engine.result import Result
from engine.simulation.books import Books
from engine.simulation.decisions import Decide, Decision
from engine.simulation.engines import simulate
from engine.simulation.ledger import Ledger
from engine.spec import DEFAULT, Conditions
from engine.strategy.causality import require_causal
from engine.strategy.loader import Native

Floats = NDArray[np.float64]

FLOW_SESSIONS = 20
EQUAL_WEIGHT = "equal_weight"


def run(
    strategy: Any,
    panel: Panel,
    *,
    start: date | None = None,
    end: date | None = None,
    cash: float = DEFAULT.cash,
    costs: Costs | Mapping[str, float] | None = None,
    fill: str = DEFAULT.fill,
    benchmark: str | None = None,
    engine: str = DEFAULT.engine,
    manifest: Mapping[str, Any] | None = None,
) -> Result:
    """Return the result of running ``strategy`` on ``panel`` from ``start`` to ``end``, both included.

    Without ``start`` the run begins on the first session on which the strategy can decide. ``costs`` may be
    a mapping, as ``{"commission_rate": 0.0001}``, and ``benchmark`` is an index code of the panel, or
    ``equal_weight``. Errors of the strategy come as StrategyError.
    """
    conditions = Conditions.of(
        start=start, end=end, cash=cash, costs=costs, fill=fill, benchmark=benchmark, engine=engine
    )
    return backtest(strategy, panel, conditions, manifest or _plain_manifest(strategy, panel))


def backtest(strategy: Any, panel: Panel, conditions: Conditions, manifest: Mapping[str, Any]) -> Result:
    """Return the result of running ``strategy`` on ``panel`` under ``conditions``."""
    require_benchmark(panel, conditions.benchmark)
    last = last_session(panel, conditions.end)
    if isinstance(strategy, Native):
        first = max(1, panel.row(conditions.start)) if conditions.start else 1
        _check_span(panel, first, last)
        ledger = _run_native(strategy, panel, first, last, conditions)
    else:
        first, decide = decisions_of(strategy, panel, conditions.start, last)
        ledger = simulate(panel, decide, first, last, conditions)
    _check_lot(ledger, panel, conditions.cash)
    return _result(ledger, panel, conditions, manifest)


def decisions_of(strategy: Any, panel: Panel, start: date | None, last: int) -> tuple[int, Targets | Decide]:
    """Return the first row of a run that ends with the row ``last``, and what is decided from it on."""
    signal = _signal(strategy, panel)
    first = first_decision(signal, strategy, panel, start, last)
    _check_span(panel, first, last)
    if signal is not None and hasattr(strategy, "scores"):
        _call(strategy, require_causal, strategy, panel.known, signal, first, last)
    return first, _decisions(strategy, panel, signal, first, last)


def first_session(strategy: Any, panel: Panel) -> int:
    """Return the row of the first session before whose open ``strategy`` can decide on ``panel``."""
    if isinstance(strategy, Native):
        return 1
    return first_decision(_signal(strategy, panel), strategy, panel, None, len(panel.days) - 1)


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


def _signal(strategy: Any, panel: Panel) -> Floats | None:
    """Return what the strategy computes for all sessions at once, (D, S); None if it decides one by one."""
    method = getattr(strategy, "scores", None) or getattr(strategy, "target_weights", None)
    if method is None:
        return None
    return checked_signal(_call(strategy, method, panel.known), strategy, panel)


def checked_signal(values: Any, strategy: Any, panel: Panel) -> Floats:
    """Return what a strategy computed as floats (D, S); StrategyError if it has another shape."""
    signal = np.asarray(values, dtype=np.float64)
    shape = (len(panel.days), len(panel.symbols))
    if signal.shape != shape:
        raise StrategyError(
            f"{type(strategy).__name__} returned an array of the wrong shape",
            received=signal.shape,
            limit=f"{shape}, sessions by symbols",
            hint="Return one number for each session and symbol, NaN where a fund does not qualify.",
        )
    return signal


def first_decision(signal: Floats | None, strategy: Any, panel: Panel, start: date | None, last: int) -> int:
    """Return the row of the first session on which ``strategy`` decides, from ``start`` on if there is one.

    ``signal`` (D, S) is what it computes for all sessions. DataError if it can decide on none, or not yet on
    the first session from ``start`` on.
    """
    warmup = max(1, int(getattr(strategy, "warmup", 1)))
    usable = np.zeros(len(panel.days), dtype=bool)
    usable[warmup : last + 1] = True
    if signal is not None:
        if not hasattr(strategy, "scores") and np.isfinite(signal[0]).any():
            raise DataError(
                f"{type(strategy).__name__} decides before the first session of the data",
                received=panel.days[0],
                hint=f"Nothing can be sized without a close before it: decide from {panel.days[1]} on.",
            )
        scored = (np.isfinite(signal) & panel.known.listed).any(axis=1)
        if getattr(strategy, "cash_without_score", False) and scored.any():
            scored = (np.isfinite(panel.known.close) & panel.known.listed).any(axis=1)
        usable &= scored
    rows = np.flatnonzero(usable)
    name = type(strategy).__name__
    if not len(rows):
        raise DataError(
            f"{name} can decide on no session of the data",
            received=f"{panel.days[0]} to {panel.days[last]}, {warmup} sessions of warm-up",
            hint="It may need a table that the data lack (`etflow data show`), or more history.",
        )
    if start is None:
        return int(rows[0])
    if panel.row(start) > last:
        raise DataError(
            "the period has no session with data",
            received=f"from {start} on",
            limit=f"up to {panel.days[last]}",
        )
    if panel.row(start) < rows[0] and hasattr(strategy, "scores"):
        raise DataError(
            f"`start` is too early for {name}, which needs {warmup} sessions of history",
            received=start,
            limit=f"the first possible day is {panel.days[rows[0]]}",
            hint=f"Use --start {panel.days[rows[0]]}, or import earlier data.",
        )
    return max(1, panel.row(start))


def _decisions(strategy: Any, panel: Panel, signal: Floats | None, first: int, last: int) -> Targets | Decide:
    if signal is None:
        return _asking(strategy, panel)
    if hasattr(strategy, "scores"):
        require_rotation(strategy)
        decisions = decision_rows(strategy.rebalance, panel.days, first, last)
        known = panel.known
        return target_weights(signal, strategy, decisions, known.listed, known.adjusted_close, panel.symbols)
    decided = np.flatnonzero(np.isfinite(signal).any(axis=1))
    decided = decided[(decided >= first) & (decided <= last)].astype(np.int64)
    return Targets.of_weights(decided, _checked(np.nan_to_num(signal[decided], nan=0.0), strategy))


def _asking(strategy: Any, panel: Panel) -> Decide:
    """Return a decision maker that asks ``strategy.decide(past, held)`` before each open.

    ``past`` is the known face up to the session, ``held`` the weight of each fund held, at reference prices.
    """

    def decide(books: Books) -> Decision | None:
        reference = panel.market.reference[books.row].tolist()
        values = [
            shares * price if shares else 0.0 for shares, price in zip(books.shares, reference, strict=True)
        ]
        equity = books.cash + books.receivable + total(values)
        held = {symbol: value / equity for symbol, value in zip(panel.symbols, values, strict=True) if value}
        wanted = _call(strategy, strategy.decide, panel.known.until(books.row), held)
        if wanted is None:
            return None
        if not isinstance(wanted, Mapping):
            raise StrategyError(
                f"`decide` of {type(strategy).__name__} must return weights by symbol, or None",
                received=type(wanted).__name__,
            )
        weights = np.zeros((1, len(panel.symbols)))
        wanted = {str(symbol): _number(symbol, weight, strategy) for symbol, weight in wanted.items()}
        for symbol, weight in wanted.items():
            if symbol not in panel.symbols:
                raise StrategyError(
                    f"{type(strategy).__name__} wants `{symbol}`, which is not in the run",
                    hint=did_you_mean(symbol, panel.symbols),
                )
            weights[0, panel.symbols.index(symbol)] = weight
        row = np.array([books.row], dtype=np.int64)
        targets = Targets.of_weights(row, _checked(weights, strategy))
        rank = [int(column) for column in targets.rank[0] if column >= 0]
        return Decision(weights[0].tolist(), rank, targets.scores[0].tolist())

    return decide


def _number(symbol: object, weight: object, strategy: Any) -> float:
    """Return a weight as a number; StrategyError for anything that is none, or negative."""
    try:
        number = float(weight)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = np.nan
    if not 0.0 <= number <= 1.0 + 1e-9:
        raise StrategyError(
            f"{type(strategy).__name__} returned an impossible weight for {symbol}",
            received=repr(weight),
            limit="0 to 1, a fraction of equity",
        )
    return number


def _checked(weights: Floats, strategy: Any) -> Floats:
    name = type(strategy).__name__
    if (weights < 0.0).any():
        raise StrategyError(
            f"{name} returned a negative weight", received=f"{weights.min():g}", limit="0 to 1"
        )
    if (weights.sum(axis=1) > 1.0 + 1e-9).any():
        raise StrategyError(
            f"{name} returned weights that add up to more than one",
            received=f"{weights.sum(axis=1).max():.6g}",
            limit="1, all of equity",
        )
    return weights


def _run_native(strategy: Native, panel: Panel, first: int, last: int, conditions: Conditions) -> Ledger:
    from engine.simulation.reference import simulate_backtrader

    try:
        ledger = simulate_backtrader(
            panel, strategy.strategy, dict(strategy.parameters), first, last, conditions
        )
    except EtflowError:
        raise
    except Exception as error:
        raise raised(strategy.strategy.__name__, error) from error
    ledger.check(panel, conditions.cash)
    return ledger


def _call(strategy: Any, method: Any, *arguments: Any) -> Any:
    try:
        return method(*arguments)
    except EtflowError:
        raise
    except Exception as error:
        raise raised(type(strategy).__name__, error) from error


def raised(name: str, error: Exception) -> StrategyError:
    """Return the error that says that a strategy raised."""
    return StrategyError(
        f"{name} raised",
        received=f"{type(error).__name__}: {error}",
        hint="Run with -v for the traceback.",
    )


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
    benchmark = conditions.benchmark
    span = slice(ledger.first, ledger.first + len(ledger.days))
    equal_weight = _equal_weight_return(panel)[span]
    decisions = ledger.targets.decisions
    return Result(
        manifest=dict(manifest) | {"benchmark": benchmark or EQUAL_WEIGHT},
        days=ledger.days,
        symbols=ledger.symbols,
        equity=ledger.equity,
        cash=ledger.cash,
        receivable=ledger.receivable,
        shares=ledger.shares,
        mark=ledger.mark,
        interest=ledger.interest,
        dividend=ledger.dividend,
        benchmark_return=_benchmark_return(panel, benchmark, equal_weight, span),
        equal_weight_return=equal_weight,
        decision_days=panel.days[decisions],
        weights=ledger.targets.weights,
        scores=ledger.targets.scores,
        decision_flows=_flows_at(panel, decisions),
        fills=ledger.fills,
        rejections=ledger.rejections,
        initial_cash=float(conditions.cash),
        sessions_per_year=panel.sessions_per_year,
    )


def require_benchmark(panel: Panel, benchmark: str | None) -> None:
    """Raise UsageError with close matches unless ``panel`` has the benchmark."""
    known = [*panel.index_closes, EQUAL_WEIGHT]
    if benchmark is not None and benchmark not in known:
        raise UsageError(f"unknown benchmark `{benchmark}`", hint=did_you_mean(benchmark, known))


def alternative_return(panel: Panel, benchmark: str | None) -> Floats:
    """Return the returns that one holds a strategy against, (D,): of an index, or of equal weight (None)."""
    require_benchmark(panel, benchmark)
    return _benchmark_return(panel, benchmark, _equal_weight_return(panel), slice(None))


def _equal_weight_return(panel: Panel) -> Floats:
    """Return the mean total return, session on session, of the funds that were marked on both, (D,)."""
    levels = panel.market.total_return_level
    with np.errstate(invalid="ignore"):
        returns = levels[1:] / levels[:-1] - 1.0
    known = np.isfinite(returns)
    count = known.sum(axis=1)
    mean = np.where(known, returns, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.concatenate(([np.nan], np.where(count > 0, mean, np.nan)))


def _benchmark_return(panel: Panel, benchmark: str | None, equal_weight: Floats, span: slice) -> Floats:
    if benchmark is None or benchmark == EQUAL_WEIGHT:
        return equal_weight
    closes = panel.index_closes[benchmark]
    # A level that is missing for a session counts as unchanged; the next one carries the whole move.
    rows = np.maximum.accumulate(np.where(np.isfinite(closes), np.arange(len(closes)), -1))
    levels = np.where(rows >= 0, closes[np.maximum(rows, 0)], np.nan)
    return np.concatenate(([np.nan], levels[1:] / levels[:-1] - 1.0))[span]


def _flows_at(panel: Panel, decisions: NDArray[np.int64]) -> Floats:
    """Return the net inflow of the last 20 known sessions relative to AUM, for each decision, (K, S)."""
    flows, aum = panel.known.flow("vwap"), panel.known.aum
    result = np.full((len(decisions), len(panel.symbols)), np.nan)
    for number, row in enumerate(decisions):
        window = flows[max(0, row - FLOW_SESSIONS + 1) : row + 1]
        known = np.isfinite(window).any(axis=0)
        result[number] = np.where(known, np.nansum(window, axis=0) / aum[row], np.nan)
    return result


def _plain_manifest(strategy: Any, panel: Panel) -> dict[str, Any]:
    from engine.spec import Spec, manifest_of

    return manifest_of(Spec(strategy=type(strategy).__name__, data=panel.name), panel, strategy)
