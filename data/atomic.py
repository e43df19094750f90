"""Files that are written whole or not at all, and answers kept in files, which can be had again."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name that becomes ``path`` if the block ends well, and vanishes otherwise."""
    writer = f"{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f"{path.name}.{writer}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def keep_answer(path: Path, body: bytes) -> None:
    """Keep an answer, its digest in the first line; without a folder that can be written do nothing."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as written:
            written.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def kept_answer(path: Path) -> bytes | None:
    """Return an answer that was kept; None if there is none, or it is damaged."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return body if hashlib.sha256(body).hexdigest().encode() == digest else None
