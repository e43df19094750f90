"""The fields of a map file, each read as what it must be, or refused as a UsageError that names it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from data.errors import UsageError


def section(raw: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """Return a section [key]; an empty one if it is absent."""
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"{where}: `{key}` must be a section [{key}]", received=repr(value))
    return value


def text(raw: Mapping[str, Any], key: str, where: str) -> str | None:
    """Return a text, or None if it is absent."""
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{where}: `{key}` must be text", received=repr(value))
    return value


def texts(raw: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """Return one text or a list of them as a tuple; empty if absent."""
    value = raw.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{where}: `{key}` must be text, or a list of texts", received=repr(value))
    return tuple(texts)


def truth(raw: Mapping[str, Any], key: str, where: str, *, default: bool) -> bool:
    """Return true or false."""
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise UsageError(f"{where}: `{key}` must be true or false", received=repr(value))
    return value


def choice(raw: Mapping[str, Any], key: str, known: Sequence[str], where: str) -> str | None:
    """Return one of the texts that are known, or None if it is absent."""
    value = text(raw, key, where)
    if value is not None and value not in known:
        limit = " ".join(map(repr, known))
        raise UsageError(f"{where}: unknown `{key}`", received=repr(value), limit=limit)
    return value


def header(raw: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    """Return the names of the columns of a file without a header, each once; None if absent."""
    names = texts(raw, "header", where)
    if len({*names}) < len(names):
        raise UsageError(f"{where}: `header` names a column twice", received=", ".join(names))
    return names or None


def separator(raw: Mapping[str, Any], where: str) -> str | None:
    """Return the sign between cells, or None if it is absent."""
    mark = text(raw, "separator", where)
    if mark is not None and (len(mark) != 1 or mark in '"\r\n\0'):
        raise UsageError(f"{where}: `separator` is not one sign", received=repr(mark), limit="such as ; or |")
    return mark


def constants(raw: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return what is the same in all rows, as text."""
    constants = section(raw, "constants", where)
    for key, value in constants.items():
        if isinstance(value, dict | list):
            raise UsageError(f"{where}: `{key}` of `constants` is no single value", received=repr(value))
    return {key: str(value) for key, value in constants.items()}


def date_formats(raw: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Return formats of `strptime` that pandas understands."""
    for written in texts(raw, "date_format", where):
        if wrong := _wrong_in(written):
            limit = "as Python's strptime: %Y-%m-%d"
            raise UsageError(f"{where}: {wrong}", received=repr(written), limit=limit)
    return texts(raw, "date_format", where)


@cache
def _wrong_in(date_format: str) -> str:
    """Return what pandas says is wrong in a format, which many maps have; nothing if it understands it."""
    try:
        pd.to_datetime(pd.Series(["2025"], dtype="str"), format=date_format, errors="coerce")
    except ValueError as error:
        return str(error)
    return ""


def patterns(raw: Mapping[str, Any], key: str, where: str) -> dict[str, re.Pattern[str]]:
    """Return the regular expressions of a section."""
    return {name: pattern(text, f"{where}, `{key}`") for name, text in section(raw, key, where).items()}


def pattern(text: object, where: str) -> re.Pattern[str]:
    """Return a regular expression."""
    if not isinstance(text, str):
        raise UsageError(f"{where} must be text", received=repr(text))
    try:
        with warnings.catch_warnings():
            # Python may read [[a] in another way one day, and says so.
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"{where} is not a regular expression", received=repr(text), limit=str(error)
        ) from None
