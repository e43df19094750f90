"""JSON and TOML that came from outside, as values: the one door, with limits, and one family of errors.

A parser raises whatever its input brings it to: errors of its own, RecursionError for lists within lists, a
ValueError for thousands of digits; and what it does take may be too deep for those who walk through it later.
Here whatever cannot be taken is a ValueError, so that callers say once whose error it is. ``misfit`` then
tells whether a value has the shape that is relied on.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_BYTES = 256 << 20
DEEPEST = 64
# A longer whole number fits into no column, and becomes a float as any decimal does.
_MOST_DIGITS = 18
_ABSURD = 1000

NUMBER = (int, float)
_TOO_DEEP = f"lists within lists, more than {DEEPEST} deep"


def read_bounded(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file; ValueError where there are more than ``most``, OSError as ``open`` has it.

    No more is read than that, so that a device without an end is refused like a file that is too large.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; ValueError for one that is none, or too deep.

    Whole numbers of more than 18 digits come as floats.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    try:
        value = json.loads(text, parse_int=_whole)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(value)
    if r"\u" in text:
        # Half of a letter of two halves is no text; UnicodeEncodeError is a ValueError.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML text; ValueError for one that is none, or too deep."""
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(value)
    return value


def misfit(value: Any, shape: Any, where: str = "") -> str | None:
    """Return where a value first differs from a shape, as ``data.name``; None where it fits.

    A shape is a type or several (a number is finite, and never a truth), ``[shape]`` for a list of such, or a
    mapping from the names that a JSON object must have to the shapes of their values; a name that ends with
    ``?`` may be absent or null.
    """
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return where or "the whole"
        for name, each in shape.items():
            plain = name.removesuffix("?")
            if plain != name and value.get(plain) is None:
                continue
            below = f"{where}.{plain}" if where else plain
            if plain not in value:
                return below
            if (found := misfit(value[plain], each, below)) is not None:
                return found
        return None
    if isinstance(shape, list):
        if not isinstance(value, list):
            return where
        parts = (misfit(each, shape[0], f"{where}[{index}]") for index, each in enumerate(value))
        return next((part for part in parts if part is not None), None)
    kinds = shape if isinstance(shape, tuple) else (shape,)
    fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    return None if fits and (not isinstance(value, float) or math.isfinite(value)) else where


def _whole(digits: str) -> int | float:
    if len(digits) > _ABSURD:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level if each]
        level = [item for each in inner for item in each if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)
