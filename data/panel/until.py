"""The known face as it was: everything that it says, up to one session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Until:
    """The known face as it was before the open of one session: every array ends there."""

    def __init__(self, known: Any, row: int) -> None:
        self._known = known
        self._end = row + 1

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._known, name)
        if isinstance(value, np.ndarray):
            return value[: self._end]
        if name == "index_weights":
            return lambda code: tuple(each for each in value(code) if each.row < self._end)
        if callable(value) and not name.startswith("_"):
            return _cut(value, self._end)
        return value


def _cut(method: Callable[..., NDArray[Any]], end: int) -> Callable[..., NDArray[Any]]:
    return lambda *arguments: method(*arguments)[:end]
