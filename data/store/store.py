"""The store: a folder of Parquet files, append-only, whole or unchanged.

An append goes through these steps; the store changes in the fifth and in no other, so that a process killed
at any moment leaves either the old store or the new one.

1. Take the lock of the folder; a second writer is refused.
2. Delete files that ``store.json`` does not name: a killed writer left them.
3. Merge the new rows with the old ones in memory; refuse what would change the past.
4. Write each table that changed to a new file, and flush it to the disk.
5. Write the new ``store.json`` under another name and rename it over the old one.
6. Delete the files that only the old ``store.json`` named.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import DataError, UsageError
from data.store.arrivals import ARRIVALS, arrivals_of
from data.store.merge import REVISIONS, Change, merge, refuse, revisions_of
from data.store.schema import Table
from data.store.tables import table as schema_of
from data.synthetic import SYNTHETIC

FORMAT = 1
MANIFEST = "store.json"
# What the store says of itself, in tables beside the data.
_BESIDE = {table.name: table for table in (REVISIONS, ARRIVALS)}

_LEFTOVER = re.compile(r"[a-z_]+-\d{6}\.parquet|store\.json\.new|\.lock")
_ROW_GROUP = 16_384
_ARROW = {"text": pa.string(), "day": pa.timestamp("us"), "time": pa.timestamp("us"), "number": pa.float64()}


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
        self._files: dict[str, str] = {}
        self._recipe: dict[str, Any] = {}
        if (self.folder / MANIFEST).is_file():
            self._files, self._recipe = _read_manifest(self.folder)
            if any(_is_leftover(path, self._files) for path in self.folder.iterdir()):
                # Unless someone is writing just now, or the folder is read-only.
                with suppress(OSError, UsageError), _lock(self.folder):
                    self._files, self._recipe = _sweep(self.folder)
        else:
            _refuse_foreign(self.folder)

    @property
    def synthetic(self) -> bool:
        """Whether rows of a made-up market were written into it."""
        rows = self._rows(schema_of("bars"), columns=["source"])
        return rows is not None and any(
            (source or "").startswith(SYNTHETIC) for source in rows["source"].unique().to_pylist()
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that hold rows."""
        return tuple(name for name in self._files if name not in _BESIDE)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How the tables were fetched, as ``data.providers`` noted it, in JSON's types; {} if none was."""
        return self._recipe

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of ``table`` sorted by key; an empty frame of the right columns if there are none.

        ``symbols`` keeps the rows whose first key column (``symbol``; ``index`` or ``series`` in the tables
        that have no symbol) is one of them. Missing values are NaN, NaT or None. UsageError for an unknown
        table; DataError if a file is missing or damaged.
        """
        return self._read(schema_of(table), symbols)

    def revisions(self) -> pd.DataFrame:
        """Return the values that were replaced: table, key, column, old, new (as text), replaced (day)."""
        return self._read(REVISIONS)

    def arrivals(self) -> pd.DataFrame:
        """Return who gave which rows, and when (``data.store.arrivals``); none if no provider was asked."""
        return self._read(ARRIVALS)

    def append(
        self,
        changes: Mapping[str, pd.DataFrame],
        accept_revision: bool = False,
        on: date | None = None,
        *,
        fetched: datetime | None = None,
        recipe: Mapping[str, Any] | None = None,
    ) -> Appended:
        """Add rows to the tables named, all of them or none.

        A row whose key is on file may fill in values that were missing. A value that differs from the one on
        file is refused with DataError, unless ``accept_revision``: then the new value replaces it and the old
        one is kept in ``revisions`` with the day ``on`` (default: today). ``source`` is not compared.
        ``fetched`` is the time, in UTC, at which providers gave the rows, whose column ``provider`` says
        which: then a row on file of another source stays as it is. ``recipe`` replaces the note of how that
        was done. Raises DataError for rows that ``Table.validate`` refuses, UsageError if the folder cannot
        be written.
        """
        incoming = {
            name: schema_of(name).validate(frame, f"table `{name}`") for name, frame in changes.items()
        }
        with _writing(self.folder):
            self._files, self._recipe = _sweep(self.folder)
            merged = {
                name: merge(schema_of(name), self.read(name), new, each_source=fetched is not None)
                for name, new in incoming.items()
            }
            if not accept_revision:
                refuse([change for _, change in merged.values()])
            made = revisions_of([change for _, change in merged.values()], on or date.today())
            fresh = {name: frame for name, (frame, change) in merged.items() if change.alters}
            came = self._came(changes, merged, fetched) if fresh else ARRIVALS.empty()
            if len(made):
                fresh[REVISIONS.name] = pd.concat([self.revisions(), made], ignore_index=True)
            if len(came):
                fresh[ARRIVALS.name] = pd.concat([self.arrivals(), came], ignore_index=True)
            if fresh or (recipe is not None and recipe != self._recipe):
                self._commit(fresh, self._recipe if recipe is None else dict(recipe))
            return Appended(tuple(change for _, change in merged.values()), made)

    def _came(
        self,
        changes: Mapping[str, pd.DataFrame],
        merged: Mapping[str, tuple[pd.DataFrame, Change]],
        fetched: datetime | None,
    ) -> pd.DataFrame:
        """Return the runs of what comes; none for files, unless some of the store was fetched."""
        if fetched is None and ARRIVALS.name not in self._files:
            return ARRIVALS.empty()
        runs = [ARRIVALS.empty()]
        for name, (rows, change) in merged.items():
            schema = schema_of(name)
            given = changes[name] if fetched is not None else schema.empty().assign(provider="")
            providers = given[[*schema.key, "provider"]].drop_duplicates(list(schema.key))
            moment = fetched or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
            runs.append(arrivals_of(schema, rows, change.came, providers, moment))
        return pd.concat(runs, ignore_index=True)

    def _read(self, schema: Table, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        wanted = None if symbols is None else [(schema.key[0], "in", list(symbols))]
        rows = None if symbols is not None and not len(symbols) else self._rows(schema, filters=wanted)
        if rows is None:
            return schema.empty()
        for column in schema.columns:
            if column.name not in rows.column_names:  # it came later than the file
                rows = rows.append_column(column.name, pa.nulls(len(rows), _ARROW[column.kind]))
        frame: pd.DataFrame = rows.select(list(schema.names)).to_pandas()
        return frame.astype(schema.empty().dtypes.to_dict())

    def _rows(self, schema: Table, **options: Any) -> pa.Table | None:
        """Return the rows of a table, as ``options`` choose them; None where it has no file."""
        name = self._files.get(schema.name)
        if name is None:
            return None
        try:
            return pq.read_table(self.folder / name, partitioning=None, **options)
        except FileNotFoundError:
            raise DataError(
                f"`{name}` of the store `{self.folder}` is gone",
                hint="If an import has just finished, start again; else import into a new store.",
            ) from None
        except (OSError, pa.ArrowException) as error:
            raise _damaged(self.folder / name, error) from None

    def _commit(self, tables: Mapping[str, pd.DataFrame], recipe: dict[str, Any]) -> None:
        generation = 1 + max((int(name[-14:-8]) for name in self._files.values()), default=0)
        files = dict(self._files)
        for name, frame in sorted(tables.items()):
            files[name] = f"{name}-{generation:06d}.parquet"
            schema = _BESIDE[name] if name in _BESIDE else schema_of(name)
            _write_parquet(self.folder / files[name], schema, frame)
        _write_manifest(self.folder, files, recipe)
        self._files, self._recipe = files, recipe


def _is_leftover(path: Path, files: Mapping[str, str]) -> bool:
    named = path.name in files.values() or path.name == ".lock"
    return not named and _LEFTOVER.fullmatch(path.name) is not None


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"the store `{folder}` is not a folder", hint="Name another one with --data.")
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    foreign = [name for name in names if not (name.startswith(".") or _LEFTOVER.fullmatch(name))]
    if foreign:
        raise DataError(
            f"the folder `{folder}` is not a store",
            received=f"a folder that holds `{min(foreign)}`",
            limit="a store, an empty folder, or one that does not exist yet",
            hint="Name another folder with --data.",
        )


def _read_manifest(folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, files = int(manifest["format"]), dict(manifest["tables"])
        recipe = dict(manifest.get("recipe", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from None
    if version > FORMAT:
        raise DataError(
            f"the store `{folder}` was written by a newer version of etflow",
            received=f"format {version}",
            limit=f"format {FORMAT}",
            hint="Update etflow.",
        )
    return files, recipe


def _write_manifest(folder: Path, files: Mapping[str, str], recipe: Mapping[str, Any]) -> None:
    temporary = folder / f"{MANIFEST}.new"
    manifest: dict[str, Any] = {"format": FORMAT, "tables": dict(sorted(files.items()))}
    if recipe:
        manifest["recipe"] = recipe
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2)
        _flush(file)
    os.replace(temporary, folder / MANIFEST)


def _write_parquet(path: Path, schema: Table, frame: pd.DataFrame) -> None:
    fields = pa.schema([(column.name, _ARROW[column.kind]) for column in schema.columns])
    rows = pa.Table.from_pandas(frame, schema=fields, preserve_index=False).replace_schema_metadata(None)
    with path.open("wb") as file:
        pq.write_table(rows, file, compression="zstd", row_group_size=_ROW_GROUP)
        _flush(file)


def _flush(file: IO[bytes] | IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"`{path}` is damaged",
        received=str(error).splitlines()[0] if str(error) else type(error).__name__,
        hint="Delete the store and import the files again.",
    )


def _sweep(folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Delete what ``store.json`` does not name, and return what it says."""
    files, recipe = _read_manifest(folder) if (folder / MANIFEST).is_file() else ({}, {})
    for path in folder.iterdir():
        if _is_leftover(path, files):
            path.unlink()
    return files, recipe


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Lock the folder, making it if need be; leave no file or new folder that is not part of a store."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            try:
                yield
            finally:
                with suppress(OSError, DataError):
                    _sweep(folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise UsageError(
            f"cannot write the store `{folder}`; it is unchanged",
            received=error.strerror or str(error),
            hint="Make room on the disk." if full else "Name a folder that you may write with --data.",
        ) from error
    finally:
        if made and not (folder / MANIFEST).exists():
            with suppress(OSError):
                (folder / ".lock").unlink()
                for path in made:
                    path.rmdir()


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder; UsageError if another process has it. The system frees it at exit."""
    with (folder / ".lock").open("a") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise UsageError(
                f"the store `{folder}` is being written by another process",
                hint="Wait until it has finished, then try again.",
            ) from None
        yield
