"""Rows ahead of the clock: bars and levels of a session that is not over, and whatever is of days to come.

The clock looks when files are read, alone or together (``data.importing.plain``): what it leaves out of one
file is nothing that the others need to be read again for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.calendars import calendar_for, closing_time
from data.facts.symbols import ZONES, market_of, sure_market_of_index
from data.importing.one_file import Found, Imported
from data.words import count

Bools = NDArray[np.bool_]

# What is of a day only when the day is over; counts of units are told ahead by some issuers.
_MEASURED = ("bars", "index_bars", "index_weights", "nav", "margin", "premium", "fx")
_TRADED = ("bars", "index_bars")
# When a session is over, but for half days: these are asked for from the second time on.
_CLOSES = {"cn_etf": time(15), "us_etf": time(16)}
_HALF_DAYS = {"us_etf": time(13)}
# Closing prices are known a little after the close.
_LITTLE = timedelta(minutes=2)
# Where a day begins first, for what may be of any market.
_FIRST = "Pacific/Kiritimati"


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def without_running(found: Found) -> Found:
    """Return what was found without bars and levels of sessions that are not over, which notes tell of.

    A bar of the day, saved at noon, has the volume of a morning and the price of a moment. Other rows of
    days to come stay, and are told of.
    """
    table, moment = found.files[0].table, now()
    last = max((each.last_day for each in found.files if each.last_day), default=date.min)
    if table not in _MEASURED or last < moment.date() - timedelta(days=1):
        return found
    clocks = [_by_the_clock(frame, table, moment) for frame in found.frames]
    running, ahead = (np.concatenate(each) for each in zip(*clocks, strict=True))
    if not (running.any() or ahead.any()):
        return found
    out = running | ahead if table in _TRADED else running
    rows = [each.rows for each in found.files]
    numbers = np.repeat(np.arange(len(rows)), rows)
    numbers = numbers if found.places is None or len(rows) == 1 else numbers[found.places]
    days = np.concatenate([frame["day"].to_numpy("datetime64[D]") for frame in found.frames])
    files = list(found.files)
    for number in np.unique(numbers[running | ahead]):
        here = numbers == number
        files[number] = _told(files[number], days[here], running[here], ahead[here], out[here])
    ends = np.cumsum([len(frame) for frame in found.frames])[:-1]
    frames = [frame[~gone] for frame, gone in zip(found.frames, np.split(out, ends), strict=True)]
    places = found.places
    if places is not None and out.any():
        # The places among the rows that stay.
        places = np.argsort(np.argsort(places[~out]))
    return replace(found, files=tuple(files), frames=tuple(frames), places=places)


def _told(told: Imported, days: NDArray[np.datetime64], running: Bools, ahead: Bools, out: Bools) -> Imported:
    """Return what is told of a file, some rows of which are running, ahead, and left out."""
    notes = []
    if running.any():
        notes.append(f"of a session that is not over, and left out: {count(running.sum(), 'row')}")
    if ahead.any():
        gone = ", and left out" if out[ahead].all() else ""
        notes.append(
            f"dated after today, up to {days.max()}{gone}: {count(ahead.sum(), 'row')}; "
            "are days and months exchanged?"
        )
    stay = days[~out]
    return replace(
        told,
        rows=len(stay),
        left_out=told.left_out + int(out.sum()),
        first_day=stay.min().item() if len(stay) else None,
        last_day=stay.max().item() if len(stay) else None,
        notes=(*told.notes, *notes),
    )


def _by_the_clock(frame: pd.DataFrame, table: str, moment: datetime) -> tuple[Bools, Bools]:
    """Return which rows are of a session that is not over, and which of a day after today in their market."""
    days = frame["day"].to_numpy("datetime64[D]")
    running, ahead = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    late = np.flatnonzero(days >= np.datetime64(moment.date() - timedelta(days=1)))
    markets = _markets(frame.iloc[late])
    for market in {*markets}:
        rows = late[[each == market for each in markets]]
        local = moment.astimezone(ZoneInfo(ZONES[market] if market else _FIRST))
        today = np.datetime64(local.date())
        ahead[rows] = days[rows] > today
        if table in _TRADED and market and _goes_on(market, local):
            running[rows] = days[rows] == today
    return running, ahead


def _markets(frame: pd.DataFrame) -> Sequence[str | None]:
    """Return the market of each row, None where it is not surely known."""
    if "symbol" in frame:
        return [market_of(each) for each in frame["symbol"]]
    if "index" not in frame:
        return [None] * len(frame)
    return [sure_market_of_index(each) for each in frame["index"]]


def _goes_on(market: str, local: datetime) -> bool:
    """Whether a market has a session on a day of its own that is not over at a time of it."""
    day, calendar = local.date(), calendar_for(market)
    known = calendar.first_day <= day <= calendar.last_day
    if not (calendar.is_session(day) if known else day.weekday() < 5):
        return False
    closes = _CLOSES[market]
    if market in _HALF_DAYS and closes > local.time() >= _HALF_DAYS[market]:
        closes = closing_time(market, day) or closes
    return local < datetime.combine(day, closes, local.tzinfo) + _LITTLE
