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
from data.facts.calendars import COMMAND, calendar_for
from data.facts.symbols import market_of, sure_market_of_index
from data.importing.displaced import all_sessions, days_off
from data.importing.maps import DATED, TableMap
from data.store.cells import blank, read_days, read_numbers
from data.store.tables import FUND_TABLES, TABLES
from data.words import count

Days = NDArray[np.datetime64]
Bools = NDArray[np.bool_]

# Tables whose rows on other days than sessions belong to the session before: nothing trades on such a day,
# but somebody may look. In some of them the day is the one on which the value was seen.
MOVED = tuple(each.name for each in FUND_TABLES if "day" in each.key and each.name != "bars")
_SEEN = ("units",)
# Tables in which a day without a session is a fault, unless all days of a file are one day off.
TRADED = ("bars", "index_bars")
# Less than this of anything is nothing.
_LEAST = 1e-9
# By how many days a row is off: how it is dated, and of which session it is.
_TOLD = {
    1: ("a day early", "after"),
    -1: ("a day late", "before"),
    0: ("on days without a session", "before"),
}
_END_OF_DAY = np.timedelta64(23 * 60 + 59, "m")


def without_halts(taken: pd.DataFrame, table: str) -> tuple[pd.DataFrame, str | None]:
    """Return bars without those of days on which nothing traded, and a note that says how many those were.

    1. Volume and amount are empty or zero, and
    2. open, high and low are empty or zero too, or volume is empty (or the 6e-39 that TongDaXin's servers
       have for it) and all four prices are the same.

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
    untraded = blank(rows["volume"]).to_numpy() | ~_nothing(rows["volume"], least=0.0)
    same = prices.eq(rows["close"], axis=0).to_numpy().all(axis=1) & untraded
    wrong = read_numbers(rows["close"])[1].to_numpy()
    idle = idle.copy()
    idle[idle] = (empty | same) & ~wrong
    if not idle.any() or idle.all():
        return taken, None
    return taken[~idle], f"without volume and prices, and left out as halts: {count(idle.sum(), 'row')}"


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
    return taken[~lacking], f"without a value, and left out: {count(lacking.sum(), 'row')}"


def on_sessions(taken: pd.DataFrame, part: TableMap, origin: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows with the session that each belongs to, and notes if that is not the day that was given.

    Where all days of a file are one day off (``data.importing.displaced``), all are moved; DataError if the
    calendar ends before the session of one of them. Rows that fall on a session that has one of its own are
    left out. Other days beyond the recorded calendar stay.
    """
    if part.table not in (*MOVED, *TRADED) or taken.empty:
        return taken, ()
    key = TABLES[part.table].key[0]
    days, wrong = read_days(taken["day"])
    if wrong.any() or days.isna().any() or taken[key].isna().any():
        return taken, ()
    given = days.to_numpy("datetime64[D]")
    if part.table in TRADED and part.dated is None and all_sessions(given):
        return taken, ()
    markets, of_row = _markets(taken[key])
    only, *others = markets
    if part.table in MOVED and part.dated is None and only and not others and all_sessions(given, [only]):
        return taken.assign(day=days), ()
    off = _off(given, markets, of_row, part)
    if part.table in TRADED and not off.any():
        return taken, ()
    before, at, after = _sessions_around(given, markets, of_row)
    stay = given if part.table in TRADED else at
    sessions = np.where(off < 0, before, np.where(off > 0, after, stay))
    unknown = np.isnat(sessions)
    if unknown.any():
        row = int(np.flatnonzero(unknown)[np.argmax(given[unknown])])
        raise _not_recorded(origin, _TOLD[int(off[row])][1], given[row], markets[of_row[row]])
    moved = sessions != given
    if not moved.any():
        return taken.assign(day=days), ()
    taken = taken.assign(day=sessions.astype("datetime64[us]"))
    seen = moved & (off <= 0)
    if part.table in _SEEN and seen.any():
        taken["known_at"] = _known_at(taken, given, at, seen)
    keys = taken[[key, "day"]]
    own = pd.MultiIndex.from_frame(keys[~moved])
    kept = ~moved | ~(keys.duplicated().to_numpy() | pd.MultiIndex.from_frame(keys).isin(own))
    return taken[kept], _told(off, moved, kept, part)


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
            raise _not_recorded(origin, "after", here.to_numpy("datetime64[D]").max(), market)
        following[here.index] = sessions[places].astype("datetime64[us]")
    return following


