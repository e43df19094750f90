"""The standard streams, fit to be written to whatever they lead to.

- One that the caller closed (``>&-``) leads nowhere; its number is taken, so that no file gets it and is then
  written to by whoever prints.
- What an encoding has no sign for (a redirect on a code page such as GBK) is written as an escape.
- Standard error that takes nothing costs its lines, and not the work. Standard output that takes nothing is
  ``OutputLost``, which the command line answers once the work is kept.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

ESCAPED = "backslashreplace"


class OutputLost(Exception):
    """Standard output does not take what was printed; the message is the system's reason."""


class _Output(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputLost(error.strerror or str(error)) from None


class _Unheard(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


def secure() -> None:
    """Make the streams of this process so; those that a test or a notebook put in their place stay."""
    closed = [number for number in range(3) if not _is_open(number)]
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = _made_fit(sys.stdout, sys.__stdout__, 1, _Output)
    sys.stderr = _made_fit(sys.stderr, sys.__stderr__, 2, _Unheard)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115


def drop_output() -> None:
    """Let what is still to be written to standard output go nowhere: it would fail at exit again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def can_print(text: str) -> bool:
    """Return whether standard output has a sign for every letter."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _made_fit(stream: TextIO | None, original: TextIO | None, number: int, kind: type[io.FileIO]) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if stream is not original or not isinstance(stream, io.TextIOWrapper):
        return stream
    if stream.isatty():
        stream.reconfigure(errors=ESCAPED)
        return stream
    raw = io.BufferedWriter(kind(number, "w", closefd=False))
    return io.TextIOWrapper(raw, stream.encoding, ESCAPED, line_buffering=number == 2)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
