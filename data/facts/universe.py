"""Funds and universes: what is known of each fund, and which funds a name stands for.

The facts are in ``data/facts/universe.csv``. Its column ``verified`` names the columns of a row that a
source was found for; the rest is unverified, and blank is unknown. What a fund was called, and which index
it tracked, until when are dated rows of ``data/facts/fund_history.csv``. A data set may bring a table
``funds`` of its own, which comes before these facts (:func:`funds_of`).

The list is of funds that exist: those that were gone by LISTED_THROUGH are not in it.
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

from data.errors import UsageError, check_choice, did_you_mean
from data.facts.dated import FACTS
from data.facts.symbols import currency_of

# The families of AI indices were held against the full list of both exchanges of this day [MD-UNI]; of funds
# that listed later, and of other families, there may be more.
LISTED_THROUGH = date(2026, 8, 20)

_DAYS = ("until", "not_before", "listed_by", "listed", "delisted")
_NUMBERS = ("price_limit", "management_fee", "custody_fee")

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
class Before:
    """What a fund was until a day, which is the first on which it was not; None or empty: not known."""

    until: date
    ticker: str = ""
    name: str = ""
    index: str | None = None
    index_name: str | None = None
    source: str = ""


@dataclass(frozen=True)
class Fund:
    """What is known of one fund; None where it is not known.

    ``index`` is the code of the tracked index as text, ``price_limit`` a fraction (0.2 = 20%), fees are
    fractions a year. ``listed`` is the first session, ``delisted`` the first day without trading. Where
    ``listed`` is not known, it lies from ``not_before`` on and no later than ``listed_by``, as far as these
    are. ``source`` holds tags of ``data/facts/sources.csv``; ``history`` is from old to new (:meth:`on`).
    """

    symbol: str
    name: str = ""
    name_en: str = ""
    index: str | None = None
    index_name: str | None = None
    family: str | None = None
    not_before: date | None = None
    listed_by: date | None = None
    listed: date | None = None
    delisted: date | None = None
    price_limit: float | None = None
    management_fee: float | None = None
    custody_fee: float | None = None
    currency: str | None = None
    source: str = ""
    history: tuple[Before, ...] = ()

    @property
    def ticker(self) -> str:
        """The code that it trades under."""
        return self.symbol.partition(".")[0]

    def listed_on(self, day: date) -> bool:
        """Tell whether the fund is known to be listed on a day; False as long as that is not known."""
        first = self.listed or self.listed_by
        return first is not None and first <= day and (self.delisted is None or day < self.delisted)

    def may_be_listed_on(self, day: date) -> bool:
        """Tell whether it is not known if the fund is listed on a day: its listing day is not on file."""
        if (
            self.listed is not None
            or self.listed_on(day)
            or (self.delisted is not None and self.delisted <= day)
        ):
            return False
        return self.not_before is None or self.not_before <= day

    def on(self, day: date) -> Before:
        """Return ticker, name and index as they were on a day; what still holds ends with ``date.max``."""
        for before in self.history:
            if day < before.until:
                return before
        return Before(date.max, self.ticker, self.name, self.index, self.index_name, self.source)


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
        fund = _funds().get(symbol, Fund(symbol, currency=currency_of(symbol)))
        result[symbol] = replace(fund, **_given(own.get(symbol, {})))
    return result


@dataclass(frozen=True)
class Later:
    """The symbol that a fund has had since a day."""

    symbol: str
    until: date


def later_name(symbol: str) -> Later | None:
    """Return the fund that a symbol was given up for, as far as that is on file; None for one in use."""
    if symbol in _funds():
        return None
    for fund in _funds().values():
        for before in fund.history:
            if before.ticker != fund.ticker and symbol == f"{before.ticker}.{fund.symbol.rpartition('.')[2]}":
                return Later(fund.symbol, before.until)
    return None


def known_funds(table: pd.DataFrame | None = None) -> Mapping[str, Fund]:
    """Return the project's own facts and those of a data set's table `funds`, which come first, by symbol.

    The table brings what our list lacks: funds that are gone, and of which families they were.
    """
    own = () if table is None else tuple(dict.fromkeys(table["symbol"].astype(str)))
    return MappingProxyType({**_funds(), **funds_of(own, table)})


def universe(
    name: str, as_of: date | None = None, funds: Mapping[str, Fund] | None = None
) -> tuple[str, ...]:
    """Return the symbols of a named universe; UsageError with close matches if unknown.

    ``as_of`` leaves out funds that are not known to have been listed on a day; without it none is left out.
    ``funds`` are the facts to go by (:func:`known_funds`); the project's own if None.
    """
    check_choice("universe", name, _UNIVERSES)
    families = _UNIVERSES[name]
    return tuple(
        symbol
        for symbol, fund in (_funds() if funds is None else funds).items()
        if fund.family in families and (as_of is None or fund.listed_on(as_of))
    )


def universe_names() -> tuple[str, ...]:
    """Return the names that :func:`universe` knows."""
    return tuple(_UNIVERSES)


def peers(symbol: str, day: date, funds: Mapping[str, Fund] | None = None) -> tuple[str, ...]:
    """Return the funds that track the same index and were listed on ``day``, in symbol order.

    The set is as of that day, and so are the indices: a fund that listed later, or that is not known to have
    been listed, is left out (:func:`peers_unknown`). A fund whose index is not known has no peers but itself.
    ``funds`` are the facts to go by; the project's own if None. UsageError if they lack the symbol.
    """
    return tuple(each.symbol for each in _of_its_index(symbol, day, funds) if each.listed_on(day))


def peers_unknown(symbol: str, day: date, funds: Mapping[str, Fund] | None = None) -> tuple[str, ...]:
    """Return why there may be more peers on ``day`` than :func:`peers` finds, one sentence each, if any.

    Of a fund that the project has no facts about, only its own listing and those of its data set count.
    """
    same = _of_its_index(symbol, day, funds)
    unsure = [each.symbol for each in same if each.may_be_listed_on(day)]
    reasons = []
    if unsure:
        reasons.append(f"it is not on file whether {', '.join(unsure)} was listed by then")
    ours = _funds().get(symbol)
    if ours is not None and ours.family not in _CHINESE_AI:
        reasons.append("the list of its funds is not complete")
    elif ours is not None and day > LISTED_THROUGH:
        reasons.append(f"funds that listed after {LISTED_THROUGH} may be missing")
    return tuple(reasons)


def _of_its_index(symbol: str, day: date, funds: Mapping[str, Fund] | None) -> list[Fund]:
    """Return the fund and those that track the same index on a day, in symbol order, listed or not."""
    known = load_funds() if funds is None else funds
    if symbol not in known:
        raise UsageError(f"nothing is known of {symbol}", hint=did_you_mean(symbol, known))
    index = known[symbol].on(day).index
    same = [
        fund
        for fund in known.values()
        if fund.symbol == symbol or (index is not None and fund.on(day).index == index)
    ]
    return sorted(same, key=lambda fund: fund.symbol)


@lru_cache(maxsize=1)
def _funds() -> Mapping[str, Fund]:
    histories: dict[str, list[Before]] = {}
    for row in _rows("fund_history.csv"):
        histories.setdefault(row["symbol"], []).append(Before(**_values(row, Before)))
    found = {}
    for row in _rows("universe.csv"):
        history = sorted(histories.get(row["symbol"], []), key=lambda before: before.until)
        found[row["symbol"]] = Fund(**_values(row, Fund), history=tuple(history))
    return MappingProxyType(found)


def _rows(name: str) -> list[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _values(row: Mapping[str, str], kind: type[Fund] | type[Before]) -> dict[str, Any]:
    """Return what a row says of the fields of ``kind``, in their types."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        text = row.get(field.name)
        if not text:
            continue
        if field.name in _DAYS:
            values[field.name] = date.fromisoformat(text)
        else:
            values[field.name] = float(text) if field.name in _NUMBERS else text
    return values


def _given(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Pick from a row of the table `funds` what it really says, in the types of Fund."""
    names = ("name", "index", "family", "listed", "delisted", "price_limit", "source")
    given = {name: row[name] for name in names if name in row and not pd.isna(row[name])}
    for name in ("listed", "delisted"):
        if name in given:
            given[name] = pd.Timestamp(given[name]).date()
    if "index" in given:
        given |= {"index_name": None, "history": ()}  # ours are about the index that we have on file
    return given


@lru_cache
def index_names() -> Mapping[str, str]:
    """Return what indices are called, by code, where ``data/facts/indices.csv`` has it."""
    with (FACTS / "indices.csv").open(encoding="utf-8", newline="") as file:
        return {row["index"]: row["name"] for row in csv.DictReader(file)}
