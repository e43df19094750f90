"""Removing: rows of a store taken out as if they had never come.

1. A :class:`Selection` says which rows are meant. Of those that files say, the ones are meant that an import
   of the files would leave as they are: what a later file changed is not theirs any more.
2. Of each segment the series are read that can have such a row; the others stay where they are in it.
3. What the store says of the rows beside the data, their arrivals and their revisions, goes with them.

What is left is what there would be without them, segments apart, so that the fingerprint is that of a store
into which they never came.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from data.store.files import OpenFile, Rows, as_frame, completed, keys_of
from data.store.merge import written
from data.store.schema import Table
from data.store.segments import OpenTable, Piece
from data.store.spans import Span, day_of, measured


@dataclass(frozen=True)
class Selection:
    """Rows of a store that all of these mean; what is None means every row.

    Attributes
    ----------
    tables : names of tables
    series : values of the first column of the key: symbols, codes of indices, names of macro series, pairs
    start, end : first and last day; a table without days has no row of a period
    source : the text in that column; "" for rows that name none
    rows : what files say, as ``Store.append`` takes it
    """

    tables: Collection[str] | None = None
    series: Collection[str] | None = None
    start: date | None = None
    end: date | None = None
    source: str | None = None
    rows: Mapping[str, Rows] | None = None

    def concerns(self, schema: Table) -> bool:
        """Whether rows of a table can be meant."""
        named = self.tables is None or schema.name in self.tables
        dated = (self.start is None and self.end is None) or bool(day_of(schema))
        # A mapping may give its rows away when it is asked for them, also by ``in``.
        return named and dated and (self.rows is None or schema.name in list(self.rows))

    def among(self, schema: Table, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Mark the rows of a table that are meant, by all but ``rows``, (N,)."""
        marks = np.ones(len(frame), dtype=bool)
        day = day_of(schema)
        if self.series is not None:
            marks &= frame[schema.key[0]].isin(list(self.series)).to_numpy()
        if self.start is not None:
            marks &= (frame[day] >= pd.Timestamp(self.start)).to_numpy()
        if self.end is not None:
            marks &= (frame[day] <= pd.Timestamp(self.end)).to_numpy()
        if self.source is not None:
            marks &= (frame["source"].fillna("") == self.source).to_numpy()
        return marks

    def series_in(self, file: OpenFile) -> list[str]:
        """Return the series of a file that can have such a row."""
        if self.source and self.source not in file.note.sources:
            return []
        return [
            name
            for name, span in file.note.spans.items()
            if (self.series is None or name in self.series)
            and not (self.start and span.last and span.last < self.start)
            and not (self.end and span.first and span.first > self.end)
        ]


@dataclass(frozen=True)
class Removed:
    """What a removal takes out of one table.

    Attributes
    ----------
    keys : key and source of the rows
    spans : the series that the table has then, with the days of each
    left : rows that stay
    other, absent : rows of files that stay because the store says otherwise, and that it does not have
    replaced : values in the rows that had taken the place of others; those do not come back
    """

    table: Table
    keys: pd.DataFrame
    spans: Mapping[str, Span]
    left: int
    other: int
    absent: int
    replaced: int

    @property
    def series(self) -> tuple[str, ...]:
        """The series that lose rows."""
        return tuple(map(str, self.keys[self.table.key[0]].unique()))

    @property
    def sources(self) -> tuple[str, ...]:
        """What the rows name as their source; "" where they name none."""
        return tuple(sorted(map(str, self.keys["source"].fillna("").unique())))

    @property
    def period(self) -> Span:
        """The first and the last day of the rows; of no rows, and without days, None."""
        day = day_of(self.table)
        if not day or self.keys.empty:
            return Span(None, None)
        return Span(self.keys[day].min().date(), self.keys[day].max().date())

    def tail(self, lost: Sequence[str] = ()) -> date | None:
        """Return the first of the last days that a series, but those ``lost``, has no more; None if none."""
        day = day_of(self.table)
        if not day or self.keys.empty:
            return None
        ends = {name: pd.Timestamp(span.last) for name, span in self.spans.items() if span.last}
        series = self.keys[self.table.key[0]]
        last = pd.to_datetime(series.map(ends))
        later = (last.isna() | (self.keys[day] > last)) & ~series.isin(list(lost))
        days = self.keys.loc[later.to_numpy(dtype=bool), day]
        return None if days.empty else days.min().date()


