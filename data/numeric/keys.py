"""Keys of values by which what was worked out of them is found again, and told from what was of others."""

from __future__ import annotations

import pickle
from typing import Any

# Types whose values are the same if they are equal and of one of them.
_PLAIN = frozenset((bool, int, float, str, type(None)))


def key_of(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a key for values that is another one for 1, 1.0 and True, which are equal and need not do alike.

    Also where another value holds them: what is not plain is in the key with what it would be in a file.
    """
    kinds = tuple(map(type, values))
    if not _PLAIN.issuperset(kinds):
        values = tuple([_named(value) for value in values])
    return values + kinds


def _named(value: Any) -> Any:
    """Return what stands for a value in a key: itself, and what it holds, where others may be equal to it."""
    kind: Any = type(value)
    if kind in _PLAIN or kind.__eq__ is object.__eq__:  # the second is equal to nothing but itself
        return value
    try:
        held: Any = pickle.dumps(value)  # the text of a long array leaves out most of it
    except Exception:
        held = repr(value)  # it cannot be in a file, as a function of no module
    try:
        hash(value)
    except TypeError:  # of a list or the like no group can be named
        return held
    return value, held
