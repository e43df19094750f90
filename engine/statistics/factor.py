"""Diagnostics of a factor: whether its order of assets at a date foretells that of their later returns.

Everything takes (D, A) arrays, dates by assets: the factor as it was known, and the forward return from when
the factor can be traded on, over ``horizon`` dates. NaN is "not known"; an asset counts at a date if both
are.

1. Ranks within a date are averages over ties (``ranks``), for all dates at once.
2. ``rank_ic`` is their correlation; ``mean_summary`` its mean, with an error that allows for horizons that
   overlap.
3. ``quantile_returns`` and ``rank_weighted_returns`` are what sorting by the factor would have earned.
4. ``rank_autocorrelation``, ``quantile_turnover`` and ``coverage`` are how fast it changes, and how full it
   is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data.errors import UsageError
from engine.statistics.estimate import (
    NO_VARIATION,
    Estimate,
    Floats,
    Integers,
    check_at_least,
    undefined,
)
from engine.statistics.long_run import default_lags, mean_t_statistic

FEW_ASSETS = 10


def ranks(values: Floats) -> Floats:
    """Return the rank of each known value in its row, from 1, ties averaged; NaN where it is not known."""
    rows, columns = values.shape
    if not values.size:
        return np.full(values.shape, np.nan)
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(columns), values.shape)
    border = np.ones((rows, columns + 1), dtype=np.bool_)
    border[:, 1:-1] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(border[:, :-1], place, 0), axis=1)
    last = np.minimum.accumulate(np.where(border[:, 1:], place, columns)[:, ::-1], axis=1)[:, ::-1]
    result = np.empty(values.shape)
    np.put_along_axis(result, order, (first + last) / 2.0 + 1.0, axis=1)
    result[np.isnan(values)] = np.nan
    return result


def rank_ic(factor: ArrayLike, forward_returns: ArrayLike) -> Floats:
    """Return the Spearman correlation (D,) over assets of factor and forward return at each date.

    NaN with fewer than two assets that have both, or if either is the same for all of them. Source: Spearman
    (1904); Grinold and Kahn (2000) for its use.
    """
    known_factor, known_returns = _together(factor, forward_returns)
    return _row_correlation(ranks(known_factor), ranks(known_returns))


@dataclass(frozen=True)
class MeanSummary:
    """Mean of a series by date, such as the rank IC, and how sure it is.

    Attributes
    ----------
    mean, deviation : float
        The deviation has ddof 1.
    ratio : float
        Mean over deviation, per date (for an IC: the ICIR).
    hit_rate : float
        Share of dates above zero.
    t_statistic : float
        ``ratio * sqrt(dates)``: as if dates were independent, which overlapping horizons are not.
    robust_t_statistic : Estimate
        With the long-run variance of Newey and West over ``lags``; the one to judge by.
    dates, lags : int
    reason : str or None
        Why the figures are NaN.
    """

    mean: float
    deviation: float
    ratio: float
    hit_rate: float
    t_statistic: float
    robust_t_statistic: Estimate
    dates: int
    lags: int
    reason: str | None = None


def mean_summary(series: ArrayLike, horizon: int = 1, lags: int | None = None) -> MeanSummary:
    """Summarise a (D,) series by date whose values look ``horizon`` dates ahead.

    Dates with NaN are dropped. ``lags`` is by default the larger of ``horizon - 1`` and ``default_lags``;
    UsageError below ``horizon - 1``. NaN with a reason for fewer than three dates; the ratios are NaN if
    nothing varies. Source: Newey and West (1987).
    """
    check_at_least("the horizon", horizon, 1)
    values = np.asarray(series, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    count = len(values)
    used = max(horizon - 1, default_lags(count)) if lags is None else lags
    check_at_least("the number of lags", used, horizon - 1)
    if count < 3:
        reason, nan = "it takes at least three dates", math.nan
        return MeanSummary(nan, nan, nan, nan, nan, undefined(reason), count, used, reason)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    ratio = mean / deviation if deviation > NO_VARIATION else math.nan
    return MeanSummary(
        mean=mean,
        deviation=deviation,
        ratio=ratio,
        hit_rate=float(np.mean(values > 0.0)),
        t_statistic=ratio * math.sqrt(count),
        robust_t_statistic=mean_t_statistic(values, used),
        dates=count,
        lags=used,
        reason=None if math.isfinite(ratio) else "the values do not vary",
    )


@dataclass(frozen=True)
class QuantileReturns:
    """Forward returns of the assets sorted by a factor into equal groups, the lowest first.

    Attributes
    ----------
    by_date : (D, quantiles) array
        Mean forward return of each group; NaN at dates with fewer known assets than groups, and for a group
        that ties leave empty.
    means : (quantiles,) array
        Over the dates at which the group has a return; NaN if there is none.
    spread_by_date : (D,) array
        Top minus bottom: 200 % gross, long 1 and short 1. Half of it is what 100 % gross earns.
    spread : MeanSummary
    """

    by_date: Floats
    means: Floats
    spread_by_date: Floats
    spread: MeanSummary


def quantile_returns(
    factor: ArrayLike,
    forward_returns: ArrayLike,
    quantiles: int = 3,
    horizon: int = 1,
    lags: int | None = None,
) -> QuantileReturns:
    """Return mean forward returns of groups by the factor, and the spread of the top over the bottom.

    Terciles by default, as fits fewer than thirty assets. Equal factors fall into the same group.
    """
    known_factor, known_returns = _together(factor, forward_returns)
    groups = quantile_groups(known_factor, quantiles)
    by_date = np.full((len(groups), quantiles), np.nan)
    for group in range(quantiles):
        members = groups == group
        count = members.sum(axis=1)
        total = np.where(members, known_returns, 0.0).sum(axis=1)
        np.divide(total, count, out=by_date[:, group], where=count > 0)
    seen = np.isfinite(by_date)
    means = np.full(quantiles, np.nan)
    np.divide(np.where(seen, by_date, 0.0).sum(axis=0), seen.sum(axis=0), out=means, where=seen.any(axis=0))
    spread = by_date[:, -1] - by_date[:, 0]
    return QuantileReturns(by_date, means, spread, mean_summary(spread, horizon, lags))


def quantile_groups(factor: ArrayLike, quantiles: int) -> Integers:
    """Return the group of each asset at each date, 0 the lowest; -1 where it has none.

    ``floor(quantiles (rank - 1/2) / assets)``. Dates with fewer known assets than groups have none.
    """
    check_at_least("the number of quantiles", quantiles, 2)
    values = _table(factor)
    count = np.isfinite(values).sum(axis=1, keepdims=True)
    place = (ranks(values) - 0.5) * quantiles / np.maximum(count, 1)
    return np.where(np.isfinite(place) & (count >= quantiles), np.nan_to_num(place), -1.0).astype(np.int64)


def rank_weighted_returns(factor: ArrayLike, forward_returns: ArrayLike) -> Floats:
    """Return, for each date (D,), the forward return of holding assets by centred rank, 200 % gross.

    Positive weights add to 1, negative to -1; with few assets steadier than a spread of quantiles. NaN with
    fewer than two assets, or if all have one rank.
    """
    known_factor, known_returns = _together(factor, forward_returns)
    weights = np.nan_to_num(_centred(ranks(known_factor)))
    gross = np.abs(weights).sum(axis=1)
    result = np.full(len(weights), np.nan)
    earned = (weights * np.nan_to_num(known_returns)).sum(axis=1)
    np.divide(2.0 * earned, gross, out=result, where=gross > 0.0)
    return result


def rank_autocorrelation(factor: ArrayLike, lag: int = 1) -> Floats:
    """Return (D,) the rank correlation of the factor with itself ``lag`` dates before; NaN at the start."""
    values = _table(factor)
    check_at_least("the lag", lag, 1)
    result = np.full(len(values), np.nan)
    if lag < len(values):
        result[lag:] = rank_ic(values[lag:], values[:-lag])
    return result


def quantile_turnover(factor: ArrayLike, quantiles: int = 3, lag: int = 1) -> Floats:
    """Return (D, quantiles) the share of a group's members that were not in it ``lag`` dates before.

    NaN at the start, and where the group is empty at either date.
    """
    groups = quantile_groups(factor, quantiles)
    check_at_least("the lag", lag, 1)
    result = np.full((len(groups), quantiles), np.nan)
    for group in range(quantiles if lag < len(groups) else 0):
        now, before = groups[lag:] == group, groups[:-lag] == group
        count = now.sum(axis=1)
        defined = (count > 0) & before.any(axis=1)
        np.divide((now & ~before).sum(axis=1), count, out=result[lag:, group], where=defined)
    return result


def coverage(factor: ArrayLike, universe: ArrayLike | None = None) -> Floats:
    """Return (D,) the share of assets whose factor is known, of those in ``universe`` (D, A) of bool.

    By default of all columns. NaN at dates without an asset.
    """
    values = _table(factor)
    members = np.ones(values.shape, dtype=np.bool_) if universe is None else np.asarray(universe, np.bool_)
    _check_alike(values.shape, members.shape)
    count = members.sum(axis=1)
    result = np.full(len(values), np.nan)
    np.divide((np.isfinite(values) & members).sum(axis=1), count, out=result, where=count > 0)
    return result


def few_assets(factor: ArrayLike, forward_returns: ArrayLike) -> Estimate:
    """Return the median number of assets a date, with a reason for caution if it is below ten."""
    known_factor, _ = _together(factor, forward_returns)
    if not len(known_factor):
        return undefined("there is no date")
    middle = float(np.median(np.isfinite(known_factor).sum(axis=1)))
    return Estimate(middle, f"fewer than {FEW_ASSETS} assets a date" if middle < FEW_ASSETS else None)


def _table(values: ArrayLike) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2:
        raise UsageError("a factor is not a table", received=table.shape, limit="dates by assets")
    return np.where(np.isfinite(table), table, np.nan)


def _together(factor: ArrayLike, forward_returns: ArrayLike) -> tuple[Floats, Floats]:
    """Both tables, NaN wherever either is."""
    first, second = _table(factor), _table(forward_returns)
    _check_alike(first.shape, second.shape)
    unknown = np.isnan(first) | np.isnan(second)
    return np.where(unknown, np.nan, first), np.where(unknown, np.nan, second)


def _check_alike(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    if first != second:
        raise UsageError("tables of different shapes", received=f"{first} and {second}", limit="equal shapes")


def _centred(table: Floats) -> Floats:
    """Each row less the mean of its known values."""
    count = np.maximum(np.isfinite(table).sum(axis=1, keepdims=True), 1)
    result: Floats = table - np.nan_to_num(table).sum(axis=1, keepdims=True) / count
    return result


def _row_correlation(first: Floats, second: Floats) -> Floats:
    one, two = np.nan_to_num(_centred(first)), np.nan_to_num(_centred(second))
    scale = np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1))
    result = np.full(len(first), np.nan)
    np.divide((one * two).sum(axis=1), scale, out=result, where=scale > 0.0)
    return result
