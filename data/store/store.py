"""The store: a folder of Parquet files, whole or unchanged. Rows on file stay as they are, or are removed.

An append goes through these steps; the store changes in the fifth and in no other, so that a process killed
at any moment leaves either the old store or the new one.

1. Take the lock of the folder; a second writer is refused.
2. Delete files that ``store.json`` does not name: a killed writer left them.
3. Merge the new rows with the old ones in memory; refuse what would change the past.
4. Write each table that changed to a new file, and flush it to the disk.
5. Write the new ``store.json`` under another name and rename it over the old one.
6. Delete the files that only the old ``store.json`` named. Who reads has them open (``data.store.files``),
   and goes on reading what was there when the store was opened.

A removal goes through the same steps, with rows taken out in the third (``data.store.removal``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from data.errors import DataError, UsageError
from data.store.arrivals import ARRIVALS, arrivals_of, arrivals_without
from data.store.columns import Columns
from data.store.files import Rows, Segment, as_rows, keys_of, write_file
from data.store.folder import has_leftovers, lock, refuse_foreign, sweep, writing
from data.store.manifest import BESIDE, MANIFEST, Manifest, read_manifest, schema_of, write_manifest
from data.store.merge import REVISIONS, Change, refuse, revisions_of, together
from data.store.removal import Cut, Removal, Removed, Selection, cut, lost, without_revisions
from data.store.segments import Merged, OpenTable, Piece, blocks_of
from data.store.spans import Span
from data.store.tables import table as table_of
from data.synthetic import SYNTHETIC


@dataclass(frozen=True)
class Appended:
    """What an append did: one change per table, and the revisions it made (see ``Store.revisions``)."""

    changes: tuple[Change, ...]
    revisions: pd.DataFrame


class Store:
    """A folder of tables, as the user imported them.

    Parameters
    ----------
    folder : Path
        A store, or an empty or absent folder, which becomes a store with the first append.
        DataError if the folder holds something else, is damaged, or was written by a newer version.
    """

    default_benchmark: str | None = None

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.name: str = self.folder.resolve().name
        self._manifest = Manifest()
        self._open: dict[str, OpenTable] = {}
        if (self.folder / MANIFEST).is_file():
            self._look()
            if has_leftovers(self.folder, self._manifest.files):
                # Unless someone is writing just now, or the folder is read-only.
                with suppress(OSError, UsageError), lock(self.folder):
                    sweep(self.folder)
                    self._look()
        else:
            refuse_foreign(self.folder)

    @property
    def synthetic(self) -> bool:
        """Whether rows of a made-up market were written into it."""
        return any(source.startswith(SYNTHETIC) for source in self._table("bars").sources)

    @property
    def seals(self) -> Mapping[str, str]:
        """Digests that name the rows of each table, wherever they are; a table written long ago has none."""
        found = {}
        for name in self.tables:
            seals = [segment.seal.whole for segment in self._manifest.tables[name] if segment.seal]
            if len(seals) == len(self._manifest.tables[name]):
                found[name] = (
                    seals[0] if len(seals) == 1 else hashlib.sha256("".join(seals).encode()).hexdigest()
                )
        return found

    @property
    def digest(self) -> str | None:
        """What names the rows of all tables; None of a store without any, or with a table without a seal."""
        seals = self.seals
        if not seals or seals.keys() != set(self.tables):
            return None
        return hashlib.sha256(json.dumps(sorted(seals.items())).encode()).hexdigest()

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that hold rows."""
        return tuple(name for name in self._manifest.tables if name not in BESIDE)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How the tables were fetched, as ``data.providers`` noted it, in JSON's types; {} if none was."""
        return self._manifest.recipe

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of ``table`` sorted by key; an empty frame of the right columns if there are none.

        ``symbols`` keeps the rows whose first key column (``symbol``; ``index`` or ``series`` in the tables
        that have no symbol) is one of them. Missing values are NaN, NaT or None. UsageError for an unknown
        table; DataError if a file is missing or damaged.
        """
        return self._table(table_of(table).name).read(symbols)

    def columns(self, table: str, parts: Iterable[Sequence[str]]) -> Iterator[Columns]:
        """Yield the columns of ``table`` that hold no texts, of the rows of some series after the others."""
        return self._table(table_of(table).name).columns(parts)

    def spans(self, table: str) -> Mapping[str, Span]:
        """Return the series of ``table`` in order, with the rows and days of each; rows are not read."""
        return self._table(table_of(table).name).spans

    def sources(self, table: str) -> frozenset[str]:
        """Return the texts in the column ``source`` of ``table``; rows are not read."""
        return self._table(table_of(table).name).sources

    def revisions(self) -> pd.DataFrame:
        """Return the values that were replaced: table, key, column, old, new (as text), replaced (day)."""
        return self._table(REVISIONS.name).read()

    def arrivals(self) -> pd.DataFrame:
        """Return who gave which rows, and when (``data.store.arrivals``); none if no provider was asked."""
        return self._table(ARRIVALS.name).read()

    def append(
        self,
        changes: Mapping[str, Rows],
        accept_revision: bool = False,
        on: date | None = None,
        *,
        checked: bool = False,
        fetched: datetime | None = None,
        recipe: Mapping[str, Any] | None = None,
    ) -> Appended:
        """Add rows to the tables named, all of them or none.

        A row whose key is on file may fill in values that were missing. A value that differs from the one on
        file is refused with DataError, unless ``accept_revision``: then the new value replaces it and the old
        one is kept in ``revisions`` with the day ``on`` (default: today). ``source`` is not compared, nor a
        later ``known_at`` of the same values, which leaves the first one; an earlier one is a revision.
        ``checked`` says that the rows are as ``Table.check`` returned them, and need no other look; rows of
        Arrow are (``as_rows``).
        ``fetched`` is the time, in UTC, at which providers gave the rows, whose column ``provider`` says
        which: then a row on file of another source stays as it is. ``recipe`` replaces the note of how that
        was done. Raises DataError for rows that ``Table.validate`` refuses, UsageError if the folder cannot
        be written.
        """
        with writing(self.folder):
            sweep(self.folder)
            self._look()
            made: list[Change] = []
            written: dict[str, tuple[Segment, ...]] = {}
            runs = [ARRIVALS.empty()]
            for name in changes:
                # One after the other: the memory has room for the rows of one table.
                change, segments, came = self._take(name, changes[name], checked, accept_revision, fetched)
                made.append(change)
                written |= {name: segments} if segments else {}
                runs.append(came)
            if not accept_revision:
                refuse(made)
            revisions = revisions_of(made, on or date.today())
            for schema, rows in ((REVISIONS, revisions), (ARRIVALS, pd.concat(runs, ignore_index=True))):
                if len(rows):
                    written[schema.name] = self._write(
                        schema.name, self._table(schema.name).plan_behind(rows)
                    )
            if written or (recipe is not None and recipe != self.recipe):
                self._commit(written, self.recipe if recipe is None else dict(recipe))
            return Appended(tuple(made), revisions)

    def would_remove(self, selection: Selection) -> Removal:
        """Return what :meth:`remove` would take out of the store as it was opened, and take out nothing."""
        return self._removal([each.removed for each in self._cuts(selection)])

    def remove(
        self,
        selection: Selection,
        remember: Callable[[Mapping[str, Any], Removal], Mapping[str, Any]] | None = None,
    ) -> Removal:
        """Take the rows of a selection out of the tables, all or none, and what is said of them beside.

        A table without rows is gone then, as if it had never been there. ``remember`` is given
        ``recipe`` and what is removed, and returns the recipe that the store has from now on. The store is
        unchanged if nothing is meant. UsageError if the folder cannot be written.
        """
        with writing(self.folder):
            sweep(self.folder)
            self._look()
            done, written = list[Removed](), dict[str, tuple[Segment, ...]]()
            beside = {schema.name: self._table(schema.name).read() for schema in BESIDE.values()}
            left = dict(beside)
            for each in self._cuts(selection):
                # One after the other: the memory has room for the rows of one table.
                found = each.removed
                done.append(found)
                if len(found.keys):
                    written[found.table.name] = self._write(found.table.name, each.plan)
                    left[REVISIONS.name] = without_revisions(left[REVISIONS.name], found)
                    left[ARRIVALS.name] = arrivals_without(
                        found.table, left[ARRIVALS.name], found.keys, each.kept
                    )
            for name, rows in left.items():
                if not rows.equals(beside[name]):
                    piece = Piece(schema_of(name), None, as_rows(schema_of(name), rows))
                    written[name] = self._write(name, [[piece]] if len(rows) else [])
            removal = self._removal(done)
            if written:
                recipe = remember(self.recipe, removal) if remember and self.recipe else self.recipe
                self._commit(written, recipe)
            return removal

    def _cuts(self, selection: Selection) -> Iterator[Cut]:
        revisions = self.revisions()
        for name in self.tables:
            if selection.concerns(table_of(name)):
                yield cut(self._table(name), selection, revisions)

    def _removal(self, found: Sequence[Removed]) -> Removal:
        return Removal(tuple(found), lost(found, {name: self.spans(name) for name in self.tables}))

    def _take(
        self,
        name: str,
        rows: Rows,
        checked: bool,
        accept_revision: bool,
        fetched: datetime | None,
    ) -> tuple[Change, tuple[Segment, ...], pd.DataFrame]:
        """Write what becomes of a table; return what changes, its segments and the runs that come.

        There are none of either if nothing changes, or the change is one to refuse.
        """
        known = checked or isinstance(rows, pa.Table)
        new = rows if known else table_of(name).check(rows, f"table `{name}`")[0]
        merged = self._table(name).merge(new, each_source=fetched is not None)
        change = together([each.change for each in merged])
        if not change.alters or (change.revised and not accept_revision):
            return change, (), ARRIVALS.empty()
        segments = self._write(name, self._table(name).plan(merged))
        return change, segments, self._came(name, rows, merged, fetched)

    def _came(
        self, name: str, rows: Rows, merged: Sequence[Merged], fetched: datetime | None
    ) -> pd.DataFrame:
        """Return the runs of what comes; none for files, unless some of the store was fetched."""
        if fetched is None and ARRIVALS.name not in self._manifest.tables:
            return ARRIVALS.empty()
        schema = table_of(name)
        by_file = fetched is None or isinstance(rows, pa.Table)
        given = schema.empty().assign(provider="") if by_file else rows
        providers = given[[*schema.key, "provider"]].drop_duplicates(list(schema.key))
        moment = fetched or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        runs = [
            arrivals_of(schema, keys_of(schema, each.rows), each.change.came, providers, moment)
            for each in merged
        ]
        return pd.concat(runs, ignore_index=True)

    def _table(self, name: str) -> OpenTable:
        """Return a table, which may have no rows; DataError if a file of it is gone."""
        if name not in self._manifest.tables:
            return OpenTable(schema_of(name))
        if name not in self._open:
            try:
                self._open[name] = self._manifest.open(self.folder, name)
            except FileNotFoundError as error:
                raise DataError(
                    f"`{Path(str(error.filename or error)).name}` of the store `{self.folder}` is gone",
                    hint="If an import has just finished, start again; else import into a new store.",
                ) from None
        return self._open[name]

    def _look(self) -> None:
        """Read ``store.json``, and open the files that it names before a later import can delete them."""
        before = None
        self._manifest = read_manifest(self.folder)
        while self._manifest != before:
            self._open = {}
            for name in self._manifest.tables:
                with suppress(FileNotFoundError):
                    self._open[name] = self._manifest.open(self.folder, name)
            if len(self._open) == len(self._manifest.tables):
                return
            before, self._manifest = self._manifest, read_manifest(self.folder)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to another process: no open files."""
        return {**self.__dict__, "_open": {}}

    def _write(self, name: str, plan: Sequence[Sequence[Piece]]) -> tuple[Segment, ...]:
        """Write the segments of a table that are new; ``store.json`` does not name them yet."""
        number, segments = self._manifest.generation, list[Segment]()
        for pieces in plan:
            (first, *more) = pieces
            if not more and first.file is not None and first.as_it_is:
                segments.append(first.file.segment)
                continue
            number += 1
            path = self.folder / f"{name}-{number:06d}.parquet"
            segments.append(write_file(path, schema_of(name), blocks_of(pieces)))
        return tuple(segments)

    def _commit(self, written: Mapping[str, tuple[Segment, ...]], recipe: Mapping[str, Any]) -> None:
        tables = {
            name: tuple(file.segment for file in self._table(name).files) for name in self._manifest.tables
        }
        left = {name: segments for name, segments in ({**tables, **written}).items() if segments}
        write_manifest(self.folder, Manifest(left, recipe))
        self._look()
