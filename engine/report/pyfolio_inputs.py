"""What pyfolio takes, and pyfolio put right.

What pyfolio gets wrong is put right here and nowhere else: it annualises on 252 sessions (here: the
exchange's) and takes seconds for the rolling beta (here: the same numbers by rolling sums), see
``corrected``; it measures drawdowns from the first session's close (here: from the initial capital), and
matches round trips share by share and across splits (see ``engine.results.trades``), see ``Inputs``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from engine.report.pyfolio_door import pyfolio
from engine.result import Result
from engine.results.trades import executions, round_trips

HALF_YEAR = 126  # sessions in pyfolio's rolling windows
FEWEST_ROUND_TRIPS = 5  # pyfolio's own threshold


@dataclass(frozen=True)
class Inputs:
    """What pyfolio takes: series with a UTC index.

    Attributes
    ----------
    returns : Series (D,)
    anchored : Series (D + 1,)
        ``returns`` with a zero on the day before the first session, so that drawdowns start from the capital.
    benchmark : Series (D,) or None
        NaN where it has no level.
    positions : DataFrame (D, S + 1)
        Money in each fund at the close, and ``cash``, which includes receivables; rows add up to equity.
    transactions : DataFrame
        ``amount``, ``price``, ``symbol``; shares of the last session, restated for splits.
    trades : DataFrame
        Round trips.
    """

    returns: pd.Series[float]
    anchored: pd.Series[float]
    benchmark: pd.Series[float] | None
    positions: pd.DataFrame
    transactions: pd.DataFrame
    trades: pd.DataFrame

    @property
    def drawable(self) -> bool:
        """Whether there is anything to draw: two sessions and a purchase."""
        return len(self.returns) > 1 and not self.transactions.empty

    @classmethod
    def of(cls, result: Result) -> Inputs:
        """Build the inputs of a result; RuntimeError if its positions and cash do not add up to equity."""
        index = pd.DatetimeIndex(result.days).as_unit("ns").tz_localize("UTC")
        returns = pd.Series(result.returns, index, name=str(result.manifest["strategy"]))
        start = pd.Series([0.0], index=index[:1] - pd.Timedelta(days=1))
        positions = pd.DataFrame(result.values, index, pd.Index(result.symbols, dtype=object))
        positions["cash"] = result.cash + result.receivable
        gap = np.abs(positions.sum(axis=1).to_numpy() - result.equity)
        if (gap > 1e-9 * np.abs(result.equity)).any():
            day = result.days[int(gap.argmax())]
            raise RuntimeError(f"positions and cash differ from equity by {gap.max():.2f} on {day}")
        trades = executions(result)
        transactions = pd.DataFrame(
            {
                "amount": [trade.shares for trade in trades],
                "price": [trade.price for trade in trades],
                "symbol": [trade.symbol for trade in trades],
            },
            index=index[[trade.row for trade in trades]],
        )
        benchmark = pd.Series(
            result.benchmark_return, index, name=str(result.manifest.get("benchmark") or "benchmark")
        )
        return cls(
            returns=returns,
            anchored=pd.concat([start, returns]),
            benchmark=None if benchmark.isna().all() else benchmark,
            positions=positions,
            transactions=transactions,
            trades=round_trips(result),
        )


@contextmanager
def corrected(sessions_per_year: float) -> Iterator[None]:
    """Make pyfolio annualise as we do, be quiet and draw without a screen; all is put back afterwards."""
    with warnings.catch_warnings():
        # Deprecations of pandas and seaborn.
        warnings.simplefilter("ignore")
        import empyrical.periods
        import matplotlib.pyplot as plt

        factors, timeseries = empyrical.periods.ANNUALIZATION_FACTORS, pyfolio().timeseries
        daily, year, beta = factors["daily"], timeseries.APPROX_BDAYS_PER_YEAR, timeseries.rolling_beta
        backend = dict.__getitem__(plt.rcParams, "backend")  # the usual way to ask would choose one
        plt.switch_backend("agg")
        factors["daily"] = timeseries.APPROX_BDAYS_PER_YEAR = sessions_per_year
        timeseries.rolling_beta = rolling_beta
        try:
            with _plain_dates():
                yield
        finally:
            factors["daily"], timeseries.APPROX_BDAYS_PER_YEAR = daily, year
            timeseries.rolling_beta = beta
            if isinstance(backend, str):
                with suppress(ImportError):
                    plt.switch_backend(backend)


def _plain_dates() -> AbstractContextManager[object]:
    """Keep pandas from turning evenly spaced days into periods, which leaves some panels blank."""
    parameters: Any = pd.plotting.plot_params
    return cast("AbstractContextManager[object]", parameters.use("x_compat", True))


def rolling_beta(
    returns: pd.Series[float], factor_returns: pd.Series[float], rolling_window: int = HALF_YEAR
) -> pd.Series[float]:
    """Return pyfolio's rolling beta (each window has ``rolling_window + 1`` rows), by rolling sums."""
    ours = returns.rolling(rolling_window + 1, min_periods=2)
    theirs = factor_returns.rolling(rolling_window + 1, min_periods=2)
    beta = ours.cov(factor_returns) / theirs.var()
    return beta.where(np.arange(len(beta)) >= rolling_window)
