"""What is said of an error that the code of a strategy raised: where, and what may be meant."""

from __future__ import annotations

import difflib
import sys
import traceback
from typing import Any

from data.errors import StrategyError

DATACLASS = "@dataclass(frozen=True, kw_only=True)"


def raised(name: str, error: Exception, file: str = "") -> StrategyError:
    """Return the error that says that a strategy raised, and in which line of its ``file``."""
    return StrategyError(
        f"{name} raised", received=told(error, file), hint=f"{_meant(error)}Run with -v for the traceback."
    )


def told(error: Exception, file: str) -> str:
    """Return the type and the text of an error, with the last line of ``file`` that led to it."""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if file and frame.f_code.co_filename == file]
    return f"{type(error).__name__}: {error}{f', in line {lines[-1]}' if lines else ''}"


def source_of(strategy: type[Any]) -> str:
    """Return the file that a class was executed from; nothing where it is in none."""
    return getattr(sys.modules.get(strategy.__module__), "__file__", None) or ""


def _meant(error: Exception) -> str:
    """Return which attributes of our object may be meant by one that it does not have."""
    if not isinstance(error, AttributeError) or error.obj is None or not error.name:
        return ""
    public = [each for each in dir(error.obj) if not each.startswith("_")]
    near = difflib.get_close_matches(error.name, public, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(f'`{each}`' for each in near)}? " if near else ""


def mend(error: Exception) -> str:
    """Return what to do about an error of loading a strategy's file, or of making the strategy."""
    if isinstance(error, ModuleNotFoundError):
        return f"Install it where etflow is: {sys.executable} -m pip install …, or do without it."
    if isinstance(error, TypeError) and "non-frozen dataclass" in str(error):
        return f"Decorate the class with {DATACLASS}: a strategy does not change."
    if isinstance(error, TypeError) and "no type annotation" in str(error):
        return "Write its type too, as in `top: int = 1`."
    return ""
