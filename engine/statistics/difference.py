"""Is one Sharpe ratio larger than another on the same dates? Tests that allow for dependence and fat tails.

1. The difference is a function of four moments: two means, two means of squares (``_gradient``).
2. Their long-run covariance is estimated with Parzen weights and an automatic bandwidth, plainly and
   prewhitened by an autoregression (``_long_run_covariance``).
3. ``sharpe_difference`` compares the difference with its standard error; ``sharpe_difference_bootstrap``,
   which the authors recommend, with that of resamples in circular blocks.

Ratios are per period, with ddof 1; their derivatives are those of moments with ddof 0, as in the authors'
program. Where the compiler is loaded, blocks are added up in machine code, with the same bits. Source: Ledoit
and Wolf (2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data.numeric.arithmetic import fourth_powers
from engine.statistics.estimate import (
    NO_VARIATION,
    Estimate,
    Floats,
    check_at_least,
    known,
    two_sided_p,
    undefined,
)
from engine.statistics.linear import cross_products, least_squares, product, singular_values
from engine.statistics.long_run import NO_VARIANCE
from engine.statistics.resampling import COUNTED, check_draws, counts_of, summable, too_few_blocks
from engine.statistics.sharpe import ratios

FEWEST = 10  # rows that four moments, an autoregression and a correction by T - 4 can be asked of
FEW = 30
NO_ERROR = "the standard error of the difference vanishes"
LARGEST_SINGULAR_VALUE = 0.97
TINY = 1e-300  # keeps a sum of squares that is zero from being divided by
FIRST, SECOND = np.triu_indices(4)  # of the products of four moments


@dataclass(frozen=True)
class SharpeDifference:
    """Difference of two Sharpe ratios per period, and the probabilities of one as large without cause.

    Attributes
    ----------
    value : float
        First minus second; NaN with ``reason``, or a p-value is.
    first, second : float
    standard_error, p_value, bandwidth : float
        Without prewhitening; the p-value is two-sided.
    prewhitened_standard_error, prewhitened_p_value : float
    observations : int
    note : str or None
        What to tell a reader of numbers that are defined.
    """

    value: float
    first: float
    second: float
    standard_error: float
    p_value: float
    bandwidth: float
    prewhitened_standard_error: float
    prewhitened_p_value: float
    observations: int
    reason: str | None = None
    note: str | None = None


def sharpe_difference(returns: ArrayLike, benchmark: ArrayLike) -> SharpeDifference:
    """Compare the Sharpe ratios of two (T,) series of the same dates.

    Rows with NaN in either are dropped. Proportional series differ by 0 with p = 1. NaN with a reason for
    fewer than ten rows or a series that does not vary; a note below thirty. Source: Ledoit and Wolf (2008).
    """
    pair = np.column_stack(known(returns, benchmark))
    reason = _unfit(pair)
    if reason is not None:
        nan = math.nan
        return SharpeDifference(nan, nan, nan, nan, nan, nan, nan, nan, len(pair), reason)
    first, second = ratios(pair, axis=0).tolist()
    delta = first - second
    plain, bandwidth = _standard_error(pair, prewhiten=False)
    white, _ = _standard_error(pair, prewhiten=True)
    return SharpeDifference(
        value=delta,
        first=first,
        second=second,
        standard_error=plain,
        p_value=_p_value(delta, plain),
        bandwidth=bandwidth,
        prewhitened_standard_error=white,
        prewhitened_p_value=_p_value(delta, white),
        observations=len(pair),
        reason=None if min(plain, white) > NO_VARIATION or abs(delta) <= NO_VARIATION else NO_ERROR,
        note=f"fewer than {FEW} rows" if len(pair) < FEW else None,
    )


def sharpe_difference_bootstrap(
    returns: ArrayLike, benchmark: ArrayLike, *, block: int, seed: int, resamples: int = 4999
) -> Estimate:
    """Return the two-sided p-value of equal Sharpe ratios, from resamples in circular blocks.

    ``(1 + #{d* >= d}) / (M + 1)`` with the studentised difference d; resamples without a standard error are
    dropped. Report blocks of 1, 5 and 10. Rows with NaN in either series are dropped; NaN with a reason for
    fewer than ten rows, fewer than four blocks, or a series that does not vary. Source: Ledoit and Wolf
    (2008).
    """
    return sharpe_difference_bootstraps([(returns, benchmark)], block=block, seed=seed, resamples=resamples)[
        0
    ]


def sharpe_difference_bootstraps(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]], *, block: int, seed: int, resamples: int = 4999
) -> list[Estimate]:
    """Return the same of several pairs of series; those of equally many rows share their draws."""
    check_draws(resamples, seed)
    check_at_least("the block length", block, 1)
    tests = [_Tested(np.column_stack(known(*pair)), block) for pair in pairs]
    for rows in dict.fromkeys(test.rows for test in tests if test.said is None):
        sharing = [test for test in tests if test.rows == rows and test.said is None]
        moments = np.hstack([test.moments for test in sharing])
        random, blocks = np.random.default_rng(seed), rows // block
        for start in range(0, resamples, COUNTED):
            starts = random.integers(0, rows, size=(min(COUNTED, resamples - start), blocks))
            means = counts_of(starts, rows).astype(np.float64) @ moments / blocks
            for test, own in zip(sharing, np.split(means, len(sharing), axis=1), strict=True):
                test.add(own)
    return [test.estimate() for test in tests]


class _Tested:
    """A pair (T, 2) under test: its difference, and how many resamples had one as large."""

    def __init__(self, pair: Floats, block: int) -> None:
        self.rows, self._block, self._used, self._as_large = len(pair), block, 0, 0
        self.said = self._at_once(pair)
        if self.said is None:
            around = np.concatenate([self._pair, self._pair[: block - 1]])
            running = np.lib.stride_tricks.sliding_window_view(np.hstack([around, around**2]), block, axis=0)
            sums = running.sum(axis=2)  # (T, 4): of each block by its first row
            self._middle = sums.mean(axis=0)
            apart = sums - self._middle
            products = apart[:, FIRST] * apart[:, SECOND]
            self.moments = summable(np.hstack([apart, products]), self.rows)  # (T, 14)

    def _at_once(self, pair: Floats) -> Estimate | None:
        """Return what is known without a resample; None where it takes some."""
        reason = _unfit(pair) or too_few_blocks(self._block, len(pair))
        if reason is not None:
            return undefined(reason)
        self._error, _ = _standard_error(pair, prewhiten=True)
        # units of one standard deviation, so that no threshold depends on the scale of the returns
        self._pair = pair / pair.std(axis=0, ddof=1)
        first, second = self._pair.mean(axis=0).tolist()
        self._delta = first - second
        if abs(self._delta) <= NO_VARIATION:
            return Estimate(1.0)
        return undefined(NO_ERROR) if self._error <= NO_VARIATION else None

    def add(self, means: Floats) -> None:
        """Count resamples by the means of the ``moments`` over their blocks, (K, 14)."""
        sums, products = means[:, :4], means[:, 4:]
        covariances = np.empty((len(means), 4, 4))
        covariances[:, FIRST, SECOND] = products - sums[:, FIRST] * sums[:, SECOND]
        covariances[:, SECOND, FIRST] = covariances[:, FIRST, SECOND]
        distances = _distances(self._middle + sums, covariances, self._block, self.rows, self._delta)
        self._used += int(np.isfinite(distances).sum())
        self._as_large += int(np.sum(distances >= abs(self._delta) / self._error))

    def estimate(self) -> Estimate:
        """Return the p-value."""
        if self.said is not None:
            return self.said
        return Estimate((1.0 + self._as_large) / (self._used + 1.0)) if self._used else undefined(NO_ERROR)


def _distances(sums: Floats, covariances: Floats, block: int, rows: int, delta: float) -> Floats:
    """Return how far each resample lies from ``delta``, studentised, (K,); NaN for one without an error.

    It is known by the means (K, 4) and the covariances (K, 4, 4) of the sums of its blocks.
    """
    moments = sums / block
    means, squares = moments[:, :2], moments[:, 2:]
    variances = squares - means**2
    flat = (variances <= NO_VARIATION).any(axis=1)
    variances[flat] = 1.0
    drawn = rows // block * block
    ratios = means / np.sqrt(variances * drawn / (drawn - 1.0))
    gradients = _gradient(means, squares, variances)
    parts = gradients[:, :, np.newaxis] * gradients[:, np.newaxis, :] * covariances
    # What is left of parts that cancel each other out is rounding.
    spread = np.maximum(parts.sum(axis=(1, 2)), 0.0)
    flat |= spread <= NO_VARIATION * np.trace(parts, axis1=1, axis2=2)
    errors = np.sqrt(np.where(flat, np.nan, spread) / (block * rows))
    distances: Floats = np.abs(ratios[:, 0] - ratios[:, 1] - delta) / errors
    return distances


def _gradient(means: Floats, squares: Floats, variances: Floats) -> Floats:
    """Return the derivatives by (mean, mean, mean square, mean square); (..., 2) in, (..., 4) out."""
    cubed = variances * np.sqrt(variances)
    sign = np.array([1.0, -1.0])
    return np.concatenate([sign * squares / cubed, -0.5 * sign * means / cubed], axis=-1)


def _standard_error(pair: Floats, prewhiten: bool) -> tuple[float, float]:
    """Return the standard error of the difference of two columns, and the bandwidth."""
    means, squares = pair.mean(axis=0), np.mean(pair**2, axis=0)
    moments = np.hstack([pair - means, pair**2 - squares])
    covariance, bandwidth = _long_run_covariance(moments, prewhiten)
    gradient = _gradient(means, squares, squares - means**2)
    variance = float(np.sum(np.outer(gradient, gradient) * covariance)) / len(pair)
    return (math.sqrt(variance) if variance > NO_VARIANCE else 0.0), bandwidth


def _long_run_covariance(moments: Floats, prewhiten: bool) -> tuple[Floats, float]:
    """Return the long-run covariance (K, K) of the columns of (T, K), and the bandwidth."""
    if not prewhiten:
        return _parzen(moments)
    before, after = moments[:-1], moments[1:]
    # rows of the solution are regressors; the autoregression multiplies from the left
    left, singular, right = singular_values(least_squares(before, after).T)
    coefficients = product(left * np.minimum(singular, LARGEST_SINGULAR_VALUE), right.T)
    covariance, bandwidth = _parzen(after - product(before, coefficients.T))
    recolour = least_squares(np.eye(moments.shape[1]) - coefficients, np.eye(moments.shape[1]))
    return product(product(recolour, covariance), recolour.T), bandwidth


def _parzen(series: Floats) -> tuple[Floats, float]:
    rows, columns = series.shape
    bandwidth = 2.6614 * (_persistence(series) * rows) ** 0.2
    total = cross_products(series, series) / rows
    for lag in range(1, min(math.ceil(bandwidth), rows)):
        share = lag / bandwidth
        weight = 1.0 - 6.0 * share**2 + 6.0 * share**3 if share <= 0.5 else 2.0 * (1.0 - share) ** 3
        covariance = cross_products(series[lag:], series[:-lag]) / rows
        total = total + weight * (covariance + covariance.T)
    return total * rows / (rows - columns), bandwidth


def _persistence(series: Floats) -> float:
    """Return the α of Andrews (1991) for Parzen weights, from an autoregression of each column."""
    before, after = series[:-1], series[1:]
    before = before - before.mean(axis=0)
    after = after - after.mean(axis=0)
    slopes = np.sum(before * after, axis=0) / np.maximum(np.sum(before**2, axis=0), TINY)
    # a slope of one has no bandwidth: the sum below would be infinite
    slopes = np.clip(slopes, -LARGEST_SINGULAR_VALUE, LARGEST_SINGULAR_VALUE)
    variances = np.mean((after - slopes * before) ** 2, axis=0)
    away = fourth_powers(1.0 - slopes)
    above = np.sum(4.0 * slopes**2 * variances**2 / away**2)
    below = np.sum(variances**2 / away)
    return float(above / below) if below > 0.0 else 0.0


def _p_value(delta: float, error: float) -> float:
    if abs(delta) <= NO_VARIATION:
        return 1.0
    return two_sided_p(delta / error) if error > NO_VARIATION else math.nan


def _unfit(pair: Floats) -> str | None:
    if len(pair) < FEWEST:
        return f"it takes at least {FEWEST} rows"
    return "a series does not vary" if (pair.std(axis=0) <= NO_VARIATION).any() else None
