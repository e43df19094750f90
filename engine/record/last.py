"""The last line of a journal, noted in a file beside it, so that lines that are cut off its end are missed.

A copy that stopped half-way, or an editor, leaves lines that follow each other. So the checksum of the last
one is noted (``study.jsonl.last``), once it is on the disk: a kill in between leaves a journal that goes on
behind the line that is noted, never one that has not come to it. Without the note nothing is missed.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

ENDING = ".last"
NO_CHECKSUM = b"00000000"
_NOTE = re.compile(rb"([0-9a-f]{8}) \1\r?\n")
_LONGEST = 32


def last_of(path: Path) -> Path:
    """Return where the last line of a journal is noted; of a link beside the file which it stands for."""
    place = Path(os.path.realpath(path))
    return place.with_name(place.name + ENDING)


def noted_last(path: Path) -> bytes | None:
    """Return the checksum of the line that is noted as the last one; None where none is."""
    try:
        with last_of(path).open("rb") as file:
            found = _NOTE.fullmatch(file.read(_LONGEST))
    except OSError:
        return None
    return found[1] if found else None


def note_last(path: Path, checksum: bytes) -> None:
    """Note the last line; where the disk does not take that, the one before stays, which is right as well.

    It is one write over what was there, and twice the same: where it was cut short, the two differ.
    """
    if checksum == NO_CHECKSUM:
        return
    note = b"%s %s\n" % (checksum, checksum)
    with suppress(OSError):
        file = os.open(last_of(path), os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            os.write(file, note)
            os.ftruncate(file, len(note))
        finally:
            os.close(file)
