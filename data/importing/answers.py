"""JSON as vendors answer it: where the rows are in it, and what the columns are called.

Rows are found as::

    [{"day": …, "units": …}, …]                            records, also one a line
    {"fields": [names], "items": [[values], …]}             names and rows (Tushare, pandas "split")
    [[names], [values], …]                                  a list that begins with the names
    {"day": [values], "units": [values]}                    columns of one length, also {"day": {"0": …}, …}
    {"2025-08-20": {"159363": …}, …}                        by day or by code, which becomes a column
    {"159363": [{"day": …}, …], …}                          a list for each
    [{"code": "159363", "history": [{"day": …}, …]}, …]     a list within each record
    {"0": {"f12": …}, "1": …}                               records by number
    {"klines": ["2025-08-20,0.700,…"]}                      East Money
    {"day": [["2025-08-20", "0.700", …]], "qt": …}          Tencent
    var Data_netWorthTrend = [{"x": …, "y": …}];            a script (``data.importing.scripts``)
    [{"metadata": {"cols": …, "subname": day}, "data": […]}]   the Shenzhen exchange
    {"timestamp": […], "indicators": {…}, "meta": {…}}      Yahoo
    {"forward_splits": […], "cash_dividends": […]}          Alpaca, whose lists are read together

at any depth, if there is one such table. The code and the day beside a table are columns of it, and so is the
name of a time series: ``{"Time Series (Daily)": {…}}`` has a column Time Series.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd

from data.errors import DataError
from data.importing.scripts import begins_as_script, read_script
from data.importing.sheet import GUESSED, Given
from data.importing.vendor_answers import (
    CHART_IN_TEXTS,
    DAY,
    TENCENT_SERIES,
    NoTable,
    Record,
    as_list,
    chart_rows,
    corporate_actions,
    ifind_rows,
    is_chart_in_texts,
    kline_row,
    no_table,
    report_rows,
    shortly,
    tencent_rows,
)
from data.parsing import parse_json

# Where the rows are, in the answers of the vendors' web pages.
_WRAPPERS = ("data", "result", "records", "items", "rows")
_NAMES = ("fields", "columns", "column")
_ROWS = ("items", "item", "data", "rows")
_DEEPEST = 8
# Where vendors say in words why there are none.
_SAID = ("msg", "message", "error", "errmsg")
_CODE = re.compile(r"(?:[A-Za-z]{2}[.:_]?)?\d{6}(?:[.:_]?[A-Za-z]{2,5})?|[A-Z]{2,5}(?:\.US)?")
_CALL = re.compile(r"\s*[\w.$]+\s*\(\s*(.*)\)\s*;?\s*|\s*var\s+\w+\s*=\s*(.*?);?\s*", re.DOTALL)
_NUMBERED = re.compile(r"\d{1,5}|\d{7}")
# Alpha Vantage puts a number before each name: 1. open, 2. Symbol.
_PLACE = re.compile(r"\d{1,2}[.a]*\.? (?=\D)")
# What Alpha Vantage calls its tables, by which days are told from weeks: Weekly Adjusted Time Series.
_SERIES = "Time Series"
# Words for the values of a record that are no name of their own: {"code": …, "values": {"day": …}}.
_CONTAINERS = ("values", "value", "data", "fields", "attributes", "item", "record", "row")

_UNNAMED = (
    "Name the map `cni-answer` if they are CNI's; else say in a map file (--map) where they are and what "
    'their cells are called: rows = "data.data", header = ["day", …].'
)

# What tables of vendors have in them that need more than names and rows.
_TABLES_OF_VENDORS = (
    (("metadata", "data"), report_rows),
    (("meta", "indicators"), chart_rows),
    (("thscode", "time", "table"), ifind_rows),
)


class SeveralTables(NoTable):
    """A file with more than one table, where nothing says which one is meant; ``path`` leads to the first."""

    path = ""


def read_json(text: str, name: str, given: Given = GUESSED) -> pd.DataFrame:
    """Return the table in a JSON file, cells as they are; DataError if there is none or it is no JSON.

    ``given`` may say where the rows are, and what the values of rows without names are.
    """
    try:
        found = _at(_load(text, name), given.rows, name)
        if given.header and isinstance(found, list):
            found = {_NAMES[0]: list(given.header), _ROWS[0]: found}
        records = _records(found, name, 0)
        if not all(isinstance(record, dict) for record in records):
            raise no_table(name, "rows that do not name their columns", _UNNAMED)
        # As objects, so that a code of digits does not become a float next to an empty one.
        return pd.DataFrame([_flat(record) for record in records], dtype=object)
    except RecursionError:
        raise no_table(name, "lists within lists, too deep to follow") from None


def _load(text: str, name: str) -> Any:
    call = _CALL.fullmatch(text)
    within = (call[1] or call[2] or "") if call else text
    # A quote is a text that is assigned; so are several values one after the other.
    scripted = begins_as_script(text)
    try:
        value = parse_json(within)
    except json.JSONDecodeError as error:
        if not scripted and error.msg != "Extra data":
            raise _not_json(name, str(error)) from None
    except ValueError as error:
        raise _not_json(name, str(error).partition(";")[0]) from None
    else:
        return read_script(text, name) if scripted and isinstance(value, str) else value
    if scripted:
        return read_script(text, name)
    try:
        return [parse_json(line) for line in within.split("\n") if line.strip()]
    except ValueError as error:
        raise _not_json(name, str(error)) from None


def _at(found: Any, rows: str | None, name: str) -> Any:
    """Return the part of an answer that a map names: data.history."""
    for key in rows.split(".") if rows else []:
        if not isinstance(found, dict) or key not in found:
            has = ", ".join(map(str, found)) if isinstance(found, dict) else type(found).__name__
            raise DataError(f"`{name}` has no `{rows}`", received=has, hint="Correct `rows` in the map file.")
        found = found[key]
    return found


def _records(found: Any, name: str, depth: int) -> list[Any]:
    """Find the rows: a list, or the answer of a web page that wraps one."""
    if isinstance(found, str) and found.lstrip().startswith(("{", "[")):
        found = _load(found, name)
    if isinstance(found, list):
        for marks, rows_of in _TABLES_OF_VENDORS:
            if found and all(isinstance(each, dict) and each.keys() >= {*marks} for each in found):
                return [row for each in found for row in rows_of(each, name)]
        if found and all(isinstance(each, list) and len(each) == len(found[0]) for each in found):
            named, *items = found
            if items and all(isinstance(each, str) and each and not DAY.fullmatch(each) for each in named):
                return [dict(zip(named, item, strict=True)) for item in items]
        return _exploded(found)
    if not isinstance(found, dict):
        raise no_table(name, "null" if found is None else type(found).__name__)
    if "data" in found and found["data"] is None:
        raise DataError(
            f"`{name}` is an answer without data",
            received=next((repr(found[key]) for key in _SAID if found.get(key)), '"data": null'),
            hint="East Money answers so for a code that it does not know, or on the wrong exchange.",
        )
    if is_chart_in_texts(found):
        raise no_table(name, _has(found), CHART_IN_TEXTS)
    table = _table(found, name)
    if table is not None:
        return table
    inner = {key: value for key, value in found.items() if _may_hold(value)}
    named = {key: inner[key] for key in _WRAPPERS if key in inner} or inner
    tables = {
        key: rows
        for key, value in named.items()
        if depth < _DEEPEST and (rows := _below(key, value, name, depth + 1))
    }
    if len(tables) == 1:
        ((called, rows),) = tables.items()
        meta = [value for key, value in found.items() if key not in tables and isinstance(value, dict)]
        pairs = [pair for each in (*meta, found) for pair in each.items()]
        beside = {_PLACE.sub("", key): value for key, value in pairs if _stands_beside(key, value)}
        beside |= {_SERIES: called} if _SERIES in called else {}
        return [{**beside, **row} if isinstance(row, dict) else row for row in rows]
    if tables:
        raise _several(name, ", ".join(tables), next(iter(tables)))
    raise no_table(name, _has(found))


def _has(found: Record) -> str:
    return "an object with " + (", ".join(map(str, found)) or "nothing in it")


def _within(found: Any, name: str, depth: int) -> list[Any]:
    """Return the rows of a part of an answer; none if it has none, so that another part may have them."""
    try:
        return _records(found, name, depth)
    except SeveralTables:
        raise
    except NoTable:
        return []


def _below(key: str, found: Any, name: str, depth: int) -> list[Any]:
    """Return the rows of a part of an answer; where it has several tables, they are named from the top."""
    try:
        return _within(found, name, depth)
    except SeveralTables as error:
        raise _several(name, str(error.received), f"{key}.{error.path}") from None


def _several(name: str, received: str, path: str) -> SeveralTables:
    error = SeveralTables(
        f"`{name}` holds several tables",
        received=received,
        hint=f'Say in a map file (--map) which one it is: rows = "{path}".',
    )
    error.path = path
    return error


def _may_hold(value: object) -> bool:
    """Whether a value may hold a table: a list or an object, also one that is written as text."""
    return bool(value) and (
        isinstance(value, list | dict) or (isinstance(value, str) and value.startswith(("[{", '{"')))
    )


def _exploded(records: list[Any]) -> list[Any]:
    """Return a row for each record of a list within records: {"code": …, "history": [{"day": …}, …]}."""
    if not records or not all(isinstance(each, dict) for each in records):
        return records
    lists = {key for each in records for key, value in each.items() if _is_records(value)}
    if len(lists) != 1:
        return records
    (key,) = lists
    if any(each.get(key) and not _is_records(each[key]) for each in records):
        return records
    rows: list[Any] = []
    for each in records:
        single = {name: value for name, value in each.items() if name != key}
        rows += [{**single, **row} for row in each.get(key) or []]
    return rows


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _table(found: Record, name: str) -> list[Any] | None:
    """Return the rows of an object that is a table itself, None if it is not."""
    if "klines" in found:
        lines = as_list(found["klines"], "klines", name)
        return [kline_row(line, found.get("code"), name) for line in lines]
    if "Data_netWorthTrend" in found:
        # East Money's page of a fund has much else beside its NAV.
        rows = as_list(found["Data_netWorthTrend"], "Data_netWorthTrend", name)
        return [{"fS_code": found.get("fS_code"), **row} if isinstance(row, dict) else row for row in rows]
    if (actions := corporate_actions(found, name)) is not None:
        return actions
    if series := [key for key in TENCENT_SERIES if _is_rows(found.get(key))]:
        return [row for key in series for row in tencent_rows(found[key], key, name)]
    names, rows = ([key for key in keys if key in found] for keys in (_NAMES, _ROWS))
    if names and rows and _are_names(found[names[0]], found[rows[0]]):
        return _named_rows(found, names[0], rows[0], name)
    values = list(found.values())
    if values and all(map(_is_column, values)) and len({*map(len, values)}) == 1:
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(value, dict) for value in values):
        return _keyed(found, name)
    key = _key_name(list(found)) if values and all(map(_is_records, values)) else ""
    return [{key: each, **row} for each, rows in found.items() for row in rows] if key else None


def _is_rows(value: object) -> bool:
    """Whether a value is a list of lists, as far as its first one tells."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _is_column(value: object) -> bool:
    """Whether a value is a list of single values, as far as its first one tells."""
    return isinstance(value, list) and not any(isinstance(cell, list | dict) for cell in value[:1])


