"""Workbooks: the sheets of xlsx and xls files as rows of text. The door of python-calamine and xlrd.

Numbers come out as they are (``159363``, ``0.729``), days as ``2025-08-20``, empty and broken cells as "".
A cell of a formula holds the value that the program which saved the file worked out last.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator

import pandas as pd

from data.errors import DataError
from data.importing.contents import check_size
from data.importing.layout import LOOKED_AT, find_layout, footer_length, unfold
from data.importing.sheet import clean

# A sheet is laid out as a rectangle of cells: a single cell far away from the others fills the memory.
MOST_CELLS = 50_000_000
# Of any length: what is farther than any sheet reaches counts too.
_CELL = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]+)(\d+)[\"']")
# Signs of cells far to the right or far down, from the farthest on, and where the others end at most.
_RIGHT = ((rb'r="[A-Za-z]{3}', 16_384), (rb'r="[A-Za-z]{2}', 702), (b"", 26))
_DOWN = ((rb'r="[A-Za-z]{1,3}\d{7}', 9_999_999), (rb'r="[A-Za-z]{1,3}\d{6}', 999_999), (b"", 99_999))
# Other ways to write the same in XML, which these do not see.
_UNUSUAL = (b"r='", b" =", b"= ", b"\t=", b"=\t", b"\n=", b"=\n", b"\r=", b"=\r")
_CHUNK = 1 << 22
_MIDNIGHT = dt.time()


def read_workbook(content: bytes, kind: str, name: str) -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Yield the sheets that hold anything: name, cells as text, title. DataError if the file is damaged."""
    sheets = _read_xlsx(content, name) if kind == "xlsx" else _read_xls(content, name)
    for sheet, rows in sheets:
        filled = [place for place, row in enumerate(rows) if any(row)]
        if not filled:
            continue
        rows = rows[filled[0] : filled[-1] + 1]
        layout = find_layout(rows[:LOOKED_AT], f"{name}, sheet {sheet}")
        body = rows[layout.skipped :]
        body = body[: len(body) - footer_length(body[-LOOKED_AT:])]
        names = layout.names if not layout.levels else range(len(layout.levels[0]) + 1)
        frame = pd.DataFrame(body, columns=list(names), dtype="str")
        yield sheet, unfold(frame, layout) if layout.levels else frame, layout.title


def _read_xlsx(content: bytes, name: str) -> Iterator[tuple[str, list[list[str]]]]:
    import python_calamine

    _refuse_bombs(content, name)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for sheet in book.sheet_names:
            try:
                cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            except python_calamine.WorksheetNotFound:
                continue  # a sheet that is a chart
            yield sheet, [[_written(cell) for cell in row] for row in cells]
    except python_calamine.PasswordError:
        raise _locked(name) from None
    except python_calamine.CalamineError as error:
        raise _damaged(name, error) from None


def _refuse_bombs(content: bytes, name: str) -> None:
    """Raise DataError for a workbook whose sheets would fill the memory, or which is no workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.namelist()
            if "xl/workbook.xml" not in parts:
                raise DataError(
                    f"`{name}` is no workbook",
                    received="an archive that holds " + (", ".join(parts[:3]) or "nothing"),
                    hint="Unpack it, and import what is in it.",
                )
            size = 0
            for part in parts:
                chunks = []
                with archive.open(part) as file:
                    while chunk := file.read(_CHUNK):
                        size += len(chunk)
                        check_size(size, len(content), name)
                        chunks.append(chunk)
                if part.startswith("xl/worksheets/"):
                    _check_rectangle(*_extent(b"".join(chunks)), name)
    except DataError:
        raise
    except Exception as error:
        # A broken directory of an archive fails in every way that a seek or a struct can.
        raise _damaged(name, error) from None


def _extent(sheet: bytes) -> tuple[int, int]:
    """Return how many rows and columns a sheet reaches at most; exactly, if that would be too many."""
    if not any(each in sheet for each in _UNUSUAL):
        columns, rows = (
            next(end for sign, end in signs if re.search(sign, sheet)) for signs in (_RIGHT, _DOWN)
        )
        if rows * columns <= MOST_CELLS:
            return rows, columns
    cells = {*_CELL.findall(sheet)}
    return max((int(row) for _, row in cells), default=0), max(
        (_column(each) for each, _ in cells), default=0
    )


def _read_xls(content: bytes, name: str) -> Iterator[tuple[str, list[list[str]]]]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True)
        for sheet in book.sheets():
            _check_rectangle(sheet.nrows, sheet.ncols, name)
            rows = []
            for number in range(sheet.nrows):
                kinds, values = sheet.row_types(number), sheet.row_values(number)
                row = [
                    _written(_xls_value(kind, value, book.datemode))
                    for kind, value in zip(kinds, values, strict=True)
                ]
                rows.append(row + [""] * (sheet.ncols - len(row)))
            yield sheet.name, rows
    except DataError:
        raise
    except Exception as error:
        # It trusts what the file says of itself, and fails in every way that an index or a struct can.
        raise (_locked(name) if "encrypted" in str(error) else _damaged(name, error)) from None


def _xls_value(kind: int, value: object, datemode: int) -> object:
    """Return a cell of an xls file as a value: days and truths are kept as numbers there."""
    import xlrd

    if kind == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(value, datemode)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    return "" if kind == xlrd.XL_CELL_ERROR else value


def _written(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == _MIDNIGHT else f"{cell:%Y-%m-%d %H:%M:%S}"
    return clean(cell)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _check_rectangle(rows: int, columns: int, name: str) -> None:
    if rows * columns > MOST_CELLS:
        raise DataError(
            f"`{name}` would fill the memory",
            received=f"a sheet of {rows:,} rows and {columns:,} columns",
            limit=f"{MOST_CELLS:,} cells",
            hint="A stray cell far away from the table does that: delete the empty rows and columns.",
        )


def _locked(name: str) -> DataError:
    return DataError(f"`{name}` is protected by a password", hint="Open it, and save it without, or as CSV.")


def _damaged(name: str, error: Exception) -> DataError:
    return DataError(
        f"`{name}` is not a whole workbook",
        received=str(error).splitlines()[0] if str(error) else type(error).__name__,
        hint="It is damaged, cut off or protected: save or download it again, or save it as CSV.",
    )
