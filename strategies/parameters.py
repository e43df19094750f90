"""Parameters of a strategy: fields of a frozen dataclass that know their bounds.

A field is declared with :func:`param`; :func:`check_parameters` runs when the dataclass is made (see
``Rotation.__post_init__``), so that a strategy that exists is valid. The metadata of a field,
``low, high, choices, unit, help``, is what ``strategies show`` prints and what ``tune`` searches.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from data.errors import UsageError

T = TypeVar("T")

# Good values of a field that are known again: searches make thousands of sets from a few values each.
REMEMBERED = 1000

_WORDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "text",
    types.NoneType: "none",
}


def param(
    default: T,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[object] | None = None,
    unit: str = "",
    help: str = "",
    later: bool = False,
) -> T:
    """Return a dataclass field with a default, bounds (inclusive) or choices, its unit and a line of help.

    Where a field has bounds and choices, a number must obey the bounds, and a text be one of the choices.
    ``later`` is for a field that a class got after runs of it were on file: at its default it is left out of
    their ids. The declared type is that of ``default``, which is what a type checker should see.
    """
    metadata: dict[str, Any] = {"low": low, "high": high, "choices": choices, "unit": unit, "help": help}
    if later:
        metadata["later"] = True
    field: T = dataclasses.field(default=default, metadata=metadata)
    return field


def check_parameters(strategy: Any) -> None:
    """Bring the fields of a dataclass instance to their declared types, and check them against their bounds.

    Numbers of numpy become Python's, a whole float becomes an integer where one is wanted, and digits
    become a number where a field takes both. Raises UsageError naming the field, its value and its limit.
    """
    declared: type = type(strategy)
    for field, kinds, good in _fields(declared):
        value = getattr(strategy, field.name)
        kind = type(value)
        if kind in kinds and (kind, value) in good:
            continue
        name = f"parameter `{field.name}` of {declared.__name__}"
        if kinds:
            converted = _convert(name, value, kinds)
            # The dataclass is frozen for everybody else; this is part of making it.
            object.__setattr__(strategy, field.name, converted)
            value = converted
        _check_bounds(name, value, field.metadata)
        if kind in kinds and type(value) is kind and len(good) < REMEMBERED:
            good.add((kind, value))


@cache
def _fields(strategy: type) -> tuple[tuple[dataclasses.Field[Any], tuple[type, ...], set[Any]], ...]:
    """Return each field, the plain types that it takes, and room for values that were found good."""
    kinds = _kinds(strategy)
    return tuple((field, kinds[field.name], set()) for field in dataclasses.fields(strategy))


@cache
def _kinds(strategy: type) -> dict[str, tuple[type, ...]]:
    """Return the plain types that each field takes; none where it is declared as something richer."""
    hints = typing.get_type_hints(strategy)
    return {field.name: _plain_types(hints[field.name]) for field in dataclasses.fields(strategy)}


def _plain_types(hint: Any) -> tuple[type, ...]:
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    members = typing.get_args(hint) if union else (hint,)
    return members if all(member in _WORDS for member in members) else ()


def _convert(name: str, value: object, kinds: tuple[type, ...]) -> object:
    if isinstance(value, (bool, np.bool_)):
        if bool in kinds:
            return bool(value)
    elif isinstance(value, Real):
        try:
            number = int(value) if isinstance(value, Integral) else float(value)
            float(number)
        except OverflowError:  # a whole number, or a fraction of two, beyond all floats
            number = math.inf
        if int in kinds and math.isfinite(number) and number == int(number):
            return int(number)
        if float in kinds and math.isfinite(number):
            return float(number)
    elif isinstance(value, str):
        if int in kinds and str in kinds and value.strip().isdecimal():
            return int(value)
        if str in kinds:
            return value
    elif value is None and types.NoneType in kinds:
        return None
    raise UsageError(
        f"{name} must be " + " or ".join(_WORDS[kind] for kind in kinds),
        received=repr(value),
    )


def _check_bounds(name: str, value: object, metadata: Mapping[str, Any]) -> None:
    low, high = metadata.get("low"), metadata.get("high")
    choices = metadata.get("choices")
    if value is None or (choices is not None and value in choices):
        return
    bounded = low is not None or high is not None
    if bounded and isinstance(value, Real):
        if (low is not None and value < low) or (high is not None and value > high):
            unit = metadata.get("unit", "")
            raise UsageError(
                f"{name} is out of bounds", received=value, limit=f"{_range(low, high)} {unit}".rstrip()
            )
    elif choices is not None:
        numbers = [_range(low, high)] if bounded else []
        allowed = ", ".join(numbers + [str(choice) for choice in choices])
        raise UsageError(f"{name} is not one of its choices", received=repr(value), limit=allowed)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
