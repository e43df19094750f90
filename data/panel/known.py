"""The known face of a panel: row *d* holds what was public before the open of session *d*.

Strategies get only this face, so that whatever they compute row by row cannot look ahead. Two rules make it:

- a **level** (price, units, balance) of row *d* is the latest value that was public by then; it expires
  after ``stale_after`` sessions, so that a series that stopped is NaN and not a memory;
- a **flow** of row *d* is the money that became public between the opens of *d* - 1 and *d*. What is
  published late arrives late, once; a sum over rows counts everything once and nothing before its time.

When each datum becomes public is decided in ``data.facts.availability`` and by ``known_at`` of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, did_you_mean
from data.numeric.compiled import compiled, frozen
from data.panel.flows import UnitFlows, net_financing, row_before, unit_changes, unit_prices
from data.panel.market import Market

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

# Sessions on which a value of a monthly series is good: two months, so that a late one is no gap.
MONTHLY = 44

# Cells above which machine code pays, although the compiler has to be loaded.
LARGE = 1_000_000


@dataclass(frozen=True)
class IndexWeights:
    """Constituents of an index as one published file has them; usable from session ``row`` on."""

    index: str
    row: int
    day: np.datetime64
    weights: Mapping[str, float]
    themes: Mapping[str, str]


@dataclass(frozen=True)
class Series:
    """Values by the session they belong to, and the first session whose open may use each, (D, S)."""

    values: Floats
    usable_from: Integers


class Known:
    """Read-only arrays, (D, S) unless said otherwise; row *d* was public before the open of session *d*.

    NaN means not known (yet, or any more). Arrays are computed when first asked for, and shared.
    """

    def __init__(
        self,
        days: NDArray[np.datetime64],
        symbols: tuple[str, ...],
        market: Market,
        *,
        amount: Floats,
        bars_from: Integers,
        units: Series,
        nav: Series,
        margin_balance: Series,
        margin_recorded_from: Integers,
        market_margin: Series,
        indices: Mapping[str, Series],
        macro: Mapping[str, Series],
        index_weights: tuple[IndexWeights, ...],
        tracked: tuple[str | None, ...],
        families: tuple[str | None, ...],
        stale_after: int,
    ) -> None:
        self.days = days
        self.symbols = symbols
        self.tracked = tracked
        self.families = families
        self._market = market
        self._amount = amount
        self._bars_from = bars_from
        self._units = units
        self._nav = nav
        self._margin = margin_balance
        self._margin_recorded_from = margin_recorded_from
        self._market_margin = market_margin
        self._indices = indices
        self._macro = macro
        self._index_weights = index_weights
        self._stale_after = stale_after
        self._flows: dict[str, Floats] = {}
        self._assets: dict[str, Floats] = {}

    # Facts about the session itself that are public before its open.

    @cached_property
    def listed(self) -> Bools:
        """Whether the fund is listed on the session itself; listing days are announced."""
        return self._market.listed

    @cached_property
    def sessions_listed(self) -> Integers:
        """Number of sessions since listing, before this one; 0 on the first; counted within the panel."""
        return _read_only(np.maximum(np.cumsum(self.listed, axis=0) - 1, 0))

    # Prices and volume of the session before.

    @cached_property
    def open(self) -> Floats:
        """Opening price, unadjusted, of the latest session on which the fund traded."""
        return self._bar(self._market.open)

    @cached_property
    def high(self) -> Floats:
        """Highest price, unadjusted."""
        return self._bar(self._market.high)

    @cached_property
    def low(self) -> Floats:
        """Lowest price, unadjusted."""
        return self._bar(self._market.low)

    @cached_property
    def close(self) -> Floats:
        """Closing price, unadjusted; see ``adjusted_close`` for anything that compares days."""
        return self._bar(self._market.close)

    @cached_property
    def vwap(self) -> Floats:
        """Average price, amount / volume."""
        return self._bar(self._market.vwap)

    @cached_property
    def volume(self) -> Floats:
        """Shares traded in the session before; 0 if halted."""
        return self._activity(self._market.volume)

    @cached_property
    def amount(self) -> Floats:
        """Money traded in the session before; 0 if halted."""
        return self._activity(self._amount)

    @cached_property
    def adjusted_close(self) -> Floats:
        """Closing price times all splits and dividends since the first bar of the panel (total return).

        Adjusted forward in time, so that later actions never rewrite it. Unlike vendors' factors it uses
        announced ratios, and keeps the NAV move of a day without trade.
        """
        return self._bar(self._market.close * self._market.adjustment)

    # Fund units.

    @cached_property
    def units(self) -> Floats:
        """Fund units outstanding, as published."""
        return self._level(self._units)

    @cached_property
    def units_adjusted(self) -> Floats:
        """Fund units on the basis of the fund's first day in the panel; comparable over time."""
        return self._level(Series(self._changes.adjusted, self._units.usable_from))

    @cached_property
    def unit_change(self) -> Floats:
        """Fund units created less redeemed, split-safe, newly published for this row; NaN: nothing new."""
        return self._newly(self._changes.change, self._change_from)

    @cached_property
    def nav(self) -> Floats:
        """Net asset value per fund unit, as published."""
        return self._level(self._nav)

    @cached_property
    def aum(self) -> Floats:
        """Assets under management: units times NAV; while a fund has no known NAV, units times close."""
        by_nav = self.assets("nav")
        return _read_only(np.where(np.isfinite(by_nav), by_nav, self.assets("close")))

    def assets(self, valuation: str) -> Floats:
        """Return units times the price of ``valuation`` (as in ``flow``), on the basis of the count."""
        if valuation not in self._assets:
            usable = np.maximum(self._units.usable_from, self._price_from(valuation))
            self._assets[valuation] = self._level(Series(self._units.values * self._price(valuation), usable))
        return self._assets[valuation]

    def flow(self, valuation: str = "vwap") -> Floats:
        """Return the net money that entered each fund as new units, newly published for this row.

        ``valuation`` is ``vwap`` (the press), ``nav`` (the literature), ``prev_nav`` or ``close``.
        A change that covers several sessions, because counts are missing, comes as one sum.
        NaN: nothing was newly published.
        """
        if valuation not in self._flows:
            usable = np.maximum(self._change_from, self._price_from(valuation))
            self._flows[valuation] = self._newly(self._changes.change * self._price(valuation), usable)
        return self._flows[valuation]

    # Leveraged money.

    @cached_property
    def margin_balance(self) -> Floats:
        """Financing balance of the fund, money; NaN before the fund is eligible."""
        return self._level(self._margin)

    @cached_property
    def net_financing(self) -> Floats:
        """Financing bought less repaid, newly published for this row: the change of the balance."""
        values, before = net_financing(
            self._margin.values,
            recorded_from=self._margin_recorded_from,
            usable_from=self._margin.usable_from,
        )
        return self._newly(values, _since(self._margin.usable_from, before))

    @cached_property
    def market_margin(self) -> Floats:
        """Financing balance of the whole market, money, (D,); some markets publish it once a month."""
        return self._column(self._market_margin, stale_after=max(self._stale_after, MONTHLY))

    # Indices and macro series.

    @cached_property
    def index_codes(self) -> tuple[str, ...]:
        """Codes of the indices with levels."""
        return tuple(sorted(self._indices))

    def index(self, code: str) -> Floats:
        """Return the closing level of an index, (D,)."""
        return self._column(_named(self._indices, code, "index"))

    def macro(self, series: str) -> Floats:
        """Return the latest published value of a macro series, (D,)."""
        return self._column(_named(self._macro, series, "macro series"), stale_after=len(self.days))

    def index_weights(self, code: str) -> tuple[IndexWeights, ...]:
        """Return the published constituent files of an index, by the row from which each is usable."""
        return tuple(each for each in self._index_weights if each.index == code)

    def session_of(self, datum: str) -> Integers:
        """Return the row of the session that the latest known ``datum`` belongs to; -1: none yet.

        ``datum`` is ``price``, ``flow``, ``nav`` or ``margin``. Unlike values it does not expire.
        """
        change_from = np.maximum(self._change_from, self._bars_from)
        series = {
            "price": Series(self._market.close, self._bars_from),
            "flow": Series(self._changes.change, change_from),
            "nav": self._nav,
            "margin": self._margin,
        }
        chosen = _named(series, datum, "datum")
        rows = np.arange(len(self.days))[:, None]
        sessions = np.where(np.isfinite(chosen.values), rows, np.nan)
        latest = latest_known(sessions, chosen.usable_from, stale_after=len(rows))
        return np.where(np.isfinite(latest), latest, -1).astype(np.int64)

    def until(self, row: int) -> Any:
        """Return a view that ends with ``row``: the same names, arrays cut to rows 0 to ``row``."""
        return _Until(self, row)

    # How it is done.

    @cached_property
    def _changes(self) -> UnitFlows:
        return unit_changes(self._units.values, self._market.events, self._units.usable_from)

    @cached_property
    def _change_from(self) -> Integers:
        return _since(self._units.usable_from, self._changes.before)

    def _price(self, valuation: str) -> Floats:
        market = self._market
        return unit_prices(
            valuation,
            self._changes,
            vwap=market.vwap,
            close=market.close,
            mark=market.mark,
            nav=self._nav.values,
        )

    def _price_from(self, valuation: str) -> Integers:
        """Return the first session whose open may use the price of each session."""
        if valuation == "nav":
            return self._nav.usable_from
        if valuation == "prev_nav":
            before = row_before(self._nav.values)
            columns = np.broadcast_to(np.arange(before.shape[1]), before.shape)
            return self._nav.usable_from[np.where(before >= 0, before, 0), columns]
        return self._bars_from

    def _bar(self, values: Floats) -> Floats:
        return self._level(Series(values, self._bars_from))

    def _activity(self, values: Floats) -> Floats:
        since_first_bar = np.where(np.isfinite(self._market.mark), values, np.nan)
        known = self._level(Series(since_first_bar, self._bars_from))
        return _read_only(np.where(np.isfinite(self.close), known, np.nan))

    def _level(self, series: Series, stale_after: int | None = None) -> Floats:
        limit = self._stale_after if stale_after is None else stale_after
        return _read_only(latest_known(series.values, series.usable_from, limit))

    def _column(self, series: Series, stale_after: int | None = None) -> Floats:
        return self._level(series, stale_after)[:, 0]

    def _newly(self, values: Floats, usable_from: Integers) -> Floats:
        return _read_only(newly_known(values, usable_from))


