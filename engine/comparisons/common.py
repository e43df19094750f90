"""What several runs have in common: sessions, returns from one of these to the next, weights.

A return is from one common session to the next, compounded over the sessions in between that another run
lacks; the first is from the session before it. Unknown in part is unknown (NaN).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.result import Floats, Result
from engine.statistics import linear
from engine.statistics.estimate import NO_VARIATION
from engine.statistics.paths import compared

Days = NDArray[np.datetime64]
ResultT = TypeVar("ResultT", bound=Result)
EQUAL_WEIGHT = "equal_weight"
AT_NO_COST = "equal weight, no cost"
"""What equal weight of the funds is called: a run of the strategy `equal_weight` may stand beside it."""


@dataclass(frozen=True)
class Common:
    """Sessions that all runs have, and series on them by name, in order of the runs.

    ``returns`` are also those of the benchmark and of equal weight of the first run, where they are known,
    once where they are the same;
    ``weights`` are shares of equity over the union of the symbols, cash last, of the runs only.
    """

    days: Days
    returns: Mapping[str, Floats]
    weights: Mapping[str, Floats]


def common_of(results: Sequence[Result], names: Sequence[str]) -> Common:
    """Return what results have in common, by the name of each."""
    days = common_days(results)
    symbols = sorted({symbol for result in results for symbol in result.symbols})
    returns: dict[str, Floats] = {}
    weights: dict[str, Floats] = {}
    for name, result in zip(names, results, strict=True):
        returns[name] = between(result.returns, result.days, days)
        of_run = np.zeros((len(days), len(symbols) + 1))
        columns = [symbols.index(symbol) for symbol in result.symbols]
        of_run[:, columns] = result.held_weights[np.searchsorted(result.days, days)]
        of_run[:, -1] = 1.0 - of_run.sum(axis=1)
        weights[name] = of_run
    first = results[0]
    beside = {} if first.against_equal_weight else {"benchmark": first.benchmark_return}
    for name, series in (beside | {AT_NO_COST: first.equal_weight_return}).items():
        found = _with_gaps(series, first.days, days)
        if not np.isnan(found).all():
            returns[name] = found
    return Common(days, returns, weights)


def differ(results: Sequence[Result]) -> bool:
    """Return whether results are of different sessions."""
    first = results[0].days
    return any(not np.array_equal(first, result.days) for result in results[1:])


def together(results: Sequence[ResultT]) -> list[ResultT]:
    """Return results over the sessions that all of them have, annualised as the first.

    They are as they are where they are of the same sessions, or have none in common.
    """
    days = common_days(results)
    if not differ(results) or not len(days):
        return list(results)
    return [on_sessions(result, days, results[0].sessions_per_year) for result in results]


def on_sessions(result: ResultT, days: Days, per_year: float) -> ResultT:
    """Return a result as it was over ``days``, some of its own, from the close before the first of them on.

    Returns, interest and dividends are those up to each day from the one before it; decisions, fills and
    rejections those from the first day to the last. ``per_year`` annualises.
    """
    rows = np.searchsorted(result.days, days)
    starts = np.array([rows[0], *(rows[:-1] + 1)])
    before, begin, end = int(rows[0]) - 1, days[0], days[-1]

    def total(amounts: Floats) -> Floats:
        return np.add.reduceat(amounts[: rows[-1] + 1], starts)

    def inside(frame: Any) -> Any:
        when = frame["day"].to_numpy().astype("datetime64[D]")
        return frame[(when >= begin) & (when <= end)].reset_index(drop=True)

    decided = (result.decision_days >= begin) & (result.decision_days <= end)
    return replace(
        result,
        days=days,
        equity=result.equity[rows],
        cash=result.cash[rows],
        receivable=result.receivable[rows],
        shares=result.shares[rows],
        mark=result.mark[rows],
        interest=total(result.interest),
        dividend=total(result.dividend),
        benchmark_return=_with_gaps(result.benchmark_return, result.days, days),
        equal_weight_return=_with_gaps(result.equal_weight_return, result.days, days),
        decision_days=result.decision_days[decided],
        weights=result.weights[decided],
        scores=result.scores[decided],
        decision_flows=result.decision_flows[decided],
        fills=inside(result.fills),
        rejections=inside(result.rejections),
        initial_cash=float(result.equity[before]) if before >= 0 else result.initial_cash,
        sessions_per_year=per_year,
    )


def begin_within(results: Sequence[Result], names: Sequence[str]) -> str:
    """Return in words which runs begin on the first common session, at its fill point, while others go on.

    Empty where all of them do, or none.
    """
    days = common_days(results)
    if not len(days):
        return ""
    begin = [name for name, result in zip(names, results, strict=True) if result.days[0] == days[0]]
    if len(begin) in (0, len(results)):
        return ""
    return (
        f"On {days[0]} {', '.join(begin)} earn{'s' if len(begin) == 1 else ''} from the fill point on, "
        f"the other{'s' if len(results) - len(begin) > 1 else ''} from the close before."
    )


def alternatives_of(results: Sequence[Result], names: Sequence[str]) -> list[tuple[str, int, str]]:
    """Return what runs are held against, each once: what to call it, whose it is, and how its metrics begin.

    A benchmark is named where there is more than one, and is no column of its own where it is equal weight,
    which is there in any case, and is named by a run where the funds differ. It is called what a chart calls
    it, and told from a run of the strategy of that name by its costs, of which it has none.
    """
    codes = [str(result.manifest.get("benchmark")) for result in results]
    data = [str(result.manifest["data"].get("name")) for result in results]
    symbols = [result.symbols for result in results]
    several = len(set(zip(codes, data, strict=True))) > 1
    found = []
    for place in _new(list(zip(codes, data, strict=True))):
        if codes[place] != EQUAL_WEIGHT:
            title = f"Benchmark {codes[place]}" if several else "Benchmark"
            found.append((title, place, "benchmark_"))
    places = _new(list(zip(data, symbols, strict=True)))
    alone = AT_NO_COST.capitalize()
    for place in places:
        title = f"{alone} ({names[place]})" if len(places) > 1 else alone
        found.append((title, place, "equal_weight_"))
    return found


def _new(keys: Sequence[object]) -> list[int]:
    """Return the places of keys that are not there before."""
    return [place for place, key in enumerate(keys) if key not in keys[:place]]


def paired(results: Sequence[Result]) -> tuple[Days, Floats, Floats]:
    """Return the common sessions, the runs' returns (T, N) and those of the first run's benchmark (T,).

    The benchmark's are NaN where it has no level, and of the whole gap behind one.
    """
    days = common_days(results)
    columns = [between(result.returns, result.days, days) for result in results]
    first = results[0]
    return days, np.column_stack(columns), _with_gaps(first.benchmark_return, first.days, days)


def _with_gaps(returns: Floats, own: Days, days: Days) -> Floats:
    """Return the compounded return up to each of ``days`` from the last one before it that is known."""
    known = ~np.isnan(returns)
    places = np.isin(days, own[known])
    found = np.full(len(days), np.nan)
    found[places] = between(returns[known], own[known], days[places])
    return found


def common_days(results: Sequence[Result]) -> Days:
    """Return the sessions that all results have."""
    days = results[0].days
    for result in results[1:]:
        days = np.intersect1d(days, result.days)
    return days


def between(returns: Floats, own: Days, days: Days) -> Floats:
    """Return the compounded return up to each of ``days`` from the one before it, of returns on ``own``."""
    rows = np.searchsorted(own, days)
    starts = [*rows[:1], *(rows[:-1] + 1)]
    compounded = [
        math.prod((1.0 + returns[start:end]).tolist()) - 1.0
        for start, end in zip(starts, rows + 1, strict=True)
    ]
    return np.array(compounded, dtype=np.float64)


def correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation over the sessions where both are known; NaN where one does not vary.

    Over a gap of one of them both are those of the gap.
    """
    known = np.where(np.isnan(one) | np.isnan(other), np.nan, 0.0)
    one, other = (compared(np.nan_to_num(each, nan=0.0), known) for each in (one, other))
    if len(one) < 2 or min(np.std(one), np.std(other)) < NO_VARIATION:
        return math.nan
    return linear.correlation(one, other)


def overlap(one: Floats, other: Floats) -> float:
    """Return the share of equity that two runs have in the same place, mean over sessions."""
    return float(np.minimum(one, other).sum(axis=1).mean())
