"""The files that an import reads: those named, and all that folders hold but for what is plainly no data."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.errors import UsageError
from data.importing.readers import SUFFIXES, format_of
from data.store.manifest import MANIFEST

_NO_DATA = re.compile(r"(README|LICEN[CS]E|COPYING|CHANGELOG|SHA\d+SUMS|MD5SUMS)\b.*", re.IGNORECASE)


# What other kinds of files are, with what to do about them.
_AS_PARQUET = "Save it as Parquet: pandas.read_{}(…).to_parquet(…)."
_OTHERS = {
    **dict.fromkeys((".feather", ".ftr", ".arrow"), _AS_PARQUET.format("feather")),
    **dict.fromkeys(
        (".pkl", ".pickle"), f"Opening it would run what is in it. {_AS_PARQUET.format('pickle')}"
    ),
    **dict.fromkeys((".h5", ".hdf", ".hdf5"), _AS_PARQUET.format("hdf")),
    **dict.fromkeys((".xlsb", ".ods", ".numbers"), "Save it as xlsx."),
    **dict.fromkeys((".zip", ".7z", ".rar", ".tar", ".zst"), "Unpack it first."),
}


def find_files(sources: Sequence[Path]) -> tuple[list[tuple[Path, bool]], list[tuple[str, str]]]:
    """Return the files to read, each with whether a folder named it, and what is skipped with the reason.

    Folders are taken whole, in the order of their names. UsageError for a path that does not exist, or a file
    named by itself that is of no kind we read.
    """
    files: list[tuple[Path, bool]] = []
    skipped: list[tuple[str, str]] = []
    for source in map(Path, sources):
        if source.is_dir():
            for path, reason in _in_folder(source):
                if reason is None:
                    files.append((path, True))
                else:
                    skipped.append((str(path), reason))
        elif not source.exists():
            raise UsageError(f"there is no file or folder `{source}`", hint="Check the path.")
        elif format_of(source) is None:
            raise UsageError(
                f"`{source.name}` is not a kind of file that is read",
                limit=", ".join(SUFFIXES) + ", each also with .gz",
                hint=_OTHERS.get(source.suffix.lower(), "Save the table as CSV."),
            )
        else:
            files.append((source, False))
    return files, skipped


def _in_folder(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield what is in a folder, with the reason why it is skipped, or None."""
    for current, folders, names in os.walk(folder):
        if MANIFEST in names and Path(current) != folder:
            folders.clear()
            yield Path(current), "a store"
            continue
        for name in sorted(folders):
            if name.startswith("."):
                yield Path(current, name), "hidden"
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(current, name)
            if name.startswith((".", "~$")):
                yield path, "hidden"
            elif _NO_DATA.fullmatch(name) or name == MANIFEST:
                yield path, "not data"
            elif format_of(path) is None:
                yield path, "not a kind of file that is read"
            elif not path.is_file():
                yield path, "a link to nothing" if path.is_symlink() else "not a file"
            else:
                yield path, None
