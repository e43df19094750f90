"""Block-bootstrap intervals of the Sharpe ratio, of any paired statistic, and the spread of drawdowns.

1. A history of fewer than four mean blocks is not resampled: the result is NaN with a reason.
2. Strategy and benchmark are drawn in the same rows, so that what they share stays shared.
3. Resamples without a defined statistic are dropped, and counted.

The draws are arch's stationary bootstrap (Politis and Romano 1994); the intervals are computed here, since
arch stops at a resample without variation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data.numeric.arithmetic import cubes
from engine.statistics.estimate import (
    Floats,
    check_at_least,
    check_share,
    known,
    known_matrix,
    normal_cdf,
    normal_quantile,
)
from engine.statistics.paths import largest_drawdown
from engine.statistics.resampling import CELLS, check_draws, drawn, stationary_draws, too_few_blocks
from engine.statistics.sharpe import FLAT, ratios

Statistic = Callable[[Floats], Floats]
"""Takes resamples (n, rows, K), returns a number of each, (n,); NaN where it is undefined."""


@dataclass(frozen=True)
class Interval:
    """A statistic and its bootstrap intervals.

    Attributes
    ----------
    value : float
        Of the history itself; NaN with ``reason``.
    percentile : (float, float)
        Quantiles of the resamples.
    bca : (float, float)
        Bias-corrected and accelerated; NaN with ``bca_reason``.
    level : float
    block : float
    resampled : array
        The statistic of each resample that has one.
    dropped : int
        Resamples without one.
    """

    value: float
    percentile: tuple[float, float]
    bca: tuple[float, float]
    level: float
    block: float
    resampled: Floats
    dropped: int = 0
    reason: str | None = None
    bca_reason: str | None = None


def sharpe_interval(
    returns: ArrayLike, *, block: float, seed: int, resamples: int = 5000, level: float = 0.95
) -> Interval:
    """Return bootstrap intervals of the Sharpe ratio per period of a (T,) series.

    Rows with NaN are dropped. NaN with a reason for fewer than four blocks, or returns that do not vary.
    Sources: Politis and Romano (1994); Efron (1987) for BCa.
    """
    (values,) = known(returns)
    return statistic_interval(
        values.reshape(-1, 1),
        lambda drawn: ratios(drawn[:, :, 0], axis=1),
        block=block,
        seed=seed,
        resamples=resamples,
        level=level,
    )


def sharpe_difference_interval(
    returns: ArrayLike,
    benchmark: ArrayLike,
    *,
    block: float,
    seed: int,
    resamples: int = 5000,
    level: float = 0.95,
) -> Interval:
    """Return bootstrap intervals of the difference of two Sharpe ratios per period, dates drawn together.

    Rows with NaN in either series are dropped. For a test of no difference see ``difference``.
    """
    ours, theirs = known(returns, benchmark)
    return statistic_interval(
        np.column_stack([ours, theirs]),
        lambda drawn: ratios(drawn[:, :, 0], axis=1) - ratios(drawn[:, :, 1], axis=1),
        block=block,
        seed=seed,
        resamples=resamples,
        level=level,
    )


def statistic_interval(
    series: ArrayLike,
    statistic: Statistic,
    *,
    block: float,
    seed: int,
    resamples: int = 5000,
    level: float = 0.95,
) -> Interval:
    """Return bootstrap intervals of any statistic of the columns of (T, K), whose rows are drawn together."""
    values = known_matrix(series, "series to resample")
    check_draws(resamples, seed)
    check_share("the level", level)
    reason = too_few_blocks(block, len(values))
    value = math.nan if reason else float(statistic(values[np.newaxis])[0])
    if reason is None and not math.isfinite(value):
        reason = FLAT
    if reason is not None:
        nowhere = (math.nan, math.nan)
        return Interval(math.nan, nowhere, nowhere, level, block, np.empty(0), 0, reason, reason)
    size = max(1, CELLS // max(values.size, 1))
    draws = drawn(len(values), block, resamples, seed, size)
    resampled = np.concatenate([statistic(values[some]) for some in draws])
    return interval_of(values, statistic, resampled, block, level)


def interval_of(
    values: Floats, statistic: Statistic, resampled: Floats, block: float, level: float = 0.95
) -> Interval:
    """Return the intervals of a statistic of (T, K), given its value in each resample (NaN: undefined)."""
    value = float(statistic(values[np.newaxis])[0])
    kept = resampled[np.isfinite(resampled)]
    dropped = len(resampled) - len(kept)
    nowhere = (math.nan, math.nan)
    if not len(kept):
        reason = "no resample has the statistic"
        return Interval(value, nowhere, nowhere, level, block, kept, dropped, reason, reason)
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    bca, bca_reason = _bca_tails(values, statistic, float(np.mean(kept < value)), tails)
    return Interval(
        value=value,
        percentile=_between(kept, tails),
        bca=nowhere if bca is None else _between(kept, bca),
        level=level,
        block=block,
        resampled=kept,
        dropped=dropped,
        bca_reason=bca_reason,
    )


def _bca_tails(
    values: Floats, statistic: Statistic, share_below: float, tails: tuple[float, float]
) -> tuple[tuple[float, float] | None, str | None]:
    """Shares of the resamples at which the corrected interval starts and ends, or why there are none."""
    if not 0.0 < share_below < 1.0:
        return None, "all resamples are on one side of the statistic"
    rows, size = np.arange(len(values)), max(1, CELLS // max(values.size, 1))
    without = np.concatenate(
        [
            statistic(values[[np.delete(rows, row) for row in rows[start : start + size]]])
            for start in range(0, len(rows), size)
        ]
    )
    pulls = without.mean() - without
    scale = float(np.sum(pulls**2)) ** 1.5
    if not math.isfinite(scale):
        return None, "the statistic is undefined without one of the rows"
    acceleration = float(np.sum(cubes(pulls))) / (6.0 * scale) if scale > 0.0 else 0.0
    bias = normal_quantile(share_below)
    shares = []
    for tail in tails:
        z = bias + normal_quantile(tail)
        if not acceleration * z < 1.0:
            return None, "the acceleration is too large for the correction"
        shares.append(normal_cdf(bias + z / (1.0 - acceleration * z)))
    return (shares[0], shares[1]), None


def _between(values: Floats, shares: tuple[float, float]) -> tuple[float, float]:
    low, high = np.quantile(values, shares)
    return float(low), float(high)


@dataclass(frozen=True)
class DrawdownPaths:
    """Largest drawdowns of resampled histories: outcomes of paths, not an interval for a parameter.

    Attributes
    ----------
    observed : float
        Of the history itself, over all of its rows; negative or 0.
    quantiles : mapping of float to float
        Share of the paths -> largest drawdown that it is below; the deepest come first.
    paths : (resamples,) array
    horizon : int
        Rows of a path.
    block : float
    """

    observed: float
    quantiles: dict[float, float]
    paths: Floats
    horizon: int
    block: float
    reason: str | None = None


def drawdown_paths(
    returns: ArrayLike,
    *,
    block: float,
    seed: int,
    resamples: int = 1000,
    shares: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
    horizon: int | None = None,
) -> DrawdownPaths:
    """Return the distribution of the largest drawdown under resampled history of a (T,) series.

    A path starts with a wealth of 1, so a loss in its first row counts. ``horizon`` is the number of rows of
    a path, by default T. Rows with NaN are dropped; NaN with a reason for fewer than four blocks.
    """
    (values,) = known(returns)
    check_draws(resamples, seed)
    for share in shares:
        check_share("a share of paths", share)
    length = len(values) if horizon is None else horizon
    check_at_least("the horizon", length, 1 if horizon is not None else 0)
    reason = too_few_blocks(block, len(values))
    if reason is not None:
        unknown = dict.fromkeys(shares, math.nan)
        return DrawdownPaths(math.nan, unknown, np.empty(0), length, block, reason)
    joined = math.ceil(length / len(values))  # draws that one path is put together from
    draws = stationary_draws(len(values), block, resamples * joined, seed)
    paths = np.array(
        [
            largest_drawdown(values[np.concatenate(rows)[:length]])
            for rows in zip(*[draws] * joined, strict=True)
        ]
    )
    quantiles = {share: float(np.quantile(paths, share)) for share in shares}
    return DrawdownPaths(largest_drawdown(values), quantiles, paths, length, block)
