"""Readers: the tables of a file as they stand, whatever the format, each with row 0 the first row of data.

Text files and workbooks come out as text, so that ``000300`` keeps its zeros; JSON and Parquet keep the types
they have. What the columns mean is the business of ``data.importing.maps``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import DataError
from data.importing.answers import read_json
from data.importing.contents import SUFFIXES, format_of, read_contents, stem_of
from data.importing.layout import paired_names, unfold, with_days_in_rows
from data.importing.sheet import GUESSED, Given, Sheet, clean
from data.importing.text import decode, read_text
from data.importing.vendor_answers import NoTable
from data.store.cells import read_days

__all__ = ["SUFFIXES", "NoTable", "format_of", "read_cells", "read_sheets", "stem_of"]

# Parquet packs a column of one value into nothing.
MOST_CELLS = 200_000_000


def read_sheets(path: Path, given: Given = GUESSED) -> Iterator[Sheet]:
    """Yield the tables of a file: one, or one for each sheet of a workbook that holds anything.

    The separator, the header row and the encoding of a text file are found out where ``given`` does not say
    them. DataError if the file is empty, truncated, unreadable, or has rows of different lengths.
    """
    content, kind = read_contents(path)
    stem, origin, title, separator = stem_of(path), f"`{path.name}`", "", ""
    if kind in ("xlsx", "xls"):
        from data.importing.workbooks import read_workbook

        for name, frame, title in read_workbook(content, kind, path.name):
            yield Sheet(
                _with_clean_names(frame, path.name), f"{stem} {name}", f"{origin}, sheet `{name}`", title
            )
        return
    if kind == "parquet":
        frame = _read_parquet(content, path.name)
    elif kind == "json":
        frame = read_json(decode(content, path.name, given.encoding), path.name, given)
    else:
        frame, title, separator = read_text(decode(content, path.name, given.encoding), path.name, given)
    yield Sheet(_with_clean_names(frame, path.name), stem, origin, title, separator)


def read_cells(path: Path) -> pd.DataFrame:
    """Return the cells of a file that holds one table."""
    return next(read_sheets(path)).cells


def _with_clean_names(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    layout = paired_names(list(frame.columns))
    if layout is not None:
        frame = unfold(frame, layout)
    frame = with_days_in_rows(frame.set_axis([clean(each) for each in frame.columns], axis=1))
    if _are_nameless_days(frame):
        # Pandas writes days that are an index without a name, or calls them "index".
        frame.columns = ["date", *frame.columns[1:]]
    repeated = {each for each in frame.columns[frame.columns.duplicated()] if each}
    if repeated:
        raise DataError(
            f"`{name}` names a column twice",
            received=", ".join(sorted(repeated)),
            hint="Rename one of them.",
        )
    return frame


def _are_nameless_days(frame: pd.DataFrame) -> bool:
    if frame.empty or frame.columns[0] not in ("", "index") or not {"date", "day"}.isdisjoint(frame.columns):
        return False
    if pd.api.types.is_datetime64_any_dtype(frame.iloc[:, 0]):
        return True
    days, wrong = read_days(frame.iloc[:, 0])
    return bool(days.notna().all()) and not wrong.any()


def _read_parquet(content: bytes, name: str) -> pd.DataFrame:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        cells = file.metadata.num_rows * file.metadata.num_columns
        if cells > MOST_CELLS:
            received = f"{cells:,} cells"
            raise DataError(f"`{name}` would fill the memory", received=received, limit=f"{MOST_CELLS:,}")
        rows = file.read()
        rows.validate(full=True)
        frame: pd.DataFrame = rows.to_pandas()
        frame = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    except DataError:
        raise
    except Exception as error:
        # Pandas trusts the notes that it finds in the file, and fails on odd ones in every way.
        raise DataError(
            f"`{name}` is not a whole Parquet file",
            received=str(error).splitlines()[0] if str(error) else type(error).__name__,
            hint="It was probably cut off: save or download it again.",
        ) from None
    for place, kind in enumerate(frame.dtypes):
        cells = frame.iloc[:, place]
        if isinstance(kind, pd.CategoricalDtype):
            frame.isetitem(place, cells.astype(object).array)
        elif any(isinstance(cell, bytes) for cell in cells.head(1)):
            text = [str(cell, "utf-8", "replace") if isinstance(cell, bytes) else cell for cell in cells]
            frame.isetitem(place, text)
    return frame
