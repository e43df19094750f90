"""Columns of codes, of funds, indices and constituents: each is read in one way, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from data.errors import DataError, UsageError
from data.facts.symbols import MARKET_CODES, parse_symbol
from data.importing.headers import Headers
from data.importing.maps import TableMap
from data.store.cells import blank, plain, read_days, recoded
from data.store.tables import table

_CODES = ("symbol", "index", "constituent")
_INDEX_SUFFIX = re.compile(r"\.(CSI|CNI|SH|SZ|SI)$")
# What may be a day: eight digits, or numbers apart.
_MAY_BE_DAY = re.compile(r"\d{8}|\d\D+\d")


def each_code(values: pd.Series, written: Callable[[str], str], what: str, origin: str) -> pd.Series:
    """Rewrite each distinct code once; a cell that holds none stays empty."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        distinct = values.cat.categories.to_series().astype("str").reset_index(drop=True)
        return recoded(values, *pd.factorize(each_code(distinct, written, what, origin)))
    text = values.astype("str").str.strip().where(~blank(values))
    codes = {}
    for code in text.dropna().unique():
        try:
            codes[code] = written(str(code))
        except UsageError as error:
            row = text.index[np.flatnonzero(text == code)[0]] + 1
            raise DataError(
                f"{origin}: `{what}` in row {row} is {error.what}",
                received=error.received,
                limit=error.limit,
                hint=error.hint,
            ) from None
    return text.map(codes).astype("str")


def symbol_of(code: str, part: TableMap) -> str:
    """Return a fund's symbol, or the code of a market in a table that has rows of markets."""
    code = plain(code)
    if table(part.table).markets is not None and code.upper() in MARKET_CODES:
        return code.upper()
    code = code.removesuffix(".0")
    return parse_symbol(code if "." in code else code + part.suffix)


def index_of(code: str) -> str:
    """Return an index's code without exchange, with the zeros that spreadsheets drop."""
    bare = _INDEX_SUFFIX.sub("", plain(code).upper().removesuffix(".0"))
    if bare and not bare.strip("0"):
        raise UsageError(
            "no code of an index",
            received=code,
            hint="If the column counts rows, as pandas' does, leave it out, and say which fund or index the "
            "rows are of: in a column, or in the name of the file.",
        )
    return bare.zfill(6) if bare.isdecimal() else bare


def refuse_lost_codes(cells: pd.DataFrame, headers: Headers, part: TableMap, origin: str) -> None:
    """Raise DataError if a code is a day, because its row lost the first cell, or is none beside a day.

    Nobody else sees it where the map leaves such rows out, or where any text is a code.
    """
    day = next((each for ours in ("day", "ex_day") if (each := part.column_in(ours, headers))), None)
    for ours in _CODES:
        name = part.column_in(ours, headers)
        if name is None:
            continue
        codes = cells[headers.column(name)]
        if day is not None and {ours, *part.names_of(ours)} & {*part.where}:
            lost = blank(codes) & ~blank(cells[headers.column(day)])
            if lost.any():
                row = codes.index[np.flatnonzero(lost)[0]] + 1
                raise DataError(
                    f"{origin}: row {row} has a day and no code",
                    received=f"{int(lost.sum())} of {len(lost)} rows",
                    hint="Fill the code in, or leave the row out.",
                )
        # A cell may be anything in JSON, a list too.
        codes = codes.astype("str") if codes.dtype == object else codes
        found = [each for each in map(str, codes.unique()) if _MAY_BE_DAY.search(each)]
        likely = pd.Series(found, dtype="str")
        for written_as in part.date_formats or (None,):
            days = likely[read_days(likely, written_as=written_as)[0].notna()]
            if len(days):
                row = codes.index[np.flatnonzero(codes.astype("str") == days.iloc[0])[0]] + 1
                raise DataError(
                    f"{origin}: row {row} has a day where its code belongs",
                    received=days.iloc[0],
                    hint="Does the row lack a cell? Complete it, or leave it out.",
                )
