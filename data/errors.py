"""Errors that a user can act on: what happened, the value received, the limit, and the next step.

Each family carries the exit code of the command line (see ``docs/user-guide.md``). Anything that is not
an :class:`EtflowError` is a bug of ours, and exits with 1 and a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Of what an error quotes: somebody may have given thousands of digits.
_LONGEST = 1000


class EtflowError(Exception):
    """Base of all errors that the user can do something about.

    Parameters
    ----------
    what : str
        What is wrong, naming the parameter, file or row.
    received, limit : object, optional
        The value that came in, and what is allowed.
    hint : str, optional
        The next step, as a sentence.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        received: object = None,
        limit: object = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.received = received
        self.limit = limit
        self.hint = hint
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [shortened(self.what)]
        if self.received is not None:
            parts.append(f"received {shortened(str(self.received))}")
        if self.limit is not None:
            parts.append(f"limit: {self.limit}")
        text = "; ".join(parts).rstrip(".")
        return f"{text}. {self.hint}" if self.hint else f"{text}."


class UsageError(EtflowError, ValueError):
    """Wrong usage or configuration."""

    exit_code = 2


class DataError(EtflowError, ValueError):
    """Market data are missing, or failed their checks."""

    exit_code = 3


class StrategyError(EtflowError):
    """A strategy could not be loaded, or raised."""

    exit_code = 4


class ValidationError(EtflowError, ValueError):
    """A validation failed: look-ahead found, a reproduction that drifted, a gate missed."""

    exit_code = 5


def shortened(text: str) -> str:
    """Return a text that is no longer than a message should be, with what is cut out of it counted."""
    out = len(text) - _LONGEST
    return text if out <= 0 else f"{text[: _LONGEST // 2]} [{out:,} more] {text[-_LONGEST // 2 :]}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the close matches of ``name``, or all known names if none is close."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(f"`{match}`" for match in close) + "?"
    return "Known: " + ", ".join(names) + "." if names else "There is none."


def check_choice(kind: str, name: str, known: Iterable[str], where: str = "") -> None:
    """Raise UsageError with close matches if ``name`` is none of the ``known`` ones of its kind.

    ``where`` is the file or option that has the name.
    """
    names = list(known)
    if name not in names:
        prefix = f"{where}: " if where else ""
        raise UsageError(f"{prefix}unknown {kind} `{name}`", hint=did_you_mean(str(name), names))
