"""Returns by month and by year, of the latest months and years; the best and worst days; win rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.result import Floats, Result

Period = Literal["D", "M", "Y"]


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


TRAILING: Mapping[str, int] = {"1 month": 1, "3 months": 3, "1 year": 12, "3 years": 36, "5 years": 60}
"""Calendar months that end with the last session."""
EXTREMES = 5  # days of each kind


def trailing_returns(result: Result) -> pd.DataFrame:
    """Return compounded returns up to the last session: rows are ``TRAILING`` and "year to date".

    Columns are ``run``, ``benchmark`` and ``equal_weight``. A period begins behind the same day of an earlier
    month (its last, where that is shorter), and the year to date behind the last year. NaN where the run has
    no session up to that day, or no return is known.
    """
    last = result.days[-1].astype("datetime64[D]")
    month = last.astype("datetime64[M]")
    day = int((last - month.astype("datetime64[D]")).astype(int))

    def behind(months: int) -> np.datetime64:
        begin, after = ((month - each).astype("datetime64[D]") for each in (months, months - 1))
        length = int((after - begin).astype(int))
        return np.datetime64(begin + min(day, length - 1), "D")

    ends = {name: behind(months) for name, months in TRAILING.items()}
    ends["year to date"] = last.astype("datetime64[Y]").astype("datetime64[D]") - 1
    rows = {}
    for name in (*list(TRAILING)[:2], "year to date", *list(TRAILING)[2:]):
        inside = result.days > ends[name]
        rows[name] = {
            column: np.nan if inside.all() else _total(returns[inside])
            for column, returns in (
                ("run", result.returns),
                ("benchmark", result.benchmark_return),
                ("equal_weight", result.equal_weight_return),
            )
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["run", "benchmark", "equal_weight"])


def extreme_days(result: Result) -> pd.DataFrame:
    """Return the best days of the run, best first, then the worst, worst first.

    Columns are ``day``, and the returns ``run``, ``benchmark``, ``equal_weight``. At most
    ``EXTREMES`` of each kind, gains and losses only; of equal ones the earlier first.
    """
    returns = result.returns
    best = [row for row in np.argsort(-returns, kind="stable")[:EXTREMES] if returns[row] > 0.0]
    worst = [row for row in np.argsort(returns, kind="stable")[:EXTREMES] if returns[row] < 0.0]
    rows = np.array([*best, *worst], dtype=np.intp)
    return pd.DataFrame(
        {
            "day": result.days[rows],
            "run": returns[rows],
            "benchmark": result.benchmark_return[rows],
            "equal_weight": result.equal_weight_return[rows],
        }
    )


def win_rates(result: Result) -> pd.DataFrame:
    """Return how many sessions, months and years gained, ``won`` of ``of``, and the share that ``beat``.

    That is the share above the benchmark, of those of which its return is known; NaN without any.
    """
    rows = {}
    known = ~np.isnan(result.benchmark_return)
    periods: tuple[tuple[str, Period], ...] = (("sessions", "D"), ("months", "M"), ("years", "Y"))
    for name, period in periods:
        _, own = _compounded(result.returns, result.days, period)
        _, ours = _compounded(result.returns[known], result.days[known], period)
        _, theirs = _compounded(result.benchmark_return[known], result.days[known], period)
        beat = float(np.mean(ours > theirs)) if len(ours) else np.nan
        rows[name] = {"won": int((own > 0.0).sum()), "of": len(own), "beat": beat}
    return pd.DataFrame.from_dict(rows, orient="index")


def _total(returns: Floats) -> float:
    known = returns[~np.isnan(returns)]
    return float(np.prod(1.0 + known) - 1.0) if len(known) else np.nan


def _compounded(
    returns: Floats, days: NDArray[np.datetime64], period: Period
) -> tuple[NDArray[np.datetime64], Floats]:
    """Periods that have a return, and the compounded return of each."""
    periods, first = np.unique(days.astype(f"datetime64[{period}]"), return_index=True)
    if not len(first):
        return periods, returns
    return periods, np.multiply.reduceat(1.0 + returns, first) - 1.0
