"""Where the table is on a page: lines above the header, headers of several rows, lines below the last row.

Rows are lists of text, as a line of a text file or a row of a workbook has them.

1. The header is the first row that is about as wide as the rows below it; what stands above is the title.
2. Two levels of names, as pandas writes them (``Price,Close,Close`` over ``Ticker,AIQ,BOTZ`` over
   ``Date,,``), are one table for each ticker, put under each other (``unfold``). Of merged cells the lower
   name counts.
3. What stands below the last row in the first cell alone is a footer, unless it is a day, a code or a number;
   so are sums (合计), and what begins with a word such as Source or 注.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from data.errors import DataError
from data.importing.headers import split_header

Rows = Sequence[Sequence[str]]

LOOKED_AT = 40
# A row with fewer cells than this part of the usual ones is no header.
_WIDE = 0.75
_REGULAR = 0.8
_MOST_LEVELS = 2
# What pandas and yfinance call the levels of their headers.
_LEVELS = {"price", "ticker", "tickers", "symbol", "symbols", "attributes"}
_FIELDS = {"open", "high", "low", "close", "adj close", "volume"}
_FIELDS |= {"amt", "pre_close", "dividends", "stock splits", "capital gains", "repaired?"}
# Fields of Chinese tables that have codes above them.
_FIELDS |= {"开盘", "开盘价", "最高", "最高价", "最低", "最低价", "收盘", "收盘价", "前收盘价"}
_FIELDS |= {"成交量", "成交额", "份额", "基金份额", "单位净值", "累计净值", "净值"}
_FIELDS |= {"融资余额", "融资买入额", "融资偿还额"}
_FIELDS |= {"px_open", "px_high", "px_low", "px_last", "px_volume"}
_SERIES = re.compile(r"(?:[A-Z]{1,5}|\d{6})(?:\.[A-Z]{2,4}| [A-Z]{2} Equity)?")
# Fields and series that somebody joined: Close_BOTZ, BOTZ Close. The longest field first: Adj Close.
_ANY_FIELD = "|".join(map(re.escape, sorted(_FIELDS, key=len, reverse=True)))
_JOINED = re.compile(
    rf"((?i:{_ANY_FIELD}))[_| ]({_SERIES.pattern})|((?!ADJ ){_SERIES.pattern})[_| ]((?i:{_ANY_FIELD}))"
)
_VALUE = re.compile(r"""[='"]*[+-]?[\d.,%]*\d[\d.,%/年月日:T -]*""")
_CODE = re.compile(r"\d{6}")
_REMARK = re.compile(r"[\u4e00-\u9fff:]|[A-Za-z] [A-Za-z]")
_NOTED = re.compile(r"(?:数据|资料)?来源|备?注|说明|免责声明|sources?|notes?|disclaimer", re.IGNORECASE)
_SUMS = {"合计", "总计", "小计", "平均", "均值", "total", "totals", "sum", "grandtotal", "average", "mean"}
# The Federal Reserve writes what a series is above it, line by line, each as wide as the table.
_OF_THE_FED = ("Series Description", "Time Period")
_PAIR = re.compile(r"\('([^']*)', ?'([^']*)'\)")
# AKShare's lists of all funds: the NAV of the last two days.
_DAY_BEFORE = re.compile(r"(\d{4}-\d\d-\d\d)-(单位净值|累计净值)")
_SAME_AGAIN = re.compile(r"\.\d+")


@dataclass(frozen=True)
class Layout:
    """The title, the number of rows above the data, and the header: names, or two levels of them.

    ``levels`` is empty for a plain header; else the names of the fields and those of the series, one of each
    for each column after the first, whose name is ``names[0]``. ``apart`` says that the names are not those
    of the row above the data: TongDaXin puts spaces between names and commas between values, and cells may
    be merged.
    """

    title: str
    skipped: int
    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...] = ()
    apart: bool = False


