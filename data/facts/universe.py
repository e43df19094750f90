"""Funds and universes: what is known of each fund, and which funds a name stands for.

The facts are in ``data/facts/universe.csv``. Its column ``verified`` names the columns of a row that a
source was found for; the rest is unverified, and blank is unknown. A data set may bring a table ``funds`` of
its own, which comes before these facts (:func:`funds_of`).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import pandas as pd

from data.errors import UsageError, did_you_mean
from data.facts.dated import FACTS
from data.facts.symbols import market_of

# Each universe is the funds of some families, in the order of universe.csv.
_CHINESE_AI = ("CHINEXT_AI", "CSI_AI_THEME", "CSI_AI_INDUSTRY", "STAR_AI", "STAR_CHINEXT_AI")
_UNIVERSES: Mapping[str, tuple[str, ...]] = {
    "ai_cn": (*_CHINESE_AI, "HK_SH_SZ_AI", "AI_INDEX_UNKNOWN"),
    "chinext_ai": ("CHINEXT_AI",),
    "csi_ai": ("CSI_AI_THEME", "CSI_AI_INDUSTRY"),
    "star_ai": ("STAR_AI",),
    "star_chinext_ai": ("STAR_CHINEXT_AI",),
    "comm": ("COMM",),
    "chip": ("CHIP", "STAR_CHIP", "CHIP_EQUIP"),
    "star_chip": ("STAR_CHIP",),
    "chip_equip": ("CHIP_EQUIP",),
    "cloud": ("CLOUD", "DATA"),
    "software": ("SOFTWARE",),
    "robot": ("ROBOT",),
    "us_ai": ("US_AI",),
    "us_software": ("US_SOFTWARE",),
    "us_chip": ("US_CHIP",),
    "us_leveraged": ("US_LEVERAGED",),
}


@dataclass(frozen=True)
class Fund:
    """What is known of one fund; None where it is not known.

    ``index`` is the code of the tracked index as text, ``price_limit`` a fraction (0.2 = 20%), fees are
    fractions a year. ``listed`` is the first session, ``delisted`` the first day without trading.
    ``source`` holds tags of ``data/facts/sources.csv``.
    """

    symbol: str
    name: str = ""
    name_en: str = ""
    index: str | None = None
    family: str | None = None
    listed: date | None = None
    delisted: date | None = None
    price_limit: float | None = None
    management_fee: float | None = None
    custody_fee: float | None = None
    currency: str | None = None
    source: str = ""

    def listed_on(self, day: date) -> bool:
        """Tell whether the fund is known to be listed on a day; False while its listing day is unknown."""
        return (
            self.listed is not None and self.listed <= day and (self.delisted is None or day < self.delisted)
        )


def load_funds() -> Mapping[str, Fund]:
    """Return the project's own facts: every fund of ``data/facts/universe.csv`` by symbol, read-only."""
    return _funds()


def funds_of(symbols: Sequence[str], table: pd.DataFrame | None = None) -> dict[str, Fund]:
    """Return what is known of each symbol; the data set's table `funds` comes before the project's facts.

    ``table`` has the columns of the table `funds` (``data.store.tables``); a value that it lacks is taken
    from ``universe.csv``. A symbol that neither knows comes back with its currency and nothing else.
    """
    result = {}
    own = {} if table is None else {str(row["symbol"]): row for row in table.to_dict("records")}
    for symbol in symbols:
        currency = "USD" if market_of(symbol) == "us_etf" else "CNY"
        fund = _funds().get(symbol, Fund(symbol, currency=currency))
        result[symbol] = replace(fund, **_given(own.get(symbol, {})))
    return result


def universe(name: str) -> tuple[str, ...]:
    """Return the symbols of a named universe, listed yet or not; UsageError with close matches if unknown."""
    if name not in _UNIVERSES:
        raise UsageError(f"unknown universe `{name}`", hint=did_you_mean(name, _UNIVERSES))
    families = _UNIVERSES[name]
    return tuple(symbol for symbol, fund in _funds().items() if fund.family in families)


def universe_names() -> tuple[str, ...]:
    """Return the names that :func:`universe` knows."""
    return tuple(_UNIVERSES)


def peers(symbol: str, day: date, funds: Mapping[str, Fund] | None = None) -> tuple[str, ...]:
    """Return the funds that track the same index and were listed on ``day``, in symbol order.

    The set is as of that day: a fund that listed later, or whose listing day is not known, is left out. A
    fund whose index is not known has no peers but itself. ``funds`` are the facts to go by; the project's
    own if None. UsageError if they lack the symbol.
    """
    known = load_funds() if funds is None else funds
    if symbol not in known:
        raise UsageError(f"nothing is known of {symbol}", hint=did_you_mean(symbol, known))
    index = known[symbol].index
    return tuple(
        sorted(
            fund.symbol
            for fund in known.values()
            if fund.listed_on(day) and (fund.symbol == symbol or (index is not None and fund.index == index))
        )
    )


@lru_cache(maxsize=1)
def _funds() -> Mapping[str, Fund]:
    with (FACTS / "universe.csv").open(encoding="utf-8", newline="") as file:
        rows = [_parsed(row) for row in csv.DictReader(file)]
    return MappingProxyType({fund.symbol: fund for fund in rows})


def _parsed(row: Mapping[str, str]) -> Fund:
    values: dict[str, Any] = {}
    for field in fields(Fund):
        text = row[field.name]
        if not text:
            continue
        if field.name in ("listed", "delisted"):
            values[field.name] = date.fromisoformat(text)
        elif field.name in ("price_limit", "management_fee", "custody_fee"):
            values[field.name] = float(text)
        else:
            values[field.name] = text
    return Fund(**values)


def _given(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Pick from a row of the table `funds` what it really says, in the types of Fund."""
    names = ("name", "index", "family", "listed", "delisted", "price_limit", "source")
    given = {name: row[name] for name in names if name in row and not pd.isna(row[name])}
    for name in ("listed", "delisted"):
        if name in given:
            given[name] = pd.Timestamp(given[name]).date()
    return given
