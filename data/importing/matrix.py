"""Matrices: one kind of number for many funds and days, with a column for each fund, or for each day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.errors import DataError, UsageError
from data.facts.symbols import parse_symbol
from data.importing.headers import Headers
from data.importing.maps import TableMap
from data.store.cells import blank, read_days

# Fewer codes or days than these in a header are no matrix.
_FEWEST = 2


def unpivot(cells: pd.DataFrame, part: TableMap, origin: str) -> pd.DataFrame:
    """Return the cells of a matrix as a table: a row for each filled cell, with the index of its row.

    The column that the map names, ``day`` or ``symbol``, is kept; the other headers are codes, or days.
    """
    headers = Headers(cells.columns)
    kept = next((ours for ours in ("day", "symbol") if part.column_in(ours, headers)), None)
    name = part.column_in(kept, headers) if kept else None
    other = "symbol" if kept == "day" else "day"
    columns = [] if name is None else [each for each in cells.columns if each != headers.column(name)]
    series = [each for each in columns if (is_code(each) if other == "symbol" else is_day(each))]
    if kept is None or name is None or not series:
        raise DataError(
            f"{origin} is no matrix of days and funds",
            received=", ".join(map(str, cells.columns[:8])),
            limit="a column of days and a column for each fund, or the other way round",
            hint='Say in a map file (--map) how the first column is called: columns = { day = "…" }.',
        )
    length = len(cells)
    long = pd.DataFrame(
        {
            name: np.tile(cells[headers.column(name)].to_numpy(object), len(series)),
            other: np.repeat(np.array(series, dtype=object), length),
            str(part.wide): np.concatenate([cells[each].to_numpy(object) for each in series]),
        },
        index=np.tile(cells.index.to_numpy(), len(series)),
    )
    return long[~blank(long[str(part.wide)])]


def looks_like_a_matrix(columns: pd.Index) -> bool:
    """Whether most headers but the first are codes of funds, or days."""
    names = [str(each) for each in columns[1:]]
    codes, days = (sum(map(each, names)) for each in (is_code, is_day))
    return max(codes, days) >= max(_FEWEST, len(names) / 2)


def is_code(header: str) -> bool:
    """Whether a header is the code of a fund, and not a word such as Total that could be a ticker as well."""
    try:
        parse_symbol(header)
    except UsageError:
        return False
    return header.isupper() or any(sign.isdigit() for sign in header)


def is_day(header: str) -> bool:
    """Whether a header is a day; a number is one if it has eight digits."""
    days, _ = read_days(pd.Series([header], dtype="str"))
    return bool(days.notna().all()) and (len(header) == len("20250820") or not header.isdecimal())
