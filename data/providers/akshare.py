"""AKShare: bars, units, NAV, margin, indices and actions of Chinese funds, from public web pages.

==============  ==========================================================================================
table           asked for
==============  ==========================================================================================
bars            per fund: East Money; if that fails or has none, Sina
units           Shanghai per session; Shenzhen per month
nav             per fund: East Money
margin          per session and exchange; Shenzhen publishes no repayments. The whole market: East Money
index_bars      per index: China Securities Index, then East Money; codes of CNI (97, 98, 399): CNI
                only, because other sources go by the digits alone and may take another security
index_weights   per index: the last file of China Securities Index, the history of CNI
actions         per year: splits and dividends of all funds, East Money, read by ``data.providers.eastmoney``
==============  ==========================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd

from data.facts.calendars import calendar_for
from data.facts.symbols import exchange_or_none
from data.providers import eastmoney
from data.providers.provider import Piece, Request, Verdict, Wanted, not_installed, parts_of

_MARKET = "CN"
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
# A page of a site that throttles, read as what it is not: JSON, or a workbook.
_BROKEN = (
    ("JSONDecodeError", ""),
    ("BadZipFile", ""),
    ("ValueError", "Excel file format cannot be determined"),
)
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
        """Call the function of that name, or ours where the library's would run what the site sends."""
        ours = eastmoney.FUNCTIONS.get(request.function)
        answer: pd.DataFrame | None
        answer = (ours or getattr(self._library, request.function))(**request.arguments)
        return answer

    def judge(self, error: Exception) -> Verdict:
        """Tell an empty page and a broken one from columns that have changed."""
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status is not None and 400 <= status < 500:
            return "later" if status in eastmoney.THROTTLED else "failed"
        if isinstance(error, OSError) or _is_one_of(_BROKEN, error):
            return "again"
        return "empty" if _is_one_of(_EMPTY, error) else "failed"

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
            (symbol,),
            wanted.start,
            wanted.end,
        )


def _units(wanted: Wanted) -> Iterator[Piece]:
    if shanghai := _at("SSE", wanted):
        parts = parts_of("akshare-etf-scale-sse", "units")
        for day in _sessions(wanted):
            says = {"统计日期": day.isoformat()}
            request = Request("fund_etf_scale_sse", {"date": _compact(day)}, parts, day, says)
            yield Piece(f"SSE {day}", (request,), shanghai, day, day)
    if shenzhen := _at("SZSE", wanted):
        parts = parts_of("akshare-scale-daily-szse", "units")
        for first, last in _months(wanted):
            days = {"start_date": _compact(first), "end_date": _compact(last), "symbol": "ETF"}
            request = Request("fund_scale_daily_szse", days, parts, last)
            yield Piece(f"SZSE {first:%Y-%m}", (request,), shenzhen, max(first, wanted.start), last)


def _nav(wanted: Wanted) -> Iterator[Piece]:
    parts = parts_of("eastmoney-nav", "nav")
    for symbol in wanted.symbols:
        arguments = {"fund": symbol.partition(".")[0], **_period(wanted)}
        request = Request("fund_etf_fund_info_em", arguments, parts, wanted.end)
        yield Piece(symbol, (request,), (symbol,), wanted.start, wanted.end)


def _margin(wanted: Wanted) -> Iterator[Piece]:
    shanghai, shenzhen = _at("SSE", wanted), _at("SZSE", wanted)
    maps = {name: parts_of(f"akshare-margin-detail-{name}", "margin") for name in ("sse", "szse")}
    for day in _sessions(wanted):
        arguments = {"date": _compact(day)}
        if shanghai:
            says = {"信用交易日期": _compact(day)}
            request = Request("stock_margin_detail_sse", arguments, maps["sse"], day, says)
            yield Piece(f"SSE {day}", (request,), shanghai, day, day)
        if shenzhen:
            # The answer has no day; its map takes the one that was asked for from the name of the request.
            request = Request("stock_margin_detail_szse", arguments, maps["szse"], day)
            yield Piece(f"SZSE {day}", (request,), shenzhen, day, day)
    if _MARKET in wanted.symbols:
        parts = parts_of("akshare-margin-account", "margin")
        request = Request("stock_margin_account_info", {}, parts, wanted.today)
        yield Piece("the whole market", (request,), (_MARKET,), wanted.start, wanted.end)


def _index_bars(wanted: Wanted) -> Iterator[Piece]:
    cni, own = parts_of("cni-history", "index_bars"), parts_of("csindex-history", "index_bars")
    east_money = parts_of("eastmoney-index", "index_bars")
    for code in wanted.indices:
        arguments = {"symbol": code, **_period(wanted)}
        marked = {**arguments, "symbol": ("sh" if code.startswith("000") else "csi") + code}
        requests: tuple[Request, ...] = (
            Request("stock_zh_index_hist_csindex", arguments, own, wanted.end, {"指数代码": code}),
            Request("stock_zh_index_daily_em", marked, east_money, wanted.end),
        )
        if code.startswith(_CNI):
            requests = (Request("index_hist_cni", arguments, cni, wanted.end),)
        yield Piece(code, requests, (code,), wanted.start, wanted.end)


def _index_weights(wanted: Wanted) -> Iterator[Piece]:
    for code in wanted.indices:
        if code.startswith(_CNI):
            function, parts, says = "index_detail_cni", parts_of("cni-weights", "index_weights"), {}
        else:
            function, parts = "index_stock_cons_weight_csindex", parts_of("csindex-weights", "index_weights")
            says = {"指数代码": code}
        request = Request(function, {"symbol": code}, parts, wanted.today, says)
        yield Piece(code, (request,), (code,), wanted.start, wanted.end)


def _actions(wanted: Wanted) -> Iterator[Piece]:
    kinds = {"splits": ("fund_cf_em", "eastmoney-splits"), "dividends": ("fund_fh_em", "eastmoney-dividends")}
    for year in range((wanted.start - _LONGEST_HOLIDAY).year, wanted.end.year + 1):
        first, last = date(year, 1, 1), min(date(year, 12, 31), wanted.today)
        for kind, (function, name) in kinds.items():
            request = Request(function, {"year": str(year)}, parts_of(name, "actions"), last)
            lost = max(first, wanted.start), min(last, wanted.end)
            yield Piece(f"{kind} of {year}", (request,), wanted.symbols, min(lost), max(lost))


def _is_one_of(kinds: tuple[tuple[str, str], ...], error: Exception) -> bool:
    told = str(error).strip("'\"")
    return any(type(error).__name__ == name and told.startswith(start) for name, start in kinds)


def _at(exchange: str, wanted: Wanted) -> tuple[str, ...]:
    return tuple(symbol for symbol in wanted.symbols if exchange_or_none(symbol) == exchange)


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
