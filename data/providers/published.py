"""What must have been published by now, so that its absence from an answer tells something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np

from data.facts.availability import load_availability
from data.facts.calendars import calendar_for
from data.facts.universe import Fund


class Published:
    """The sessions of a market whose data are public at a moment.

    Parameters
    ----------
    market : str
    now : datetime
        The local time of the market.
    funds : mapping
        What is known of the funds, by symbol: nothing is public of one that is not listed.
    """

    def __init__(self, market: str, now: datetime, funds: Mapping[str, Fund]) -> None:
        self.now = now
        self.funds = funds
        self._calendar = calendar_for(market)
        self._availability = load_availability()
        today = min(now.date(), self._calendar.last_day)
        opened = self._calendar.sessions(self._calendar.first_day, today)
        before_open = f"{now:%H:%M}" < self._availability.cutoff(market)
        self._opened = opened[:-1] if before_open and opened[-1:].astype(object) == [today] else opened

    def sessions(self, table: str, series: str, first: date, last: date) -> list[date]:
        """Return the sessions from ``first`` to ``last`` of which a row of a fund or index must be public.

        The row of session T is, once session T + lag has begun (``data.facts.availability``).
        """
        lag = self._availability.lag(table, series, last)
        public = self._opened[: max(len(self._opened) - lag, 0)]
        inside = (public >= np.datetime64(first)) & (public <= np.datetime64(last))
        days: list[date] = public[inside].astype(object).tolist()
        fund = self.funds.get(series)
        if fund is None:
            return days
        listed, delisted = fund.listed or date.min, fund.delisted or date.max
        return [day for day in days if listed <= day < delisted]

    def first_of(self, sessions: int, day: date) -> date:
        """Return the first of the last so many sessions until ``day``, which is one of them if it is one."""
        until = self._calendar.sessions(self._calendar.first_day, min(day, self._calendar.last_day))
        first: date = until[-min(sessions, len(until))].astype(object)
        return first

    def between(self, day: date, later: date) -> int:
        """Return how many sessions there are after ``day`` until ``later``."""
        after = day + timedelta(1)
        later = min(later, self._calendar.last_day)
        return len(self._calendar.sessions(after, later)) if after <= later else 0