@dataclass(frozen=True)
class Removal:
    """What a removal does: one answer per table that it concerns, and the series of which no row is left."""

    tables: tuple[Removed, ...]
    lost: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The number of all rows that go."""
        return sum(len(each.keys) for each in self.tables)


@dataclass(frozen=True)
class Cut:
    """The same with what is to be written: the pieces of each segment, and the keys that its series keep."""

    removed: Removed
    plan: list[list[Piece]]
    kept: pd.DataFrame


def cut(table: OpenTable, selection: Selection, revisions: pd.DataFrame) -> Cut:
    """Return what becomes of a table when rows of a selection go; ``revisions`` are all that there are."""
    schema = table.schema
    named = [*schema.key, "source"]
    said, other, absent = (
        (None, 0, 0) if selection.rows is None else _said(table, selection.rows[schema.name])
    )
    nothing = schema.empty()[named]
    gone, kept, plan, concerned = [nothing], [nothing], list[list[Piece]](), set[str]()
    for file in table.files:
        series = selection.series_in(file)
        parts = file.parts(set(series) if said is None else {*series} & {*said[schema.key[0]]})
        if not parts:
            plan.append([Piece(schema, file)])
            continue
        rows = pa.concat_tables(parts.values())
        frame = rows.select(named).to_pandas().astype({name: schema.types[name] for name in named})
        marks = selection.among(schema, frame)
        if said is not None:
            marks &= _are_among(schema, frame, said)
        gone.append(frame.loc[marks, named])
        kept.append(frame.loc[~marks, named])
        concerned |= parts.keys()
        if not marks.any():
            plan.append([Piece(schema, file)])
            continue
        stays = rows.filter(pa.array(~marks))
        emptied = frozenset(parts) - set(stays.column(schema.key[0]).unique().to_pylist())
        if emptied != file.note.rows.keys():
            plan.append([Piece(schema, file, stays if len(stays) else None, gone=emptied)])
    keys, others = pd.concat(gone, ignore_index=True), pd.concat(kept, ignore_index=True)
    spans = {name: span for name, span in table.spans.items() if name not in concerned}
    found = Removed(
        schema,
        keys,
        dict(sorted((spans | measured(schema, others)).items())),
        sum(map(len, table.files)) - len(keys),
        other,
        absent,
        int(_of_rows(revisions, schema, keys).sum()),
    )
    return Cut(found, plan, others)


def _said(table: OpenTable, new: Rows) -> tuple[pd.DataFrame, int, int]:
    """Return the keys of the rows that are on file as files say, and how many are other, and not on file."""
    schema = table.schema
    if isinstance(new, pa.Table):
        new = as_frame(schema, completed(schema, new))
    else:
        new = schema.validate(new, f"table `{schema.name}`")
    merged = table.merge(new, each_source=False)
    same = [keys_of(schema, each.rows)[~each.change.came] for each in merged]
    found = keys_of(schema, new).merge(pd.concat(same), how="inner", on=list(schema.key))
    changes = [each.change for each in merged]
    other = sum(change.completed + change.revised for change in changes)
    return found, other, sum(change.added for change in changes)


def _are_among(schema: Table, frame: pd.DataFrame, keys: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the rows whose key is one of some, (N,)."""
    key = list(schema.key)
    hits = frame[key].merge(keys.assign(hit=True), how="left", on=key)["hit"]
    return hits.notna().to_numpy(dtype=bool)


def without_revisions(revisions: pd.DataFrame, found: Removed) -> pd.DataFrame:
    """Return the rows of ``Store.revisions`` without those that are of rows that go."""
    return revisions[~_of_rows(revisions, found.table, found.keys)].reset_index(drop=True)


def _of_rows(revisions: pd.DataFrame, schema: Table, keys: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the revisions that are of some rows, (N,)."""
    mine = (revisions["table"] == schema.name).to_numpy(dtype=bool)
    if not mine.any() or keys.empty:
        return np.zeros(len(revisions), dtype=bool)
    texts = sorted(f"{text} " for text in revisions.loc[mine, "key"].unique())
    names = keys[schema.key[0]]
    # Mostly few funds have revisions, and only keys of theirs are written out.
    series = [name for name in names.unique() if _one_begins(texts, f"{name} ")]
    rows = keys.loc[names.isin(series), list(schema.key)].itertuples(index=False, name=None)
    there = {" ".join(map(written, row)) for row in rows}
    return mine & revisions["key"].isin(there).to_numpy(dtype=bool)


def _one_begins(texts: Sequence[str], start: str) -> bool:
    """Whether one of some texts in order begins with another."""
    place = bisect_left(texts, start)
    return place < len(texts) and texts[place].startswith(start)


def lost(found: Iterable[Removed], spans: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the series of which no table has rows any more; ``spans`` are those of each table before."""
    after: dict[str, Any] = dict(spans)
    went: set[str] = set()
    for each in found:
        after[each.table.name] = each.spans
        went.update(each.series)
    return tuple(sorted(went.difference(*after.values())))
