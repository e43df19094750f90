"""AKShare: bars, units, NAV, margin, indices and actions of Chinese funds, from public web pages.

==============  ==========================================================================================
table           asked for
==============  ==========================================================================================
bars            per fund: East Money; if that fails or has none, Sina
units           Shanghai per session; Shenzhen per month; for today alone also the undated list of Shenzhen
nav             per fund: East Money
margin          per session and exchange; Shenzhen publishes no repayments. The whole market: East Money
index_bars      per index: China Securities Index, then East Money; codes of CNI (97, 98, 399): CNI
                only, because other sources go by the digits alone and may take another security
index_weights   per index: the last file of China Securities Index, the history of CNI
actions         per year: splits and dividends of all funds, East Money
==============  ==========================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from data.facts.calendars import calendar_for
from data.facts.symbols import exchange_of
from data.providers.provider import Piece, Request, Verdict, Wanted, not_installed, parts_of

_CNI = ("97", "98", "399")
# How its functions fail when a site has no rows: they name, select or join columns that are not there. What
# Shenzhen sends for a day without a list has one column at most.
_EMPTY = (
    ("KeyError", "None of ["),
    ("ValueError", "Length mismatch: Expected axis has 0 elements"),
    ("ValueError", "Length mismatch: Expected axis has 1 elements"),
    ("ValueError", "No objects to concatenate"),
    ("TypeError", "'NoneType' object is not subscriptable"),
)
# A page of a site that throttles, read as what it is not: JSON, a workbook, a list.
_BROKEN = ("JSONDecodeError", "BadZipFile", "SyntaxError")
# A split counts in units on the record day, and may take effect on prices in the next year.
_LONGEST_HOLIDAY = timedelta(days=14)


class AkShare:
    """The provider ``akshare``; UsageError if the library is not installed."""

    name = "akshare"
    market = "cn_etf"
    tables: tuple[str, ...] = (
        "bars",
        "units",
        "nav",
        "margin",
        "index_bars",
        "index_weights",
        "actions",
    )
    pause = 0.5

    def __init__(self) -> None:
        self._library = _library()
        self.version = str(self._library.__version__)

    def call(self, request: Request) -> pd.DataFrame | None:
        """Call the function of that name."""
        answer: pd.DataFrame | None = getattr(self._library, request.function)(**request.arguments)
        return answer

    def judge(self, error: Exception) -> Verdict:
        """Tell an empty page and a broken one from columns that have changed."""
        kind, text = type(error).__name__, str(error).strip("'\"")
        if isinstance(error, OSError) or kind in _BROKEN:
            return "again"
        return "empty" if any(kind == name and text.startswith(start) for name, start in _EMPTY) else "failed"

    def pieces(self, table: str, wanted: Wanted) -> Iterator[Piece]:
        """Say what to ask for one table."""
        pieces = {
            "bars": _bars,
            "units": _units,
            "nav": _nav,
            "margin": _margin,
            "index_bars": _index_bars,
            "index_weights": _index_weights,
            "actions": _actions,
        }
        return pieces[table](wanted)


def _bars(wanted: Wanted) -> Iterator[Piece]:
    east_money, sina = parts_of("eastmoney-daily", "bars"), parts_of("akshare-sina", "bars")
    for symbol in wanted.symbols:
        code, _, exchange = symbol.partition(".")
        one = {"symbol": code, "period": "daily", **_period(wanted), "adjust": ""}
        other = {"symbol": exchange.lower() + code}
        yield Piece(
            symbol,
            (
                Request("fund_etf_hist_em", one, east_money, wanted.end),
                Request("fund_etf_hist_sina", other, sina, wanted.today),
            ),
        )


def _units(wanted: Wanted) -> Iterator[Piece]:
    exchanges = {exchange_of(symbol) for symbol in wanted.symbols}
    if "SSE" in exchanges:
        parts = parts_of("akshare-etf-scale-sse", "units")
        for day in _sessions(wanted):
            says = {"统计日期": day.isoformat()}
            request = Request("fund_etf_scale_sse", {"date": _compact(day)}, parts, day, says)
            yield Piece(f"SSE {day}", (request,))
    if "SZSE" in exchanges:
        for first, last in _months(wanted):
            days = {"start_date": _compact(first), "end_date": _compact(last), "symbol": "ETF"}
            parts = parts_of("akshare-scale-daily-szse", "units")
            history = Request("fund_scale_daily_szse", days, parts, last)
            only_today = wanted.start == wanted.end == wanted.today
            yield Piece(
                f"SZSE {first:%Y-%m}", (history, _list_of_today(wanted)) if only_today else (history,)
            )


def _list_of_today(wanted: Wanted) -> Request:
    """Return the request for Shenzhen's undated list: a count of now, never that of an earlier day."""
    stamp = {"day": wanted.today.isoformat(), "known_at": f"{wanted.now:%Y-%m-%d %H:%M:%S}"}
    parts = tuple(
        replace(part, file_name=None, constants=stamp) for part in parts_of("akshare-etf-scale-szse", "units")
    )
    return Request("fund_etf_scale_szse", {}, parts, wanted.today)


