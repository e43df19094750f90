"""A file of JSON lines that only ever grows, and survives a kill at any moment.

1. Lines are appended in chunks: one write, then a flush to the disk. A chunk that could not be written in
   full (a full disk, Ctrl-C) is taken back.
2. A process that was killed in mid-write leaves a last line without its end. Readers pass over it; the next
   writer cuts it off.
3. One process writes at a time: it holds the lock of the folder.
4. A line ends with a checksum of itself, and says which line it follows (``engine.record.chain``). That of
   the last one is noted beside the file (``engine.record.last``), unless lines are missed there already.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from data.atomic import whole_file
from data.errors import UsageError
from engine.record.chain import LONGEST_END, START, checksum_of, encode
from engine.record.last import last_of, note_last, noted_last

LOCK = ".lock"
# What a place must have room for: any line but the data of very many funds.
TRIAL_BYTES = 65536
# The system does not refuse a lock to the process that has it already.
_held: set[Path] = set()


class Journal:
    """The file at ``path``, open for appending and locked, its torn end cut off. Use it as a context."""

    def __init__(self, path: Path) -> None:
        # Of a link in another folder the lock is that of the file which it stands for.
        self._folder = Path(os.path.realpath(path)).parent
        self._lock = _lock(self._folder)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            self._end = _end_of_lines(self._file)
            os.ftruncate(self._file, self._end)
            self._last = _last_checksum(self._file, self._end)
            self._path, self._cut = path, is_cut(path, self._last)
            _sync_folder(path.parent)
        except BaseException:
            _unlock(self._folder, self._lock)
            raise

    @property
    def empty(self) -> bool:
        """Whether there is no line."""
        return self._end == 0

    def append(self, values: Sequence[Mapping[str, Any]]) -> None:
        """Write lines to the disk, all of them or, where an error or Ctrl-C comes, none."""
        lines, last = [], self._last
        for value in values:
            lines.append(encode(value, last))
            last = checksum_of(lines[-1])
        self._end += _write_whole(self._file, b"".join(lines), self._end)
        self._last = last
        if not self._cut:
            note_last(self._path, last)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
        _unlock(self._folder, self._lock)


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append a line to a file that several processes may append to, in place of what another left torn."""
    with writing(path) as file:
        end = _end_of_lines(file)
        os.ftruncate(file, end)
        last = _last_checksum(file, end)
        line, cut = encode(value, last), is_cut(path, last)
        _write_whole(file, line, end)
        if not cut:
            note_last(path, checksum_of(line))


def try_line(path: Path) -> None:
    """Raise OSError where a file takes no line, for want of room too; leave nothing of the trial."""
    # Beside the file, whose readers would take what goes away again for the beginning of a line. Where the
    # folder takes no file, the file may take a line.
    with writing(path), suppress(PermissionError), tempfile.TemporaryFile(dir=path.parent) as room:
        _write_whole(room.fileno(), bytes(TRIAL_BYTES), 0)


def write_anew(path: Path, kept: Callable[[], Iterable[bytes]]) -> None:
    """Put the lines that are ``kept`` of such a file into its place."""
    with writing(path) as file:
        lines, cut = list(kept()), is_cut(path, _last_checksum(file, _end_of_lines(file)))
        if not cut:
            last_of(path).unlink(missing_ok=True)  # before that line may be gone
        with whole_file(path) as written:
            written.write_bytes(b"".join(lines))
        if not cut and lines and lines[-1].endswith(b"\n"):
            note_last(path, checksum_of(lines[-1]))


def is_cut(path: Path, last: bytes) -> bool:
    """Return whether lines are missed behind that with the checksum ``last``, with which a file ends.

    Nothing is of a file that is empty, nor of one that ends with a line without a checksum.
    """
    noted = noted_last(path)
    if last == START or noted in (None, last):
        return False
    with path.open("rb") as file:
        return not any(checksum_of(line) == noted for line in file)


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


def _last_checksum(file: int, end: int) -> bytes:
    """Return the checksum of the line that ends at ``end``."""
    os.lseek(file, max(end - LONGEST_END, 0), os.SEEK_SET)
    return checksum_of(os.read(file, min(end, LONGEST_END)))


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
