"""From a data source to a panel.

0. what the source lacks and etflow ships is filled in (``data.filled``);
1. the funds of the run are chosen (``choose_symbols``);
2. its sessions come from the exchange's calendar, from the first bar on file to the end (``_sessions``); of
   two markets those on which both are open, with reference prices of all their own (``data.panel.joined``);
3. fact tables become arrays on those sessions, and each datum gets the first session whose open may use it:
   what its row says in ``known_at``, else the dated lags of ``data.facts.availability`` (``facts_of``);
4. rules, listings and actions are added, and ``Panel.build`` puts the two faces together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, did_you_mean
from data.facts.actions import actions_from
from data.facts.availability import load_availability
from data.facts.calendars import Calendar
from data.facts.common_sessions import Common, calendar_of
from data.facts.rules import RuleBook, beside
from data.facts.symbols import CURRENCIES, market_of, markets_of, of_market, parse_symbol
from data.facts.universe import funds_of, known_funds, universe
from data.filled import Filled
from data.panel.facts import Listings
from data.panel.grids import facts_of
from data.panel.joined import all_closes, last_bars, with_references
from data.panel.panel import Panel
from data.source import Renamed, renamed, spans_of

if TYPE_CHECKING:
    from data.source import DataSource

Days = NDArray[np.datetime64]


def load_panel(
    source: DataSource,
    symbols: Sequence[str] = (),
    *,
    universe_name: str | None = None,
    end: date | None = None,
    availability: str = "normal",
    lags: Mapping[str, int] | None = None,
    benchmark: str | None = None,
    currency: str | None = None,
) -> Panel:
    """Return the panel of a source, from the first bar on file to ``end`` (None: the last bar).

    That of two markets ends with the one whose bars end first.

    Parameters
    ----------
    symbols, universe_name
        Funds to load, or a named universe; neither: all funds of the source.
    availability, lags
        ``normal`` or ``strict``, and sessions by which tables are published later.
    benchmark
        An index code or a fund; a fund is loaded as an index of its total return.
    currency
        In which the account is kept, CNY or USD; None: in that of the funds, in CNY where they have both.
    """
    source = Filled.of(source)
    chosen = choose_symbols(source, symbols, universe_name)
    markets = markets_of(chosen)
    calendar = calendar_of(markets)
    published = load_availability(availability, lags)
    require_bars(source, chosen)
    days = _sessions(source, chosen, calendar, end)
    funds = funds_of(chosen, source.read("funds", chosen))
    facts = facts_of(source, chosen, days, markets, published)
    both: dict[str, Any] = {}
    if len(markets) > 1:
        own = [load_panel(source, of_market(chosen, market), end=_date(days[-1])) for market in markets]
        facts = with_references(facts, own, days)
        both = {"markets": markets, "on_file": all_closes(own), "last_bars": last_bars(own)}
    panel = Panel.build(
        days,
        chosen,
        facts,
        beside([RuleBook.load(each).arrays(of_market(chosen, each), funds, days) for each in markets]),
        Listings(
            tuple(funds[symbol].listed for symbol in chosen),
            tuple(funds[symbol].delisted for symbol in chosen),
            tuple(funds[symbol].index for symbol in chosen),
            tuple(funds[symbol].family for symbol in chosen),
        ),
        actions_from(source.read("actions", chosen)),
        name=source.name,
        synthetic=source.synthetic,
        sessions_per_year=calendar.sessions_per_year(_date(days[0]), _date(days[-1])),
        stale_after=published.stale_after,
        whole_years=calendar.whole_years,
        calendar=calendar.sessions(_date(days[0]), calendar.last_day),
        currency=currency or (CURRENCIES[markets[0]] if len(markets) > 1 else None),
    )
    panel = replace(panel, filled=dict(source.used), home=source.folder, **both)
    return _with_benchmark(panel, source, benchmark, end)


def choose_symbols(
    source: DataSource, symbols: Sequence[str] = (), universe_name: str | None = None
) -> tuple[str, ...]:
    """Return the symbols of a run in order, all of which the source has.

    Of a named universe those are taken that the source has; a symbol that a fund had once stands for the one
    that it has now. DataError for a symbol without bars.
    """
    source = renamed(source)
    on_file = list(spans_of(source, "bars")) if not symbols or universe_name else []
    if universe_name is not None:
        members = universe(universe_name, funds=known_funds(source.read("funds")))
        chosen = [symbol for symbol in members if symbol in on_file]
        if not chosen:
            raise DataError(
                f"the data have no bars of any fund of the universe `{universe_name}`",
                received=", ".join(on_file[:10]),
                hint="Import bars of its funds, or choose others with --symbols.",
            )
        return tuple(sorted(chosen))
    if not symbols:
        if not on_file:
            raise DataError(
                f"`{source.name}` has no bars",
                hint="Import some: `etflow data import FILES --data STORE`.",
            )
        return tuple(on_file)
    wanted = {parse_symbol(symbol) for symbol in symbols}
    if isinstance(source, Renamed):
        wanted = {current(source, each) for each in wanted}
    return tuple(sorted(wanted))


def current(source: DataSource, symbol: str) -> str:
    """Return the symbol that a fund has now; a symbol that was given to another fund since is that fund's."""
    source = renamed(source)
    later = source.successors.get(symbol, symbol) if isinstance(source, Renamed) else symbol
    return symbol if later == symbol or len(source.read("bars", [symbol])) else later


