"""Documents as JSON: what a command prints, and what it writes, in JSON's own types."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """Return ``value`` in JSON's own types: arrays as lists, days as text, NaN and infinity as None."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if hasattr(value, "tolist"):  # a numpy scalar or array
        return plain(value.astype(str).tolist()) if value.dtype.kind == "M" else plain(value.tolist())
    return str(value)


def json_text(document: Any, *, ascii: bool = False) -> str:
    """Return a document in JSON's own types as text, with no end of line; ValueError for NaN or infinity.

    With ``ascii`` other letters are written as escapes, which mean the same.
    """
    return json.dumps(document, ensure_ascii=ascii, indent=2, allow_nan=False)


def write_json(document: Any, path: Path) -> None:
    """Write a document in JSON's own types into a file; the same bytes on every system."""
    # A folder may have a name that is no text.
    path.write_text(json_text(document) + "\n", encoding="utf-8", errors="replace", newline="\n")
