"""The known face of a panel: row *d* holds what was public before the open of session *d*.

Strategies get only this face, so that whatever they compute row by row cannot look ahead. Two rules make it:

- a **level** (price, units, balance) of row *d* is the latest value that was public by then; it expires
  after ``stale_after`` sessions, so that a series that stopped is NaN and not a memory; counts of units that
  come seldom expire after twice the sessions that usually lie between two;
- a **flow** of row *d* is the money that became public between the opens of *d* - 1 and *d*. What is
  published late arrives late, once; a sum over rows counts everything once and nothing before its time.

When each datum becomes public is decided in ``data.facts.availability`` and by ``known_at`` of a row.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.panel.counts import UnitCounts
from data.panel.facts import Facts, IndexWeights
from data.panel.flows import nav_premium, net_financing, pending_splits
from data.panel.market import Market
from data.panel.publication import Published, Series, latest_known, read_only, require, since
from data.panel.until import Until
from data.store.tables import FUND_TABLES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


PERIODS = ("week", "month", "quarter", "year")


def period_of(days: NDArray[np.datetime64], period: str) -> Integers:
    """Return the number of the week (from Monday on), month, quarter or year of each day."""
    if period == "week":
        numbers: Integers = (days.astype(np.int64) + 3) // 7
        return numbers
    months: Integers = days.astype("datetime64[M]").astype(np.int64)
    return months // {"month": 1, "quarter": 3, "year": 12}[period]


class Known:
    """Read-only arrays, (D, S) unless said otherwise; row *d* was public before the open of session *d*.

    NaN means not known (yet, or any more). Arrays are computed when first asked for, and shared.
    Prices, and NAV, are in the currency of each fund, amounts of money in that of the run, at the latest
    exchange rate that was public (``rates``; None: all funds are traded in it).
    """

    def __init__(
        self,
        days: NDArray[np.datetime64],
        symbols: tuple[str, ...],
        market: Market,
        facts: Facts,
        *,
        tracked: tuple[str | None, ...],
        families: tuple[str | None, ...],
        stale_after: int,
        calendar: NDArray[np.datetime64],
        rates: Floats | None = None,
    ) -> None:
        self.days = days
        self.calendar = calendar
        self.symbols = symbols
        self.tracked = tracked
        self.families = families
        self._market = market
        self._rates = rates
        self._facts = facts
        self._published = Published(facts, market.listed.shape, stale_after)
        self._flows: dict[str, Floats] = {}
        self._covered: dict[str, Floats] = {}
        self._assets: dict[str, Floats] = {}

    # Facts about the session itself that are public before its open.

    @cached_property
    def listed(self) -> Bools:
        """Whether the fund is listed on the session itself; listing days are announced."""
        return self._market.listed

    @cached_property
    def sessions_listed(self) -> Integers:
        """Number of sessions since listing, before this one; 0 on the first; counted within the panel."""
        return read_only(np.maximum(np.cumsum(self.listed, axis=0) - 1, 0))

    def sessions_left(self, period: str) -> Integers:
        """Return how many sessions follow each one in its ``week``, ``month``, ``quarter`` or ``year``, (D,).

        0: the last. By ``calendar``, the sessions that the exchange has announced, which go beyond the data:
        a year's are published in the year before.
        """
        require(period, PERIODS, "period")
        periods = period_of(self.calendar, period)
        after = np.searchsorted(periods, period_of(self.days, period), side="right")
        return read_only(after - 1 - np.searchsorted(self.calendar, self.days))

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
        amount = self._facts.grids["bars"].columns.get("amount", np.nan)
        return self._in_money_of_run(self._activity(np.where(self._market.traded, amount, 0.0)))

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
        """Fund units outstanding, as published; a count that comes seldom is good until the next is due."""
        return self._published.level(self._counts.series, self._counts.good_for)

    @cached_property
    def units_adjusted(self) -> Floats:
        """Fund units on the basis of the fund's first day in the panel; comparable over time."""
        adjusted = Series(self._counts.changes.adjusted, self._counts.series.usable_from)
        return self._published.level(adjusted, self._counts.good_for)

    @cached_property
    def unit_change(self) -> Floats:
        """Fund units created less redeemed, split-safe, newly published for this row; NaN: nothing new."""
        return self._published.newly(self._counts.changes.change, self._counts.change_from)

    @cached_property
    def nav(self) -> Floats:
        """Net asset value per fund unit, as published."""
        return self._published.latest("nav")

    @cached_property
    def aum(self) -> Floats:
        """Assets under management: units times NAV; while a fund has no known NAV, units times close."""
        by_nav = self.assets("nav")
        return read_only(np.where(np.isfinite(by_nav), by_nav, self.assets("close")))

    def assets(self, valuation: str) -> Floats:
        """Return units times the price of ``valuation`` (as in ``flow``), on the basis of the count."""
        if valuation not in self._assets:
            usable = np.maximum(self._counts.series.usable_from, self._counts.price_from(valuation))
            values = self._counts.series.values * self._counts.price(valuation)
            known = self._published.level(Series(values, usable), self._counts.good_for)
            self._assets[valuation] = self._in_money_of_run(known)
        return self._assets[valuation]

    def flow(self, valuation: str = "vwap") -> Floats:
        """Return the net money that entered each fund as new units, newly published for this row.

        ``valuation`` is ``vwap`` (the press), ``nav`` (the literature), ``prev_nav`` or ``close``.
        A change that covers several sessions, because counts are missing, comes as one sum.
        NaN: nothing was newly published.
        """
        if valuation not in self._flows:
            usable = np.maximum(self._counts.change_from, self._counts.price_from(valuation))
            money = self._counts.changes.change * self._counts.price(valuation)
            self._flows[valuation] = self._in_money_of_run(self._published.newly(money, usable))
        return self._flows[valuation]

    def flow_sessions(self, valuation: str = "vwap") -> Floats:
        """Return how many sessions the flow of each row covers: 1, or more where counts are missing between.

        NaN: nothing was newly published.
        """
        if valuation not in self._covered:
            usable = np.maximum(self._counts.change_from, self._counts.price_from(valuation))
            known = np.isfinite(self._counts.changes.change * self._counts.price(valuation))
            covers = np.where(known, self._counts.changes.merged.astype(np.float64), np.nan)
            self._covered[valuation] = self._published.newly(covers, usable)
        return self._covered[valuation]

    @cached_property
    def sessions_awaited(self) -> Floats:
        """Sessions since the latest count was published whose own is not due yet, by how often there is one.

        0 for daily counts; of weekly and monthly ones at most the sessions between two.
        """
        return self._counts.awaited()

    # Leveraged money.

    @cached_property
    def margin_balance(self) -> Floats:
        """Financing balance of the fund, money; NaN before the fund is eligible."""
        return self._in_money_of_run(self._published.latest("margin"))

    @cached_property
    def net_financing(self) -> Floats:
        """Financing bought less repaid, newly published for this row: the change of the balance."""
        margin = self._published.series("margin")
        values, before = net_financing(
            margin.values,
            recorded_from=self._published.recorded_from("margin"),
            usable_from=margin.usable_from,
            events=self._market.events,
        )
        return self._in_money_of_run(self._published.newly(values, since(margin.usable_from, before)))

    @cached_property
    def market_margin(self) -> Floats:
        """Financing balance of the whole market, money, (D,); some markets publish it once a month."""
        return self._published.of_market("margin")

    # Other facts about funds.

    @cached_property
    def premium(self) -> Floats:
        """Closing price over the fund's value (indicative, or NAV) less one, as published; a fraction."""
        return self._published.latest("premium")

    @cached_property
    def nav_premium(self) -> Floats:
        """Closing price over NAV of the latest session that has both less one; a fraction.

        On the sessions before a split takes effect NAV may be that of after it: both are on one basis here.
        """
        close, nav = self._market.close, self._counts.nav
        values = nav_premium(close, nav.values, pending_splits(self._market.events, close.shape))
        usable = np.maximum(nav.usable_from, self._bars_from)
        return self._published.level(Series(values, usable))

    # Indices and macro series.

    @cached_property
    def index_codes(self) -> tuple[str, ...]:
        """Codes of the indices with levels."""
        return tuple(sorted(self._published.names("index_bars")))

    def index(self, code: str) -> Floats:
        """Return the closing level of an index, (D,)."""
        return self._published.named("index_bars", code, "index")

    def macro(self, series: str) -> Floats:
        """Return the latest published value of a macro series, (D,)."""
        return self._published.named("macro", series, "macro series")

    def fx(self, pair: str) -> Floats:
        """Return the latest public exchange rate of a pair, (D,): of USDCNY, yuan for a dollar."""
        return self._published.named("fx", pair, "exchange rate")

    def index_weights(self, code: str) -> tuple[IndexWeights, ...]:
        """Return the published constituent files of an index, by the row from which each is usable."""
        return tuple(each for each in self._facts.index_weights if each.index == code)

    def session_of(self, datum: str) -> Integers:
        """Return the row of the session that the latest known ``datum`` belongs to; -1: none yet.

        ``datum`` is ``price``, ``flow``, or a table about funds as ``nav`` or ``margin``. Unlike values it
        does not expire.
        """
        if datum == "price":
            chosen = Series(self._market.close, self._bars_from)
        elif datum == "flow":
            change_from = np.maximum(self._counts.change_from, self._bars_from)
            chosen = Series(self._counts.changes.change, change_from)
        else:
            tables = [each.name for each in FUND_TABLES]
            require(datum, ("price", "flow", *tables), "datum")
            chosen = self._published.series(datum)
        rows = np.arange(len(self.days))[:, None]
        sessions = np.where(np.isfinite(chosen.values), rows, np.nan)
        latest = latest_known(sessions, chosen.usable_from, stale_after=len(rows))
        return np.where(np.isfinite(latest), latest, -1).astype(np.int64)

    def of(self, columns: slice) -> Known:
        """Return the face of some funds alone: the same numbers, unless one of them ``merges``."""
        return Known(
            self.days,
            self.symbols[columns],
            self._market.of(columns),
            self._facts.of(columns),
            tracked=self.tracked[columns],
            families=self.families[columns],
            stale_after=self._published.stale_after,
            calendar=self.calendar,
            rates=None if self._rates is None else self._rates[:, columns],
        )

    @property
    def merges(self) -> bool:
        """Whether a fund of the panel merges into another, so that the numbers of one depend on another's."""
        return any(event.kind == "merge" for event in self._market.events)

    def until(self, row: int) -> Any:
        """Return a view that ends with ``row``: the same names, arrays cut to rows 0 to ``row``."""
        return Until(self, row)

    # How it is done.

    @cached_property
    def _counts(self) -> UnitCounts:
        return UnitCounts(self._facts, self._published, self._market)

    @cached_property
    def _bars_from(self) -> Integers:
        return self._facts.grids["bars"].usable_from

    def _in_money_of_run(self, money: Floats) -> Floats:
        return money if self._rates is None else read_only(money * self._rates)

    def _bar(self, values: Floats) -> Floats:
        return self._published.level(Series(values, self._bars_from))

    def _activity(self, values: Floats) -> Floats:
        since_first_bar = np.where(np.isfinite(self._market.mark), values, np.nan)
        known = self._published.level(Series(since_first_bar, self._bars_from))
        return read_only(np.where(np.isfinite(self.close), known, np.nan))
