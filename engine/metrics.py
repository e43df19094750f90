"""Performance statistics of a result, through empyrical, annualised on the exchange's real session count.

1. The returns of the run, of the benchmark and of equal weight are measured alike (``_of_returns``).
2. The run is measured against the benchmark on the sessions where both are known (``_against``).
3. Trading is measured from the fills and the holdings (``_of_run``).
4. What is undefined is None with a reason; never infinite, never NaN.

``docs/metrics.md`` has the table of names, formulas, units and differences from empyrical and pyfolio.
empyrical is imported when the first metric is computed, and without scipy.stats and scipy.optimize, which are
four fifths of its 0.4 s and which it needs for functions that are not called here (``_empyrical``).
"""

from __future__ import annotations

import importlib
import math
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.result import Floats, Result

Unit = Literal["percent", "percent a year", "ratio", "times a year", "money"]

LABELS: Mapping[str, tuple[str, Unit]] = {
    "cum_returns_final": ("Total return", "percent"),
    "annual_return": ("Annual return (by sessions)", "percent a year"),
    "calendar_annual_return": ("Annual return (by calendar)", "percent a year"),
    "annual_volatility": ("Volatility", "percent a year"),
    "sharpe_ratio": ("Sharpe ratio", "ratio"),
    "sortino_ratio": ("Sortino ratio", "ratio"),
    "calmar_ratio": ("Calmar ratio", "ratio"),
    "max_drawdown": ("Maximum drawdown", "percent"),
    "omega_ratio": ("Omega ratio", "ratio"),
    "tail_ratio": ("Tail ratio", "ratio"),
    "value_at_risk": ("Value at risk, 5 % of sessions", "percent"),
    "conditional_value_at_risk": ("Mean of the worst 5 % of sessions", "percent"),
    "stability_of_timeseries": ("Stability (R² of log equity)", "ratio"),
    "skew": ("Skewness", "ratio"),
    "kurtosis": ("Excess kurtosis", "ratio"),
    "alpha": ("Alpha", "percent a year"),
    "beta": ("Beta", "ratio"),
    "information_ratio": ("Information ratio", "ratio"),
    "up_capture": ("Up capture", "ratio"),
    "down_capture": ("Down capture", "ratio"),
    "exposure": ("Mean share of equity invested", "percent"),
    "turnover": ("Turnover, one way", "times a year"),
    "costs": ("Costs", "money"),
    "cost_share": ("Costs over profit before costs", "percent"),
}
"""Name of a metric -> what to call it, and its unit (numbers are fractions, shown as percent)."""

ALTERNATIVES: Mapping[str, str] = {"benchmark_": "Benchmark", "equal_weight_": "Equal weight"}
"""Prefix of a metric of something that the run is held against -> what to call it."""

OF_ALTERNATIVES = (
    "cum_returns_final",
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "max_drawdown",
)

NO_VARIATION = 1e-12  # a daily standard deviation below this is rounding: equity carries 16 digits


@dataclass(frozen=True)
class Metrics:
    """Metrics of one run.

    Attributes
    ----------
    values : mapping
        Name -> number, or None where it is undefined; fractions, not percent.
    reasons : mapping
        Name -> why its value is None.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]

    def __getitem__(self, name: str) -> float | None:
        return self.values[name]


Measure = tuple[str | None, Callable[[], float]]
"""Why a metric is undefined (None: it is defined), and how it is computed otherwise."""


def compute_metrics(result: Result) -> Metrics:
    """Return all metrics of a result, in the order of ``LABELS``, then those of the alternatives.

    Returns are simple and by session, net of all costs; the first is on the initial cash. The risk-free rate
    and the required return are zero. Sessions without a benchmark return are left out of what compares with
    it (never filled). Differences from empyrical: an undefined ratio is None (there infinite, or NaN);
    ``information_ratio`` is annual (there per session); the captures annualise on the exchange's sessions
    (there on 252); ``value_at_risk`` and the benchmark's annual return skip sessions without a return (there
    NaN, or counted as years). Source: methods of empyrical-reloaded 0.7; see ``docs/metrics.md``.
    """
    sessions_per_year = result.sessions_per_year
    benchmark, equal_weight = result.benchmark_return, result.equal_weight_return
    measures = (
        _of_returns(result.returns, sessions_per_year)
        | _against(result.returns, benchmark, sessions_per_year)
        | _of_run(result)
    )
    measures = {name: measures[name] for name in LABELS}
    for prefix, returns, missing in (
        ("benchmark_", benchmark, "there is no benchmark"),
        ("equal_weight_", equal_weight, "no fund traded"),
    ):
        of_returns = _of_returns(returns[~np.isnan(returns)], sessions_per_year, missing)
        measures |= {prefix + name: of_returns[name] for name in OF_ALTERNATIVES}
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, (reason, compute) in measures.items():
        values[name], why = _measured(reason, compute)
        if why is not None:
            reasons[name] = why
    return Metrics(values, reasons)


def _measured(reason: str | None, compute: Callable[[], float]) -> tuple[float | None, str | None]:
    if reason is not None:
        return None, reason
    with np.errstate(all="ignore"):
        value = float(compute())
    if not math.isfinite(value):
        return None, "the sample is too short or too one-sided for a finite number"
    return value, None


class _OnDemand(types.ModuleType):
    """Stands for a module of functions while another imports it; whoever calls one of them loads it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.__name__

        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*arguments, **options)

        call.__name__ = name
        return call


