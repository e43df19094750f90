"""Tests of superior predictive ability, and stepwise ones, of all trials against one benchmark or several.

Beyond ``MEMORY`` bytes the trials are tested in chunks on the same draws, and the maxima of the chunks are
joined: that is the same p-value, without its two bounds, and the stepwise test stops after its first step,
which can only miss survivors. The block length is that of the selected trial's differential: the longest of a
thousand columns would be chance. Benchmarks that are known on the same sessions and ask for the same length
share draws, and the sums over them, which are most of the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.statistics.estimate import Estimate, Floats
from engine.statistics.long_run import bootstrap_variances
from engine.statistics.paths import compared
from engine.statistics.resampling import counted, means_of_counts, resampled_p_value, too_few_blocks
from engine.statistics.superiority import Superiority, superiority
from engine.verdict.reasons import block_length
from engine.verdict.sample import Sample

MEMORY = 300_000_000  # bytes that the tests may take
BYTES_A_CELL = 64  # of differentials, and what is computed of them
CHUNK = 512  # trials of one, where there are several
NO_BENCHMARK = "there is no benchmark"


@dataclass(frozen=True)
class Superior:
    """What came out against one benchmark; numbers are NaN with ``reason``, bounds with ``bounds``."""

    p_value: float
    p_lower: float
    p_upper: float
    survivors: frozenset[int]
    tested: int
    resamples: int
    reason: str | None = None
    bounds: str | None = None
    notes: tuple[str, ...] = ()


def superior(
    sample: Sample, benchmarks: Sequence[Floats], *, seed: int, resamples: int, level: float
) -> tuple[list[Estimate], list[Superior]]:
    """Return the block length for each of the benchmarks (T,), NaN where one is not known, and its test.

    Over a gap of a benchmark both are of the gap.
    """
    known = [np.isfinite(each) for each in benchmarks]
    levels = [each[rows] for each, rows in zip(benchmarks, known, strict=True)]
    returns = [compared(sample.returns, each) for each in benchmarks]
    blocks = [_block(each[:, sample.selected], index) for each, index in zip(returns, levels, strict=True)]
    alike: dict[tuple[bytes, float], list[int]] = {}
    for place, (rows, block) in enumerate(zip(known, blocks, strict=True)):
        alike.setdefault((rows.tobytes(), block.value), []).append(place)
    found: dict[int, Superior] = {}
    for (_, length), places in alike.items():
        indices = [levels[place] for place in places]
        tests = _tests(returns[places[0]], indices, length, seed, resamples, level)
        found |= dict(zip(places, tests, strict=True))
    return blocks, [found[place] for place in range(len(benchmarks))]


def _block(chosen: Floats, index: Floats) -> Estimate:
    """Return the block length of the selected trial's differential.

    A winner that is the benchmark has none, though other trials may: then it is that of the benchmark.
    """
    block = block_length(chosen - index)
    return block_length(index) if block.reason is not None and len(index) else block


def _tests(
    returns: Floats, benchmarks: Sequence[Floats], block: float, seed: int, resamples: int, level: float
) -> list[Superior]:
    """Test (T, n) returns against those of each of the benchmarks (T,), all known."""
    rows, columns = returns.shape
    if not rows:
        nothing = Superior(math.nan, math.nan, math.nan, frozenset(), 0, 0, NO_BENCHMARK)
        return [nothing] * len(benchmarks)
    size = max(1, int(MEMORY // (rows * BYTES_A_CELL + 32 * resamples)))
    whole = columns <= size
    # What comes out does not depend on the size of chunks, once there are several.
    size = columns if whole else min(size, CHUNK)
    counts = None
    if too_few_blocks(block, rows) is None:
        drawn = counted(rows, size, block, resamples, seed)
        counts = drawn if whole else list(drawn)
    test = partial(superiority, block=block, seed=seed, resamples=resamples, level=level, bounds=whole)
    parts: list[list[tuple[int, Superiority]]] = [[] for _ in benchmarks]
    for start in range(0, columns, size):
        some = returns[:, start : start + size]
        means = None if counts is None else means_of_counts(np.column_stack([some, *benchmarks]), counts)
        for place, index in enumerate(benchmarks):
            beside = None
            if means is not None:
                beside = means[:, : some.shape[1]] - means[:, [some.shape[1] + place]]
            parts[place].append((start, test(some - index[:, np.newaxis], resampled=beside)))
    return [
        _joined(returns, index, block, level, of_index, resamples)
        for index, of_index in zip(benchmarks, parts, strict=True)
    ]


def _joined(
    returns: Floats,
    benchmark: Floats,
    block: float,
    level: float,
    parts: Sequence[tuple[int, Superiority]],
    resamples: int,
) -> Superior:
    """Return what the tests of chunks, by their first columns, come to together."""
    rows, columns = returns.shape
    usable = [(start, part) for start, part in parts if part.reason is None]
    if not usable:
        return Superior(math.nan, math.nan, math.nan, frozenset(), 0, 0, parts[0][1].reason)
    excluded = sum(len(part.excluded) for _, part in parts)
    notes = (
        (f"trials not tested because they never differ from the benchmark: {excluded}",) if excluded else ()
    )
    if len(parts) == 1:
        (part,) = (part for _, part in parts)
        return Superior(
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
        values = returns[:, candidates] - benchmark[:, np.newaxis]
        ratios = values.mean(axis=0) / np.sqrt(bootstrap_variances(values, block) / rows)
        survivors |= {
            int(column)
            for column, ratio in zip(candidates, ratios, strict=True)
            if resampled_p_value(maxima, ratio) <= level
        }
    return Superior(
        1.0 if statistic <= 0.0 else resampled_p_value(maxima, statistic),
        math.nan,
        math.nan,
        frozenset(survivors),
        columns - excluded,
        resamples,
        bounds=f"not computed for {columns} trials, which are tested in {len(parts)} chunks",
        notes=(*notes, "the stepwise test stops after its first step: it may miss survivors"),
    )
