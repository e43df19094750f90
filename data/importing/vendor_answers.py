"""Answers of vendors that need more than names and rows to become a table: klines, reports, charts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from data.errors import DataError

Record = dict[str, Any]

_KLINE = ("日期", "开盘", "收盘", "最高", "最低", "成交量", "成交额", "振幅", "涨跌幅", "涨跌额", "换手率")
# The series of Tencent (fqkline), and the fields of its bars; what may follow are dividends and turnover.
TENCENT_SERIES = ("day", "qfqday", "hfqday")
_TENCENT = ("date", "open", "close", "high", "low", "volume")
# The lists of corporate actions of Alpaca that are understood.
_ALPACA_ACTIONS = ("forward_splits", "reverse_splits", "cash_dividends")
# A day, with or without a time behind it.
DAY = re.compile(r"\d{4}-?\d\d-?\d\d(?:[ T].*)?")
# A chart of TongHuaShun: bars in one text, or in texts that are packed by year.
_OF_A_CHART = re.compile(r"\d{8}(?:,[^,;]*){5,}(?:;.*)?", re.DOTALL)
CHART_IN_TEXTS = (
    "It is a chart of TongHuaShun (d.10jqka.com.cn): day, open, high, low, close, volume, amount in one "
    "text, or packed. Its prices are as traded if 00 stands behind the code in the address, and adjusted if "
    "01 or 02. Save those of 00 as CSV under these names, with the code in the file's name."
)
_TAG = re.compile(r"<[^>]*>|&nbsp;")


class NoTable(DataError):
    """A file that can be read, but holds no rows and columns."""


def is_chart_in_texts(found: Record) -> bool:
    """Whether an answer is a chart of TongHuaShun."""
    text = found.get("data")
    return "sortYear" in found or (isinstance(text, str) and _OF_A_CHART.fullmatch(text) is not None)


def kline_row(line: object, code: object, name: str) -> Record:
    """Return a bar of East Money, which is a line of text, under the names of AKShare."""
    cells = line.split(",") if isinstance(line, str) else []
    if len(cells) != len(_KLINE):
        raise DataError(
            f"`{name}`: a kline has {len(cells)} fields",
            received=shortly(line),
            limit=", ".join(_KLINE),
            hint="Ask for the fields f51 to f61.",
        )
    return {**dict(zip(_KLINE, cells, strict=True)), "代码": code}


def tencent_rows(lines: object, series: str, name: str) -> Iterator[Record]:
    """Yield the bars of Tencent, which are lists without names, with the name of the series that they are."""
    for line in as_list(lines, series, name):
        if not isinstance(line, list) or len(line) < len(_TENCENT):
            raise DataError(
                f"`{name}`: a bar of `{series}` has too few fields",
                received=shortly(line),
                limit=", ".join(_TENCENT),
                hint="It was probably cut off: download it again.",
            )
        yield {"series": series, **dict(zip(_TENCENT, line, strict=False))}


def report_rows(found: Record, name: str) -> Iterator[Record]:
    """Return the rows of a report of the Shenzhen exchange under the names of its page, with its day."""
    metadata = found["metadata"] if isinstance(found["metadata"], dict) else {}
    labels: Record = metadata["cols"] if isinstance(metadata.get("cols"), dict) else {}
    day = str(metadata.get("subname") or "")
    beside = {"日期": day} if DAY.fullmatch(day) else {}
    for row in as_list(found["data"], "data", name):
        if not isinstance(row, dict):
            raise no_table(name, shortly(row))
        yield beside | {
            _TAG.sub("", str(labels.get(key, key))): _TAG.sub("", cell) if isinstance(cell, str) else cell
            for key, cell in row.items()
        }


def ifind_rows(found: Record, name: str) -> list[Record]:
    """Return the rows of a table of iFinD, which has the days beside the columns."""
    table = found["table"] if isinstance(found["table"], dict) else {}
    columns = {"time": found["time"]} | table
    cells = [as_list(values, key, name) for key, values in columns.items()]
    if len({*map(len, cells)}) > 1:
        raise DataError(
            f"`{name}`: the columns of a table are not of one length",
            received=", ".join(f"{key} {len(values)}" for key, values in zip(columns, cells, strict=True)),
            hint="It was probably cut off: download it again.",
        )
    return [
        {"thscode": found["thscode"], **dict(zip(columns, row, strict=True))}
        for row in zip(*cells, strict=True)
    ]


def corporate_actions(found: Record, name: str) -> list[Record] | None:
    """Return the rows of an answer of Alpaca that has splits of both kinds, or dividends as well.

    Each has a column ``corporate_action`` with the list that it is from. None if there is one list alone, or
    one of another kind, such as mergers.
    """
    filled = [key for key, value in found.items() if value and isinstance(value, list)]
    if len(filled) < 2 or not {*filled} <= {*_ALPACA_ACTIONS}:
        return None
    rows = []
    for key in filled:
        for row in found[key]:
            if not isinstance(row, dict):
                raise DataError(
                    f"`{name}`: one of the `{key}` is no action",
                    received=shortly(row),
                    hint="The answer is not whole: download it again.",
                )
            rows.append({**row, "corporate_action": key})
    return rows


def chart_rows(found: Record, name: str) -> list[Record]:
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


def as_list(value: object, key: str, name: str) -> list[Any]:
    """Return a list as it is; DataError naming its key if it is none."""
    if not isinstance(value, list):
        raise DataError(
            f"`{name}`: `{key}` is no list",
            received=shortly(value),
            hint="The answer is not whole, or has no data: download it again.",
        )
    return value


def shortly(value: object) -> str:
    """Return a value as JSON, cut off where it gets too long for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def no_table(name: str, received: str, hint: str = "Save the table as CSV.") -> NoTable:
    """Return the error for an answer in which there are no rows."""
    return NoTable(
        f"`{name}` holds no table",
        received=received,
        limit="a list of records, or an answer of East Money or Tushare",
        hint=hint,
    )
