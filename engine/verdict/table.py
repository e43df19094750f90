"""The returns of all trials as blocks of columns, which are on the disk where they are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from data.numeric.on_disk import let_go, put_down_together
from engine.statistics.estimate import Floats, Integers

BLOCK = 256  # columns at most


class Table:
    """Returns of trials, (T, N), read a block of columns at a time.

    A block has one column only where the table has: numpy adds up the rows of a lone column in another order.
    """

    def __init__(self, blocks: Sequence[Floats]) -> None:
        self._blocks = tuple(blocks)
        self.shape = (len(blocks[0]), sum(each.shape[1] for each in blocks))

    def __len__(self) -> int:
        return self.shape[0]

    @classmethod
    def of(cls, returns: Floats | Table) -> Table:
        """Return an array as a table of itself."""
        if isinstance(returns, Table):
            return returns
        return cls([returns[:, begin:end] for begin, end in _bounds(returns.shape[1])])

    @classmethod
    def filled(cls, rows: int, columns: int, pieces: Iterable[Floats]) -> Table:
        """Return the table of so many columns that pieces (T, k) have, one after the other."""
        return cls(put_down_together(_blocks(rows, columns, pieces)))

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        """Yield each block, (T, k), with its first column."""
        begin = 0
        for block in self._blocks:
            yield begin, block
            begin += block.shape[1]
            let_go(block)

    def first(self, columns: int) -> Table:
        """Return the table of the first so many columns, one at least."""
        return Table([block[:, : columns - begin] for begin, block in self.blocks() if begin < columns])

    def columns(self, numbers: Integers) -> Floats:
        """Return columns by their numbers, (T, len(numbers))."""
        found = np.empty((len(self), len(numbers)))
        for begin, block in self.blocks():
            here = np.flatnonzero((numbers >= begin) & (numbers < begin + block.shape[1]))
            found[:, here] = block[:, numbers[here] - begin]
        return found

    def column(self, number: int) -> Floats:
        """Return one column, (T,)."""
        return self.columns(np.array([number]))[:, 0]


def _blocks(rows: int, columns: int, pieces: Iterable[Floats]) -> Iterator[Floats]:
    """Yield the blocks of so many columns that pieces have."""
    waiting, piece = iter(pieces), np.empty((rows, 0))
    for begin, end in _bounds(columns):
        block, filled = np.empty((rows, end - begin)), 0
        while filled < end - begin:
            piece = piece if piece.shape[1] else next(waiting)
            some = piece[:, : end - begin - filled]
            block[:, filled : filled + some.shape[1]] = some
            piece, filled = piece[:, some.shape[1] :], filled + some.shape[1]
        yield block


def _bounds(columns: int) -> list[tuple[int, int]]:
    """Return the first column of each block and the one behind it."""
    edges = np.linspace(0, columns, max(-(-columns // BLOCK), 1) + 1).round().astype(int).tolist()
    return list(pairwise(edges))
