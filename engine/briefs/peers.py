"""What a brief says of a fund beside others: turnover among its peers, its index among indices, its theme."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.calendars import Calendar
from data.facts.universe import Fund, funds_of, index_names, load_funds, peers, peers_unknown, universe
from data.panel.panel import Panel
from data.source import spans_of
from engine.briefs.lines import INPUTS, Windows
from engine.briefs.series import Found, Sessions, Sheet, growth

if TYPE_CHECKING:
    from data.source import DataSource

UNKNOWN_INDEX = "it is not on file which index the fund tracks"


def add_turnover(
    sheet: Sheet,
    source: DataSource,
    fund: Fund,
    funds: Mapping[str, Fund],
    calendar: Calendar,
    day: date,
    windows: Windows,
) -> None:
    """Add turnover over a month and over windows, and its rank among the funds of the same index."""
    same, unknown = peers(fund.symbol, day, funds), peers_unknown(fund.symbol, day, funds)
    at_least, remark = ("at least ", "; " + "; ".join(unknown)) if unknown else ("", "")
    bars = source.read("bars", [*{*same, fund.symbol}])
    month = (pd.Timestamp(day) - pd.DateOffset(months=1) + pd.Timedelta(days=1)).date()
    years = 1 + max(windows.turnover) // 200  # more than enough sessions
    past = calendar.sessions(max(calendar.first_day, date(day.year - years, 1, 1)), day)
    spans: list[tuple[str, dict[str, int], NDArray[np.datetime64]]] = [
        ("adtv_month", {}, calendar.sessions(month, day)),
        *(("adtv_{n}", {"n": n}, past[-n:]) for n in windows.turnover),
    ]
    for name, braces, span in spans:
        means = {each: _mean_amount(bars, funds[each], span) for each in sorted({*same, fund.symbol})}
        own = means[fund.symbol]
        sheet.add(name, own, **braces)
        if fund.index is None:
            sheet.add(f"{name}_rank", Found(None, UNKNOWN_INDEX), **braces)
            continue
        lacking = tuple(each for each, found in means.items() if found.value is None)
        reason = own.reason or f"turnover of {', '.join(lacking)} is not on file"
        values = [found.value for found in means.values() if isinstance(found.value, float)]
        rank = 1 + sum(value > own.value for value in values) if isinstance(own.value, float) else None
        note = f"of {at_least}{len(means)}: {', '.join(means)}{remark}"
        found = Found(None if lacking else rank, reason, note, lacks="bars", whose=lacking, back=len(span))
        sheet.add(f"{name}_rank", found, **braces)
    note = f"{at_least}{len(same)} funds{remark}" if unknown else ""
    sheet.add("peers", Found(None if fund.index is None else len(same), UNKNOWN_INDEX, note))


def add_indices(
    sheet: Sheet,
    source: DataSource,
    fund: Fund,
    funds: Mapping[str, Fund],
    calendar: Calendar,
    sessions: Sessions,
) -> None:
    """Add the return of the year of the fund's index, and of those to compare it with."""
    if fund.index is None:
        sheet.add("index_ytd", Found(None, UNKNOWN_INDEX), of="")
        return
    day = sessions.days[-1]
    base = calendar.sessions(date(day.year - 1, 12, 1), date(day.year - 1, 12, 31))[-1].item()
    levels = source.read("index_bars")
    codes = _compared(source, fund, funds)
    found = {code: _year(levels, code, base, day) for code in codes}
    sheet.indices.update({code: _since(levels, code, base, sessions) for code in codes})
    called = {code: f" {name}" for code, name in index_names().items()}
    own = found.pop(fund.index)
    sheet.add("index_ytd", own, of=f" {fund.index}{called.get(fund.index, '')}")
    ahead = 0
    for code, each in found.items():
        sheet.add("index_ytd_{index}", each, index=code, called=called.get(code, ""))
        by = Found(None, own.reason or each.reason, lacks="index_bars")
        if isinstance(own.value, float) and isinstance(each.value, float):
            ahead += own.value > each.value
            by = Found(own.value - each.value, note=own.note)
        sheet.add("index_ytd_over_{index}", by, index=code)
    known = sum(each.value is not None for each in found.values())
    best = Found(ahead, note=f"of {known} others on file") if own.value is not None else own
    sheet.add("index_ytd_ahead_of", best)


