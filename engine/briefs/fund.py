"""What a brief says of the fund itself: its flows, its margin financing, its prices and NAV."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.choices import VALUATIONS
from data.facts.universe import Fund
from data.panel.flows import (
    nav_as_prices,
    nav_premium,
    net_financing,
    pending_splits,
    unit_changes,
    unit_prices,
)
from data.panel.panel import Panel
from data.source import spans_of
from engine.briefs.lines import INPUTS, Windows
from engine.briefs.series import Changes, Daily, Found, Sessions, Sheet, growth

if TYPE_CHECKING:
    from data.source import DataSource

Floats = NDArray[np.float64]


def add_flows(
    sheet: Sheet, source: DataSource, panel: Panel, sessions: Sessions, fund: Fund, windows: Windows
) -> None:
    """Add net inflow in every convention, its streak, fund units and AUM."""
    market = panel.market
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
    steps = Changes(
        "unit count", changes.change[:-1, 0], changes.before[:-1, 0], market.traded[:-1, 0], sessions
    )
    aum = Daily("unit count and NAV", (units * prices["nav"])[:-1, 0], sessions)
    lacks = {"vwap": "money traded", "nav": "NAV", "prev_nav": "NAV before", "close": "price"}
    sheet.series["flow"] = (changes.change * prices["vwap"])[:-1, 0]
    for n in windows.inflow:
        for name in VALUATIONS:
            found = steps.over(n, (changes.change * prices[name])[:-1, 0], lacks[name])
            sheet.add("net_inflow_{n}_{valuation}", found, n=n, valuation=name)
            if name == "vwap":
                sheet.add("net_inflow_{n}_ratio", _over_aum(found, aum, n), n=n)
        sheet.add("inflow_sessions_{n}", steps.count(n), n=n)
    sheet.add("inflow_streak", steps.streak())
    sheet.add("units", Daily("unit count", units[:-1, 0], sessions).latest())
    adjusted = Daily("unit count", changes.adjusted[:-1, 0], sessions)
    sheet.add("units_record", adjusted.record(fund.listed))
    adjusted_units = adjusted.by_session
    row = sessions.latest(np.isfinite(adjusted_units))
    sheet.series["units"] = adjusted_units * (units[row, 0] / adjusted_units[row])
    sheet.series["aum"] = aum.by_session
    sheet.add("aum", aum.latest())
    sheet.add("aum_record", aum.record(fund.listed))
    at_close = Daily("unit count", (units * prices["close"])[:-1, 0], sessions)
    sheet.add("aum_close", at_close.latest())


def add_leverage(
    sheet: Sheet, source: DataSource, panel: Panel, sessions: Sessions, fund: Fund, windows: Windows
) -> None:
    """Add net financing over windows that end with the day and with the session before, and the balance."""
    balance = _grid(source, "margin", fund.symbol, panel, "balance")
    begun = [span.first for name, span in spans_of(source, "margin").items() if "." in name and span.first]
    first = min(begun, default=panel.days[0])
    recorded = np.array([np.searchsorted(panel.days, np.datetime64(first, "D"))], dtype=np.int64)
    change, rows = net_financing(balance, recorded_from=recorded)
    change = change[:-1, 0]
    steps = Changes("margin balance", change, rows[:-1, 0], panel.market.traded[:-1, 0], sessions)
    sheet.series["financing"], sheet.series["margin"] = change, balance[:-1, 0]
    has_before = sessions.last > 0
    none = sessions.begins_late(f"no session before {sessions.days[-1]} is on file", 2, "margin balance")
    for n in windows.financing:
        sheet.add("net_financing_{n}", steps.over(n, change, "margin balance"), n=n)
        ended = steps.before().over(n, change[:-1], "margin balance") if has_before else none
        sheet.add("net_financing_{n}_before", ended, n=n)
    sheet.add("financing_streak", steps.streak())
    held = Daily("margin balance", balance[:-1, 0], sessions)
    sheet.add("margin_balance", held.latest())
    sheet.add("margin_balance_record", held.record(None))
    before = Daily("margin balance", balance[:-2, 0], sessions.before())
    sheet.add("margin_balance_before", before.latest() if has_before else none)
    sheet.add("margin_balance_before_record", before.record(None) if has_before else none)


def add_prices(sheet: Sheet, source: DataSource, panel: Panel, sessions: Sessions, fund: Fund) -> None:
    """Add close, NAV and premium, the highest price, and the return of the year."""
    market, row = panel.market, sessions.last
    on_the_day = Sessions(sessions.days, stale_after=0)  # a close is there once the session is over, or never
    close = Daily("trade", market.close[:-1, 0], on_the_day)
    sheet.add("close", close.latest())
    nav = _grid(source, "nav", fund.symbol, panel)[:-1, 0]
    pending = pending_splits(market.events, market.close.shape)[:-1, 0]
    sheet.add("nav", Daily("NAV", nav, sessions).latest())
    as_prices = nav_as_prices(nav, close.by_session, pending)
    premium = Daily("NAV", nav_premium(close.by_session, nav, pending), sessions)
    reason = (
        close.lacking(row) if np.isnan(close.by_session[row]) else Daily("NAV", nav, sessions).lacking(row)
    )
    lacks = "" if np.isnan(close.by_session[row]) else INPUTS["NAV"]
    sheet.add("premium", replace(premium.latest(), reason=reason, lacks=lacks))
    adjusted = market.close[:-1, 0] * market.adjustment[:-1, 0]
    basis = market.adjustment[:-1, 0] / market.adjustment[row, 0]
    sheet.series["close"], sheet.series["nav"] = market.close[:-1, 0] * basis, as_prices * basis
    sheet.series["turnover"] = (market.volume * market.vwap)[:-1, 0]
    total = Daily("trade", adjusted, on_the_day)
    sheet.add("price_record", total.record(fund.listed))
    highest, top = None, None
    if np.isfinite(adjusted).any():
        best = int(np.nanargmax(adjusted))
        highest, top = float(adjusted[best] / market.adjustment[row, 0]), str(sessions.days[best])
    never = close.lacking(row)
    sheet.add("price_high", Found(highest, never))
    sheet.add("price_high_day", Found(top, never))
    sheet.add("fund_ytd", _year(total, fund))


def _year(prices: Daily, fund: Fund) -> Found:
    """Return the return of the year; of a fund that listed within it there is none."""
    sessions = prices.sessions
    year = sessions.days[-1].year
    earlier = np.flatnonzero([each.year < year for each in sessions.days])
    if not len(earlier):
        if fund.listed is not None and fund.listed.year == year:
            return Found(None, f"it listed within the year, on {fund.listed}")
        return Found(None, "no price of the year before is on file", lacks="bars")
    before, now = prices.by_session[earlier[-1]], prices.by_session[-1]
    lacking = int(earlier[-1]) if np.isnan(before) else sessions.last
    return Found(growth(float(now), float(before)), prices.lacking(lacking))


def _over_aum(found: Found, aum: Daily, n: int) -> Found:
    """Return a sum over the AUM at the end of the session before its ``n`` sessions."""
    if not isinstance(found.value, float):
        return found
    sessions = aum.sessions
    row = sessions.last if found.older is None else sessions.days.index(found.older)
    base = aum.at(row - n)
    return Found(
        found.value / float(base.value or math.nan), base.reason, older=found.older, lacks=base.lacks
    )


def _grid(source: DataSource, table: str, symbol: str, panel: Panel, column: str = "") -> Floats:
    """Return a column of a table of the fund, (D, 1); the panel has a session more than the brief."""
    rows = source.read(table, [symbol]).set_index("day")[column or table]
    index: Any = pd.DatetimeIndex(panel.days.astype("datetime64[us]"))
    values: Floats = rows.reindex(index).to_numpy(dtype=np.float64)
    return values[:, None]
