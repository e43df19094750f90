"""A store as it was before some of its values were revised.

Revisions keep what they replaced (``Store.revisions``), so that they can be undone: each value is put back
where it was. Rows that came since stay; no note says of them when they did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from data.store.merge import written
from data.store.spans import Span, spans_of
from data.store.tables import TABLES


class Vintage:
    """A store with revisions undone; ``undone`` are rows of ``Store.revisions``, in their order.

    ``announced`` leaves out actions that take effect after that day, None none: they may have come since.
    """

    def __init__(self, source: Any, undone: pd.DataFrame, announced: date | None = None) -> None:
        self._source = source
        self._undone = {str(name): rows for name, rows in undone.groupby("table", sort=False)}
        self._announced = announced
        self.name: str = source.name
        self.synthetic: bool = source.synthetic
        self.default_benchmark: str | None = source.default_benchmark
        self.folder: Path | None = getattr(source, "folder", None)

    def spans(self, table: str) -> Mapping[str, Span]:
        """Return the series of a table, and the days of each."""
        return spans_of(self._source, table)

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table, as the source does, with the values that they had."""
        frame: pd.DataFrame = self._source.read(table, symbols)
        if table == "actions" and self._announced is not None:
            frame = frame[frame["ex_day"] <= pd.Timestamp(self._announced)].reset_index(drop=True)
        rows = self._undone.get(table)
        return frame if rows is None or frame.empty else _put_back(table, frame, rows)


def _put_back(table: str, frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    keys = list(TABLES[table].key)
    revised = [f"{key} " for key in rows["key"]]
    series = [name for name in frame[keys[0]].unique() if any(key.startswith(f"{name} ") for key in revised)]
    concerned = frame[keys[0]].isin(series)
    names = frame.loc[concerned, keys].itertuples(index=True, name=None)
    place = {" ".join(written(value) for value in values): at for at, *values in names}
    result = frame.copy()
    # The last revision first: what is left is the value before the first of them.
    for each in rows.iloc[::-1].itertuples():
        at = place.get(str(each.key))
        if at is not None:
            kind = TABLES[table].column(str(each.column)).kind
            old: Any = str(each.old)
            if kind == "number":
                old = float(old)
            elif kind in ("day", "time"):
                old = pd.Timestamp(old)
            result.loc[at, str(each.column)] = old
    return result
