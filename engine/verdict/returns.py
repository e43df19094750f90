"""Blocks 1, 5 and 6: the returns of the selected trial, its neighbourhood, and what the formulas assume."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.statistics.bootstrap import drawdown_paths, sharpe_interval
from engine.statistics.estimate import Estimate, Floats, undefined
from engine.statistics.paths import annual_growth, compared, largest_drawdown
from engine.statistics.sharpe import aggregation_factor_ar1, moments, sharpe_ratio, standard_error_robust
from engine.verdict.blocks import Assumptions, Plateau, Selected
from engine.verdict.evidence import Evidence
from engine.verdict.reasons import Collected, block_length
from engine.verdict.sample import Sample
from engine.verdict.thresholds import Resamples, Thresholds

PATH_SHARE = 0.05
LINES = Thresholds()
LEAST_PROFIT = 0.01
LOSING = "the neighbours' median is not above zero"
NOT_RUN = "walk-forward splits were not run"


def selected(evidence: Evidence, sample: Sample, resamples: Resamples, lines: Thresholds = LINES) -> Selected:
    """Return block 1, of the selected trial on the selection period and, if splits were run, out of it."""
    why, per_year = Collected(), evidence.sessions_per_year
    scale = math.sqrt(per_year)
    chosen, account = sample.chosen, sample.account
    block = block_length(chosen)
    inside = sharpe_ratio(chosen)
    outcome = evidence.walk_forward
    outside = outcome.returns[np.isfinite(outcome.returns)] if outcome else np.empty(0)
    missing = None if outcome else NOT_RUN
    training = undefined(NOT_RUN)
    if outcome:
        trained = outcome.in_sample[np.isfinite(outcome.in_sample)]
        training = (
            Estimate(float(trained.mean())) if len(trained) else undefined("no window has a Sharpe ratio")
        )
    out_ratio = sharpe_ratio(outside) if outcome else undefined(NOT_RUN)
    small = training.reason or _too_small(training.value * scale, "in training", lines)
    if missing is None and small:
        kept = undefined(small)
    else:
        kept = Estimate(out_ratio.value / training.value, out_ratio.reason)
    growth = float(np.prod(1.0 + account)) if len(account) else math.nan
    interval = partial(_interval, why, seed=evidence.seed, scale=scale, resamples=resamples.interval)
    inside_low, inside_high = interval("in_sample", chosen, block.value)
    if outcome:
        low, high = interval("out_of_sample", outside, block_length(outside).value)
    else:
        low, high = (why.number(f"out_of_sample_{end}", math.nan, NOT_RUN) for end in ("low", "high"))
    paths = drawdown_paths(
        account, block=block.value, seed=evidence.seed, resamples=resamples.paths, shares=(PATH_SHARE,)
    )
    return Selected(
        parameters=dict(evidence.parameters),
        sessions=len(chosen),
        years=len(chosen) / per_year,
        in_sample=why.number("in_sample", inside, scale=scale),
        in_sample_error=why.number("in_sample_error", standard_error_robust(chosen), scale=scale),
        in_sample_low=inside_low,
        in_sample_high=inside_high,
        out_of_sample=why.number("out_of_sample", out_ratio, scale=scale),
        out_of_sample_error=why.number(
            "out_of_sample_error",
            standard_error_robust(outside) if outcome else undefined(NOT_RUN),
            scale=scale,
        ),
        out_of_sample_low=low,
        out_of_sample_high=high,
        out_of_sample_sessions=len(outside),
        training=why.number("training", training, scale=scale),
        out_over_in=why.number("out_over_in", kept),
        growth=why.number(
            "growth",
            annual_growth(growth, len(chosen), per_year) if growth > 0.0 else math.nan,
            "all was lost",
        ),
        volatility=why.number(
            "volatility",
            float(account.std(ddof=1)) if len(account) > 1 else math.nan,
            "it takes at least two sessions",
            scale,
        ),
        drawdown=largest_drawdown(account),
        drawdown_path=why.number("drawdown_path", paths.quantiles[PATH_SHARE], paths.reason),
        turnover=why.number("turnover", evidence.turnover, "not given"),
        cost_share=why.number(
            "cost_share", evidence.cost_share, "not given, or costs leave nothing of the profit before them"
        ),
        block=why.number("block", block),
        reasons=why,
    )


def _interval(
    why: Collected, name: str, returns: Floats, block: float, seed: int, scale: float, resamples: int
) -> tuple[float, float]:
    found = sharpe_interval(returns, block=block, seed=seed, resamples=resamples)
    reason = found.reason or found.bca_reason
    low, high = found.bca
    return (
        why.number(f"{name}_low", low, reason, scale),
        why.number(f"{name}_high", high, reason, scale),
    )


def _too_small(sharpe: float, whose: str, lines: Thresholds) -> str | None:
    """Return why nothing is divided by an annual Sharpe ratio; None where it is large enough."""
    if sharpe >= lines.least_sharpe:
        return None
    low = f"below {lines.least_sharpe:g}" if sharpe > 0.0 else "not positive"
    return f"the Sharpe ratio {whose} is {low}"


def plateau(evidence: Evidence, sample: Sample, lines: Thresholds = LINES) -> Plateau:
    """Return block 5, of the Sharpe ratios of all trials; what has no neighbours or no default has NaN."""
    why, scale = Collected(), math.sqrt(evidence.sessions_per_year)
    around = sample.ratios[list(sample.neighbours)]
    around = around[np.isfinite(around)]
    lonely = (
        "no neighbour has a Sharpe ratio" if sample.neighbours else "the selected trial has no neighbours"
    )
    median = float(np.median(around)) if len(around) else math.nan
    chosen = float(sample.ratios[sample.selected])
    share, reason = math.nan, lonely
    if len(around):
        reason = _too_small(chosen * scale, "of the selected trial", lines) or LOSING
        share = median / chosen if reason == LOSING and median > 0.0 else math.nan
    ranked = sample.ratios[np.isfinite(sample.ratios)]
    rank = 0
    if sample.default is None:
        why["default_rank"] = "the default parameters are not among the trials"
    elif not math.isfinite(sample.ratios[sample.default]):
        why["default_rank"] = "the default parameters have no Sharpe ratio"
    else:
        rank = 1 + int(np.count_nonzero(ranked > sample.ratios[sample.default]))
    known = np.isfinite(sample.benchmark)
    if known.any():
        level = sample.benchmark[known].mean()
        means = [compared(some, sample.benchmark).mean(axis=0) for _, some in sample.returns.blocks()]
        beating = float(np.mean(np.concatenate(means) > level))
    else:
        beating = math.nan
    return Plateau(
        neighbours=len(around),
        neighbours_median=why.number("neighbours_median", median, lonely, scale),
        neighbours_worst=why.number(
            "neighbours_worst", float(around.min()) if len(around) else math.nan, lonely, scale
        ),
        neighbours_share=why.number("neighbours_share", share, reason),
        default_rank=rank,
        ranked=len(ranked),
        beating=why.number("beating", beating, "there is no benchmark"),
        reasons=why,
    )


def assumptions(evidence: Evidence, sample: Sample) -> Assumptions:
    """Return block 6, of the selected trial's returns; NaN with a reason if they are too few or constant."""
    why, chosen = Collected(), sample.chosen
    of = moments(chosen)
    factor = aggregation_factor_ar1(evidence.sessions_per_year, of.autocorrelation)
    return Assumptions(
        autocorrelation=why.number("autocorrelation", of.autocorrelation, of.reason),
        autocorrelation_bound=2.0 / math.sqrt(max(len(chosen), 1)),
        corrected=why.number("corrected", of.sharpe * factor.value, of.reason or factor.reason),
        skewness=why.number("skewness", of.skewness, of.reason),
        kurtosis=why.number("kurtosis", of.kurtosis, of.reason),
        largest_month=why.number(
            "largest_month",
            largest_month(sample.account, _months(evidence, sample)),
            f"the profit is below {LEAST_PROFIT:.0%}, or below that of the best month",
        ),
        exclusions=evidence.exclusions,
        reasons=why,
    )


def _months(evidence: Evidence, sample: Sample) -> NDArray[np.int64]:
    if sample.days is not None:
        return sample.days.astype("datetime64[M]").astype(np.int64)
    length = max(1, round(evidence.sessions_per_year / 12.0))
    return np.arange(len(sample.returns), dtype=np.int64) // length


def largest_month(returns: Floats, months: NDArray[np.int64]) -> float:
    """Return the profit of the best month over the whole profit of (T,) returns.

    Profit is in units of the wealth at the start. NaN for one below 1 %, and where the best month earned more
    than the whole, which then is the small difference of gains and losses.
    """
    if not len(returns):
        return math.nan
    wealth = np.cumprod(1.0 + returns)
    last = np.flatnonzero(np.append(months[1:] != months[:-1], True))
    profits = np.diff(np.concatenate(([1.0], wealth[last])))
    total = float(wealth[-1] - 1.0)
    best = float(profits.max())
    return best / total if total >= max(LEAST_PROFIT, best) else math.nan
