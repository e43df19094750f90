"""JSON as vendors answer it: where the rows are in it, and what the columns are called.

Rows are found as::

    [{"day": …, "units": …}, …]                            records, also one a line
    {"fields": [names], "items": [[values], …]}             names and rows (Tushare, pandas "split")
    {"day": [values], "units": [values]}                    columns of one length, also {"day": {"0": …}, …}
    {"2025-08-20": {"159363": …}, …}                        by day or by code, which becomes a column
    {"klines": ["2025-08-20,0.700,…"]}                      East Money
    [{"metadata": {"cols": …, "subname": day}, "data": […]}]   the Shenzhen exchange
    {"timestamp": […], "indicators": {…}, "meta": {…}}      Yahoo

at any depth, if there is one such table. The code and other single values beside a table are columns of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from data.errors import DataError
from data.importing.sheet import GUESSED, Given

Record = dict[str, Any]

# Where the rows are, in the answers of the vendors' web pages.
_WRAPPERS = ("data", "result", "records", "items", "rows")
_NAMES = ("fields", "columns", "column")
_ROWS = ("items", "item", "data", "rows")
_DEEPEST = 8
_KLINE = ("日期", "开盘", "收盘", "最高", "最低", "成交量", "成交额", "振幅", "涨跌幅", "涨跌额", "换手率")
_DAY = re.compile(r"\d{4}-?\d\d-?\d\d(?:[ T].*)?")
_CODE = re.compile(r"(?:[A-Za-z]{2}[.:_]?)?\d{6}(?:[.:_]?[A-Za-z]{2,5})?|[A-Z]{2,5}(?:\.US)?")
_CALL = re.compile(r"\s*[\w.$]+\s*\(\s*(.*)\)\s*;?\s*|\s*var\s+\w+\s*=\s*(.*?);?\s*", re.DOTALL)
_TAG = re.compile(r"<[^>]*>|&nbsp;")


class NoTable(DataError):
    """A file that can be read, but holds no rows and columns."""


def read_json(text: str, name: str, given: Given = GUESSED) -> pd.DataFrame:
    """Return the table in a JSON file, cells as they are; DataError if there is none or it is no JSON.

    ``given`` may say where the rows are, and what the values of rows without names are.
    """
    try:
        found = _at(_load(text, name), given.rows, name)
        if given.header and isinstance(found, list):
            found = {_NAMES[0]: list(given.header), _ROWS[0]: found}
        records = _records(found, name, 0)
    except RecursionError:
        raise _no_table(name, "lists within lists, too deep to follow") from None
    if not all(isinstance(record, dict) for record in records):
        raise _no_table(name, "rows that do not name their columns")
    # As objects, so that a code of digits does not become a float next to an empty one.
    return pd.DataFrame([_flat(record) for record in records], dtype=object)


def _load(text: str, name: str) -> Any:
    call = _CALL.fullmatch(text)
    text = (call[1] or call[2] or "") if call else text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise _not_json(name, str(error)) from None
    except RecursionError:
        raise _no_table(name, "lists within lists, too deep to follow") from None
    except ValueError as error:
        raise _not_json(name, str(error).partition(";")[0]) from None
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
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
    if isinstance(found, list):
        for marks, rows_of in ((("metadata", "data"), _report), (("meta", "indicators"), _chart)):
            if found and all(isinstance(each, dict) and each.keys() >= {*marks} for each in found):
                return [row for each in found for row in rows_of(each, name)]
        return found
    if not isinstance(found, dict):
        raise _no_table(name, "null" if found is None else type(found).__name__)
    if "data" in found and found["data"] is None:
        raise DataError(
            f"`{name}` is an answer without data",
            received='"data": null',
            hint="East Money answers so for a code that it does not know, or on the wrong exchange.",
        )
    table = _table(found, name)
    if table is not None:
        return table
    inner = {key: value for key, value in found.items() if isinstance(value, list | dict) and value}
    named = {key: inner[key] for key in _WRAPPERS if key in inner} or inner
    tables = {
        key: rows
        for key, value in named.items()
        if depth < _DEEPEST and (rows := _within(value, name, depth + 1))
    }
    if len(tables) == 1:
        (rows,) = tables.values()
        beside = {key: value for key, value in found.items() if _stands_beside(key, value)}
        return [{**beside, **row} if isinstance(row, dict) else row for row in rows]
    if tables:
        raise NoTable(
            f"`{name}` holds several tables",
            received=", ".join(tables),
            hint=f'Say in a map file (--map) which one it is: rows = "{next(iter(tables))}".',
        )
    raise _no_table(name, "an object with " + (", ".join(map(str, found)) or "nothing in it"))


def _within(found: Any, name: str, depth: int) -> list[Any]:
    """Return the rows of a part of an answer; none if it has none, so that another part may have them."""
    try:
        return _records(found, name, depth)
    except NoTable:
        return []


def _table(found: Record, name: str) -> list[Any] | None:
    """Return the rows of an object that is a table itself, None if it is not."""
    if "klines" in found:
        lines = _list(found["klines"], "klines", name)
        return [_kline(line, found.get("code"), name) for line in lines]
    names, rows = ([key for key in keys if key in found] for keys in (_NAMES, _ROWS))
    if names and rows and _are_names(found[names[0]], found[rows[0]]):
        return _named_rows(found, names[0], rows[0], name)
    values = list(found.values())
    if values and all(map(_is_column, values)) and len({*map(len, values)}) == 1:
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(value, dict) for value in values):
        return _keyed(found, name)
    return None


def _is_column(value: object) -> bool:
    """Whether a value is a list of single values, as far as its first one tells."""
    return isinstance(value, list) and not any(isinstance(cell, list | dict) for cell in value[:1])


def _are_names(names: object, rows: object) -> bool:
    """Whether rows without names belong to a list of names; null where a list should be counts as one."""
    named = names is None or (isinstance(names, list) and all(isinstance(each, str) for each in names))
    return named and not (isinstance(rows, list) and rows and isinstance(rows[0], dict))


def _named_rows(found: Record, names: str, rows: str, name: str) -> list[Record]:
    """Return rows without names, from an object that has the names beside them, with pandas' index."""
    header = [str(each) for each in _list(found[names], names, name)]
    items = _list(found[rows], rows, name)
    for number, item in enumerate(items, 1):
        if not isinstance(item, list) or len(item) != len(header):
            raise DataError(
                f"`{name}`: row {number} of `{rows}` does not have the cells that `{names}` names",
                received=_shortly(item),
                limit=f"{len(header)} cells: {', '.join(header)}",
                hint="It was probably cut off: download it again.",
            )
    records = [dict(zip(header, item, strict=True)) for item in items]
    index = found.get("index")
    if isinstance(index, list) and len(index) == len(records) and "day" not in header:
        return [
            {_key_name([*map(str, index)]): each, **row} for each, row in zip(index, records, strict=True)
        ]
    return records


