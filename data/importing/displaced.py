"""Files whose days are all one day off, which the days without a session show.

Midnight in Shanghai is the day before in UTC, and midnight in UTC the day before in New York: a program that
forgets the zone writes Sundays and no Fridays. The close of New York is the next day in Shanghai, and counts
are often dated with the day on which they were seen: such files have Saturdays and no Mondays.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from data.facts.calendars import calendar_for
from data.facts.symbols import MARKETS

Days = NDArray[np.datetime64]

# Part of the sessions of a file that must be there, one day off, for chance or gaps not to be the reason.
_REGULAR = 0.8
# Half-year and year-end NAV are dated on Sundays by right, so that one weekend shows nothing. A file that
# begins before one and ends after the next has seven days at least.
_WEEKENDS = 2
_FEWEST = 7
_DAY = np.timedelta64(1, "D")


def all_sessions(given: Days, markets: Iterable[str] = MARKETS) -> bool:
    """Whether all days are sessions of one of some markets or another: then none of them is off."""
    first, present = _present(given)
    days = first + np.flatnonzero(present) * _DAY
    there = np.zeros(len(days), dtype=bool)
    for market in markets:
        there |= np.isin(days, _sessions(market))
    return bool(there.all())


def days_off(given: Days, market: str) -> int:
    """Return 1 if the days of a file are sessions of a market a day later, -1 a day earlier, else 0.

    Of the days beside a session nearly all are there, also those that are none themselves; of the sessions
    that are beside a day without one, none is there. A file of fewer than two weekends, or fewer than seven
    days, tells nothing; neither does a day beside which the calendar ends.
    """
    first, present = _present(given)
    calendar, sessions = calendar_for(market), _sessions(market)
    span = first + np.arange(len(present)) * _DAY
    here = np.isin(span, sessions)
    for step in (-1, 1):
        beside = span + step * _DAY
        there = np.isin(beside, sessions)
        known = np.minimum(span, beside) >= np.datetime64(calendar.first_day)
        known &= np.maximum(span, beside) <= np.datetime64(calendar.last_day)
        odd, own, both = there & ~here & known, here & ~there & known, here & there
        weekends = odd & ~np.is_busday(span)
        if min(weekends.sum(), own.sum()) < _WEEKENDS or present[own].any():
            continue
        if present[odd | both].sum() < _FEWEST:
            continue
        if present[odd].mean() >= _REGULAR and present[both].mean() >= _REGULAR:
            return step
    return 0


def _present(given: Days) -> tuple[np.datetime64, NDArray[np.bool_]]:
    """Return the first day, and of each day from it to the last one whether it is there."""
    first = given.min()
    present = np.zeros(int((given.max() - first) / _DAY) + 1, dtype=bool)
    present[(given - first).astype(np.int64)] = True
    return first, present


def _sessions(market: str) -> Days:
    calendar = calendar_for(market)
    sessions: Days = calendar.sessions(calendar.first_day, calendar.last_day)
    return sessions
