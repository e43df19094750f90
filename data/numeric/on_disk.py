"""Arrays put down on the disk, in files without a name: what is read now and then takes no memory between."""

from __future__ import annotations

import mmap
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

SMALL = 1_000_000  # bytes for which no file is worth it

Floats = NDArray[np.float64]


def put_down(array: Floats) -> Floats:
    """Return the array, read-only, in a file of the temporary folder, which goes with the last that reads it.

    What is small, or finds no room there, stays in memory.
    """
    if array.nbytes < SMALL:
        return array
    try:
        with TemporaryFile() as file:
            file.write(np.ascontiguousarray(array).data)
            file.flush()
            held = mmap.mmap(file.fileno(), array.nbytes, access=mmap.ACCESS_READ)
    except OSError:  # no such folder, or it is full
        return array
    return np.frombuffer(held).reshape(array.shape)


def let_go(array: Floats) -> None:
    """Give the memory of what was put down back, until it is read again; of other arrays, do nothing."""
    held: object = array
    while isinstance(held, np.ndarray):
        held = held.base
    if isinstance(held, memoryview) and isinstance(held.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        held.obj.madvise(mmap.MADV_DONTNEED)
