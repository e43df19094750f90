"""A provider on a stand-in for its vendor's library, with a store and a clock that does not wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import pandas as pd

import run_backtest
from data.providers import Connection, FetchReport, fetch, load_provider, update
from data.store.store import Store

ROOT = Path(run_backtest.__file__).parent
VENDORS = ROOT / "tests" / "helpers" / "vendors"
LONG_AFTER = datetime(2026, 1, 15, 12, tzinfo=ZoneInfo("UTC"))
TOKEN = "0123456789abcdef-secret"
FIRST, LAST = date(2025, 8, 19), date(2025, 8, 20)


@dataclass
class Case:
    """A provider, what it is asked for, and what must come of it: rows written by hand, in our units."""

    symbols: tuple[str, ...]
    rows: dict[str, dict[tuple[str, ...], dict[str, float]]]
    first_function: str


BARS = {
    ("159363.SZ", "2025-08-19"): {
        "open": 0.711,
        "high": 0.719,
        "low": 0.698,
        "close": 0.704,
        "volume": 412_000_000,
        "amount": 291_500_000,
    },
    ("159363.SZ", "2025-08-20"): {"close": 0.729, "volume": 523_000_000, "amount": 371_800_000},
    ("588790.SH", "2025-08-20"): {"high": 0.662, "low": 0.640, "volume": 250_000_000, "amount": 163_000_000},
}
UNITS = {
    ("159363.SZ", "2025-08-19"): {"units": 3_861_000_000},
    ("159363.SZ", "2025-08-20"): {"units": 3_970_000_000},
    ("588790.SH", "2025-08-20"): {"units": 7_012_384_000},
}
NAV = {("159363.SZ", "2025-08-19"): {"nav": 0.7041}, ("159363.SZ", "2025-08-20"): {"nav": 0.7291}}
CASES = {
    "akshare": Case(
        symbols=("159363.SZ", "588790.SH"),
        rows={
            "bars": BARS,
            "units": UNITS,
            "nav": NAV,
            "margin": {
                ("588790.SH", "2025-08-20"): {
                    "balance": 231_500_000,
                    "bought": 48_200_000,
                    "repaid": 39_100_000,
                },
                ("159363.SZ", "2025-08-20"): {
                    "balance": 112_000_000,
                    "bought": 41_300_000,
                    "repaid": float("nan"),
                },
                ("CN", "2025-08-20"): {"balance": 2_105_550_000_000, "bought": 259_010_000_000},
            },
            "index_bars": {
                ("970070", "2025-08-20"): {"open": 3979.0, "close": 4113.42},
                ("950180", "2025-08-20"): {"high": 1533.2, "low": 1490.5, "amount": 51_230_000_000},
            },
            "index_weights": {
                ("970070", "2025-08-20", "300308"): {"weight": 0.1602},
                ("950180", "2025-08-20", "688256"): {"weight": 0.125},
            },
            "actions": {("588790.SH", "dividend", "2025-08-20"): {"cash": 0.012}},
        },
        first_function="fund_etf_hist_em",
    ),
    "tushare": Case(
        symbols=("159363.SZ", "588790.SH"),
        rows={
            "bars": {**BARS, ("159363.SZ", "2025-08-20"): {"pre_close": 0.704, "volume": 523_000_000}},
            "units": UNITS,
            "nav": NAV,
            "margin": {
                ("159363.SZ", "2025-08-20"): {
                    "balance": 112_000_000,
                    "bought": 41_300_000,
                    "repaid": 27_786_000,
                },
                ("588790.SH", "2025-08-20"): {"balance": 231_500_000, "repaid": 39_100_000},
            },
            "index_bars": {
                ("970070", "2025-08-20"): {"open": 3979.0, "close": 4113.42, "amount": 61_230_000_000},
                ("950180", "2025-08-20"): {"low": 1490.5, "amount": 51_230_000_000},
            },
            "index_weights": {
                ("970070", "2025-08-20", "300308"): {"weight": 0.1602},
                ("950180", "2025-08-20", "688256"): {"weight": 0.125},
            },
        },
        first_function="fund_daily",
    ),
    "yfinance": Case(
        symbols=("AIQ.US", "SOXL.US"),
        rows={
            "bars": {
                ("AIQ.US", "2025-08-19"): {
                    "open": 44.10,
                    "high": 44.22,
                    "low": 43.51,
                    "close": 43.60,
                    "volume": 512_300,
                },
                ("AIQ.US", "2025-08-20"): {"close": 43.30, "volume": 690_100},
                ("SOXL.US", "2025-08-19"): {"close": 5.15 * 3 * 2, "volume": 12_000 / 3 / 2},
                ("SOXL.US", "2025-08-20"): {"close": 5.25 * 2, "volume": 2_000 / 2},
            },
            "actions": {("SOXL.US", "split", "2025-08-20"): {"ratio": 3.0}},
        },
        first_function="history",
    ),
}


@dataclass
class Bench:
    """A provider on its stand-in, with a store, answers on file and a clock that does not wait."""

    library: ModuleType
    name: str
    folder: Path
    waited: list[float]

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    @property
    def asked(self) -> list[str]:
        return [function for function, _ in self.library.CALLS]

    def connection(self, name: str = "", *, refresh: bool = False) -> Connection:
        provider = load_provider(name or self.name)
        return Connection(provider, self.folder / "answers", refresh=refresh, sleep=self.waited.append)

    def fetch(self, *tables: str, **options) -> FetchReport:
        """Fetch 2025-08-19 and 20 as of a day when they are long over."""
        refresh, providers = options.pop("refresh", False), options.pop("providers", (self.name,))
        options.setdefault("now", LONG_AFTER)
        symbols = options.pop("symbols", CASES[self.name].symbols)
        start, end = options.pop("start", FIRST), options.pop("end", LAST)
        connections = [self.connection(name, refresh=refresh) for name in providers]
        return fetch(connections, self.store, symbols, start, end, tables=tables, **options)

    def update(self, **options) -> FetchReport:
        """Update until 2025-08-20 as of a day when it is long over."""
        refresh = options.pop("refresh", False)
        options.setdefault("now", LONG_AFTER)
        options.setdefault("end", LAST)
        return update(self.store, lambda name: self.connection(name, refresh=refresh), **options)


def by_key(frame: pd.DataFrame, keys: int) -> dict[tuple[str, ...], dict[str, object]]:
    found = {}
    for row in frame.to_dict("records"):
        key = [
            f"{value:%Y-%m-%d}" if isinstance(value, date) else value for value in list(row.values())[:keys]
        ]
        found[tuple(key)] = row
    return found