def _not_recorded(origin: str, beside: str, day: np.datetime64, market: str | None) -> DataError:
    if market is None:
        return DataError(
            f"{origin}: the session {beside} {day} is not known",
            limit="sessions of Chinese and American indices",
            hint="Write the days as they are, and name a map without `dated`.",
        )
    calendar = calendar_for(market)
    return DataError(
        f"{origin}: the session {beside} {day} is not recorded",
        limit=f"the sessions of {market} are recorded from {calendar.first_day} through {calendar.last_day}",
        hint=f"Import the exchange's notice of closed days: {COMMAND}. Or leave the row out.",
    )


def _told(off: NDArray[np.int64], moved: Bools, kept: Bools, part: TableMap) -> tuple[str, ...]:
    """Return a note for the rows of each direction that were moved."""
    notes = []
    for step, (dated, beside) in _TOLD.items():
        here = moved & (off == step)
        if not here.any():
            continue
        note = f"dated {dated}, and taken as of the session {beside}: {count(here.sum(), 'row')}"
        if (left_out := here & ~kept).any():
            rows = count(left_out.sum(), "row")
            note += f"; of them left out, because that session has a row of its own: {rows}"
        if step and part.dated is None:
            (word,) = (name for name, days in DATED.items() if days == step)
            note += f'; name a map with dated = "{word}" for shorter files of this source'
        notes.append(note)
    return tuple(notes)


def _nothing(values: pd.Series, least: float = _LEAST) -> Bools:
    """Which cells are empty, or no more than ``least``, from zero on."""
    nothing: Bools
    if values.dtype == np.float64:
        numbers = values.to_numpy()
        nothing = np.isnan(numbers) | ((numbers >= 0) & (numbers <= least))
        return nothing
    read = read_numbers(values)[0]
    nothing = (blank(values) | ((read >= 0) & (read <= least))).to_numpy()
    return nothing


def _markets(series: pd.Series) -> tuple[list[str | None], NDArray[np.int64]]:
    """Return the markets of funds, or of indices, and for each row which of them is its own.

    None stands for that of an index of which it is not surely known.
    """
    codes, names = pd.factorize(series)
    market = sure_market_of_index if series.name == "index" else market_of
    of_name = [market(str(name)) for name in names]
    known = [*dict.fromkeys(of_name)]
    places: NDArray[np.int64] = np.array([known.index(each) for each in of_name])[codes]
    return known, places


def _off(
    given: Days, markets: list[str | None], of_row: NDArray[np.int64], part: TableMap
) -> NDArray[np.int64]:
    """Return by how many days the day of each row is off: 1 if it is dated early, -1 late."""
    if part.dated is not None:
        return np.full(len(given), DATED[part.dated])
    off = np.zeros(len(given), dtype=np.int64)
    for place, market in enumerate(markets):
        here = of_row == place if len(markets) > 1 else slice(None)
        off[here] = days_off(given[here], market) if market else 0
    return off


def _sessions_around(
    given: Days, markets: list[str | None], of_row: NDArray[np.int64]
) -> tuple[Days, Days, Days]:
    """Return the last session before each day, at or before it, and the first after.

    What is not recorded is NaT before and after, and the day itself at or before it; so is all of a market
    that is not known.
    """
    first, day = given.min(), np.timedelta64(1, "D")
    # Every day is looked up once for each market, and not for each of its rows.
    span = np.arange(first, given.max() + day)
    around = np.full((3, len(markets), len(span)), np.datetime64("NaT", "D"))
    for place, market in enumerate(markets):
        if market is None:
            around[1, place] = span
            continue
        calendar = calendar_for(market)
        sessions = calendar.sessions(calendar.first_day, calendar.last_day)
        last = np.datetime64(calendar.last_day)
        until = np.searchsorted(sessions, span, side="right")
        since = np.searchsorted(sessions, span, side="left")
        earlier = (since > 0) & (span <= last + day)
        around[0, place, earlier] = sessions[since[earlier] - 1]
        around[1, place] = np.where((until > 0) & (span <= last), sessions[until - 1], span)
        later = (until < len(sessions)) & (span >= np.datetime64(calendar.first_day) - day)
        around[2, place, later] = sessions[until[later]]
    before, at, after = around[:, of_row, (given - first).astype(np.int64)]
    return before, at, after


def _known_at(taken: pd.DataFrame, given: Days, at: Days, moved: Bools) -> pd.Series:
    """Return when the rows that moved were known: on the day given, at its end if it is a session."""
    stamps = given.astype("datetime64[us]")
    seen = pd.Series(np.where(at == given, stamps + _END_OF_DAY, stamps), index=taken.index).where(moved)
    if "known_at" not in taken:
        return seen
    told = taken["known_at"]
    return told.where(~blank(told), seen)
