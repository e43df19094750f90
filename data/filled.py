"""A source whose gaps are filled from the facts that ship with etflow: theme tags, and the series ``capex``.

What a store says itself always counts. Only where it has no series ``capex`` it gets ours, and only a file of
index weights that tags none of its constituents gets the tags that hold on its day (``data.facts.themes``).
A market that is made up is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from data.facts.capex import SERIES, capex
from data.facts.themes import known_tags, themes_on
from data.source import renamed
from data.store.columns import Columns, columns_of, read_columns
from data.store.spans import Span, measured, spans_of
from data.store.tables import TABLES

if TYPE_CHECKING:
    from data.source import DataSource

# Tables in which rows are filled in.
_FILLED = ("macro", "index_weights")


class Filled:
    """A data source as it is read, with what ships where it has nothing."""

    def __init__(self, source: DataSource) -> None:
        self._source = source
        self.name = source.name
        self.synthetic = source.synthetic
        self.default_benchmark = source.default_benchmark
        self.folder: Path | None = getattr(source, "folder", None)
        self._used: dict[str, str] = {}

    @classmethod
    def of(cls, source: DataSource) -> Filled:
        """Return a source with its gaps filled and its funds under one symbol, itself if it is one."""
        return source if isinstance(source, Filled) else cls(renamed(source))

    @property
    def used(self) -> Mapping[str, str]:
        """What has been filled in so far, by the name of its table in ``data/facts``, in words."""
        return MappingProxyType(dict(sorted(self._used.items())))

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table, as the source does."""
        frame = self._source.read(table, symbols)
        if self.synthetic:
            return frame
        if table == "macro":
            return self._with_capex(frame)
        return self._with_themes(frame) if table == "index_weights" else frame

    def spans(self, table: str) -> Mapping[str, Span]:
        """Return the series of a table, with the rows and days of each, filled in ones included."""
        if table in _FILLED:
            return measured(TABLES[table], self.read(table))
        return spans_of(self._source, table)

    def columns(self, table: str, parts: Iterable[Sequence[str]]) -> Iterator[Columns]:
        """Yield the columns of a table, some series after the others, filled in rows included."""
        if table in _FILLED:
            return read_columns(self, table, parts)
        return columns_of(self._source, table, parts)

    def _with_capex(self, frame: pd.DataFrame) -> pd.DataFrame:
        if (frame["series"] == SERIES).any():
            return frame
        sums = capex()
        ours = pd.DataFrame(
            {
                "series": SERIES,
                "period": [each.quarter for each in sums],
                "value": [float(each.millions) for each in sums],
                "known_at": [each.filed for each in sums],
                "source": "data/facts/capex.csv",
            }
        )
        self._used["capex"] = f"{len(sums)} quarters through {sums[-1].quarter}, filed by {sums[-1].filed}"
        ours = ours.reindex(columns=frame.columns).astype(frame.dtypes.to_dict())
        filled = pd.concat([frame, ours]) if len(frame) else ours
        return filled.sort_values(["series", "period"], kind="stable", ignore_index=True)

    def _with_themes(self, frame: pd.DataFrame) -> pd.DataFrame:
        tags = known_tags()
        codes = frame["constituent"].str.split(".").str[0]
        ours = codes.isin([tag.code for tag in tags])
        if not ours.any():
            return frame
        untagged = frame.groupby(["index", "day"])["theme"].transform("count") == 0
        rows = frame[ours & untagged]
        on = cache(lambda day: themes_on(day, tags))
        found = pd.Series(
            [on(day.date()).get(code) for code, day in zip(codes[rows.index], rows["day"], strict=True)],
            index=rows.index,
            dtype=frame["theme"].dtype,
        ).dropna()
        if found.empty:
            return frame
        themes = ", ".join(sorted(set(found)))
        self._used["themes"] = f"constituents tagged {themes}"
        result = frame.copy()
        result.loc[found.index, "theme"] = found
        return result
