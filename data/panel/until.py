"""The known face as it was before one session, or with another future; nothing private of it can be reached.

A strategy that says the same of the past whatever the future is, and whether there is one, does not look
ahead: ``engine.strategy.causality`` asks it on both.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import ValidationError
from data.panel.facts import IndexWeights

# Noise is far larger than what one session moves, so that it outlasts ranks and windows.
SPREAD = 0.5


class _View(ABC):
    """The known face, every array altered in one way; ValidationError for its private names."""

    def __init__(self, known: Any, row: int) -> None:
        self.__known = known
        self.__row = row

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known, row = self.__known, self.__row
        if name.startswith("_"):
            raise ValidationError(
                f"a strategy looks ahead: it reaches for `{name}` of the panel, which holds the future too",
                hint="Read what `known` has under public names: all of it was public before the open.",
            )
        value = getattr(known, name)
        if name == "calendar":
            return value  # announced in advance
        if isinstance(value, np.ndarray):
            return self._altered(value, row, name)
        if name == "until":
            return lambda end: Until(self, end)
        if name == "index_weights":
            return lambda code: self._files(value(code), row)
        if callable(value):
            return _each(value, lambda result, words: self._altered(result, row, f"{name}{words}"))
        return value

    @abstractmethod
    def _altered(self, values: NDArray[Any], row: int, name: str) -> NDArray[Any]: ...

    @abstractmethod
    def _files(self, files: tuple[IndexWeights, ...], row: int) -> tuple[IndexWeights, ...]: ...


class Until(_View):
    """The known face as it was before the open of session ``row``: every array ends there."""

    def _altered(self, values: NDArray[Any], row: int, name: str) -> NDArray[Any]:
        return values[: row + 1]

    def _files(self, files: tuple[IndexWeights, ...], row: int) -> tuple[IndexWeights, ...]:
        return tuple(each for each in files if each.row <= row)


class Copied(Until):
    """The same in arrays of its own, of which none is a window on a longer one."""

    def _altered(self, values: NDArray[Any], row: int, name: str) -> NDArray[Any]:
        result = values[: row + 1].copy()
        result.flags.writeable = False
        return result


class OtherFuture(_View):
    """The known face with other numbers after ``row``, and as many sessions and funds.

    Later rows stand in reverse order, times noise, which also turns signs where there are two. Days stay.
    Because no array has another shape, arithmetic on the rows up to ``row`` is done in the same order: what
    an honest strategy says of them has the same bits.
    """

    def _altered(self, values: NDArray[Any], row: int, name: str) -> NDArray[Any]:
        if values.dtype.kind == "M" or row + 1 >= len(values):
            return values
        later = values[row + 1 :][::-1]
        if values.dtype.kind == "f":
            rng = np.random.default_rng([row, zlib.crc32(name.encode())])
            later = later * np.exp(SPREAD * rng.standard_normal(later.shape))
            if (values < 0.0).any():
                later = np.where(rng.random(later.shape) < 0.5, -later, later)
        result = np.concatenate((values[: row + 1], later))
        result.flags.writeable = False
        return result

    def _files(self, files: tuple[IndexWeights, ...], row: int) -> tuple[IndexWeights, ...]:
        return tuple(each if each.row <= row else _reversed(each) for each in files)


def _reversed(file: IndexWeights) -> IndexWeights:
    """Return a file in which the constituents have each other's weights."""
    weights = dict(zip(file.weights, reversed(list(file.weights.values())), strict=True))
    return replace(file, weights=weights)


def _each(
    method: Callable[..., NDArray[Any]], alter: Callable[[NDArray[Any], str], NDArray[Any]]
) -> Callable[..., NDArray[Any]]:
    return lambda *given, **named: alter(method(*given, **named), f"{given}{named}")
