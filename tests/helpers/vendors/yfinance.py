"""Stands in for yfinance 1.7: ``Ticker.history`` and its metadata, on payloads made up by hand.

Without a connection, or for a ticker that Yahoo does not know, ``history`` returns an empty frame, no error,
unless ``config.debug.hide_exceptions`` is off.
"""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import pandas as pd

__version__ = "1.7.0"
CALLS: list[tuple[str, dict[str, str]]] = []
TROUBLE: dict[str, list[Exception]] = {}
# Tickers that the vendor answers about when it is asked about another one.
MISTAKEN: dict[str, str] = {}

# AIQ has no split here. SOXL splits 1:3 on 2025-08-20 and 1:2 on 2025-08-25, and pays 0.06 before both.
HISTORY = {
    "AIQ": """
Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits,Capital Gains
2025-08-19,44.099998474121094,44.220001220703125,43.5099983215332,43.599998474121094,43.55,512300,0.0,0.0,0.0
2025-08-20,43.400001525878906,43.52000045776367,42.709999084472656,43.29999923706055,43.25,690100,0.0,0.0,0.0
""",
    "SOXL": """
Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits,Capital Gains
2025-08-18,5.0,5.1,4.9,5.05,5.05,6000,0.01,0.0,0.0
2025-08-19,5.1,5.2,5.0,5.15,5.15,12000,0.0,0.0,0.0
2025-08-20,5.2,5.3,5.1,5.25,5.25,2000,0.0,3.0,0.0
2025-08-22,,,,,,0,0.02,0.0,0.0
2025-08-25,5.3,5.4,5.2,5.35,5.35,1000,0.0,2.0,0.0
""",
}


config = SimpleNamespace(debug=SimpleNamespace(hide_exceptions=True))


class YFPricesMissingError(Exception):
    pass


class Ticker:
    def __init__(self, ticker: str) -> None:
        self.ticker = ticker

    @property
    def history_metadata(self) -> dict[str, str]:
        return {"symbol": MISTAKEN.get(self.ticker, self.ticker), "currency": "USD"}

    def history(self, start: str, end: str, auto_adjust: bool = True, actions: bool = True) -> pd.DataFrame:
        CALLS.append(("history", {"ticker": self.ticker, "start": start, "end": end}))
        assert not auto_adjust
        assert actions
        if TROUBLE.get("history"):
            raise TROUBLE["history"].pop(0)
        if self.ticker not in HISTORY:
            if not config.debug.hide_exceptions:
                raise YFPricesMissingError(f"${self.ticker}: possibly delisted; no price data found")
            return pd.DataFrame()
        frame = pd.read_csv(StringIO(HISTORY[self.ticker].strip()), index_col="Date", parse_dates=True)
        frame = frame[(frame.index >= start) & (frame.index < end)]
        return frame.tz_localize("America/New_York")
