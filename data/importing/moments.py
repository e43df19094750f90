"""Moments: times that vendors write in UTC, or count since 1970, as local times of the market.

Midnight in Shanghai is 16:00 of the day before in UTC: ``2025-08-19 16:00:00+00:00``, or 1755619200000
milliseconds since 1970, is 2025-08-20. Midnight in UTC itself is no moment, but a day: pandas, Tiingo and
others write one that way. What has another offset (``2025-08-20T15:00:00+08:00``) is local as it stands.
"""

from __future__ import annotations

import pandas as pd

from data.facts.symbols import ZONES, market_of

# Digits of a count of seconds since 1970, of thousandths, millionths and billionths; it begins with 19 from
# 2030 on, as a day and an hour may, 1999123115.
_DIGITS = (10, 13, 16, 19)
_COUNT = r"1[0-8]\d{8}(?:\d{3}){0,3}"
_UTC = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:?00)"


def as_local(values: pd.Series, symbols: pd.Series) -> pd.Series:
    """Return a column of days with its moments as local times of each row's market, as text; others stay."""
    if pd.api.types.is_datetime64_any_dtype(values) or symbols.isna().any():
        return values
    if not _text(values.drop_duplicates()).str.fullmatch(f"{_COUNT}|{_UTC}").any():
        return values
    text, local = _text(values), values.astype(object)
    counted, written = text.str.fullmatch(_COUNT), text.str.fullmatch(_UTC)
    moments = pd.concat([_since_1970(text[counted]), _in_utc(text[written])])
    zones = symbols[moments.index].astype("str").map(lambda symbol: ZONES[market_of(symbol)])
    zones = zones.where(moments.dt.normalize() != moments, "UTC")
    for zone, here in moments.groupby(zones):
        local[here.index] = here.dt.tz_convert(str(zone)).dt.strftime("%Y-%m-%d %H:%M:%S")
    return local


def _text(values: pd.Series) -> pd.Series:
    text: pd.Series = values.astype("str").str.strip().str.replace(r"\.0+$", "", regex=True)
    return text


def _since_1970(text: pd.Series) -> pd.Series:
    scale = text.str.len().map({digits: 10 ** (19 - digits) for digits in _DIGITS})
    return pd.to_datetime(text.astype("int64") * scale.astype("int64"), unit="ns", utc=True)


def _in_utc(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="ISO8601", utc=True)
