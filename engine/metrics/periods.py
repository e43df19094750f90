"""Returns by month and by year, compounded."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.result import Floats, Result


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
