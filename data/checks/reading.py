"""The tables of a data source as checks read them, with the sessions and the facts they are held against."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.actions import ENDS
from data.facts.calendars import calendar_for
from data.facts.dated import FACTS
from data.facts.symbols import CHINESE_INDEX, MARKET_CODES, market_of
from data.facts.universe import Fund, funds_of
from data.source import Readable, renamed
from data.store.tables import FACT_TABLES, TABLES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Days = NDArray[np.datetime64]

# Yuan. Prices are whole ticks, and rounding of a reference price or a limit errs by no more than one.
TICK = 0.001

# Tables that have a row for each session of a series, and the column that names the series.
DATED = {table.name: table.key[0] for table in FACT_TABLES if "day" in table.key}

# Of these the series are indices: of no concern to a run whose funds track others.
OF_INDEX = tuple(table for table, key in DATED.items() if key == "index")

# Rows on either side of a place that tell what is usual there: so many are looked at, so few must be there.
WINDOW, FEWEST = 20, 5


@dataclass(frozen=True)
class SourceTables:
    """The tables of one source, typed and sorted by key as ``data.store.tables`` leaves them, and facts.

    Attributes
    ----------
    tables : by name
    funds : facts about each fund, by symbol
    launches : day from which an index was published, by index
    periods : the first and the last day of each market, if these tables are a part of those of the source
    found : in an outline (``data.checks.parts``), the series in which each check has found something
    """

    tables: Mapping[str, pd.DataFrame]
    funds: Mapping[str, Fund]
    launches: Mapping[str, date]
    periods: Mapping[str, tuple[date, date]] | None = None
    found: Mapping[str, Collection[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Readable, symbols: Sequence[str] | None = None) -> Self:
        """Read the tables of ``source``; ``symbols`` leaves out other funds, but no index and no market."""
        tables = {}
        source = renamed(source)
        for name, schema in TABLES.items():
            chosen = symbols if schema.key[0] == "symbol" else None
            if chosen is not None and schema.markets is not None:
                chosen = [*chosen, *MARKET_CODES]
            tables[name] = source.read(name, chosen)
        of_funds = (name for name, schema in TABLES.items() if schema.key[0] == "symbol" and name != "funds")
        named = set().union(*(tables[name]["symbol"].unique() for name in of_funds)) - set(MARKET_CODES)
        return cls(tables, funds_of(sorted(named), tables["funds"]), load_launches())

    def rows_of(self, name: str, key: str) -> pd.DataFrame:
        """Return the rows of one series of a dated table, by day; none if it has none."""
        start, stop = self._rows[name].get(key, (0, 0))
        return self.tables[name].iloc[start:stop]

    def of_market(self, name: str, market: str) -> pd.DataFrame:
        """Return the rows of a dated table that belong to a market."""
        frame = self.tables[name]
        rows = dict(self._by_market(name)).get(market)
        return frame.iloc[:0] if rows is None else frame if rows.all() else frame[rows]

    def steps(self, name: str) -> pd.DataFrame:
        """Return a dated table with what lies between each row and the row before in its series.

        ``before_day`` and ``before`` are the day and the main value there (NaT and NaN in the first row of a
        series), ``ratio`` is the value over it, and ``skipped`` the number of sessions between both days.
        """
        if name not in self._steps:
            self._steps[name] = self._with_previous(name)
        return self._steps[name]

    @cached_property
    def _steps(self) -> dict[str, pd.DataFrame]:
        return {}

    def _with_previous(self, name: str) -> pd.DataFrame:
        frame, value, same = self.tables[name], TABLES[name].measures[0], self.follows(name)
        before = frame[value].shift().where(same)
        before_day = frame["day"].shift().where(same)
        skipped = self._skipped(name, days_of(before_day), self.days(name))
        return frame.assign(
            before_day=before_day, before=before, ratio=frame[value] / before, skipped=skipped
        )

    def stretches(self, name: str) -> Mapping[str, tuple[int, int]]:
        """Return where the rows of each series of a dated table begin and end."""
        return self._rows[name]

    def follows(self, name: str) -> Bools:
        """Return for each row of a dated table whether the row before is of the same series."""
        result = np.ones(len(self.tables[name]), dtype=np.bool_)
        result[[start for start, _ in self._rows[name].values()]] = False
        return result

    def days(self, name: str) -> Days:
        """Return the days of a dated table."""
        if name not in self._days:
            self._days[name] = days_of(self.tables[name]["day"])
        return self._days[name]

    @cached_property
    def _days(self) -> dict[str, Days]:
        return {}

    def periods_of(self, name: str, unit: Literal["M", "Y"]) -> pd.Series:
        """Return for each row of a dated table a number that its series has for the month, or the year."""
        if (name, unit) not in self._numbers:
            period, new = self.days(name).astype(f"datetime64[{unit}]"), ~self.follows(name)
            new[1:] |= period[1:] != period[:-1]
            self._numbers[name, unit] = pd.Series(new.cumsum(), index=self.tables[name].index)
        return self._numbers[name, unit]

    @cached_property
    def _numbers(self) -> dict[tuple[str, str], pd.Series]:
        return {}

    def beside(self, name: str, other: str) -> Integers:
        """Return for each row of a dated table where another one has its series and day; -1: nowhere."""
        mine, theirs = self.days(name), self.days(other)
        places = np.full(len(mine), -1)
        for series, (start, stop) in self._rows[name].items():
            first, last = self._rows[other].get(series, (0, 0))
            if first < last:
                at = np.minimum(np.searchsorted(theirs[first:last], mine[start:stop]) + first, last - 1)
                places[start:stop] = np.where(theirs[at] == mine[start:stop], at, -1)
        return places

    def is_session(self, name: str) -> Bools:
        """Return for each row of a dated table whether its day is a session of its market."""
        days, result = self.days(name), np.zeros(len(self.tables[name]), dtype=np.bool_)
        for market, rows in self._by_market(name):
            # As whole numbers they are looked up in a table, and not sorted.
            result[rows] = np.isin(days[rows].view(np.int64), self.sessions(market).view(np.int64))
        return result

    def is_beyond(self, name: str) -> Bools:
        """Return for each row of a dated table whether its day is later than sessions are known for."""
        days, result = self.days(name), np.zeros(len(self.tables[name]), dtype=np.bool_)
        for market, rows in self._by_market(name):
            result[rows] = days[rows] > np.datetime64(calendar_for(market).last_day)
        return result

    def sessions(self, market: str) -> Days:
        """Return the sessions of a market from its first to its last day on file; none if it has no rows."""
        return self._sessions.get(market, np.array([], dtype="datetime64[D]"))

    def price_limit(self, symbols: pd.Series, unknown: float) -> Floats:
        """Return each fund's price limit as a fraction: ``unknown`` where not on file, infinite in the US."""
        codes, names = pd.factorize(symbols)
        limits = [self._price_limit(str(name), unknown) for name in names]
        return np.array(limits, dtype=np.float64)[codes]

    @cached_property
    def ends(self) -> Mapping[str, date]:
        """The first day on which a fund is no longer listed, of those that are known to have ended."""
        found = {name: fund.delisted for name, fund in self.funds.items() if fund.delisted is not None}
        actions = self.tables["actions"]
        for action in records(actions[actions["kind"].isin(ENDS)]):
            end = action.ex_day.date()
            found[action.symbol] = min(found.get(action.symbol, end), end)
        return found

    @cached_property
    def splits(self) -> pd.DataFrame:
        """The recorded splits; an empty record day is filled with the session before the ex-day."""
        actions = self.tables["actions"]
        splits = actions[(actions["kind"] == "split") & actions["ratio"].notna()]
        record_days, ex_days = days_of(splits["record_day"]).copy(), days_of(splits["ex_day"])
        for row in np.flatnonzero(np.isnat(record_days)):
            sessions = self.sessions(market_of(str(splits["symbol"].iloc[row])))
            before = int(np.searchsorted(sessions, ex_days[row]))
            record_days[row] = sessions[before - 1] if before else ex_days[row] - np.timedelta64(1, "D")
        return splits.assign(record_day=record_days.astype("datetime64[us]")).reset_index(drop=True)

    def _price_limit(self, symbol: str, unknown: float) -> float:
        if market_of(symbol) == "us_etf":
            return np.inf
        limit = self.funds[symbol].price_limit
        return unknown if limit is None else limit

    def _skipped(self, name: str, earlier: Days, later: Days) -> Integers:
        result = np.zeros(len(later), dtype=np.int64)
        if not len(later):
            return result
        first = later.min()
        span = np.arange(first, later.max() + np.timedelta64(1, "D"))
        known = ~np.isnat(earlier)
        begin, end = ((each - first).astype(np.int64) for each in (np.where(known, earlier, first), later))
        for market, rows in self._by_market(name):
            # Every day is looked up once, and not for each of its rows.
            after, until = (np.searchsorted(self.sessions(market), span, side) for side in ("right", "left"))
            between = np.maximum(until[end[rows]] - after[begin[rows]], 0)
            result[rows] = np.where(known[rows], between, 0)
        return result

    def _by_market(self, name: str) -> list[tuple[str, Bools]]:
        """Return each market that the series of a dated table belong to, and which rows do."""
        if name not in self._markets:
            found: dict[str, Bools] = {}
            for series, (start, stop) in self._rows[name].items():
                rows = found.setdefault(self.market(series), np.zeros(len(self.tables[name]), dtype=np.bool_))
                rows[start:stop] = True
            self._markets[name] = sorted(found.items())
        return self._markets[name]

    @cached_property
    def _markets(self) -> dict[str, list[tuple[str, Bools]]]:
        return {}

    def market(self, key: str) -> str:
        """Return the market whose sessions a symbol, a market code or an index code has."""
        return market_for(key, self.funds)

    @cached_property
    def _rows(self) -> dict[str, dict[str, tuple[int, int]]]:
        return {name: _stretches(self.tables[name][key]) for name, key in DATED.items()}

    @cached_property
    def _sessions(self) -> dict[str, Days]:
        periods = self.periods
        if periods is None:
            spans: dict[str, list[date]] = {}
            for name in DATED:
                frame = self.tables[name]
                for market, rows in self._by_market(name):
                    days = frame["day"][rows]
                    spans.setdefault(market, []).extend((days.min().date(), days.max().date()))
            periods = {market: (min(days), max(days)) for market, days in spans.items()}
        return {market: _recorded_sessions(market, *days) for market, days in periods.items()}


