"""Rows and sessions: the session that a row belongs to, and rows of days on which there is nothing to tell.

A count is sometimes dated with the day on which somebody looked: a Saturday, or always the day after. It is
the count of the session before, and known from the day given. So is the balance of a month's last day that of
the last session; when it became public is another matter, and left to ``known_at`` or the lags on file.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError
from data.facts.calendars import calendar_for
from data.facts.symbols import market_of
from data.importing.maps import TableMap
from data.store.cells import blank, read_days, read_numbers
from data.store.tables import FUND_TABLES, TABLES

Days = NDArray[np.datetime64]
Bools = NDArray[np.bool_]

# Tables whose rows on other days than sessions belong to the session before: nothing trades on such a day,
# but somebody may look. In some of them the day is the one on which the value was seen.
MOVED = tuple(each.name for each in FUND_TABLES if "day" in each.key and each.name != "bars")
_SEEN = ("units",)
# Part of the sessions, and of the days after the last one of a week, that a file must have to be a day late.
_REGULAR = 0.8
_END_OF_DAY = np.timedelta64(23 * 60 + 59, "m")


def without_halts(taken: pd.DataFrame, table: str) -> tuple[pd.DataFrame, str | None]:
    """Return bars without those of days on which nothing traded, and a note that says how many those were.

    1. Volume and amount are empty or zero, and
    2. open, high and low are empty or zero too, or volume is empty and all four prices are the same.

    A file that consists of such rows alone is left as it is, for the table to refuse.
    """
    if table != "bars":
        return taken, None
    idle = _nothing(taken["volume"])
    if "amount" in taken:
        idle = idle & _nothing(taken["amount"])
    rows = taken[idle]
    if rows.empty:
        return taken, None
    prices = rows[["open", "high", "low"]]
    empty = prices.apply(_nothing).to_numpy().all(axis=1)
    same = prices.eq(rows["close"], axis=0).to_numpy().all(axis=1) & blank(rows["volume"]).to_numpy()
    wrong = read_numbers(rows["close"])[1].to_numpy()
    idle = idle.copy()
    idle[idle] = (empty | same) & ~wrong
    if not idle.any() or idle.all():
        return taken, None
    return taken[~idle], f"without volume and prices, and left out as halts: {_counted(idle)}"


def with_values(taken: pd.DataFrame, table: str) -> tuple[pd.DataFrame, str | None]:
    """Return rows of a series and a day without those that have no value, and a note that says how many.

    No value is an empty cell, and a zero where only more than nothing can be (units, NAV, index levels). A
    file that consists of such rows alone is left as it is, for the table to refuse. Of bars see above.
    """
    schema = TABLES[table]
    if table == "bars" or "day" not in schema.key or not schema.measures or schema.measures[0] not in taken:
        return taken, None
    values = taken[schema.measures[0]]
    (measure,) = (each for each in schema.columns if each.name == schema.measures[0])
    lacking = _nothing(values) if measure.sign == "positive" else blank(values).to_numpy()
    if lacking.any():
        lacking = lacking & ~(blank(taken[schema.key[0]]) | blank(taken["day"])).to_numpy()
    if not lacking.any() or lacking.all():
        return taken, None
    return taken[~lacking], f"without a value, and left out: {_counted(lacking)}"


def on_sessions(taken: pd.DataFrame, part: TableMap) -> tuple[pd.DataFrame, str | None]:
    """Return rows with the session that each belongs to, and a note if that is not the day that was given.

    Rows that fall on a session that has one of its own are left out. Days beyond the recorded calendar stay.
    """
    if part.table not in MOVED or taken.empty:
        return taken, None
    days, wrong = read_days(taken["day"])
    if wrong.any() or days.isna().any() or taken["symbol"].isna().any():
        return taken, None
    given = days.to_numpy("datetime64[D]")
    at, before = _sessions_of(given, taken["symbol"])
    late = part.dated == "publication"
    if not late and part.table in _SEEN:
        late = _a_day_late(given, str(taken["symbol"].iloc[0]))
    moved = np.ones(len(given), dtype=bool) if late else at != given
    if not moved.any():
        return taken.assign(day=days), None
    taken = taken.assign(day=np.where(moved, before if late else at, given).astype("datetime64[us]"))
    if part.table in _SEEN:
        taken["known_at"] = _known_at(taken, given, at, moved)
    keys = taken[["symbol", "day"]]
    own = pd.MultiIndex.from_frame(keys[~moved])
    kept = ~moved | ~(keys.duplicated().to_numpy() | pd.MultiIndex.from_frame(keys).isin(own))
    dated = "a day late" if late else "on days without a session"
    note = f"dated {dated}, and taken as of the session before: {_counted(moved)}"
    if not kept.all():
        note += f"; of them left out, because that session has a row of its own: {_counted(~kept)}"
    return taken[kept], note


def next_sessions(days: pd.Series, symbols: pd.Series, origin: str) -> pd.Series:
    """Return the first session after each day; what is no day stays as it is, for the table to refuse."""
    read, wrong = read_days(days)
    if wrong.any() or read.isna().any() or symbols.isna().any():
        return days
    markets = symbols.map(market_of)
    following = pd.Series(pd.NaT, index=days.index, dtype="datetime64[us]")
    for market in sorted(markets.unique()):
        calendar = calendar_for(market)
        here = read[markets == market]
        sessions = calendar.sessions(calendar.first_day, calendar.last_day)
        places = sessions.searchsorted(here.to_numpy().astype("datetime64[D]"), side="right")
        if places.max() >= len(sessions):
            raise DataError(
                f"{origin}: the session after {here.to_numpy('datetime64[D]').max()} is not recorded",
                limit=f"the sessions of {market} are recorded through {calendar.last_day}",
                hint="Update the calendar (see data/facts/calendars.toml), or leave the row out.",
            )
        following[here.index] = sessions[places].astype("datetime64[us]")
    return following


def _counted(rows: Bools) -> str:
    return f"{rows.sum()} row{'' if rows.sum() == 1 else 's'}"


def _nothing(values: pd.Series) -> Bools:
    """Which cells are empty or zero."""
    nothing: Bools
    if values.dtype == np.float64:
        numbers = values.to_numpy()
        nothing = np.isnan(numbers) | (numbers == 0)
        return nothing
    nothing = (blank(values) | (read_numbers(values)[0] == 0)).to_numpy()
    return nothing


def _sessions_of(given: Days, symbols: pd.Series) -> tuple[Days, Days]:
    """Return the last session at or before each day, and that before it; the day itself if unknown."""
    codes, names = pd.factorize(symbols)
    markets = [market_of(str(name)) for name in names]
    known = sorted({*markets})
    first, day = given.min(), np.timedelta64(1, "D")
    # Every day is looked up once for each market, and not for each of its rows.
    span = np.arange(first, given.max() + day)
    at, before = np.tile(span, (len(known), 1)), np.tile(span, (len(known), 1))
    for place, market in enumerate(known):
        calendar = calendar_for(market)
        sessions = calendar.sessions(calendar.first_day, calendar.last_day)
        here = (span > sessions[0]) & (span <= np.datetime64(calendar.last_day))
        at[place, here] = sessions[np.searchsorted(sessions, span[here], side="right") - 1]
        before[place, here] = sessions[np.searchsorted(sessions, span[here], side="left") - 1]
    days = (given - first).astype(np.int64)
    if len(known) == 1:
        return at[0][days], before[0][days]
    rows = np.array([known.index(market) for market in markets])[codes], days
    return at[rows], before[rows]


def _a_day_late(given: Days, symbol: str) -> bool:
    """Whether a file dates counts on the day after: it has the Saturdays, and no Monday.

    Days that follow a session are there, nearly all of them, also those that are none themselves; of the
    sessions that follow a day without one, none is there.
    """
    first, day = given.min(), np.timedelta64(1, "D")
    calendar = calendar_for(market_of(symbol))
    sessions = calendar.sessions(calendar.first_day, calendar.last_day)
    span = np.arange(first, given.max() + day, day)
    here, present = np.isin(span, sessions), np.zeros(len(span), dtype=bool)
    present[(given - first).astype(np.int64)] = True
    after = np.isin(span - day, sessions)
    if not (after & ~here).any() or not (here & ~after).any() or present[here & ~after].any():
        return False
    return bool(present[after & ~here].mean() >= _REGULAR and present[after & here].mean() >= _REGULAR)


def _known_at(taken: pd.DataFrame, given: Days, at: Days, moved: Bools) -> pd.Series:
    """Return when the rows that moved were known: on the day given, at its end if it is a session."""
    stamps = given.astype("datetime64[us]")
    seen = pd.Series(np.where(at == given, stamps + _END_OF_DAY, stamps), index=taken.index).where(moved)
    if "known_at" not in taken:
        return seen
    told = taken["known_at"]
    return told.where(~blank(told), seen)
