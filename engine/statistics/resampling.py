"""Resampled rows: draws of blocks of a history with a seed, and sums over them for many columns at once.

1. ``optimal_block`` chooses the mean block length from the data, through arch.
2. ``stationary_draws`` yields the row numbers of one resample after the other, those of arch's stationary
   bootstrap.
3. ``counted`` says how often a resample has each row, ``means_of_counts`` adds up the rows, so rounded that
   the sums are exact, in whatever order a product of matrices takes them.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import types
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import UsageError
from data.numeric.compiled import compiled, frozen, loaded
from engine.on_demand import imported
from engine.statistics.estimate import (
    NO_VARIATION,
    Estimate,
    Floats,
    Integers,
    check_at_least,
    known,
    undefined,
)

Counts = NDArray[np.uint16]

FEWEST_BLOCKS = 4
SHORTEST_FOR_BLOCKS = 11  # rows; below it the automatic choice may look at lags that do not exist
CELLS = 65_536  # of row numbers that are drawn at a time: half a megabyte, which stays in the cache
COUNTED = 256  # draws that are counted at a time
LEAST_EXPONENT = -1022  # of the smallest number whose inverse is one


def optimal_block(returns: ArrayLike) -> Estimate:
    """Return the mean block length for a (T,) series or the columns of (T, N): at least 1, rounded up.

    The larger of the automatic lengths for returns and for squared returns, the longest among columns. NaN
    with a reason for fewer than eleven rows, or if nothing varies. Source: Politis and White (2004),
    corrected by Patton, Politis and White (2009); arch starts one lag later than the text.
    """
    (values,) = known(returns)
    if len(values) < SHORTEST_FOR_BLOCKS or not values.size:
        return undefined(f"it takes at least {SHORTEST_FOR_BLOCKS} rows to choose a block length")
    columns = values.reshape(len(values), -1)
    candidates = np.hstack([columns, columns**2])
    varying = candidates[:, candidates.std(axis=0) > NO_VARIATION]
    if not varying.shape[1]:
        return undefined("returns do not vary")
    lengths = _arch().optimal_block_length(varying / varying.std(axis=0))["stationary"].to_numpy()
    if not np.isfinite(lengths).any():
        return undefined("the autocorrelations of the returns are undefined")
    return Estimate(float(max(1, math.ceil(np.nanmax(lengths)))))


def too_few_blocks(block: float, rows: int) -> str | None:
    """Return why a history is too short to be resampled in blocks, or None."""
    if math.isnan(block):  # what `optimal_block` says of data too short to choose from
        return "the block length is undefined"
    check_at_least("the block length", block, 1.0)
    if rows < 3:
        return "it takes at least three rows"
    if rows < FEWEST_BLOCKS * block:
        return f"fewer than {FEWEST_BLOCKS} blocks: {rows} rows in blocks of {block:g}"
    return None


def check_draws(resamples: int, seed: int) -> None:
    """Raise UsageError unless there is something to draw, from a seed that is a whole number."""
    check_at_least("the number of resamples", resamples, 1)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise UsageError(
            "the seed is not a valid one", received=repr(seed), limit="a whole number, 0 or more"
        )


def stationary_draws(rows: int, block: float, resamples: int, seed: int) -> Iterator[Integers]:
    """Yield ``resamples`` arrays of ``rows`` row numbers, in circular blocks of mean length ``block``.

    The same seed gives the same draws, and more resamples begin with those of fewer. Source: Politis and
    Romano (1994).
    """
    for some in drawn(rows, block, resamples, seed, max(1, CELLS // max(rows, 1))):
        yield from some


def drawn(rows: int, block: float, resamples: int, seed: int, size: int) -> Iterator[Integers]:
    """Yield the ``stationary_draws``, (K, T), so many at a time.

    Where the compiler is loaded, they are drawn in machine code: arch's, to the last bit, in a third of the
    time.
    """
    check_draws(resamples, seed)
    check_at_least("the block length", block, 1.0)
    parts = [min(size, resamples - start) for start in range(0, resamples, size)]
    if loaded():
        random = np.random.default_rng(int(seed))
        for count in parts:
            found = np.empty((count, rows), dtype=np.int64)
            compiled(write_draws)(random, 1.0 / block, found)
            yield found
        return
    bootstrap = _arch().StationaryBootstrap(block, np.arange(rows), seed=int(seed))
    for count in parts:
        yield np.array([bootstrap.update_indices() for _ in range(count)], dtype=np.int64)


def write_draws(random: np.random.Generator, share: float, found: Integers) -> None:
    """Write draws (K, T) of blocks that end with the probability ``share``, in machine code, as arch does."""
    rows = found.shape[1]
    for draw in found:
        begins = random.integers(0, rows, (rows,))
        chances = random.random((rows,))
        # Arithmetic instead of branches, every other of which would be guessed wrong: first how far a row is
        # ahead of its place in the draw, which is the same throughout a block, then the row.
        ahead = begins[0]
        draw[0] = ahead
        for place in range(1, rows):
            goes_on = np.int64(chances[place] > share)
            begun = begins[place] - place
            ahead = begun + goes_on * (ahead - begun)
            draw[place] = ahead
        for place in range(1, rows):
            row = draw[place] + place
            draw[place] = row - rows if row >= rows else row


def counted(rows: int, block: float, resamples: int, seed: int) -> Iterator[Counts]:
    """Yield how often each of the ``stationary_draws`` has each row, (K, T), so many at a time."""
    for some in drawn(rows, block, resamples, seed, COUNTED):
        yield counts_of(some, rows)


def counts_of(draws: Integers, rows: int) -> Counts:
    """Return how often each draw (K, n) has each of so many rows, (K, T)."""
    counts = np.zeros((len(draws), rows), dtype=np.uint16)
    if loaded():
        compiled(add_counts)(frozen(draws), counts)
    else:
        for place, each in enumerate(draws):
            counts[place] = np.bincount(each, minlength=rows)
    return counts


def add_counts(draws: Integers, counts: Counts) -> None:
    """Add to ``counts`` (K, T) how often each of the draws has each row, in machine code."""
    for draw in range(len(draws)):
        for row in draws[draw]:
            counts[draw, row] += 1


def means_of_counts(matrix: Floats, counts: Iterable[Counts]) -> Floats:
    """Return the mean of each column of (T, N), finite, over each draw, given what ``counted`` gives."""
    rows, columns = matrix.shape
    exact = summable(matrix, rows)
    chunks = [each.astype(np.float64) @ exact / rows for each in counts]
    return np.concatenate(chunks) if chunks else np.empty((0, columns))


def summable(matrix: Floats, terms: int) -> Floats:
    """Return (T, N) rounded so that a sum of ``terms`` of its rows, repeated as one likes, is exact.

    All such sums of a column are whole multiples of one power of two, fewer than 2^53 of them. So a product
    of matrices gives the same bits on every processor, with every library and number of threads. What is
    rounded off is below ``terms`` times 2^-52 of the largest value of the column, or no normal number.
    """
    largest = np.maximum(matrix.max(axis=0, initial=0.0), -matrix.min(axis=0, initial=0.0))
    exponents = np.maximum(np.frexp(largest * terms)[1] - 52, LEAST_EXPONENT)
    exact: Floats = matrix * np.ldexp(1.0, -exponents)
    np.rint(exact, out=exact)
    exact *= np.ldexp(1.0, exponents)
    return exact


def resampled_p_value(simulated: Floats, statistic: float) -> float:
    """Return ``(1 + #{simulated >= statistic}) / (B + 1)``, never zero."""
    return (1.0 + float(np.count_nonzero(simulated >= statistic))) / (len(simulated) + 1.0)


class _LoadedLater(types.ModuleType):
    """A package that can be imported from, and runs its own code when somebody asks for what it defines."""

    def __getattr__(self, name: str) -> Any:
        self.__class__ = types.ModuleType  # type: ignore[assignment]
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(self)
        return getattr(self, name)


@cache
def _arch() -> Any:
    """Return ``arch.bootstrap``, without the models of volatility that ``arch`` loads, and distributions.

    They would take half a second, and more than one.
    """
    spec = None if "arch" in sys.modules else importlib.util.find_spec("arch")
    if spec is not None:
        package = importlib.util.module_from_spec(spec)
        package.__class__ = _LoadedLater
        sys.modules["arch"] = package
    return imported("arch.bootstrap", without=("scipy.stats",))