def market_for(key: str, funds: Mapping[str, Fund]) -> str:
    """Return the market whose sessions a symbol, a market code or an index code has, beside some funds."""
    if key in MARKET_CODES or "." in key:
        return market_of(key)
    if CHINESE_INDEX.fullmatch(key):
        return "cn_etf"
    # An index with a code of its own (NDX, DEMO-A) has the sessions of the funds beside it.
    markets = {market_of(symbol) for symbol in funds}
    return markets.pop() if len(markets) == 1 else "us_etf"


def load_launches() -> dict[str, date]:
    """Return the day from which each index was published, where ``data/facts/indices.csv`` has it."""
    with (FACTS / "indices.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["launched"]]
    return {row["index"]: date.fromisoformat(row["launched"]) for row in rows}


def days_of(days: pd.Series) -> Days:
    """Return a column of days as datetime64[D]."""
    return days.to_numpy("datetime64[D]")


def grouped(rows: pd.DataFrame, key: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Return the rows of each series, as ``groupby`` does, but at once if there are none."""
    return iter(rows.groupby(key)) if len(rows) else iter(())


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of a frame one by one, with their values by name."""
    # Most of what checks look for is not there, and a type for its rows takes longer than to see that.
    return frame.itertuples(index=False) if len(frame) else iter(())


def worst(frame: pd.DataFrame, by: str) -> Any:
    """Return the row of a frame in which the absolute value of column ``by`` is largest."""
    return next(records(frame.iloc[[int(np.nanargmax(np.abs(frame[by].to_numpy(np.float64))))]]))


def sides(values: Floats, symbols: NDArray[np.object_], place: int) -> tuple[Floats, Floats]:
    """Return the values of up to 20 rows of a series before a place, and of 20 from it on."""
    first = max(place - WINDOW, 0)
    same = symbols[first : place + WINDOW] == symbols[place]
    around, at = values[first : place + WINDOW], place - first
    return around[:at][same[:at]], around[at:][same[at:]]


def frequency(steps: pd.DataFrame) -> str:
    """Say how often a series has a row, by the rows of ``Inputs.steps``: weekly (5 sessions apart)."""
    return frequency_of(float(steps["skipped"].iloc[1:].median()) + 1 if len(steps) > 1 else 1.0)


def frequency_of(apart: float) -> str:
    """Say how often a series has a row whose rows are so many sessions apart in the middle."""
    usual = (
        "daily"
        if apart == 1
        else "weekly"
        if 4 <= apart <= 6
        else "monthly"
        if 18 <= apart <= 24
        else "sparse"
    )
    return f"{usual}: {apart:g} sessions apart in the middle"


def _recorded_sessions(market: str, first: date, last: date) -> Days:
    """Return the sessions between two days, as far as the calendar is recorded."""
    calendar = calendar_for(market)
    first, last = max(first, calendar.first_day), min(last, calendar.last_day)
    return calendar.sessions(first, last) if first <= last else np.array([], dtype="datetime64[D]")


def _stretches(keys: pd.Series) -> dict[str, tuple[int, int]]:
    codes, names = pd.factorize(keys)
    starts = np.searchsorted(codes, np.arange(len(names) + 1))
    return {str(name): (int(starts[row]), int(starts[row + 1])) for row, name in enumerate(names)}
