"""The bytes of a file: unpacked within limits, and what kind of file they are, whatever it is called."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from data.errors import DataError
from data.importing.scripts import begins_as_script

SUFFIXES = {
    ".csv": "text",
    ".tsv": "text",
    ".tab": "text",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "json",
    ".jsonp": "json",
    ".js": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
}
# How a file of a kind begins.
_MAGIC = {b"PAR1": "parquet", b"PK\x03\x04": "xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls"}
_WEB_PAGE = "a web page: open it in a spreadsheet program, and save the table as xlsx or CSV"
# And files that people take for tables, in small letters, with what to do about them.
_OTHERS = {
    b"%pdf": "a PDF: save the table as CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"rar!": "a RAR archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first",
    b"\xfd7zxz": "packed with xz: unpack it first",
    **dict.fromkeys((b"<!", b"<html", b"<table", b"<?xml"), _WEB_PAGE),
}
# A file may unpack to so many bytes, and, from a size on that memory notices, to so many times its own;
# tables reach about that.
# Cells take up to fifteen times the bytes of their text in memory.
MOST_BYTES = 4 << 30
_UNSUSPICIOUS = 64 << 20
_MOST_TIMES = 50
_CHUNK = 1 << 20


def format_of(path: Path) -> str | None:
    """Return the kind of file that a name promises: a value of SUFFIXES, None for one that is not read."""
    stem, dot, ending = _without_gzip(path.name).rpartition(".")
    return SUFFIXES.get((dot + ending).lower()) if stem else None


def stem_of(path: Path) -> str:
    """Return the name of a file without ``.csv``, ``.csv.gz`` and so on."""
    return Path(_without_gzip(path.name)).stem


def read_contents(path: Path) -> tuple[bytes, str]:
    """Return the bytes of a file, unpacked, and their kind: a value of SUFFIXES.

    DataError if it cannot be read, is empty, unpacks to more than the limits, or is no table of any kind.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read `{path}`", received=error.strerror or str(error)) from None
    if path.suffix.lower() == ".gz" or content.startswith(b"\x1f\x8b"):
        content = _unpack(content, path.name)
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content or content.isspace():
        raise nothing_in(path.name)
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            return content, kind
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            raise DataError(f"`{path.name}` is no table that is read", received=what)
    named = format_of(path)
    if named in ("text", "xlsx", "xls"):
        # A workbook without a workbook in it is the text that many terminals save under that name.
        scripted = start.startswith((b"{", b"[{")) or begins_as_script(start.decode("latin-1"))
        return content, "json" if scripted else "text"
    return content, named or "text"


def nothing_in(name: str) -> DataError:
    """Return the refusal of a file that has no text."""
    return DataError(f"`{name}` is empty", hint="Save or download it again, or leave it out.")


def check_size(size: int, packed: int, name: str) -> None:
    """Raise DataError if ``packed`` bytes would become more than the limits allow."""
    if size > MOST_BYTES or (size > _UNSUSPICIOUS and size > _MOST_TIMES * packed):
        raise DataError(
            f"`{name}` would fill the memory",
            received=f"{packed:,} bytes that unpack to {size:,} or more",
            limit=f"{_MOST_TIMES} times the packed size, and {MOST_BYTES >> 30} GB",
            hint="It is damaged, or made to do harm. If it is really so large, unpack and split it.",
        )


def _unpack(content: bytes, name: str) -> bytes:
    parts, size = [], 0
    packed = io.BytesIO(content)
    try:
        with gzip.GzipFile(fileobj=packed) as file:
            while part := file.read(_CHUNK):
                parts.append(part)
                size += len(part)
                # What was read so far tells: the rest need not be unpacked to know.
                check_size(size, packed.tell(), name)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"`{name}` is not a whole gzip file",
            received=f"{len(content)} bytes: {error}",
            hint="It was probably cut off: download it again.",
        ) from None
    return b"".join(parts)


def _without_gzip(name: str) -> str:
    return name[:-3] if name.lower().endswith(".gz") else name
