"""Moments: times that vendors write with an offset, or count since 1970, as local times of the market.

Midnight in Shanghai is 16:00 of the day before in UTC: ``2025-08-19 16:00:00+00:00``, or 1755619200000
milliseconds since 1970, is 2025-08-20. Midnight in UTC itself is no moment, but a day: pandas, Tiingo and
others write one that way, and so is midnight in any other zone. A time with another offset is a moment too:
New York's close is ``2025-08-21 04:00:00+08:00`` in Shanghai, and is of the 20th. 16:00 of a Chinese fund
without an offset may be either, ``2025-08-20`` or the day before, and is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.errors import DataError
from data.facts.symbols import ZONES, market_of
from data.store.cells import are_midnights

# Digits of a count of seconds since 1970, of thousandths, millionths and billionths; it begins with 19 from
# 2030 on, as a day and an hour may, 1999123115.
_DIGITS = (10, 13, 16, 19)
_COUNT = r"1[0-8]\d{8}(?:\d{3}){0,3}"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
# Midnight is a day as it is written, in whatever zone.
_MOMENT = (
    rf"\d{{4}}-\d\d-\d\d[ T](?!00:00(?::00(?:\.0+)?)?{_OFFSET})"
    rf"\d\d:\d\d(?::\d\d(?:\.\d+)?)?{_OFFSET}"
)
_FOUR = r"\d{4}[-/.]?\d\d?[-/.]?\d\d?[ T]16:00(?::00(?:\.0+)?)?"


def as_local(values: pd.Series, symbols: pd.Series, what: str) -> pd.Series:
    """Return a column of days with its moments as local times of each row's market, as text; others stay.

    DataError, in which the column is called ``what``, if a Chinese fund has 16:00 without an offset.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        # Of Parquet; as text a time has its offset.
        values = values.astype("str").where(values.notna())
    _refuse_four_o_clock(values, symbols, what)
    if pd.api.types.is_datetime64_any_dtype(values) or symbols.isna().any():
        return values
    if not _text(values.drop_duplicates()).str.fullmatch(f"{_COUNT}|{_MOMENT}").any():
        return values
    text, local = _text(values), values.astype(object)
    counted, written = text.str.fullmatch(_COUNT), text.str.fullmatch(_MOMENT)
    moments = pd.concat([_since_1970(text[counted]), _with_offset(text[written])])
    zones = symbols[moments.index].astype("str").map(lambda symbol: ZONES[market_of(symbol)])
    # A count of midnight in UTC is a day, too.
    zones = zones.where((moments.dt.normalize() != moments) | written[moments.index], "UTC")
    for zone, here in moments.groupby(zones):
        local[here.index] = here.dt.tz_convert(str(zone)).dt.strftime("%Y-%m-%d %H:%M:%S")
    return local


def _refuse_four_o_clock(values: pd.Series, symbols: pd.Series, what: str) -> None:
    """Refuse what pandas makes of midnight in Shanghai if it is told that milliseconds are in no zone."""
    if not _at_four(values.drop_duplicates() if values.dtype.kind != "M" else values).any():
        return
    here = values[_at_four(values)]
    of_market = symbols[here.index].dropna().astype("str").map(market_of)
    here = here[of_market.index[of_market == "cn_etf"]]
    if len(here):
        raise DataError(
            f"{what} in row {here.index[0] + 1} is 16:00 without an offset",
            received=str(here.iloc[0]),
            limit="days, or times with their offset: 16:00 in UTC is midnight of the next day in Shanghai",
            hint="Write the days alone, or 2025-08-19 16:00:00+00:00 if the times are in UTC.",
        )


def _at_four(values: pd.Series) -> pd.Series:
    if not pd.api.types.is_datetime64_any_dtype(values):
        return values.astype("str").str.strip().str.fullmatch(_FOUR).fillna(False).astype(bool)
    if not pd.api.types.is_datetime64_dtype(values) or are_midnights(values.to_numpy("datetime64[us]")):
        return pd.Series(False, index=values.index)
    at_four: pd.Series = values - values.dt.normalize() == np.timedelta64(16, "h")
    return at_four


def _text(values: pd.Series) -> pd.Series:
    text: pd.Series = values.astype("str").str.strip().str.replace(r"\.0+$", "", regex=True)
    return text


def _since_1970(text: pd.Series) -> pd.Series:
    scale = text.str.len().map({digits: 10 ** (19 - digits) for digits in _DIGITS})
    return pd.to_datetime(text.astype("int64") * scale.astype("int64"), unit="ns", utc=True)


def _with_offset(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="ISO8601", utc=True)