class _Until:
    """The known face as it was before the open of one session: every array ends there."""

    def __init__(self, known: Known, row: int) -> None:
        self._known = known
        self._end = row + 1

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._known, name)
        if isinstance(value, np.ndarray):
            return value[: self._end]
        if name == "index_weights":
            return lambda code: tuple(each for each in value(code) if each.row < self._end)
        if callable(value) and not name.startswith("_"):
            return _cut(value, self._end)
        return value


def _cut(method: Callable[..., Floats], end: int) -> Callable[..., Floats]:
    return lambda *arguments: method(*arguments)[:end]


def latest_known(values: Floats, usable_from: Integers, stale_after: int) -> Floats:
    """Return for each row the value of the latest session that is usable by then; NaN once it is stale.

    ``values`` and ``usable_from`` are (D, S), by the session to which a value belongs. The value of a later
    session wins even if it was published earlier. It is usable on ``stale_after`` sessions, then it is stale.
    """
    if values.size > LARGE:
        result = np.full(values.shape, np.nan)
        compiled(pick_latest)(frozen(values), frozen(usable_from), stale_after, result)
        return result
    latest = np.full(values.shape, -1, dtype=np.int64)
    rows, columns = np.nonzero(np.isfinite(values) & (usable_from < len(values)))
    np.maximum.at(latest, (usable_from[rows, columns], columns), rows)
    latest = np.maximum.accumulate(latest, axis=0)
    every = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    age = np.arange(len(values))[:, None] - usable_from[np.maximum(latest, 0), every]
    fresh = (latest >= 0) & (age < stale_after)
    return np.where(fresh, values[np.where(fresh, latest, 0), every], np.nan)


