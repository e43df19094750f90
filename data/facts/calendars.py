"""Trading sessions of each market, and how far they are recorded.

Sessions come from exchange_calendars, extended and corrected by dated rows: ours in
``data/facts/calendars.toml``, and the user's in a file of the same form, to which ``etflow data calendar
import`` writes: the one that the environment variable ETFLOW_CALENDAR names, else ``calendar.toml`` in the
user's state folder. Beyond the last recorded day every question is an error.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.atomic import keep_answer, kept_answer
from data.errors import DataError, UsageError, check_choice
from data.facts import own_files
from data.facts.dated import FACTS, day_of, only, read_toml, tables, text_of
from data.folders import cache_folder

Days = NDArray[np.datetime64]

VARIABLE = "ETFLOW_CALENDAR"
OWN = "calendar.toml"
COMMAND = "etflow data calendar import NOTICE"
# Shanghai published the days of 2026 on 2025-12-22, ten days before they began.
SOON = 60
_FILE = FACTS / "calendars.toml"
_ONE_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Span:
    """Days that one source recorded, both ends included, and who says so.

    ``sessions`` and ``closed`` are the weekdays with and without trading. ``number`` is that of the row in
    the user's file, from 1; None for what ships with etflow.
    """

    first: date
    last: date
    sessions: int
    closed: int
    source: str
    number: int | None = None


def mean_sessions(whole_years: Mapping[int, int], first: int, last: int) -> float:
    """Return the mean number of sessions of the years ``first`` to ``last`` that are known as a whole.

    If there is none of these, that of the known year nearest to ``first`` stands in.
    """
    touched = [year for year in whole_years if first <= year <= last]
    chosen = touched or [min(whole_years, key=lambda year: abs(year - first))]
    return float(np.mean([whole_years[year] for year in chosen]))


class Calendar:
    """The sessions of one market.

    ``spans`` says from whom they are known: the library first, then the rows that extend or correct it.

    Parameters
    ----------
    market : str
        ``cn_etf`` (Shanghai and Shenzhen) or ``us_etf`` (New York).
    extension : path, optional
        A TOML file of further rows; what ships with etflow alone if None.
    """

    def __init__(self, market: str, extension: str | Path | None = None) -> None:
        self.market = market
        self._days, library = _recorded(market)
        self._first, self._last = np.datetime64(library.first, "D"), np.datetime64(library.last, "D")
        self.spans = [library]
        self._apply(read_toml(_FILE), str(_FILE))
        if extension is not None:
            raw = read_toml(Path(extension))
            only(raw, ("sessions",), str(extension))
            self._apply(raw, str(extension), own=True)
        self._days.flags.writeable = False

    @property
    def first_day(self) -> date:
        """First day that is recorded, a session or not."""
        return _date(self._first)

    @property
    def last_day(self) -> date:
        """Last day that is recorded, a session or not."""
        return _date(self._last)

    def sessions(self, start: date, end: date) -> Days:
        """Return the sessions from ``start`` to ``end``, both included, as read-only datetime64[D].

        UsageError if ``start`` is after ``end``; DataError if a day before the first or after the last
        recorded day is asked for.
        """
        first, last = self._known(start), self._known(end)
        if first > last:
            raise UsageError("the start is after the end", received=f"{first} to {last}", hint="Swap them.")
        return self._days[self._days.searchsorted(first) : self._days.searchsorted(last, side="right")]

    def is_session(self, day: date) -> bool:
        """Tell whether the market trades on a day; DataError outside the recorded days."""
        row = self._days.searchsorted(self._known(day))
        return bool(row < len(self._days) and self._days[row] == np.datetime64(day, "D"))

    def sessions_per_year(self, start: date, end: date) -> float:
        """Return the mean number of sessions of the calendar years that ``start`` to ``end`` touches.

        Only years that are recorded from January to December count; if the period touches none of those,
        the recorded year nearest to it stands in.
        """
        return mean_sessions(self.whole_years, start.year, end.year)

    @property
    def whole_years(self) -> dict[int, int]:
        """The number of sessions of each calendar year that is recorded from January to December."""
        years, counts = np.unique(
            self._days.astype("datetime64[Y]").astype(np.int64) + 1970, return_counts=True
        )
        pairs = zip(years.tolist(), counts.tolist(), strict=True)
        return {year: count for year, count in pairs if self._is_whole(year)}

    def _is_whole(self, year: int) -> bool:
        return bool(
            self._first <= np.datetime64(f"{year}-01-01") and np.datetime64(f"{year}-12-31") <= self._last
        )

    def _known(self, day: date) -> np.datetime64:
        value = np.datetime64(day, "D")
        if value < self._first:
            raise DataError(
                f"the sessions of {self.market} are recorded from {self._first} on",
                received=value,
                hint="Start later.",
            )
        if value > self._last:
            raise DataError(
                f"the sessions of {self.market} are recorded through {self._last}",
                received=value,
                hint=f"End earlier, or import the exchange's notice of closed days: {COMMAND}.",
            )
        return value

    def _apply(self, raw: dict[str, Any], where: str, *, own: bool = False) -> None:
        for number, row in enumerate(tables(raw.get("sessions", []), where), 1):
            self._replace(row, f"{where}, sessions row {number}", number if own else None)

    def _replace(self, row: dict[str, Any], where: str, number: int | None) -> None:
        """Let one row say which weekdays of its span are sessions, in place of what was recorded."""
        only(row, ("market", "from", "through", "closed", "source"), where)
        source = text_of(row, "source", where)
        market = text_of(row, "market", where)
        check_choice("market", market, _markets(), where)
        if market != self.market:
            return
        start, through = (np.datetime64(day_of(row, name, where), "D") for name in ("from", "through"))
        if not self._first <= start <= self._last + _ONE_DAY or through < start:
            raise UsageError(
                f"{where}: the days do not join what is recorded",
                received=f"{start} to {through}",
                limit=f"from {self._first} to {self._last + _ONE_DAY}, through that day or a later one",
            )
        span = np.arange(start, through + _ONE_DAY)
        closed = _closed_days(row.get("closed"), span, where)
        opened = span[np.is_busday(span) & ~np.isin(span, closed)]
        kept = self._days[(self._days < start) | (self._days > through)]
        self._days = np.sort(np.concatenate([kept, opened]))
        self._last = max(self._last, through)
        shut = int(np.is_busday(span).sum()) - len(opened)
        self.spans.append(Span(_date(start), _date(through), len(opened), shut, source, number))


def calendar_for(market: str) -> Calendar:
    """Return the calendar of a market, extended by the user's own file if there is one."""
    return Calendar(market, own_files.own_file_if_any(VARIABLE, OWN))


