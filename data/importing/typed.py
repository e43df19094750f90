"""Typed cells: rows of text read as numbers and days at once, where that provably makes no difference.

To read every cell as text and to look at it with care takes ten times as long as pyarrow takes for numbers
and days. Pyarrow may read a column if every cell of it is

- a number of at most 15 digits, with a point or without: then every parser finds the same float64. Not among
  them are 1e5, nan, inf, -0, 12 with a space, and 0.30000000000000004: ``data.store.cells`` looks at those;
- a day, 2025-08-20;
- or empty.

A column in which any cell is something else stays text. Rows that two parsers could split differently, by
marks within cells, other separators, control signs or their lengths, are left to ``data.importing.text``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from data.importing.text import SEPARATORS

# "text" has few different cells, and comes as categories; "other" is text of any kind.
Cells = Literal["number", "day", "text", "other"]
Signs = NDArray[np.uint8]

_FEW_TEXTS = pa.dictionary(pa.int32(), pa.string())
_AT_ONCE = {"number": pa.float64(), "day": pa.date32(), "text": _FEW_TEXTS, "other": pa.string()}
_AS_TEXT = {"number": pa.string(), "day": _FEW_TEXTS, "text": _FEW_TEXTS, "other": pa.string()}
_PLAIN = r"^(?:-?[0-9]+(?:\.[0-9]*)?)?$"
# With sign and point; so many digits in a row are too many in any case.
_LONGEST, _MOST_DIGITS = 16, 15
# What pyarrow takes in a number, and we do not: 1e5, nan, inf, spaces around.
_NOT_IN_NUMBERS = (b"e", b"E", b"n", b"N", b" ")
# Ends of lines to some readers, in UTF-8.
_LINE_ENDS = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
_SPACE = 32
# Signs that are looked at together: what comes of them stays in the cache, and below what malloc maps anew.
_WINDOW = 120_000


def read_typed(body: bytes, separator: str, columns: Mapping[str, Cells]) -> pd.DataFrame | None:
    """Return the rows of a text that has no header as a frame of these columns; None if it is not regular.

    A column of numbers is float64, and one of days datetime64[us], if all of its cells are plain; else they
    are text as they stand, days and few texts as categories. An empty cell is NaN, NaT or an empty text.
    """
    if not _is_regular(body, separator):
        return None
    rows = None
    if not _has_long_numbers(body):
        rows = _parse(body, separator, {name: _AT_ONCE[each] for name, each in columns.items()})
    if rows is None or not (_only_in_text(rows, body) and _has_no_negative_zero(rows)):
        rows = _parse(body, separator, {name: _AS_TEXT[each] for name, each in columns.items()})
        if rows is None:
            return None
        for place, (name, each) in enumerate(columns.items()):
            if each == "number":
                rows = rows.set_column(place, name, _as_numbers(rows.column(name)))
    texts = [text for column in rows.columns if (text := _texts(column)) is not None]
    if any(_any(pc.starts_with(each, " ")) for each in texts):
        return None
    marks = (separator, '"', "\n", "\r") if b'"' in body else ()
    if any(_any(pc.match_substring(each, mark)) for each in texts for mark in marks):
        return None
    return pd.DataFrame({name: _to_pandas(rows.column(name)) for name in columns}, copy=False)


def count_lines(text: bytes, begin: int) -> int:
    """Return the number of lines of a text from a place on."""
    signs = np.frombuffer(text, np.uint8)
    parts = (signs[start : start + _WINDOW] for start in range(begin, len(signs), _WINDOW))
    return sum(int(np.count_nonzero(part == ord("\n"))) for part in parts)


def _is_regular(body: bytes, separator: str) -> bool:
    """Whether all readers split a text into the same rows, and rows of one length into the same cells."""
    if any(each.encode() in body for each in SEPARATORS if each != separator):
        return False
    if not body.isascii() and (any(each in body for each in _LINE_ENDS) or not _is_utf8(body)):
        return False
    if b"=" in body and b'="' in body:
        return False
    returns = b"\r" in body
    if returns and body.count(b"\r") != body.count(b"\r\n"):
        return False
    quoted = b'"' in body
    return all(_are_regular(signs, ord(separator), returns, quoted) for signs in _windows(body, 2))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _windows(body: bytes, more: int) -> Iterator[Signs]:
    """Yield a text in parts that fit into a cache, each with the last ``more`` signs of the one before."""
    signs = np.frombuffer(body, np.uint8)
    for begin in range(0, len(signs), _WINDOW):
        yield signs[max(begin - more, 0) : begin + _WINDOW]


def _are_regular(signs: Signs, separator: int, returns: bool, quoted: bool) -> bool:
    """Whether no sign is one of control, and each quotation mark either the first or the last of a cell."""
    ends = signs == ord("\n")
    if returns:
        ends |= signs == ord("\r")
    edges = ends | (signs == separator)
    if np.count_nonzero(signs < _SPACE) != np.count_nonzero(edges if separator < _SPACE else ends):
        return False
    if not quoted:
        return True
    marks = signs == ord('"')
    first, last = marks[1:] & edges[:-1], marks[:-1] & edges[1:]
    # Of the first and the last sign of a window one neighbour is not in it.
    return bool(((first[:-1] ^ last[1:]) == marks[1:-1]).all())


def _has_long_numbers(body: bytes) -> bool:
    """Whether anywhere so many digits and points follow each other as in no plain number."""
    for signs in _windows(body, _LONGEST):
        digits = signs - np.uint8(ord(".")) <= ord("9") - ord(".")
        for step in (1, 2, 4, 8):
            digits = digits[:-step] & digits[step:]
        if digits.any():
            return True
    return False


def _parse(body: bytes, separator: str, types: Mapping[str, pa.DataType]) -> pa.Table | None:
    """Return what pyarrow reads; None if a cell is of another type, or a row of another length."""
    try:
        return csv.read_csv(
            pa.BufferReader(body),
            csv.ReadOptions(use_threads=False, block_size=len(body) + 1, column_names=list(types)),
            csv.ParseOptions(delimiter=separator),
            csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None


def _texts(column: pa.ChunkedArray) -> pa.Array | None:
    """Return the texts in a column, each of a few texts once; None if it holds no text."""
    if pa.types.is_dictionary(column.type):
        return column.chunk(0).dictionary if column.num_chunks else None
    return column if pa.types.is_string(column.type) else None


def _any(answers: pa.ChunkedArray | pa.Array) -> bool:
    return bool(pc.any(answers).as_py())


def _only_in_text(rows: pa.Table, body: bytes) -> bool:
    """Whether all signs that have no place in a number stand in columns of text."""
    for sign in _NOT_IN_NUMBERS:
        left = body.count(sign) if sign in body else 0
        for column in rows.columns if left else ():
            texts = _texts(column)
            if texts is not None:
                counts = pc.count_substring(texts, sign.decode()).to_numpy(zero_copy_only=False)
                if pa.types.is_dictionary(column.type):
                    counts = counts[column.chunk(0).indices.to_numpy()]
                left -= int(counts.sum())
        if left:
            return False
    return True


def _has_no_negative_zero(rows: pa.Table) -> bool:
    """Whether no number is -0: a column of whole numbers has none."""
    for column in rows.columns:
        if pa.types.is_floating(column.type):
            numbers = _to_pandas(column)
            if np.signbit(numbers).any() and (np.signbit(numbers) & (numbers == 0)).any():
                return False
    return True


def _as_numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as numbers if all of them are plain, else as they are."""
    digits = pc.binary_length(texts)
    if not pc.all(pc.match_substring_regex(texts, _PLAIN)).as_py() or pc.max(digits).as_py() > _LONGEST:
        return texts
    points = pc.match_substring(texts, ".")
    if _any(pc.and_(pc.equal(digits, _LONGEST), pc.invert(points))) or _any(
        pc.match_substring_regex(texts, "^-[0.]*$")
    ):
        return texts
    return pc.if_else(pc.equal(digits, 0), None, texts).cast(pa.float64())


def _to_pandas(column: pa.ChunkedArray) -> NDArray[np.generic] | pd.Categorical | pd.Series:
    if pa.types.is_dictionary(column.type):
        if not column.num_chunks:
            return pd.Categorical([])
        chunk = column.chunk(0)
        texts = pd.Index(chunk.dictionary.to_pandas(), dtype="str")
        return pd.Categorical.from_codes(chunk.indices.to_numpy(), texts)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    elif pa.types.is_string(column.type):
        texts_as_they_are: pd.Series = column.to_pandas().astype("str")
        return texts_as_they_are
    found: NDArray[np.generic] = column.to_numpy()
    return found
