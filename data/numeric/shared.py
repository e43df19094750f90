"""Pieces of a strategy's arithmetic that many parameter sets have in common, computed once.

A function decorated with ``shared`` takes the known face of a panel and plain numbers or words. While
``sharing`` is on for that face (a sweep turns it on), its result is kept, read-only, and given to whoever
asks with the same arguments; at other times the function is called as it is. What was not asked for the
longest is dropped first once the results take more than the permitted memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.numeric.keys import key_of

Piece = TypeVar("Piece", bound=Callable[..., NDArray[Any]])

MEBIBYTE = 2**20

_stores: dict[int, _Store] = {}


class _Store:
    """Results by function and arguments; of two threads that ask for one at a time, one computes it."""

    def __init__(self, most_bytes: int, again: bool) -> None:
        self.again = again
        self._most = most_bytes
        self._bytes = 0
        self._results: OrderedDict[Any, NDArray[Any]] = OrderedDict()
        self._under_way: dict[Any, threading.Event] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        while True:
            with self._lock:
                if key in self._results:
                    self._results.move_to_end(key)
                    return self._results[key]
                waiting = self._under_way.get(key)
                if waiting is None:
                    self._under_way[key] = threading.Event()
                    break
            waiting.wait()
        try:
            result = np.asarray(compute())
            result.flags.writeable = False
            with self._lock:
                self._results[key] = result
                self._bytes += result.nbytes
                while self._bytes > self._most and len(self._results) > 1:
                    self._bytes -= self._results.popitem(last=False)[1].nbytes
        finally:
            with self._lock:
                self._under_way.pop(key).set()
        return result


def shared(function: Piece) -> Piece:
    """Return ``function(known, *values)`` so that its results are kept while sharing is on for ``known``."""

    @wraps(function)
    def wrapped(known: Any, *values: Any) -> NDArray[Any]:
        store = _stores.get(id(known))
        if store is None:
            return function(known, *values)
        return store.get((function, key_of(values)), lambda: function(known, *values))

    return wrapped  # type: ignore[return-value]


def asked_again(known: Any) -> bool:
    """Return whether sharing is on for ``known``, and what is asked of it will be asked again."""
    store = _stores.get(id(known))
    return store is not None and store.again


@contextmanager
def sharing(known: Any, megabytes: int = 32, *, again: bool = False) -> Iterator[None]:
    """Keep the results of shared functions on ``known`` within the block, up to so much memory.

    ``again``: with other arguments they will be asked again, so that what they are made of is worth keeping.
    """
    outer = _stores.get(id(known))
    if outer is not None:
        yield
        return
    _stores[id(known)] = _Store(megabytes * MEBIBYTE, again)
    try:
        yield
    finally:
        del _stores[id(known)]
