"""What a strategy is written in, as a hash: two that have the same are the same code."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path
from typing import Any

DIGITS = 16


def source_of(strategy: type[Any]) -> str:
    """Return a hash of the module that a class is written in; empty where that cannot be read."""
    try:
        file = inspect.getsourcefile(strategy)
        content = Path(file or "").read_bytes()
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(content).hexdigest()[:DIGITS]