@cache
def _empyrical() -> Any:
    absent = [name for name in ("scipy.stats", "scipy.optimize") if name not in sys.modules]
    sys.modules.update({name: _OnDemand(name) for name in absent})
    try:
        return importlib.import_module("empyrical")
    finally:
        for name in absent:
            del sys.modules[name]


def _of_returns(returns: Floats, per_year: float, missing: str = "there is no session") -> dict[str, Measure]:
    ep = _empyrical()
    absent = None if len(returns) else missing
    short = absent or (None if len(returns) > 1 else "it takes at least two sessions")
    flat = short or ("returns do not vary" if np.std(returns) < NO_VARIATION else None)
    no_loss = short or (None if (returns < 0.0).any() else "no session lost money")
    ruined = short or ("everything was lost" if (returns <= -1.0).any() else None)
    no_tail = absent or (None if np.percentile(returns, 5) else "the 5th percentile of returns is zero")
    centred = returns - returns.mean() if len(returns) else returns
    return {
        "cum_returns_final": (absent, lambda: ep.cum_returns_final(returns)),
        "annual_return": (absent, lambda: ep.annual_return(returns, annualization=per_year)),
        "annual_volatility": (short, lambda: ep.annual_volatility(returns, annualization=per_year)),
        "sharpe_ratio": (flat, lambda: ep.sharpe_ratio(returns, annualization=per_year)),
        "sortino_ratio": (no_loss, lambda: ep.sortino_ratio(returns, annualization=per_year)),
        "calmar_ratio": (no_loss, lambda: ep.calmar_ratio(returns, annualization=per_year)),
        "max_drawdown": (absent, lambda: ep.max_drawdown(returns)),
        "omega_ratio": (no_loss, lambda: ep.omega_ratio(returns)),
        "tail_ratio": (no_tail, lambda: ep.tail_ratio(returns)),
        "value_at_risk": (absent, lambda: ep.value_at_risk(returns)),
        "conditional_value_at_risk": (absent, lambda: ep.conditional_value_at_risk(returns)),
        "stability_of_timeseries": (ruined or flat, lambda: _stability(returns)),
        "skew": (flat, lambda: np.mean(centred**3) / np.mean(centred**2) ** 1.5),
        "kurtosis": (flat, lambda: np.mean(centred**4) / np.mean(centred**2) ** 2 - 3.0),
    }


def _against(returns: Floats, benchmark: Floats, per_year: float) -> dict[str, Measure]:
    ep = _empyrical()
    known = ~np.isnan(benchmark)
    ours, theirs = returns[known], benchmark[known]
    absent = None if len(ours) else "there is no benchmark"
    short = absent or (None if len(ours) > 1 else "it takes at least two sessions with a benchmark")
    flat = short or ("the benchmark does not vary" if np.std(theirs) < NO_VARIATION else None)
    equal = short or (
        "the difference from the benchmark does not vary" if np.std(ours - theirs) < NO_VARIATION else None
    )
    rises, falls = theirs > 0.0, theirs < 0.0
    never_up = absent or (None if rises.any() else "the benchmark never rose")
    never_down = absent or (None if falls.any() else "the benchmark never fell")

    def capture(chosen: NDArray[np.bool_]) -> float:
        gained = ep.annual_return(ours[chosen], annualization=per_year)
        return float(gained / ep.annual_return(theirs[chosen], annualization=per_year))

    return {
        "alpha": (flat, lambda: ep.alpha(ours, theirs, annualization=per_year)),
        "beta": (flat, lambda: ep.beta(ours, theirs)),
        "information_ratio": (equal, lambda: ep.excess_sharpe(ours, theirs) * math.sqrt(per_year)),
        "up_capture": (never_up, lambda: capture(rises)),
        "down_capture": (never_down, lambda: capture(falls)),
    }


