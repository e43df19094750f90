"""Dated facts: rows of a TOML file that say what holds, for which funds, from which day, and who says so.

Every row has ``applies_to``, ``from`` and ``source``. Of the rows that match a fund on a day the most
particular scope counts, and within one scope the latest row. Rules and availability are made of such rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError, check_choice
from data.facts.symbols import exchange_or_none
from data.parsing import parse_toml, read_bounded

Days = NDArray[np.datetime64]
Integers = NDArray[np.int64]

FACTS = Path(__file__).resolve().parent

# From the most general to the most particular; a later kind overrides an earlier one.
SCOPES = ("default", "exchange", "prefix", "family", "symbols")


@dataclass(frozen=True)
class Scope:
    """The funds that a row is about: ``kind`` is one of SCOPES, ``names`` what it lists."""

    kind: str
    names: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """How particular the scope is; the largest rank that matches a fund counts."""
        return SCOPES.index(self.kind)

    def covers(self, symbol: str, family: str | None = None) -> bool:
        """Tell whether the row is about this fund."""
        if self.kind == "exchange":
            return exchange_or_none(symbol) in self.names
        if self.kind == "prefix":
            return symbol.startswith(self.names)
        if self.kind == "family":
            return family in self.names
        return self.kind == "default" or symbol in self.names


@dataclass(frozen=True)
class Row:
    """One dated row: where it applies, its first day, its source, and its remaining fields."""

    scope: Scope
    start: np.datetime64
    source: str
    fields: Mapping[str, Any]


def read_toml(path: Path, what: str = "") -> dict[str, Any]:
    """Return the content of a TOML file; UsageError names ``what`` and the file if absent or not TOML."""
    try:
        return parse_toml(str(read_bounded(path), "utf-8").replace("\r\n", "\n"))
    except OSError as error:
        raise UsageError(
            f"cannot read {what}{path}", received=error.strerror, hint="Check the path."
        ) from None
    except ValueError as error:
        told = str(error).partition(";")[0]
        raise UsageError(
            f"{what}{path} is not a TOML file", received=told, hint="Correct the line that is named."
        ) from None


def rows_of(raw: object, where: str, fields: Sequence[str]) -> list[Row]:
    """Return the rows of ``[[...]]`` tables, least particular and earliest first.

    ``fields`` are the names that a row may have besides ``applies_to``, ``from`` and ``source``. A row
    that lacks one of those three, has another name, or a date that is none, is a UsageError with its number.
    """
    rows = [_row(each, f"{where}, row {number}", fields) for number, each in enumerate(tables(raw, where), 1)]
    return sorted(rows, key=lambda row: (row.scope.rank, row.start))


def stretches(rows: Iterable[Row], days: Days) -> tuple[Integers, Integers]:
    """Return where the stretches of ``days`` begin in each of which the same rows hold, and their lengths."""
    starts = {0, *(int(days.searchsorted(row.start)) for row in rows)}
    begins = np.array(sorted(start for start in starts if start < len(days)), dtype=np.int64)
    return begins, np.diff(begins, append=len(days))


def tables(raw: object, where: str) -> list[dict[str, Any]]:
    """Return ``raw`` as a list of TOML tables, or raise UsageError."""
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise UsageError(f"{where} is not a list of rows", hint="Write each row under [[name]].")
    return raw


def only(raw: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise UsageError, with close matches, if ``raw`` has a name that is not in ``known``."""
    for name in raw:
        check_choice("name", name, known, where)


def text_of(raw: Mapping[str, Any], name: str, where: str) -> str:
    """Return a text that may not be absent or empty."""
    value = raw.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: `{name}` is missing", received=value, hint="Every row says who says so.")
    return value


def day_of(raw: Mapping[str, Any], name: str, where: str) -> date:
    """Return a date that may not be absent."""
    value = raw.get(name)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise UsageError(
            f"{where}: `{name}` is not a date", received=value, limit="2027-01-04, not in quotes"
        )
    return value


def _row(raw: Mapping[str, Any], where: str, fields: Sequence[str]) -> Row:
    only(raw, ("applies_to", "from", "source", *fields), where)
    return Row(
        scope=_scope(raw.get("applies_to"), where),
        start=np.datetime64(day_of(raw, "from", where), "D"),
        source=text_of(raw, "source", where),
        fields={name: raw[name] for name in fields if name in raw},
    )


def _scope(raw: object, where: str) -> Scope:
    if raw == "default":
        return Scope("default")
    kinds = (*SCOPES[1:], "group")
    if not isinstance(raw, dict) or len(raw) != 1:
        raise UsageError(
            f'{where}: `applies_to` is neither "default" nor one list of funds',
            received=raw,
            limit='"default", or { KIND = ["…"] } with one KIND of ' + ", ".join(kinds),
        )
    ((kind, names),) = raw.items()
    only(raw, kinds, where)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{where}: `{kind}` is not a list of texts", received=names)
    if kind != "group":
        return Scope(kind, tuple(names))
    groups = _groups()
    for name in names:
        check_choice("group", name, groups, where)
    return Scope("symbols", tuple(symbol for name in names for symbol in groups[name]))


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    path = FACTS / "groups.toml"
    return {each["name"]: tuple(each["symbols"]) for each in tables(read_toml(path)["group"], str(path))}