def _nav(wanted: Wanted) -> Iterator[Piece]:
    parts = parts_of("eastmoney-nav", "nav")
    for symbol in wanted.symbols:
        arguments = {"fund": symbol.partition(".")[0], **_period(wanted)}
        yield Piece(symbol, (Request("fund_etf_fund_info_em", arguments, parts, wanted.end),))


def _margin(wanted: Wanted) -> Iterator[Piece]:
    exchanges = {exchange_of(symbol) for symbol in wanted.symbols}
    shanghai = parts_of("akshare-margin-detail-sse", "margin")
    shenzhen = parts_of("akshare-margin-detail-szse", "margin")
    for day in _sessions(wanted):
        arguments = {"date": _compact(day)}
        if "SSE" in exchanges:
            says = {"信用交易日期": _compact(day)}
            request = Request("stock_margin_detail_sse", arguments, shanghai, day, says)
            yield Piece(f"SSE {day}", (request,))
        if "SZSE" in exchanges:
            # The answer has no day; its map takes the one that was asked for from the name of the request.
            yield Piece(f"SZSE {day}", (Request("stock_margin_detail_szse", arguments, shenzhen, day),))
    parts = parts_of("akshare-margin-account", "margin")
    yield Piece("the whole market", (Request("stock_margin_account_info", {}, parts, wanted.today),))


def _index_bars(wanted: Wanted) -> Iterator[Piece]:
    for code in wanted.indices:
        arguments = {"symbol": code, **_period(wanted)}
        if code.startswith(_CNI):
            cni = Request("index_hist_cni", arguments, parts_of("cni-history", "index_bars"), wanted.end)
            yield Piece(code, (cni,))
            continue
        own, east_money = parts_of("csindex-history", "index_bars"), parts_of("eastmoney-index", "index_bars")
        marked = {**arguments, "symbol": ("sh" if code.startswith("000") else "csi") + code}
        yield Piece(
            code,
            (
                Request("stock_zh_index_hist_csindex", arguments, own, wanted.end, {"指数代码": code}),
                Request("stock_zh_index_daily_em", marked, east_money, wanted.end),
            ),
        )


def _index_weights(wanted: Wanted) -> Iterator[Piece]:
    for code in wanted.indices:
        if code.startswith(_CNI):
            function, parts, says = "index_detail_cni", parts_of("cni-weights", "index_weights"), {}
        else:
            function, parts = "index_stock_cons_weight_csindex", parts_of("csindex-weights", "index_weights")
            says = {"指数代码": code}
        yield Piece(code, (Request(function, {"symbol": code}, parts, wanted.today, says),))


def _actions(wanted: Wanted) -> Iterator[Piece]:
    kinds = {"splits": ("fund_cf_em", "eastmoney-splits"), "dividends": ("fund_fh_em", "eastmoney-dividends")}
    for year in range((wanted.start - _LONGEST_HOLIDAY).year, wanted.end.year + 1):
        last = min(date(year, 12, 31), wanted.today)
        for kind, (function, name) in kinds.items():
            request = Request(function, {"year": str(year)}, parts_of(name, "actions"), last)
            yield Piece(f"{kind} of {year}", (request,))


def _sessions(wanted: Wanted) -> list[date]:
    sessions: list[date] = calendar_for("cn_etf").sessions(wanted.start, wanted.end).astype(object).tolist()
    return sessions


def _months(wanted: Wanted) -> Iterator[tuple[date, date]]:
    """Yield whole months, so that another start asks for the same; the last one ends with what is wanted."""
    first = wanted.start.replace(day=1)
    while first <= wanted.end:
        following = (first + timedelta(days=31)).replace(day=1)
        yield first, min(following - timedelta(days=1), wanted.end)
        first = following


def _period(wanted: Wanted) -> dict[str, str]:
    return {"start_date": _compact(wanted.start), "end_date": _compact(wanted.end)}


def _compact(day: date) -> str:
    return f"{day:%Y%m%d}"


def _library() -> Any:
    # Its own progress bars would write over ours; tqdm looks once, when it is imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        import akshare
    except ImportError as error:
        raise not_installed("akshare", "cn", error) from None
    return akshare
