"""Checksums of the files of a run, in the form that ``sha256sum --check`` reads.

A bit that flips on a disk, or a number that is changed by hand, is damage, and not another result. Folders of
versions that wrote no checksums are read as they are, and so is one whose checksums somebody deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from data.errors import DataError
from data.parsing import MOST_BYTES, read_bounded

SUMS = "SHA256SUMS"


def write_sums(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of files of a folder, those that are there, beside them."""
    paths = [folder / name for name in names]
    lines = [f"{_digest(path.read_bytes())}  {path.name}\n" for path in paths if path.is_file()]
    (folder / SUMS).write_text("".join(lines), encoding="ascii", newline="\n")


def content_of(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file of a run; DataError if it is not what was written.

    OSError where it cannot be read, ValueError where it has more than ``most`` bytes.
    """
    content, sums = read_bounded(path, most), path.with_name(SUMS)
    # A tool for text may have changed ends of lines, of which nothing depends.
    written = content.replace(b"\r\n", b"\n")
    if sums.is_file() and f"{_digest(written)}  {path.name}".encode() not in read_bounded(sums).splitlines():
        raise DataError(
            f"{path} is not as it was written",
            limit=f"its checksum in {SUMS}",
            hint="A file was damaged or changed after the run. Make the run again.",
        )
    return content


def table_of(path: Path) -> bytes:
    """Return the content of a table of a run as ``content_of`` does, however large it is on the disk.

    A run of two thousand funds that decides in every session for ten years has 350 MB of weights.
    """
    return content_of(path, max(MOST_BYTES, path.stat().st_size))


def is_as_written(path: Path) -> bool:
    """Return whether a file of a run is what was written, as far as checksums tell."""
    try:
        if is_listed(path):
            table_of(path)
    except (DataError, OSError, ValueError):
        return False
    return True


def is_listed(path: Path) -> bool:
    """Return whether there was such a file when the run was written, as far as checksums tell."""
    sums = path.with_name(SUMS)
    ends = f"  {path.name}".encode()
    return sums.is_file() and any(line.endswith(ends) for line in read_bounded(sums).splitlines())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
