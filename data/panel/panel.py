"""A panel: what everybody else sees of the market, read-only day x symbol arrays with two faces.

``known`` is for strategies: row *d* holds what was public before the open of session *d*
(``data.panel.known``). ``market`` is for engines: row *d* is session *d* itself (``data.panel.market``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import DataError
from data.facts.actions import Action, place, row_of
from data.facts.rules import RuleArrays
from data.panel.known import IndexWeights, Known, Series, no_series
from data.panel.market import Market, build_market

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

STALE_AFTER = 10
BAR_FIELDS = ("open", "high", "low", "close", "volume", "amount", "pre_close")


@dataclass(frozen=True)
class Facts:
    """The raw facts of a panel by the session they belong to; missing ones stay empty.

    ``bars`` has (D, S) arrays by name, NaN where a fund has no bar. ``usable_from`` has, by table name
    (``bars``, ``units``, ``nav``, ``margin``), the first session whose open may use each datum; without it
    the lag in ``lags``, or one session, holds for all. Indices are (D,) closes, usable a session later unless
    ``indices_from`` (D, 1) says otherwise; macro series and the market's margin balance are :class:`Series`
    of one column.
    """

    bars: Mapping[str, Floats]
    units: Floats | None = None
    nav: Floats | None = None
    margin_balance: Floats | None = None
    margin_recorded_from: NDArray[np.int64] | None = None
    usable_from: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    lags: Mapping[str, int] = field(default_factory=dict)
    market_margin: Series | None = None
    indices: Mapping[str, Floats] = field(default_factory=dict)
    indices_from: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    macro: Mapping[str, Series] = field(default_factory=dict)
    index_weights: tuple[IndexWeights, ...] = ()


@dataclass(frozen=True)
class Listings:
    """What is fixed about each fund, by symbol: listing, and the index it tracks."""

    listed: tuple[date | None, ...]
    delisted: tuple[date | None, ...]
    tracked: tuple[str | None, ...]
    families: tuple[str | None, ...]


@dataclass(frozen=True)
class Ingredients:
    """What a panel is made of, as ``Panel.build`` takes it; ``data.scenarios.perturb`` makes altered ones."""

    days: Days
    symbols: tuple[str, ...]
    facts: Facts
    rules: RuleArrays
    listings: Listings
    actions: tuple[Action, ...]
    name: str
    synthetic: bool
    sessions_per_year: float
    stale_after: int

    def build(self) -> Panel:
        """Return the panel that is made of them."""
        return Panel.build(
            self.days,
            self.symbols,
            self.facts,
            self.rules,
            self.listings,
            self.actions,
            name=self.name,
            synthetic=self.synthetic,
            sessions_per_year=self.sessions_per_year,
            stale_after=self.stale_after,
        )


@dataclass(frozen=True)
class Panel:
    """The market over some sessions, for some funds.

    Attributes
    ----------
    days : datetime64[D] (D,), all sessions of the exchange, none left out
    symbols : sorted tuple of str (S,)
    known, market : the two faces
    index_closes : (D,) closing levels by index code, for benchmarks; NaN where there is none
    name, synthetic, fingerprint : where the data come from, whether they are made up, a hash of all of it
    sessions_per_year : the exchange's real count, which annualises statistics
    ingredients : what it was made of, for audits that alter some of it; strategies do not see it
    filled : what the data lacked and etflow's own facts filled in, by table, in words
    """

    days: Days
    symbols: tuple[str, ...]
    known: Known
    market: Market
    index_closes: Mapping[str, Floats]
    name: str
    synthetic: bool
    fingerprint: str
    sessions_per_year: float
    ingredients: Ingredients = field(repr=False)
    filled: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        days: Days,
        symbols: Sequence[str],
        facts: Facts,
        rules: RuleArrays,
        listings: Listings,
        actions: Iterable[Action] = (),
        *,
        name: str,
        synthetic: bool,
        sessions_per_year: float,
        stale_after: int = STALE_AFTER,
    ) -> Panel:
        """Return the panel of ``facts``; the only place where its two faces are put together."""
        symbols, actions = tuple(symbols), tuple(actions)
        if list(symbols) != sorted(set(symbols)):
            raise DataError("symbols must be sorted and unique", received=", ".join(symbols))
        delisted = _end_of_listing(listings.delisted, symbols, actions)
        events = place(actions, days, symbols, delisted)
        listed = _listed(days, listings.listed, delisted, facts.bars["close"])
        nav = _series(facts, "nav", facts.nav, days, symbols)
        market = build_market(
            facts.bars,
            events,
            listed,
            _before_each(nav.values),
            rules,
        )
        known = _known_face(days, symbols, facts, market, nav, listings, stale_after)
        return cls(
            days=days,
            symbols=symbols,
            known=known,
            market=market,
            index_closes=MappingProxyType(dict(facts.indices)),
            name=name,
            synthetic=synthetic,
            fingerprint=_fingerprint(days, symbols, facts, rules, listings, actions),
            sessions_per_year=sessions_per_year,
            ingredients=Ingredients(
                days,
                symbols,
                facts,
                rules,
                listings,
                actions,
                name,
                synthetic,
                sessions_per_year,
                stale_after,
            ),
        )

    @classmethod
    def from_events(
        cls,
        days: ArrayLike,
        symbols: Sequence[str],
        *,
        bars: Mapping[str, ArrayLike],
        units: ArrayLike | None = None,
        nav: ArrayLike | None = None,
        margin_balance: ArrayLike | None = None,
        actions: Sequence[Action] = (),
        listed: Sequence[date | None] | None = None,
        delisted: Sequence[date | None] | None = None,
        lot: int = 100,
        tick: float = 0.001,
        price_limit: float | Sequence[float | None] | None = None,
        buy_fee_rate: float = 0.0,
        sell_fee_rate: float = 0.0,
        lags: Mapping[str, int] | None = None,
        market_margin: ArrayLike | None = None,
        indices: Mapping[str, ArrayLike] | None = None,
        macro: Mapping[str, ArrayLike] | None = None,
        name: str = "panel",
        synthetic: bool = True,
        sessions_per_year: float = 252.0,
    ) -> Panel:
        """Return a panel of plain arrays, (D, S) with NaN where there is nothing: for notebooks and tests.

        The same rules hold for all sessions and funds, apart from ``price_limit``, which may differ by
        fund. ``lags`` has sessions until a datum is usable: ``units``, ``nav`` and ``margin``, 1 each.
        ``macro`` is by the session from which a value is known.
        """
        sessions = np.asarray(days, dtype="datetime64[D]")
        shape = (len(sessions), len(symbols))
        limits = np.full(len(symbols), np.nan)
        if price_limit is not None:
            limits[:] = np.asarray(price_limit, dtype=np.float64)
        nobody: tuple[None, ...] = (None,) * len(symbols)
        lagged = {"units": 1, "nav": 1, "margin": 1} | dict(lags or {})
        facts = Facts(
            bars={key: _array(value, shape) for key, value in bars.items()},
            units=None if units is None else _array(units, shape),
            nav=None if nav is None else _array(nav, shape),
            margin_balance=None if margin_balance is None else _array(margin_balance, shape),
            lags=lagged,
            market_margin=_column(market_margin, lagged["margin"]) if market_margin is not None else None,
            indices={key: _array(value, shape[:1]) for key, value in (indices or {}).items()},
            macro={key: _column(value, 0) for key, value in (macro or {}).items()},
        )
        rules = RuleArrays(
            lot=np.full(shape, lot, dtype=np.int64),
            tick=np.full(shape, tick),
            price_limit=np.broadcast_to(limits, shape).copy(),
            buy_fee_rate=np.full(shape, buy_fee_rate),
            sell_fee_rate=np.full(shape, sell_fee_rate),
        )
        listings = Listings(tuple(listed or nobody), tuple(delisted or nobody), nobody, nobody)
        return cls.build(
            sessions,
            symbols,
            facts,
            rules,
            listings,
            actions,
            name=name,
            synthetic=synthetic,
            sessions_per_year=sessions_per_year,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to another process: a view of a mapping cannot be."""
        return {**self.__dict__, "index_closes": dict(self.index_closes)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what another process sent."""
        self.__dict__.update(state, index_closes=MappingProxyType(state["index_closes"]))

    def with_flows(self, facts: Facts) -> Panel:
        """Return the panel on other units and margin balances, all else in ``facts`` being the panel's own.

        The market face is shared, which is most of the work of a panel; its fingerprint is no longer its own.
        """
        given = replace(self.ingredients, facts=facts)
        nav = _series(facts, "nav", facts.nav, self.days, self.symbols)
        known = _known_face(
            self.days, self.symbols, facts, self.market, nav, given.listings, given.stale_after
        )
        return replace(self, known=known, fingerprint="", ingredients=given)

    def with_index(self, code: str, closes: Floats) -> Panel:
        """Return the panel with one more index to compare with; strategies do not see it."""
        return replace(self, index_closes=MappingProxyType(dict(self.index_closes) | {code: closes}))

    def row(self, day: date) -> int:
        """Return the row of the first session on or after ``day``; the number of sessions if none."""
        return row_of(self.days, day)


def _known_face(
    days: Days,
    symbols: tuple[str, ...],
    facts: Facts,
    market: Market,
    nav: Series,
    listings: Listings,
    stale_after: int,
) -> Known:
    after_close = np.arange(1, len(days) + 1, dtype=np.int64)[:, None]
    recorded_from = facts.margin_recorded_from
    return Known(
        days,
        symbols,
        market,
        amount=np.where(market.traded, facts.bars.get("amount", np.nan), 0.0),
        bars_from=facts.usable_from.get("bars", np.broadcast_to(after_close, market.listed.shape)),
        units=_series(facts, "units", facts.units, days, symbols),
        nav=nav,
        margin_balance=_series(facts, "margin", facts.margin_balance, days, symbols),
        margin_recorded_from=(
            np.zeros(len(symbols), dtype=np.int64) if recorded_from is None else recorded_from
        ),
        market_margin=facts.market_margin or no_series(len(days), 1),
        indices={
            code: Series(closes[:, None], facts.indices_from.get(code, after_close))
            for code, closes in facts.indices.items()
        },
        macro=facts.macro,
        index_weights=facts.index_weights,
        tracked=listings.tracked,
        families=listings.families,
        stale_after=stale_after,
    )


def _array(values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    array = np.array(values, dtype=np.float64)
    if array.shape != shape:
        raise DataError("an array of the panel has the wrong shape", received=array.shape, limit=shape)
    return array


def _column(values: ArrayLike, lag: int) -> Series:
    array = np.array(values, dtype=np.float64)[:, None]
    return Series(array, np.arange(lag, len(array) + lag)[:, None])


def _series(facts: Facts, table: str, values: Floats | None, days: Days, symbols: Sequence[str]) -> Series:
    if values is None:
        return no_series(len(days), len(symbols))
    usable = facts.usable_from.get(table)
    if usable is None:
        lag = facts.lags.get(table, 1)
        rows = np.arange(lag, len(days) + lag)[:, None]
        usable = np.broadcast_to(rows, values.shape).astype(np.int64)
    return Series(values, usable)


def _before_each(values: Floats) -> Floats:
    """Return for each row the latest value above it."""
    rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    latest = np.maximum.accumulate(rows, axis=0)
    latest = np.vstack([np.full((1, values.shape[1]), -1), latest[:-1]])
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.where(latest >= 0, values[np.where(latest >= 0, latest, 0), columns], np.nan)


def _end_of_listing(
    delisted: Sequence[date | None], symbols: Sequence[str], actions: Iterable[Action]
) -> tuple[date | None, ...]:
    """Return the first day on which each fund is no longer listed; a liquidation ends a listing."""
    ends = dict(zip(symbols, delisted, strict=True))
    for action in actions:
        if action.kind == "liquidation" and action.symbol in ends:
            known = ends[action.symbol]
            ends[action.symbol] = action.ex_day if known is None else min(known, action.ex_day)
    return tuple(ends[symbol] for symbol in symbols)


def _listed(
    days: Days, listed: Sequence[date | None], delisted: Sequence[date | None], close: Floats
) -> NDArray[np.bool_]:
    """Return where each fund is listed; a fund without a listing day is listed from its first bar on."""
    result = np.zeros(close.shape, dtype=bool)
    for column in range(close.shape[1]):
        first_day, end_day = listed[column], delisted[column]
        bars = np.flatnonzero(np.isfinite(close[:, column]))
        first = row_of(days, first_day) if first_day else (bars[0] if len(bars) else len(days))
        end = row_of(days, end_day) if end_day else len(days)
        result[first:end, column] = True
    return result


def _fingerprint(
    days: Days,
    symbols: Sequence[str],
    facts: Facts,
    rules: RuleArrays,
    listings: Listings,
    actions: Iterable[Action],
) -> str:
    """Return a hash of everything that could change a result."""
    digest = hashlib.sha256()

    def add(label: str, *arrays: NDArray[np.generic] | None) -> None:
        digest.update(label.encode())
        for array in arrays:
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())

    add("days", days.astype(np.int64))
    digest.update(repr((tuple(symbols), listings, tuple(actions))).encode())
    for name in sorted(facts.bars):
        add(name, facts.bars[name])
    add("facts", facts.units, facts.nav, facts.margin_balance, facts.margin_recorded_from)
    for name in sorted(facts.usable_from):
        add(name, facts.usable_from[name])
    digest.update(repr(sorted(facts.lags.items())).encode())
    for name in sorted(facts.indices):
        add(name, facts.indices[name], facts.indices_from.get(name))
    for name, series in sorted(facts.macro.items()):
        add(name, series.values, series.usable_from)
    if facts.market_margin is not None:
        add("market margin", facts.market_margin.values, facts.market_margin.usable_from)
    digest.update(repr(facts.index_weights).encode())
    add("rules", rules.lot, rules.tick, rules.price_limit, rules.buy_fee_rate, rules.sell_fee_rate)
    return digest.hexdigest()[:16]
