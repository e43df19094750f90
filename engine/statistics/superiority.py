"""Whether the best of many trials beats a benchmark, allowing for the search, and which trials do.

1. A differential is the performance of a trial minus the benchmark's, per period; positive is better.
2. One set of resamples (stationary bootstrap) serves all tests.
3. Superior predictive ability: the largest mean, each over its long-run standard error, so that a volatile
   trial neither hides nor fakes a good one, against the largest of the resampled ones, with three ways to
   recentre. Hansen (2005). arch computes the errors but divides nothing by them, so the test is here; its
   draws are arch's.
4. Stepwise: the trials that the maximum seldom reaches leave, the maximum is taken again over those that
   remain, on the same draws, until none leaves. Romano and Wolf (2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.statistics.estimate import (
    NO_VARIATION,
    Floats,
    check_share,
    known_matrix,
)
from engine.statistics.long_run import bootstrap_variances
from engine.statistics.resampling import (
    check_draws,
    counted,
    means_of_counts,
    resampled_p_value,
    too_few_blocks,
)


@dataclass(frozen=True)
class Superiority:
    """Tests of a set of trials against one benchmark.

    Attributes
    ----------
    p_value, p_lower, p_upper : float
        Superior predictive ability: consistent, and its bounds. Never 0; 1 if no trial is ahead; NaN with
        ``reason``.
    statistic : float
        Largest studentised mean, at least 0.
    best : int or None
        Column of the largest studentised mean.
    survivors : tuple of int
        Columns that beat the benchmark with a family-wise error of ``level``.
    excluded : tuple of int
        Columns whose differential does not vary: no test of them is possible.
    simulated : (resamples,) array
        The maxima that the (consistent) statistic was held against.
    studentised : (N,) array
        Means over their long-run standard errors; NaN for those excluded.
    observations, resamples : int
    block, level : float
    """

    p_value: float
    p_lower: float
    p_upper: float
    statistic: float
    best: int | None
    survivors: tuple[int, ...]
    excluded: tuple[int, ...]
    simulated: Floats
    studentised: Floats
    observations: int
    resamples: int
    block: float
    level: float
    reason: str | None = None


def superiority(
    differentials: ArrayLike,
    *,
    block: float,
    seed: int,
    resamples: int = 1000,
    level: float = 0.05,
    resampled: Floats | None = None,
    bounds: bool = True,
) -> Superiority:
    """Test whether any trial beats the benchmark, given differentials (T, N), one column a trial.

    Parameters
    ----------
    differentials : (T, N) array
        Return of each trial minus the benchmark's, per period. Rows with NaN are dropped.
    block : float
        Mean block length of the resamples, from ``optimal_block``. UsageError below 1.
    seed : int
        The same seed gives the same bits.
    resamples : int
        At least 1,000 are needed for a report's third digit.
    level : float
        Family-wise error of ``survivors``.
    resampled : (resamples, N) array, optional
        What ``means_of_counts`` gives for the draws of these rows, block, number and seed, if it is at hand.
    bounds : bool
        Whether ``p_lower`` and ``p_upper`` are wanted; NaN otherwise.

    Fewer than four blocks or no column that varies: NaN with a reason. Sources: see the module.
    """
    values = known_matrix(differentials, "differentials")
    check_draws(resamples, seed)
    check_share("the level", level)
    reason = too_few_blocks(block, len(values))
    if reason is not None:
        return _untested(values, block, level, reason)
    if resampled is None:
        resampled = means_of_counts(values, counted(len(values), block, resamples, seed))
    return superiority_of_means(values, resampled, block, level, bounds=bounds)


def superiority_of_means(
    differentials: Floats,
    resampled: Floats,
    block: float,
    level: float = 0.05,
    *,
    bounds: bool = True,
) -> Superiority:
    """Do the tests of ``superiority`` on the means over given draws, however few blocks they have."""
    spread = differentials.std(axis=0)
    varying = spread > NO_VARIATION
    columns = np.flatnonzero(varying)
    rows = len(differentials)
    if rows < 3 or not len(columns):
        reason = "it takes at least three rows" if rows < 3 else "no trial differs from the benchmark"
        return _untested(differentials, block, level, reason)
    used = differentials
    if not varying.all():
        used, resampled, spread = used[:, columns], resampled[:, columns], spread[columns]
    means = used.mean(axis=0)
    errors = np.sqrt(bootstrap_variances(used, block) / rows)
    # dependence that cancels itself out leaves an error of zero, up to rounding: such a column has no scale
    errors = np.maximum(errors, NO_VARIATION * spread)

    studentised = np.full(len(varying), np.nan)
    studentised[columns] = ratios = means / errors
    statistic = max(0.0, float(ratios.max()))
    close = ratios >= -math.sqrt(2.0 * math.log(math.log(rows)))
    recentred = np.where(close, ratios, 0.0)
    scaled = resampled / errors
    maxima = _maxima(scaled, recentred)

    def p_value(maxima: Floats) -> float:
        return 1.0 if statistic <= 0.0 else resampled_p_value(maxima, statistic)

    return Superiority(
        p_value=p_value(maxima),
        p_lower=p_value(_maxima(scaled, np.maximum(ratios, 0.0))) if bounds else math.nan,
        p_upper=p_value(_maxima(scaled, ratios)) if bounds else math.nan,
        statistic=statistic,
        best=int(columns[int(np.argmax(ratios))]),
        survivors=tuple(columns[_stepwise(ratios, scaled, recentred, maxima, level)].tolist()),
        excluded=tuple(np.flatnonzero(~varying).tolist()),
        simulated=maxima,
        studentised=studentised,
        observations=rows,
        resamples=len(resampled),
        block=block,
        level=level,
    )


def first_step(studentised: Floats, maxima: Floats, level: float) -> NDArray[np.bool_]:
    """Return which columns the ``maxima`` over all of them, (resamples,), reject, the best of them first.

    Counted as in the p-value, so that the best survives exactly if its p-value is within the level.
    """
    ordered = np.sort(maxima)
    as_extreme = len(ordered) - np.searchsorted(ordered, studentised, side="left")
    within = (1.0 + as_extreme) / (len(ordered) + 1.0) <= level
    return np.asarray(within & (studentised > 0.0))


def _maxima(scaled: Floats, centres: Floats) -> Floats:
    """Return the largest of each resample (B, N) around the centres (N,)."""
    return np.asarray((scaled - centres).max(axis=1), dtype=np.float64)


def _stepwise(
    studentised: Floats, scaled: Floats, centres: Floats, maxima: Floats, level: float
) -> NDArray[np.bool_]:
    """Return which columns are rejected in the end; ``maxima`` are those over all of them."""
    rejected = np.zeros(len(studentised), dtype=np.bool_)
    while True:
        more = first_step(studentised, maxima, level) & ~rejected
        rejected |= more
        if not more.any() or rejected.all():
            return rejected
        maxima = _maxima(scaled[:, ~rejected], centres[~rejected])


def _untested(values: Floats, block: float, level: float, reason: str) -> Superiority:
    nan = math.nan
    excluded = tuple(np.flatnonzero(values.std(axis=0) <= NO_VARIATION).tolist()) if len(values) else ()
    none, untold = np.empty(0), np.full(values.shape[1], nan)
    return Superiority(
        nan, nan, nan, nan, None, (), excluded, none, untold, len(values), 0, block, level, reason
    )
