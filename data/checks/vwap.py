"""VWAP against its bar: units of measure that amounts show, and prices that a vendor adjusted.

amount / (volume x close) is about 1 when both are in plain units. Every other unit of measure moves it by
a power of ten, whatever the provider says; prices that were adjusted move it too, by less.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.checks.reading import TICK, Floats

# Power of ten of amount / (volume x close), and the units of measure of volume and of amount that cause it.
SCALES: dict[int, tuple[str, str]] = {
    4: ("10^4 shares", "yuan"),
    2: ("lots of 100", "yuan"),
    0: ("shares", "yuan"),
    -1: ("lots of 100", "thousand yuan"),
    -2: ("shares that were read as lots", "yuan"),
    -3: ("shares", "thousand yuan"),
    -4: ("shares", "10^4 yuan"),
    -6: ("lots of 100", "10^8 yuan"),
    -8: ("shares", "10^8 yuan"),
}
# Prices adjusted for splits by up to four leave the ratio within this power of ten: plain units.
_PLAIN = 0.65
# A single bar this near to a power of ten, a factor of 1.6, is in those units whatever its month is in.
_CLEAR = 0.2
# Part of the bars of a month, or bars in a row, that must be off to count as adjusted by a vendor.
_ADJUSTED_PART = 0.5
_ADJUSTED_RUN = 5


def against_vwap(bars: pd.DataFrame, months: pd.Series) -> pd.DataFrame:
    """Return the bars that have volume and an amount, with what their VWAP tells.

    ``months`` has a number for each fund's month.

    1. ``ratio``: amount / (volume x close).
    2. ``scale``: the power of ten of the ratio, a key of `SCALES`: that of the median of the fund's month,
       or of the bar itself where it is clear, because a month may change its units in the middle.
    3. ``plain_ratio``: VWAP over close, once both are in plain units.
    4. ``off``: VWAP lies outside low and high, beyond what rounding to ticks and to lots explains.
    5. ``adjusted``: off, as is more than half of the month, or five bars in a row.
    """
    whole = (bars["volume"] > 0) & (bars["amount"] > 0)
    if not whole.all():
        bars, months = bars[whole], months[whole]
    ratio = bars["amount"] / (bars["volume"] * bars["close"])
    logs = np.log10(ratio)
    scale = _nearest_scale(logs.to_numpy(np.float64))
    unclear = np.abs(logs.to_numpy(np.float64) - scale) >= _CLEAR
    if unclear.any():
        others = months.isin(months[unclear].unique())
        typical = logs[others].groupby(months[others]).transform("median").reindex(logs.index)
        scale[unclear] = _nearest_scale(typical.to_numpy(np.float64)[unclear])
    plain_ratio = ratio / 10**scale
    vwap = plain_ratio * bars["close"]
    tolerance = TICK / 2 + vwap * (0.0005 + 50 / bars["volume"])
    off = (vwap < bars["low"] - tolerance) | (vwap > bars["high"] + tolerance)
    adjusted = off
    if off.any():
        part = off.groupby(months).transform("mean")
        run = off.groupby([bars["symbol"], (~off).cumsum()]).transform("sum")
        adjusted = off & ((part > _ADJUSTED_PART) | (run >= _ADJUSTED_RUN))
    return bars.assign(ratio=ratio, scale=scale, plain_ratio=plain_ratio, off=off, adjusted=adjusted)


def _nearest_scale(logs: Floats) -> Floats:
    powers = np.array(sorted(SCALES), dtype=np.float64)
    nearest: Floats = powers[np.searchsorted((powers[1:] + powers[:-1]) / 2, logs)]
    return np.where(np.abs(logs) < _PLAIN, 0.0, nearest)