def _are_names(names: object, rows: object) -> bool:
    """Whether rows without names belong to a list of names; null where a list should be counts as one."""
    named = names is None or (isinstance(names, list) and all(isinstance(each, str) for each in names))
    return named and not (isinstance(rows, list) and rows and isinstance(rows[0], dict))


def _named_rows(found: Record, names: str, rows: str, name: str) -> list[Record]:
    """Return rows without names, from an object that has the names beside them, with pandas' index."""
    header = [str(each) for each in as_list(found[names], names, name)]
    items = as_list(found[rows], rows, name)
    for number, item in enumerate(items, 1):
        if not isinstance(item, list) or len(item) != len(header):
            raise DataError(
                f"`{name}`: row {number} of `{rows}` does not have the cells that `{names}` names",
                received=shortly(item),
                limit=f"{len(header)} cells: {', '.join(header)}",
                hint="It was probably cut off: download it again.",
            )
    beside = {_PLACE.sub("", key): value for key, value in found.items() if _stands_beside(key, value)}
    records = [beside | dict(zip(header, item, strict=True)) for item in items]
    index = found.get("index")
    what = _key_name([*map(str, index)]) if isinstance(index, list) and len(index) == len(records) else ""
    if isinstance(index, list) and what and what not in header:
        return [{what: each, **row} for each, row in zip(index, records, strict=True)]
    return records


