"""What a door is, and one input brought through it, within limits of time."""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import NoReturn

import run_backtest
from data.errors import EtflowError
from engine.cli.main import main
from tests.fuzz.spoil import spoil

# Takes a spoilt example by its name; returns whether it was taken. AssertionError where the answer is wrong.
Open = Callable[[str, bytes], bool]
# Takes an example and the others; returns it spoilt.
Spoil = Callable[[bytes, Random, Sequence[bytes]], bytes]

# Of the processor for an input, none of which has more than a few thousand bytes; and of a clock, for what
# waits, as long as it takes on a machine that has other work.
SECONDS, WAITED = 60, 600
# Done, or refused in words; not a bug (1), nor interrupted (130).
ANSWERS = (0, 2, 3, 4, 5)


class Hang(BaseException):
    """An input took too long; no ``except Exception`` takes it."""


@dataclass(frozen=True)
class Door:
    """A way in: what comes through it, and of a thousand inputs how many.

    ``prepare`` makes valid examples in a folder of its own, and returns them with what opens one of them.
    """

    about: str
    prepare: Callable[[Path], tuple[Mapping[str, bytes], Open]]
    share: int = 40
    spoil: Spoil = spoil


@dataclass(frozen=True)
class Ready:
    """A door whose examples are made. The input of a number is always the same."""

    name: str
    examples: Mapping[str, bytes]
    open: Open
    spoil: Spoil

    def input(self, number: int) -> tuple[str, bytes]:
        """Return an example, by its name, as spoilt as the number says; every hundredth is as it was."""
        random = Random(f"{self.name} {number}")
        name = random.choice([*self.examples])
        content = self.examples[name]
        if number % 100 == 0:
            return name, content
        return name, self.spoil(content, random, [*self.examples.values()])

    def attempt(self, number: int) -> bool:
        """Return whether an input was accepted; whatever a user should not see is raised."""
        name, content = self.input(number)
        with limited():
            try:
                return self.open(name, content)
            except EtflowError:
                return False


@contextmanager
def limited(seconds: float = SECONDS) -> Iterator[None]:
    """Raise Hang if the block takes longer, on the processor."""

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise Hang(f"more than {seconds:g} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def command(*words: object) -> tuple[int, str]:
    """Run a command line in this process; return its exit code and what it printed. It refuses in words."""
    out, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        code = main(run_backtest.load_catalogue, [str(word) for word in words])
    assert code in ANSWERS, f"exit {code}: {told.getvalue()[-3_000:]}"
    assert code == 0 or "error: " in told.getvalue(), f"exit {code} without a word"
    return code, out.getvalue()


def words_of(content: bytes) -> list[str]:
    """Return the words of a command line, one a line, as a system can hand them over."""
    text = content.replace(b"\0", b"").decode("utf-8", "surrogateescape")
    return text.split("\n")


@contextmanager
def spoilt(path: Path, content: bytes | None, watched: Path | None = None) -> Iterator[None]:
    """Let a file have another content in the block, or none; that may change nothing in ``watched``."""
    before = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    there = None if watched is None else snapshot(watched)
    try:
        yield
        assert watched is None or snapshot(watched) == there, f"{watched} is not as it was"
    finally:
        path.write_bytes(before)


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return all that is in a folder, with sizes and times."""
    found = {}
    for each in folder.rglob("*"):
        told = each.stat()
        found[str(each)] = (told.st_size, told.st_mtime_ns)
    return found
