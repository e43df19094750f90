"""From a data source to a panel.

0. what the source lacks and etflow ships is filled in (``data.filled``);
1. the funds of the run are chosen (``choose_symbols``), all of one market;
2. its sessions come from the exchange's calendar, from the first bar on file to the end (``_sessions``);
3. tables become (D, S) arrays on those sessions (``_grid``); rows on other days are left out, and reported by
   ``data check``;
4. each datum gets the first session whose open may use it (``_usable_from``): what its row says in
   ``known_at``, else the dated lags of ``data.facts.availability``;
5. rules, listings and actions are added, and ``Panel.build`` puts the two faces together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError, UsageError, did_you_mean
from data.facts.actions import actions_from
from data.facts.availability import Availability, load_availability
from data.facts.calendars import Calendar, calendar_for
from data.facts.rules import RuleBook
from data.facts.symbols import MARKET_CODES, market_of, parse_symbol
from data.facts.universe import funds_of, universe
from data.filled import Filled
from data.panel.known import IndexWeights, Series
from data.panel.panel import BAR_FIELDS, Facts, Listings, Panel

if TYPE_CHECKING:
    from data.source import DataSource

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
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
) -> Panel:
    """Return the panel of a source, from the first bar on file to ``end`` (None: the last bar).

    Parameters
    ----------
    symbols, universe_name
        Funds to load, or a named universe; neither: all funds of the source, which must be of one market.
    availability, lags
        ``normal`` or ``strict``, and sessions by which tables are published later.
    benchmark
        An index code or a fund; a fund is loaded as an index of its total return.
    """
    source = Filled.of(source)
    chosen = choose_symbols(source, symbols, universe_name)
    market = _one_market(chosen)
    calendar = calendar_for(market)
    published = load_availability(availability, lags)
    bars = source.read("bars", chosen)
    _require_bars(bars, chosen)
    days = _sessions(bars, calendar, end)
    funds = funds_of(chosen, source.read("funds", chosen))
    grids = {name: _grid(bars, name, "symbol", chosen, days) for name in BAR_FIELDS}
    tables = {"bars": bars} | {name: source.read(name, chosen) for name in ("units", "nav", "margin")}
    index_bars = source.read("index_bars")
    recorded_from = _first_row(source.read("margin"), days)
    facts = Facts(
        bars=grids,
        units=_grid(tables["units"], "units", "symbol", chosen, days),
        nav=_grid(tables["nav"], "nav", "symbol", chosen, days),
        margin_balance=_grid(tables["margin"], "balance", "symbol", chosen, days),
        margin_recorded_from=np.full(len(chosen), recorded_from, dtype=np.int64),
        usable_from={
            table: _usable_from(frame, table, chosen, days, market, published)
            for table, frame in tables.items()
        },
        market_margin=_market_margin(source, market, days, published),
        indices=_indices(index_bars, days),
        indices_from=_indices_from(index_bars, days, market, published),
        macro=_macro(source.read("macro"), days, market, published),
        index_weights=_index_weights(source.read("index_weights"), days, market, published),
    )
    panel = Panel.build(
        days,
        chosen,
        facts,
        RuleBook.load(market).arrays(chosen, funds, days),
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
    )
    return _with_benchmark(replace(panel, filled=dict(source.used)), source, benchmark, end)


def choose_symbols(
    source: DataSource, symbols: Sequence[str] = (), universe_name: str | None = None
) -> tuple[str, ...]:
    """Return the symbols of a run in order, all of which the source has.

    Of a named universe those are taken that the source has. DataError for a symbol without bars.
    """
    on_file = sorted(set(source.read("bars")["symbol"])) if not symbols or universe_name else []
    if universe_name is not None:
        chosen = [symbol for symbol in universe(universe_name) if symbol in on_file]
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
    return tuple(sorted({parse_symbol(symbol) for symbol in symbols}))


def _one_market(symbols: Sequence[str]) -> str:
    markets = sorted({market_of(symbol) for symbol in symbols})
    if len(markets) > 1:
        raise UsageError(
            "funds of two markets cannot be in one run",
            received=", ".join(markets),
            hint="Choose those of one market with --symbols.",
        )
    return markets[0]


def _require_bars(bars: pd.DataFrame, symbols: Sequence[str]) -> None:
    found = set(bars["symbol"])
    lacking = [symbol for symbol in symbols if symbol not in found]
    if lacking:
        raise DataError(
            f"the data have no bars of {', '.join(lacking)}",
            hint=did_you_mean(lacking[0], sorted(found)) if found else "Import them first.",
        )


def _sessions(bars: pd.DataFrame, calendar: Calendar, end: date | None) -> Days:
    first, last = bars["day"].min().date(), bars["day"].max().date()
    if end is not None and end < first:
        raise DataError("`end` is before the data begin", received=end, limit=f"from {first} on")
    days = calendar.sessions(first, min(last, end) if end else last)
    if len(days) < 2:
        raise DataError("the data have fewer than two sessions", received=f"{first} to {last}")
    return days


def _grid(frame: pd.DataFrame, value: str, key: str, columns: Sequence[str], days: Days) -> Floats:
    """Return one column of a table as a (D, S) array; NaN where there is no row."""
    result = np.full((len(days), len(columns)), np.nan)
    rows, places, inside = _cells(frame, key, columns, days)
    result[rows, places] = frame[value].to_numpy(dtype=np.float64)[inside]
    return result


def _cells(
    frame: pd.DataFrame, key: str, columns: Sequence[str], days: Days
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Return the row and column of each table row that falls on a session, and which rows those are."""
    when = frame["day"].to_numpy().astype("datetime64[D]")
    rows = np.searchsorted(days, when)
    found = np.minimum(rows, len(days) - 1)
    places = pd.Index(list(columns)).get_indexer(pd.Index(frame[key]))
    inside = (rows < len(days)) & (days[found] == when) & (places >= 0)
    return found[inside].astype(np.int64), places[inside].astype(np.int64), inside