def add_theme(sheet: Sheet, panel: Panel, fund: Fund, theme: str) -> None:
    """Add the weight of a theme in the fund's index, from the latest file that is public."""
    if fund.index is None:
        sheet.add("theme_weight", Found(None, UNKNOWN_INDEX), theme=theme)
        return
    files = panel.known.index_weights(fund.index)
    if not files:
        reason = f"no weights of the index {fund.index} on file"
        found = Found(None, reason, lacks="index_weights", whose=(fund.index,))
        sheet.add("theme_weight", found, theme=theme)
        return
    latest = max(files, key=lambda file: file.day)
    tags = sorted({tag for tag in latest.themes.values() if tag})
    weight = math.fsum(latest.weights[each] for each, tag in latest.themes.items() if tag == theme)
    reason = f"its constituents have the themes {', '.join(tags)}" if tags else "they carry no theme tags"
    note = f"as published for {latest.day}"
    if "themes" in panel.filled:
        note += "; at least, where only companies of `data facts themes` are tagged"
    found = Found(weight if theme in tags else None, reason, note)
    sheet.add("theme_weight", found, theme=theme)


def funds_with_listings(source: DataSource, symbol: str) -> dict[str, Fund]:
    """Return all funds that may be peers; one without a listing day is listed from its first bar on."""
    table = source.read("funds")
    spans = spans_of(source, "bars")
    symbols = sorted({*load_funds(), *table["symbol"], *spans, symbol})
    funds = funds_of(symbols, table)
    for each, span in spans.items():
        if funds[each].listed is None:
            funds[each] = replace(funds[each], listed=span.first)
    return funds


def _mean_amount(bars: pd.DataFrame, fund: Fund, span: NDArray[np.datetime64]) -> Found:
    """Return the mean money traded a session; None unless bars cover the span (from listing on)."""
    own = bars[bars["symbol"] == fund.symbol]
    days = own["day"].to_numpy().astype("datetime64[D]")
    listed = span[span >= np.datetime64(fund.listed, "D")] if fund.listed else span
    if not len(days) or not len(listed) or days.max() < listed[-1] or days.min() > listed[0]:
        reason = f"the bars of {fund.symbol} do not cover {span[0]} to {span[-1]}"
        return Found(None, reason, lacks="bars", back=len(span))
    inside = own[np.isin(days, listed)]
    amounts = inside["amount"].where(inside["volume"] > 0, 0.0)
    if amounts.isna().any():
        return Found(None, f"the bars of {fund.symbol} have no money traded", lacks=INPUTS["money traded"])
    of = f" of {len(span)}" if len(listed) < len(span) else ""  # it did not list before
    note = f"{len(listed)}{of} sessions, {listed[0]} to {listed[-1]}"
    return Found(math.fsum(amounts) / len(listed), note=note)


def _compared(source: DataSource, fund: Fund, funds: Mapping[str, Fund]) -> list[str]:
    """Return the fund's index and those to compare it with: the AI indices, else those of funds on file."""
    ai = {load_funds()[symbol].index for symbol in universe("ai_cn")}
    if fund.index not in ai:
        on_file = spans_of(source, "bars")
        ai = {each.index for each in funds.values() if each.symbol in on_file} | {fund.index}
    return sorted(code for code in ai if code)


def _since(levels: pd.DataFrame, code: str, base: date, sessions: Sessions) -> NDArray[np.float64]:
    """Return the growth of an index since the session ``base``, (D,); NaN before it and where no level is."""
    own = levels[levels["index"] == code].set_index("day")["close"]
    days = pd.DatetimeIndex(sessions.days)
    grown = own.reindex(days).to_numpy(dtype=np.float64) / float(own.get(pd.Timestamp(base), math.nan)) - 1.0
    return np.where(days >= pd.Timestamp(base), grown, math.nan)


def _year(levels: pd.DataFrame, code: str, base: date, day: date) -> Found:
    own = levels[levels["index"] == code].set_index("day")["close"]
    for each in (day, base):
        if pd.Timestamp(each) not in own.index:
            reason = f"no level of {code} on file for {each}"
            return Found(None, reason, lacks="index_bars", whose=(code,))
    return Found(growth(float(own[pd.Timestamp(day)]), float(own[pd.Timestamp(base)])), note=f"from {base}")
