"""Tests of superior predictive ability, and stepwise ones, of all trials against one benchmark or several.

Trials are tested some at a time, so that many take no more memory than few. The block length is that of the
selected trial's differential: the longest of a thousand columns would be chance. Benchmarks that are known on
the same sessions and ask for the same length share draws, and the sums over them, which are most of the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.statistics.estimate import Estimate, Floats
from engine.statistics.paths import compared
from engine.statistics.resampling import Counts, counted, means_of_counts, too_few_blocks
from engine.statistics.superiority import Superiority, SuperiorityTest, untested
from engine.verdict.reasons import block_length
from engine.verdict.sample import Sample
from engine.verdict.table import Table

CELLS = 1_000_000  # means over resamples that are looked at at a time
NO_BENCHMARK = "there is no benchmark"


def superior(
    sample: Sample, benchmarks: Sequence[Floats], *, seed: int, resamples: int, level: float
) -> tuple[list[Estimate], list[Superiority]]:
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
    found: dict[int, Superiority] = {}
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
) -> list[Superiority]:
    """Test (T, n) returns against each of the benchmarks (T,), which are known on the same sessions."""
    known = np.isfinite(benchmarks[0])
    indices = [each[known] for each in benchmarks]
    rows = len(indices[0])
    reason = too_few_blocks(block, rows) if rows else NO_BENCHMARK
    if reason is not None:
        return [untested((rows, returns.shape[1]), block, level, reason)] * len(benchmarks)
    counts = list(counted(rows, block, resamples, seed))

    levels = means_of_counts(np.column_stack(indices), counts)

    def parts(draws: NDArray[np.bool_] | None = None) -> Iterator[tuple[int, Floats, Floats]]:
        """Yield returns (T, k) with their first column, and their means over draws; None: over all."""
        for begin, some in _parts(returns, resamples):
            values = compared(some, benchmarks[0])
            yield begin, values, means_of_counts(values, _of(counts, draws))

    def again(place: int, draws: NDArray[np.bool_]) -> Iterator[tuple[int, Floats]]:
        for begin, _, means in parts(draws):
            yield begin, means - levels[draws, place, np.newaxis]

    tests = [SuperiorityTest(block, level) for _ in benchmarks]
    for _, values, means in parts():
        for place, (test, index) in enumerate(zip(tests, indices, strict=True)):
            test.add(values - index[:, np.newaxis], means - levels[:, place, np.newaxis])
    return [test.result(partial(again, place)) for place, test in enumerate(tests)]


def _of(counts: Sequence[Counts], draws: NDArray[np.bool_] | None) -> Iterable[Counts]:
    """Yield the counts of some of the draws (B,), or of all."""
    if draws is None:
        return counts
    ends = np.cumsum([len(each) for each in counts])
    return (each[some] for each, some in zip(counts, np.split(draws, ends[:-1]), strict=True))


def _parts(returns: Table, resamples: int) -> Iterator[tuple[int, Floats]]:
    """Yield blocks of the table with their first column, in parts where there are many resamples."""
    for begin, block in returns.blocks():
        number = max(block.shape[1] * resamples // CELLS, 1)
        for some in np.array_split(np.arange(block.shape[1]), min(number, max(block.shape[1] // 2, 1))):
            yield begin + int(some[0]), block[:, some[0] : some[-1] + 1]
