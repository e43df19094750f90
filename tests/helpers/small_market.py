"""A small market without a defect, to plant defects in: two funds, 40 sessions, a dividend and a split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd

from data.checks import CHECKS, Finding, run_checks
from data.checks.parts import Parts
from data.facts.calendars import calendar_for
from data.store.tables import TABLES

# 159819 has a price limit of 10 %, and pays 0.02 on session 10. 588930 has one of 20 %, and splits 1:2:
# units and NAV are on the new basis from session 19 on, prices from session 20 on.
PAYER, SPLITTER = "159819.SZ", "588930.SH"
DAYS = pd.DatetimeIndex(calendar_for("cn_etf").sessions(date(2025, 2, 5), date(2025, 4, 2)))
DIVIDEND, RECORD, EX = 10, 19, 20

Tables = dict[str, pd.DataFrame]
PRICES = ["open", "high", "low", "close"]


class Source:
    """Tables in memory, validated as the store does, read as the store reads."""

    def __init__(self, tables: Tables) -> None:
        clean = _clean_market()
        self.tables = {
            # Validation takes longer than most checks, so what a test left alone is taken as it is.
            name: frame if frame.equals(clean.get(name)) else TABLES[name].validate(frame, name)
            for name, frame in tables.items()
        }

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        frame = self.tables.get(table, TABLES[table].empty())
        if symbols is None:
            return frame
        return frame[frame["symbol"].isin(symbols)].reset_index(drop=True)


def day(session: int) -> date:
    return DAYS[session].date()


def bars_of(symbol: str, closes: Sequence[float], days: Sequence[object] = DAYS) -> pd.DataFrame:
    """Return bars that open at the close before, with VWAP half-way between open and close."""
    close = np.asarray(closes, dtype=float)
    opens = np.append(close[0], close[:-1])
    volume = 1_000_000.0 + 1_000.0 * np.arange(len(close))
    return pd.DataFrame(
        {
            "symbol": symbol,
            "day": list(days),
            "open": opens,
            "high": np.maximum(opens, close) + 0.002,
            "low": np.minimum(opens, close) - 0.002,
            "close": close,
            "volume": volume,
            "amount": volume * (opens + close) / 2,
        }
    )


def clean_market() -> Tables:
    return {name: frame.copy() for name, frame in _clean_market().items()}


@lru_cache(maxsize=1)
def _clean_market() -> Tables:
    session = np.arange(41)
    wave = 1.0 + 0.01 * (session % 5)

    payer = bars_of(PAYER, np.where(session >= DIVIDEND, wave - 0.02, wave))
    payer["pre_close"] = payer["close"].shift()
    payer.loc[DIVIDEND, ["open", "pre_close"]] -= 0.02
    splitter = bars_of(SPLITTER, np.where(session >= EX, wave / 2, wave))
    splitter.loc[EX, "open"] /= 2
    for bars in (payer, splitter):
        bars["high"] = bars[["open", "close"]].max(axis=1) + 0.002
        bars["low"] = bars[["open", "close"]].min(axis=1) - 0.002
        bars["amount"] = bars["volume"] * (bars["open"] + bars["close"]) / 2

    counts = 50e6 + 1e6 * session
    navs = pd.DataFrame({"symbol": PAYER, "day": DAYS, "nav": payer["close"] - 0.001})
    split_navs = pd.DataFrame(
        {"symbol": SPLITTER, "day": DAYS, "nav": np.where(session >= RECORD, wave / 2, wave) - 0.0005}
    )
    both_navs = pd.concat([navs, split_navs], ignore_index=True)
    closes = np.r_[payer["close"], splitter["close"]]
    # On the eve of the split NAV is on the new basis already; the premium is that of both on the old one.
    basis = np.r_[np.ones(41), np.where(session == RECORD, 2.0, 1.0)]
    bought = 2e6 + 1e4 * session
    margin = pd.DataFrame(
        {
            "symbol": PAYER,
            "day": DAYS,
            "balance": 1e8 + np.cumsum(bought - 1.5e6),
            "bought": bought,
            "repaid": 1.5e6,
        }
    )
    tables = {
        "bars": pd.concat([payer, splitter], ignore_index=True),
        "units": pd.concat(
            [
                pd.DataFrame({"symbol": PAYER, "day": DAYS, "units": counts}),
                pd.DataFrame(
                    {"symbol": SPLITTER, "day": DAYS, "units": np.where(session >= RECORD, 2, 1) * counts}
                ),
            ],
            ignore_index=True,
        ),
        "nav": both_navs,
        "margin": margin,
        "premium": both_navs[["symbol", "day"]].assign(premium=closes / (both_navs["nav"] * basis) - 1),
        "actions": pd.DataFrame(
            {
                "symbol": [PAYER, SPLITTER],
                "kind": ["dividend", "split"],
                "ex_day": [DAYS[DIVIDEND], DAYS[EX]],
                "record_day": [pd.NaT, DAYS[RECORD]],
                "ratio": [np.nan, 2.0],
                "cash": [0.02, np.nan],
            }
        ),
        "index_bars": pd.DataFrame(
            {"index": "930713", "day": DAYS, "open": 4000.0, "high": 4100.0, "low": 3900.0}
        ).assign(close=4000.0 + session),
        "index_weights": pd.DataFrame(
            {
                "index": "930713",
                "day": np.repeat(DAYS[[0, 20]], 10),
                "constituent": [f"{each:06d}" for each in range(10)] * 2,
                "weight": 0.1,
            }
        ),
    }
    return {name: TABLES[name].validate(frame, name) for name, frame in tables.items()}


def check(tables: Tables, name: str | None = None) -> list[Finding]:
    """Return all findings, or those of one check."""
    if name is None:
        return list(run_checks(Source(tables)))
    parts = Parts(Source(tables))
    found = [finding for part in parts for finding in CHECKS[name].find(part)]
    return [*found, *CHECKS[name].across(parts.outline(found))]


def errors(tables: Tables) -> list[str]:
    return [each.check for each in check(tables) if each.severity == "error"]


def planted(table: str, edit: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Tables:
    """Return the clean market with one table edited, in place or by a new frame."""
    tables = clean_market()
    edited = edit(tables[table])
    if edited is not None:
        tables[table] = edited
    return tables


def row(symbol: str, session: int) -> int:
    """Return the row of a session of a fund in the tables bars, units and nav."""
    return session + (len(DAYS) if symbol == SPLITTER else 0)


def scaled(
    symbol: str, column: str | list[str], factor: float, sessions: slice = slice(None)
) -> Callable[[pd.DataFrame], None]:
    """Multiply a column of a table of one fund, on some sessions."""

    def edit(frame: pd.DataFrame) -> None:
        rows = frame.index[frame["symbol"] == symbol][sessions]
        frame.loc[rows, column] *= factor

    return edit
