"""Cells: numbers and days out of what vendors write.

Both readers take a whole column and return it typed, together with a mask of the cells that cannot be read.
An empty cell (also ``-``, ``nan``, ``null``) is read as missing, and is not wrong.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

DATES = "2025-08-20, 20250820, 2025/8/20 or an Excel serial number"
TIMES = "2025-08-20 21:30 in the market's local time, without an offset"

_EMPTY = ("", "nan", "none", "null", "nat", "<na>", "-", "--", "---")
_DAY_MILLISECONDS = 86_400_000
_WRITTEN = (
    r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)?)?$"
)


def is_text(values: pd.Series) -> bool:
    """Whether a column holds text, or objects of any kind."""
    return values.dtype == object or isinstance(values.dtype, pd.StringDtype)


def blank(values: pd.Series) -> pd.Series:
    """Which cells say that there is no value."""
    if not is_text(values):
        return values.isna()
    return values.isna() | values.astype("str").str.strip().str.lower().isin(_EMPTY)


def read_numbers(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return a column as float64 (thousands separators allowed), and which cells are no finite numbers.

    A column of dates or of booleans has no numbers in it: all of its cells are wrong.
    """
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_bool_dtype(values):
        numbers = pd.Series(np.nan, index=values.index)
    else:
        numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = numbers.isna()
    if wrong.any():
        wrong &= ~blank(values)
    if wrong.any() and is_text(values):
        plain = values[wrong].astype("str").str.strip().str.replace(",", "")
        numbers[wrong] = pd.to_numeric(plain, errors="coerce").astype("float64")
        wrong &= numbers.isna()
    return numbers, wrong | np.isinf(numbers)


def read_days(
    values: pd.Series, *, keep_time: bool = False, written_as: str | None = None
) -> tuple[pd.Series, pd.Series]:
    """Return a column as datetime64[us], and which cells cannot be read; see DATES and TIMES.

    With ``written_as`` (a ``strptime`` format) no other way of writing is accepted. A day that carries an
    offset from UTC is the day as written; one in the afternoon of UTC is refused, because it is the next day
    in China. With ``keep_time`` an offset is refused: nothing here knows the market that the row belongs to.
    """
    if pd.api.types.is_datetime64_dtype(values):
        days = values.astype("datetime64[us]")
    else:
        codes, distinct = pd.factorize(values.astype("str").str.strip().where(values.notna()))
        text = pd.Series(distinct, dtype="str")
        if written_as is None:
            parsed = _parse(text, keep_time)
        else:
            parsed = pd.to_datetime(text, format=written_as, errors="coerce").astype("datetime64[us]")
        days = parsed.reindex(codes)
        days.index = values.index
    wrong = days.isna() & ~blank(values)
    return (days if keep_time else days.dt.normalize()), wrong


def _parse(text: pd.Series, keep_time: bool) -> pd.Series:
    days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype("datetime64[us]")
    unread = days.isna() & text.notna()
    if unread.any():
        days[unread] = _parse_others(text[unread], keep_time)
    return days


def _parse_others(text: pd.Series, keep_time: bool) -> pd.Series:
    text = text.str.replace(r"\.0+$", "", regex=True)
    days = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    compact = text.str.fullmatch(r"\d{8}")
    days[compact] = pd.to_datetime(text[compact], format="%Y%m%d", errors="coerce")
    # Excel counts days from 1899-12-30 (its 1900 is wrongly a leap year).
    serial = text.str.fullmatch(r"\d{5}(\.\d+)?")
    days[serial] = pd.Timestamp("1899-12-30") + pd.to_timedelta(pd.to_numeric(text[serial]), unit="D")
    # Pandas writes a date to JSON as milliseconds since 1970; at another hour than 0 it is a time elsewhere.
    epoch = text.str.fullmatch(r"\d{12,13}")
    since = pd.to_numeric(text[epoch]).astype("int64")
    days[epoch] = pd.to_datetime(since.where(since % _DAY_MILLISECONDS == 0), unit="ms")
    other = ~compact & ~serial & ~epoch
    days[other] = _parse_written(text[other], keep_time)
    return days


def _parse_written(text: pd.Series, keep_time: bool) -> pd.Series:
    part = text.str.extract(_WRITTEN)
    universal = part["offset"].isin(["Z", "+00:00", "+0000"])
    afternoon = pd.to_numeric(part["hour"]) >= 12
    refused = part["offset"].notna() if keep_time else universal & afternoon
    iso = part["year"] + "-" + part["month"].str.zfill(2) + "-" + part["day"].str.zfill(2)
    clock = " " + part["hour"].str.zfill(2) + ":" + part["minute"] + ":" + part["second"].fillna("00")
    return pd.to_datetime((iso + clock.fillna("")).mask(refused), format="ISO8601", errors="coerce")
