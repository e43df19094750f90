"""Blocks 3 and 4: whether the winner of the search is luck, and whether the selection is reliable.

1. ``luck``: deflation by the number of trials on record, whatever part of them could be run again, against
   the highest bar of ``engine.verdict.duplicates``. Equal ratios have no spread: then nothing is known.
2. ``selection``: overfitting in blocks of a quarter at least, and the paths of combinatorial splits.
"""

from __future__ import annotations

import math

import numpy as np

from engine.statistics.deflated import (
    DeflatedSharpe,
    deflated_sharpe,
    effective_trials,
    minimum_backtest_length,
)
from engine.statistics.estimate import NO_VARIATION, Estimate, Floats, undefined
from engine.statistics.haircut import sharpe_haircut, sharpe_p_values
from engine.statistics.overfitting import Overfitting, overfitting, overfitting_of_parts
from engine.statistics.sharpe import (
    Moments,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    probabilistic_sharpe_robust,
    ratios_and_autocorrelations,
    sharpe_ratio,
)
from engine.verdict.blocks import Luck, Selection, Skill
from engine.verdict.duplicates import COPIES
from engine.verdict.evidence import Evidence
from engine.verdict.reasons import Collected
from engine.verdict.sample import Sample
from engine.verdict.thresholds import Thresholds

MOST_BLOCKS = 16
MOST_TRIALS = 2**40
FEWEST_KINDS = 5  # below, a spread is hardly one, and what most of them do excuses nothing
FOR_CORRELATION = 1_000  # trials whose correlations are looked at, evenly spaced
ROUNDING = 1e-9  # that an effective number of trials may be off by
PATH_TAIL = 0.05
UNCORRELATED = "the correlation of the trials is unknown: fewer than two of them vary here"
ANNUAL_FIGURE = "a trial has a Sharpe ratio above 1 per session in size"


def luck(evidence: Evidence, sample: Sample, thresholds: Thresholds) -> Luck:
    """Return block 3; undefined parts are NaN with a reason, all of it without a log of all trials."""
    why, notes = Collected(), []
    per_year = evidence.sessions_per_year
    scale = math.sqrt(per_year)
    of = moments(sample.chosen)
    ratios = sample.ratios[np.isfinite(sample.ratios)]
    count = max(evidence.log.total, evidence.returns.shape[1])
    deflated, counted = _deflate(of, sample, count, evidence.log.lost, evidence.log.variants)
    trials = sample.returns.shape[1]
    effective = effective_trials(
        sample.returns.columns(np.arange(0, trials, math.ceil(trials / FOR_CORRELATION)))
    )
    number = _effective_of_all(effective.average_correlation, effective.trials, count)
    informed = _informed(of, sample, number) if math.isfinite(number) else deflated
    if deflated.note:
        notes.append(deflated.note)
    if count > evidence.returns.shape[1]:
        notes.append(f"the spread is that of {trials} trials that were run again")
    if evidence.log.variants:
        notes.append(
            "looks at sets of these on other funds, first sessions or conditions count for the deflated "
            f"Sharpe ratio and the p-values: {evidence.log.variants} more"
        )
    if effective.trials < len(ratios):
        notes.append(f"correlations are those of {effective.trials} trials, evenly spaced")
    if deflated.reason == ANNUAL_FIGURE or not math.isfinite(of.sharpe):
        haircut, annual_after = math.nan, math.nan
        reason = deflated.reason
    else:
        cut = sharpe_haircut(
            of.sharpe,
            of.observations,
            per_year,
            autocorrelation=of.autocorrelation,
            other_p_values=_other_p_values(sample, per_year, count),
        )
        haircut, annual_after, reason = cut.haircut, cut.annual_after, cut.reason
    robust = undefined("returns are not autocorrelated")
    if of.autocorrelated:
        robust = probabilistic_sharpe_robust(sample.chosen)
    return Luck(
        trials=count,
        probabilistic=why.number("probabilistic", probabilistic_sharpe(of)),
        probabilistic_robust=why.number("probabilistic_robust", robust),
        spread=why.number("spread", deflated.spread, deflated.reason, scale),
        expected_maximum=why.number("expected_maximum", deflated.benchmark, deflated.reason, scale),
        deflated=why.number("deflated", deflated.value, deflated.reason),
        effective=why.number("effective", number, effective.reason or UNCORRELATED),
        effective_rank=why.number("effective_rank", effective.effective_rank, effective.reason),
        effective_participation=why.number(
            "effective_participation", effective.participation, effective.reason
        ),
        deflated_effective=why.number("deflated_effective", informed.value, informed.reason),
        haircut_sharpe=why.number("haircut_sharpe", annual_after, reason),
        haircut=why.number("haircut", haircut, reason),
        track_record_years=why.number(
            "track_record_years", _track_record(of, thresholds, per_year), scale=1.0 / per_year
        ),
        backtest_years=minimum_backtest_length(count, thresholds.target_sharpe),
        years=len(sample.returns) / per_year,
        largest=why.number(
            "largest", float(np.abs(ratios).max()) if len(ratios) else math.nan, "no trial has a Sharpe ratio"
        ),
        reasons=why,
        notes=tuple(notes),
        kinds=counted,
    )


def trials_borne(years: float, target_sharpe: float) -> int:
    """Return how many trials a history of so many years bears: MinBTL the other way round, one at least."""
    low, high = 1, 2
    while high < MOST_TRIALS and minimum_backtest_length(high, target_sharpe) <= years:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if minimum_backtest_length(middle, target_sharpe) <= years else (low, middle)
        )
    return low


