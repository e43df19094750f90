"""The Parquet files of a store: rows sorted by key, a footer that says where each series is, and a seal.

A file is written once and never changed. Its footer has the spans of its series (``data.store.spans``), so
that the rows of twenty funds of a thousand cost twenty funds. Every page has a checksum, which is verified as
it is read; the footer, which has none in Parquet, is held against its digest in ``store.json`` (``Seal``). A
damaged bit is so an error, and never another value.

A file that is open goes on being readable after a later import has deleted it: a reader needs no lock.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import DataError
from data.store.schema import Table
from data.store.spans import Span, day_of
from data.store.tables import TABLES

# The rows of a series are in one group of rows, with those of others if they are few, so that little else is
# read with them.
_LEAST_GROUP, _MOST_GROUP = 4_096, 65_536
# Rows from which on they are read by several threads, each of which keeps memory of its own.
_BY_THREADS = 100_000
_ARROW = {"text": pa.string(), "day": pa.timestamp("us"), "time": pa.timestamp("us"), "number": pa.float64()}
_NOTE = "etflow"
_MAGIC_AND_LENGTH = 8

# The rows of a table, in memory: columns without a value may be absent, and texts be there as categories.
Rows: TypeAlias = pd.DataFrame | pa.Table


@dataclass(frozen=True)
class Seal:
    """SHA-256 of a whole file, which names its contents, and of its footer, which every reader checks."""

    whole: str
    footer: str

    @classmethod
    def of(cls, file: BufferedRandom) -> Seal:
        """Return the seal of a file, open for reading."""
        file.seek(0)
        whole = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(whole, _footer_digest(file, file.seek(0, os.SEEK_END)))

    def as_json(self) -> dict[str, str]:
        """Return the seal as ``store.json`` has it."""
        return asdict(self)


@dataclass(frozen=True)
class Segment:
    """A file that a table lies in, as ``store.json`` lists it: its rows, their days, and its seal.

    What a store of long ago does not say is None.
    """

    file: str
    rows: int | None = None
    first: date | None = None
    last: date | None = None
    seal: Seal | None = None


@dataclass(frozen=True)
class Note:
    """What the footer of a file says of its rows: the series in order, with the rows and days of each.

    ``sources`` are the texts in the column ``source``, in order; none where the table has no such column.
    """

    rows: dict[str, int]
    spans: dict[str, Span]
    sources: tuple[str, ...] = ()

    @classmethod
    def of(cls, schema: Table, rows: pa.Table) -> Note:
        """Return what is to be said of rows that are sorted by key."""
        if not len(rows):
            return cls({}, {})
        series = pc.run_end_encode(rows.column(schema.key[0]).combine_chunks())
        names, ends = series.values.to_pylist(), series.run_ends.to_numpy()  # noqa: PD011
        counts = np.diff(ends, prepend=0)
        spans = [Span(None, None)] * len(names)
        if day := day_of(schema):
            days = rows.column(day).to_numpy()
            ends_of = (part.reduceat(days, ends - counts) for part in (np.minimum, np.maximum))
            found = (each.astype("datetime64[D]").tolist() for each in ends_of)
            spans = [Span(first, last) for first, last in zip(*found, strict=True)]
        sources = rows.column("source").unique().to_pylist() if "source" in rows.column_names else []
        return cls(
            dict(zip(names, counts.tolist(), strict=True)),
            dict(zip(names, spans, strict=True)),
            tuple(sorted(each for each in sources if each is not None)),
        )

    def __add__(self, later: Note) -> Note:
        """Return what is said of these rows and of others behind them, of other series."""
        sources = tuple(sorted({*self.sources, *later.sources}))
        return Note(self.rows | later.rows, self.spans | later.spans, sources)

    @classmethod
    def read(cls, text: str | bytes) -> Note:
        """Return the note that a footer has."""
        found = json.loads(text)
        days = ([day and date.fromisoformat(day) for day in found[each]] for each in ("first", "last"))
        series = found["series"]
        spans = dict(zip(series, map(Span, *days), strict=True))
        return cls(dict(zip(series, found["rows"], strict=True)), spans, tuple(found["sources"]))

    def written(self) -> str:
        """Return the note as a footer has it."""
        found = {
            "series": list(self.rows),
            "rows": list(self.rows.values()),
            "first": [span.first and str(span.first) for span in self.spans.values()],
            "last": [span.last and str(span.last) for span in self.spans.values()],
            "sources": list(self.sources),
        }
        return json.dumps(found, ensure_ascii=False)

    @property
    def count(self) -> int:
        """The number of all rows."""
        return sum(self.rows.values())

    @property
    def span(self) -> Span:
        """The first and the last day of all rows."""
        first = [span.first for span in self.spans.values() if span.first is not None]
        last = [span.last for span in self.spans.values() if span.last is not None]
        return Span(min(first), max(last)) if first and last else Span(None, None)


def write_file(path: Path, schema: Table, blocks: Iterable[pa.Table]) -> Segment:
    """Write the rows of a table, in blocks of which no two have a series in common, onto the disk."""
    note, rows = Note({}, {}), 0
    kinds = {column.name: column.kind for column in schema.columns}
    with path.open("w+b") as file:
        with pq.ParquetWriter(
            file,
            fields_of(schema),
            # A fifth to a third larger than with zstd, and a tenth of a second sooner for each million rows.
            compression="lz4",
            write_page_checksum=True,
            # They would be most of the footer, and nobody asks for them.
            write_statistics=False,
            # Numbers hardly repeat, and days follow each other: files are smaller by a third, and faster.
            use_dictionary=[name for name, kind in kinds.items() if kind == "text"],
            column_encoding={name: "DELTA_BINARY_PACKED" for name, kind in kinds.items() if kind == "day"},
        ) as writer:
            for block in blocks:
                of_block = Note.of(schema, block) if schema.name in TABLES else Note({}, {})
                for group in _groups(block, of_block.rows.values()):
                    writer.write_table(group, row_group_size=_MOST_GROUP)
                note, rows = note + of_block, rows + len(block)
            if schema.name in TABLES:
                writer.add_key_value_metadata({_NOTE: note.written()})
        flush(file)
        return Segment(path.name, rows, note.span.first, note.span.last, Seal.of(file))


def _groups(rows: pa.Table, counts: Iterable[int]) -> Iterator[pa.Table]:
    """Yield rows in groups, each of whole series; ``counts`` are the rows of each series."""
    begin = end = 0
    for count in counts:
        end += count
        if end - begin >= _LEAST_GROUP:
            yield rows.slice(begin, end - begin)
            begin = end
    if begin < len(rows):
        yield rows.slice(begin)


def fields_of(schema: Table) -> pa.Schema:
    """Return the columns of a table as a file has them."""
    return pa.schema([(column.name, _ARROW[column.kind]) for column in schema.columns])


def as_frame(schema: Table, rows: pa.Table) -> pd.DataFrame:
    """Return rows of a file as a table has them."""
    frame: pd.DataFrame = rows.to_pandas(use_threads=len(rows) >= _BY_THREADS)
    types = frame.dtypes
    others = {name: kind for name, kind in schema.types.items() if types[name] != kind}
    return frame.astype(others) if others else frame


def as_rows(schema: Table, rows: Rows) -> pa.Table:
    """Return rows, which may be as ``Table.check`` returned them, as Arrow has them; see ``completed``."""
    if isinstance(rows, pa.Table):
        return rows
    there = [field for field in fields_of(schema) if field.name in rows]
    columns = [_as_column(rows[field.name], field.type) for field in there]
    return pa.Table.from_arrays(columns, [field.name for field in there])


def _as_column(values: pd.Series, kind: pa.DataType) -> pa.Array:
    if values.dtype == np.float64 and len(values) and not np.isnan(values.to_numpy().min()):
        # Nothing is missing, so that there is no need to look for it.
        return pa.array(values.to_numpy())
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy()
        # Of one type always, so that rows of many files can be put behind each other.
        places = pa.array(codes, pa.int32(), mask=codes < 0 if len(codes) and codes.min() < 0 else None)
        return pa.DictionaryArray.from_arrays(places, pa.array(values.cat.categories, pa.string()))
    return pa.array(values, from_pandas=True).cast(kind)


def keys_of(schema: Table, rows: Rows) -> pd.DataFrame:
    """Return the columns of the key."""
    frame: pd.DataFrame = rows
    if isinstance(rows, pa.Table):
        frame = completed(schema, rows, schema.key).to_pandas()
    return frame[list(schema.key)]


def completed(schema: Table, rows: pa.Table, names: Sequence[str] = ()) -> pa.Table:
    """Return rows with all columns of a table, or some, as a file has them.

    Columns that are absent are empty, and texts may be there as categories.
    """
    fields = fields_of(schema)
    wanted = pa.schema([fields.field(name) for name in names or schema.names])
    columns = [
        rows.column(field.name) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in wanted
    ]
    return pa.Table.from_arrays(columns, wanted.names).cast(wanted)


def flush(file: IO[bytes] | IO[str]) -> None:
    """Bring what was written onto the disk."""
    file.flush()
    os.fsync(file.fileno())


class OpenFile:
    """One file of a store, open: what is read of it stays the same, even if it is deleted meanwhile.

    FileNotFoundError if it is not there. DataError, at the first look into it, if it is damaged.
    """

    def __init__(self, folder: Path, schema: Table, segment: Segment) -> None:
        self.path = folder / segment.file
        self._schema, self._segment = schema, segment
        self._file = pa.OSFile(os.fsencode(self.path))

    @property
    def segment(self) -> Segment:
        """What ``store.json`` says of the file, or should say."""
        found = self._segment
        if found.rows is not None:
            return found
        return replace(found, rows=len(self), first=self.note.span.first, last=self.note.span.last)

    def __len__(self) -> int:
        return int(self._parquet.metadata.num_rows) if self._segment.rows is None else self._segment.rows

    @cached_property
    def note(self) -> Note:
        """What the footer says of the rows; a file that was written before it did is read for it."""
        text = (self._parquet.metadata.metadata or {}).get(_NOTE.encode())
        if text is not None:
            return Note.read(text)
        return Note.of(self._schema, self.read()) if self._schema.name in TABLES else Note({}, {})

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows, with all columns of the table or some; DataError if what is read is damaged."""
        return self._complete(columns or self._schema.names, self._parquet.read)

    def parts(self, series: Collection[str], columns: Sequence[str] | None = None) -> dict[str, pa.Table]:
        """Return the rows of those of some series that are here, out of the groups of rows that hold them.

        With all columns of the table, or some; DataError if what is read is damaged.
        """
        groups, end = self._groups, 0
        stretches: dict[str, tuple[int, int]] = {}
        for name, count in self.note.rows.items():
            end += count
            if name in series:
                stretches[name] = (end - count, end)
        if not stretches:
            return {}
        needed = sorted({number for each in stretches.values() for number in range(*self._groups_of(*each))})
        sizes = np.diff(groups)[needed]
        threads = bool(sizes.sum() >= _BY_THREADS)
        rows = self._complete(
            columns or self._schema.names,
            lambda there: self._parquet.read_row_groups(needed, there, use_threads=threads),
        )
        # How far the rows of each group have moved up, because others were not read.
        moved = dict(zip(needed, (groups[needed] - np.cumsum(sizes) + sizes).tolist(), strict=True))
        return {
            name: rows.slice(begin - moved[self._groups_of(begin, end)[0]], end - begin)
            for name, (begin, end) in stretches.items()
        }

    def let_go(self) -> None:
        """Forget the footer, of which a large file has megabytes; who reads again looks at it again."""
        self.__dict__.pop("_parquet", None)

    def _complete(self, wanted: Sequence[str], read: Any) -> pa.Table:
        """Return columns that are read, with empty ones in place of those that came later than the file."""
        try:
            there = self._parquet.schema_arrow.names
            lacking = [name for name in wanted if name in self._schema.key and name not in there]
            if lacking:
                raise ValueError(f"it has no column {', '.join(lacking)}")
            return completed(self._schema, read([name for name in wanted if name in there]), wanted)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise damaged(self.path, error) from None

    def _groups_of(self, begin: int, end: int) -> tuple[int, int]:
        """Return the first group of the rows from ``begin`` to before ``end``, and the one after the last."""
        first, behind = np.searchsorted(self._groups, [begin, end - 1], side="right")
        return int(first) - 1, int(behind)

    @cached_property
    def _groups(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The row at which each group of rows begins, and the number of rows."""
        metadata = self._parquet.metadata
        counts = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    @cached_property
    def _parquet(self) -> pq.ParquetFile:
        try:
            seal = self._segment.seal
            if seal is not None and _footer_digest(self._file, self._file.size()) != seal.footer:
                raise ValueError("its footer is not the one that was written")
            return pq.ParquetFile(self._file, page_checksum_verification=True)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise damaged(self.path, error) from None


def damaged(path: Path, error: Exception) -> DataError:
    """Return the error that says so of a file."""
    return DataError(
        f"`{path}` is damaged",
        received=str(error).splitlines()[0] if str(error) else type(error).__name__,
        hint="Delete the store and import the files again.",
    )


def _footer_digest(file: Any, size: int) -> str:
    """Return the SHA-256 of what stands behind the pages of a Parquet file of ``size`` bytes."""
    file.seek(max(size - _MAGIC_AND_LENGTH, 0))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(size - _MAGIC_AND_LENGTH - length, 0))
    return hashlib.sha256(file.read()).hexdigest()
