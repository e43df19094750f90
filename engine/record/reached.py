"""How far searches came that have not ended: a small file for each run of one, beside the record.

What was told or written down of a search before a kill counts, and no set that it did not come to: it is said
here before the study says it. That may be another one when the search is gone on with: begun in another
folder, or put back from an older copy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from data.atomic import whole_file

ENDING = ".reached"


class Reached:
    """The files of one ``run`` of the search that is on record as ``look``, beside each of some places."""

    def __init__(self, places: Sequence[Path], look: str, run: str) -> None:
        self._files = [place.parent / f"{look}-{run}{ENDING}" for place in places]
        self._before = [file for place in places for file in _files(place, look)]

    def note(self, sets: int) -> None:
        """Write down how many sets it came to; where that cannot be, leave nothing that says less."""
        for file in self._files:
            try:
                with whole_file(file) as written, written.open("w", encoding="ascii") as opened:
                    opened.write(f"{sets}\n")
                    opened.flush()
                    os.fsync(opened.fileno())
            except OSError:
                with suppress(OSError):
                    file.unlink(missing_ok=True)

    def end(self) -> None:
        """Delete them, and those of runs before, once the record says what all of them came to."""
        for file in (*self._files, *self._before):
            with suppress(OSError):
                file.unlink(missing_ok=True)


def reached(places: Sequence[Path], look: str) -> dict[str, int]:
    """Return how many sets runs of a search came to, by run; those of which that is not known are absent."""
    found: dict[str, int] = {}
    for file in (file for place in places for file in _files(place, look)):
        run = file.name.removeprefix(f"{look}-").removesuffix(ENDING)
        with suppress(OSError, ValueError):
            found[run] = max(int(file.read_text(encoding="ascii")), found.get(run, 0))
    return found


def _files(place: Path, look: str) -> Iterator[Path]:
    yield from place.parent.glob(f"{look}-*{ENDING}")
