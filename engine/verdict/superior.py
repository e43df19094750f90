"""Tests of superior predictive ability, and stepwise ones, of all trials against one benchmark or several.

Beyond ``MEMORY`` bytes the trials are tested in chunks on the same draws, and the maxima of the chunks are
joined: that is the same p-value, without its two bounds, and the stepwise test stops after its first step,
which can only miss survivors. The block length is that of the selected trial's differential: the longest of a
thousand columns would be chance. Benchmarks that are known on the same sessions and ask for the same length
share draws, and the sums over them, which are most of the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.statistics.estimate import Estimate, Floats
from engine.statistics.paths import compared
from engine.statistics.resampling import counted, means_of_counts, resampled_p_value, too_few_blocks
from engine.statistics.superiority import Superiority, first_step, superiority
from engine.verdict.reasons import block_length
from engine.verdict.sample import Sample
from engine.verdict.table import Table

MEMORY = 300_000_000  # bytes that the tests may take
BYTES_A_CELL = 64  # of differentials, and what is computed of them
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
    blocks = [
        _block(compared(sample.chosen, each), each[rows])
        for each, rows in zip(benchmarks, known, strict=True)
    ]
    alike: dict[tuple[bytes, float], list[int]] = {}
    for place, (rows, block) in enumerate(zip(known, blocks, strict=True)):
        alike.setdefault((rows.tobytes(), block.value), []).append(place)
    found: dict[int, Superior] = {}
    for (_, length), places in alike.items():
        tests = _tests(sample.returns, [benchmarks[each] for each in places], length, seed, resamples, level)
        found |= dict(zip(places, tests, strict=True))
    return blocks, [found[place] for place in range(len(benchmarks))]


def _block(chosen: Floats, index: Floats) -> Estimate:
    """Return the block length of the selected trial's differential.

    A winner that is the benchmark has none, though other trials may: then it is that of the benchmark.
    """
    block = block_length(chosen - index)
    return block_length(index) if block.reason is not None and len(index) else block


def _tests(
    returns: Table, benchmarks: Sequence[Floats], block: float, seed: int, resamples: int, level: float
) -> list[Superior]:
    """Test (T, n) returns against each of the benchmarks (T,), which are known on the same sessions."""
    known, columns = np.isfinite(benchmarks[0]), returns.shape[1]
    indices = [each[known] for each in benchmarks]
    rows = len(indices[0])
    if not rows:
        nothing = Superior(math.nan, math.nan, math.nan, frozenset(), 0, 0, NO_BENCHMARK)
        return [nothing] * len(benchmarks)
    size = max(1, int(MEMORY // (rows * BYTES_A_CELL + 32 * resamples)))
    whole = columns <= size
    counts = None
    if too_few_blocks(block, rows) is None:
        counts = list(counted(rows, block, resamples, seed))
    test = partial(superiority, block=block, seed=seed, resamples=resamples, level=level, bounds=whole)
    parts: list[list[Superiority]] = [[] for _ in benchmarks]
    for some in [returns.columns(np.arange(columns))] if whole else _chunks(returns, size):
        values = compared(some, benchmarks[0])
        means = None if counts is None else means_of_counts(np.column_stack([values, *indices]), counts)
        for place, index in enumerate(indices):
            beside = None
            if means is not None:
                beside = means[:, : values.shape[1]] - means[:, [values.shape[1] + place]]
            parts[place].append(test(values - index[:, np.newaxis], resampled=beside))
    return [_joined(of_index, level, resamples) for of_index in parts]


def _chunks(returns: Table, size: int) -> Iterator[Floats]:
    """Yield the columns, ``size`` of them at a time or what a block of the table has."""
    for _, some in returns.blocks():
        for begin in range(0, some.shape[1], size):
            yield some[:, begin : begin + size]


def _joined(parts: Sequence[Superiority], level: float, resamples: int) -> Superior:
    """Return what the tests of chunks, side by side, come to together."""
    columns = sum(len(part.studentised) for part in parts)
    usable = [part for part in parts if part.reason is None]
    if not usable:
        return Superior(math.nan, math.nan, math.nan, frozenset(), 0, 0, parts[0].reason)
    excluded = sum(len(part.excluded) for part in parts)
    notes = (
        (f"trials not tested because they never differ from the benchmark: {excluded}",) if excluded else ()
    )
    if len(parts) == 1:
        (part,) = parts
        return Superior(
            part.p_value,
            part.p_lower,
            part.p_upper,
            frozenset(part.survivors),
            columns - excluded,
            part.resamples,
            notes=notes,
        )
    statistic = max(part.statistic for part in usable)
    maxima = np.max([part.simulated for part in usable], axis=0)
    studentised = np.concatenate([part.studentised for part in parts])
    return Superior(
        1.0 if statistic <= 0.0 else resampled_p_value(maxima, statistic),
        math.nan,
        math.nan,
        frozenset(np.flatnonzero(first_step(studentised, maxima, level)).tolist()),
        columns - excluded,
        resamples,
        bounds=f"not computed for {columns} trials, which are tested in {len(parts)} chunks",
        notes=(*notes, "the stepwise test stops after its first step: it may miss survivors"),
    )
