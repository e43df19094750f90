"""The sessions that several markets have in common: those of a run over funds of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from data.facts.calendars import Calendar, calendar_for, mean_sessions

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Common:
    """The days on which all of some markets are open, as far as all of them are recorded."""

    calendars: tuple[Calendar, ...]

    @property
    def last_day(self) -> date:
        """Last day that is recorded for each of them."""
        return min(each.last_day for each in self.calendars)

    def sessions(self, start: date, end: date) -> Days:
        """Return the sessions from ``start`` to ``end``, both included; errors are those of a calendar."""
        return reduce(np.intersect1d, [each.sessions(start, end) for each in self.calendars])

    def sessions_per_year(self, start: date, end: date) -> float:
        """Return the mean number of sessions of the calendar years that ``start`` to ``end`` touches."""
        return mean_sessions(self.whole_years, start.year, end.year)

    @property
    def whole_years(self) -> dict[int, int]:
        """The number of sessions of each calendar year that is recorded as a whole for each of them."""
        years = set.intersection(*(set(each.whole_years) for each in self.calendars))
        return {year: len(self.sessions(date(year, 1, 1), date(year, 12, 31))) for year in sorted(years)}


def calendar_of(markets: Sequence[str]) -> Calendar | Common:
    """Return the calendar of a market, or that of the sessions that several have in common."""
    calendars = tuple(calendar_for(market) for market in markets)
    return calendars[0] if len(calendars) == 1 else Common(calendars)
