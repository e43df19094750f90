"""Cross-sections of scores and of later returns, session by session, and their summaries at one horizon.

Sums over the funds of a family are exactly rounded, so that the order of the funds does not show. A summary
without a single session says why: the data end too early, too few funds, or scores that are all the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.factors.families import NO_FAMILY, sisters
from engine.factors.forward import Forward
from engine.statistics.estimate import Estimate, undefined
from engine.statistics.factor import (
    MeanSummary,
    few_assets,
    mean_summary,
    quantile_returns,
    quantile_turnover,
    rank_autocorrelation,
    rank_ic,
    rank_weighted_returns,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Horizon:
    """What the scores say about the returns of the next so many sessions.

    Attributes
    ----------
    sessions : int
        From the fill point of the score's session to that of so many sessions later.
    ic : MeanSummary
        Of the rank IC; its errors allow for horizons that overlap.
    ic_by_date : (D,) array
        NaN where the session has none, as in the last ``sessions`` rows.
    decay : MeanSummary
        Rank IC with the returns since ``decay_after`` sessions only, the horizon before this one: what a
        score still says once that one is over.
    decay_after : int
    quantile_means : (quantiles,) array
        Mean return over the horizon of groups by score, the lowest first; fractions.
    spread : MeanSummary
        Top group minus bottom group, 200 % gross; fractions over the horizon.
    rank_weighted : MeanSummary
        The same of all funds weighed by centred rank, 200 % gross; steadier with few funds.
    autocorrelation : Estimate
        Mean rank correlation of the scores with those of so many sessions before.
    turnover_bottom, turnover_top : Estimate
        Mean share of a group that was not in it so many sessions before.
    by_year : mapping of int to MeanSummary
        Rank IC by calendar year of the score.
    by_family : mapping of str to MeanSummary
        Rank IC among the funds of one index family.
    between_families : MeanSummary
        Rank IC of the families' mean scores and mean returns; a fund without a family is one by itself.
    funds : Estimate
        Median number of funds a session that have both score and return.
    """

    sessions: int
    ic: MeanSummary
    ic_by_date: Floats
    decay: MeanSummary
    decay_after: int
    quantile_means: Floats
    spread: MeanSummary
    rank_weighted: MeanSummary
    autocorrelation: Estimate
    turnover_bottom: Estimate
    turnover_top: Estimate
    by_year: Mapping[int, MeanSummary]
    by_family: Mapping[str, MeanSummary]
    between_families: MeanSummary
    funds: Estimate


class Section:
    """The scores, what they are held against, and how the sessions and the funds are grouped."""

    def __init__(
        self,
        scores: Floats,
        forward: Forward,
        days: NDArray[np.datetime64],
        families: Mapping[str, list[int]],
        quantiles: int,
    ) -> None:
        self.scores, self.forward, self.families, self.quantiles = scores, forward, families, quantiles
        years = days.astype("datetime64[Y]").astype(int) + 1970
        self.years = {int(year): years == year for year in np.unique(years)}

    def at(self, horizon: int, before: int) -> Horizon:
        """Return what is said at a horizon of so many sessions, the one before it being ``before``."""
        returns = self.forward.returns(horizon)
        ic = rank_ic(self.scores, returns)
        groups = quantile_returns(self.scores, returns, self.quantiles, horizon)
        changed = quantile_turnover(self.scores, self.quantiles, horizon)
        decayed = returns if before == 0 else self.forward.returns(horizon, before)
        return Horizon(
            sessions=horizon,
            ic=self._summary(ic, horizon, self.scores, returns),
            ic_by_date=ic,
            decay=self._summary(rank_ic(self.scores, decayed), horizon - before, self.scores, decayed),
            decay_after=before,
            quantile_means=groups.means,
            spread=self._summary(groups.spread_by_date, horizon, self.scores, returns),
            rank_weighted=self._summary(
                rank_weighted_returns(self.scores, returns), horizon, self.scores, returns
            ),
            autocorrelation=_estimate(rank_autocorrelation(self.scores, horizon)),
            turnover_bottom=_estimate(changed[:, 0]),
            turnover_top=_estimate(changed[:, -1]),
            by_year={year: mean_summary(ic[rows], horizon) for year, rows in self.years.items()},
            by_family={
                name: self._within(self.scores[:, columns], returns[:, columns], horizon)
                for name, columns in self.families.items()
            },
            between_families=self._between(returns, horizon),
            funds=_funds(self.scores, returns, horizon),
        )

    def _within(self, scores: Floats, returns: Floats, horizon: int) -> MeanSummary:
        return self._summary(rank_ic(scores, returns), horizon, scores, returns)

    def _between(self, returns: Floats, horizon: int) -> MeanSummary:
        both = np.isfinite(self.scores) & np.isfinite(returns)
        groups, named = sisters(self.families), set(self.families) - {NO_FAMILY}
        scores = _group_means(np.where(both, self.scores, np.nan), groups)
        earned = _group_means(np.where(both, returns, np.nan), groups)
        if not named:
            return _without(mean_summary([], horizon), "the index family of no fund is known")
        if len(groups) < 2:
            return _without(mean_summary([], horizon), "there is one family only")
        return self._within(scores, earned, horizon)

    def _summary(self, series: Floats, horizon: int, scores: Floats, returns: Floats) -> MeanSummary:
        """Return the summary of a series by date; where it is empty, with the reason why it is."""
        summary = mean_summary(series, horizon)
        if np.isfinite(series).any():
            return summary
        both = np.isfinite(scores) & np.isfinite(returns)
        if not np.isfinite(returns).any():
            return _without(summary, "no session is followed by so many others")
        if both.sum(axis=1).max() < 2:
            return _without(summary, "never two funds with a score and a return")
        same = np.nanmax(np.where(both, scores, -np.inf), axis=1) <= np.nanmin(
            np.where(both, scores, np.inf), axis=1
        )
        return _without(summary, "all scores are the same" if same.all() else "never funds enough for it")


def _without(summary: MeanSummary, reason: str) -> MeanSummary:
    return replace(summary, reason=reason, robust_t_statistic=undefined(reason))


def _estimate(series: Floats) -> Estimate:
    known = series[np.isfinite(series)]
    return Estimate(float(known.mean())) if len(known) else undefined("no session has it")


def _funds(scores: Floats, returns: Floats, horizon: int) -> Estimate:
    """Median number of funds, over the sessions whose horizon is complete."""
    complete = max(len(returns) - horizon, 0)
    return few_assets(scores[:complete], returns[:complete])


def _group_means(values: Floats, groups: Sequence[Sequence[int]]) -> Floats:
    """Return the mean of the known values of each group of columns; summed so that no order shows."""
    result = np.full((len(values), len(groups)), np.nan)
    for place, columns in enumerate(groups):
        for row, line in enumerate(values[:, columns].tolist()):
            known = [value for value in line if not math.isnan(value)]
            if known:
                result[row, place] = math.fsum(known) / len(known)
    return result
