"""Joining providers: one table from the first that can answer, what it lacks from the next.

1. Each provider, the best first, is asked for what is still open: at first all that is wanted.
2. A piece that it cannot give is a gap of some series and days, and opens them to the next provider; so do
   days that must have been published and that its answers lack.
3. Of what the next one gives, only days are taken that no better one gave, so that a day of a series has one
   provider.
4. What nobody gave is told with the reason, session by session where the next one has some of them, and
   nothing is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

import pandas as pd

from data.errors import DataError
from data.providers.answers import listed, rows_of
from data.providers.asking import Connection
from data.providers.provider import Wanted
from data.providers.published import Published
from data.store.schema import Table
from data.store.spans import day_of
from data.store.tables import TABLES

# Called with the number of pieces that were planned just now, and what is asked for next.
Tell = Callable[[int, str], None]

# Tables in which a fund can rightly have no rows; in the others it has some as soon as it is listed.
_MAY_BE_EMPTY = ("margin", "actions", "index_weights")
# Tables without a row a session, where a day without one tells nothing.
_NOT_DAILY = ("actions", "index_weights")
# Tables in which most funds have no rows, and nothing needs to be said.
_SELDOM = ("actions",)
# Days that failed count as one gap over a weekend, or a day or two more.
_WEEKEND = timedelta(days=5)


@dataclass(frozen=True)
class Gap:
    """Days of some series of a table that are asked for, or that did not come, and why.

    ``expected`` says whether an answer must have rows; None where that depends on what is published.
    """

    table: str
    series: tuple[str, ...]
    first: date
    last: date
    why: str = ""
    expected: bool | None = None

    def __str__(self) -> str:
        days = f"on {self.first}" if self.first == self.last else f"from {self.first} to {self.last}"
        return f"{self.table} of {listed(self.series)} {days}"

    def meets(self, other: Gap) -> bool:
        """Tell whether some series and day is in both."""
        apart = self.last < other.first or other.last < self.first
        return self.table == other.table and not apart and bool(set(self.series) & set(other.series))


@dataclass(frozen=True)
class Joined:
    """Rows of one table, with a column ``provider``; what is missing, and what to tell besides."""

    table: str
    rows: pd.DataFrame
    missing: tuple[Gap, ...]
    notes: tuple[str, ...]


def join(
    connections: Sequence[Connection], table: str, wanted: Sequence[Gap], published: Published, tell: Tell
) -> Joined:
    """Ask the connections, all of which have the table, for the gaps in ``wanted``, the best first."""
    found = _Found(TABLES[table])
    asked, failed, empty, notes = list[Gap](), list[Gap](), list[tuple[str, Gap]](), list[str]()
    still_open: Sequence[Gap] = wanted
    for connection in connections:
        plan = [
            (piece, each)
            for each in _wanted(still_open, found.schema, published)
            for piece in connection.provider.pieces(table, each)
        ]
        refused = []
        for number, (piece, each) in enumerate(plan):
            tell(0 if number else len(plan), f"{table} {piece.about}")
            about = Gap(table, piece.series, piece.first, piece.last)
            try:
                rows = rows_of(piece, found.schema, each, connection)
            except DataError as error:
                refused.append(replace(about, why=error.what))
                continue
            asked.append(about)
            if rows.empty and piece.about not in piece.series:
                empty.append((piece.about, about))
            found.add(rows, f"{connection.provider.name} {connection.provider.version}")
        left = found.close(failed, published)
        notes += _stood_in(table, connection.provider.name, failed, left)
        failed, unfilled = _both(left, refused, first=connection is connections[0])
        notes += [f"{gap} was not available elsewhere: {gap.why}" for gap in unfilled]
        if connection is not connections[-1]:
            lacking = _lacking(asked, found, published)
            still_open = _hulls([*failed, *lacking, *_not_asked(wanted, [*asked, *failed])])
    nothing = [gap for gap in _nothing(wanted, asked, found) if not any(gap.meets(each) for each in failed)]
    lost = [gap for gap in nothing if _must_have(gap, published)]
    why = f"{' and '.join(connection.provider.name for connection in connections)}: no rows"
    if table not in _SELDOM:
        absent = sorted({gap.series[0] for gap in nothing} - {gap.series[0] for gap in lost})
        blank = [about for about, gap in empty if not any(found.has(name, gap) for name in gap.series)]
        notes += [f"{table}: nothing for {listed(absent)}"] if absent else []
        notes += [f"{table}: nothing of {listed(blank)}"] if blank else []
        short = sorted(
            {name for gap in wanted for name in gap.series if found.ends_before(name, gap, published)}
        )
        notes += [f"{table}: ends before {wanted[-1].last} for {listed(short)}"] if short else []
    missing = (*_together(failed, found), *(replace(gap, why=why) for gap in lost))
    return Joined(table, found.rows(), missing, tuple(notes))


class _Found:
    """The rows that came: of each series and day those of one provider."""

    def __init__(self, schema: Table) -> None:
        self.schema = schema
        self._days: dict[str, set[date]] = {}
        self._of_this_turn: dict[str, set[date]] = {}
        self._frames: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame, provider: str) -> None:
        """Take the rows of days that no better provider gave."""
        if rows.empty:
            return
        names, days = rows[self.schema.key[0]], rows[day_of(self.schema)].dt.date
        new = [day not in self._days.get(name, ()) for name, day in zip(names, days, strict=True)]
        for name, day in zip(names[new], days[new], strict=True):
            self._of_this_turn.setdefault(name, set()).add(day)
        self._frames.append(rows[new].assign(provider=provider))

    def close(self, failed: Sequence[Gap], published: Published) -> list[Gap]:
        """End the turn of a provider; return what is left of the gaps of better ones, without its rows."""
        given, self._of_this_turn = self._of_this_turn, {}
        for name, days in given.items():
            self._days.setdefault(name, set()).update(days)
        left = []
        for gap in failed:
            series = tuple(name for name in gap.series if not _any_within(given.get(name, ()), gap))
            left += [replace(gap, series=series)] if series else []
            for name in gap.series:
                left += [] if name in series else self._rest(name, gap, published)
        return left

    def _rest(self, series: str, gap: Gap, published: Published) -> Iterator[Gap]:
        """Yield the runs of sessions of a gap that still lack a row, though others of it have one now.

        Before the first row of a series it may not have begun, as margin; but not of a fund that was listed.
        """
        if gap.table in _NOT_DAILY:
            return
        fund, begun = published.funds.get(series), min(self._days[series])
        if gap.table not in _MAY_BE_EMPTY and fund is not None and fund.listed is not None:
            begun = gap.first
        sessions = published.sessions(gap.table, series, max(gap.first, begun), gap.last)
        lacking = set(self.lacks(series, sessions))
        for lacks, run in groupby(sessions, lacking.__contains__):
            if lacks:
                first, *more = run
                yield replace(gap, series=(series,), first=first, last=more[-1] if more else first)

    def has(self, series: str, gap: Gap) -> bool:
        """Tell whether there is a row of the series on the days of the gap."""
        return _any_within(self._days.get(series, ()), gap)

    def lacks(self, series: str, days: Iterable[date]) -> list[date]:
        """Return those of the days on which there is no row of the series."""
        there = self._days.get(series, ())
        return [day for day in days if day not in there]

    def ends_before(self, series: str, gap: Gap, published: Published) -> bool:
        """Tell whether there are rows in the gap, but none of the last session that must have one."""
        if gap.table in _NOT_DAILY or not self.has(series, gap):
            return False
        sessions = published.sessions(gap.table, series, gap.first, gap.last)
        return bool(sessions) and max(self._days[series]) < sessions[-1]

    def rows(self) -> pd.DataFrame:
        """Return all rows."""
        return pd.concat(self._frames, ignore_index=True) if self._frames else self.schema.empty()


def _any_within(days: Iterable[date], gap: Gap) -> bool:
    return any(gap.first <= day <= gap.last for day in days)


def _wanted(gaps: Sequence[Gap], schema: Table, published: Published) -> Iterator[Wanted]:
    """Yield what to ask for, together for the series that lack the same days."""
    periods: dict[tuple[date, date], set[str]] = {}
    for gap in gaps:
        periods.setdefault((gap.first, gap.last), set()).update(gap.series)
    for (first, last), names in sorted(periods.items()):
        series = tuple(sorted(names))
        of_indices = schema.key[0] == "index"
        yield Wanted(() if of_indices else series, series if of_indices else (), first, last, published.now)


def _stood_in(table: str, provider: str, failed: Sequence[Gap], left: Sequence[Gap]) -> Iterator[str]:
    """Yield a note of what better providers could not give, and this one did, with the first reason."""
    kept = {(name, gap.first, gap.last) for gap in left for name in gap.series}
    given = [(name, gap) for gap in failed for name in gap.series if (name, gap.first, gap.last) not in kept]
    if given:
        series = sorted({name for name, _ in given})
        yield f"{table}: {provider} stood in for {listed(series)}: {given[0][1].why}"


def _both(better: list[Gap], refused: list[Gap], *, first: bool) -> tuple[list[Gap], list[Gap]]:
    """Return the gaps that two providers leave with both reasons, and what only the second refused.

    The better provider answered about the latter, without all of the rows.
    """
    if first:
        return refused, []
    left = []
    for gap in better:
        reasons = dict.fromkeys([gap.why, *(each.why for each in refused if gap.meets(each))])
        left.append(replace(gap, why="; ".join(reasons)))
    return left, [each for each in refused if not any(each.meets(gap) for gap in better)]


def _lacking(asked: Sequence[Gap], found: _Found, published: Published) -> Iterator[Gap]:
    """Yield what was answered without rows of sessions that must have some."""
    for gap in asked:
        for name in gap.series:
            if gap.table in _NOT_DAILY:
                days = [] if gap.table in _SELDOM or found.has(name, gap) else [gap.first, gap.last]
            else:
                days = found.lacks(name, published.sessions(gap.table, name, gap.first, gap.last))
            if days:
                yield Gap(gap.table, (name,), days[0], days[-1])


def _not_asked(wanted: Sequence[Gap], asked: Sequence[Gap]) -> Iterator[Gap]:
    """Yield the series that no provider so far has, as the margin of a whole market."""
    answered = {name for gap in asked for name in gap.series}
    for gap in wanted:
        series = tuple(name for name in gap.series if name not in answered)
        if series:
            yield replace(gap, series=series)


def _hulls(gaps: Iterable[Gap]) -> list[Gap]:
    """Return one gap a series, from its first day to its last, so that the next provider is asked once."""
    hulls: dict[str, Gap] = {}
    for gap in gaps:
        for name in gap.series:
            known = hulls.get(name, gap)
            hulls[name] = Gap(gap.table, (name,), min(known.first, gap.first), max(known.last, gap.last))
    return list(hulls.values())


def _nothing(wanted: Sequence[Gap], asked: Sequence[Gap], found: _Found) -> Iterator[Gap]:
    """Yield the series that were asked for and answered about without a row."""
    answered = {name for gap in asked for name in gap.series}
    for gap in wanted:
        for name in gap.series:
            if name in answered and not found.has(name, gap):
                yield replace(gap, series=(name,))


def _must_have(gap: Gap, published: Published) -> bool:
    (name,) = gap.series
    if gap.expected is not None:
        return gap.expected
    return gap.table not in _MAY_BE_EMPTY and bool(published.sessions(gap.table, name, gap.first, gap.last))


def _together(failed: Sequence[Gap], found: _Found) -> list[Gap]:
    """Join gaps of the same series that follow each other; the first one's reason stands for all.

    Days between two gaps that have rows keep them apart.
    """
    joined: list[Gap] = []
    for gap in sorted(failed, key=lambda each: (each.series, each.first)):
        before = joined[-1] if joined else None
        if before and before.series == gap.series and gap.first - before.last < _WEEKEND:
            between = replace(gap, first=before.last + timedelta(1), last=gap.first - timedelta(1))
            if not any(found.has(name, between) for name in gap.series):
                joined[-1] = replace(before, last=max(before.last, gap.last))
                continue
        joined.append(gap)
    return joined
