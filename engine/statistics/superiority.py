"""Whether the best of many trials beats a benchmark, allowing for the search, and which trials do.

1. A differential is the performance of a trial minus the benchmark's, per period; positive is better.
2. One set of resamples (stationary bootstrap) serves all tests.
3. Superior predictive ability: the largest mean, each over its long-run standard error, so that a volatile
   trial neither hides nor fakes a good one, against the largest of the resampled ones, with three ways to
   recentre. Hansen (2005). arch computes the errors but divides nothing by them, so the test is here; its
   draws are arch's.
4. Stepwise: the trials that the maximum seldom reaches leave, the maximum is taken again over those that
   remain, on the same draws, until none leaves. Romano and Wolf (2005).
5. Many trials are tested some at a time: the largest of all is the largest of the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
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

FEWEST = 3  # rows
ROUNDING = 1e-8  # standard errors, by which a mean of resampled rows may be off


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
    tested, observations, resamples : int
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
    tested: int
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

    Fewer than four blocks or no column that varies: NaN with a reason. Sources: see the module.
    """
    values = known_matrix(differentials, "differentials")
    check_draws(resamples, seed)
    check_share("the level", level)
    reason = too_few_blocks(block, len(values))
    if reason is not None:
        return untested(values.shape, block, level, reason)
    counts = counted(len(values), block, resamples, seed)
    return superiority_of_means(values, means_of_counts(values, counts), block, level)


def superiority_of_means(
    differentials: Floats, resampled: Floats, block: float, level: float = 0.05
) -> Superiority:
    """Do the tests of ``superiority`` on the means (B, N) over given draws, however few blocks they have."""
    test = SuperiorityTest(block, level)
    test.add(differentials, resampled)
    return test.result(lambda draws: [(0, resampled[draws])])


class SuperiorityTest:
    """The tests of ``superiority`` on trials that come some at a time, side by side, on the same draws."""

    def __init__(self, block: float, level: float) -> None:
        self._block, self._level = block, level
        self._rows = self._resamples = self._columns = 0
        self._ratios: list[Floats] = []
        self._errors: list[Floats] = []
        self._largest = _Largest()
        self._bounds = _Largest(), _Largest()

    def add(self, differentials: Floats, resampled: Floats) -> None:
        """Take in differentials (T, k), known throughout, and their means over the draws, (B, k)."""
        self._rows, self._resamples = len(differentials), len(resampled)
        ratios, errors = np.full((2, differentials.shape[1]), np.nan)
        self._ratios.append(ratios)
        self._errors.append(errors)
        spread = differentials.std(axis=0)
        varying = spread > NO_VARIATION
        if self._rows >= FEWEST and varying.any():
            used = differentials if varying.all() else differentials[:, varying]
            found = np.sqrt(bootstrap_variances(used, self._block) / self._rows)
            # Dependence that cancels itself out leaves an error of zero, up to rounding: such a column has
            # no scale.
            errors[varying] = np.maximum(found, NO_VARIATION * spread[varying])
            ratios[varying] = used.mean(axis=0) / errors[varying]
            centres = (self._recentred(ratios), np.maximum(ratios, 0.0), ratios)
            for largest, centre in zip((self._largest, *self._bounds), centres, strict=True):
                largest.add(self._columns, resampled, errors, centre)
        self._columns += len(ratios)

    def result(self, again: Callable[[NDArray[np.bool_]], Iterable[tuple[int, Floats]]]) -> Superiority:
        """Return what came out.

        ``again`` yields, for some of the draws (B,), their means (b, k) part by part, each with its first
        column: where the largest of a draw was of a column that has left, it is looked for anew.
        """
        ratios, errors = np.concatenate(self._ratios), np.concatenate(self._errors)
        varying = ~np.isnan(ratios)
        if not varying.any():
            few = self._rows < FEWEST
            reason = "it takes at least three rows" if few else "no trial differs from the benchmark"
            excluded = () if few else tuple(range(len(ratios)))
            return untested((self._rows, len(ratios)), self._block, self._level, reason, excluded)
        statistic = max(0.0, float(np.nanmax(ratios)))
        simulated = self._largest.values
        centres = self._recentred(ratios)
        maxima, leaders = simulated.copy(), self._largest.columns.copy()
        rejected = more = _seldom_reached(ratios, maxima, self._level)
        while more.any() and not rejected[varying].all():
            draws = rejected[leaders]
            left = np.where(rejected, np.nan, errors)
            found = _Largest()
            for begin, resampled in again(draws) if draws.any() else ():
                part = slice(begin, begin + resampled.shape[1])
                found.add(begin, resampled, left[part], centres[part])
            if draws.any():
                maxima[draws], leaders[draws] = found.values, found.columns
            more = _seldom_reached(ratios, maxima, self._level) & ~rejected
            rejected = rejected | more
        consistent, lower, upper = (
            1.0 if statistic <= 0.0 else resampled_p_value(each, statistic - ROUNDING)
            for each in (simulated, *(bound.values for bound in self._bounds))
        )
        return Superiority(
            p_value=consistent,
            p_lower=lower,
            p_upper=upper,
            statistic=statistic,
            best=int(np.nanargmax(ratios)),
            survivors=tuple(np.flatnonzero(rejected).tolist()),
            excluded=tuple(np.flatnonzero(~varying).tolist()),
            simulated=simulated,
            tested=int(varying.sum()),
            observations=self._rows,
            resamples=self._resamples,
            block=self._block,
            level=self._level,
        )

    def _recentred(self, ratios: Floats) -> Floats:
        """Return the ratios (N,) that their resamples are moved by; 0 for those that are far behind."""
        return np.where(ratios >= -math.sqrt(2.0 * math.log(math.log(self._rows))), ratios, 0.0)


class _Largest:
    """The largest of each resample, (B,), over columns that come some at a time, and which column has it."""

    def __init__(self) -> None:
        self.values: Floats = np.empty(0)
        self.columns: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def add(self, begin: int, resampled: Floats, errors: Floats, centres: Floats) -> None:
        """Take in means (B, k) over their errors, around centres; columns whose error is NaN are left out."""
        used = np.flatnonzero(~np.isnan(errors))
        if not len(used):
            return
        if len(used) < len(errors):
            resampled, errors, centres = resampled[:, used], errors[used], centres[used]
        scaled = resampled / errors
        scaled -= centres
        places = scaled.argmax(axis=1)
        values = scaled[np.arange(len(scaled)), places]
        columns = begin + used[places]
        if len(self.values):
            larger = values > self.values
            values, columns = np.where(larger, values, self.values), np.where(larger, columns, self.columns)
        self.values, self.columns = values, columns


def _seldom_reached(studentised: Floats, maxima: Floats, level: float) -> NDArray[np.bool_]:
    """Return which of the columns (N,) the ``maxima`` (B,) seldom reach; none that is NaN.

    Counted as in the p-value, so that the best survives exactly if its p-value is within the level.
    """
    ordered = np.sort(maxima)
    as_extreme = len(ordered) - np.searchsorted(ordered, studentised - ROUNDING, side="left")
    within = (1.0 + as_extreme) / (len(ordered) + 1.0) <= level
    return np.asarray(within & (studentised > 0.0))


def untested(
    shape: tuple[int, ...], block: float, level: float, reason: str, excluded: tuple[int, ...] = ()
) -> Superiority:
    """Return no test of differentials of a shape (T, N), with the reason."""
    nan = math.nan
    return Superiority(
        nan, nan, nan, nan, None, (), excluded, np.empty(0), 0, shape[0], 0, block, level, reason
    )
