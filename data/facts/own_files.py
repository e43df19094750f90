"""Files of facts that belong to the user: where they are, and how they are changed.

For each there is an environment variable that names one; else it lies in the user's state folder, under its
own name, and counts as soon as it is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from data.atomic import whole_file
from data.errors import UsageError
from data.folders import state_folder


def own_file(variable: str, name: str) -> Path:
    """Return the user's file, which may not exist yet; UsageError for a user without a home."""
    named, folder = os.environ.get(variable), state_folder()
    if named:
        return Path(named)
    if folder is None:
        raise UsageError(f"there is no folder for {name}", hint=f"Name a file in {variable}.")
    return folder / name


def own_file_if_any(variable: str, name: str) -> Path | None:
    """Return the file that the variable names, there or not; else the one in the state folder, if there."""
    named, folder = os.environ.get(variable), state_folder()
    if named:
        return Path(named)
    return folder / name if folder is not None and (folder / name).is_file() else None


def replace_file(path: Path, text: str, check: Callable[[Path], None]) -> None:
    """Put ``text`` in the place of a file once ``check`` has read it; the file stays as it was otherwise."""
    temporary = path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            # The name of a file that the text tells may have bytes that are no text.
            temporary.write_bytes(text.encode("utf-8", "replace"))
            check(temporary)
    except OSError as error:
        raise UsageError(f"cannot write {path}", received=error.strerror, hint="Name another file.") from None
    except UsageError as error:
        what = error.what.replace(str(temporary), str(path))
        raise UsageError(what, received=error.received, limit=error.limit, hint=error.hint) from None
