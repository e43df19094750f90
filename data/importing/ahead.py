"""Rows that the clock says cannot be whole: of a session that is not over, or of days to come."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.symbols import ZONES, market_of, market_of_index

Bools = NDArray[np.bool_]

# What is of a day only when the day is over; counts of units are told ahead by some issuers.
_MEASURED = ("bars", "index_bars", "nav", "margin", "premium", "fx")
_TRADED = ("bars", "index_bars")
# When closing prices are known, a little after the close itself.
_CLOSED = {"cn_etf": time(15, 2), "us_etf": time(16, 2)}


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def without_running(name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table without bars of a session that is not over; notes tell of them, and of days to come.

    A bar of the day, saved at noon, has the volume of a morning and the price of a moment.
    """
    if name not in _MEASURED or frame.empty:
        return frame, ()
    moment, latest = now(), frame["day"].max()
    if latest < pd.Timestamp(moment.date()) - np.timedelta64(1, "D"):
        return frame, ()
    notes = []
    if name in _TRADED:
        running = _running(frame, moment)
        if running.any():
            frame = frame[~running]
            notes.append(f"of a session that is not over, and left out: {_counted(running)}")
    # Where it is latest, on Kiritimati, the day is this one.
    ahead = (frame["day"] > moment.astimezone(ZoneInfo("Pacific/Kiritimati")).replace(tzinfo=None)).to_numpy()
    if ahead.any():
        last = f"{frame['day'].max():%Y-%m-%d}"
        notes.append(f"dated after today, up to {last}: {_counted(ahead)}; are days and months exchanged?")
    return frame, tuple(notes)


def _running(frame: pd.DataFrame, moment: datetime) -> Bools:
    """Whether the session of each row goes on, or is to begin, on the day that it is in its market."""
    key, market_of_each = ("index", market_of_index) if "index" in frame else ("symbol", market_of)
    running = np.zeros(len(frame), dtype=bool)
    for market, closed in _CLOSED.items():
        local = moment.astimezone(ZoneInfo(ZONES[market]))
        today = (frame["day"] == pd.Timestamp(local.date())).to_numpy()
        if local.time() < closed and today.any():
            here = frame.loc[today, key].map(lambda each: market_of_each(str(each))) == market
            running[today] |= here.to_numpy()
    return running


def _counted(rows: Bools) -> str:
    return f"{rows.sum()} row{'' if rows.sum() == 1 else 's'}"
