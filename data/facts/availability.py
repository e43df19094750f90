"""When a datum can first be used, by table, fund and day: dated rows of ``data/facts/availability.toml``.

The datum of session T is usable at the open of session T + lag; a lag is at least 1, so that nothing of a
session is used in it. A row of data that carries ``known_at`` is usable at the open of the first session S
whose cutoff on S lies after ``known_at``, and needs no lag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.choices import AVAILABILITIES
from data.errors import DataError, UsageError, check_choice, did_you_mean
from data.facts.dated import FACTS, Row, read_toml, rows_of, tables

Days = NDArray[np.datetime64]
Integers = NDArray[np.int64]

# Forty years; with more, no datum is ever known.
LONGEST_SHIFT = 10_000


@dataclass(frozen=True)
class Availability:
    """The publication lags of one setting.

    ``name`` is ``normal`` or ``strict``; ``shifts`` are sessions added to the lag of a table; a level that no
    row has renewed for more than ``stale_after`` sessions is unknown again. ``evenings`` are the local times,
    of the evening before, at which another market has its cutoff.
    """

    name: str
    shifts: Mapping[str, int]
    stale_after: int
    cutoffs: Mapping[str, str]
    evenings: Mapping[str, str]
    rows: Mapping[str, Sequence[Row]]

    def lag(self, table: str, symbol: str, day: date) -> int:
        """Return the sessions from the datum of session ``day`` to the first open that may use it, >= 1.

        ``symbol`` is a fund, a market code (CN, US), an index or a series, as in the table's key. UsageError
        for a table that has no lags; DataError for one whose rows must say themselves when they were known.
        """
        return int(self.lags(table, symbol, np.array([day], dtype="datetime64[D]"))[0])

    def lags(self, table: str, symbol: str, days: Days) -> Integers:
        """Return :meth:`lag` for each of ``days``, int64 (D,)."""
        if table not in self.rows:
            raise UsageError(f"table `{table}` has no publication lag", hint=did_you_mean(table, self.rows))
        result = np.zeros(len(days), dtype=np.int64)
        for row in self.rows[table]:
            if row.scope.covers(symbol):
                if row.fields.get("needs_known_at"):
                    raise DataError(
                        f"the rows of `{symbol}` in table `{table}` do not say when they were known",
                        hint="Fill the column `known_at`: no rule can say when a report will appear.",
                    )
                result[np.asarray(days) >= row.start] = row.fields[self.name] + self.shifts.get(table, 0)
        if not result.all():
            raise DataError(
                f"no publication lag is recorded for table `{table}`",
                received=np.asarray(days)[result == 0][0],
            )
        return result

    def cutoff(self, market: str) -> str:
        """Return the local time, as "09:15", before which a datum must be known to be used at the open."""
        check_choice("market", market, self.cutoffs)
        return self.cutoffs[market]

    def decided(self, market: str, first: str) -> np.timedelta64:
        """Return by when a run decides, from the midnight before a session on, in local time of a market.

        That is the cutoff of ``first``, the market of the run that opens first, which may be ``market``.
        """
        hours, minutes = (self.cutoff(market) if market == first else self.evenings[market]).split(":")
        days_before = 0 if market == first else 1
        return np.timedelta64(int(hours) * 60 + int(minutes) - days_before * 24 * 60, "m")


def load_availability(name: str = "normal", shifts: Mapping[str, int] | None = None) -> Availability:
    """Return the lags of a setting, ``normal`` or ``strict``, moved by ``shifts`` sessions a table.

    UsageError if the setting or a table in ``shifts`` is unknown, if a shift is not a whole number, or if it
    would make a datum usable before the session after its own.
    """
    check_choice("availability", name, AVAILABILITIES)
    stale_after, cutoffs, evenings, rows = _facts()
    moved = dict(sorted((shifts or {}).items()))
    for table, shift in moved.items():
        _check_shift(table, shift, name, rows)
    return Availability(name, MappingProxyType(moved), stale_after, cutoffs, evenings, rows)


def _check_shift(table: str, shift: object, name: str, rows: Mapping[str, Sequence[Row]]) -> None:
    if table not in rows:
        raise UsageError(f"table `{table}` has no publication lag to shift", hint=did_you_mean(table, rows))
    if isinstance(shift, bool) or not isinstance(shift, int):
        raise UsageError(f"the shift of `{table}` is not a whole number of sessions", received=shift)
    if shift > LONGEST_SHIFT:
        raise UsageError(
            f"the shift of `{table}` is out of bounds",
            received=shift,
            limit=f"up to {LONGEST_SHIFT} sessions",
        )
    shortest = min((row.fields[name] for row in rows[table] if name in row.fields), default=1)
    if shortest + shift < 1:
        raise UsageError(
            f"the shift of `{table}` would use data before they are published",
            received=shift,
            limit=f"{1 - shortest} or more, because the shortest lag is {shortest}",
        )


@lru_cache(maxsize=1)
def _facts() -> tuple[int, Mapping[str, str], Mapping[str, str], Mapping[str, Sequence[Row]]]:
    path = FACTS / "availability.toml"
    raw = read_toml(path)
    by_table: dict[str, list[dict[str, Any]]] = {}
    for each in tables(raw["lag"], str(path)):
        row = dict(each)
        by_table.setdefault(row.pop("table"), []).append(row)
    cutoffs = list(tables(raw["cutoff"], str(path)))
    return (
        raw["stale_after"]["sessions"],
        MappingProxyType({each["market"]: each["time"] for each in cutoffs}),
        MappingProxyType({each["market"]: each["evening"] for each in cutoffs if "evening" in each}),
        MappingProxyType(
            {
                table: tuple(rows_of(rows, f"{path}, {table}", (*AVAILABILITIES, "needs_known_at")))
                for table, rows in by_table.items()
            }
        ),
    )
