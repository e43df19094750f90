"""From tables to grids: columns of long tables to arrays on the sessions of a panel, and when each is usable.

A fact table comes out of its source as its key says (``facts_of``): a column for each fund, each index or
each series; rows of a session stand at that session, rows of a period where they become known. Rows on days
that are no sessions are left out, and reported by `data check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.availability import Availability
from data.facts.dated import stretches
from data.facts.symbols import MARKET_CODES, market_of
from data.panel.facts import Facts, Grid, IndexWeights, of_markets, usable_after
from data.store.columns import Columns, columns_in, columns_of
from data.store.schema import Table
from data.store.spans import Readable, Span, measured, spans_of
from data.store.tables import FACT_TABLES, TABLES

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Days = NDArray[np.datetime64]


# Funds are read so many at a time that they have about so many rows, or are one part of so many of all.
_ROWS, _PARTS = 25_000, 20


@dataclass(frozen=True)
class Sessions:
    """The sessions of a panel, the markets that hold them, and when their data are published.

    Of two markets the first is the one that opens first, and what is decided is decided before that.
    """

    days: Days
    markets: tuple[str, ...]
    published: Availability

    def rows(self, days: Days) -> Integers:
        """Return the row of each day; -1 for one that is no session."""
        rows: Integers = self._rows.take((days - self.days[0]).astype(np.int64) + 1, mode="clip")
        return rows

    @cached_property
    def _rows(self) -> Integers:
        """The row of each day from the one before the first session to the one after the last."""
        places = (self.days - self.days[0]).astype(np.int64) + 1
        rows = np.full(places[-1] + 2, -1, dtype=np.int64)
        rows[places] = np.arange(len(self.days))
        return rows

    def opens_after(self, known_at: NDArray[np.datetime64], market: str | None = None) -> Integers:
        """Return the row of the first session whose cutoff is after each moment.

        Moments are local time of ``market``; None: of the one that leaves the least time.
        """
        market = market or self.markets[-1]
        opens = self.days.astype("datetime64[us]") + self.published.decided(market, self.markets[0])
        return np.searchsorted(opens, known_at.astype("datetime64[us]"), side="right").astype(np.int64)

    def wait(self, table: str, name: str) -> int:
        """Return by how many sessions a row is later than its lag says (:func:`waits`)."""
        return waits(table, name, self.markets)

    def shift(self, table: str) -> int:
        """Return by how many sessions the user wants a table to be published later."""
        return self.published.shifts.get(table, 0)


def waits(table: str, name: str, markets: Sequence[str]) -> int:
    """Return by how many sessions a row is later than its lag says, because another market opens first.

    What is public before an open of its own market may not be before that; but prices are.
    """
    return int(len(markets) > 1 and table != "bars" and market_of(name) != markets[0])


def facts_of(
    source: Readable,
    symbols: tuple[str, ...],
    days: Days,
    markets: tuple[str, ...],
    published: Availability,
) -> Facts:
    """Return the facts about some funds; their rows are read some funds at a time.

    ``days`` are the sessions that ``markets``, in the order in which they open, have in common.
    """
    sessions = Sessions(days, markets, published)
    grids: dict[str, Grid] = {}
    on_file: dict[str, tuple[date, date]] = {}
    for table in FACT_TABLES:
        by_fund = table.key[0] == "symbol"
        frame = table.empty() if by_fund else source.read(table.name)
        spans = spans_of(source, table.name) if by_fund else measured(table, frame)
        names = symbols if by_fund else tuple(sorted(spans))
        on_file |= _on_file(table.name, spans, names)
        some = not spans.keys().isdisjoint(names)
        if some or (by_fund and table.always):
            if not some:
                nothing: Floats = np.broadcast_to(np.nan, (len(days), len(names)))
                values = dict.fromkeys(table.measures, nothing)
                usable_from = _usable_from(table, names, sessions)
            elif by_fund:
                blocks = _blocks(source, table, names, len(days))
                values, usable_from = _by_session(table, blocks, names, sessions)
            elif "day" in table.key:
                values, usable_from = _by_session(table, [columns_in(table, frame)], names, sessions)
            else:
                values, usable_from = _by_publication(table, frame, names, sessions)
            recorded_from = _first_row(spans, days) if table.begins_at_zero else None
            grids[table.name] = Grid(
                table.name, values, usable_from, None if by_fund else names, recorded_from
            )
        if table.markets is not None and (grid := _of_market(table, source, sessions)) is not None:
            grids[of_markets(table.name)] = grid
            on_file |= _on_file(of_markets(table.name), spans, grid.series or ())
    weights = source.read("index_weights")
    spans = measured(TABLES["index_weights"], weights)
    on_file |= _on_file("index_weights", spans, tuple(spans))
    return Facts(grids, index_weights=_index_weights(weights, sessions), on_file=on_file)


def _on_file(name: str, spans: Mapping[str, Span], series: Iterable[str]) -> dict[str, tuple[date, date]]:
    """Return the first and last day of the rows of some series under a name; nothing if there are none."""
    found = (spans[each] for each in series if each in spans)
    days = [(span.first, span.last) for span in found if span.first and span.last]
    return {name: (min(first for first, _ in days), max(last for _, last in days))} if days else {}


def _blocks(source: Readable, table: Table, names: tuple[str, ...], sessions: int) -> Iterator[Columns]:
    """Return the columns of funds, some of the funds at a time: what is read of all would fill the memory."""
    most = max(1, _ROWS // sessions, len(names) // _PARTS)
    parts = (names[first : first + most] for first in range(0, len(names), most))
    return columns_of(source, table.name, parts)


def _by_session(
    table: Table, parts: Iterable[Columns], names: tuple[str, ...], sessions: Sessions
) -> tuple[dict[str, Floats], Integers]:
    """Return the measures of a table and when they are usable, (D, K), by the session that they belong to."""
    shape = (len(sessions.days), len(names))
    values = {name: np.full(shape, np.nan) for name in table.measures}
    usable_from = _usable_from(table, names, sessions)
    of_market = [_market(table, name, sessions) for name in names]
    for part in parts:
        rows, columns, inside = _cells(part, names, sessions)
        for name, array in values.items():
            array[rows, columns] = part.arrays[name][inside]
        known_at = part.arrays["known_at"][inside]
        told = ~np.isnat(known_at)
        if told.any() and not usable_from.flags.writeable:
            usable_from = usable_from.copy()
        for market in sorted(set(of_market), key=str) if told.any() else ():
            here = np.flatnonzero(told & np.array([each == market for each in of_market])[columns])
            opens = sessions.opens_after(known_at[here], market) + sessions.shift(table.name)
            usable_from[rows[here], columns[here]] = np.maximum(opens, rows[here] + 1)
    return values, usable_from


def _usable_from(table: Table, names: tuple[str, ...], sessions: Sessions) -> Integers:
    """Return from when rows are usable by the lags on file, (D, K), read-only."""
    days, published = sessions.days, sessions.published
    begins, counts = stretches(published.rows.get(table.name, ()), days)
    # Many funds have the same lags, and those are the same for many sessions.
    kinds: dict[tuple[int, ...], int] = {}
    of_names = []
    for name in names:
        wait = sessions.wait(table.name, name) if _market(table, name, sessions) else 0
        lags = published.lags(table.name, name, days[begins]) + wait
        of_names.append(kinds.setdefault(tuple(lags.tolist()), len(kinds)))
    usable_from = np.repeat(np.array(list(kinds)).T, counts, axis=0) + np.arange(len(days))[:, None]
    if len(kinds) == 1:
        return np.broadcast_to(usable_from, (len(days), len(names)))
    usable_from = usable_from.take(of_names, axis=1)
    usable_from.flags.writeable = False
    return usable_from


def _market(table: Table, name: str, sessions: Sessions) -> str | None:
    """Return the market in whose hours rows of a fund or a market say when they were known; None: of all."""
    if len(sessions.markets) == 1:
        return sessions.markets[0]
    return market_of(name) if table.key[0] == "symbol" else None


def _cells(
    part: Columns, names: Sequence[str], sessions: Sessions
) -> tuple[Integers, Integers, Bools | slice]:
    """Return the row and column of each table row that falls on a session, and which rows those are."""
    rows = sessions.rows(part.arrays["day"].astype("datetime64[D]"))
    places = {name: place for place, name in enumerate(names)}
    columns = np.array([places.get(name, -1) for name in part.series], dtype=np.int64)[part.codes]
    inside = (rows >= 0) & (columns >= 0)
    if inside.all():
        # As nearly always: nothing need be picked out.
        return rows, columns, slice(None)
    return rows[inside], columns[inside], inside


def _by_publication(
    table: Table, frame: pd.DataFrame, names: tuple[str, ...], sessions: Sessions
) -> tuple[dict[str, Floats], Integers]:
    """Return the same of rows about periods, by the session that each is known from; a row must say when."""
    count, period = len(sessions.days), table.key[1]
    values = {name: np.full((count, len(names)), np.nan) for name in table.measures}
    for column, name in enumerate(names):
        rows = frame[frame[table.key[0]] == name]
        told = rows["known_at"]
        if told.isna().any():
            sessions.published.lags(table.name, name, sessions.days[:1])  # raises, and says why
        # A day without an hour is over before what it names can be used.
        moments = told.where(told != told.dt.normalize(), told + pd.Timedelta(hours=24))
        usable = sessions.opens_after(moments.to_numpy()) + sessions.shift(table.name)
        # Of several that become known together the latest one counts.
        for place in np.lexsort((rows[period].to_numpy(), told.to_numpy(), usable)):
            if usable[place] < count:
                for measure in table.measures:
                    values[measure][usable[place], column] = rows[measure].iloc[place]
    return values, usable_after(count, len(names), 0)


def _of_market(table: Table, source: Readable, sessions: Sessions) -> Grid | None:
    """Return the rows of a table about the whole market, of two the first; None if there are none."""
    codes = tuple(code for code, name in MARKET_CODES.items() if name == sessions.markets[0])
    frame = source.read(table.name, codes)
    if frame.empty:
        return None
    # The end of a month may be no session; what it says belongs to the session before.
    when = frame["day"].to_numpy().astype("datetime64[D]")
    rows = np.searchsorted(sessions.days, when, side="right") - 1
    frame = frame[rows >= 0].assign(day=sessions.days[rows[rows >= 0]].astype("datetime64[us]"))
    frame = frame.drop_duplicates(["symbol", "day"], keep="last")
    return Grid(table.name, *_by_session(table, [columns_in(table, frame)], codes, sessions), codes)


def _first_row(spans: Mapping[str, Span], days: Days) -> int:
    """Return the row of the first day on which a table has a row of any fund."""
    first = [span.first for name, span in spans.items() if span.first and name not in MARKET_CODES]
    return int(np.searchsorted(days, np.datetime64(min(first), "D"))) if first else 0


def _index_weights(frame: pd.DataFrame, sessions: Sessions) -> tuple[IndexWeights, ...]:
    days, published = sessions.days, sessions.published
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
        when: date = day[first].item()
        # The lag counts sessions after the file's own day, a session or not.
        row = int(np.searchsorted(days, day[first], side="right")) - 1
        row += published.lag("index_weights", str(index[first]), when)
        told = known_at[first:end]
        if not np.isnat(told).all():
            row = int(sessions.opens_after(np.array([np.nanmax(told)]))[0]) + sessions.shift("index_weights")
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
