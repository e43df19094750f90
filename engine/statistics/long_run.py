"""Long-run variance: of a series with Bartlett weights, and the one that a stationary bootstrap implies.

The second is a sum over all lags, in one walk over the rows, for many columns at once. Both add products in a
fixed order, so that their bits are the same on every processor: a covariance from a library of linear algebra
is not.
"""

from __future__ import annotations

import math

import numpy as np

from data.numeric.compiled import compiled, frozen, loaded
from engine.statistics.estimate import NO_VARIATION, Estimate, Floats, check_at_least, undefined
from engine.statistics.linear import inner

NO_VARIANCE = NO_VARIATION**2


def default_lags(observations: int) -> int:
    """Return ``floor(4 (T/100)^(2/9))``, the lags of Newey and West (1994)."""
    return int(4.0 * (observations / 100.0) ** (2.0 / 9.0))


def bartlett_variance(series: Floats, lags: int) -> float:
    """Return the long-run variance of a (T,) series, T >= 1, around its mean, with Bartlett weights.

    ``c_0 + 2 Σ (1 - k/(L+1)) c_k`` for k = 1..L, each ``c_k`` divided by T; L is at most T - 1.
    Source: Newey and West (1987).
    """
    check_at_least("the number of lags", lags, 0)
    return bartlett_sum(series - series.mean(), min(lags, len(series) - 1)) / len(series)


def bartlett_sum(values: Floats, lags: int) -> float:
    """Return ``C_0 + 2 Σ (1 - k/(L+1)) C_k`` for k = 1..L, ``C_k = Σ_t x_t x_{t-k}``, of a (T,) series x."""
    total = inner(values, values)
    for lag in range(1, min(lags, len(values) - 1) + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * inner(values[lag:], values[:-lag])
    return total


def mean_t_statistic(series: Floats, lags: int) -> Estimate:
    """Return the t statistic of the mean of a (T,) series, with the long-run variance of Newey and West.

    NaN with fewer than three rows or no variation.
    """
    if len(series) < 3:
        return undefined("it takes at least three values")
    variance = bartlett_variance(series, lags)
    if not variance > NO_VARIANCE:
        return undefined("the values do not vary")
    return Estimate(float(series.mean()) / math.sqrt(variance / len(series)))


def bootstrap_variances(matrix: Floats, block: float) -> Floats:
    """Return, for each column of (T, N), T times the variance of the mean under the stationary bootstrap.

    ``c_0 + 2 Σ κ_i c_i`` with ``κ_i = (1 - i/T)(1-q)^i + (i/T)(1-q)^(T-i)`` and mean block 1/q, in squared
    units of the input. Source: Politis and Romano (1994).

    The lags i and T - i together are lag i around the end, so that this is ``c_0 + 2 Σ (1 - i/T)(1-q)^i C_i``
    with C of the rows in a circle; and the sums of the rows before a row, weighted with ``(1-q)^i`` and with
    ``i (1-q)^i``, follow from those of the row before it.
    """
    rows = len(matrix)
    keep = 1.0 - 1.0 / block
    around = keep**rows
    centred = np.ascontiguousarray(matrix - matrix.mean(axis=0))
    back = np.arange(rows)[::-1, np.newaxis]
    weights = np.array([keep**lag for lag in range(rows)])[::-1, np.newaxis]
    sums = (weights * centred).sum(axis=0)  # of the last row, which is before the first
    slopes = (back * weights * centred).sum(axis=0)
    total = np.zeros(matrix.shape[1])
    walk = compiled(walk_rows) if loaded() else walk_rows
    walk(frozen(centred), keep, around, sums, slopes, total)
    return np.asarray(np.maximum(total / rows, 0.0), dtype=np.float64)


def walk_rows(
    centred: Floats, keep: float, around: float, sums: Floats, slopes: Floats, total: Floats
) -> None:
    """Add what each row of (T, N) gives with those before it to ``total`` (N,), in numpy or machine code."""
    rows = len(centred)
    for row in centred:
        slopes[:] = keep * (slopes + sums) - rows * around * row
        sums[:] = keep * sums + (1.0 - around) * row
        total += row * (2.0 * (sums - slopes / rows) - row)
