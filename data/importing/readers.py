"""Readers: the cells of a file as they stand, whatever the format, with row 0 the first row of data.

Text files come out as text, so that ``000300`` keeps its zeros; JSON and Parquet keep the types they have.
What the columns mean is the business of ``data.importing.maps``.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import warnings
import zlib
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import DataError

SUFFIXES = {
    ".csv": "text",
    ".tsv": "text",
    ".tab": "text",
    ".txt": "text",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
SEPARATORS = (",", "\t", ";", "|")
# Where the rows are, in the answers of the vendors' web pages.
_WRAPPERS = ("data", "result", "records", "items", "rows")
# What pandas calls a column whose name is empty.
_NAMELESS = re.compile(r"Unnamed: \d+")
_KLINE = ("日期", "开盘", "收盘", "最高", "最低", "成交量", "成交额", "振幅", "涨跌幅", "涨跌额", "换手率")


class NoTable(DataError):
    """A file that can be read, but holds no rows and columns."""


def format_of(path: Path) -> str | None:
    """Return ``text``, ``json`` or ``parquet``; None for a file that we do not read."""
    return SUFFIXES.get(Path(_without_gzip(path.name)).suffix.lower())


def stem_of(path: Path) -> str:
    """Return the name of a file without ``.csv``, ``.csv.gz`` and so on."""
    return Path(_without_gzip(path.name)).stem


def read_cells(
    path: Path,
    *,
    header: Sequence[str] | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Return the cells of a file, one column per name in the file, rows counted from 0.

    ``header`` names the columns of a text file that has no header. The separator is guessed from the first
    line, the encoding is UTF-8 (with or without byte order mark) or else GBK. DataError if the file is
    empty, truncated, unreadable, or has rows of different lengths.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read `{path}`", received=error.strerror or str(error)) from None
    if path.suffix.lower() == ".gz":
        content = _unpack(content, path)
    if not content.strip():
        raise DataError(f"`{path.name}` is empty", hint="Save or download it again, or leave it out.")
    kind = format_of(path)
    if kind == "parquet":
        frame = _read_parquet(content, path)
    elif kind == "json":
        frame = _read_json(_decode(content, path, encoding), path)
    else:
        frame = _read_text(_decode(content, path, encoding), path, header, separator)
    frame.columns = [_clean(name) for name in frame.columns]
    return frame


def _without_gzip(name: str) -> str:
    return name[:-3] if name.lower().endswith(".gz") else name


def _clean(name: object) -> str:
    text = str(name).replace("\ufeff", "").replace("\xa0", " ").replace("\u3000", " ").strip()
    return "" if _NAMELESS.fullmatch(text) else text


def _unpack(content: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"`{path.name}` is not a whole gzip file",
            received=f"{len(content)} bytes: {error}",
            hint="It was probably cut off: download it again.",
        ) from None


def _decode(content: bytes, path: Path, encoding: str | None) -> str:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    tried = (encoding,) if encoding else ("utf-16",) if marked else ("utf-8-sig", "gb18030")
    for each in tried:
        try:
            return content.decode(each)
        except UnicodeDecodeError:
            continue
        except LookupError:
            break
    raise DataError(
        f"`{path.name}` is not written in {encoding or 'UTF-8 or GBK'}",
        hint='Save it as UTF-8, or name its encoding in a map file: encoding = "big5".',
    )


def _read_text(text: str, path: Path, header: Sequence[str] | None, separator: str | None) -> pd.DataFrame:
    first = text.lstrip().splitlines()[0]
    separator = separator or max(SEPARATORS, key=first.count)
    names = [_clean(name) for name in next(csv.reader([first], delimiter=separator))]
    repeated = {name for name in names if name and names.count(name) > 1}
    if header is None and repeated:
        raise DataError(
            f"`{path.name}` names a column twice",
            received=", ".join(sorted(repeated)),
            hint="Rename one of them.",
        )
    try:
        with warnings.catch_warnings():
            # Pandas only warns when it drops the end of rows that are longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                StringIO(text),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                header=0 if header is None else None,
                names=None if header is None else list(header),
                index_col=False,
                skipinitialspace=True,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        longer = "rows that are longer than the header"
        told = str(error).strip().replace("Error tokenizing data. C error: ", "")
        raise DataError(
            f"`{path.name}` has rows of different lengths",
            received=longer if isinstance(error, pd.errors.ParserWarning) else told,
            hint="Is a line cut off, or a comma inside a name? Put such a name in quotes.",
        ) from None


def _read_parquet(content: bytes, path: Path) -> pd.DataFrame:
    try:
        rows = pq.read_table(pa.BufferReader(content))
        rows.validate(full=True)
        frame: pd.DataFrame = rows.to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"`{path.name}` is not a whole Parquet file",
            received=str(error).splitlines()[0],
            hint="It was probably cut off: save or download it again.",
        ) from None
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _read_json(text: str, path: Path) -> pd.DataFrame:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"`{path.name}` is not JSON",
            received=str(error),
            hint="It was probably cut off: download it again.",
        ) from None
    records = _records(found, path)
    if not all(isinstance(record, dict) for record in records):
        raise _no_records(path, "rows that do not name their columns")
    # As objects, so that a code of digits does not become a float next to an empty one.
    return pd.DataFrame(records, dtype=object)


def _records(found: Any, path: Path) -> list[Any]:
    """Find the rows: a list, or the answer of a web page that wraps one."""
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        raise _no_records(path, type(found).__name__)
    if "data" in found and found["data"] is None:
        raise DataError(
            f"`{path.name}` is an answer without data",
            received='"data": null',
            hint="East Money answers so for a code that it does not know, or on the wrong exchange.",
        )
    if "klines" in found:
        return [_kline(line, found.get("code"), path) for line in found["klines"]]
    if "fields" in found and "items" in found:
        return [dict(zip(found["fields"], item, strict=True)) for item in found["items"]]
    inner = [name for name in _WRAPPERS if isinstance(found.get(name), list | dict)]
    if len(inner) == 1:
        return _records(found[inner[0]], path)
    raise _no_records(path, "an object with " + (", ".join(map(str, found)) or "nothing in it"))


def _kline(line: str, code: object, path: Path) -> dict[str, object]:
    cells = line.split(",")
    if len(cells) != len(_KLINE):
        raise DataError(
            f"`{path.name}`: a kline has {len(cells)} fields",
            received=line,
            limit=", ".join(_KLINE),
            hint="Ask for the fields f51 to f61.",
        )
    return {**dict(zip(_KLINE, cells, strict=True)), "代码": code}


def _no_records(path: Path, received: str) -> NoTable:
    return NoTable(
        f"`{path.name}` holds no table",
        received=received,
        limit="a list of records, or an answer of East Money or Tushare",
        hint="Save the table as CSV.",
    )
