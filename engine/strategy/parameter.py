"""A parameter of a strategy: its field, and a word that somebody typed brought to the field's type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from data.errors import UsageError

NONE: Any = type(None)
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
# What types are called; what is not here goes by its own name.
_NAMES: dict[Any, str] = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    NONE: "none",
}
_VALUES = _NAMES | {int: "a whole number", float: "a number"}  # what a value of them is called


@dataclass(frozen=True)
class Parameter:
    """One field of a strategy, as ``strategies show`` lists it; ``kinds`` are the types that it may have."""

    name: str
    kinds: tuple[Any, ...]
    default: Any
    low: float | None
    high: float | None
    choices: tuple[Any, ...] | None
    unit: str
    help: str

    @property
    def type(self) -> str:
        """Its types in words."""
        return type_name(self.kinds)


def type_name(kinds: tuple[Any, ...], names: dict[Any, str] = _NAMES) -> str:
    """Return types in words: "whole number or text"."""
    return " or ".join(names.get(kind, getattr(kind, "__name__", str(kind))) for kind in kinds)


def typed(word: str, kinds: tuple[Any, ...], where: str, *, bounded: bool = False) -> Any:
    """Return a word as the first of ``kinds`` that it can be: none, a switch, a whole number, a number, text.

    ``bounded``: infinity and NaN are no numbers. UsageError naming ``where`` if it can be none of them.
    """
    text = word.strip()
    if NONE in kinds and text.lower() in ("none", "null", ""):
        return None
    if bool in kinds and text.lower() in (*TRUE, *FALSE):
        return text.lower() in TRUE
    for kind in (int, float):
        if kind in kinds:
            try:
                number = kind(text)
            except ValueError:
                continue
            if not bounded or math.isfinite(number):
                return number
    if str in kinds or not set(kinds) & {int, float, bool}:
        return word
    raise UsageError(f"{where} must be {type_name(kinds, _VALUES)}", received=repr(word))
