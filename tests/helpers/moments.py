"""The calls of a process that change files, counted; at one of them something happens to it.

``watch`` puts itself in the place of what Python changes files by. What pyarrow or numba write by themselves
is not seen, but that it takes its place is: whatever counts is renamed into it by Python. Of a write that is
disturbed half is done, as a kill or a full disk may leave it.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "fsync", "ftruncate", "truncate", "link")
GROWS = ("open", "write", "mkdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

_real_open, _real_os_open, _real_write = io.open, os.open, os.write


class Moment:
    """Counts calls below ``top``; from call ``number`` on (0: never) ``befall`` says what becomes of each.

    ``befall(name, first)`` may raise, kill, or return how much of a write is left (1.0: all).
    """

    def __init__(self, top: Path, number: int, befall: Callable[[str, bool], float]) -> None:
        self.top, self.number, self.befall = str(top), number, befall
        self.count = 0
        self.names: list[str] = []

    def at(self, name: str) -> float:
        """Count a call; return which part of it is done."""
        self.count += 1
        if self.number == 0:
            self.names.append(name)
        if not self.number or self.count < self.number:
            return 1.0
        return self.befall(name, self.count == self.number)

    def concerns(self, path: Any) -> bool:
        """Tell whether a path is one of ours."""
        return isinstance(path, int) or os.path.abspath(os.fsdecode(path)).startswith(self.top)

    def written(self, number: int, data: Any, write: Callable[[Any], Any]) -> Any:
        """Write to a file, all or half of it."""
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return write(data)
        part = self.at("write")
        if part == 1.0:
            return write(data)
        size = memoryview(data).nbytes
        done = write(memoryview(data).cast("B")[: int(size * part)]) if size > 1 else 0
        if part == KILLED:
            kill()
        return done


KILLED = 0.5
SHORT = 0.4


def kill() -> None:
    """End this process as a kill does."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed(name: str, first: bool) -> float:
    """Kill at the first call; in the middle of a write."""
    if name != "write":
        kill()
    return KILLED


def full(name: str, first: bool) -> float:
    """Let the disk be full from now on: the first write is short, and nothing grows any more."""
    if name not in GROWS:
        return 1.0
    if name == "write" and first:
        return SHORT
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only(name: str, first: bool) -> float:
    """Let nothing be changed from now on."""
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def signalled(number: int) -> Callable[[str, bool], float]:
    """Send this process a signal, once."""

    def befall(name: str, first: bool) -> float:
        if first:
            os.kill(os.getpid(), number)
        return 1.0

    return befall


def meanwhile(ask: int, answer: int) -> Callable[[str, bool], float]:
    """Let something else happen before the call: say so to ``ask``, and wait for ``answer``."""

    def befall(name: str, first: bool) -> float:
        if first:
            _real_write(ask, b".")
            os.read(answer, 1)
        return 1.0

    return befall


def full_below(patch: Any, folder: Path) -> None:
    """Let the disk of the files in a folder be full for ``os.write``, until a monkeypatch is undone."""

    def write(number: int, data: Any) -> int:
        found = os.fstat(number)  # a file without a name is there too
        if not found.st_nlink or any(os.path.samestat(found, path.stat()) for path in folder.rglob("*")):
            return int(full("write", False))
        return _real_write(number, data)

    patch.setattr(os, "write", write)


def watch(moment: Moment) -> None:
    """Let every call of this process that changes a file pass by ``moment``."""
    for name in CALLS:
        setattr(os, name, _watched(name, getattr(os, name), moment))

    def os_open(path: Any, flags: int, *words: Any, **named: Any) -> int:
        if flags & WRITING and moment.concerns(path):
            moment.at("open" if flags & os.O_CREAT else "open again")
        return _real_os_open(path, flags, *words, **named)

    def os_write(number: int, data: Any) -> int:
        return int(moment.written(number, data, lambda part: _real_write(number, part)))

    class Raw(io.FileIO):
        def write(self, data: Any) -> Any:
            return moment.written(self.fileno(), data, super().write)

    def opened(file: Any, mode: str = "r", buffering: int = -1, *words: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+") or not moment.concerns(file):
            return _real_open(file, mode, buffering, *words, **named)
        return _opened(Raw, moment, file, mode, buffering, *words, **named)

    os.open, os.write = os_open, os_write
    builtins.open = io.open = opened
    _watch_exchange(moment)


def _watched(name: str, call: Callable[..., Any], moment: Moment) -> Callable[..., Any]:
    def watched(*words: Any, **named: Any) -> Any:
        if named.get("dir_fd") is not None or moment.concerns(words[0]):
            moment.at(name)
        return call(*words, **named)

    return watched


def _opened(
    raw_kind: type[io.FileIO],
    moment: Moment,
    file: Any,
    mode: str,
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    if not isinstance(file, int):
        moment.at("open" if "r" not in mode else "open again")
    raw = raw_kind(file, mode.replace("b", "").replace("t", ""), closefd, opener)
    if buffering == 0:
        return raw
    buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    if "b" in mode:
        return buffered
    text = io.TextIOWrapper(buffered, encoding, errors, newline)
    text.mode = mode
    return text


def _watch_exchange(moment: Moment) -> None:
    """Count the exchange of two names, which Python has no call for."""
    from engine.results import staging

    exchange = staging._exchange

    def watched(one: Path, other: Path) -> bool:
        moment.at("exchange")
        return exchange(one, other)

    staging._exchange = watched
