"""Reading answers: the rows of a piece, from the first of its requests that has some.

An answer is shaped as a file is on import, and of its rows only those are kept that were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from data.errors import DataError, UsageError
from data.importing.codes import index_of, symbol_of
from data.importing.maps import TableMap
from data.importing.shape import shape
from data.providers.asking import Connection
from data.providers.provider import Piece, Request, Wanted
from data.store.schema import Table
from data.store.tables import TABLES

_SHOWN = 5


def rows_of(piece: Piece, schema: Table, wanted: Wanted, connection: Connection) -> pd.DataFrame:
    """Return the rows of the first request that has some.

    No rows if a request answers that there are none, unless a better one failed; then DataError.
    """
    failures: list[DataError] = []
    there_are_none = False
    for request in piece.requests:
        try:
            rows = _within(_read(request, connection.ask(request), wanted), schema, wanted)
        except DataError as error:
            connection.forget(request)
            failures.append(error)
            continue
        if len(rows):
            return rows
        if not failures:
            there_are_none = True
    if there_are_none:
        return schema.empty()
    told = [error.what + (f" ({error.received})" if error.received else "") for error in failures]
    raise DataError(f"{connection.provider.name} {connection.provider.version}: {'; '.join(told)}")


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _read(request: Request, cells: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Shape an answer; DataError if it is about something else, or has not the columns that its map knows."""
    if cells.empty:
        return pd.DataFrame()
    for column, value in request.says.items():
        said = set(cells[column].str.strip()) if column in cells else {"nothing"}
        if said != {value}:
            raise DataError(f"{request} answered about something else: {column} says {listed(sorted(said))}")
    if request.prepare is not None:
        cells = request.prepare(cells)
    shaped = [
        TABLES[part.table].complete(shape(ours, part, request.name, str(request)).frame)
        for part in request.parts
        if len(ours := _ours(cells, part, wanted))
    ]
    return pd.concat(shaped, ignore_index=True) if shaped else pd.DataFrame()


def _ours(cells: pd.DataFrame, part: TableMap, wanted: Wanted) -> pd.DataFrame:
    """Keep the rows that are about what is wanted, so that a wrong row of another fund stops nobody."""
    key = TABLES[part.table].key[0]
    column = part.column_in(key, cells.columns)
    if column is None:
        return cells
    named = cells[column].astype("str")
    here = [code for code in named.unique() if _is_wanted(code, key, part, wanted)]
    return cells[named.isin(here)]


def _is_wanted(code: str, key: str, part: TableMap, wanted: Wanted) -> bool:
    """Tell whether a code, read as an import reads it, is one that was asked for."""
    try:
        return index_of(code) in wanted.indices if key == "index" else symbol_of(code, part) in wanted.symbols
    except UsageError:
        return False


def _within(rows: pd.DataFrame, schema: Table, wanted: Wanted) -> pd.DataFrame:
    if rows.empty:
        return rows
    key = schema.key[0]
    named = wanted.indices if key == "index" else wanted.symbols
    if "ex_day" in rows:
        # Units switch on the record day already: without its split they show a flow that was none.
        first, last = rows["record_day"].fillna(rows["ex_day"]), rows["ex_day"]
    else:
        first = last = rows["day"]
    inside = (first <= pd.Timestamp(wanted.end)) & (last >= pd.Timestamp(wanted.start))
    return rows[inside & rows[key].isin(named)]
