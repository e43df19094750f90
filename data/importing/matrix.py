"""Matrices: one kind of number for many funds and days, with a column for each fund, or for each day."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.errors import DataError, UsageError
from data.facts.symbols import parse_symbol
from data.importing.headers import Headers, half_width, split_header
from data.importing.maps import TableMap
from data.store.cells import blank, read_days

# Fewer codes or days than these in a header are no matrix.
_FEWEST = 2


def unpivot(cells: pd.DataFrame, part: TableMap, origin: str) -> pd.DataFrame:
    """Return the cells of a matrix as a table: a row for each filled cell, with the index of its row.

    The other headers are codes, or days; the column of days, or of codes, is kept. A unit of measure that all
    headers name, 159363(万份), counts for the cells.
    """
    headers = Headers(cells.columns)
    codes, days = [each for each in cells.columns if is_code(each)], [*filter(is_dated, cells.columns)]
    kept, other, series = ("day", "symbol", codes) if len(codes) > len(days) else ("symbol", "day", days)
    known, first = part.column_in(kept, headers), cells.columns[0]
    column = None if known is None else headers.column(known)
    if column is None and first not in series and _holds(kept, cells[first]):
        # Pandas writes the name of the header into the corner, which is not that of what stands below it.
        column = first
    series = [each for each in series if each != column]
    if column is None or not series:
        raise DataError(
            f"{origin} is not a matrix of days and funds",
            received=", ".join(map(str, cells.columns[:8])),
            limit="a column of days and a column for each fund, or the other way round",
            hint='Say in a map file (--map) how the first column is called: columns = { day = "…" }.',
        )
    names = [split_header(each)[0] if other == "symbol" else each for each in series]
    units = {half_width(each).removeprefix(name) for each, name in zip(series, names, strict=True)}
    if len(units) > 1:
        raise DataError(
            f"{origin}: its headers name several units of measure",
            received=", ".join(map(str, cells.columns[:8])),
            hint="Put the columns of each unit of measure into a file of their own.",
        )
    values, length = f"{part.wide}{units.pop()}", len(cells)
    long = pd.DataFrame(
        {
            _name(part, kept): np.tile(cells[column].to_numpy(object), len(series)),
            _name(part, other): np.repeat(np.array(names, dtype=object), length),
            values: np.concatenate([cells[each].to_numpy(object) for each in series]),
        },
        index=np.tile(cells.index.to_numpy(), len(series)),
    )
    return long[~blank(long[values])]


# What WindPy calls the columns of bars; some are tickers too.
_FIELDS = ("OPEN", "HIGH", "LOW", "CLOSE", "AMT", "VOL", "NAV", "DATE", "TIME", "CODE", "PCT", "TURN")
# A day as 5/1/25 has four digits; a column as V1234 is none.
_FEWEST_DIGITS = 4
_NUMBERED_NAME = re.compile(r"[A-Za-z]+_?\d+")


def looks_like_a_matrix(columns: pd.Index) -> bool:
    """Whether most headers but the first are codes of funds, or days."""
    names = [str(each) for each in columns[1:]]
    codes, days = (sum(map(each, names)) for each in (is_code, is_day))
    return max(codes, days) >= max(_FEWEST, len(names) / 2)


def is_code(header: str) -> bool:
    """Whether a header is the code of a fund, and not a word such as Total that could be a ticker as well."""
    try:
        parse_symbol(split_header(header)[0])
    except UsageError:
        return False
    return (header.isupper() and header not in _FIELDS) or any(sign.isdigit() for sign in header)


def is_day(header: str) -> bool:
    """Whether a header is a day; a number is one if it has eight digits."""
    if sum(sign.isdecimal() for sign in header) < _FEWEST_DIGITS or _NUMBERED_NAME.fullmatch(header):
        return False  # at once: a file may have thousands of headers
    days, _ = read_days(pd.Series([header], dtype="str"))
    return bool(days.notna().all()) and (len(header) == len("20250820") or not header.isdecimal())


def is_dated(header: str) -> bool:
    """Whether a header is a day where only days are looked for: also one of Excel's serial numbers."""
    return is_day(header) or (len(header) == len("45889") and header.isdecimal())


def _holds(ours: str, cells: pd.Series) -> bool:
    """Whether all cells of a column are days, or codes."""
    if ours == "day":
        days, wrong = read_days(cells)
        return bool(len(days) and not wrong.any() and days.notna().all())
    return bool(len(cells)) and all(is_code(str(each)) for each in cells)


def _name(part: TableMap, column: str) -> str:
    """Return a name by which a map knows a column; its own where the map has none, which is refused later."""
    return (part.names_of(column) or (column,))[0]