def _keyed(found: Record, name: str) -> list[Record] | None:
    """Return the rows of an object of objects: pandas' columns, or keys that are days or codes."""
    inner: list[Record] = list(found.values())
    index = list(inner[0])
    numbered = index == [str(number) for number in range(len(index))]
    if index and all(list(each) == index for each in inner[1:]) and (numbered or not _key_name(list(found))):
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
    if all(_DAY.fullmatch(key) or re.fullmatch(r"\d{12,13}", key) for key in keys):
        return "date"
    return "code" if all(_CODE.fullmatch(key) for key in keys) else ""


def _report(found: Record, name: str) -> Iterator[Record]:
    """Return the rows of a report of the Shenzhen exchange under the names of its page, with its day."""
    metadata = found["metadata"] if isinstance(found["metadata"], dict) else {}
    labels: Record = metadata["cols"] if isinstance(metadata.get("cols"), dict) else {}
    day = str(metadata.get("subname") or "")
    beside = {"日期": day} if _DAY.fullmatch(day) else {}
    for row in _list(found["data"], "data", name):
        if not isinstance(row, dict):
            raise _no_table(name, _shortly(row))
        yield beside | {
            _TAG.sub("", str(labels.get(key, key))): _TAG.sub("", cell) if isinstance(cell, str) else cell
            for key, cell in row.items()
        }


def _chart(found: Record, name: str) -> list[Record]:
    """Return the bars of an answer of Yahoo, with splits and dividends, under the names of its files."""
    try:
        zone = found["meta"].get("exchangeTimezoneName", "UTC")
        quote = found["indicators"]["quote"][0]
        adjusted = found["indicators"].get("adjclose", [{}])[0].get("adjclose")
        stamps = pd.to_datetime(found["timestamp"], unit="s", utc=True).tz_convert(zone).strftime("%Y-%m-%d")
        columns = {key.capitalize(): quote[key] for key in ("open", "high", "low", "close", "volume")}
        columns |= {"Adj Close": adjusted} if adjusted else {}
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        events = found.get("events", {})
        for key, label in (("dividends", "Dividends"), ("splits", "Stock Splits")):
            by_day = {}
            for event in events.get(key, {}).values():
                when = pd.Timestamp(event["date"], unit="s", tz="UTC").tz_convert(zone)
                by_day[f"{when:%Y-%m-%d}"] = (
                    event["amount"] if key == "dividends" else event["numerator"] / event["denominator"]
                )
            for day, row in zip(stamps, rows, strict=True):
                row[label] = by_day.get(day, 0.0)
        symbol = found["meta"].get("symbol")
        return [{"Date": day, "Symbol": symbol, **row} for day, row in zip(stamps, rows, strict=True)]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise DataError(
            f"`{name}` is no whole answer of Yahoo",
            received=f"{type(error).__name__}: {error}",
            hint="Download it again, or save what yfinance returns.",
        ) from None


def _kline(line: object, code: object, name: str) -> Record:
    cells = line.split(",") if isinstance(line, str) else []
    if len(cells) != len(_KLINE):
        raise DataError(
            f"`{name}`: a kline has {len(cells)} fields",
            received=_shortly(line),
            limit=", ".join(_KLINE),
            hint="Ask for the fields f51 to f61.",
        )
    return {**dict(zip(_KLINE, cells, strict=True)), "代码": code}


def _flat(record: Record) -> Record:
    """Return a record with those within it taken apart: {"bar": {"open": 1}} has a column bar.open."""
    if not any(isinstance(value, dict) for value in record.values()):
        return record
    flat: Record = {}
    for key, value in record.items():
        flat |= (
            {f"{key}.{inner}": each for inner, each in value.items()}
            if isinstance(value, dict)
            else {key: value}
        )
    return flat


def _stands_beside(key: str, value: object) -> bool:
    """Whether a single value beside a table says something of its rows, and not of the answer."""
    if key in ("code", "symbol", "ticker", "ts_code"):
        return isinstance(value, str) and _CODE.fullmatch(value) is not None
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def _list(value: object, key: str, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError(
            f"`{name}`: `{key}` is no list",
            received=_shortly(value),
            hint="The answer is not whole, or has no data: download it again.",
        )
    return value


def _shortly(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _not_json(name: str, received: str) -> DataError:
    return DataError(
        f"`{name}` is not JSON", received=received, hint="It was probably cut off: download it again."
    )


def _no_table(name: str, received: str) -> NoTable:
    return NoTable(
        f"`{name}` holds no table",
        received=received,
        limit="a list of records, or an answer of East Money or Tushare",
        hint="Save the table as CSV.",
    )
