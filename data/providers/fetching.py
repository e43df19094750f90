"""Fetching: what a provider answers into a store, all of it or nothing.

1. Settle what is wanted: funds of the provider's market, days that are over there (``_settle``).
2. Let the provider say what to ask for each table, piece by piece.
3. Ask for each piece; where a request fails or gives no rows, the next one of the piece is asked
   (``_rows_of``).
4. Shape answers as files are shaped on import (``_read``), and keep the rows that are wanted (``_within``).
5. Append all tables to the store at once.

A piece that no request can give ends the fetch with DataError and the store as it was. Answers are on file by
then (``data.providers.asking``), so that the next fetch goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from data.errors import DataError, UsageError, did_you_mean
from data.facts.symbols import MARKET_CODES, market_of
from data.facts.universe import funds_of
from data.importing.maps import TableMap
from data.importing.shape import shape
from data.providers.asking import Desk
from data.providers.provider import Piece, Provider, Request, Wanted
from data.store.store import Store
from data.store.tables import TABLES, Table

Progress = Callable[[int, int, str], None]

# Where a market is, and the hour from which its day is over: some vendors revise bars until 18:00.
ZONES = {"cn_etf": "Asia/Shanghai", "us_etf": "America/New_York"}
DAY_IS_OVER = 18
# Tables in which most funds have no rows, and nothing is missing.
_SELDOM = ("actions",)
_INDEX = re.compile(r"[0-9H]\d{5}")
_SHOWN = 5


@dataclass(frozen=True)
class Fetched:
    """What came for one table; ``added`` rows are new in the store, the others were there."""

    table: str
    series: int
    rows: int
    added: int
    first_day: date
    last_day: date
    sources: tuple[str, ...]


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did; ``calls`` counts the calls of the vendor, ``notes`` tell what did not come."""

    fetched: tuple[Fetched, ...]
    notes: tuple[str, ...]
    calls: int
    wanted: Wanted
    revisions: pd.DataFrame


def fetch(
    provider: Provider,
    store: Store,
    symbols: Sequence[str],
    start: date,
    end: date | None = None,
    *,
    tables: Sequence[str] = (),
    indices: Sequence[str] = (),
    desk: Desk | None = None,
    accept_revision: bool = False,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> FetchReport:
    """Fetch funds from ``start`` to ``end`` (the last day that is over if None) into ``store``.

    ``tables`` are all that the provider has if empty; ``indices`` come besides those that the funds track.
    ``progress`` is called with the pieces done, their number, and what is next; ``now`` stands in for the
    clock. UsageError for what the provider does not have; DataError if it does not deliver: then the store is
    as it was.
    """
    desk = desk or Desk(provider)
    wanted, notes = _settle(provider, symbols, indices, start, end, now)
    chosen = _choose(provider, tables)
    pieces = [(name, piece) for name in chosen for piece in provider.pieces(name, wanted)]
    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in chosen}
    nothing: dict[str, list[str]] = {name: [] for name in chosen}
    for number, (name, piece) in enumerate(pieces):
        if progress is not None:
            progress(number, len(pieces), f"{name} {piece.about}")
        found = _rows_of(piece, TABLES[name], wanted, desk)
        if found.empty:
            nothing[name].append(piece.about)
        else:
            rows[name].append(found)
    frames = {name: pd.concat(found, ignore_index=True) for name, found in rows.items() if found}
    if not frames:
        raise DataError(
            f"{provider.name} has nothing of what was asked for",
            received=f"{', '.join(chosen)} of {_listed(wanted.symbols)} from {wanted.start} to {wanted.end}",
            hint="Check the symbols and the days, or take another provider.",
        )
    appended = store.append(frames, accept_revision=accept_revision)
    added = {change.table: change.added for change in appended.changes}
    for name in chosen:
        notes += _missing(name, frames.get(name), nothing[name], wanted)
    fetched = tuple(_fetched(TABLES[name], frame, added[name]) for name, frame in frames.items())
    return FetchReport(fetched, tuple(notes), desk.calls, wanted, appended.revisions)


def _settle(
    provider: Provider,
    symbols: Sequence[str],
    indices: Sequence[str],
    start: date,
    end: date | None,
    now: datetime | None,
) -> tuple[Wanted, list[str]]:
    foreign = [symbol for symbol in symbols if market_of(symbol) != provider.market]
    if foreign or not symbols:
        raise UsageError(
            f"{provider.name} does not have the funds of that market" if foreign else "no funds to fetch",
            received=_listed(foreign) if foreign else None,
            hint="akshare and tushare have Chinese funds, yfinance has American ones.",
        )
    unknown = [code for code in indices if not _INDEX.fullmatch(code)]
    if unknown:
        raise UsageError(
            "not the code of an index", received=_listed(unknown), limit="000300, 930713, H30184"
        )
    local = (now or datetime.now().astimezone()).astimezone(ZoneInfo(ZONES[provider.market]))
    over = local.date() - timedelta(days=0 if local.hour >= DAY_IS_OVER else 1)
    last = over if end is None else min(end, over)
    if start > last:
        raise UsageError("the start is after the end", received=f"{start} to {last}", hint=f"{over} is over.")
    notes = [] if end is None or end <= over else [f"fetched through {over}: later days are not over yet"]
    tracked = {fund.index for fund in funds_of(symbols).values() if fund.index}
    codes = {code for code in tracked if _INDEX.fullmatch(code)} | set(indices)
    return Wanted(tuple(sorted(symbols)), tuple(sorted(codes)), start, last, local), notes


