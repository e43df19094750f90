"""Periods of macro series as they are written: months, quarters and years, each of which is its last day.

``2025-07``, ``202507``, ``2025.07``, ``2025年7月份``; ``2025Q2``, ``2025年第2季度``, ``2025年第1-2季度``;
``2025年``. A day stays as it is. ``2025.1`` may be October that lost its zero, and stays to be refused.
"""

from __future__ import annotations

import re

import pandas as pd

from data.store.cells import is_text, plain

_MONTH = re.compile(r"(\d{4})(?:(?:[-/]|年)(\d{1,2})(?:月份?)?|\.(\d\d|[2-9])|(0[1-9]|1[0-2]))")
_QUARTER = re.compile(r"(\d{4})[-/. ]?Q([1-4])|(\d{4})年?第?(?:1-)?([1-4])季度?")
_YEAR = re.compile(r"(\d{4})年?")


def period_ends(values: pd.Series) -> pd.Series:
    """Return a column of periods with those that are written as such as the last day, as text."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    text = values.astype("str").str.removesuffix(".0") if not is_text(values) else values.astype("str")
    codes, distinct = pd.factorize(text.str.strip())
    ends = pd.Series([_end(plain(str(each))) or each for each in distinct], dtype="str")
    return pd.Series(ends.reindex(codes).to_numpy(), index=values.index).where(values.notna())


def _end(text: str) -> str | None:
    """Return the last day of the period that a text names, None if it names none."""
    if match := _QUARTER.fullmatch(text.upper()):
        year, month = match[1] or match[3], 3 * int(match[2] or match[4])
    elif match := _MONTH.fullmatch(text):
        year, month = match[1], int(match[2] or match[3] or match[4])
    elif match := _YEAR.fullmatch(text):
        year, month = match[1], 12
    else:
        return None
    if not (1 <= month <= 12 and int(year)):  # there is no year 0
        return None
    return f"{pd.Period(year=int(year), month=month, freq='M').end_time:%Y-%m-%d}"
