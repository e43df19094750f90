"""Text files: CSV and its kin, in the encodings and with the separators that are in use.

All cells come out as text, so that ``000300`` keeps its zeros.
"""

from __future__ import annotations

import csv
import warnings
from io import StringIO
from itertools import islice

import pandas as pd

from data.errors import DataError
from data.importing.contents import nothing_in
from data.importing.layout import (
    LOOKED_AT,
    Layout,
    find_layout,
    footer_length,
    header_width,
    is_regular,
    mostly_alike,
    unfold,
)
from data.importing.sheet import FORMULA, Given, clean

SEPARATORS = (",", "\t", ";", "|")
# A header with more names is a broken file, or one made to fill the memory.
MOST_COLUMNS = 20_000
_WHITESPACE = r"\s+"
# Excel leaves out the last cells of sixteen lines together, where all of these are empty.
_OF_EXCEL = 16


def decode(content: bytes, name: str, encoding: str | None) -> str:
    """Return bytes as text: in the encoding named, else UTF-8 or UTF-16 (with or without mark) or GBK."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    wide = "utf-16-le" if b"\0" in content[1:64:2] else "utf-16-be" if b"\0" in content[:64:2] else None
    guessed = ("utf-16",) if marked else (wide,) if wide else ("utf-8-sig", "gb18030")
    for each in (encoding,) if encoding else guessed:
        try:
            return content.decode(each)
        except (UnicodeError, LookupError, ValueError):
            continue
    raise DataError(
        f"`{name}` is not written in {encoding or 'UTF-8 or GBK'}",
        hint='Save it as UTF-8, or name its encoding in a map file: encoding = "big5".',
    )


def read_text(text: str, name: str, given: Given) -> tuple[pd.DataFrame, str, str]:
    """Return the cells of a text file, its title and what separates the cells.

    DataError if it has rows of different lengths, names a column twice, or ends in the middle of a row; cells
    that Excel leaves out at the ends of lines are empty.
    """
    if not text.strip():
        raise nothing_in(name)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    if "\ufeff" in text:
        # Files that were put behind each other bring their marks along.
        text = text.replace("\ufeff", "")
    head = first_lines(text)
    if given.header is not None:
        separator = given.separator or max(SEPARATORS, key=next(filter(str.strip, head)).count)
        layout = Layout("", 0, tuple(given.header))
    else:
        separator, layout = find_separator(head, given.separator, name)
    count = len(layout.names) + sum(map(len, layout.levels[:1]))
    if count > MOST_COLUMNS:
        raise DataError(f"`{name}` has too many columns", received=count, limit=MOST_COLUMNS)
    frame = _parse(text, separator, layout, name, header=given.header is None)
    _refuse_cut_off(text, separator, frame.shape[1], name)
    if separator != _WHITESPACE and (frame.iloc[:, -1] == "").any():
        _refuse_short_lines(text, separator, layout.skipped, frame.shape[1], name)
    if '="' in text:
        frame = frame.apply(lambda cells: cells.str.replace(FORMULA, r"\1", regex=True))
    if frame.shape[1] > 1 and not layout.levels:
        # Files that were put behind each other bring their headers along.
        again = (frame.iloc[:, 0] == frame.columns[0]) & (frame.iloc[:, 1] == frame.columns[1])
        frame = frame[~again] if again.any() else frame
    last = frame.iloc[-LOOKED_AT:].fillna("").to_numpy(str).tolist()
    frame = frame.iloc[: len(frame) - footer_length(last)]
    return (unfold(frame, layout) if layout.levels else frame), layout.title, separator


def first_lines(text: str) -> list[str]:
    """Return the lines of a text by which its layout is found, which end as those of CSV do."""
    end = 0
    for _ in range(LOOKED_AT):
        end = text.find("\n", end) + 1
        if not end:
            break
    # Not str.splitlines, to which a form feed or a separator of Unicode is an end too.
    return [line.rstrip("\n") for line in StringIO(text[:end] if end else text, newline=None)][:LOOKED_AT]


def find_separator(head: list[str], given: str | None, name: str) -> tuple[str, Layout]:
    """Return the separator that makes the widest header of rows alike, and the layout that comes with it."""
    tried = {each: split_lines(head, each, name) for each in ((given,) if given else SEPARATORS)}
    # Commas within numbers split rows too, and not all in the same way.
    width = {each: header_width(rows) for each, rows in tried.items()}
    separator = max(tried, key=lambda each: (width[each] > 1 and mostly_alike(tried[each]), width[each]))
    if given is None and width[separator] < 2:
        words = [line.split() for line in head]
        if is_regular(words):
            return _WHITESPACE, find_layout(words, name)
    return separator, find_layout(tried[separator], name)


def split_lines(lines: list[str], separator: str, name: str) -> list[list[str]]:
    """Return the cells of lines, cleaned; DataError if a cell has no end."""
    try:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise _uneven(name, str(error)) from None
    return [[clean(cell) for cell in row] for row in rows]


def _parse(text: str, separator: str, layout: Layout, name: str, *, header: bool) -> pd.DataFrame:
    plain = header and not layout.levels and not layout.apart
    columns = range(len(layout.levels[0]) + 1) if layout.levels else layout.names
    names = None if plain else list(columns)
    try:
        with warnings.catch_warnings():
            # Pandas only warns when it drops the end of rows that are longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                StringIO(text),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                header=0 if plain else None,
                names=names,
                skiprows=layout.skipped - plain,
                index_col=False,
                skipinitialspace=True,
            )
    except pd.errors.EmptyDataError:
        raise nothing_in(name) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        longer = "rows that are longer than the header"
        told = str(error).strip().replace("Error tokenizing data. C error: ", "")
        raise _uneven(name, longer if isinstance(error, pd.errors.ParserWarning) else told) from None


def _refuse_cut_off(text: str, separator: str, columns: int, name: str) -> None:
    """Refuse a file whose last line has fewer cells than the line before: a download that broke off."""
    end = len(text.rstrip("\r\n"))
    start = text.rfind("\n", 0, end) + 1
    before = text.rfind("\n", 0, max(start - 1, 0)) + 1
    lines = [text[before:start].strip("\r\n"), text[start:end]]
    if separator == _WHITESPACE or any(line.count('"') % 2 for line in lines):
        return
    before_last, last = split_lines(lines, separator, name)
    if footer_length([last + [""] * (columns - len(last))]):
        return
    if 1 < len(last) < min(len(before_last), columns):
        raise DataError(
            f"`{name}` ends in the middle of a row",
            received=text[start:end][:80],
            hint="It was probably cut off: download it again, or leave the last row out.",
        )


def _refuse_short_lines(text: str, separator: str, skipped: int, columns: int, name: str) -> None:
    """Refuse lines within a file that have fewer cells than others: the cells behind a lost one have moved.

    Fewer than sixteen of them in a row are not Excel's.
    """
    lines = islice(StringIO(text, newline=None), skipped, None)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    short: list[tuple[int, list[str]]] = []
    try:
        for row in filter(None, reader):
            if len(row) < columns and not footer_length([row + [""] * (columns - len(row))]):
                short.append((skipped + reader.line_num, row))
            elif 0 < len(short) < _OF_EXCEL:
                break
            else:
                short = []
        else:
            return
    except csv.Error as error:
        raise _uneven(name, str(error)) from None
    line, row = short[0]
    raise DataError(
        f"`{name}` has lines with fewer cells than others",
        received=f"line {line}: {separator.join(row)[:80]}",
        limit=f"{columns} cells",
        hint=f"Complete it: a cell without a value is written as nothing between two `{separator}`.",
    )


def _uneven(name: str, received: str) -> DataError:
    return DataError(
        f"`{name}` has rows of different lengths",
        received=received,
        hint="Is a line cut off, or a comma inside a name? Put such a name in quotes.",
    )