def find_layout(rows: Rows, name: str) -> Layout:
    """Return the layout of a file's first rows; DataError if its header names a column twice."""
    top = _header_row(rows)
    depth = _depth(rows, top)
    title = " ".join(cell for row in rows[:top] for cell in row if cell)
    merged = _merged(rows, top) if depth == 1 else None
    if merged is not None:
        _refuse_repeated(merged, name)
        return Layout(title, top + 2, merged, apart=True)
    if depth == 1:
        names = tuple(rows[top])
        above = [" ".join(row).split() for row in rows[:top]]
        filled = [place for place, words in enumerate(above) if words]
        if filled and _VALUE.fullmatch(names[0]) and len(above[filled[-1]]) == len(names):
            title = " ".join(word for words in above[: filled[-1]] for word in words)
            _refuse_repeated(above[filled[-1]], name)
            return Layout(title, top, tuple(above[filled[-1]]), apart=True)
        _refuse_repeated(names, name)
        return Layout(title, top + 1, names)
    upper, lower = (_filled(row[1:]) for row in rows[top : top + 2])
    fields, series = (upper, lower) if _are_fields(upper) else (lower, upper)
    _refuse_repeated([" ".join(pair) for pair in zip(series, fields, strict=True)], name)
    first = rows[top + depth - 1][0]
    named = first and first.lower() not in _LEVELS | _FIELDS
    return Layout(title, top + depth, (first if named else "Date",), (fields, series))


def paired_names(columns: Sequence[object]) -> Layout | None:
    """Return the levels of columns that are pairs, also as text: ('Close', 'AIQ'); None if they are not."""
    pairs = [_pair(each) for each in columns[1:]]
    if not pairs or not all(pairs):
        return None
    upper, lower = zip(*(each for each in pairs if each), strict=True)
    fields, series = (upper, lower) if _are_fields(upper) else (lower, upper)
    if not _are_fields(fields) or not all(map(_SERIES.fullmatch, series)):
        return None
    written = _PAIR.fullmatch(str(columns[0]))
    first = columns[0][-2] if isinstance(columns[0], tuple) else written[1] if written else columns[0]
    return Layout("", 0, (str(first),), (fields, series))


def with_days_in_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose headers begin with a day, 2025-08-20-单位净值, with a row for each day.

    The day is in the column 净值日期; rows keep the index of the row that they came from.
    """
    named = {name: match for name in frame.columns if (match := _DAY_BEFORE.fullmatch(str(name)))}
    if not named:
        return frame
    kept = [name for name in frame.columns if name not in named]
    parts = []
    for day in dict.fromkeys(match[1] for match in named.values()):
        of_day = {name: match[2] for name, match in named.items() if match[1] == day}
        parts.append(frame[[*kept, *of_day]].rename(columns=of_day).assign(净值日期=day))
    return pd.concat(parts)


def _pair(column: object) -> tuple[str, str] | None:
    """Return the two names of a column that has two levels of them, also as text; None if it has one."""
    if isinstance(column, tuple):
        return str(column[-2]), str(column[-1])
    text = str(column)
    if match := _PAIR.fullmatch(text):
        return match[1], match[2]
    if match := _JOINED.fullmatch(text):
        return (match[1], match[2]) if match[1] else (match[4], match[3])
    return None


def header_width(rows: Rows) -> int:
    """Return how many names the header has, as far as these rows tell."""
    return sum(map(bool, rows[_header_row(rows)])) if rows else 0


def mostly_alike(rows: Rows) -> bool:
    """Whether at least half of the rows that hold anything have as many cells as the header."""
    filled = [row for row in rows if any(row)]
    width = len(rows[_header_row(rows)]) if rows else 0
    return sum(len(row) == width for row in filled) >= len(filled) / 2


def is_regular(rows: Rows) -> bool:
    """Whether rows are a table and not prose: below the header nearly all have its length, and values."""
    top = _header_row(rows)
    below = [row for row in rows[top + 1 :] if row and not _is_remark([*row, "", ""][:3])]
    same = [row for row in below if len(row) == len(rows[top]) and any(map(_VALUE.fullmatch, row))]
    return len(rows[top]) > 2 and len(same) >= max(1, _REGULAR * len(below))


def holds_values(row: Sequence[str]) -> bool:
    """Whether a row is one of values, and no second row of a header, where codes of funds may be names."""
    names = [cell for cell in row[1:] if not _CODE.fullmatch(cell)]
    return any(_VALUE.fullmatch(cell) for cell in [row[0], *names])


def unfold(frame: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return a table of two levels of names as a long one: a row for each row and series that has values.

    The series is in the column ``Ticker``, the fields follow in the order of the alphabet, as yfinance has
    them; rows keep the index of the row that they came from.
    """
    fields, series = layout.levels
    first = frame.iloc[:, 0]
    parts = []
    for ticker in dict.fromkeys(series):
        places = [place for place, each in enumerate(series, 1) if each == ticker]
        part = frame.iloc[:, places].set_axis([fields[place - 1] for place in places], axis=1)
        filled = (part.notna() & (part != "")).any(axis=1)
        parts.append(part.assign(Ticker=ticker, **{layout.names[0]: first})[filled])
    long = pd.concat(parts)
    return long[[layout.names[0], *sorted({*fields}), "Ticker"]]


