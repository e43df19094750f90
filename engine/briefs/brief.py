"""The flow brief of one fund on one day: what a market note says of it, computed, or why it cannot be.

Values are by event time: they belong to the sessions up to and including the day, which is what is public
by the open of the next session, unless :attr:`Brief.late` says otherwise. In the evening of the day some of
it is not on file yet: units, NAV and margin are then as of the latest session on file, which the fact names
(``engine.briefs.series``). Definitions:

- net inflow: sum of the split-safe changes of fund units, each at the price of its session
  (``data.panel.flows``), in every convention; sums never cover more or fewer sessions than they say;
- streak: sessions in a row with an inflow above zero; sessions without trading are skipped;
- record: highest since the first value on file, split-safe, for prices dividends included;
- turnover (ADTV): mean money traded a session, over the past calendar month and over 20 sessions; sessions
  without trading count as zero; ranked among the funds of the same index that were listed on the day;
- return of the year: level over that of the last session of the year before, less one.

A value that cannot be computed is None and has a reason; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError, UsageError
from data.facts.availability import load_availability
from data.facts.calendars import calendar_for
from data.facts.symbols import market_of
from data.facts.universe import Fund, funds_of
from data.load import require_bars
from engine.briefs.cycle import Strategies, add_cycle, add_drift
from engine.briefs.fund import add_flows, add_leverage, add_prices
from engine.briefs.lines import Windows
from engine.briefs.peers import add_indices, add_theme, add_turnover, funds_with_listings
from engine.briefs.series import Fact, Sessions, Sheet, Value
from engine.orders.next_open import next_panel

if TYPE_CHECKING:
    from data.source import DataSource

NONE: Strategies = {}


@dataclass(frozen=True)
class Brief:
    """All facts about ``fund`` on ``day``; ``late`` names data of the day published after the next open.

    ``series`` and ``indices`` are what the facts are of, by ``sessions`` (``engine.briefs.series.Sheet``).
    """

    fund: Fund
    day: date
    next_session: date
    facts: tuple[Fact, ...]
    late: tuple[str, ...]
    fingerprint: str
    sessions: tuple[date, ...]
    series: Mapping[str, NDArray[np.float64]]
    indices: Mapping[str, NDArray[np.float64]]

    @property
    def basis(self) -> str:
        """What the values belong to, and by when they are public."""
        return f"by event time, up to and including {self.day}; public by the open of {self.next_session}"

    def __getitem__(self, name: str) -> Value:
        return next(fact.value for fact in self.facts if fact.name == name)


def make_brief(
    source: DataSource,
    symbol: str,
    day: date | None = None,
    *,
    sessions: int | None = None,
    windows: Windows | None = None,
    theme: str = "optical",
    theme_index: str = "",
    strategies: Strategies = NONE,
) -> Brief:
    """Return the brief of ``symbol`` on ``day`` (None: its last bar).

    ``windows`` are those of sums and means; ``sessions`` alone is the longer one of net inflow. ``theme`` is
    a tag of constituents in the table ``index_weights``, ``theme_index`` an index that drifts its weight to
    the day. ``strategies`` are classes by name; ``resonance`` and ``optical_tilt`` define lines
    (``engine.briefs.cycle``), which have no value without them. DataError where the data have no bar of the
    fund around the day, UsageError where the day is no session.
    """
    chosen = _windows(sessions, windows)
    calendar = calendar_for(market_of(symbol))
    day = checked_day(source, symbol, day)
    funds = funds_with_listings(source, symbol)
    # One session more: units of a record day are split already, by an action of the session after it.
    panel = next_panel(source, [symbol], day)
    following: date = panel.days[-1].item()
    own = funds_of([symbol], source.read("funds"))[symbol]  # without a listing day that its bars stand in for
    span = Sessions(panel.days[:-1].tolist(), load_availability().stale_after, own.listed)
    sheet = Sheet()
    then = own.on(day)
    fund = replace(own, name=then.name, index=then.index, index_name=then.index_name)
    add_flows(sheet, source, panel, span, fund, chosen)
    add_leverage(sheet, source, panel, span, fund, chosen)
    add_prices(sheet, source, panel, span, fund)
    add_turnover(sheet, source, fund, funds, calendar, day, chosen)
    add_indices(sheet, source, fund, funds, calendar, span)
    add_theme(sheet, panel, fund, theme)
    add_drift(sheet, panel, fund, theme, theme_index, strategies)
    add_cycle(sheet, source, panel, fund, span, strategies)
    late = _late(source, symbol, day, following, calendar.market)
    return Brief(
        fund,
        day,
        following,
        tuple(sheet.facts),
        late,
        panel.fingerprint,
        tuple(span.days),
        sheet.series,
        sheet.indices,
    )


def _windows(sessions: int | None, windows: Windows | None) -> Windows:
    if sessions is None:
        return windows or Windows()
    if windows is not None:
        raise UsageError("`sessions` and `windows` say the same", hint="Give the windows of inflow alone.")
    if sessions < 1:
        raise UsageError("`sessions` is out of bounds", received=sessions, limit="1 or more")
    return Windows(inflow=tuple(dict.fromkeys((Windows.inflow[0], sessions))))


def checked_day(source: DataSource, symbol: str, day: date | None) -> date:
    """Return the day of a brief (None: the fund's last bar), once it is a session within the fund's bars."""
    require_bars(source, [symbol])
    days = source.read("bars", [symbol])["day"]
    first: date = days.min().date()
    last: date = days.max().date()
    if day is None:
        return last
    if not first <= day <= last:
        raise DataError(f"{symbol} has no bars on that day", received=day, limit=f"{first} to {last}")
    calendar = calendar_for(market_of(symbol))
    if not calendar.is_session(day):
        before = calendar.sessions(first, day)[-1]
        raise UsageError("no session on that day", received=day, hint=f"The session before is {before}.")
    return day


def _late(source: DataSource, symbol: str, day: date, following: date, market: str) -> tuple[str, ...]:
    """Return which data of the day were published too late for the open of the session after it."""
    published = load_availability("normal")
    found = []
    for table in ("units", "nav", "margin"):
        rows = source.read(table, [symbol])
        rows = rows[rows["day"] == pd.Timestamp(day)]
        told = rows["known_at"].dropna()
        if len(told):
            cutoff = pd.Timestamp(f"{following} {published.cutoff(market)}")
            if told.iloc[0] >= cutoff:
                found.append(f"{table} of {day} were published at {told.iloc[0]}")
        elif len(rows) and published.lag(table, symbol, day) > 1:
            found.append(f"{table} of {day} are public {published.lag(table, symbol, day)} sessions later")
    return tuple(found)
