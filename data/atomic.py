"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