def _choose(provider: Provider, tables: Sequence[str]) -> tuple[str, ...]:
    for name in tables:
        if name not in provider.tables:
            hint = did_you_mean(name, provider.tables)
            raise UsageError(f"{provider.name} has no table `{name}`", hint=hint)
    return tuple(name for name in provider.tables if not tables or name in tables)


def _rows_of(piece: Piece, schema: Table, wanted: Wanted, desk: Desk) -> pd.DataFrame:
    """Return the rows of the first request that has some.

    No rows if a request answers that there are none, unless a better one failed; then DataError.
    """
    failures: list[DataError] = []
    there_are_none = False
    for request in piece.requests:
        try:
            rows = _within(_read(request, desk.ask(request), wanted), schema, wanted)
        except DataError as error:
            desk.forget(request)
            failures.append(error)
            continue
        if len(rows):
            return rows
        if not failures:
            there_are_none = True
    if there_are_none:
        return schema.empty()
    told = [error.what + (f" ({error.received})" if error.received else "") for error in failures]
    raise DataError(
        f"{desk.provider.name} {desk.provider.version} did not deliver `{schema.name}` of {piece.about}",
        received="; ".join(told),
        hint="The store is as it was, and the answers that came are on file: the same command goes on from "
        "here. Repeat it later, leave the table out (--tables), or take another provider.",
    )


def _read(request: Request, cells: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """Shape an answer; DataError if it is about something else, or has not the columns that its map knows."""
    if cells.empty:
        return pd.DataFrame()
    for column, value in request.says.items():
        said = set(cells[column].str.strip()) if column in cells else {"nothing"}
        if said != {value}:
            raise DataError(f"{request} answered about something else: {column} says {_listed(sorted(said))}")
    if request.prepare is not None:
        cells = request.prepare(cells)
    shaped = [
        shape(ours, part, request.name, str(request)).frame
        for part in request.parts
        if len(ours := _ours(cells, part, wanted))
    ]
    return pd.concat(shaped, ignore_index=True) if shaped else pd.DataFrame()


def _ours(cells: pd.DataFrame, part: TableMap, wanted: Wanted) -> pd.DataFrame:
    """Keep the rows that are about what is wanted, so that a wrong row of another fund stops nobody."""
    key = TABLES[part.table].key[0]
    column = part.column_in(key, cells.columns)
    if column is None:
        return cells
    codes = [name.partition(".")[0] for name in (wanted.indices if key == "index" else wanted.symbols)]
    return cells[cells[column].str.strip().str.partition(".")[0].isin(codes)]


def _within(rows: pd.DataFrame, schema: Table, wanted: Wanted) -> pd.DataFrame:
    if rows.empty:
        return rows
    key = schema.key[0]
    named = wanted.indices if key == "index" else (*wanted.symbols, *MARKET_CODES)
    if "ex_day" in rows:
        # Units switch on the record day already: without its split they show a flow that was none.
        first, last = rows["record_day"].fillna(rows["ex_day"]), rows["ex_day"]
    else:
        first = last = rows["day"]
    inside = (first <= pd.Timestamp(wanted.end)) & (last >= pd.Timestamp(wanted.start))
    return rows[inside & rows[key].isin(named)]


def _missing(name: str, frame: pd.DataFrame | None, nothing: Sequence[str], wanted: Wanted) -> Iterator[str]:
    """Tell for which funds or indices a table got no rows, and which other pieces were empty."""
    if name in _SELDOM:
        return
    key = TABLES[name].key[0]
    all_of = wanted.indices if key == "index" else wanted.symbols
    there = set() if frame is None else set(frame[key])
    absent = [each for each in all_of if each not in there]
    others = [about for about in nothing if about not in all_of]
    if absent:
        yield f"{name}: nothing for {_listed(absent)}"
    if others:
        yield f"{name}: nothing of {_listed(others)}"


def _fetched(schema: Table, frame: pd.DataFrame, added: int) -> Fetched:
    days = frame["ex_day" if "ex_day" in frame else "day"]
    sources = tuple(sorted(frame["source"].dropna().unique()))
    series = int(frame[schema.key[0]].nunique())
    return Fetched(schema.name, series, len(frame), added, days.min().date(), days.max().date(), sources)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
