"""What takes pyfolio long, by a shorter way to the same numbers; ``corrected`` puts it in place.

A loop over windows for the rolling beta, a call for each week and month, and scipy.stats, imported for three
statistics and a beta distribution: together a quarter of the time of all figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd

from engine.metrics.path import Path
from engine.metrics.returns import flat, kurtosis, no_trend, skew, stability_of_timeseries
from engine.result import Floats

HALF_YEAR = 126  # sessions in pyfolio's rolling windows


def of_returns(
    metric: Callable[[Path], float], missing: Callable[[Path], str | None]
) -> Callable[[pd.Series[float]], float]:
    """Return a metric of ours as a function of returns, NaN where there is none, as pyfolio names it."""

    @wraps(metric)
    def of(returns: pd.Series[float]) -> float:
        path = Path.of_returns(np.asarray(returns, dtype=np.float64), np.nan)
        return math.nan if missing(path) else metric(path)

    return of


OF_SCIPY = {
    metric.__name__: of_returns(metric, missing)
    for metric, missing in ((skew, flat), (kurtosis, flat), (stability_of_timeseries, no_trend))
}
"""What pyfolio has scipy.stats compute, the same numbers without its import."""


class Beta:
    """A beta distribution, as pyfolio asks scipy.stats for it, whose import takes longer than ten figures."""

    CELLS = 100_000

    def __init__(self, a: float, b: float) -> None:
        self._a, self._b = float(a), float(b)

    def pdf(self, x: Floats) -> Floats:
        """Return the density at ``x`` within 0 and 1; both parameters are 1 or more."""
        a, b = self._a, self._b
        inside = np.clip(x, 1e-300, 1.0 - 2.0**-53)
        scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        return np.exp(scale + (a - 1.0) * np.log(inside) + (b - 1.0) * np.log1p(-inside))

    def ppf(self, share: float) -> float:
        """Return the value below which a ``share`` of the distribution lies, to six digits."""
        edges = np.arange(self.CELLS + 1) / self.CELLS
        below = np.concatenate(([0.0], np.cumsum(self.pdf((edges[1:] + edges[:-1]) / 2.0))))
        return float(np.interp(share, below / below[-1], edges))


def rolling_beta(
    returns: pd.Series[float], factor_returns: pd.Series[float], rolling_window: int = HALF_YEAR
) -> pd.Series[float]:
    """Return pyfolio's rolling beta (each window has ``rolling_window + 1`` rows), by rolling sums."""
    ours = returns.rolling(rolling_window + 1, min_periods=2)
    theirs = factor_returns.rolling(rolling_window + 1, min_periods=2)
    beta = ours.cov(factor_returns) / theirs.var()
    return beta.where(np.arange(len(beta)) >= rolling_window)


def aggregate_returns(returns: pd.Series[float], convert_to: str) -> pd.Series[float]:
    """Return returns compounded by ISO week, month or year, as empyrical does in Python for each of them."""
    days = pd.DatetimeIndex(returns.index)
    keys: dict[str, list[Any]] = {"monthly": [days.year, days.month], "yearly": [days.year]}
    if convert_to == "weekly":
        weeks = days.isocalendar()
        keys["weekly"] = [weeks["year"].to_numpy(), weeks["week"].to_numpy()]
    return (1.0 + returns).groupby(keys[convert_to]).prod() - 1.0
