"""A file of JSON lines that only ever grows, and survives a kill at any moment.

1. Lines are appended in chunks: one write, then a flush to the disk. A chunk that could not be written in
   full (a full disk, Ctrl-C) is taken back.
2. A process that was killed in mid-write leaves a last line without its end. Readers pass over it; the next
   writer cuts it off.
3. One process writes at a time: it holds the lock of the folder.
4. A line ends with a checksum of itself, so that a bit that flips on a disk, or a number that is changed by
   hand, is damage and not another number. Lines of versions that wrote none are read as they are.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from data.errors import DataError, UsageError
from data.parsing import parse_json

LOCK = ".lock"
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CHECK = b',"crc32":"'
# The system does not refuse a lock to the process that has it already.
_held: set[Path] = set()


def encode(value: Mapping[str, Any]) -> bytes:
    """Return a JSON line with its checksum. Numbers come back exactly as they were; NaN is refused."""
    content = _JSON.encode(value).encode()
    return content.removesuffix(b"}") + _check_of(content)


def decode(line: bytes) -> Any:
    """Return the content of a line; ValueError where it is damaged."""
    if line.endswith(b"\r\n"):
        line = line[:-2] + b"\n"  # a tool for text has changed ends of lines; it can change no number so
    content, marked, _ = line.rpartition(_CHECK)
    if not marked:
        value = parse_json(line)
        if isinstance(value, dict) and "crc32" in value:
            raise ValueError("somebody wrote the line anew, and left it its checksum")
        return value
    content += b"}"
    if not line.endswith(_check_of(content)):
        raise ValueError("the line is not what its checksum is of")
    return parse_json(content)


def _check_of(content: bytes) -> bytes:
    """Return what follows the content of a line in place of its last brace."""
    return b'%s%08x"}\n' % (_CHECK, zlib.crc32(content))


def whole_lines(path: Path, starts: tuple[bytes, ...] = ()) -> Iterator[dict[str, Any] | None]:
    """Yield the content of every line, None for one that is damaged; a last line without its end is none.

    With ``starts`` only of lines that begin so.
    """
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            if starts and not line.startswith(starts):
                continue
            try:
                value = decode(line)
            except ValueError:
                value = None
            yield value if isinstance(value, dict) else None


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number (from 1) and content of every whole line; DataError names a line that is damaged."""
    for number, value in enumerate(whole_lines(path), start=1):
        if value is None:
            raise damaged(path, number)
        yield number, value


def damaged(path: Path, line: int) -> DataError:
    """Return the error for a line that nobody wrote so."""
    return DataError(
        f"{path}: line {line} is damaged",
        hint="Restore the file from a copy; without one, begin a new study with another --out or --seed.",
    )


class Journal:
    """The file at ``path``, open for appending and locked, its torn end cut off. Use it as a context."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock(path.parent)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            self._end = _end_of_lines(self._file)
            os.ftruncate(self._file, self._end)
            _sync_folder(path.parent)
        except BaseException:
            _unlock(path.parent, self._lock)
            raise

    @property
    def empty(self) -> bool:
        """Whether there is no line."""
        return self._end == 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines to the disk, all of them or, where an error or Ctrl-C comes, none."""
        self._end += _write_whole(self._file, b"".join(lines), self._end)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        _unlock(self.path.parent, self._lock)


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append a line to a file that several processes may append to, in place of what another left torn."""
    with writing(path) as file:
        end = _end_of_lines(file)
        os.ftruncate(file, end)
        _write_whole(file, encode(value), end)


def _write_whole(file: int, data: bytes, end: int) -> int:
    """Write data behind ``end``, onto the disk; return how much, and leave nothing where an error comes."""
    try:
        os.lseek(file, end, os.SEEK_SET)
        written = 0
        while written < len(data):  # a disk that becomes full takes a part first
            written += os.write(file, data[written:])
        os.fsync(file)
    except BaseException:
        os.ftruncate(file, end)
        raise
    return len(data)


@contextmanager
def writing(path: Path) -> Iterator[int]:
    """Open a file to read and to append, made where it is missing; others who write it wait meanwhile.

    Waiting is for a moment: nobody holds it longer than it takes to write a line, or the lines that are kept
    of a file into another that then takes its place; who waited for the old file goes on with the new one.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _wait_for(file)
            if _still_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def _wait_for(file: int) -> None:
    """Take the lock of an open file; the system frees it when the file is closed, by a kill too."""
    if sys.platform == "win32":
        import msvcrt

        # A byte far behind the end, since there a locked byte cannot be read either.
        os.lseek(file, 2**40, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        # Not lockf, which two threads of a process would both be given.
        fcntl.flock(file, fcntl.LOCK_EX)


def _still_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Put the name of a new file on the disk, where the system can do that."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _end_of_lines(file: int) -> int:
    """Return the place behind the last line that has its end, read from the back."""
    position = os.fstat(file).st_size
    while position > 0:
        start = max(position - 65536, 0)
        os.lseek(file, start, os.SEEK_SET)
        block = os.read(file, position - start)
        found = block.rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


def _lock(folder: Path) -> int:
    """Take the lock of the folder; UsageError if it is taken. The system frees it when the process ends."""
    place = folder.resolve()
    if place in _held:
        raise _taken(folder)
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # Not flock, which worker processes would inherit, and hold on to after a kill of this one.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(file)
        raise _taken(folder) from None
    _held.add(place)
    return file


def _unlock(folder: Path, lock: int) -> None:
    _held.discard(folder.resolve())
    os.close(lock)


def _taken(folder: Path) -> UsageError:
    return UsageError(
        f"`{folder.name}` is being written by another process",
        hint="Wait until it has finished, then try again.",
    )