def newly_known(values: Floats, usable_from: Integers) -> Floats:
    """Return for each row the sum of the values that become usable with it; NaN where none does."""
    result = np.zeros(values.shape)
    if values.size > LARGE:
        compiled(add_new)(frozen(values), frozen(usable_from), result)
        return result
    rows, columns = np.nonzero(np.isfinite(values) & (usable_from < len(values)))
    some = np.zeros(values.shape, dtype=bool)
    np.add.at(result, (usable_from[rows, columns], columns), values[rows, columns])
    some[usable_from[rows, columns], columns] = True
    return np.where(some, result, np.nan)


def pick_latest(values: Floats, usable_from: Integers, stale_after: int, result: Floats) -> None:
    """Do what ``latest_known`` does, in machine code; ``result`` is NaN before."""
    sessions, funds = values.shape
    newest = np.full((sessions, funds), -1, dtype=np.int64)
    for row in range(sessions):
        for column in range(funds):
            usable = usable_from[row, column]
            if usable < sessions and abs(values[row, column]) < np.inf and newest[usable, column] < row:
                newest[usable, column] = row
    latest = np.full(funds, -1, dtype=np.int64)
    for row in range(sessions):
        for column in range(funds):
            latest[column] = max(latest[column], newest[row, column])
            source = latest[column]
            if source >= 0 and row - usable_from[source, column] < stale_after:
                result[row, column] = values[source, column]


def add_new(values: Floats, usable_from: Integers, result: Floats) -> None:
    """Do what ``newly_known`` does, in machine code; ``result`` is zero before."""
    sessions, funds = values.shape
    some = np.zeros((sessions, funds), dtype=np.bool_)
    for row in range(sessions):
        for column in range(funds):
            usable = usable_from[row, column]
            if usable < sessions and abs(values[row, column]) < np.inf:
                result[usable, column] += values[row, column]
                some[usable, column] = True
    for row in range(sessions):
        for column in range(funds):
            if not some[row, column]:
                result[row, column] = np.nan


def no_series(sessions: int, columns: int) -> Series:
    """Return a series without values."""
    return Series(
        np.full((sessions, columns), np.nan),
        np.full((sessions, columns), sessions, dtype=np.int64),
    )


def _since(usable_from: Integers, before: Integers) -> Integers:
    """Return from when a change is usable: when both its values are."""
    columns = np.broadcast_to(np.arange(before.shape[1]), before.shape)
    earlier = usable_from[np.where(before >= 0, before, 0), columns]
    return np.where(before >= 0, np.maximum(usable_from, earlier), usable_from)


def _named(series: Mapping[str, Series], name: str, kind: str) -> Series:
    if name not in series:
        raise DataError(f"the data have no {kind} `{name}`", hint=did_you_mean(name, series))
    return series[name]


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values
