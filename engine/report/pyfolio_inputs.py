"""What pyfolio takes, and pyfolio put right.

What pyfolio gets wrong is put right here and nowhere else: it annualises on 252 sessions (here: the
exchange's), see ``corrected``; measures drawdowns from the first session's close (here: from the initial
capital), and matches round trips share by share and across splits (see ``engine.results.trades``), see
``Inputs``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd

from engine.metrics.empyrical import empyrical
from engine.report.pyfolio_door import pyfolio
from engine.report.pyfolio_shorter import OF_SCIPY, Beta, aggregate_returns, rolling_beta
from engine.result import Result
from engine.results.trades import executions, round_trips

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
        import matplotlib.pyplot as plt

        plotting, timeseries = pyfolio().plotting, pyfolio().timeseries
        statistics = [OF_SCIPY.get(each.__name__, each) for each in timeseries.SIMPLE_STAT_FUNCS]
        ours = (
            (timeseries, "APPROX_BDAYS_PER_YEAR", sessions_per_year),
            (timeseries, "SIMPLE_STAT_FUNCS", statistics),
            (timeseries, "rolling_beta", rolling_beta),
            (plotting, "sp", SimpleNamespace(stats=SimpleNamespace(beta=Beta))),
            (empyrical(), "aggregate_returns", aggregate_returns),
        )
        theirs = [(module, name, getattr(module, name)) for module, name, _ in ours]
        factors = empyrical().periods.ANNUALIZATION_FACTORS
        daily, factors["daily"] = factors["daily"], sessions_per_year
        backend = dict.__getitem__(plt.rcParams, "backend")  # the usual way to ask would choose one
        plt.switch_backend("agg")
        _put(ours)
        try:
            with _plain_dates():
                yield
        finally:
            factors["daily"] = daily
            _put(theirs)
            if isinstance(backend, str):
                with suppress(ImportError):
                    plt.switch_backend(backend)


def _put(values: Iterable[tuple[Any, str, object]]) -> None:
    for module, name, value in values:
        setattr(module, name, value)


def _plain_dates() -> AbstractContextManager[object]:
    """Keep pandas from turning evenly spaced days into periods, which leaves some panels blank."""
    parameters: Any = pd.plotting.plot_params
    return cast("AbstractContextManager[object]", parameters.use("x_compat", True))
