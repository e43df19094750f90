"""A panel: what everybody else sees of the market, read-only day x symbol arrays with two faces.

``known`` is for strategies: row *d* holds what was public before the open of session *d*
(``data.panel.known``). ``market`` is for engines: row *d* is session *d* itself (``data.panel.market``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import DataError
from data.facts.actions import Action, ends_of, place, row_of
from data.facts.calendars import mean_sessions
from data.facts.rules import RuleArrays
from data.facts.symbols import currency_of_index
from data.panel.currency import Converted, converted, rates_of
from data.panel.facts import Facts, Listings, facts_of_arrays
from data.panel.fingerprint import fingerprint
from data.panel.known import Known
from data.panel.market import Market, build_market

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

STALE_AFTER = 10


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
    calendar: Days
    whole_years: Mapping[int, int] = field(default_factory=dict)
    currency: str | None = None

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
            calendar=self.calendar,
            whole_years=self.whole_years,
            currency=self.currency,
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
    index_fills : the same at the other points at which orders fill, ``open`` and ``vwap``, where known
    name, synthetic, fingerprint : where the data come from, whether they are made up, a hash of all of it
    sessions_per_year : where nothing is known of ``whole_years``, what annualises statistics
    whole_years : the exchange's sessions by calendar year, of years that are recorded as a whole
    currency : that of the market face, and of the run; None: that in which all funds are traded
    markets : whose sessions in common the panel has, if there are two
    on_file : days (U,) and closes (U, S) of all bars, if the panel leaves some out
    last_bars : the last day of any bar on file, by market; None: no bar
    ingredients : what it was made of, for audits that alter some of it; strategies do not see it
    filled : what the data lacked and etflow's own facts filled in, by table, in words
    home : the folder of the store that it was loaded from; None for one that was not
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
    home: Path | None = None
    index_fills: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    whole_years: Mapping[int, int] = field(default_factory=dict)
    currency: str | None = None
    markets: tuple[str, ...] = ()
    on_file: tuple[Days, Floats] | None = field(default=None, repr=False)
    last_bars: tuple[date | None, ...] = ()

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
        calendar: Days | None = None,
        whole_years: Mapping[int, int] | None = None,
        currency: str | None = None,
    ) -> Panel:
        """Return the panel of ``facts``; the only place where its two faces are put together.

        ``calendar`` has the sessions that the exchange has announced, also later ones; None: ``days``.
        ``currency`` is that of the run; None: that in which all funds are traded.
        """
        calendar = days if calendar is None else calendar
        symbols, actions = tuple(symbols), tuple(actions)
        if list(symbols) != sorted(set(symbols)):
            raise DataError("symbols must be sorted and unique", received=", ".join(symbols))
        delisted = ends_of(listings.delisted, symbols, actions)
        events = place(actions, days, symbols, delisted)
        bars = facts.grids["bars"].columns
        listed = _listed(days, listings.listed, delisted, bars["close"])
        local = build_market(bars, events, listed, _last_nav(facts, listed.shape), rules)
        foreign = None if currency is None else converted(local, facts, symbols, currency, stale_after)
        market = foreign or local
        return cls(
            days=days,
            symbols=symbols,
            known=_known_face(days, symbols, market, facts, listings, stale_after, calendar),
            market=market,
            index_closes=MappingProxyType(_index_levels(facts, "close", currency, stale_after)),
            index_fills={"open": _index_levels(facts, "open", currency, stale_after)},
            name=name,
            synthetic=synthetic,
            fingerprint=fingerprint(days, symbols, facts, rules, listings, actions, currency),
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
                calendar,
                whole_years or {},
                currency,
            ),
            whole_years=whole_years or {},
            currency=currency,
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
        index_opens: Mapping[str, ArrayLike] | None = None,
        macro: Mapping[str, ArrayLike] | None = None,
        facts: Mapping[str, ArrayLike] | None = None,
        fx: Mapping[str, ArrayLike] | None = None,
        currency: str | None = None,
        name: str = "panel",
        synthetic: bool = True,
        sessions_per_year: float = 252.0,
    ) -> Panel:
        """Return a panel of plain arrays, (D, S) with NaN where there is nothing: for notebooks and tests.

        Arrays are copied, unless they are settled: contiguous, read-only, and not a window on another.
        The same rules hold for all sessions and funds, apart from ``price_limit``, which may differ by
        fund. ``facts`` has further tables about funds by name, the main column of each, as ``premium``.
        ``indices`` are closing levels by code; ``index_opens`` opening levels of those that have them.
        ``lags`` has sessions until a datum is usable, by table, 1 each. ``macro`` is by the session from
        which a value is known, ``fx`` exchange rates by pair (USDCNY) and day; ``currency`` is the account's.
        """
        sessions = np.asarray(days, dtype="datetime64[D]")
        shape = (len(sessions), len(symbols))
        limits = np.full(len(symbols), np.nan)
        if price_limit is not None:
            limits[:] = np.asarray(price_limit, dtype=np.float64)
        nobody: tuple[None, ...] = (None,) * len(symbols)
        given = {"units": units, "nav": nav, "margin": margin_balance} | dict(facts or {})
        made = facts_of_arrays(
            shape,
            bars=bars,
            funds={key: value for key, value in given.items() if value is not None},
            market_margin=market_margin,
            indices=indices or {},
            index_opens=index_opens or {},
            macro=macro or {},
            fx=fx or {},
            lags=lags or {},
        )
        rules = RuleArrays(
            lot=np.broadcast_to(np.int64(lot), shape),
            tick=np.broadcast_to(np.float64(tick), shape),
            price_limit=np.broadcast_to(limits, shape),
            buy_fee_rate=np.broadcast_to(np.float64(buy_fee_rate), shape),
            sell_fee_rate=np.broadcast_to(np.float64(sell_fee_rate), shape),
        )
        listings = Listings(tuple(listed or nobody), tuple(delisted or nobody), nobody, nobody)
        return cls.build(
            sessions,
            symbols,
            made,
            rules,
            listings,
            actions,
            name=name,
            synthetic=synthetic,
            sessions_per_year=sessions_per_year,
            currency=currency,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to another process: a view of a mapping cannot be."""
        return {**self.__dict__, "index_closes": dict(self.index_closes)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what another process sent."""
        self.__dict__.update(state, index_closes=MappingProxyType(state["index_closes"]))

    def with_facts(self, facts: Facts) -> Panel:
        """Return the panel on ``facts`` that differ from its own in no bar and no NAV.

        The market face is shared, which is most of the work of a panel; its fingerprint is no longer its own.
        """
        given = replace(self.ingredients, facts=facts)
        known = _known_face(
            self.days,
            self.symbols,
            self.market,
            facts,
            given.listings,
            given.stale_after,
            given.calendar,
        )
        return replace(self, known=known, fingerprint="", ingredients=given)

    def with_index(self, code: str, closes: Floats, fills: Mapping[str, Floats] | None = None) -> Panel:
        """Return the panel with one more index to compare with; strategies do not see it.

        ``closes`` are levels, (D,), and ``fills`` those at other fill points, by their names.
        """
        at = {point: dict(levels) for point, levels in self.index_fills.items()}
        for point, levels in (fills or {}).items():
            at.setdefault(point, {})[code] = levels
        closing = MappingProxyType(dict(self.index_closes) | {code: closes})
        return replace(self, index_closes=closing, index_fills=at)

    def per_year(self, first: int, last: int) -> float:
        """Return the sessions a year that annualise what happened on the rows ``first`` to ``last``.

        The mean of the calendar years that these touch, whatever else was loaded.
        """
        if not self.whole_years:
            return self.sessions_per_year
        begin, end = (self.days[row].astype("datetime64[Y]").astype(int) + 1970 for row in (first, last))
        return mean_sessions(self.whole_years, begin, end)

    def row(self, day: date) -> int:
        """Return the row of the first session on or after ``day``; the number of sessions if none."""
        return row_of(self.days, day)


def _known_face(
    days: Days,
    symbols: tuple[str, ...],
    market: Market,
    facts: Facts,
    listings: Listings,
    stale_after: int,
    calendar: Days,
) -> Known:
    return Known(
        days,
        symbols,
        market.local,
        facts,
        tracked=listings.tracked,
        families=listings.families,
        stale_after=stale_after,
        calendar=calendar,
        rates=market.rates if isinstance(market, Converted) else None,
    )


def _index_levels(facts: Facts, point: str, currency: str | None, stale_after: int) -> dict[str, Floats]:
    """Return levels at the open or the close, (D,), by index, in the currency of a run; empty without any.

    ``currency`` is None where levels stay as they are.
    """
    grid = facts.grids.get("index_bars")
    if grid is None or point not in grid.columns:
        return {}
    levels = {code: grid.columns[point][:, column].copy() for column, code in enumerate(grid.series or ())}
    for code in levels:
        own = currency_of_index(code)
        if currency not in (None, own):
            levels[code] *= rates_of(facts, own, currency, len(levels[code]), stale_after).session
    return levels


def _last_nav(facts: Facts, shape: tuple[int, ...]) -> Floats:
    """Return for each row the latest NAV above it; NaN where there is none."""
    values = facts.grids["nav"].measure if "nav" in facts.grids else np.broadcast_to(np.nan, shape)
    if np.isnan(values).all():
        return np.broadcast_to(np.nan, shape)
    rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    latest = np.maximum.accumulate(rows, axis=0)
    latest = np.vstack([np.full((1, values.shape[1]), -1), latest[:-1]])
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.where(latest >= 0, values[np.where(latest >= 0, latest, 0), columns], np.nan)


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
