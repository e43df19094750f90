"""Where tables come from: the demo market, or the folder of a store.

A store keeps rows under the symbol under which they were published. Whoever reads it (:func:`renamed`) sees a
fund that got another symbol as one fund: its rows before the day of a `rename` stand under the later symbol.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pandas as pd

from data.errors import DataError, UsageError
from data.facts.actions import RENAME
from data.store.columns import Columns, read_columns
from data.store.manifest import MANIFEST
from data.store.spans import Span, day_of, measured, spans_of
from data.store.store import Store
from data.store.tables import table as schema_of


class Readable(Protocol):
    """What checks need of a data source."""

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table, of all symbols or of some; without rows if there are none."""


__all__ = ["DataSource", "Readable", "Renamed", "Span", "open_source", "renamed", "renewal", "spans_of"]


class DataSource(Protocol):
    """Where tables come from: a store, or the demo market."""

    name: str
    default_benchmark: str | None

    @property
    def synthetic(self) -> bool:
        """Whether the market is made up, or rows of a made-up one were written into it."""
        ...

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table sorted by key, all or those of some symbols; no rows if it has none."""
        ...


def renewal(source: DataSource | None) -> str:
    """Return the command that brings newer rows: a store that was fetched is updated, files are imported."""
    folder = getattr(source, "folder", None)
    store = "STORE" if folder is None else shlex.quote(str(folder))
    words = "update" if getattr(source, "recipe", None) else "import FILES"
    return f"etflow data {words} --data {store}"


Source = TypeVar("Source", bound=Readable)


class Renamed:
    """A source whose funds have one symbol for all of their history; see :func:`renamed`."""

    def __init__(self, source: Any, renames: pd.DataFrame) -> None:
        self._source = source
        self._renames = list(
            renames.sort_values("ex_day", kind="stable")[["symbol", "successor", "ex_day"]].itertuples(
                index=False
            )
        )

    def __getattr__(self, name: str) -> Any:
        """Return what the source has besides tables: its name, its folder, whether it is made up."""
        return getattr(self.__dict__["_source"], name)

    @property
    def successors(self) -> Mapping[str, str]:
        """The symbol that a fund has at last, by each that it had before."""
        return {old: last for _, last, old in self.renames}

    @property
    def renames(self) -> tuple[tuple[date, str, str], ...]:
        """From which day on, the symbol that the fund has at last, the one that it had until then; by day."""
        last: dict[str, str] = {}
        found = []
        for old, new, day in reversed(self._renames):
            last[old] = last.get(new, new)
            found.append((day.date(), last[old], old))
        return tuple(reversed(found))

    def spans(self, table: str) -> Mapping[str, Span]:
        """Return the series of a table under the symbols of :attr:`successors`, their rows and days."""
        spans, schema = spans_of(self._source, table), schema_of(table)
        if schema.key[0] != "symbol" or not day_of(schema):
            return spans
        concerned = {name for rename in self._renames for name in rename[:2]}
        others = {name: span for name, span in spans.items() if name not in concerned}
        return dict(sorted((others | measured(schema, self.read(table, sorted(concerned)))).items()))

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table, as the source does, under the symbols of :attr:`successors`.

        A row that is there under both stays as the later symbol has it. Rows of the old one from the day of
        the rename on are another fund's, which was given the symbol.
        """
        schema = schema_of(table)
        day = day_of(schema)
        if schema.key[0] != "symbol" or not day:
            rows: pd.DataFrame = self._source.read(table, symbols)
            return rows
        wanted = None
        if symbols is not None:
            last = self.successors
            wanted = [*symbols, *(old for old in last if last[old] in symbols and old not in symbols)]
        frame: pd.DataFrame = self._source.read(table, wanted)
        named = frame["symbol"]
        for old, new, from_day in self._renames:
            earlier = (named == old) & (frame[day] < from_day)
            named = named.where(~earlier, new)
        moved = named != frame["symbol"]
        if moved.any():
            frame = frame.assign(symbol=named, moved=moved).sort_values(
                [*schema.key, "moved"], kind="stable", ignore_index=True
            )
            frame = frame.drop_duplicates(list(schema.key)).drop(columns="moved")
        if symbols is not None:
            frame = frame[frame["symbol"].isin(list(symbols))]
        return frame.reset_index(drop=True)

    def columns(self, table: str, parts: Iterable[Sequence[str]]) -> Iterator[Columns]:
        """Yield the columns of a table, as ``read`` has its rows, some series after the others."""
        return read_columns(self, table, parts)


def renamed(source: Source) -> Source:
    """Return a source under the later symbol of each fund that got another; itself if there is none."""
    if isinstance(source, Renamed):
        return source
    actions = source.read("actions")
    renames = actions[(actions["kind"] == RENAME) & actions["successor"].notna()]
    return cast("Source", Renamed(source, renames)) if len(renames) else source


# What stands for the made-up market where the folder of a store may be named.
DEMO = "demo"


def store_to_write(name: str) -> Store:
    """Return the store in a folder that may be new; UsageError for the name that would hide it."""
    if name == DEMO:
        raise UsageError(
            f"`--data {DEMO}` is the made-up market, not a store",
            hint=f"Name another folder; ./{DEMO} is one that is called so.",
        )
    return Store(Path(name))


def open_source(name: str | Path) -> DataSource:
    """Return the demo market for ``demo``, else the store in that folder; DataError if there is none."""
    if str(name) == DEMO:
        from data.demo import Demo

        return Demo()
    folder = Path(name)
    if not (folder / MANIFEST).is_file():
        what = "is not a store" if folder.exists() else "does not exist"
        raise DataError(
            f"the data folder `{folder}` {what}",
            hint=f"Make one with `data import FILES --data {folder}`, or use `--data demo`.",
        )
    return Store(folder)