def _usable_from(
    frame: pd.DataFrame,
    table: str,
    symbols: Sequence[str],
    days: Days,
    market: str,
    published: Availability,
) -> Integers:
    """Return the first session whose open may use the datum of each session and symbol, (D, S)."""
    rows = np.arange(len(days), dtype=np.int64)
    result = np.column_stack([rows + published.lags(table, symbol, days) for symbol in symbols])
    if frame["known_at"].notna().any():
        own, places, inside = _cells(frame, "symbol", symbols, days)
        known_at = frame["known_at"].to_numpy()[inside]
        told = ~np.isnat(known_at)
        usable = _opens_after(known_at[told], days, market, published) + published.shifts.get(table, 0)
        result[own[told], places[told]] = np.maximum(usable, own[told] + 1)
    return result


def _opens_after(
    known_at: NDArray[np.datetime64], days: Days, market: str, published: Availability
) -> Integers:
    """Return the row of the first session whose cutoff is after each moment."""
    hours, minutes = published.cutoff(market).split(":")
    cutoff = np.timedelta64(int(hours) * 60 + int(minutes), "m")
    opens = days.astype("datetime64[us]") + cutoff
    return np.searchsorted(opens, known_at.astype("datetime64[us]"), side="right").astype(np.int64)


def _first_row(frame: pd.DataFrame, days: Days) -> int:
    """Return the row of the first day on which margin balances of funds are on file."""
    frame = frame[~frame["symbol"].isin(list(MARKET_CODES))]
    if frame.empty:
        return 0
    return int(np.searchsorted(days, frame["day"].to_numpy().astype("datetime64[D]").min()))


def _market_margin(source: DataSource, market: str, days: Days, published: Availability) -> Series | None:
    codes = [code for code, name in MARKET_CODES.items() if name == market]
    frame = source.read("margin", codes)
    if frame.empty:
        return None
    # The end of a month may be no session; what it says belongs to the session before.
    when = frame["day"].to_numpy().astype("datetime64[D]")
    rows = np.searchsorted(days, when, side="right") - 1
    frame = frame[rows >= 0].assign(day=days[rows[rows >= 0]].astype("datetime64[us]"))
    frame = frame.drop_duplicates(["symbol", "day"], keep="last")
    usable = _usable_from(frame, "margin", codes, days, market, published)
    return Series(_grid(frame, "balance", "symbol", codes, days), usable)


