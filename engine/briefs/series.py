"""Series of one fund by session, and what a brief says of them: value, sum, streak, record, or why not.

Arrays are (D,), by the session that a value belongs to; they end with the day of the brief, and are NaN where
nothing is on file. Nothing is filled in: a sum covers exactly the sessions that it says, or is None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Value = float | int | bool | str | None


@dataclass(frozen=True)
class Fact:
    """One value and its unit; None with the ``reason`` why. ``note`` says what the value covers."""

    name: str
    label: str
    value: Value
    unit: str
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Found:
    """A value, or the reason why there is none; and what to know about it."""

    value: Value
    reason: str = ""
    note: str = ""


@dataclass
class Sheet:
    """Collects facts; a number that is not finite becomes None and needs a reason."""

    facts: list[Fact] = field(default_factory=list)

    def add(self, name: str, label: str, found: Found, unit: str) -> None:
        """Write a fact down."""
        value = found.value
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        self.facts.append(Fact(name, label, value, unit, found.reason if value is None else "", found.note))


@dataclass(frozen=True)
class Daily:
    """One kind of value of the fund by session, (D,), NaN where nothing is on file."""

    what: str
    by_session: Floats
    days: list[date]

    def at(self, row: int) -> Found:
        """Return the value of a session."""
        return Found(float(self.by_session[row]), self.lacking(row))

    def lacking(self, row: int) -> str:
        """Return that there is no value on file for a session, and of when the latest one is."""
        known = np.flatnonzero(np.isfinite(self.by_session[: row + 1]))
        latest = f"the latest is of {self.days[known[-1]]}" if len(known) else "there is none before either"
        return f"no {self.what} on file for {self.days[row]}; {latest}"

    def record(self, listed: date | None) -> Found:
        """Return whether the last value is the highest on file; the note says since when."""
        if not np.isfinite(self.by_session[-1]):
            return Found(None, self.lacking(len(self.days) - 1))
        first = self.days[int(np.flatnonzero(np.isfinite(self.by_session))[0])]
        whole = listed is not None and first <= listed
        note = f"since listing, {first}" if whole else f"since {first}; nothing earlier is on file"
        return Found(bool(self.by_session[-1] >= np.nanmax(self.by_session)), note=note)


@dataclass(frozen=True)
class Changes:
    """Changes of a balance or count by session, (D,), and the row of the value before each; -1: none."""

    what: str
    change: Floats
    before: NDArray[np.int64]
    traded: NDArray[np.bool_]
    days: list[date]

    def over(self, n: int, money: Floats, lacks: str) -> Found:
        """Return the sum of ``money``, the changes at their prices, over exactly the last ``n`` sessions."""
        row = len(self.change) - 1
        base = row - n
        if base < 0:
            return Found(None, f"only {row + 1} sessions are on file up to {self.days[row]}")
        if not np.isfinite(self.change[row]):
            return Found(None, f"no {self.what} on file for {self.days[row]}, or none before it")
        rows = base + 1 + np.flatnonzero(np.isfinite(self.change[base + 1 :]))
        if self.before[rows[0]] != base:
            return Found(None, f"no {self.what} on file for {self.days[base]}, which the sum starts from")
        unpriced = rows[~np.isfinite(money[rows]) & (self.change[rows] != 0.0)]
        if len(unpriced):
            return Found(None, f"no {lacks} on file for {self.days[unpriced[0]]}")
        merged = n - len(rows)
        note = f"{self.days[base + 1]} to {self.days[row]}"
        if merged:
            note += f"; {merged} without {self.what}, their change is in the next one's"
        return Found(math.fsum(np.nan_to_num(money[rows])), note=note)

    def streak(self) -> Found:
        """Return the number of sessions in a row, up to the last, with a change above zero."""
        length, row = 0, len(self.change) - 1
        if not np.isfinite(self.change[row]):
            return Found(None, f"no {self.what} on file for {self.days[row]}, or none before it")
        while row >= 0:
            if not self.traded[row]:
                row -= 1
                continue
            before = int(self.before[row])
            known = np.isfinite(self.change[row]) and not self.traded[before + 1 : row].any()
            if before < 0 or not known:
                missing = self.days[row if np.isnan(self.change[row]) else before + 1]
                if not length:
                    return Found(None, f"no {self.what} on file for {missing}")
                return Found(length, note=f"at least: no {self.what} on file around {missing}")
            if not self.change[row] > 0.0:
                break
            length += 1
            row = before
        return Found(length)

    def count(self, n: int) -> Found:
        """Return how many of the last ``n`` sessions had a change above zero."""
        last = self.change[-n:]
        if len(last) < n or not np.isfinite(last).all():
            return Found(None, f"not every one of the {n} sessions has a {self.what} on file")
        return Found(int((last > 0.0).sum()))


def growth(value: float, before: Value) -> float:
    """Return ``value / before - 1``; NaN where there is no value before."""
    return value / before - 1.0 if isinstance(before, float) else math.nan
