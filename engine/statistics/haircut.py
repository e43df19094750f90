"""How much of a Sharpe ratio is left after the number of tests is allowed for.

1. The annual ratio is corrected for autocorrelation, and becomes a t statistic and a two-sided p-value.
2. The p-value is adjusted for the number of tests (``adjusted_p_values``).
3. The adjusted p-value goes back the same way: to a t statistic, and to an annual ratio.

Source: Harvey and Liu (2015). The other p-values are those of our own trials, not of the paper's simulated
market of factors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from data.errors import UsageError, did_you_mean
from engine.statistics.estimate import Floats, check_at_least, check_per_period
from engine.statistics.sharpe import aggregation_factor_ar1, aggregation_factors_ar1

Adjustment = Literal["bonferroni", "holm", "bhy", "fdr_by"]


def adjusted_p_values(p_values: ArrayLike, method: Adjustment) -> Floats:
    """Return p-values adjusted for their number, in the order given.

    ``bhy`` is ``fdr_by`` (Benjamini and Yekutieli) as Harvey and Liu print it, which leaves the largest
    p-value as it is. UsageError for an unknown method or for numbers that are no probabilities. Sources: Holm
    (1979); Benjamini and Yekutieli (2001).
    """
    values = np.asarray(p_values, dtype=np.float64).ravel()
    if method not in get_args(Adjustment):
        raise UsageError(
            "unknown adjustment", received=method, hint=did_you_mean(method, get_args(Adjustment))
        )
    if not len(values) or not ((values >= 0.0) & (values <= 1.0)).all():
        raise UsageError("not p-values", received=values, limit="at least one, each from 0 to 1")
    count, order = len(values), np.argsort(values, kind="stable")
    ranked, ranks = values[order], np.arange(1, count + 1)
    if method == "bonferroni":
        found = count * ranked
    elif method == "holm":
        found = np.maximum.accumulate((count + 1 - ranks) * ranked)
    else:
        penalty = math.fsum(1.0 / rank for rank in range(1, count + 1))
        candidates = count * penalty / ranks * ranked
        if method == "bhy":
            candidates[-1] = ranked[-1]
        found = np.minimum.accumulate(candidates[::-1])[::-1]
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(found, 1.0)
    return adjusted


@dataclass(frozen=True)
class Haircut:
    """An annual Sharpe ratio before and after the allowance for tests.

    Attributes
    ----------
    annual : float
        Corrected for autocorrelation; NaN with ``reason``, like the others.
    t_statistic, p_value : float
        Two-sided, with T - 1 degrees of freedom.
    adjusted_p_value : float
    annual_after : float
        The ratio that the adjusted p-value stands for; 0 if that is 1.
    haircut : float
        Share of ``annual`` that is lost.
    method : str
    """

    annual: float
    t_statistic: float
    p_value: float
    adjusted_p_value: float
    annual_after: float
    haircut: float
    method: str
    reason: str | None = None


def sharpe_haircut(
    sharpe: float,
    observations: int,
    periods_per_year: float,
    *,
    autocorrelation: float = 0.0,
    trials: int | None = None,
    other_p_values: ArrayLike = (),
    method: Adjustment = "holm",
) -> Haircut:
    """Return what is left of the Sharpe ratio of the best of several trials.

    Parameters
    ----------
    sharpe : float
        Per period; UsageError above 1 in size.
    observations : int
        Periods that it was measured on.
    periods_per_year : float
    autocorrelation : float
        Of first order, of the returns per period.
    trials : int, optional
        Number of tests, this one included, for ``bonferroni`` only.
    other_p_values : array
        Of the other trials (see ``sharpe_p_values``); for ``holm``, ``bhy`` and ``fdr_by``, which need them.
    method : str

    A ratio that is not positive has nothing to lose: NaN with a reason, as for fewer than three observations.
    Source: Harvey and Liu (2015).
    """
    others = np.asarray(other_p_values, dtype=np.float64).ravel()
    if method == "bonferroni":
        count = len(others) + 1 if trials is None else trials
        check_at_least("the number of trials", count, 1)
    elif trials is not None:
        raise UsageError(
            f"a number of trials is not enough for {method}",
            received=trials,
            limit="the p-values of the other trials",
            hint="Give other_p_values, or take bonferroni.",
        )
    annual, t, p, reason = _as_p_value(sharpe, observations, periods_per_year, autocorrelation)
    if reason is None and not sharpe > 0.0:
        reason = "the Sharpe ratio is not positive"
    if reason is not None:
        return Haircut(annual, t, p, math.nan, math.nan, math.nan, method, reason)
    if method == "bonferroni":
        adjusted = min(count * p, 1.0)
    else:
        adjusted = float(adjusted_p_values([p, *others], method)[0])
    after = _as_annual(adjusted, observations, periods_per_year)
    if not math.isfinite(after):  # p underflowed to 0: the t statistic is beyond what a float can tell
        after = annual
    return Haircut(annual, t, p, adjusted, after, 1.0 - after / annual, method)


def sharpe_p_values(
    sharpes: Floats, observations: int, periods_per_year: float, autocorrelations: Floats
) -> Floats:
    """Return the two-sided p-values of Sharpe ratios per period (N,); NaN where one is undefined."""
    from scipy.special import stdtr

    largest = np.max(np.abs(sharpes), initial=0.0, where=np.isfinite(sharpes))
    check_per_period("the Sharpe ratio", float(largest))
    check_at_least("the number of periods per year", periods_per_year, 1.0)
    if observations < 3:
        return np.full(len(sharpes), np.nan)
    annual = sharpes * aggregation_factors_ar1(periods_per_year, autocorrelations)
    t = annual * math.sqrt(observations / periods_per_year)
    return np.asarray(2.0 * stdtr(observations - 1, -np.abs(t)), dtype=np.float64)


def _as_p_value(
    sharpe: float, observations: int, periods_per_year: float, autocorrelation: float
) -> tuple[float, float, float, str | None]:
    """Annual ratio, t statistic, two-sided p-value, and why they are undefined."""
    check_per_period("the Sharpe ratio", sharpe)
    check_at_least("the number of periods per year", periods_per_year, 1.0)
    factor = aggregation_factor_ar1(periods_per_year, autocorrelation)
    reason = factor.reason
    if observations < 3:
        reason = "it takes at least three returns"
    elif not math.isfinite(sharpe):
        reason = "the Sharpe ratio is undefined"
    if reason is not None:
        return math.nan, math.nan, math.nan, reason
    annual = sharpe * factor.value
    t = annual * math.sqrt(observations / periods_per_year)
    given = np.array([sharpe]), observations, periods_per_year, np.array([autocorrelation])
    return annual, t, float(sharpe_p_values(*given)[0]), None


def _as_annual(p_value: float, observations: int, periods_per_year: float) -> float:
    from scipy.special import stdtrit

    if p_value >= 1.0:
        return 0.0
    t = -float(stdtrit(observations - 1, p_value / 2.0))
    return t / math.sqrt(observations / periods_per_year)
