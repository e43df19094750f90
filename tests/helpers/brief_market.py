"""The market of a note of 20 August 2025: each of its statements holds on it, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from data.facts.calendars import calendar_for
from data.store.tables import TABLES
from engine.briefs.brief import make_brief

FUND = "159363.SZ"
D0 = date(2025, 8, 20)
DAYS = pd.DatetimeIndex(calendar_for("cn_etf").sessions(date(2024, 12, 16), D0))
SPLIT_RECORD, SPLIT_EX = pd.Timestamp("2025-07-18"), pd.Timestamp("2025-07-21")

# The last six closes, average prices and unit counts; 5 flows: 102 + 134 + 175 + 144 + 104.0031 = 659.0031 m.
CLOSES = (0.684, 0.668, 0.676, 0.713, 0.731, 0.728)
VWAPS = (0.680, 0.680, 0.670, 0.700, 0.720, 0.730)
CREATED = (150e6, 200e6, 250e6, 200e6, 142.47e6)
UNITS = 3.0275e9 + np.concatenate(([0.0], np.cumsum(CREATED)))
BALANCES = (58.0e6, 57.943e6, 70e6, 85e6, 100e6, 112.0e6)
TURNOVER = {
    FUND: 325.8e6,
    "159381.SZ": 90e6,
    "159382.SZ": 80e6,
    "159388.SZ": 70e6,
    "159246.SZ": 60e6,
    "159242.SZ": 50e6,
}
LISTED = {
    FUND: "2024-12-16",
    "159381.SZ": "2025-03-24",
    "159382.SZ": "2025-05-09",
    "159388.SZ": "2025-04-07",
    "159246.SZ": "2025-07-10",
    "159242.SZ": "2025-07-24",
}
LEVELS = {
    "970070": (1000.0, 1520.0),
    "930713": (3155.47, 4263.62),
    "931071": (1263.56, 1803.41),
    "950180": (1000.0, 1400.0),
}
WEIGHTS = {"optical": (0.1589, 0.1486, 0.0477, 0.0560), "chips": (0.30, 0.2888)}


class Market:
    """Tables in memory as a data source."""

    name, synthetic, default_benchmark = "fixture", False, None

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        self.tables = {name: TABLES[name].validate(frame, name) for name, frame in tables.items()}

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        if table not in self.tables:
            self.tables[table] = TABLES[table].empty()
        frame = self.tables[table]
        if symbols is not None:
            frame = frame[frame[TABLES[table].key[0]].isin(symbols)]
        return frame.reset_index(drop=True)


def tail(before: np.ndarray, last: Sequence[float]) -> np.ndarray:
    return np.concatenate((before[: len(DAYS) - len(last)], last))


def tables() -> dict[str, pd.DataFrame]:
    split = np.where(DAYS >= SPLIT_EX, 2.0, 1.0)
    close = np.full(len(DAYS), 1.191) / split
    close[pd.Timestamp("2024-12-31") >= DAYS] = 0.964
    close = tail(np.round(close - 0.0005, 3), CLOSES)
    vwap = tail(close, VWAPS)
    bars = []
    for symbol, amount in TURNOVER.items():
        own = pd.Timestamp(LISTED[symbol]) <= DAYS
        frame = pd.DataFrame({"symbol": symbol, "day": DAYS, "amount": amount, "volume": amount / vwap})
        for name in ("open", "high", "low", "close"):
            frame[name] = close
        bars.append(frame[own])
    units = tail(np.where(DAYS >= SPLIT_RECORD, 2.8e9, 1.4e9), UNITS)
    nav = close / np.where(DAYS == SPLIT_RECORD, 2.0, 1.0) - 0.0005
    eligible = pd.Timestamp("2025-03-03") <= DAYS
    margin = pd.DataFrame({"symbol": FUND, "day": DAYS, "balance": tail(np.full(len(DAYS), 58e6), BALANCES)})
    themes = [(tag, weight) for tag, each in WEIGHTS.items() for weight in each]
    return {
        "bars": pd.concat(bars, ignore_index=True),
        "units": pd.DataFrame({"symbol": FUND, "day": DAYS, "units": units}),
        "nav": pd.DataFrame({"symbol": FUND, "day": DAYS, "nav": nav}),
        "margin": margin[eligible],
        "actions": pd.DataFrame(
            {
                "symbol": [
                    FUND,
                    *(each for each in TURNOVER if LISTED[each] < "2025-07-21" and each != FUND),
                ],
                "kind": "split",
                "ex_day": SPLIT_EX,
                "record_day": SPLIT_RECORD,
                "ratio": 2.0,
            }
        ),
        "index_bars": pd.DataFrame(
            [
                {"index": code, "day": day, "close": level}
                for code, levels in LEVELS.items()
                for day, level in zip(("2024-12-31", "2025-08-20"), levels, strict=True)
            ]
        ),
        "index_weights": pd.DataFrame(
            {
                "index": "970070",
                "day": "2025-07-31",
                "constituent": [f"30000{number}" for number in range(len(themes))],
                "weight": [weight for _, weight in themes],
                "theme": [tag for tag, _ in themes],
            }
        ),
    }


def brief_of(edited: dict[str, pd.DataFrame], day: date = D0, **options):
    return make_brief(Market(edited), FUND, day, **options)


def reason(brief, name: str) -> str:
    return next(fact.reason for fact in brief.facts if fact.name == name)


def note(brief, name: str) -> str:
    return next(fact.note for fact in brief.facts if fact.name == name)


def until(table: str, day: str) -> dict[str, pd.DataFrame]:
    """Return the tables, of which one ends with a day."""
    edited = tables()
    edited[table] = edited[table][pd.to_datetime(edited[table]["day"]) <= pd.Timestamp(day)]
    return edited
