"""Samplers that need no memory of what came out: the whole grid, and sets drawn at random.

``RandomSampler``: where all dimensions count, the sets are visited in a random order: a pseudo-random
permutation of their indices (a Feistel network of four rounds over BLAKE2b, walked until it falls into the
range; Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). No set comes twice, nothing is held
in memory, and the search ends with the space. Where a parameter takes any number, draw *i* is made from the
seed and *i* alone. Either way a trial does not depend on outcomes, chunks or workers.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any, Protocol

from data.errors import UsageError
from engine.tuning.dimensions import Interval
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.space import Space, intervals

ROUNDS = 4
# So many draws in a row against the conditions, and they are held to leave nothing.
PATIENCE = 100_000
# Sets that are made ahead, twice as many each time; they are not a batch in any other sense.
AHEAD, MOST_AHEAD = 256, 20_000


class Sampler(Protocol):
    """Proposes sets, batch by batch; the next batch may depend on what became of the last."""

    def propose(self) -> list[Parameters]:
        """Return the next batch; empty where the search has come to its end."""

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Take what became of the last batch, in its order."""


class _Stream:
    """A sampler that hands out a stream of sets and does not look at outcomes."""

    def __init__(self, sets: Iterator[Parameters]) -> None:
        self._sets = sets
        self._ahead = AHEAD

    def propose(self) -> list[Parameters]:
        """Return the next sets of the stream."""
        sets = list(islice(self._sets, self._ahead))
        self._ahead = min(2 * self._ahead, MOST_AHEAD)
        return sets

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Do nothing: the next sets are known."""


class GridSampler(_Stream):
    """Every set that obeys the conditions, in the order of ``Space.sets``."""

    def __init__(self, space: Space) -> None:
        free = intervals(space)
        if free:
            name = free[0].name
            raise UsageError(
                f"a grid cannot have every number of `{name}`",
                received=str(free[0]),
                hint=f"Give a step, as {name}={free[0].low:g}:{free[0].high:g}:STEP, or another --method.",
            )
        super().__init__(space.sets())


class RandomSampler(_Stream):
    """Sets drawn at random, none twice, from a seed."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(_allowed(space, _shuffled(space, seed) if space.discrete else _drawn(space, seed)))


def _shuffled(space: Space, seed: int) -> Iterator[Parameters]:
    size = space.product or 0
    return (space.set_at(permuted(index, size, seed)) for index in range(size))


def _drawn(space: Space, seed: int) -> Iterator[Parameters]:
    for number in count():
        # A text as seed is hashed, so that neighbouring numbers give unrelated draws.
        source = random.Random(f"{seed}:{number}")
        yield {each.name: _draw(each, source.random()) for each in space.dimensions}


def _allowed(space: Space, sets: Iterator[Parameters]) -> Iterator[Parameters]:
    missed = 0
    for parameters in sets:
        if space.allows(parameters):
            missed = 0
            yield parameters
            continue
        missed += 1
        if missed == PATIENCE and not space.exact:
            raise UsageError(
                f"--where refused {PATIENCE} draws in a row",
                received=" and ".join(map(str, space.conditions)),
                hint="Loosen a condition or widen a range.",
            )


def _draw(dimension: Any, share: float) -> Any:
    if isinstance(dimension, Interval):
        return dimension.at(share)
    return dimension.value(int(share * dimension.count))


def permuted(index: int, size: int, seed: int) -> int:
    """Return where a pseudo-random permutation of ``range(size)`` takes ``index``."""
    half = max((size - 1).bit_length() + 1, 2) // 2
    mask = (1 << half) - 1
    key = hashlib.blake2b(str(seed).encode(), digest_size=16).digest()
    width = (half + 7) // 8
    while True:
        left, right = index >> half, index & mask
        for turn in range(ROUNDS):
            block = bytes([turn]) + right.to_bytes(width, "big")
            mixed = hashlib.blake2b(block, key=key, digest_size=8 + width).digest()
            left, right = right, left ^ (int.from_bytes(mixed, "big") & mask)
        index = left << half | right
        if index < size:
            return index
