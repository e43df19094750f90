"""Spans: which series a table has, and the days of each; a store knows them without reading."""

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
    """The first and last day of one series of a table; None in a table without days."""

    first: date | None
    last: date | None


def spans_of(source: Readable, name: str) -> Mapping[str, Span]:
    """Return the series of a table in order; a source that has no ``spans`` is read for it."""
    kept: Any = getattr(source, "spans", None)
    spans: Mapping[str, Span] = measured(table(name), source.read(name)) if kept is None else kept(name)
    return spans


def measured(schema: Table, rows: pd.DataFrame) -> dict[str, Span]:
    """Return the spans of the rows of a table, in the order in which the series come."""
    codes, names = pd.factorize(rows[schema.key[0]])
    series, day = [str(name) for name in names], day_of(schema)
    if not day or rows.empty:
        return dict.fromkeys(series, Span(None, None))
    days = rows[day].to_numpy("datetime64[D]").astype(np.int64)
    first, last = np.full(len(series), days.max()), np.full(len(series), days.min())
    np.minimum.at(first, codes, days)
    np.maximum.at(last, codes, days)
    found = (each.astype("datetime64[D]").tolist() for each in (first, last))
    return dict(zip(series, map(Span, *found), strict=True))


def day_of(schema: Table) -> str:
    """Return the column of the key that holds the day; no name for a table without one."""
    days = (column.name for column in schema.columns if column.kind == "day" and column.name in schema.key)
    return next(days, "")
