"""Which files of strategies this user has run by naming them; others are run only when the user says so.

A manifest, a study and a record of looks name the file of a strategy. Whatever makes them again executes
that file, and such a folder may come from anywhere. A file that was loaded because the user named it is
trusted, as it is and where it is: a line in the user's state folder keeps the hash of its place and content.
Where no line can be kept, nothing is trusted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import UsageError
from data.folders import state_folder

FILE = "trusted.txt"


def file_of(name: str) -> str:
    """Return the file of a name like ``path/to/file.py:ClassName``, as written; empty if it names none."""
    path, _, _ = name.rpartition(":")
    return next((each for each in (path, name) if each.endswith(".py")), "")


def remember(path: Path, content: bytes) -> None:
    """Trust the file at ``path`` as long as it is as it is."""
    place, line = _place(), _hash(path, content)
    if place is None or line in _lines(place):
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        begin = "\n" if place.is_file() and not place.read_bytes().endswith(b"\n") else ""
        # A line is one write, so that processes may append at once.
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{begin}{line}\n".encode())
        finally:
            os.close(file)
    except OSError:
        pass  # then it will be asked for


def is_trusted(path: Path) -> bool:
    """Return whether the user has run the file at ``path``, with the content that it has now."""
    place = _place()
    try:
        return place is not None and _hash(path, path.read_bytes()) in _lines(place)
    except OSError:
        return False


GO_ON = "Read the file; then go on with --trust. Running the strategy by its name once will do as well."


def require_trust(
    strategy: str, catalogue: Mapping[str, type[Any]], origin: str, *, trust: bool, hint: str = GO_ON
) -> None:
    """Raise UsageError, with a ``hint``, if making ``origin`` again would run a file this user never named.

    ``strategy`` is the name that it has there; those of ``catalogue`` are ours. ``trust``: run it anyway.
    """
    path = Path(file_of(strategy))
    if trust or strategy in catalogue or not path.is_file() or is_trusted(path):
        return
    raise UsageError(
        f"{origin} would run a Python file that you have not run yet",
        received=path.resolve(),
        hint=hint,
    )


def _place() -> Path | None:
    state = state_folder()
    return None if state is None else state / FILE


def _hash(path: Path, content: bytes) -> str:
    return hashlib.sha256(os.fsencode(path.resolve()) + b"\0" + content).hexdigest()


def _lines(place: Path) -> set[str]:
    try:
        return set(place.read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return set()