def _keyed(found: Record, name: str) -> list[Record] | None:
    """Return the rows of an object of objects: pandas' columns, or keys that are days or codes."""
    inner: list[Record] = list(found.values())
    if all(map(_NUMBERED.fullmatch, found)):
        return inner
    index = list(inner[0])
    numbered = all(map(_NUMBERED.fullmatch, index))
    single = not any(isinstance(cell, list | dict) for each in inner for cell in each.values())
    same = bool(index) and single and all(list(each) == index for each in inner[1:])
    if same and (numbered or not _key_name(list(found))):
        what = _key_name(index)
        if numbered or what:
            return [
                ({} if numbered else {what: key}) | {column: values[key] for column, values in found.items()}
                for key in index
            ]
    what = _key_name(list(found))
    if not what:
        return None
    rows: list[Record] = []
    for key, value in found.items():
        holds = any(isinstance(each, list | dict) for each in value.values())
        below = _within(value, name, _DEEPEST - 1) if holds else [value]
        rows += [{what: key, **row} for row in below if isinstance(row, dict)]
    return rows


def _key_name(keys: list[str]) -> str:
    """Return what to call the column of keys that are days or codes; empty if they are neither."""
    if all(DAY.fullmatch(key) or re.fullmatch(r"\d{12,13}", key) for key in keys):
        return "date"
    return "code" if all(_CODE.fullmatch(key) for key in keys) else ""


def _flat(record: Record) -> Record:
    """Return a record with those within it taken apart: {"bar": {"open": 1}} has a column bar.open."""
    if not any(isinstance(value, dict) for value in record.values()):
        return {_PLACE.sub("", key): value for key, value in record.items()}
    flat: Record = {}
    for key, value in record.items():
        if not isinstance(value, dict):
            flat[key] = value
        elif value.keys() >= {"raw", "fmt"}:
            flat[key] = value["raw"]
        else:
            plain = key in _CONTAINERS and value.keys().isdisjoint(record)
            flat |= {inner if plain else f"{key}.{inner}": each for inner, each in _flat(value).items()}
    return flat


def _stands_beside(key: str, value: object) -> bool:
    """Whether a single value beside a table says something of its rows, and not of the answer."""
    if key == "adjusted":
        return isinstance(value, bool)
    if _PLACE.sub("", key).lower() in ("code", "symbol", "ticker", "ts_code"):
        return isinstance(value, str) and _CODE.fullmatch(value) is not None
    return isinstance(value, str) and DAY.fullmatch(value) is not None


def _not_json(name: str, received: str) -> DataError:
    return DataError(
        f"`{name}` is not JSON", received=received, hint="It was probably cut off: download it again."
    )
