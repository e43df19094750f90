"""Columns of numbers: read as a file writes them, and brought to shares, money and fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.errors import DataError
from data.importing.headers import Headers, Unit, kind_of, unit_above
from data.importing.maps import TableMap
from data.importing.measures import Measure, parse_measure
from data.store.cells import (
    BARE,
    MAGNITUDE,
    PERCENT,
    UNIT,
    are_numbers,
    blank,
    is_text,
    magnitudes,
    read_measured,
)
from data.store.schema import Column

# The largest unit of measure that is no magnitude.
_LOTS = 100
# Prices of funds, and ratios, stay below a thousand, so that a group of thousands may be a decimal comma.
_ONE_COMMA = r"[+-]?\d{1,3},\d{3}"
# What shows that commas group thousands.
_GROUPS = r"^\s*[+-]?\d{1,3}(?:,\d{3})+(?:,\d{3}|\.\d+)\s*$"
# Groups of thousands as they are where the comma is the decimal mark.
_POINTS = r"[+-]?\d{1,3}(?:\.\d{3}){2,}"


class Measures:
    """The unit of measure of each column of a table in a file.

    That of a user's own map counts, then the header's own, then that of the title, if it is of the right
    kind, then that of a ready map. A header that a map names with the brackets on has the map's. DataError
    for one that cannot be. ``told`` is where the file says something else than the user's map.
    """

    def __init__(self, part: TableMap, headers: Headers, title: str, origin: str) -> None:
        self._part, self._headers, self._origin = part, headers, origin
        self._title = title
        self.told: list[str] = []

    def of(self, column: Column) -> Measure | None:
        """Return the unit of measure of one of our columns, None if the numbers are in ours."""
        given = self._part.measures.get(column.name)
        name = self._part.column_in(column.name, self._headers)
        if name is None:
            return given
        header = self._headers.column(name)
        own = self._headers.units.get(header)
        if own is not None and given is not None and name == header:
            return given
        where = f"the header {header}"
        if own is not None:
            self._check(own, column, header)
        else:
            where, own = "a line above the header", unit_above(self._title, column)
            if own is None or (own.kind == "any" and given is not None):
                return given
        named = parse_measure(own.measure, header)
        # A discount in percent is in percent, and still a discount.
        if given is not None and abs(given.last) == named.last:
            return given
        if given is None or column.name not in self._part.insists:
            return named
        self.told.append(
            f"{where} says that `{column.name}` is in {own.measure}; your map says otherwise, and counts"
        )
        return given

    def _check(self, own: Unit, column: Column, header: str) -> None:
        kind = kind_of(column)
        if kind != "any" and own.kind not in ("any", kind):
            raise DataError(
                f"{self._origin}: `{column.name}` is a {kind}, and its header says something else",
                received=header,
                hint="Say in a map file (--map) which column it is. If it is this one, name it there as it "
                "stands, brackets and all, and its unit of measure.",
            )


def read_column(
    values: pd.Series,
    column: Column,
    part: TableMap,
    measure: Measure | None,
    days: pd.Series | None,
    origin: str,
) -> pd.Series:
    """Return a column of a file as numbers in our units of measure.

    Cells that bring their own magnitude or unit (12.3亿, 15.89%) are scaled by it. What is no number goes on
    as it stands, for the table to refuse, but a comma that groups no thousands is refused here.
    """
    if measure is None and column.name not in part.named_measures and are_numbers(values):
        return values
    read = read_measured(values, part.decimal)
    numbers, wrong = read.numbers, read.wrong
    if column.scale != "ratio":
        wrong = wrong | (read.own == PERCENT)
    if values.dtype == object:
        _refuse_lists(values, wrong, column, origin)
    if is_text(values):
        _refuse_commas(values, numbers, wrong, column, part, origin)
    if measure is None and column.name in part.named_measures:
        _refuse_bare(values, read.own == BARE, column, origin)
    if measure is not None:
        scaled = measure.scale(numbers, days)
        if (read.own != BARE).any():
            _refuse_both(values[read.own == MAGNITUDE], measure, column, origin)
            named = measure.without_magnitude.scale(numbers, days)
            percent = measure.scale(numbers * 100 if measure.of_percent else numbers, days)
            scaled = scaled.mask(read.own == MAGNITUDE, named).mask(read.own == UNIT, numbers)
            scaled = scaled.mask(read.own == PERCENT, percent)
        numbers = scaled
    return numbers.astype(object).where(~wrong, values) if wrong.any() else numbers


def refuse_riddles(cells: pd.DataFrame, origin: str) -> None:
    """Refuse 1,234 in a file whose cells ``;`` separates, as they are where the comma is the decimal mark.

    Unless another number shows that commas group thousands: 1,234,567 or 1,234.5.
    """
    for name in cells.columns:
        text = cells[name].astype("str").str.strip()
        riddles = text[text.str.fullmatch(_ONE_COMMA)]
        if len(riddles) and not any(cells[each].astype("str").str.contains(_GROUPS).any() for each in cells):
            raise DataError(
                f"{origin}: `{name}` in row {riddles.index[0] + 1} has a comma that may be the decimal mark",
                received=repr(riddles.iloc[0]),
                limit="cells are separated by `;`, as they are where the comma is the decimal mark",
                hint='If it is, say so in a map file (--map): decimal = ",". If not, leave the comma out.',
            )


def _refuse_lists(values: pd.Series, wrong: pd.Series, column: Column, origin: str) -> None:
    """Refuse a list or an object, as JSON and Parquet may have them in a cell."""
    for place in np.flatnonzero(wrong).tolist():
        cell = values.iloc[place]
        if isinstance(cell, list | dict | np.ndarray):
            raise DataError(
                f"{origin}: `{column.name}` in row {values.index[place] + 1} is a list, and no number",
                received=str(cell)[:80],
                limit="one number in a cell",
                hint="Write a row for each of its values.",
            )


def _refuse_commas(
    values: pd.Series, numbers: pd.Series, wrong: pd.Series, column: Column, part: TableMap, origin: str
) -> None:
    """Refuse a comma that groups no thousands, or that would make a price or a ratio of a thousand."""
    suspicious = wrong
    if part.decimal == "." and column.scale in ("price", "ratio"):
        suspicious = wrong | ((numbers >= 1000) & (numbers % 1 == 0))
    if not suspicious.any():
        return
    text = values[suspicious].astype("str").str.strip()
    marks = text.str.contains(",") | text.str.fullmatch(_POINTS)
    commas = text[wrong[suspicious] & marks | text.str.fullmatch(_ONE_COMMA)]
    if commas.empty:
        return
    other, row = ("." if part.decimal == "," else ","), commas.index[0] + 1
    what = "a comma that is not a" if "," in commas.iloc[0] else "points that are not a"
    raise DataError(
        f"{origin}: `{column.name}` in row {row} has {what} thousands separator",
        received=repr(commas.iloc[0]),
        limit=f"the decimal mark is `{part.decimal}`, and groups of thousands have three digits",
        hint=f'If the decimal mark is `{other}`, say so in a map file (--map): decimal = "{other}".',
    )


def _refuse_bare(values: pd.Series, bare: pd.Series, column: Column, origin: str) -> None:
    """Refuse numbers of which neither file nor map says in which unit of measure they are."""
    untold = values[bare & ~blank(values)]
    if len(untold):
        row = untold.index[0] + 1
        raise DataError(
            f"{origin}: nothing says in which unit of measure `{column.name}` in row {row} is",
            received=str(untold.iloc[0]),
            limit="a unit in the header, such as 份额(万份), or in the cell, such as 12.3亿份",
            hint=f'Write it into the header, or a map file (--map): measures = {{ {column.name} = "10^4" }}.',
        )


def _refuse_both(values: pd.Series, measure: Measure, column: Column, origin: str) -> None:
    """Refuse 39.7万 in a column of 10^4: it is 397,000, or 10^4 times as much. 39.7亿 can only be itself."""
    if values.empty or measure.last <= _LOTS:
        return
    doubtful = values[magnitudes(values) <= float(measure.last)]
    if len(doubtful):
        row = doubtful.index[0] + 1
        raise DataError(
            f"{origin}: `{column.name}` in row {row} names a magnitude, and so does its column",
            received=str(doubtful.iloc[0]),
            hint="Name it in the header or in the cells, not in both.",
        )
