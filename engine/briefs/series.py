"""Series of one fund by session, and what a brief says of them: value, sum, streak, record, or why not.

Arrays are (D,), by the session that a value belongs to; they end with the day of the brief, and are NaN where
nothing is on file. Nothing is filled in: a sum covers exactly the sessions that it says, or is None.

In the evening of a day not all of it is published yet (margin balances are out next morning). A value that
is on file for an earlier session only is the latest known, and says which session it is of; once it is more
sessions old than ``stale_after`` of ``data/facts/availability.toml`` it is not known any more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine.briefs.lines import INPUTS, VALUATION_LABELS, lines_by_name

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Value = float | int | bool | str | None


@dataclass(frozen=True)
class Fact:
    """One value and its unit; None with the ``reason`` why. ``note`` says what the value covers.

    ``older`` is the session that the value is of where that of the day is not on file. ``lacks`` are the
    tables, by commas, whose rows are not on file, where that is why there is none; ``whose`` are the funds or
    indices that these are of, where it is not the fund itself; ``back`` is how many sessions up to the day it
    takes, where more may be needed than are on file.
    """

    name: str
    label: str
    value: Value
    unit: str
    reason: str = ""
    note: str = ""
    older: date | None = None
    lacks: str = ""
    whose: tuple[str, ...] = ()
    back: int = 0


@dataclass(frozen=True)
class Found:
    """A value, or the reason why there is none, with the tables that lack rows, whose, and how far back.

    Also what to know about it, and its session if that is older (``Fact``).
    """

    value: Value
    reason: str = ""
    note: str = ""
    older: date | None = None
    lacks: str = ""
    whose: tuple[str, ...] = ()
    back: int = 0


@dataclass
class Sheet:
    """Collects facts, and the series that they are of; a number that is not finite becomes None.

    ``series`` are (D,), by the sessions up to the day, NaN where nothing is on file; ``indices`` are growth
    by code, since the last session of the year before.
    """

    facts: list[Fact] = field(default_factory=list)
    series: dict[str, Floats] = field(default_factory=dict)
    indices: dict[str, Floats] = field(default_factory=dict)

    def add(self, name: str, found: Found, **braces: object) -> None:
        """Write a fact down as the line of this name; ``braces`` are what name and label leave open."""
        line = lines_by_name()[name]
        value = found.value
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        if "valuation" in braces:
            braces["at"] = VALUATION_LABELS[str(braces["valuation"])]
        known = value is not None
        self.facts.append(
            Fact(
                name.format(**braces),
                line.label.format(**braces),
                value,
                line.unit,
                "" if known else found.reason,
                found.note,
                found.older if known else None,
                "" if known else found.lacks,
                () if known else found.whose,
                0 if known else found.back,
            )
        )


@dataclass(frozen=True)
class Sessions:
    """The sessions up to the day of a brief, and for how many a value that nothing renewed is the latest.

    ``listed`` is the first session of the fund, None where it is not known.
    """

    days: list[date]
    stale_after: int
    listed: date | None = None

    @property
    def last(self) -> int:
        """The row of the day."""
        return len(self.days) - 1

    def latest(self, known: Bools) -> int:
        """Return the last row that is known, the row of the day where none of the recent ones is."""
        rows = np.flatnonzero(known[max(self.last - self.stale_after, 0) :])
        return max(self.last - self.stale_after, 0) + int(rows[-1]) if len(rows) else self.last

    def older(self, row: int) -> date | None:
        """Return the session of a row unless it is the day."""
        return None if row == self.last else self.days[row]

    def before(self) -> Sessions:
        """Return the sessions up to the one before the day."""
        return Sessions(self.days[:-1], self.stale_after, self.listed)

    @property
    def since_listing(self) -> bool:
        """Whether bars begin when the fund listed, so that there can be no earlier ones."""
        return self.listed is not None and self.days[0] <= self.listed

    def too_few(self, n: int, row: int, *inputs: str) -> Found:
        """Return why there are no ``n`` changes up to a row: each takes the session before it.

        ``inputs`` are what the changes are of, besides bars (``INPUTS``).
        """
        begun = "it listed" if self.since_listing else "bars begin"
        reason = f"only {row} of {n} sessions have one before them, since {begun} on {self.days[0]}"
        return self.begins_late(reason, self.last - row + n + 1, *inputs)

    def begins_late(self, reason: str, back: int, *inputs: str) -> Found:
        """Return that there is no value because so many sessions back there are no bars.

        Earlier rows would bring it, unless the fund had not listed yet.
        """
        if self.since_listing:
            return Found(None, reason)
        tables = dict.fromkeys(["bars", *(each for name in inputs for each in INPUTS[name].split(","))])
        return Found(None, reason, lacks=",".join(tables), back=back)


@dataclass(frozen=True)
class Daily:
    """One kind of value of the fund by session, (D,), NaN where nothing is on file."""

    what: str
    by_session: Floats
    sessions: Sessions

    def at(self, row: int) -> Found:
        """Return the value of a session."""
        return Found(float(self.by_session[row]), self.lacking(row), lacks=INPUTS[self.what])

    def latest(self) -> Found:
        """Return the value of the day, or the latest known."""
        row = self.sessions.latest(np.isfinite(self.by_session))
        older = self.sessions.older(row)
        return Found(float(self.by_session[row]), self.lacking(row), older=older, lacks=INPUTS[self.what])

    def lacking(self, row: int) -> str:
        """Return that there is no value on file for a session, and of when the latest one is."""
        known = np.flatnonzero(np.isfinite(self.by_session[: row + 1]))
        days = self.sessions.days
        latest = f"the latest is of {days[known[-1]]}" if len(known) else "there is none before either"
        return f"no {self.what} on file for {days[row]}; {latest}"

    def record(self, listed: date | None) -> Found:
        """Return whether the latest known value is the highest on file; the note says since when."""
        row = self.sessions.latest(np.isfinite(self.by_session))
        if not np.isfinite(self.by_session[row]):
            return Found(None, self.lacking(row), lacks=INPUTS[self.what])
        first = self.sessions.days[int(np.flatnonzero(np.isfinite(self.by_session))[0])]
        whole = listed is not None and first <= listed
        note = f"since listing, {first}" if whole else f"since {first}; nothing earlier is on file"
        highest = bool(self.by_session[row] >= np.nanmax(self.by_session))
        return Found(highest, note=note, older=self.sessions.older(row))


@dataclass(frozen=True)
class Changes:
    """Changes of a balance or count by session, (D,), and the row of the value before each; -1: none."""

    what: str
    change: Floats
    before_rows: NDArray[np.int64]
    traded: Bools
    sessions: Sessions

    @property
    def days(self) -> list[date]:
        """The sessions that the changes are of."""
        return self.sessions.days

    def over(self, n: int, money: Floats, lacks: str) -> Found:
        """Return the sum of ``money``, the changes at their prices, over exactly ``n`` sessions.

        They end with the day, or with the latest session for which both are known.
        """
        row = self.sessions.latest(np.isfinite(self.change) & (np.isfinite(money) | (self.change == 0.0)))
        base = row - n
        if base < 0:
            return self.sessions.too_few(n, row, self.what, lacks)
        if not np.isfinite(self.change[row]):
            return self.without(f"no {self.what} on file for {self.days[row]}, or none before it")
        rows = base + 1 + np.flatnonzero(np.isfinite(self.change[base + 1 : row + 1]))
        if self.before_rows[rows[0]] != base:
            return self.without(f"no {self.what} on file for {self.days[base]}, which the sum starts from")
        unpriced = rows[~np.isfinite(money[rows]) & (self.change[rows] != 0.0)]
        if len(unpriced):
            return Found(None, f"no {lacks} on file for {self.days[unpriced[0]]}", lacks=INPUTS[lacks])
        merged = n - len(rows)
        note = f"{self.days[base + 1]} to {self.days[row]}"
        if merged:
            note += f"; {merged} without {self.what}, their change is in the next one's"
        return Found(math.fsum(np.nan_to_num(money[rows])), note=note, older=self.sessions.older(row))

    def streak(self) -> Found:
        """Return the number of sessions in a row, up to the latest known, with a change above zero."""
        length, row = 0, self.sessions.latest(np.isfinite(self.change))
        older = self.sessions.older(row)
        if not np.isfinite(self.change[row]):
            return self.without(f"no {self.what} on file for {self.days[row]}, or none before it")
        while row >= 0:
            if not self.traded[row]:
                row -= 1
                continue
            before = int(self.before_rows[row])
            known = np.isfinite(self.change[row]) and not self.traded[before + 1 : row].any()
            if before < 0 or not known:
                missing = self.days[row if np.isnan(self.change[row]) else before + 1]
                if not length:
                    return self.without(f"no {self.what} on file for {missing}")
                return Found(length, note=f"at least: no {self.what} on file around {missing}", older=older)
            if not self.change[row] > 0.0:
                break
            length += 1
            row = before
        return Found(length, older=older)

    def count(self, n: int) -> Found:
        """Return how many of ``n`` sessions, up to the latest known, had a change above zero."""
        row = self.sessions.latest(np.isfinite(self.change))
        if row < n:
            return self.sessions.too_few(n, row, self.what)
        last = self.change[row + 1 - n : row + 1]
        if not np.isfinite(last).all():
            return self.without(f"not every one of the {n} sessions has a {self.what} on file")
        return Found(int((last > 0.0).sum()), older=self.sessions.older(row))

    def without(self, reason: str) -> Found:
        """Return that there is no value, because values are not on file."""
        return Found(None, reason, lacks=INPUTS[self.what])

    def before(self) -> Changes:
        """Return the changes up to the session before the day."""
        return Changes(
            self.what, self.change[:-1], self.before_rows[:-1], self.traded[:-1], self.sessions.before()
        )


def growth(value: float, before: Value) -> float:
    """Return ``value / before - 1``; NaN where there is no value before."""
    return value / before - 1.0 if isinstance(before, float) else math.nan