def _track_record(of: Moments, thresholds: Thresholds, per_year: float) -> Estimate:
    """Return the minimum track record in sessions; undefined beyond what anybody could wait for."""
    found = minimum_track_record(of, confidence=thresholds.confidence)
    longest = thresholds.longest_record
    if found.value > longest * per_year:
        return undefined(f"more than {longest:g} years: the Sharpe ratio is too close to zero")
    return found


def _deflate(
    of: Moments, sample: Sample, trials: int, lost: int, variants: int
) -> tuple[DeflatedSharpe, int]:
    """Return the deflated ratio against the highest of the bars of all trials and of one of each kind.

    A kind has as many variants as trials have on average.
    """
    every = _informed(of, sample, trials + variants)
    if every.reason is not None:
        return every, trials
    found = [(every, trials)]
    for columns in sample.kinds.values():
        if len(columns) >= FEWEST_KINDS:
            number = len(columns) + lost
            looked = number + round(number * variants / trials)
            found.append((deflated_sharpe(of, sample.ratios[columns], float(looked)), number))
    return max(found, key=lambda each: each[0].benchmark)


def _informed(of: Moments, sample: Sample, trials: float) -> DeflatedSharpe:
    known = sample.ratios[np.isfinite(sample.ratios)]
    reason = of.reason
    if reason is None and np.abs(known).max() > 1.0:
        reason = ANNUAL_FIGURE
    several = trials > 1.0 + ROUNDING
    if reason is None and several and len(known) < 2:
        # a spread of zero would deflate nothing
        reason = "the spread of the trials is unknown: fewer than two of them have a Sharpe ratio here"
    if reason is None and several and np.ptp(known) <= NO_VARIATION:
        reason = "the trials have equal Sharpe ratios, whose spread says nothing of luck"
    if reason is not None:
        return DeflatedSharpe(math.nan, math.nan, math.nan, trials, reason)
    return deflated_sharpe(of, known, trials)


def _effective_of_all(effective: float, measured: int, count: int) -> float:
    """Return the effective number of ``count`` trials with the mean correlation of the measured ones."""
    if measured < 2:
        return effective if measured == count else math.nan
    correlation = (measured - effective) / (measured - 1.0)
    return max(1.0, min(correlation + (1.0 - correlation) * count, float(count)))


def _other_p_values(sample: Sample, per_year: float, count: int) -> Floats:
    """Two-sided p-values of all other trials on record; those that were not measured here count as 1."""
    values = np.ones(max(count - 1, 0))
    moments_of_all = [ratios_and_autocorrelations(some) for _, some in sample.returns.blocks()]
    sharpes, autocorrelations = np.concatenate(moments_of_all, axis=1)
    found = sharpe_p_values(sharpes, len(sample.returns), per_year, autocorrelations)
    others = np.delete(found, sample.selected)
    values[: len(others)] = np.where(np.isfinite(others), others, 1.0)
    return values


def selection(evidence: Evidence, sample: Sample, thresholds: Thresholds, of_skill: Skill) -> Selection:
    """Return block 4; overfitting is NaN with a reason for fewer than two trials or too short a history."""
    why, scale = Collected(), math.sqrt(evidence.sessions_per_year)
    rows, trials = sample.returns.shape
    pieces = blocks_for(rows, evidence.sessions_per_year, evidence.rebalance)
    found = _worse(sample, pieces) if trials > 1 else None
    reason = "there is one trial only: nothing was selected" if found is None else found.reason
    nan = math.nan
    paths = evidence.combinatorial
    ratios = np.array([] if paths is None else [sharpe_ratio(path).value for path in paths.paths])
    defined = ratios[np.isfinite(ratios)]
    no_paths = "combinatorial splits were not run" if paths is None else "no path has a Sharpe ratio"
    low, median, high = (
        np.quantile(defined, (PATH_TAIL, 0.5, 1.0 - PATH_TAIL)) if len(defined) else (nan, nan, nan)
    )
    return Selection(
        overfitting=why.number("overfitting", found.probability if found else nan, reason),
        loss=why.number("loss", found.probability_of_loss if found else nan, reason),
        blocks=pieces,
        combinations=len(found.logits) if found else 0,
        slope=why.number("slope", found.slope if found else nan, reason),
        slope_fit=why.number("slope_fit", found.r_squared if found else nan, reason),
        excluded=len(found.excluded) if found else 0,
        interchangeable=of_skill.tested >= FEWEST_KINDS and of_skill.accepted > thresholds.most,
        paths=len(ratios),
        path_median=why.number("path_median", median, no_paths, scale),
        path_low=why.number("path_low", low, no_paths, scale),
        path_high=why.number("path_high", high, no_paths, scale),
        path_loss=why.number("path_loss", np.mean(defined < 0.0) if len(defined) else nan, no_paths),
        purged_size=paths.purged_size if paths else 0,
        embargo_size=paths.embargo_size if paths else 0,
        reasons=why,
    )


def _worse(sample: Sample, pieces: int) -> Overfitting:
    """Return the overfitting among all trials, or among one of each kind, whichever is larger."""
    every = overfitting_of_parts((some for _, some in sample.returns.blocks()), pieces)
    apart = sample.kinds[COPIES]
    if not 1 < len(apart) < sample.returns.shape[1]:
        return every
    some = overfitting(sample.returns.columns(np.sort(apart)), pieces)
    return some if some.probability > every.probability else every


def blocks_for(rows: int, sessions_per_year: float, rebalance: int) -> int:
    """Return the even number of blocks, up to 16: a block spans a quarter and a rebalance cycle at least."""
    shortest = max(round(sessions_per_year / 4.0), rebalance, 2)
    return max(2, min(MOST_BLOCKS, rows // shortest // 2 * 2))
