"""The flow brief of one fund on one day: what a market note says of it, computed, or why it cannot be.

Values are by event time: they belong to the sessions up to and including the day, which is what is public
by the open of the next session, unless :attr:`Brief.late` says otherwise. Definitions:

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

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.choices import VALUATIONS
from data.errors import DataError, UsageError
from data.facts.availability import load_availability
from data.facts.calendars import calendar_for
from data.facts.symbols import market_of
from data.facts.universe import Fund
from data.load import require_bars
from data.panel.flows import (
    nav_as_prices,
    net_financing,
    pending_splits,
    unit_changes,
    unit_prices,
)
from data.panel.panel import Panel
from engine.briefs.peers import add_indices, add_theme, add_turnover, funds_with_listings
from engine.briefs.series import Changes, Daily, Fact, Found, Sheet, Value, growth
from engine.orders.next_open import next_panel

if TYPE_CHECKING:
    from data.source import DataSource

Floats = NDArray[np.float64]

FLOW_SESSIONS = 5
FINANCING_SESSIONS = 4
VALUATION_LABELS = {
    "vwap": "at VWAP",
    "nav": "at NAV",
    "prev_nav": "at the NAV before",
    "close": "at the close",
}


@dataclass(frozen=True)
class Brief:
    """All facts about ``fund`` on ``day``; ``late`` names data of the day published after the next open."""

    fund: Fund
    day: date
    next_session: date
    facts: tuple[Fact, ...]
    late: tuple[str, ...]
    fingerprint: str

    @property
    def basis(self) -> str:
        """What the values belong to, and by when they are public."""
        return f"by event time, up to and including {self.day}; public by the open of {self.next_session}"

    def __getitem__(self, name: str) -> Value:
        return next(fact.value for fact in self.facts if fact.name == name)


def make_brief(
    source: DataSource, symbol: str, day: date | None = None, *, sessions: int = 20, theme: str = "optical"
) -> Brief:
    """Return the brief of ``symbol`` on ``day`` (None: its last bar), with flows over 5 and ``sessions``.

    ``theme`` is a tag of constituents in the table ``index_weights``. DataError where the data have no bar
    of the fund around the day, UsageError where the day is no session.
    """
    if sessions < 1:
        raise UsageError("`sessions` is out of bounds", received=sessions, limit="1 or more")
    calendar = calendar_for(market_of(symbol))
    day = checked_day(source, symbol, day)
    funds = funds_with_listings(source, symbol)
    # One session more: units of a record day are split already, by an action of the session after it.
    panel = next_panel(source, [symbol], day)
    following: date = panel.days[-1].item()
    sheet = Sheet()
    then = funds[symbol].on(day)
    fund = replace(funds[symbol], name=then.name, index=then.index, index_name=then.index_name)
    _flows(sheet, source, panel, fund, sessions)
    _leverage(sheet, source, panel, fund)
    _prices(sheet, source, panel, fund)
    add_turnover(sheet, source, fund, funds, calendar, day)
    add_indices(sheet, source, fund, funds, calendar, day)
    add_theme(sheet, panel, fund, theme)
    late = _late(source, symbol, day, following, calendar.market)
    return Brief(fund, day, following, tuple(sheet.facts), late, panel.fingerprint)


def checked_day(source: DataSource, symbol: str, day: date | None) -> date:
    """Return the day of a brief (None: the fund's last bar), once it is a session within the fund's bars."""
    bars = source.read("bars", [symbol])
    require_bars(source, bars, [symbol])
    first: date = bars["day"].min().date()
    last: date = bars["day"].max().date()
    if day is None:
        return last
    if not first <= day <= last:
        raise DataError(f"{symbol} has no bars on that day", received=day, limit=f"{first} to {last}")
    calendar = calendar_for(market_of(symbol))
    if not calendar.is_session(day):
        before = calendar.sessions(first, day)[-1]
        raise UsageError("no session on that day", received=day, hint=f"The session before is {before}.")
    return day


def _flows(sheet: Sheet, source: DataSource, panel: Panel, fund: Fund, sessions: int) -> None:
    market, days = panel.market, _days(panel)
    units, nav = (_grid(source, name, fund.symbol, panel) for name in ("units", "nav"))
    changes = unit_changes(units, market.events)
    # A fund that traded without money on file has no VWAP, and its close is no stand-in.
    halted = np.where(market.traded, np.nan, market.mark)
    prices = {
        name: unit_prices(
            name,
            changes,
            vwap=market.vwap,
            close=market.close,
            mark=halted if name == "vwap" else market.mark,
            nav=nav,
        )
        for name in VALUATIONS
    }
    steps = Changes("unit count", changes.change[:-1, 0], changes.before[:-1, 0], market.traded[:-1, 0], days)
    aum = Daily("unit count and NAV", (units * prices["nav"])[:-1, 0], days)
    lacks = {"vwap": "money traded", "nav": "NAV", "prev_nav": "NAV before", "close": "price"}
    for n in dict.fromkeys((FLOW_SESSIONS, sessions)):
        for name in VALUATIONS:
            found = steps.over(n, (changes.change * prices[name])[:-1, 0], lacks[name])
            label = f"net inflow over {n} sessions, {VALUATION_LABELS[name]}"
            sheet.add(f"net_inflow_{n}_{name}", label, found, "money")
            if name == "vwap":
                sheet.add(
                    f"net_inflow_{n}_ratio", "  over AUM before them", _over_aum(found, aum, n), "percent"
                )
        sheet.add(f"inflow_sessions_{n}", f"  sessions with inflow, of {n}", steps.count(n), "count")
    sheet.add("inflow_streak", "sessions of inflow in a row", steps.streak(), "count")
    counted = Daily("unit count", units[:-1, 0], days)
    sheet.add("units", "fund units", counted.at(len(days) - 1), "count")
    adjusted = Daily("unit count", changes.adjusted[:-1, 0], days)
    sheet.add("units_record", "  fund units at a record", adjusted.record(fund.listed), "yes")
    sheet.add("aum", "AUM, units at NAV", aum.at(len(days) - 1), "money")
    sheet.add("aum_record", "  AUM at a record", aum.record(fund.listed), "yes")
    at_close = Daily("unit count", (units * prices["close"])[:-1, 0], days)
    sheet.add("aum_close", "AUM, units at the close", at_close.at(len(days) - 1), "money")


def _leverage(sheet: Sheet, source: DataSource, panel: Panel, fund: Fund) -> None:
    days = _days(panel)
    balance = _grid(source, "margin", fund.symbol, panel, "balance")
    every = source.read("margin")
    of_funds = every[every["symbol"].str.contains(".", regex=False)] if len(every) else every
    first = of_funds["day"].min() if len(of_funds) else panel.days[0]
    recorded = np.array([np.searchsorted(panel.days, np.datetime64(first, "D"))], dtype=np.int64)
    change, before = net_financing(balance, recorded_from=recorded)
    steps = Changes("margin balance", change[:-1, 0], before[:-1, 0], panel.market.traded[:-1, 0], days)
    n = FINANCING_SESSIONS
    found = steps.over(n, change[:-1, 0], "margin balance")
    sheet.add(f"net_financing_{n}", f"net financing over {n} sessions", found, "money")
    sheet.add("financing_streak", "sessions of net financing in a row", steps.streak(), "count")
    held = Daily("margin balance", balance[:-1, 0], days)
    sheet.add("margin_balance", "margin balance", held.at(len(days) - 1), "money")
    sheet.add("margin_balance_record", "  margin balance at a record", held.record(None), "yes")


def _prices(sheet: Sheet, source: DataSource, panel: Panel, fund: Fund) -> None:
    market, days = panel.market, _days(panel)
    row = len(days) - 1
    close = Daily("trade", market.close[:-1, 0], days)
    sheet.add("close", "close", close.at(row), "price")
    nav = _grid(source, "nav", fund.symbol, panel)[:-1, 0]
    pending = pending_splits(market.events, market.close.shape)[:-1, 0]
    premium = float((close.by_session / nav_as_prices(nav, close.by_session, pending))[row] - 1.0)
    reason = close.lacking(row) if np.isnan(close.by_session[row]) else Daily("NAV", nav, days).lacking(row)
    sheet.add("nav", "NAV", Daily("NAV", nav, days).at(row), "price")
    sheet.add("premium", "premium of the close over NAV", Found(premium, reason), "percent")
    adjusted = market.close[:-1, 0] * market.adjustment[:-1, 0]
    total = Daily("trade", adjusted, days)
    sheet.add("price_record", "  adjusted price at a record", total.record(fund.listed), "yes")
    highest, top = None, None
    if np.isfinite(adjusted).any():
        best = int(np.nanargmax(adjusted))
        highest, top = float(adjusted[best] / market.adjustment[row, 0]), str(days[best])
    never = close.lacking(row)
    sheet.add("price_high", "highest close, on the basis of the day", Found(highest, never), "price")
    sheet.add("price_high_day", "  its day", Found(top, never), "day")
    start = np.flatnonzero([each.year < days[row].year for each in days])
    before = total.at(int(start[-1])) if len(start) else Found(None, "no price of the year before is on file")
    grown = growth(float(adjusted[row]), before.value)
    sheet.add("fund_ytd", "return of the fund this year", Found(grown, before.reason or reason), "percent")


def _over_aum(found: Found, aum: Daily, n: int) -> Found:
    if not isinstance(found.value, float):
        return found
    row = len(aum.by_session) - 1 - n
    base = aum.at(row)
    return Found(found.value / float(base.value or math.nan), base.reason)


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


def _grid(source: DataSource, table: str, symbol: str, panel: Panel, column: str = "") -> Floats:
    """Return a column of a table of the fund on the sessions of the panel, (D, 1)."""
    rows = source.read(table, [symbol]).set_index("day")[column or table]
    index: Any = pd.DatetimeIndex(panel.days.astype("datetime64[us]"))
    values: Floats = rows.reindex(index).to_numpy(dtype=np.float64)
    return values[:, None]


def _days(panel: Panel) -> list[date]:
    """Return the sessions up to the day of the brief; the panel has one more (``make_brief``)."""
    days: list[date] = panel.days[:-1].tolist()
    return days
