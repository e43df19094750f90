"""Metrics of a path of equity, and why one of them may be undefined.

Returns are simple, by session, net of all costs; the risk-free rate and the required return are zero. Most
are empyrical's; where that is infinite, or NaN, ours are undefined with a reason. Source: empyrical-reloaded
0.7; differences are in ``docs/metrics.md``.
"""

from __future__ import annotations

import math

import numpy as np

from data.numeric.arithmetic import cubes, fourth_powers, log_growth
from engine.metrics.empyrical import empyrical
from engine.metrics.path import Path
from engine.statistics.estimate import NO_RETURN, NO_VARIATION, Floats
from engine.statistics.paths import annual_growth, falls, underwater

DAYS_A_YEAR = 365.25


def absent(path: Path) -> str | None:
    """Return why a path has nothing to measure: it has no session."""
    return None if len(path.returns) else path.missing


def short(path: Path) -> str | None:
    """Return why a path has no spread: it has fewer than two sessions."""
    return absent(path) or (None if len(path.returns) > 1 else "it takes at least two sessions")


def flat(path: Path) -> str | None:
    """Return why there is nothing to divide by: returns vary by rounding alone."""
    return short(path) or ("returns do not vary" if np.std(path.returns) < NO_VARIATION else None)


def no_loss(path: Path) -> str | None:
    """Return why losses cannot be compared with: there is none beyond rounding."""
    return short(path) or (None if (path.returns < -NO_RETURN).any() else "no session lost money")


def unknown(path: Path) -> str | None:
    """Return why levels cannot be held against each other: not all are known."""
    return absent(path) or ("equity is not known throughout" if np.isnan(path.levels).any() else None)


def never_fell(path: Path) -> str | None:
    """Return why there is no fall to take the mean of."""
    return unknown(path) or (None if falls(path.levels) else "equity never fell")


def no_trend(path: Path) -> str | None:
    """Return why equity has no logarithm, or no line through it."""
    ruined = short(path) or ("everything was lost" if (path.returns <= -1.0).any() else None)
    return ruined or flat(path)


def no_tail(path: Path) -> str | None:
    """Return why there is no left tail to divide by."""
    reason = "the 5th percentile of returns is zero"
    return absent(path) or (None if abs(np.percentile(path.returns, 5)) > NO_RETURN else reason)


def cum_returns_final(path: Path) -> float:
    """Return what one unit of money gained."""
    return float(empyrical().cum_returns_final(path.returns))


def annual_return(path: Path) -> float:
    """Return compound annual growth by sessions."""
    return float(empyrical().annual_return(path.returns, annualization=path.per_year))


def calendar_annual_return(path: Path) -> float:
    """Return compound annual growth over calendar days, the first and the last included."""
    if path.days is None:
        return math.nan
    days = int((path.days[-1] - path.days[0]) / np.timedelta64(1, "D")) + 1
    return float(annual_growth(path.levels[-1] / path.levels[0], days, DAYS_A_YEAR))


def annual_volatility(path: Path) -> float:
    """Return the standard deviation a year, ddof 1."""
    return float(empyrical().annual_volatility(path.returns, annualization=path.per_year))


def sharpe_ratio(path: Path) -> float:
    """Return mean over standard deviation a year, ddof 1."""
    return float(empyrical().sharpe_ratio(path.returns, annualization=path.per_year))


def sortino_ratio(path: Path) -> float:
    """Return mean over downside deviation a year."""
    return float(empyrical().sortino_ratio(path.returns, annualization=path.per_year))


def calmar_ratio(path: Path) -> float:
    """Return the annual return over the deepest fall."""
    return float(empyrical().calmar_ratio(path.returns, annualization=path.per_year))


def max_drawdown(path: Path) -> float:
    """Return the deepest fall from a peak, from the capital on."""
    return float(empyrical().max_drawdown(path.returns))


def average_drawdown(path: Path) -> float:
    """Return the mean depth of all falls from a peak, the last included if it is open.

    Source: Bacon (2008), Practical Portfolio Performance Measurement and Attribution, second edition.
    """
    levels = path.levels
    return float(np.mean([levels[trough] / levels[peak] - 1.0 for peak, trough, _ in falls(levels)]))


def ulcer_index(path: Path) -> float:
    """Return the root of the mean squared fall from the highest level so far, over all sessions.

    Source: Martin and McCann (1989), The Investor's Guide to Fidelity Funds.
    """
    return float(np.sqrt(np.mean(underwater(path.levels)[1:] ** 2)))


def omega_ratio(path: Path) -> float:
    """Return gains over losses."""
    return float(empyrical().omega_ratio(path.returns))


def tail_ratio(path: Path) -> float:
    """Return the 95th over the 5th percentile, in size."""
    return float(empyrical().tail_ratio(path.returns))


def value_at_risk(path: Path) -> float:
    """Return the 5th percentile, interpolated."""
    return float(empyrical().value_at_risk(path.returns))


def conditional_value_at_risk(path: Path) -> float:
    """Return the mean of the worst twentieth, as empyrical counts them."""
    # In order: np.partition leaves them in the processor's, and their sum with it.
    return float(np.mean(np.sort(path.returns)[: int((len(path.returns) - 1) * 0.05) + 1]))


def stability_of_timeseries(path: Path) -> float:
    """Return R² of a line through the logarithm of equity, as empyrical does with scipy."""
    levels = np.cumsum(log_growth(path.returns))
    rows = np.arange(len(levels)) - (len(levels) - 1) / 2.0
    centred = levels - levels.mean()
    # Sums of products, not np.corrcoef: a library of linear algebra rounds by processor.
    shared = np.sum(rows * centred)
    return min(1.0, float(shared * shared / (np.sum(rows * rows) * np.sum(centred * centred))))


def skew(path: Path) -> float:
    """Return skewness, by population moments."""
    centred = _centred(path)
    return float(np.mean(cubes(centred)) / np.mean(centred**2) ** 1.5)


def kurtosis(path: Path) -> float:
    """Return excess kurtosis, by population moments."""
    centred = _centred(path)
    return float(np.mean(fourth_powers(centred)) / np.mean(centred**2) ** 2 - 3.0)


def _centred(path: Path) -> Floats:
    return np.asarray(path.returns - path.returns.mean())