def _stability(returns: Floats) -> float:
    """Return R² of a line through the logarithm of equity, as empyrical does with scipy."""
    levels = np.cumsum(np.log1p(returns))
    return float(np.corrcoef(np.arange(len(levels)), levels)[0, 1] ** 2)


def _of_run(result: Result) -> dict[str, Measure]:
    sessions = len(result.equity)
    absent = None if sessions else "there is no session"
    fills = result.fills
    costs = float(fills[["commission", "fee", "slippage"]].to_numpy(np.float64).sum())
    gross = float(result.equity[-1]) - result.initial_cash + costs if sessions else 0.0
    no_profit = absent or (None if gross > 0.0 else "there is no profit before costs")
    years = sessions / result.sessions_per_year
    invested = result.values.sum(axis=1)  # noqa: PD011 (not pandas)
    traded = float(fills["notional"].sum())
    return {
        "calendar_annual_return": (absent, lambda: _calendar_annual_return(result)),
        "exposure": (absent, lambda: float(np.mean(invested / result.equity))),
        "turnover": (absent, lambda: 0.5 * traded / float(result.equity.mean()) / years),
        "costs": (None, lambda: costs),
        "cost_share": (no_profit, lambda: costs / gross),
    }


def _calendar_annual_return(result: Result) -> float:
    """Compound annual growth over calendar days, the first and the last included."""
    days = int((result.days[-1] - result.days[0]) / np.timedelta64(1, "D")) + 1
    return float((result.equity[-1] / result.initial_cash) ** (365.25 / days) - 1.0)


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
    found: list[Drawdown] = []
    peak = trough = 0
    for row in range(1, len(levels) + 1):
        ended = row == len(levels)
        if not ended and levels[row] < levels[peak]:
            trough = row if trough == peak or levels[row] < levels[trough] else trough
            continue
        if trough > peak:
            found.append(
                Drawdown(
                    depth=float(levels[trough] / levels[peak] - 1.0),
                    peak=days[peak],
                    trough=days[trough],
                    recovery=None if ended else days[row],
                    to_trough=trough - peak,
                    under_water=row - peak - ended,
                )
            )
        peak = trough = row
    return sorted(found, key=lambda drawdown: drawdown.depth)[:top]


def monthly_returns(result: Result) -> pd.DataFrame:
    """Return compounded returns by year (rows) and month (columns 1 to 12); NaN where there is no session."""
    months, growth = _compounded(result.returns, result.days, "M")
    years = months.astype("datetime64[Y]").astype(int) + 1970
    table = pd.DataFrame(np.nan, index=np.unique(years), columns=range(1, 13))
    for year, month, value in zip(years, months.astype(int) % 12 + 1, growth, strict=True):
        table.loc[year, month] = value
    return table


def yearly_returns(result: Result) -> pd.DataFrame:
    """Return compounded returns by calendar year (rows) of the run, the benchmark and equal weight.

    Columns are ``run``, ``benchmark`` and ``equal_weight``; NaN where a year has no known return. The first
    and the last year are as long as the run has sessions in them.
    """
    columns = {}
    for name, returns in (
        ("run", result.returns),
        ("benchmark", result.benchmark_return),
        ("equal_weight", result.equal_weight_return),
    ):
        known = ~np.isnan(returns)
        years, growth = _compounded(returns[known], result.days[known], "Y")
        columns[name] = pd.Series(growth, index=years.astype(int) + 1970, dtype=np.float64)
    return pd.DataFrame(columns).sort_index()


def _compounded(
    returns: Floats, days: NDArray[np.datetime64], period: Literal["M", "Y"]
) -> tuple[NDArray[np.datetime64], Floats]:
    """Periods that have a return, and the compounded return of each."""
    periods, first = np.unique(days.astype(f"datetime64[{period}]"), return_index=True)
    if not len(first):
        return periods, returns
    return periods, np.multiply.reduceat(1.0 + returns, first) - 1.0
