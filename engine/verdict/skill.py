"""Block 2: whether any trial of the search beats the benchmark, and the selected one by how much.

Equal weight is tested beside any other benchmark, and the harder of the two counts: a weak benchmark can be
chosen, the funds cannot. Trials on record that cannot be run again enter by their number (a weighted
Bonferroni correction: Holm 1979; Genovese, Roeder and Wasserman 2006): the p-value of the others is
multiplied by all over those, the level of the stepwise test divided.

Superior predictive ability and the stepwise test run over all trials. Beyond ``MEMORY`` bytes the trials are
tested in chunks on the same draws, and the maxima of the chunks are joined: that is the same p-value, without
its two bounds, and the stepwise test stops after its first step, which can only miss survivors. The block
length is that of the selected trial's differential: the longest of a thousand columns would be chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from engine.statistics.difference import sharpe_difference, sharpe_difference_bootstrap
from engine.statistics.estimate import Floats
from engine.statistics.long_run import bootstrap_variances
from engine.statistics.paths import compared, observed
from engine.statistics.resampling import Counts, counted, resampled_p_value, too_few_blocks
from engine.statistics.sharpe import sharpe_ratio
from engine.statistics.superiority import superiority
from engine.verdict.blocks import Skill
from engine.verdict.duplicates import COPIES
from engine.verdict.evidence import Evidence
from engine.verdict.reasons import Collected, block_length
from engine.verdict.sample import Sample
from engine.verdict.thresholds import Resamples, Thresholds

MEMORY = 300_000_000  # bytes that one test of superior predictive ability may take
BYTES_A_CELL = 64  # of differentials, and what is computed of them
CHUNK = 512  # trials of one, where there are several
TERMS = 2_500_000_000  # rows x trials x resamples that take a few seconds
FEWEST_RESAMPLES, MOST_RESAMPLES = 1_000, 10_000
DIFFERENCE_BLOCKS = (1, 5, 10)
NO_BENCHMARK = "there is no benchmark"
EQUAL_WEIGHT = "equal weight"
NO_DEFAULT = "the default parameters are not among the trials"

_Counted = Callable[[int, int, float], list[Counts]]


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
    returns = compared(sample.returns, sample.benchmark)
    chosen = returns[:, sample.selected]
    missing = None if len(index) else NO_BENCHMARK
    block = block_length(chosen - index)
    # a winner that is the benchmark has no block length, though other trials may
    if block.reason is not None and len(index):
        block = block_length(index)
    draws = resamples.superiority or resamples_for(len(index), returns.shape[1])
    penalty = evidence.log.penalty
    level = thresholds.superiority / penalty
    counts = _counts(evidence.seed, draws)
    found = _superior(returns, index, block.value, evidence.seed, draws, level, counts)
    reason = missing or block.reason or found.reason
    name, second, second_spa = evidence.benchmark_name, "", math.nan
    if sample.equal_weight is not None:
        equal = _against_equal_weight(sample, sample.equal_weight, evidence.seed, draws, level, counts)
        second, second_spa = EQUAL_WEIGHT, equal.p_value
        if reason is None and not equal.p_value <= found.p_value:
            name, second, second_spa = EQUAL_WEIGHT, evidence.benchmark_name, found.p_value
            found, reason = equal, equal.reason
    difference = _difference(why, "benchmark", chosen, index, missing, evidence.seed, resamples.difference)
    other = None if sample.default is None else sample.returns[:, sample.default]
    is_default = sample.default == sample.selected
    default = _difference(
        why,
        "default",
        sample.chosen,
        sample.chosen if other is None else other,
        NO_DEFAULT if other is None else "the default parameters were selected" if is_default else None,
        evidence.seed,
        resamples.difference,
    )
    return Skill(
        benchmark=name,
        spa=why.number("spa", min(found.p_value * penalty, 1.0), reason),
        spa_lower=why.number("spa_lower", found.p_lower, reason or found.bounds),
        spa_upper=why.number("spa_upper", found.p_upper, reason or found.bounds),
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
        notes=found.notes,
        measured=why.number("measured", found.p_value, reason),
        penalty=penalty,
        other=second,
        other_spa=why.number("other_spa", second_spa, None if second else "there is no other benchmark"),
        accepted=_accepted(found, sample, evidence.log.lost),
    )


@dataclass(frozen=True)
class _Superior:
    p_value: float
    p_lower: float
    p_upper: float
    survivors: frozenset[int]
    tested: int
    resamples: int
    reason: str | None = None
    bounds: str | None = None
    notes: tuple[str, ...] = ()


def _counts(seed: int, resamples: int) -> _Counted:
    """Return what counts resamples of so many rows, for so many columns, in blocks: once for both tests."""

    @cache
    def counts(rows: int, columns: int, block: float) -> list[Counts]:
        return list(counted(rows, columns, block, resamples, seed))

    return counts


def _against_equal_weight(
    sample: Sample, equal_weight: Floats, seed: int, resamples: int, level: float, counts: _Counted
) -> _Superior:
    index = equal_weight[np.isfinite(equal_weight)]
    returns = compared(sample.returns, equal_weight)
    block = block_length(returns[:, sample.selected] - index)
    if block.reason is not None and len(index):
        block = block_length(index)
    return _superior(returns, index, block.value, seed, resamples, level, counts)


def _accepted(found: _Superior, sample: Sample, lost: int) -> float:
    """Return the share of survivors: of all trials, or of one of each kind, whichever is smaller."""
    apart = set(sample.kinds[COPIES].tolist())
    shares = [
        len(survivors) / number
        for survivors, number in (
            (found.survivors, found.tested + lost),
            (found.survivors & apart, len(apart) + lost),
        )
        if number
    ]
    return min(shares, default=0.0)


def _superior(
    returns: Floats,
    benchmark: Floats,
    block: float,
    seed: int,
    resamples: int,
    level: float,
    counted_by: _Counted,
) -> _Superior:
    """Test (T, n) returns against those of the benchmark (T,), all known."""
    rows, columns = returns.shape
    if not rows:
        return _Superior(math.nan, math.nan, math.nan, frozenset(), 0, 0, NO_BENCHMARK)
    size = max(1, int(MEMORY // (rows * BYTES_A_CELL + 32 * resamples)))
    whole = columns <= size
    # What comes out does not depend on the size of chunks, once there are several.
    size = columns if whole else min(size, CHUNK)
    counts = counted_by(rows, size, block) if too_few_blocks(block, rows) is None else None
    index = benchmark[:, np.newaxis]
    test = partial(
        superiority, block=block, seed=seed, resamples=resamples, level=level, counts=counts, bounds=whole
    )
    parts = [(start, test(returns[:, start : start + size] - index)) for start in range(0, columns, size)]
    usable = [(start, part) for start, part in parts if part.reason is None]
    if not usable:
        return _Superior(math.nan, math.nan, math.nan, frozenset(), 0, 0, parts[0][1].reason)
    excluded = sum(len(part.excluded) for _, part in parts)
    notes = (
        (f"trials not tested because they never differ from the benchmark: {excluded}",) if excluded else ()
    )
    if len(parts) == 1:
        (part,) = (part for _, part in parts)
        return _Superior(
            part.p_value,
            part.p_lower,
            part.p_upper,
            frozenset(part.survivors),
            columns - excluded,
            part.resamples,
            notes=notes,
        )
    statistic = max(part.statistic for _, part in usable)
    maxima = np.max([part.simulated for _, part in usable], axis=0)
    survivors: set[int] = set()
    for start, part in usable:
        # only these can be as extreme as the joined maxima ask
        candidates = start + np.array(part.survivors, dtype=np.int64)
        values = returns[:, candidates] - index
        ratios = values.mean(axis=0) / np.sqrt(bootstrap_variances(values, block) / rows)
        survivors |= {
            int(column)
            for column, ratio in zip(candidates, ratios, strict=True)
            if resampled_p_value(maxima, ratio) <= level
        }
    return _Superior(
        1.0 if statistic <= 0.0 else resampled_p_value(maxima, statistic),
        math.nan,
        math.nan,
        frozenset(survivors),
        columns - excluded,
        resamples,
        bounds=f"not computed for {columns} trials, which are tested in {len(parts)} chunks",
        notes=(*notes, "the stepwise test stops after its first step: it may miss survivors"),
    )


def _difference(
    why: Collected, name: str, first: Floats, second: Floats, missing: str | None, seed: int, resamples: int
) -> tuple[float, float, float]:
    """Difference per session, its p-value by bootstrap and by formula."""
    if missing is not None:
        for part in ("difference", "p", "p_robust"):
            why[f"{name}_{part}"] = missing
        return math.nan, math.nan, math.nan
    found = sharpe_difference(first, second)
    bootstrap = partial(sharpe_difference_bootstrap, first, second, seed=seed, resamples=resamples)
    tests = [bootstrap(block=block) for block in DIFFERENCE_BLOCKS]
    worst = max((test.value for test in tests if math.isfinite(test.value)), default=math.nan)
    return (
        why.number(f"{name}_difference", found.value, found.reason),
        why.number(f"{name}_p", worst, tests[0].reason or found.reason),
        why.number(f"{name}_p_robust", found.prewhitened_p_value, found.reason),
    )
