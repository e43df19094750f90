"""Arrays put down on the disk, in files without a name: what is read now and then takes no memory between."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterable
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

SMALL = 1_000_000  # bytes for which no file is worth it

Floats = NDArray[np.float64]


def put_down(array: Floats) -> Floats:
    """Return the array, read-only, in a file of the temporary folder, which goes with the last that reads it.

    What is small, or finds no room there, stays in memory.
    """
    return put_down_together([array])[0]


def put_down_together(arrays: Iterable[Floats]) -> list[Floats]:
    """Return the same of several arrays in one file, each asked for once that before it is written.

    A file counts as open, of which a process may have few, as long as any of its arrays is held.
    """
    found: list[Floats] = []
    written: dict[int, tuple[int, tuple[int, ...]]] = {}
    end, has_room = 0, True
    with ExitStack() as stack:
        file: IO[bytes] | None = None
        for array in arrays:
            if array.nbytes >= SMALL and has_room:
                try:
                    file = file or stack.enter_context(TemporaryFile(buffering=0))
                    _write(file, array)
                except OSError:  # no such folder, or it is full
                    has_room = False
                else:
                    written[len(found)] = end, array.shape
                    end += array.nbytes
                    array = np.empty(0)
            found.append(array)
        if file is not None and end:
            held = _held(file, end)
            for place, (begin, shape) in written.items():
                found[place] = np.frombuffer(held, count=math.prod(shape), offset=begin).reshape(shape)
    return found


def let_go(array: Floats) -> None:
    """Give the memory of what was put down back, until it is read again; of other arrays, do nothing."""
    held: object = array
    while isinstance(held, np.ndarray):
        held = held.base
    if isinstance(held, memoryview) and isinstance(held.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        held.obj.madvise(mmap.MADV_DONTNEED)


def _write(file: IO[bytes], array: Floats) -> None:
    left = np.ascontiguousarray(array).data.cast("B")
    while left:
        left = left[file.write(left) :]


def _held(file: IO[bytes], size: int) -> mmap.mmap | bytes:
    """Return so many bytes of a file where they are, or in memory where no more can be open."""
    try:
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    except OSError:
        file.seek(0)
        return file.read()
