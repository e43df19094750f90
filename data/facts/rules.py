"""Trading rules of a market by session and fund, from the dated rows in ``data/facts/markets/*.toml``.

Engines receive the numbers of :class:`RuleArrays`, never dates or names. A rule is, in this order:

1. a price limit: the fund's own ``price_limit``, as the data set (or ``universe.csv``) states it;
2. the most particular row that matches the fund (symbols, then family, then prefix, then default), and of
   those the latest one that is in force.

A book knows its first day and the day through which its rules are known; a session outside is an error.
Rows of one's own come from the file that the environment variable ETFLOW_RULES names, else from
``rules.toml`` in the user's state folder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, UsageError, check_choice, did_you_mean
from data.facts.dated import FACTS, Row, day_of, only, read_toml, rows_of, stretches, text_of
from data.facts.own_files import own_file_if_any
from data.facts.symbols import MARKETS
from data.facts.universe import Fund

Days = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

VARIABLE = "ETFLOW_RULES"
OWN = "rules.toml"

# Sessions in a row without a bar that a halt of an ETF hardly ever exceeds; beyond, the data have ended.
LONGEST_HALT = 10

# Beyond any, and far within what the columns of an account hold.
_LARGEST_LOT = 10**9
_LIMITS = {
    "lot": "a whole number from 1 to 10^9",
    "tick": "above 0",
    "price_limit": "above 0, or nan for none",
    "buy_fee": "from 0",
    "sell_fee": "from 0",
}
# Each kind of rule, and the name its value has in a row.
_VALUES = {
    "lot": "shares",
    "tick": "money",
    "price_limit": "rate",
    "buy_fee": "rate",
    "sell_fee": "rate",
}
# What a book states without a number, and the methods that rows can name.
METHODS: Mapping[str, Mapping[str, str]] = {
    "closing_price": {
        "last_minute": "volume-weighted price of the last minute, the last trade included",
        "call_auction": "call auction from 14:57 to 15:00",
    },
    "after_hours": {"fixed_price": "trading at the closing price from 15:05 to 15:30"},
    "resale": {
        "next_session": "what is bought can be sold from the session after on (T+1)",
        "same_session": "what is bought can be sold in the same session (T+0)",
    },
}
OF_CLOSING_PRICES = ("closing_price", "after_hours")
_BEYOND = (
    "End earlier; or, once you have seen that no rule changed: `etflow data calendar confirm --through DAY`. "
    "A rule that did change is a row of your own in a TOML file that the environment variable "
    f"{VARIABLE} names; {FACTS / 'markets' / 'cn_etf.toml'} describes the form."
)
_HEADER = ("market", "first_day", "known_through", "source")
_KINDS = (*_VALUES, *METHODS)


@dataclass(frozen=True)
class RuleArrays:
    """Rules in force by session and fund, (D, S), read-only; one row stands for all where none changes.

    ``lot`` in shares; ``tick`` in money; ``price_limit`` as a fraction of the reference price, NaN = none;
    ``buy_fee_rate`` and ``sell_fee_rate`` as fractions of the notional, without the broker's commission.
    """

    lot: Integers
    tick: Floats
    price_limit: Floats
    buy_fee_rate: Floats
    sell_fee_rate: Floats


def beside(markets: Sequence[RuleArrays]) -> RuleArrays:
    """Return the rules of the funds of several markets, one after the other, on the same sessions."""
    if len(markets) == 1:
        return markets[0]
    names = [field.name for field in fields(RuleArrays)]
    once = np.ones(len(markets[0].lot), dtype=np.int64)
    return RuleArrays(
        **{name: _frozen(np.hstack([getattr(each, name) for each in markets]), once) for name in names}
    )


@dataclass(frozen=True)
class Spell:
    """Sessions ``first`` to ``last`` on which one method of METHODS holds; None: none is on file."""

    method: str | None
    first: np.datetime64
    last: np.datetime64


@dataclass(frozen=True)
class RuleBook:
    """The rules of one market, from ``first_day`` through ``known_through``.

    ``rows`` are by kind: those with a number (``arrays``), and those of METHODS (``spells``).
    """

    market: str
    first_day: np.datetime64
    known_through: np.datetime64
    rows: Mapping[str, Sequence[Row]]

    @classmethod
    def load(cls, market: str, extension: str | Path | None = None, *, own: bool = True) -> RuleBook:
        """Return the rule book of ``cn_etf`` or ``us_etf``.

        ``extension`` is a TOML file of further rows: the user's own if None, unless ``own`` is False. A row
        of it comes after ours of the same scope and day. UsageError for an unknown market or a wrong row.
        """
        check_choice("market", market, MARKETS)
        path = _path(market)
        book = _parse(read_toml(path), str(path))
        last = book["known_through"]
        named = extension or (own_file_if_any(VARIABLE, OWN) if own else None)
        if named:
            raw = read_toml(Path(named))
            only(raw, MARKETS, str(named))
            if market in raw:
                further = _parse(raw[market], f"{named}, [{market}]")
                last = max(last, further.get("known_through", last))
                book = {kind: [*book[kind], *further[kind]] for kind in _KINDS} | {
                    "first_day": book["first_day"]
                }
        rows = {kind: sorted(book[kind], key=lambda row: (row.scope.rank, row.start)) for kind in _KINDS}
        return cls(market, book["first_day"], last, rows)

    def arrays(self, symbols: Sequence[str], funds: Mapping[str, Fund], days: Days) -> RuleArrays:
        """Return the rules of each fund on each session.

        Parameters
        ----------
        symbols : sequence of str, (S,)
        funds : mapping of symbol to Fund
            Family and own price limit, as ``data.facts.universe.funds_of`` gives them; symbols may be absent.
        days : datetime64[D] (D,), ascending
            DataError if one lies outside the days that the rules are known for.
        """
        days = np.asarray(days, dtype="datetime64[D]")
        self._check(days)
        families = [funds[symbol].family if symbol in funds else None for symbol in symbols]
        begins, counts = stretches((row for kind in _VALUES for row in self.rows[kind]), days)
        values = {kind: self._fill(kind, symbols, families, days[begins]) for kind in _VALUES}
        for column, symbol in enumerate(symbols):
            own = funds[symbol].price_limit if symbol in funds else None
            if own is not None:
                values["price_limit"][:, column] = own
        return RuleArrays(
            lot=_frozen(values["lot"].astype(np.int64), counts),
            tick=_frozen(values["tick"], counts),
            price_limit=_frozen(values["price_limit"], counts),
            buy_fee_rate=_frozen(values["buy_fee"], counts),
            sell_fee_rate=_frozen(values["sell_fee"], counts),
        )

    def spells(self, kind: str, symbol: str, days: Days) -> tuple[Spell, ...]:
        """Return which method of ``kind`` (a key of METHODS) holds for a fund, over sessions in order."""
        days = np.asarray(days, dtype="datetime64[D]")
        self._check(days)
        methods: list[str | None] = [None] * len(days)
        for row in self.rows[kind]:
            if row.scope.covers(symbol):
                start = int(days.searchsorted(row.start))
                methods[start:] = [row.fields["method"]] * (len(days) - start)
        spells: list[Spell] = []
        for day, method in zip(days, methods, strict=True):
            if spells and spells[-1].method == method:
                spells[-1] = replace(spells[-1], last=day)
            else:
                spells.append(Spell(method, day, day))
        return tuple(spells)

    def _check(self, days: Days) -> None:
        outside = days[(days < self.first_day) | (days > self.known_through)]
        if not outside.size:
            return
        early = outside[0] < self.first_day
        raise DataError(
            f"the rules of {self.market} are recorded from {self.first_day} through {self.known_through}",
            received=outside[0] if early else outside[-1],
            hint="Start later." if early else _BEYOND,
        )

    def _fill(self, kind: str, symbols: Sequence[str], families: Sequence[str | None], days: Days) -> Floats:
        """Let every row overwrite what more general and older rows said."""
        result = np.full((len(days), len(symbols)), np.nan)
        for row in self.rows[kind]:
            pairs = zip(symbols, families, strict=True)
            covered = [column for column, pair in enumerate(pairs) if row.scope.covers(*pair)]
            result[days.searchsorted(row.start) :, covered] = row.fields[_VALUES[kind]]
        return result


def _path(market: str) -> Path:
    return FACTS / "markets" / f"{market}.toml"


def _parse(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check one rule file and return its days and its rows by kind."""
    only(raw, (*_HEADER, *_KINDS), where)
    text_of(raw, "source", where)
    book: dict[str, Any] = {
        name: np.datetime64(day_of(raw, name, where), "D")
        for name in ("first_day", "known_through")
        if name in raw
    }
    for kind, value in _VALUES.items():
        book[kind] = rows_of(raw.get(kind, []), f"{where}, {kind}", (value,))
        for row in book[kind]:
            _check_value(kind, row.fields.get(value), f"{where}, {kind} from {row.start}")
    for kind, methods in METHODS.items():
        book[kind] = rows_of(raw.get(kind, []), f"{where}, {kind}", ("method",))
        for row in book[kind]:
            method = row.fields.get("method")
            if method not in methods:
                raise UsageError(
                    f"{where}, {kind} from {row.start}: unknown `method`",
                    received=method,
                    hint=did_you_mean(str(method), methods),
                )
    return book


def _check_value(kind: str, value: object, where: str) -> None:
    name = _VALUES[kind]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{where}: `{name}` is not a number", received=value)
    if kind == "price_limit" and isinstance(value, float) and math.isnan(value):
        return
    positive = value > 0 if kind in ("lot", "tick", "price_limit") else value >= 0
    whole = kind != "lot" or (isinstance(value, int) and value <= _LARGEST_LOT)
    if not (positive and whole and _is_finite(value)):
        raise UsageError(f"{where}: `{name}` is out of bounds", received=value, limit=_LIMITS[kind])


def _is_finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of TOML has no end
        return False


def _frozen(rows: Any, counts: Integers) -> Any:
    """Return an array, read-only, that has each row so many times."""
    if len(rows) and np.array_equal(rows, np.broadcast_to(rows[0], rows.shape), equal_nan=True):
        return np.broadcast_to(rows[0].copy(), (int(counts.sum()), *rows.shape[1:]))
    array = np.repeat(rows, counts, axis=0)
    array.flags.writeable = False
    return array
