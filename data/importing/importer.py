"""Importing: files into a store, all of them or none.

1. Find the files; a folder is taken whole, but for what is plainly no data.
2. Read each file and find its map: the one given, or the ready one that its columns show.
3. Shape its rows into our tables, and leave out those of sessions that are not over.
4. Join what the files say of each table; two files that disagree are refused.
5. Append everything to the store at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from data.errors import DataError
from data.importing.ahead import without_running
from data.importing.files import find_files
from data.importing.joined import Joined
from data.importing.map_files import find_map
from data.importing.maps import FileMap
from data.importing.one_file import Found, Imported, SkipFile, import_file
from data.importing.plain import Batch, PlainFiles
from data.importing.readers import NoTable
from data.importing.recognise import UnknownColumns
from data.store.merge import Change
from data.store.store import Store

Progress = Callable[[int, int, str], None]

_SHOWN = 3


@dataclass(frozen=True)
class FilesRead:
    """What files say: per file and table, the files skipped with the reason, and the rows of each table."""

    imported: tuple[Imported, ...]
    skipped: tuple[tuple[str, str], ...]
    rows: Joined


@dataclass(frozen=True)
class ImportReport:
    """What an import did: per file and table, the files skipped with the reason, and the store's changes."""

    imported: tuple[Imported, ...]
    skipped: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    revisions: pd.DataFrame


def import_files(
    sources: Sequence[Path],
    store: Store,
    *,
    map_file: Path | str | None = None,
    accept_revision: bool = False,
    on: date | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import files and folders into ``store``; it stays as it was if anything is refused.

    ``map_file`` is a map in TOML, or the name of a ready one, for all files; without it each file is
    recognised by its columns. In a folder a file that resembles nothing known is skipped, and the report says
    so. ``progress`` is called with the files done, their number, and the name of the next one.
    Raises UsageError for a path or map that is wrong, DataError for files that cannot be taken as they are.
    """
    read = read_files(sources, map_file=map_file, progress=progress, then=store.name)
    appended = store.append(read.rows, accept_revision=accept_revision, on=on, checked=True)
    return ImportReport(read.imported, read.skipped, appended.changes, appended.revisions)


def read_files(
    sources: Sequence[Path],
    *,
    map_file: Path | str | None = None,
    progress: Progress | None = None,
    then: str = "",
) -> FilesRead:
    """Return the rows that an import would append; parameters and errors are those of ``import_files``.

    ``then`` is what ``progress`` names when the files are read.
    """
    given = None if map_file is None else find_map(map_file)
    files, skipped = find_files(sources)
    imported: list[Imported] = []
    refused: list[DataError] = []
    rows = Joined()
    paths = [path for path, _ in files]
    answers = _read(paths, given, progress or (lambda *_: None))
    for (path, in_folder), plain in zip(files, answers, strict=True):
        try:
            found = import_file(path, given) if plain is None else plain
        except SkipFile as reason:
            skipped.append((str(path), str(reason)))
            continue
        except (UnknownColumns, NoTable) as error:
            if not in_folder or (isinstance(error, UnknownColumns) and error.near):
                raise
            refused.append(error)
            skipped.append((str(path), f"no map knows what is in it: {error.received}"))
            continue
        for each in map(without_running, found):
            imported += each.files
            rows.add(each)
    if not imported:
        if refused:
            raise refused[0]
        reasons = [f"`{Path(path).name}` ({reason})" for path, reason in skipped[:_SHOWN]]
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        raise DataError("nothing to import", received=(", ".join(reasons) or "no files") + more)
    left_out = sum(each.left_out for each in imported)
    if left_out and not any(each.rows for each in imported):
        raise DataError(
            "nothing to import: every row is left out",
            received=f"{left_out:,} row{'s' * (left_out > 1)} in {', '.join(_named(imported))}",
            limit="rows that the map wants, of sessions that are over",
            hint="See `where` and `leave_out_without` of the map, or name another one (--map). A bar of "
            "today is taken when the market has closed.",
        )
    if progress is not None:
        progress(len(files), len(files), then)
    places = {str(path): place for place, (path, _) in enumerate(files)}
    imported.sort(key=lambda each: places[each.file])
    return FilesRead(tuple(_told_once(imported)), tuple(skipped), rows)


def _read(paths: Sequence[Path], given: FileMap | None, progress: Progress) -> Iterator[list[Found] | None]:
    """Yield for each file what is in it if it is plain (``data.importing.plain``), else None.

    What is in several files together comes with the first of them. Files of one table come in their order: of
    two that say the same, the first one counts.
    """
    reader, batch = PlainFiles(given), Batch()
    for number, path in enumerate(paths):
        progress(number, len(paths), path.name)
        text = reader.look(path)
        if text is None or not batch.has_room_for(text):
            yield from reader.read(batch.texts)
            batch = Batch()
        if text is None:
            yield None
        else:
            batch.add(text)
    yield from reader.read(batch.texts)


def _named(imported: Sequence[Imported]) -> list[str]:
    """Return the first of some files, and the map that each was read by."""
    names = list(dict.fromkeys(f"`{Path(each.file).name}` (map `{each.map}`)" for each in imported))
    return names[:_SHOWN] + ([f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])


def _told_once(imported: Sequence[Imported]) -> Iterator[Imported]:
    """Yield what is told of files, each note with the first file that it is about."""
    told: set[str] = set()
    for each in imported:
        yield replace(each, notes=tuple(note for note in each.notes if note not in told))
        told.update(each.notes)
