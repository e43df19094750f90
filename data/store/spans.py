"""Spans: which series a table has, and the rows and days of each; a store knows them without reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd

from data.store.schema import Table
from data.store.tables import table


class Readable(Protocol):
    """What has tables."""

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table, all or those of some series."""


@dataclass(frozen=True)
class Span:
    """The rows of one series of a table, and its first and last day; None in a table without days."""

    rows: int
    first: date | None
    last: date | None


def spans_of(source: Readable, name: str) -> Mapping[str, Span]:
    """Return the series of a table in order; a source that has no ``spans`` is read for it."""
    kept: Any = getattr(source, "spans", None)
    spans: Mapping[str, Span] = measured(table(name), source.read(name)) if kept is None else kept(name)
    return spans


def measured(schema: Table, rows: pd.DataFrame) -> dict[str, Span]:
    """Return the spans of the rows of a table, sorted by key."""
    if rows.empty:
        return {}
    codes, names = pd.factorize(rows[schema.key[0]])
    starts = np.searchsorted(codes, np.arange(len(names)))
    counts = np.diff(np.append(starts, len(codes)))
    day = day_of(schema)
    if not day:
        return {
            str(name): Span(count, None, None) for name, count in zip(names, counts.tolist(), strict=True)
        }
    days = rows[day].to_numpy("datetime64[D]")
    first, last = (
        pick.reduceat(days.astype(np.int64), starts).astype("datetime64[D]").tolist()
        for pick in (np.minimum, np.maximum)
    )
    found = zip(names, counts.tolist(), first, last, strict=True)
    return {str(name): Span(count, begin, end) for name, count, begin, end in found}


def day_of(schema: Table) -> str:
    """Return the column of the key that holds the day; no name for a table without one."""
    days = (column.name for column in schema.columns if column.kind == "day" and column.name in schema.key)
    return next(days, "")
