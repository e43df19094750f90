"""Block 2: whether any trial of the search beats the benchmark, and the selected one by how much.

Equal weight is tested beside any other benchmark, and the harder of the two counts: a weak benchmark can be
chosen, the funds cannot. Trials on record that cannot be run again enter by their number (a weighted
Bonferroni correction: Holm 1979; Genovese, Roeder and Wasserman 2006): the p-value of the others is
multiplied by all over those, the level of the stepwise test divided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np

from engine.statistics.difference import sharpe_difference, sharpe_difference_bootstraps
from engine.statistics.estimate import Floats
from engine.statistics.paths import compared, observed
from engine.statistics.sharpe import sharpe_ratio
from engine.statistics.superiority import Superiority
from engine.verdict.blocks import Skill
from engine.verdict.duplicates import COPIES
from engine.verdict.evidence import Evidence
from engine.verdict.reasons import Collected
from engine.verdict.sample import Sample
from engine.verdict.superior import NO_BENCHMARK, superior
from engine.verdict.thresholds import Resamples, Thresholds

TERMS = 2_500_000_000  # rows x trials x resamples that take a few seconds
FEWEST_RESAMPLES, MOST_RESAMPLES = 1_000, 10_000
DIFFERENCE_BLOCKS = (1, 5, 10)
EQUAL_WEIGHT = "equal weight"
NO_DEFAULT = "the default parameters are not among the trials"


def resamples_for(rows: int, trials: int) -> int:
    """Return how many resamples a test of (rows, trials) gets: 1,000 to 10,000, by what they cost."""
    affordable = TERMS // max(1, rows * trials) // FEWEST_RESAMPLES * FEWEST_RESAMPLES
    return min(MOST_RESAMPLES, max(FEWEST_RESAMPLES, affordable))


def skill(evidence: Evidence, sample: Sample, thresholds: Thresholds, resamples: Resamples) -> Skill:
    """Return block 2, from (T, n) returns and the benchmark on the sessions on which it is known.

    Over a gap of the benchmark both are of the gap. Without a benchmark all is NaN with a reason. The p-value
    is that of the harder test (see the module).
    """
    why, scale = Collected(), math.sqrt(evidence.sessions_per_year)
    paired = math.sqrt(evidence.sessions_per_year * observed(sample.benchmark))
    index = sample.benchmark[np.isfinite(sample.benchmark)]
    chosen = compared(sample.chosen, sample.benchmark)
    missing = None if len(index) else NO_BENCHMARK
    draws = resamples.superiority or resamples_for(len(index), sample.returns.shape[1])
    penalty = evidence.log.penalty
    series = [each for each in (sample.benchmark, sample.equal_weight) if each is not None]
    level = thresholds.superiority / penalty
    (block, *_), (found, *others) = superior(sample, series, seed=evidence.seed, resamples=draws, level=level)
    reason = missing or block.reason or found.reason
    name, second, second_spa = evidence.benchmark_name, "", math.nan
    for equal in others:
        second, second_spa = EQUAL_WEIGHT, equal.p_value
        if reason is None and not equal.p_value <= found.p_value:
            name, second, second_spa = EQUAL_WEIGHT, evidence.benchmark_name, found.p_value
            found, reason = equal, equal.reason
    other = None if sample.default is None else sample.returns.column(sample.default)
    is_default = sample.default == sample.selected
    difference, default = _differences(
        why,
        {
            "benchmark": (chosen, index, missing),
            "default": (
                sample.chosen,
                sample.chosen if other is None else other,
                NO_DEFAULT
                if other is None
                else "the default parameters were selected"
                if is_default
                else None,
            ),
        },
        evidence.seed,
        resamples.difference,
    )
    return Skill(
        benchmark=name,
        spa=why.number("spa", min(found.p_value * penalty, 1.0), reason),
        spa_lower=why.number("spa_lower", found.p_lower, reason),
        spa_upper=why.number("spa_upper", found.p_upper, reason),
        block=why.number("block", block, missing),
        resamples=found.resamples,
        sessions=len(index),
        tested=found.tested,
        survivors=len(found.survivors),
        selected_survives=sample.selected in found.survivors,
        benchmark_sharpe=why.number("benchmark_sharpe", sharpe_ratio(index), missing, paired),
        benchmark_difference=difference[0] * paired,
        benchmark_p=difference[1],
        benchmark_p_robust=difference[2],
        default_difference=default[0] * scale,
        default_p=default[1],
        default_p_robust=default[2],
        reasons=why,
        notes=_notes(found),
        measured=why.number("measured", found.p_value, reason),
        penalty=penalty,
        other=second,
        other_spa=why.number("other_spa", second_spa, None if second else "there is no other benchmark"),
        accepted=_accepted(found, sample, evidence.log.lost),
    )


def _notes(found: Superiority) -> tuple[str, ...]:
    alike = len(found.excluded)
    return (f"trials not tested because they never differ from the benchmark: {alike}",) if alike else ()


def _accepted(found: Superiority, sample: Sample, lost: int) -> float:
    """Return the share of survivors: of all trials, or of one of each kind, whichever is smaller."""
    survivors, apart = set(found.survivors), set(sample.kinds[COPIES].tolist())
    shares = [
        len(some) / number
        for some, number in ((survivors, found.tested + lost), (survivors & apart, len(apart) + lost))
        if number
    ]
    return min(shares, default=0.0)


def _differences(
    why: Collected, pairs: Mapping[str, tuple[Floats, Floats, str | None]], seed: int, resamples: int
) -> list[tuple[float, float, float]]:
    """Return the difference per session, its p-value by bootstrap and by formula, of each pair.

    A pair is two series and why they are not compared, if they are not.
    """
    compared_ones = [pair[:2] for pair in pairs.values() if pair[2] is None]
    bootstrap = partial(sharpe_difference_bootstraps, compared_ones, seed=seed, resamples=resamples)
    tested = zip(*(bootstrap(block=block) for block in DIFFERENCE_BLOCKS), strict=True)
    found = []
    for name, (first, second, missing) in pairs.items():
        if missing is not None:
            for part in ("difference", "p", "p_robust"):
                why[f"{name}_{part}"] = missing
            found.append((math.nan, math.nan, math.nan))
            continue
        tests, of = next(tested), sharpe_difference(first, second)
        worst = max((test.value for test in tests if math.isfinite(test.value)), default=math.nan)
        found.append(
            (
                why.number(f"{name}_difference", of.value, of.reason),
                why.number(f"{name}_p", worst, tests[0].reason or of.reason),
                why.number(f"{name}_p_robust", of.prewhitened_p_value, of.reason),
            )
        )
    return found
