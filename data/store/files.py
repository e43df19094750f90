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
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import DataError
from data.store.schema import Table
from data.store.spans import Span, measured
from data.store.tables import TABLES

# A fund of twenty years is in one group of rows or two.
_ROW_GROUP = 8_192
_ARROW = {"text": pa.string(), "day": pa.timestamp("us"), "time": pa.timestamp("us"), "number": pa.float64()}
_NOTE = "etflow"
_MAGIC_AND_LENGTH = 8


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


def write_file(path: Path, schema: Table, frame: pd.DataFrame) -> Seal:
    """Write the rows of a table, sorted by key, onto the disk, and return the file's seal."""
    fields = pa.schema([(column.name, _ARROW[column.kind]) for column in schema.columns])
    rows = pa.Table.from_pandas(frame, schema=fields, preserve_index=False)
    note = {_NOTE: json.dumps(_noted(schema, frame), ensure_ascii=False)} if schema.name in TABLES else None
    rows = rows.replace_schema_metadata(note)
    with path.open("w+b") as file:
        pq.write_table(rows, file, compression="zstd", row_group_size=_ROW_GROUP, write_page_checksum=True)
        flush(file)
        return Seal.of(file)


def flush(file: IO[bytes] | IO[str]) -> None:
    """Bring what was written onto the disk."""
    file.flush()
    os.fsync(file.fileno())


class OpenFile:
    """One file of a store, open: what is read of it stays the same, even if it is deleted meanwhile.

    FileNotFoundError if it is not there. DataError, at the first look into it, if it is damaged.
    """

    def __init__(self, path: Path, schema: Table, seal: Seal | None) -> None:
        self.path, self.seal = path, seal
        self._schema = schema
        self._file = pa.OSFile(str(path))

    @cached_property
    def spans(self) -> Mapping[str, Span]:
        """The series in order, with the days of each."""
        days = ([day and date.fromisoformat(day) for day in self._note[each]] for each in ("first", "last"))
        return dict(zip(self._note["series"], map(Span, *days), strict=True))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The texts in the column ``source``, in order; none where the table has no such column."""
        return tuple(self._note["sources"])

    @cached_property
    def _note(self) -> dict[str, Any]:
        """What the footer says of the rows; a file that was written before it did is read for it."""
        note = (self._parquet.schema_arrow.metadata or {}).get(_NOTE.encode())
        found: dict[str, Any] = _noted(self._schema, self.read()) if note is None else json.loads(note)
        return found

    def read(self, series: Collection[str] | None = None) -> pd.DataFrame:
        """Return the rows of the table, of all series or of some; DataError if what is read is damaged."""
        schema = self._schema
        try:
            columns = [name for name in schema.names if name in self._parquet.schema_arrow.names]
            rows = self._parquet.read(columns) if series is None else self._some(columns, set(series))
            for column in schema.columns:
                if column.name not in (*columns, *schema.key):  # it came later than the file
                    rows = rows.append_column(column.name, pa.nulls(len(rows), _ARROW[column.kind]))
            frame: pd.DataFrame = rows.select(list(schema.names)).to_pandas()
            return frame.astype(schema.empty().dtypes.to_dict())
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise damaged(self.path, error) from None

    def _some(self, columns: list[str], series: Collection[str]) -> pa.Table:
        """Return the rows of some series, out of the groups of rows that hold them."""
        groups, end = self._groups, 0
        stretches: list[tuple[int, int]] = []
        for name, count in zip(self._note["series"], self._note["rows"], strict=True):
            end += count
            if name in series:
                stretches.append((end - count, end))
        needed = sorted({group for stretch in stretches for group in range(*self._groups_of(*stretch))})
        rows = self._parquet.read_row_groups(needed, columns)
        # How far the rows of each group have moved up, because others were not read.
        sizes = np.diff(groups)[needed]
        moved = dict(zip(needed, (groups[needed] - np.cumsum(sizes) + sizes).tolist(), strict=True))
        cut = [
            rows.slice(begin - moved[self._groups_of(begin, end)[0]], end - begin) for begin, end in stretches
        ]
        return pa.concat_tables(cut) if cut else rows.slice(0, 0)

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
            if self.seal is not None and _footer_digest(self._file, self._file.size()) != self.seal.footer:
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


def _noted(schema: Table, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the series of a table sorted by key, the rows and days of each, and the sources of rows."""
    spans = measured(schema, frame).values()
    codes, names = pd.factorize(frame[schema.key[0]])
    return {
        "series": [str(name) for name in names],
        "rows": np.bincount(codes, minlength=len(names)).tolist(),
        "first": [span.first and str(span.first) for span in spans],
        "last": [span.last and str(span.last) for span in spans],
        "sources": sorted(frame["source"].dropna().unique()) if "source" in frame else [],
    }


def _footer_digest(file: Any, size: int) -> str:
    """Return the SHA-256 of what stands behind the pages of a Parquet file of ``size`` bytes."""
    file.seek(max(size - _MAGIC_AND_LENGTH, 0))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(size - _MAGIC_AND_LENGTH - length, 0))
    return hashlib.sha256(file.read()).hexdigest()
