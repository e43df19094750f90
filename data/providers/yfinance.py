"""yfinance: daily bars, splits and dividends of American funds from Yahoo.

Yahoo gives prices, volumes and dividends of the past on the basis of today's splits, also of those after the
period that is asked for. So every request reaches until today, and what was traded is rebuilt
(``data.importing.as_traded``).

The splits of Chinese funds are not reliable there, so it has none of those.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pandas as pd

from data.importing.as_traded import as_traded
from data.providers.provider import NoAnswer, Piece, Request, Verdict, Wanted, not_installed, parts_of
from data.store.cells import blank

# What it makes of an answer that gives a reason instead of prices.
_TOLD_BY_YAHOO = ("YFPricesMissingError", "YFTzMissingError", "YFDataException")


class YFinance:
    """The provider ``yfinance``; UsageError if the library is not installed."""

    name = "yfinance"
    market = "us_etf"
    tables: tuple[str, ...] = ("bars", "actions")
    pause = 0.5

    def __init__(self) -> None:
        self._library = _library()
        self.version = str(self._library.__version__)

    def call(self, request: Request) -> pd.DataFrame | None:
        """Ask for the history of one ticker; NoAnswer where there is none, which may be an error unsaid."""
        words = dict(request.arguments)
        with _errors_raised(self._library):
            ticker = self._library.Ticker(words.pop("ticker"))
            history: pd.DataFrame = ticker.history(**words, auto_adjust=False, actions=True)
        if len(history) == 0:
            raise NoAnswer("no rows, and no reason")
        history.index = pd.DatetimeIndex(history.index).tz_localize(None).rename("Date")
        return history.assign(Symbol=str(ticker.history_metadata.get("symbol"))).reset_index()

    def judge(self, error: Exception) -> Verdict:
        """Tell a network that failed and a limit of calls from a ticker that is gone, and the rest."""
        kind = type(error).__name__
        if kind == "YFRateLimitError":
            return "later"
        if kind in _TOLD_BY_YAHOO:
            return "failed" if "delisted" in str(error) else "again"
        broken = isinstance(error, OSError | NoAnswer) or kind == "JSONDecodeError"
        return "again" if broken else "failed"

    def pieces(self, table: str, wanted: Wanted) -> Iterator[Piece]:
        """Say what to ask for one table."""
        parts, prepare = parts_of("yfinance", table), as_traded if table == "actions" else _bars_as_traded
        for symbol in wanted.symbols:
            ticker = symbol.partition(".")[0]
            arguments = {
                "ticker": ticker,
                "start": wanted.start.isoformat(),
                "end": (wanted.today + timedelta(days=1)).isoformat(),
            }
            says = {"Symbol": ticker}
            request = Request("history", arguments, parts, wanted.today, says, prepare)
            yield Piece(symbol, (request,), (symbol,), wanted.start, wanted.end)


def _bars_as_traded(cells: pd.DataFrame) -> pd.DataFrame:
    traded = as_traded(cells)
    # Days on which only a dividend or a split was recorded have no prices.
    return traded[~blank(traded["Close"])]


@contextmanager
def _errors_raised(library: Any) -> Iterator[None]:
    """Let the library raise what it would log, and return as if there were no rows."""
    debug = library.config.debug
    before, debug.hide_exceptions = debug.hide_exceptions, False
    try:
        yield
    finally:
        debug.hide_exceptions = before


def _library() -> Any:
    try:
        import yfinance
    except ImportError as error:
        raise not_installed("yfinance", "yahoo", error) from None
    # It logs what it does not raise; what matters of that is said once, by the error.
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    return yfinance
