"""Segments: the few files in which the rows of a table lie, so that a day more costs a day and not the table.

Of each series, the rows of a segment are later than those of the segments before it. So the rows of a series
are those of its segments one after the other, and a row that comes can be in one of them only.

1. A row that comes goes to the first segment that has its day of the series or a later one, else to the last.
2. The last one is small: once it has more than ``MOST`` rows and goes back more than ``FAR``, it is cut. What
   lies more than ``RECENT`` before its last day is closed; the rest, which may be revised, is the last one.
3. When one is closed, those before it are joined where one is not ``LARGER`` times as large as the next, so
   that there are few of them, and a row is written few times.

A table whose key does not begin with series and day has one segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.store.columns import Columns, without_texts
from data.store.files import OpenFile, Rows, as_frame, as_rows, completed
from data.store.merge import Change, added, merge
from data.store.schema import Table
from data.store.spans import Span, day_of
from data.store.tables import TABLES

MOST = 50_000
RECENT = timedelta(days=31)
FAR = timedelta(days=93)
LARGER = 4
# Rows that are in memory at a time.
_BLOCK = 500_000


@dataclass(frozen=True)
class Piece:
    """Rows of a segment that is to be written: ``changed`` has all rows of its series, ``file`` the others.

    Of a piece that is cut, those from ``since`` on, or those before ``until``; none of the series ``gone``.
    """

    schema: Table
    file: OpenFile | None = None
    changed: pa.Table | None = None
    since: date | None = None
    until: date | None = None
    gone: frozenset[str] = frozenset()

    @property
    def as_it_is(self) -> bool:
        """Whether the rows are those of its file."""
        return self.changed is None and self.since is None and self.until is None and not self.gone

    @property
    def span(self) -> Span:
        """The first and the last day."""
        found = [] if self.file is None else [self.file.segment.first, self.file.segment.last]
        if self.changed is not None:
            days = pc.min_max(self.changed.column(day_of(self.schema))).as_py()
            found += [days["min"].date(), days["max"].date()]
        known = [day for day in found if day is not None]
        return Span(min(known, default=None), max(known, default=None))

    @cached_property
    def rows(self) -> dict[str, int]:
        """The rows of each series, those that are cut off included."""
        there = {} if self.file is None else self.file.note.rows
        kept = {name: count for name, count in there.items() if name not in self.gone}
        return kept | {name: end - begin for name, (begin, end) in self._changed.items()}

    @cached_property
    def _changed(self) -> dict[str, tuple[int, int]]:
        """Where the rows of each changed series begin and end."""
        if self.changed is None:
            return {}
        found: dict[str, tuple[int, int]] = {}
        begin = 0
        for chunk in self.changed.column(self.schema.key[0]).chunks:
            coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
            codes, names = coded.indices.to_numpy(), coded.dictionary.to_pylist()
            starts = np.flatnonzero(codes[1:] != codes[:-1]) + 1
            for start, end in pairwise([0, *starts.tolist(), len(codes)]):
                if end > start:
                    name = names[codes[start]]
                    # A series may go on from one chunk into the next.
                    found[name] = found.get(name, (begin + start, 0))[0], begin + end
            begin += len(codes)
        return found

    def whole(self, series: Sequence[str]) -> pa.Table | None:
        """Return the rows of series that follow each other, if all of them changed; None otherwise."""
        cut = self.since is not None or self.until is not None
        if cut or self.changed is None or not all(name in self._changed for name in series):
            return None
        begin, end = self._changed[series[0]][0], self._changed[series[-1]][1]
        return completed(self.schema, self.changed[begin:end])

    def parts(self, series: Collection[str]) -> dict[str, pa.Table]:
        """Return the rows of some series that follow each other."""
        mine = {name: where for name, where in self._changed.items() if name in series}
        of_file = {} if self.file is None else self.file.parts(set(series) - set(mine))
        if self.changed is None or not mine:
            return {name: self._cut(rows) for name, rows in of_file.items()}
        found = {name: self._cut(self.changed[begin:end]) for name, (begin, end) in mine.items()}
        rows, begin = completed(self.schema, pa.concat_tables(found.values())), 0
        for name, part in found.items():
            found[name] = rows.slice(begin, len(part))
            begin += len(part)
        return found | {name: self._cut(rows) for name, rows in of_file.items()}

    def _cut(self, rows: pa.Table) -> pa.Table:
        if self.since is None and self.until is None:
            return rows
        days = rows.column(day_of(self.schema)).to_numpy()
        begin = 0 if self.since is None else int(np.searchsorted(days, np.datetime64(self.since)))
        end = len(days) if self.until is None else int(np.searchsorted(days, np.datetime64(self.until)))
        return rows.slice(begin, end - begin)


@dataclass(frozen=True)
class Merged:
    """What came for one segment: all rows of its series as they are in it now, and what changed."""

    number: int
    rows: Rows
    change: Change


class OpenTable:
    """The segments of one table, open."""

    def __init__(self, schema: Table, files: Sequence[OpenFile] = ()) -> None:
        self.schema = schema
        self.files = tuple(files)
        # Whether the key begins with series and day.
        self._by_day = len(schema.key) > 1 and schema.key[1] == day_of(schema)

    @cached_property
    def spans(self) -> dict[str, Span]:
        """The series in order, with the days of each."""
        found: dict[str, Span] = {}
        for file in self.files:
            for name, span in file.note.spans.items():
                found[name] = Span(found.get(name, span).first, span.last)
        return found if len(self.files) == 1 else dict(sorted(found.items()))

    @property
    def sources(self) -> frozenset[str]:
        """The texts in the column ``source``."""
        return frozenset(each for file in self.files for each in file.note.sources)

    def read(self, series: Collection[str] | None = None) -> pd.DataFrame:
        """Return the rows by key, of all series or of some."""
        alone = len(self.files) == 1 and (series is None or self.files[0].note.rows.keys() <= set(series))
        if alone or (series is None and not self._by_day):
            rows = [file.read() for file in self.files]
        else:
            wanted = set(self.spans if series is None else series)
            found = [file.parts(wanted) for file in self.files]
            rows = [parts[name] for name in sorted(wanted) for parts in found if name in parts]
        return as_frame(self.schema, pa.concat_tables(rows)) if rows else self.schema.empty()

    def columns(self, parts: Iterable[Collection[str]]) -> Iterator[Columns]:
        """Yield columns of the rows, some series after the others, and let go of the footers in the end."""
        wanted = without_texts(self.schema)
        for series in parts:
            found = [each for file in self.files for each in file.parts(set(series), wanted).items()]
            if found:
                names, rows = zip(*found, strict=True)
                codes = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
                whole = pa.concat_tables(rows)
                yield Columns(names, codes, {name: whole.column(name).to_numpy() for name in wanted})
        for file in self.files:
            file.let_go()

    def merge(self, new: Rows, *, each_source: bool) -> list[Merged]:
        """Return what becomes of rows that come, for each segment that they concern (``data.store.merge``).

        ``new`` is as ``Table.check`` returned it, or as ``as_rows`` made of that.
        """
        if not self.files:
            return [Merged(0, new, added(self.schema, len(new)))]
        if isinstance(new, pa.Table):
            new = as_frame(self.schema, completed(self.schema, new))
        new = self.schema.complete(new)
        places, found = self._places(new), []
        for number in np.unique(places).tolist() or [0]:
            come = new if (places == number).all() else new[places == number].reset_index(drop=True)
            series = set(come[self.schema.key[0]].unique())
            old = OpenTable(self.schema, self.files[number : number + 1]).read(series)
            rows, change = merge(
                self.schema, old, come, each_source=each_source, all_old=self._column, all_new=new
            )
            found.append(Merged(number, rows, change))
        return found

    def _places(self, new: pd.DataFrame) -> NDArray[np.int64]:
        """Return the number of the segment to which each row goes."""
        places = np.full(len(new), max(len(self.files) - 1, 0))
        if self._by_day and len(new) and len(self.files) > 1:
            days = new[self.schema.key[1]].to_numpy("datetime64[D]")
            codes, names = pd.factorize(new[self.schema.key[0]])
            for number in reversed(range(len(self.files) - 1)):
                last = self.files[number].segment.last
                if last is None or days.min() <= np.datetime64(last):
                    spans, nothing = self.files[number].note.spans, Span(None, None)
                    ends = [np.datetime64(spans.get(name, nothing).last, "D") for name in names]
                    places[days <= np.array(ends, dtype="datetime64[D]")[codes]] = number
        return places

    def _column(self, name: str) -> pd.DataFrame:
        """Return a column of all rows, with their source."""
        rows = [file.read([name, "source"]) for file in self.files]
        frame: pd.DataFrame = pa.concat_tables(rows).to_pandas()
        return frame

    def plan(self, merged: Sequence[Merged]) -> list[list[Piece]]:
        """Return the pieces of each segment that the table has then; of one that stays, its file alone."""
        changed = {each.number: as_rows(self.schema, each.rows) for each in merged if each.change.alters}
        pieces = [
            Piece(self.schema, file, changed.get(number)) for number, file in enumerate(self.files)
        ] or [Piece(self.schema, None, changed.get(0))]
        closed, last = [[piece] for piece in pieces[:-1]], pieces[-1]
        if self._by_day and last.changed is not None and sum(last.rows.values()) > MOST:
            first_day, last_day = last.span.first, last.span.last
            if first_day and last_day and last_day - first_day > FAR:
                cut = last_day - RECENT
                return [*_joined(closed), [replace(last, until=cut)], [replace(last, since=cut)]]
        return [*closed, [last]]

    def plan_behind(self, rows: pd.DataFrame) -> list[list[Piece]]:
        """Return the same where rows come behind all others, in a table that is not one of facts."""
        come = Piece(self.schema, None, as_rows(self.schema, rows))
        closed = [[Piece(self.schema, file)] for file in self.files]
        if closed and len(self.files[-1]) <= MOST:
            return [*closed[:-1], [*closed[-1], come]]
        return [*_joined(closed), [come]]


def _joined(closed: Sequence[list[Piece]]) -> list[list[Piece]]:
    """Join segments that follow each other and are of like size."""
    found: list[list[Piece]] = []
    for pieces in reversed(closed):
        if found and _size(pieces) < LARGER * _size(found[0]):
            found[0] = [*pieces, *found[0]]
        else:
            found.insert(0, pieces)
    return found


def _size(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.file) for piece in pieces if piece.file is not None)


def blocks_of(pieces: Sequence[Piece]) -> Iterator[pa.Table]:
    """Yield the rows of a segment by key, some series at a time; a series is in the pieces in their order."""
    if pieces[0].schema.name not in TABLES:
        for piece in pieces:
            yield completed(piece.schema, piece.changed) if piece.file is None else piece.file.read()
        return
    rows: dict[str, int] = {}
    for piece in pieces:
        for name, count in piece.rows.items():
            rows[name] = rows.get(name, 0) + count
    block: list[str] = []
    size = 0
    for name in sorted(rows):
        block.append(name)
        size += rows[name]
        if size >= _BLOCK:
            yield _block(pieces, block)
            block, size = [], 0
    if block:
        yield _block(pieces, block)


def _block(pieces: Sequence[Piece], series: Sequence[str]) -> pa.Table:
    if len(pieces) == 1 and (rows := pieces[0].whole(series)) is not None:
        return rows
    found = [piece.parts(set(series)) for piece in pieces]
    return pa.concat_tables([parts[name] for name in series for parts in found if name in parts])