def market_names() -> tuple[str, ...]:
    """Return the markets that have a calendar."""
    return tuple(_markets())


def own_file() -> Path:
    """Return the user's calendar file, which may not exist yet."""
    return own_files.own_file(VARIABLE, OWN)


def _date(day: np.datetime64) -> date:
    value: date = day.astype(object)
    return value


def _closed_days(raw: object, span: Days, where: str) -> Days:
    if not isinstance(raw, list):
        raise UsageError(f"{where}: `closed` is not a list of dates", received=raw, hint="Write closed = [].")
    days = [np.datetime64(day_of({"closed": day}, "closed", where), "D") for day in raw]
    for day in days:
        if not span[0] <= day <= span[-1]:
            raise UsageError(
                f"{where}: a closed day lies outside the row", received=day, limit=f"{span[0]} to {span[-1]}"
            )
    return np.array(days, dtype="datetime64[D]")


@lru_cache(maxsize=1)
def _markets() -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in tables(read_toml(_FILE)["market"], str(_FILE))}


@lru_cache(maxsize=8)
def _recorded(market: str) -> tuple[Days, Span]:
    """Return the sessions that exchange_calendars has for a market, and the days that it recorded.

    The library takes half a second to load and to ask. So its answer is kept in the user's cache folder,
    under its version, that of pandas, by which it counts, and what is asked.
    """
    check_choice("market", market, _markets())
    facts = _markets()[market]
    versions = {name: version(name) for name in ("exchange_calendars", "pandas")}
    asked = json.dumps([versions, facts], default=str, sort_keys=True)
    folder = cache_folder()
    place = folder and folder / "calendars" / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"
    answer = kept_answer(place) if place else None
    if answer is None:
        days, last = _ask_the_library(facts)
        if place:
            body = {"asked": asked, "last": str(last), "sessions": days.astype(np.int64).tolist()}
            keep_answer(place, json.dumps(body).encode())
    else:
        body = json.loads(answer)
        days = np.array(body["sessions"], dtype=np.int64).astype("datetime64[D]")
        last = date.fromisoformat(body["last"])
    first = facts["first"]
    closed = int(np.busday_count(first, np.datetime64(last, "D") + _ONE_DAY)) - len(days)
    source = f"exchange_calendars {versions['exchange_calendars']}, {facts['calendar']}"
    return days, Span(first, last, len(days), closed, f"{source}; checked: {facts['source']}")


@lru_cache
def closing_time(market: str, day: date) -> time | None:
    """Return when a session closes by the clock of its market, as on a half day; None if it is not known.

    The library, which takes half a second to load, is asked.
    """
    from exchange_calendars import get_calendar

    span = timedelta(days=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calendar = get_calendar(_markets()[market]["calendar"], start=day - span, end=day + span)
        if not calendar.is_session(str(day)):
            return None
        closes = calendar.session_close(str(day)).tz_convert(calendar.tz)
    found: time = closes.time()
    return found


def _ask_the_library(facts: Mapping[str, Any]) -> tuple[Days, date]:
    """Return the sessions of a market by its row of the facts, and the last day that is recorded."""
    from exchange_calendars import get_calendar

    name = facts["calendar"]
    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses what pandas 3.1 deprecates, and caps no version of pandas.
        warnings.simplefilter("ignore")
        last = facts.get("through") or get_calendar(name).bound_max().date()
        # The end is said, because the default one is a year from today: results would change with the clock.
        sessions = get_calendar(name, start=str(facts["first"]), end=str(last)).sessions
    return sessions.to_numpy().astype("datetime64[D]"), last
