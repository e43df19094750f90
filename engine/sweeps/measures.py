"""Metrics of an account from its equity, compiled: what a search ranks by.

The same definitions as ``engine.metrics``, which goes through empyrical and takes a thousand times as long;
the two agree to rounding, which tests hold them to. Undefined is NaN, never infinite.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.simulation.account import Totals

Floats = NDArray[np.float64]

MEASURES = (
    "cum_returns_final",
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "max_drawdown",
    "omega_ratio",
    "skew",
    "kurtosis",
    "alpha",
    "beta",
    "information_ratio",
    "exposure",
    "turnover",
    "costs",
    "cost_share",
    "fills",
    "rejections",
)
NO_VARIATION = 1e-12  # as in engine.metrics


def measure(
    equity: Floats, initial_cash: float, benchmark: Floats, per_year: float, totals: Totals, out: Floats
) -> None:
    """Write ``MEASURES`` of one account into ``out``.

    ``equity`` and ``benchmark`` (returns, NaN where there is none) are (D,), by session.
    """
    sessions = len(equity)
    out[:] = np.nan
    mean = total = losses = gains = squared_losses = 0.0
    peak, deepest, before = initial_cash, 0.0, initial_cash
    compared, our_mean, their_mean = 0, 0.0, 0.0
    for row in range(sessions):
        level = equity[row]
        value = level / before - 1.0
        before = level
        mean += value
        total += level
        if value < 0.0:
            losses -= value
            squared_losses += value * value
        else:
            gains += value
        if level > peak:
            peak = level
        fall = level / peak - 1.0
        if fall < deepest:
            deepest = fall
        if not math.isnan(benchmark[row]):
            compared += 1
            our_mean += value
            their_mean += benchmark[row]
    mean /= sessions
    second = third = fourth = 0.0
    covariance = variance = excess = excess_square = 0.0
    if compared > 0:
        our_mean /= compared
        their_mean /= compared
    excess_mean = our_mean - their_mean
    before = initial_cash
    for row in range(sessions):
        value = equity[row] / before - 1.0
        before = equity[row]
        centred = value - mean
        square = centred * centred
        second += square
        third += square * centred
        fourth += square * square
        if not math.isnan(benchmark[row]):
            theirs = benchmark[row] - their_mean
            covariance += theirs * (value - our_mean)
            variance += theirs * theirs
            excess = value - benchmark[row] - excess_mean
            excess_square += excess * excess
    root = math.sqrt(per_year)
    growth = equity[sessions - 1] / initial_cash
    annual_return = growth ** (per_year / sessions) - 1.0
    varies = sessions > 1 and math.sqrt(second / sessions) >= NO_VARIATION
    out[0] = growth - 1.0
    out[1] = annual_return
    if sessions > 1:
        out[2] = math.sqrt(second / (sessions - 1)) * root
    if varies:
        out[3] = mean / math.sqrt(second / (sessions - 1)) * root
        out[8] = (third / sessions) / (second / sessions) ** 1.5
        out[9] = (fourth / sessions) / (second / sessions) ** 2 - 3.0
    if losses > 0.0 and sessions > 1:
        out[4] = mean * per_year / (math.sqrt(squared_losses / sessions) * root)
        out[5] = annual_return / abs(deepest)
        out[7] = gains / losses
    out[6] = deepest
    if compared > 1:
        if math.sqrt(variance / compared) >= NO_VARIATION:
            beta = covariance / variance
            out[10] = (1.0 + (our_mean - beta * their_mean)) ** per_year - 1.0
            out[11] = beta
        if math.sqrt(excess_square / compared) >= NO_VARIATION:
            out[12] = excess_mean / math.sqrt(excess_square / (compared - 1)) * root
    out[13] = totals.exposure
    out[14] = 0.5 * totals.traded / (total / sessions) / (sessions / per_year)
    out[15] = totals.costs
    gross = equity[sessions - 1] - initial_cash + totals.costs
    if gross > 0.0:
        out[16] = totals.costs / gross
    out[17] = totals.fills
    out[18] = totals.rejections
    for place in range(len(out)):
        if math.isinf(out[place]):
            out[place] = np.nan
