"""The store: a folder of Parquet files, append-only, whole or unchanged.

An append goes through these steps; the store changes in the fifth and in no other, so that a process killed
at any moment leaves either the old store or the new one.

1. Take the lock of the folder; a second writer is refused.
2. Delete files that ``store.json`` does not name: a killed writer left them.
3. Merge the new rows with the old ones in memory; refuse what would change the past.
4. Write each table that changed to a new file, and flush it to the disk.
5. Write the new ``store.json`` under another name and rename it over the old one.
6. Delete the files that only the old ``store.json`` named. Who reads has them open (``data.store.files``),
   and goes on reading what was there when the store was opened.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import pandas as pd

from data.errors import DataError, UsageError
from data.parsing import parse_json
from data.store.arrivals import ARRIVALS, arrivals_of
from data.store.files import OpenFile, Seal, damaged, flush, write_file
from data.store.merge import REVISIONS, Change, merge, refuse, revisions_of
from data.store.schema import Table
from data.store.spans import Span
from data.store.tables import TABLES
from data.store.tables import table as schema_of
from data.synthetic import SYNTHETIC

FORMAT = 1
MANIFEST = "store.json"
LOCK = ".lock"
# What the store says of itself, in tables beside the data.
_BESIDE = {table.name: table for table in (REVISIONS, ARRIVALS)}

_FILE = re.compile(r"[a-z_]+-\d{6}\.parquet")
_LEFTOVER = re.compile(rf"{_FILE.pattern}|store\.json\.new|\.lock")


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
        self._open: dict[str, OpenFile] = {}
        if (self.folder / MANIFEST).is_file():
            self._look()
            if any(_is_leftover(path, self._manifest.files) for path in self.folder.iterdir()):
                # Unless someone is writing just now, or the folder is read-only.
                with suppress(OSError, UsageError), _lock(self.folder):
                    _sweep(self.folder)
                    self._look()
        else:
            _refuse_foreign(self.folder)

    @property
    def synthetic(self) -> bool:
        """Whether rows of a made-up market were written into it."""
        bars = self._file("bars")
        return bars is not None and any(source.startswith(SYNTHETIC) for source in bars.sources)

    @property
    def seals(self) -> Mapping[str, str]:
        """Digests that name the rows of each table, wherever they are; a table written long ago has none."""
        files, seals = self._manifest.files, self._manifest.seals
        return {name: seals[name].whole for name in self.tables if name in seals and name in files}

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that hold rows."""
        return tuple(name for name in self._manifest.files if name not in _BESIDE)

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
        return self._read(schema_of(table), symbols)

    def spans(self, table: str) -> Mapping[str, Span]:
        """Return the series of ``table`` in order, with the rows and days of each; rows are not read."""
        file = self._file(schema_of(table).name)
        return {} if file is None else file.spans

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
            _sweep(self.folder)
            self._look()
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
            if fresh or (recipe is not None and recipe != self.recipe):
                self._commit(fresh, self.recipe if recipe is None else dict(recipe))
            return Appended(tuple(change for _, change in merged.values()), made)

    def _came(
        self,
        changes: Mapping[str, pd.DataFrame],
        merged: Mapping[str, tuple[pd.DataFrame, Change]],
        fetched: datetime | None,
    ) -> pd.DataFrame:
        """Return the runs of what comes; none for files, unless some of the store was fetched."""
        if fetched is None and ARRIVALS.name not in self._manifest.files:
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
        file = self._file(schema.name)
        return schema.empty() if file is None else file.read(symbols)

    def _file(self, name: str) -> OpenFile | None:
        """Return the file of a table; None if it has none. DataError if it is gone."""
        if name not in self._open and name in self._manifest.files:
            try:
                self._open[name] = self._manifest.open(self.folder, name)
            except FileNotFoundError:
                raise DataError(
                    f"`{self._manifest.files[name]}` of the store `{self.folder}` is gone",
                    hint="If an import has just finished, start again; else import into a new store.",
                ) from None
        return self._open.get(name)

    def _look(self) -> None:
        """Read ``store.json``, and open the files that it names before a later import can delete them."""
        before = None
        self._manifest = _read_manifest(self.folder) if (self.folder / MANIFEST).is_file() else Manifest()
        while self._manifest != before:
            self._open = {}
            for name in self._manifest.files:
                with suppress(FileNotFoundError):
                    self._open[name] = self._manifest.open(self.folder, name)
            if len(self._open) == len(self._manifest.files):
                return
            before, self._manifest = self._manifest, _read_manifest(self.folder)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to another process: no open files."""
        return {**self.__dict__, "_open": {}}

    def _commit(self, tables: Mapping[str, pd.DataFrame], recipe: Mapping[str, Any]) -> None:
        files, seals = dict(self._manifest.files), dict(self._manifest.seals)
        generation = 1 + max((int(name[-14:-8]) for name in files.values()), default=0)
        for name, frame in sorted(tables.items()):
            files[name] = f"{name}-{generation:06d}.parquet"
            seals[name] = write_file(self.folder / files[name], _schema(name), frame)
        _write_manifest(self.folder, Manifest(files, seals, recipe))
        self._look()


@dataclass(frozen=True)
class Manifest:
    """What ``store.json`` says: the file of each table and its seal, and how the tables were fetched."""

    files: Mapping[str, str] = field(default_factory=dict)
    seals: Mapping[str, Seal] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def open(self, folder: Path, name: str) -> OpenFile:
        """Return the file of a table, open; FileNotFoundError if there is none."""
        return OpenFile(folder / self.files[name], _schema(name), self.seals.get(name))


def _schema(name: str) -> Table:
    return _BESIDE[name] if name in _BESIDE else schema_of(name)


def _is_leftover(path: Path, files: Mapping[str, str]) -> bool:
    named = path.name in files.values() or path.name == LOCK
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


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        manifest = parse_json(path.read_text(encoding="utf-8"))
        version, files = int(manifest["format"]), dict(manifest["tables"])
        recipe = dict(manifest.get("recipe", {}))
        seals = {name: Seal(**seal) for name, seal in manifest.get("seals", {}).items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise damaged(path, error) from None
    if version > FORMAT:
        raise DataError(
            f"the store `{folder}` was written by a newer version of etflow",
            received=f"format {version}",
            limit=f"format {FORMAT}",
            hint="Update etflow.",
        )
    for name, file in files.items():
        known = name in TABLES or name in _BESIDE
        if not (known and isinstance(file, str) and _FILE.fullmatch(file) and file[:-15] == name):
            raise damaged(path, ValueError(f"`{file}` is no file of the table `{name}`"))
    return Manifest(files, {name: seal for name, seal in seals.items() if name in files}, recipe)


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    temporary = folder / f"{MANIFEST}.new"
    written: dict[str, Any] = {"format": FORMAT, "tables": dict(sorted(manifest.files.items()))}
    written["seals"] = {name: seal.as_json() for name, seal in sorted(manifest.seals.items())}
    if manifest.recipe:
        written["recipe"] = dict(manifest.recipe)
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(written, file, indent=2)
        flush(file)
    os.replace(temporary, folder / MANIFEST)


def _sweep(folder: Path) -> None:
    """Delete what ``store.json`` does not name."""
    files = _read_manifest(folder).files if (folder / MANIFEST).is_file() else {}
    for path in folder.iterdir():
        if _is_leftover(path, files):
            # Windows keeps a file that somebody reads; it is deleted by whoever writes or opens next.
            try:
                path.unlink()
            except PermissionError:
                if sys.platform != "win32":
                    raise


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
                # By the one who holds the lock, so that nobody deletes another's.
                if made and not (folder / MANIFEST).exists():
                    with suppress(OSError):
                        (folder / LOCK).unlink()
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
                for path in made:
                    path.rmdir()  # which the system refuses where another process has begun a store


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder; UsageError if another process has it. The system frees it at exit."""
    with (folder / LOCK).open("a") as file:
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
        if not _is_at(folder / LOCK, file):  # its holder gave up the new store, and deleted it, a moment ago
            raise UsageError(f"the store `{folder}` was being made by another process", hint="Try again.")
        yield


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
