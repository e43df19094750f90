"""Tables that a user typed: the cells of a CSV file, and where each row stands."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from data.errors import UsageError
from data.parsing import read_bounded


def number_of(text: str) -> float:
    """Return the number that a cell is; NaN for one that is none, as 1.21_5 is to everybody but Python."""
    try:
        return float("" if "_" in text else text)
    except ValueError:
        return float("nan")


def read_rows(path: Path, what: str) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Return the names of the columns of a CSV file in UTF-8, and its rows: where each stands, and its cells.

    Names are in lower case, cells without space around them; empty lines do not count. UsageError for a file
    that cannot be read (``what`` says what it is), and for a row that is too short.
    """
    try:
        text = StringIO(read_bounded(path).decode("utf-8-sig"), newline="")
        lines = [line for line in csv.reader(text) if any(cell.strip() for cell in line)]
    except OSError as error:
        raise UsageError(f"cannot read the {what} {path}", received=error.strerror) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8", received=error) from None
    except ValueError as error:
        raise UsageError(f"cannot read the {what} {path}", received=error) from None
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    rows = []
    for number, cells in enumerate(lines[1:], start=1):
        where = f"{path}: row {number}"
        if len(cells) < len(header):
            raise UsageError(f"{where} is too short", received=",".join(cells), limit=",".join(header))
        # Of columns with the same name the first counts.
        pairs = reversed([*zip(header, cells, strict=False)])
        rows.append((where, {name: cell.strip() for name, cell in pairs}))
    return header, rows
