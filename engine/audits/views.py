"""Views of a panel: what was read of it, and the known face in another order, or from a later session on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What says where the arrays are, and is no datum.
FRAME = ("days", "calendar", "symbols", "index_codes", "until", "tracked", "families")
BY_FUND = ("symbols", "tracked", "families")


class Recorder:
    """The known face, which writes the names of what is read of it into ``reads``, in order, once each."""

    def __init__(self, known: Any, reads: dict[str, None]) -> None:
        self._recorded = known
        self._reads = reads

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._recorded, name)
        if name == "until":
            return lambda row: Recorder(value(row), self._reads)
        if callable(value):
            return lambda *given: self._called(name, value, given)
        if name not in FRAME:
            self._reads[name] = None
        return value

    def _called(self, name: str, method: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        self._reads[f"{name}({', '.join(map(str, given))})"] = None
        return method(*given)


class View:
    """The known face with its funds in another order, and from a session on.

    ``columns`` are those of the known face in the order of the view; -1 is a fund of which nothing is known,
    called ``stranger``. ``since`` is the first row; files of index weights count from it.
    """

    def __init__(
        self, known: Any, columns: NDArray[np.int64] | None = None, *, since: int = 0, stranger: str = ""
    ) -> None:
        self._of = known
        self._columns = np.arange(len(known.symbols)) if columns is None else columns
        self._since = since
        self._stranger = stranger

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._of, name)
        if name == "calendar":
            return value
        if name in BY_FUND:
            other = self._stranger if name == "symbols" else value[0] if value else None
            return tuple(value[column] if column >= 0 else other for column in self._columns.tolist())
        if name == "index_weights":
            return self._files(value)
        if name == "session_of":  # rows count from where the view begins
            return lambda datum: self._seen(np.maximum(value(datum) - self._since, -1))
        if callable(value) and not name.startswith("_"):
            return lambda *given: self._seen(value(*given))
        return self._seen(value)

    def _files(self, method: Callable[[str], Any]) -> Callable[[str], Any]:
        return lambda code: tuple(replace(each, row=max(each.row - self._since, 0)) for each in method(code))

    def _seen(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        value = value[self._since :]
        if value.ndim < 2:
            return value
        nothing = False if value.dtype == bool else -1 if value.dtype.kind == "i" else np.nan
        wider = np.hstack([value, np.full((len(value), 1), nothing, dtype=value.dtype)])
        seen = np.ascontiguousarray(wider[:, self._columns])
        seen.flags.writeable = False
        return seen
