"""Metrics of an account from its equity, compiled: what a search ranks by.

The same definitions as the functions of ``engine.metrics``, most of which go through empyrical and take a
thousand times as long; a second definition of each is the price of that speed, and tests hold the two to each
other at 1e-9. Which metrics are here is declared in ``engine.metrics.declared``, and each is written to the
place that has its name. Undefined is NaN, never infinite.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.metrics.declared import METRICS
from engine.simulation.entries import Totals
from engine.statistics.estimate import NO_RETURN, NO_VARIATION

Floats = NDArray[np.float64]

COMPILED_METRICS = tuple(name for name, each in METRICS.items() if each.compiled)
"""The metrics in machine code: every set of a sweep has them, in this order."""

AT: Any = namedtuple("Places", COMPILED_METRICS)(*range(len(COMPILED_METRICS)))
"""The column of each, by name."""


def write_metrics(
    equity: Floats, initial_cash: float, benchmark: Floats, per_year: float, totals: Totals, out: Floats
) -> None:
    """Write ``COMPILED_METRICS`` of one account into ``out``.

    ``equity`` and ``benchmark`` (returns, NaN where there is none) are (D,), by session. A return of the
    benchmark behind a gap is that of the whole gap, and so is ours beside it. Where equity is not known
    throughout, nothing is.
    """
    sessions = len(equity)
    out[:] = np.nan
    # Quotients first, all at once, since a division at a time is slow; sums then run session by session.
    returns, falls = np.empty(sessions), np.empty(sessions)
    returns[0] = equity[0] / initial_cash - 1.0
    for row in range(1, sessions):
        returns[row] = equity[row] / equity[row - 1] - 1.0
    peak = initial_cash
    for row in range(sessions):
        peak = max(peak, equity[row])
        falls[row] = peak
    for row in range(sessions):
        falls[row] = equity[row] / falls[row] - 1.0
    mean = total = losses = gains = squared_losses = lowest = 0.0
    deepest = trough = troughs = squared_falls = 0.0
    compared, falls_ended, our_mean, their_mean = 0, 0, 0.0, 0.0
    begin, end = 0, 0
    for row in range(sessions):
        value, fall = returns[row], falls[row]
        if not math.isnan(benchmark[row]):
            ours = value
            if compared == 0:
                begin = row
            elif end < row - 1:
                ours = equity[row] / equity[end] - 1.0
            compared += 1
            our_mean += ours
            their_mean += benchmark[row]
            end = row
        mean += value
        total += equity[row]
        # Zeros add nothing, and no processor has to guess which way a session went.
        loss = value if value < 0.0 else 0.0
        losses -= loss
        squared_losses += loss * loss
        lowest = min(lowest, loss)
        gains += 0.0 if value < 0.0 else value
        deepest = min(deepest, fall)
        squared_falls += fall * fall
        if fall < -NO_VARIATION:
            trough = min(trough, fall)
        elif trough < 0.0:
            troughs += trough
            falls_ended += 1
            trough = 0.0
    if math.isnan(total):
        return
    mean /= sessions
    second = third = fourth = 0.0
    covariance = variance = excess = excess_square = 0.0
    if compared > 0:
        our_mean /= compared
        their_mean /= compared
    excess_mean = our_mean - their_mean
    since = begin
    for row in range(sessions):
        value = returns[row]
        centred = value - mean
        square = centred * centred
        second += square
        third += square * centred
        fourth += square * square
        if not math.isnan(benchmark[row]):
            theirs = benchmark[row] - their_mean
            ours = value
            if since < row - 1:
                ours = equity[row] / equity[since] - 1.0
            since = row
            covariance += theirs * (ours - our_mean)
            variance += theirs * theirs
            excess = ours - benchmark[row] - excess_mean
            excess_square += excess * excess
    root = math.sqrt(per_year)
    growth = equity[sessions - 1] / initial_cash
    annual_return = growth ** (per_year / sessions) - 1.0
    varies = sessions > 1 and math.sqrt(second / sessions) >= NO_VARIATION
    out[AT.cum_returns_final] = growth - 1.0
    out[AT.annual_return] = annual_return
    if sessions > 1:
        out[AT.annual_volatility] = math.sqrt(second / (sessions - 1)) * root
    if varies:
        out[AT.sharpe_ratio] = mean / math.sqrt(second / (sessions - 1)) * root
        out[AT.skew] = (third / sessions) / (second / sessions) ** 1.5
        out[AT.kurtosis] = (fourth / sessions) / (second / sessions) ** 2 - 3.0
    if lowest < -NO_RETURN and sessions > 1:
        out[AT.sortino_ratio] = mean * per_year / (math.sqrt(squared_losses / sessions) * root)
        out[AT.calmar_ratio] = annual_return / abs(deepest)
        out[AT.omega_ratio] = gains / losses
    out[AT.max_drawdown] = deepest
    if trough < 0.0:
        troughs += trough
        falls_ended += 1
    if falls_ended > 0:
        out[AT.average_drawdown] = troughs / falls_ended
    out[AT.ulcer_index] = math.sqrt(squared_falls / sessions)
    if compared > 1:
        pairs_per_year = per_year * (compared / (end - begin + 1))
        if math.sqrt(variance / compared) >= NO_VARIATION:
            beta = covariance / variance
            out[AT.alpha] = (1.0 + (our_mean - beta * their_mean)) ** pairs_per_year - 1.0
            out[AT.beta] = beta
        if math.sqrt(excess_square / compared) >= NO_VARIATION:
            deviation = math.sqrt(excess_square / (compared - 1))
            out[AT.information_ratio] = excess_mean / deviation * math.sqrt(pairs_per_year)
    out[AT.exposure] = totals.exposure
    out[AT.turnover] = 0.5 * totals.traded / (total / sessions) / (sessions / per_year)
    out[AT.costs] = totals.costs
    gross = equity[sessions - 1] - initial_cash + totals.costs
    if gross > totals.costs:
        out[AT.cost_share] = totals.costs / gross
    out[AT.fills] = totals.fills
    out[AT.rejections] = totals.rejections
    for place in range(len(out)):
        if math.isinf(out[place]):
            out[place] = np.nan
