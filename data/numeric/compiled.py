"""Compiled functions: the only door to numba, and where the machine code is kept.

A function that is compiled is ordinary Python; ``compiled`` returns a version of it in machine code, together
with the functions that it calls. Bits stay the same: no fast-math, no fused or reordered additions.

The code is kept in the user's cache folder, in a folder named after a hash of all that went into it, since
numba itself looks at the file of the outermost function only: the sources, and the constants that the
functions name, which machine code holds as they were and which may come from elsewhere. So it also serves an
installation that is read-only. Without a folder to write to, each process compiles again.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from data.folders import cache_folder

_lock = threading.Lock()

Number = TypeVar("Number", bound=np.generic)
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function, *calls: Callable[..., Any]) -> Function:
    """Return ``function`` in machine code; ``calls`` are the Python functions that it, or they, call.

    It releases the interpreter's lock. A division by zero gives infinity or NaN instead of an error. Always
    the same object, whichever thread asks; it is compiled when it is first called.
    """
    with _lock:
        return cast(Function, _compiled(function, *calls))


def inlined(function: Function) -> Function:
    """Return the function, marked as one that machine code has at every place of its call.

    What is small the compiler puts there by itself. This is for what is larger, in the innermost loop.
    """
    function.inlined = True  # type: ignore[attr-defined]
    return function


@cache
def _compiled(function: Callable[..., Any], *calls: Callable[..., Any]) -> Any:
    import numba
    from numba.extending import register_jitable

    for each in calls:
        register_jitable(forceinline=hasattr(each, "inlined"))(each)
    folder = _folder(function, *calls)
    settings: Any = numba.config
    before = settings.CACHE_DIR
    try:
        if folder is not None:
            settings.CACHE_DIR = str(folder)
        made: Any = numba.njit(nogil=True, error_model="numpy", cache=folder is not None)(function)
    finally:
        settings.CACHE_DIR = before
    if folder is not None:
        _forgive(made._cache, folder)
    return made


def _forgive(kept: Any, folder: Path) -> None:
    """Let files of machine code that cannot be read, or written, cost a compilation and nothing else.

    numba unpickles what it finds, which raises whatever damaged bytes bring it to.
    """
    load, save = kept.load_overload, kept.save_overload

    def load_or_none(*words: Any) -> Any:
        try:
            return load(*words)
        except Exception:
            for path in folder.rglob("*.nb[ic]"):
                path.unlink(missing_ok=True)
            return None

    def save_or_not(*words: Any) -> None:
        with suppress(OSError):
            save(*words)

    kept.load_overload, kept.save_overload = load_or_none, save_or_not


def loaded() -> bool:
    """Return whether the compiler is loaded already, so that machine code costs nothing more to have."""
    return "numba" in sys.modules


def load() -> None:
    """Load the compiler, for work that is worth it as a whole and is done in parts."""
    import numba  # noqa: F401


def frozen(array: NDArray[Number]) -> NDArray[Number]:
    """Return a contiguous, read-only view or copy: machine code is made anew for each kind of array."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def is_kept(function: Callable[..., Any], *calls: Callable[..., Any]) -> bool:
    """Return whether machine code of ``function`` from an earlier process is there to be used."""
    folder = _folder(function, *calls)
    return folder is not None and any(folder.rglob(f"*.{function.__name__}-*.nbi"))


def _constants(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Return the numbers, texts and tuples that a function names, with their values."""
    named = ((name, function.__globals__.get(name)) for name in function.__code__.co_names)
    return [(name, value) for name, value in named if isinstance(value, int | float | str | tuple)]


def _folder(*functions: Callable[..., Any]) -> Path | None:
    """Return the folder for the code of these functions, created if needed; None if it cannot be written."""
    home = cache_folder()
    if home is None:
        return None
    digest = hashlib.sha256()
    for path in sorted({__file__, *(inspect.getfile(each) for each in functions)}):
        digest.update(Path(path).read_bytes())
    for each in functions:
        digest.update(repr(_constants(each)).encode())
    folder = home / "compiled" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