def require_bars(source: DataSource, symbols: Sequence[str]) -> None:
    """Raise DataError with close matches unless a source has bars of every symbol."""
    known = spans_of(source, "bars")
    for symbol in symbols:
        if symbol not in known:
            raise DataError(f"`{source.name}` has no bars of {symbol}", hint=did_you_mean(symbol, known))


def ended_by(source: DataSource, panel: Panel) -> tuple[tuple[str, date], tuple[str, date]] | None:
    """Return the market whose bars end a panel of two, and the other, each with its last bar, if one does."""
    if len(panel.markets) < 2:
        return None
    short, long = sorted(_last_bars(source, panel.symbols).items(), key=lambda each: each[1])
    sessions = calendar_of(panel.markets).sessions(_date(panel.days[-1]), long[1])
    return (short, long) if len(sessions) > 1 and sessions[1] > np.datetime64(short[1]) else None


def _last_bars(source: DataSource, symbols: Sequence[str]) -> dict[str, date]:
    """Return the day of the last bar of some funds, by market."""
    spans, lasts = spans_of(renamed(source), "bars"), dict[str, date]()
    for symbol in symbols:
        if found := spans[symbol].last:
            lasts[market_of(symbol)] = max(found, lasts.get(market_of(symbol), found))
    return lasts


def _sessions(
    source: DataSource, symbols: Sequence[str], calendar: Calendar | Common, end: date | None
) -> Days:
    spans = spans_of(source, "bars")
    first = min(span.first for symbol in symbols if (span := spans[symbol]).first)
    last = min(_last_bars(source, symbols).values())
    if end is not None and end < first:
        raise DataError("`end` is before the data begin", received=end, limit=f"from {first} on")
    days = calendar.sessions(first, min(last, end) if end else last) if first <= last else np.array([])
    if len(days) < 2:
        raise DataError("the data have fewer than two sessions", received=f"{first} to {last}")
    return days


def _with_benchmark(panel: Panel, source: DataSource, benchmark: str | None, end: date | None) -> Panel:
    """Return the panel with a fund as a further index, of its total return on the days on which it traded."""
    if benchmark is None or benchmark in panel.index_closes or "." not in benchmark:
        return panel
    own = (
        panel
        if benchmark in panel.symbols
        else load_panel(source, [benchmark], end=end, currency=panel.currency)
    )
    column = own.symbols.index(benchmark)
    market = own.market
    rows = np.minimum(np.searchsorted(own.days, panel.days), len(own.days) - 1)
    known = (own.days[rows] == panel.days) & market.traded[rows, column]
    per_price = market.total_return_level[rows, column] / market.close[rows, column]
    levels = {
        point: np.where(known, per_price * getattr(market, point)[rows, column], np.nan)
        for point in ("open", "vwap", "close")
    }
    return panel.with_index(benchmark, levels.pop("close"), levels)


def _date(day: np.datetime64) -> date:
    value: Any = day.astype("datetime64[D]").astype(object)
    return date(value.year, value.month, value.day)
