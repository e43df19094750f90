"""Sharpe ratio per period: its moments, its standard errors, its growth with the horizon, and how sure it is.

1. ``moments`` takes returns to the four numbers that the formulas need; or they are given by hand.
2. Standard errors: independent normal returns (Lo), independent returns of any law (Mertens), dependent
   returns (Lo's method of moments with Bartlett weights).
3. ``aggregation_factor`` is what turns a ratio per period into one per q periods if returns are correlated.
4. ``probabilistic_sharpe`` is the probability that the true ratio exceeds a benchmark, and
   ``minimum_track_record`` the number of observations at which it reaches a level.

All ratios are per period and of simple returns; only ``annual`` figures for display are multiplied by the
root of the periods per year.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data.errors import UsageError
from data.numeric.arithmetic import cubes, fourth_powers
from engine.statistics.estimate import (
    NO_VARIATION,
    Estimate,
    Floats,
    check_at_least,
    check_per_period,
    check_share,
    finite,
    known,
    known_matrix,
    normal_cdf,
    normal_quantile,
    undefined,
    unit_of,
)
from engine.statistics.long_run import NO_VARIANCE, bartlett_variance, default_lags

SHORT = "it takes at least three returns"
FLAT = "returns do not vary"
COLUMNS = 256  # of which moments are taken at a time


@dataclass(frozen=True)
class Moments:
    """What the formulas need to know of a series of returns.

    Attributes
    ----------
    observations : int
    sharpe : float
        Per period, standard deviation with ddof 1; NaN if undefined.
    skewness, kurtosis : float
        Population moments; kurtosis is 3 for a normal law, not 0.
    autocorrelation : float
        Of first order.
    reason : str or None
        Why the ratio is undefined.
    measured : bool
        Computed from returns. Numbers given by hand are refused above one in size (see ``check_per_period``).
    """

    observations: int
    sharpe: float
    skewness: float = 0.0
    kurtosis: float = 3.0
    autocorrelation: float = 0.0
    reason: str | None = None
    measured: bool = False

    def __post_init__(self) -> None:
        if not self.measured:
            check_per_period("the Sharpe ratio", self.sharpe)

    @property
    def autocorrelated(self) -> bool:
        """Whether the first autocorrelation exceeds two standard errors, ``2 / sqrt(T)``."""
        return abs(self.autocorrelation) > 2.0 / math.sqrt(max(self.observations, 1))


def moments(returns: ArrayLike, risk_free: ArrayLike = 0.0) -> Moments:
    """Return the moments of a (T,) series, after the risk-free return per period, a number or (T,).

    Rows with NaN are dropped. Fewer than three rows, or returns that do not vary, are NaN with a reason.
    """
    excess = _excess(returns, risk_free)
    reason = _reason(excess)
    if reason is not None:
        nan = math.nan
        return Moments(len(excess), nan, nan, nan, nan, reason, measured=True)
    centred = excess - excess.mean()
    variance = float(np.mean(centred**2))
    return Moments(
        observations=len(excess),
        sharpe=ratio(excess),
        skewness=float(np.mean(cubes(centred))) / variance**1.5,
        kurtosis=float(np.mean(fourth_powers(centred))) / variance**2,
        autocorrelation=float(np.mean(centred[1:] * centred[:-1]) * (len(excess) - 1) / len(excess))
        / variance,
        measured=True,
    )


def ratios_and_autocorrelations(returns: Floats) -> tuple[Floats, Floats]:
    """Return these ``moments`` of each column of (T, N), known throughout, with the same bits.

    NaN where ``moments`` has a reason.
    """
    rows, columns = returns.shape
    found = np.full((2, columns), np.nan)
    if rows < 3:
        return found[0], found[1]
    for begin in range(0, columns, COLUMNS):
        # A series is a row here, added up as ``moments`` adds up the one that it has.
        series = np.ascontiguousarray(returns[:, begin : begin + COLUMNS].T)
        varies = series.std(axis=1) > NO_VARIATION
        centred = series - series.mean(axis=1, keepdims=True)
        variances = np.mean(centred**2, axis=1)
        behind = np.mean(centred[:, 1:] * centred[:, :-1], axis=1) * (rows - 1) / rows
        some = found[:, begin : begin + COLUMNS]
        np.divide(behind, variances, out=some[1], where=varies)
        some[0] = np.where(varies, ratios(series, axis=1), np.nan)
    return found[0], found[1]


def sharpe_ratio(returns: ArrayLike, risk_free: ArrayLike = 0.0) -> Estimate:
    """Return the mean over the standard deviation (ddof 1) of a (T,) series, per period."""
    found = moments(returns, risk_free)
    return Estimate(found.sharpe, found.reason)


def sharpe_ratios(returns: ArrayLike) -> Floats:
    """Return the ratio per period of each column of (T, N); NaN for fewer than 3 rows or no variation.

    Rows with NaN in any column are dropped.
    """
    values = known_matrix(returns, "returns of trials")
    return ratios(values, axis=0) if len(values) > 2 else np.full(values.shape[1], np.nan)


def ratios(returns: Floats, axis: int) -> Floats:
    """Return mean over standard deviation (ddof 1) along an axis; NaN where there is no variation.

    The one place that divides the two; an unknown return makes its series unknown.
    """
    found = np.full(returns.shape[1 - axis], np.nan)
    if axis == 0 and returns.shape[1] > 2 * COLUMNS:
        # numpy subtracts the means from a copy of all that it is given
        for some in np.array_split(np.arange(len(found)), len(found) // COLUMNS):
            columns = slice(some[0], some[-1] + 1)
            found[columns] = ratios(returns[:, columns], axis=0)
    elif returns.shape[axis] > 1:
        deviation = returns.std(axis=axis, ddof=1)
        np.divide(returns.mean(axis=axis), deviation, out=found, where=deviation > NO_VARIATION)
    return found


def ratio(returns: Floats) -> float:
    """Return mean over standard deviation (ddof 1) of a (T,) series; NaN if it does not vary."""
    deviation = returns.std(ddof=1)
    return float(returns.mean() / deviation) if deviation > NO_VARIATION else math.nan


def standard_error_normal(sharpe: float, observations: int) -> Estimate:
    """Return ``sqrt((1 + SR²/2) / T)``, for independent normal returns. Source: Lo (2002)."""
    if observations < 3:
        return undefined(SHORT)
    return finite(math.sqrt((1.0 + 0.5 * sharpe**2) / observations), "the Sharpe ratio is undefined")


def standard_error(of: Moments) -> Estimate:
    """Return ``sqrt((1 - g3 SR + (g4 - 1)/4 SR²) / T)``, for independent returns. Source: Mertens (2002)."""
    adjustment = _adjustment(of)
    if adjustment.reason is not None:
        return adjustment
    return Estimate(math.sqrt(adjustment.value / of.observations))


def standard_error_robust(
    returns: ArrayLike, lags: int | None = None, risk_free: ArrayLike = 0.0, ddof: int = 1
) -> Estimate:
    """Return the standard error of the ratio of a (T,) series whose returns may depend on each other.

    ``u = z - (SR/2)(z² - 1)`` with z the standardised returns; the variance is the long-run variance of u
    over T, by default with ``default_lags(T)``. Without lags and with ``ddof`` 0 it equals ``standard_error``
    of the ratio with ddof 0. NaN with a reason for fewer than three rows, or no variation. Source: Lo (2002).
    """
    excess = _excess(returns, risk_free)
    reason = _reason(excess)
    if reason is not None:
        return undefined(reason)
    count = len(excess)
    z = (excess - excess.mean()) / excess.std()
    ratio = float(excess.mean() / excess.std(ddof=ddof))
    influence = z - 0.5 * ratio * (z**2 - 1.0)
    variance = bartlett_variance(influence, default_lags(count) if lags is None else lags) / count
    if not variance > NO_VARIANCE:
        return undefined("the standard error vanishes: returns take too few values")
    return Estimate(math.sqrt(variance))


def aggregation_factor(periods: int, autocorrelations: Sequence[float]) -> Estimate:
    """Return ``SR(q) / SR`` for q periods, from the first autocorrelations (those not given are zero).

    ``q / sqrt(q + 2 Σ (q - k) ρ_k)``; the root of q for uncorrelated returns. Source: Lo (2002).
    """
    check_at_least("the number of periods", periods, 1)
    lags = range(1, min(periods - 1, len(autocorrelations)) + 1)
    variance = periods + 2.0 * sum((periods - lag) * autocorrelations[lag - 1] for lag in lags)
    if not variance > 0.0:
        return undefined("the autocorrelations give returns over the horizon no positive variance")
    return Estimate(periods / math.sqrt(variance))


def aggregation_factor_ar1(periods: float, autocorrelation: float) -> Estimate:
    """Return ``SR(q) / SR`` for q periods if returns follow an autoregression of order one.

    ``√q [1 + 2ρ/(1-ρ) (1 - (1-ρ^q)/(q(1-ρ)))]^(-1/2)``. A fractional q, such as 242.5 sessions a year, is
    rounded in the power only, which a negative ρ needs. Source: Lo (2002).
    """
    (found,) = aggregation_factors_ar1(periods, np.array([autocorrelation])).tolist()
    if not abs(autocorrelation) < 1.0:
        return undefined("the autocorrelation is not between -1 and 1")
    if not math.isfinite(found):
        return undefined("the autocorrelation gives returns over the horizon no positive variance")
    return Estimate(found)


def aggregation_factors_ar1(periods: float, autocorrelations: Floats) -> Floats:
    """Return the same of many autocorrelations (N,); NaN where it is undefined."""
    check_at_least("the number of periods", periods, 1)
    inside = np.abs(autocorrelations) < 1.0
    rho = np.where(inside, autocorrelations, 0.0)
    rest = 1.0 - rho
    powers = np.array([each ** round(periods) for each in rho.tolist()])
    spread = (1.0 - powers) / (periods * rest)
    inflation = 1.0 + 2.0 * rho / rest * (1.0 - spread)
    defined = inside & (inflation > 0.0)
    return np.where(defined, np.sqrt(periods / np.where(defined, inflation, 1.0)), np.nan)


def probabilistic_sharpe(of: Moments, benchmark: float = 0.0) -> Estimate:
    """Return the probability that the true ratio exceeds ``benchmark``, both per period.

    ``Φ((SR - SR*) √(T-1) / sqrt(1 - g3 SR + (g4-1)/4 SR²))``, the form of 2012: the variance is at the
    observed ratio. Returns are taken as independent. A ratio given by hand comes back in ``note``, with its
    unit. Source: Bailey and López de Prado (2012).
    """
    check_per_period("the benchmark Sharpe ratio", benchmark)
    adjustment = _adjustment(of)
    if adjustment.reason is not None:
        return adjustment
    z = (of.sharpe - benchmark) * math.sqrt((of.observations - 1) / adjustment.value)
    return _told(finite(normal_cdf(z), "the benchmark Sharpe ratio is undefined"), of)


def probabilistic_sharpe_robust(
    returns: ArrayLike, benchmark: float = 0.0, lags: int | None = None, risk_free: ArrayLike = 0.0
) -> Estimate:
    """Return ``Φ((SR - SR*) / SE)`` with the standard error of dependent returns.

    To be shown beside ``probabilistic_sharpe`` if ``Moments.autocorrelated``. Source: Lo (2002) for the
    error.
    """
    check_per_period("the benchmark Sharpe ratio", benchmark)
    error = standard_error_robust(returns, lags, risk_free)
    if error.reason is not None:
        return error
    ratio = sharpe_ratio(returns, risk_free)
    return finite(
        normal_cdf((ratio.value - benchmark) / error.value), "the benchmark Sharpe ratio is undefined"
    )


def minimum_track_record(of: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> Estimate:
    """Return the observations at which ``probabilistic_sharpe`` reaches ``confidence``, not rounded.

    ``1 + [1 - g3 SR + (g4-1)/4 SR²] (Φ⁻¹(p) / (SR - SR*))²``; divide by the periods per year for years. NaN,
    with the reason "never", if the ratio is not above the benchmark. Source: Bailey and López de Prado
    (2012).
    """
    check_per_period("the benchmark Sharpe ratio", benchmark)
    check_share("the confidence", confidence)
    if confidence <= 0.5:
        raise UsageError("the confidence needs no track record", received=confidence, limit="above 0.5")
    adjustment = _adjustment(of)
    if adjustment.reason is not None:
        return adjustment
    margin = of.sharpe - benchmark
    if not margin > NO_VARIATION:
        return undefined("never: the Sharpe ratio is not above the benchmark")
    return _told(Estimate(1.0 + adjustment.value * (normal_quantile(confidence) / margin) ** 2), of)


def _excess(returns: ArrayLike, risk_free: ArrayLike) -> Floats:
    free = np.broadcast_to(np.asarray(risk_free, dtype=np.float64), np.shape(returns))
    values, free = known(returns, free)
    if values.ndim != 1:
        raise UsageError("returns are not one series", received=values.shape, limit="one dimension")
    return values - free


def _reason(excess: Floats) -> str | None:
    if len(excess) < 3:
        return SHORT
    return FLAT if excess.std() <= NO_VARIATION else None


def _told(found: Estimate, of: Moments) -> Estimate:
    """Return an answer that says the unit of a ratio that was given by hand."""
    return found if of.measured else Estimate(found.value, found.reason, unit_of(of.sharpe))


def _adjustment(of: Moments) -> Estimate:
    """Variance of the ratio times T, which must be positive."""
    if of.reason is not None:
        return undefined(of.reason)
    if of.observations < 3:
        return undefined(SHORT)
    value = 1.0 - of.skewness * of.sharpe + (of.kurtosis - 1.0) / 4.0 * of.sharpe**2
    if not value > NO_VARIATION:
        return undefined("no law has this skewness and kurtosis: the variance of the ratio is not positive")
    return finite(value, "a moment is undefined")