def _indices(frame: pd.DataFrame, days: Days) -> dict[str, Floats]:
    codes = sorted(set(frame["index"]))
    closes = _grid(frame, "close", "index", codes, days)
    return {code: closes[:, column].copy() for column, code in enumerate(codes)}


def _indices_from(
    frame: pd.DataFrame, days: Days, market: str, published: Availability
) -> dict[str, Integers]:
    codes = sorted(set(frame["index"]))
    if not codes:
        return {}
    renamed = frame.rename(columns={"index": "symbol"})
    usable = _usable_from(renamed, "index_bars", codes, days, market, published)
    return {code: usable[:, [column]] for column, code in enumerate(codes)}


def _macro(frame: pd.DataFrame, days: Days, market: str, published: Availability) -> dict[str, Series]:
    """Return macro series by the session from which each value is known; each row must say so."""
    result = {}
    for name, rows in frame.groupby("series", sort=True):
        untold = rows["known_at"].isna()
        if untold.any():
            published.lags("macro", str(name), days[:1])  # raises, and says why
        told = rows["known_at"]
        # A day without an hour is over before what it names can be used.
        moments = told.where(told != told.dt.normalize(), told + pd.Timedelta(hours=24))
        usable = _opens_after(moments.to_numpy(), days, market, published)
        usable = usable + published.shifts.get("macro", 0)
        values = np.full((len(days), 1), np.nan)
        # Of several that become known together the latest one counts.
        for place in np.lexsort((rows["period"].to_numpy(), told.to_numpy(), usable)):
            if usable[place] < len(days):
                values[usable[place], 0] = rows["value"].iloc[place]
        result[str(name)] = Series(values, np.arange(len(days), dtype=np.int64)[:, None])
    return result


def _index_weights(
    frame: pd.DataFrame, days: Days, market: str, published: Availability
) -> tuple[IndexWeights, ...]:
    ordered = frame.sort_values(["index", "day"], kind="stable")
    # Columns as arrays: a frame for each of hundreds of files takes most of the time of a panel.
    index, constituent = ordered["index"].to_numpy(str), ordered["constituent"].tolist()
    theme = ordered["theme"].where(ordered["theme"].notna(), "").tolist()
    day = ordered["day"].to_numpy("datetime64[D]")
    known_at, weight = ordered["known_at"].to_numpy("datetime64[us]"), ordered["weight"].tolist()
    changes = np.flatnonzero((index[1:] != index[:-1]) | (day[1:] != day[:-1])) + 1
    result = []
    for first, end in zip([0, *changes.tolist()], [*changes.tolist(), len(ordered)], strict=True):
        if first == end:
            continue
        lag = published.lag("index_weights", str(index[first]), _date(day[first]))
        # The lag counts sessions after the file's own day, a session or not.
        row = int(np.searchsorted(days, day[first], side="right")) - 1 + lag
        told = known_at[first:end]
        if not np.isnat(told).all():
            row = int(_opens_after(np.array([np.nanmax(told)]), days, market, published)[0])
            row += published.shifts.get("index_weights", 0)
        if row < len(days):
            members = constituent[first:end]
            result.append(
                IndexWeights(
                    str(index[first]),
                    max(row, 0),
                    day[first],
                    dict(zip(members, weight[first:end], strict=True)),
                    dict(zip(members, theme[first:end], strict=True)),
                )
            )
    return tuple(result)


def _with_benchmark(panel: Panel, source: DataSource, benchmark: str | None, end: date | None) -> Panel:
    """Return the panel with a fund as a further index, of its total return."""
    if benchmark is None or benchmark in panel.index_closes or "." not in benchmark:
        return panel
    own = panel if benchmark in panel.symbols else load_panel(source, [benchmark], end=end)
    column = own.symbols.index(benchmark)
    total = own.market.total_return_level[:, column]
    rows = np.minimum(np.searchsorted(own.days, panel.days), len(own.days) - 1)
    closes = np.where(own.days[rows] == panel.days, total[rows], np.nan)
    return panel.with_index(benchmark, closes)


def _date(day: np.datetime64) -> date:
    value: Any = day.astype("datetime64[D]").astype(object)
    return date(value.year, value.month, value.day)