def footer_length(rows: Rows) -> int:
    """Return how many of the last rows of a table are no rows of it: remarks, sources, sums, page numbers."""
    length = 0
    for row in reversed(rows):
        if any(row) and not (_is_remark(row) or _is_sum(row)):
            break
        length += 1
    return length


def _header_row(rows: Rows) -> int:
    if rows and rows[0] and rows[0][0] == _OF_THE_FED[0]:
        return next((place for place, row in enumerate(rows) if row and row[0] == _OF_THE_FED[1]), 0)
    counts = [sum(bool(cell) for cell in row) for row in rows]
    usual = Counter(count for count in counts if count)
    if not usual:
        return 0
    width = max(usual, key=lambda count: (usual[count], count))
    filled = next(place for place, count in enumerate(counts) if count)
    wide = (place for place, count in enumerate(counts) if count >= max(2, _WIDE * width))
    top = next(wide, filled)
    # Merged cells leave most of an upper level empty, and Wind the corner of both.
    for _ in range(_MOST_LEVELS):
        above = (rows[top - 1] if top else []) or [""]
        if above[0].lower() not in {*_LEVELS, ""} or not any(above[1:]):
            break
        top -= 1
    return top


def _depth(rows: Rows, top: int) -> int:
    """Return how many rows the header has: one, unless pandas wrote the levels of its columns."""
    if len(rows) < top + 2 or len(rows[top + 1]) != len(rows[top]):
        return 1
    first, second = rows[top], rows[top + 1]
    if holds_values(second) or not all(second[1:]):
        return 1
    if not (_are_fields(_filled(first[1:])) or _are_fields(_filled(second[1:]))):
        return 1
    third = (rows[top + 2] if len(rows) > top + 2 else []) or [""]
    return 3 if third[0] and not any(third[1:]) and not _VALUE.fullmatch(third[0]) else 2


def _merged(rows: Rows, top: int) -> tuple[str, ...] | None:
    """Return the names of a header with merged cells: 融资 over 融资余额 and others, 代码 over nothing."""
    if len(rows) < top + 3 or len(rows[top]) != len(rows[top + 1]):
        return None
    upper, lower = rows[top], rows[top + 1]
    over_nothing = [bool(above) and not below for above, below in zip(upper, lower, strict=True)]
    below_nothing = [bool(below) and not above for above, below in zip(upper, lower, strict=True)]
    if not (over_nothing[0] and any(below_nothing)) or any(map(_VALUE.fullmatch, filter(None, lower))):
        return None
    return tuple(below or above for above, below in zip(upper, lower, strict=True))


def _refuse_repeated(names: Sequence[str], name: str) -> None:
    repeated = {each for each in names if each and names.count(each) > 1}
    if repeated:
        raise DataError(
            f"`{name}` names a column twice",
            received=", ".join(sorted(repeated)),
            hint="Rename one of them; if there are several header rows, save the table with one.",
        )


def _filled(level: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a level with those repeated that merged cells left empty, without pandas' .1."""
    filled: list[str] = []
    for cell in level:
        filled.append(_SAME_AGAIN.sub("", cell) if cell else filled[-1] if filled else "")
    return tuple(filled)


def _are_fields(level: Sequence[str]) -> bool:
    return bool(level) and all(split_header(cell)[0].lower() in _FIELDS for cell in level)


def _is_remark(row: Sequence[str]) -> bool:
    if len(row) <= 2:
        return False
    noted = _NOTED.match(row[0].lstrip("#*· "))
    return (not any(row[1:]) and _REMARK.search(row[0]) is not None) or (
        noted is not None and row[0].lstrip("#*· ")[noted.end() :].lstrip().startswith((":", "："))
    )


def _is_sum(row: Sequence[str]) -> bool:
    """Whether a row sums up those above: the first word in it says so."""
    return next((cell for cell in row if cell), "").replace(" ", "").strip(":：").lower() in _SUMS
