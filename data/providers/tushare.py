"""Tushare Pro: bars, units, NAV, margin and indices of Chinese funds; needs a token, and points.

==============  ==========================================================================================
table           asked for, per fund or index
==============  ==========================================================================================
bars            ``fund_daily``, with the exchange's reference price
units           ``fund_share``; if that fails or has none, ``etf_share_size``
nav             ``fund_nav``, with the day of the announcement as ``known_at``
margin          ``margin_detail``, with repayments of both exchanges
index_bars      ``index_daily``; which suffix an index has is found by trying
index_weights   ``index_weight``
==============  ==========================================================================================

Splits it has none: its adjustment factors swallow what the net asset value did on the day of the split.

The token is taken from the environment variable TUSHARE_TOKEN, is never written to a file and never printed.
The library sends it unencrypted: its address is plain HTTP.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from data.errors import DataError, UsageError
from data.facts.symbols import MARKET_CODES
from data.providers.provider import NoAnswer, Piece, Request, Verdict, Wanted, not_installed, parts_of

VARIABLE = "TUSHARE_TOKEN"

# An answer of so many rows may have been cut: the smallest of the limits that the documentation gives.
CUT_ROWS = 2000
# The suffixes under which an index may be known; those of CNI first have that of Shenzhen.
_SUFFIXES = {True: ("SZ", "CNI"), False: ("CSI", "SH")}
_CNI = ("97", "98", "399")
# Columns that it gives only when they are named.
_FIELDS = {"etf_share_size": "trade_date,ts_code,etf_name,total_share,total_size,nav,close,exchange"}
_THROTTLED = ("每分钟", "每小时", "每天", "频率", "频次")


class Tushare:
    """The provider ``tushare``; UsageError if the library is not installed, or there is no token."""

    name = "tushare"
    market = "cn_etf"
    tables: tuple[str, ...] = ("bars", "units", "nav", "margin", "index_bars", "index_weights")
    pause = 0.3

    def __init__(self) -> None:
        library = _library()
        self.version = str(library.__version__)
        self._token = os.environ.get(VARIABLE, "").strip()
        if not self._token:
            raise UsageError(
                "Tushare needs a token",
                hint=f"Put that of your account into the environment variable {VARIABLE}.",
            )
        self._api = library.pro_api(self._token)

    def call(self, request: Request) -> pd.DataFrame | None:
        """Ask for the period of the request, in halves if the answer may have been cut."""
        arguments = dict(request.arguments)
        first, last = (_day(arguments.pop(name)) for name in ("start_date", "end_date"))
        pages = self._pages(request.function, arguments, first, last)
        return pd.concat([page for page in pages if len(page)] or pages[:1], ignore_index=True)

    def judge(self, error: Exception) -> Verdict:
        """Tell a network that failed and a limit of calls from a refusal."""
        if isinstance(error, OSError | NoAnswer):
            return "again"
        return "later" if any(word in str(error) for word in _THROTTLED) else "failed"

    def pieces(self, table: str, wanted: Wanted) -> Iterator[Piece]:
        """Say what to ask for one table."""
        if table in ("index_bars", "index_weights"):
            yield from _of_indices(table, wanted)
        else:
            yield from _of_funds(table, wanted)

    def _pages(
        self, function: str, arguments: Mapping[str, str], first: date, last: date
    ) -> list[pd.DataFrame]:
        page = self._page(
            function, {**arguments, "start_date": f"{first:%Y%m%d}", "end_date": f"{last:%Y%m%d}"}
        )
        if len(page) < CUT_ROWS:
            return [page]
        if first == last:
            raise DataError(
                f"{function} of one day has {len(page)} rows: the answer may have been cut",
                limit=f"fewer than {CUT_ROWS} rows",
            )
        middle = first + (last - first) // 2
        return [
            *self._pages(function, arguments, first, middle),
            *self._pages(function, arguments, middle + timedelta(days=1), last),
        ]

    def _page(self, function: str, arguments: Mapping[str, str]) -> pd.DataFrame:
        fields = _FIELDS.get(function, "")
        try:
            answer = getattr(self._api, function)(fields=fields, **arguments)
        except (OSError, json.JSONDecodeError) as error:
            raise ConnectionError(self._without_token(error)) from None
        except Exception as error:
            raise RuntimeError(self._without_token(error)) from None
        if not isinstance(answer, pd.DataFrame) or answer.columns.empty:
            raise NoAnswer("the server answered with an error; the library does not say which")
        return answer

    def _without_token(self, error: Exception) -> str:
        return str(error).replace(self._token, VARIABLE)


def _of_funds(table: str, wanted: Wanted) -> Iterator[Piece]:
    functions = {
        "bars": (("fund_daily", "tushare-fund-daily"),),
        "units": (("fund_share", "tushare-fund-share"), ("etf_share_size", "tushare-etf-share-size")),
        "nav": (("fund_nav", "tushare-fund-nav"),),
        "margin": (("margin_detail", "tushare-margin-detail"),),
    }
    for symbol in wanted.symbols:
        if symbol in MARKET_CODES:
            continue
        arguments = {"ts_code": symbol, **_period(wanted)}
        yield Piece(
            symbol,
            tuple(
                Request(
                    function,
                    arguments,
                    parts_of(name, table),
                    wanted.end,
                    {"ts_code": symbol},
                    _first_announced if function == "fund_nav" else None,
                )
                for function, name in functions[table]
            ),
            (symbol,),
            wanted.start,
            wanted.end,
        )


def _of_indices(table: str, wanted: Wanted) -> Iterator[Piece]:
    function, column, name = {
        "index_bars": ("index_daily", "ts_code", "tushare-index-daily"),
        "index_weights": ("index_weight", "index_code", "tushare-index-weight"),
    }[table]
    for index in wanted.indices:
        codes = [f"{index}.{suffix}" for suffix in _SUFFIXES[index.startswith(_CNI)]]
        yield Piece(
            index,
            tuple(
                Request(
                    function,
                    {column: code, **_period(wanted)},
                    parts_of(name, table),
                    wanted.end,
                    {column: code},
                )
                for code in codes
            ),
            (index,),
            wanted.start,
            wanted.end,
        )


def _first_announced(cells: pd.DataFrame) -> pd.DataFrame:
    """Keep of each day what was announced first: a row that corrects it was not known then."""
    if not {"nav_date", "ann_date"} <= set(cells.columns):
        return cells
    return cells.sort_values(["nav_date", "ann_date"], kind="stable").drop_duplicates("nav_date")


def _period(wanted: Wanted) -> dict[str, str]:
    return {"start_date": f"{wanted.start:%Y%m%d}", "end_date": f"{wanted.end:%Y%m%d}"}


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()


def _library() -> Any:
    try:
        import tushare
    except ImportError as error:
        raise not_installed("tushare", "tushare", error) from None
    return tushare
