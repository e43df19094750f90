"""Target weights from a file: decisions made elsewhere, run through our engine.

The file is CSV (UTF-8) with the columns ``day, symbol, weight``, in any order; further columns are ignored.
A row is the weight of a fund decided before the open of ``day``, traded at that open. A fund that is absent
on a listed day has weight 0, and what the weights leave over is cash; to sell everything, list a fund with
weight 0. On days that are not in the file nothing is decided.

Read and checked when the strategy is made (``_read``, ``_check_sums``), and against the funds and sessions of
a run when it runs (``WeightsFile.target_weights``). Rows before the first and after the last session of the
data are left out, so that one file serves runs over parts of its period.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.days import FORMS, parse_day
from data.errors import UsageError, did_you_mean
from data.facts.symbols import parse_symbol
from data.rows import number_of, read_rows
from strategies.parameters import check_parameters, param
from strategies.rotation import Floats

if TYPE_CHECKING:
    from data.panel.known import Known

COLUMNS = ("day", "symbol", "weight")

# Ten weights of 0.1 may be a rounding error above one; the engine buys what cash pays for.
SUM_TOLERANCE = 1e-9


@dataclass(frozen=True)
class TargetWeight:
    """One row of the file; ``row`` counts from 1, without the header."""

    row: int
    day: date
    symbol: str
    weight: float

    def __str__(self) -> str:
        return f"row {self.row} ({self.day} {self.symbol})"


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """Hold the weights that a CSV file lists, from the open of each listed day on.

    UsageError naming the row, on making it: a file or column that is missing, a day, symbol or weight that
    is none, a negative weight, a day whose weights are above one in sum, a fund twice on a day.
    """

    file: str = param("", help="CSV file with the columns day, symbol, weight")

    def __post_init__(self) -> None:
        """Read the file, so that what is wrong with it is said before anything runs."""
        check_parameters(self)
        if not self.file:
            raise UsageError(
                "strategy `weights` needs a file of target weights",
                hint="Give one with --set file=weights.csv (columns day, symbol, weight).",
            )
        _check_sums(self.file, self.rows)

    @cached_property
    def rows(self) -> tuple[TargetWeight, ...]:
        """The rows of the file, in its order."""
        return tuple(_read(Path(self.file)))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The funds in the file, sorted."""
        return tuple(sorted({each.symbol for each in self.rows}))

    @property
    def days(self) -> tuple[date, ...]:
        """The decision days in the file, sorted."""
        return tuple(sorted({each.day for each in self.rows}))

    @property
    def warmup(self) -> int:
        """Nothing is computed from the past."""
        return 0

    def target_weights(self, known: Known) -> Floats:
        """Return (D, S) target weights; rows are NaN on sessions without a decision.

        UsageError naming the row: a fund that is not in the run, a day that is no session, or no decision
        within the days of the data.
        """
        columns = {symbol: column for column, symbol in enumerate(known.symbols)}
        sessions = {day: row for row, day in enumerate(known.days.astype("datetime64[D]").tolist())}
        weights = np.full((len(known.days), len(known.symbols)), np.nan)
        first, last = min(sessions, default=date.max), max(sessions, default=date.min)
        for each in self.rows:
            if each.symbol not in columns:
                raise UsageError(
                    f"{self.file}: {each} is not a fund of this run",
                    received=each.symbol,
                    hint=did_you_mean(each.symbol, known.symbols),
                )
            if not first <= each.day <= last:
                continue
            if each.day not in sessions:
                raise UsageError(
                    f"{self.file}: {each} is not on a trading session",
                    received=each.day,
                    hint=f"The next session is {min(day for day in sessions if day > each.day)}.",
                )
            decision = weights[sessions[each.day]]
            if np.isnan(decision).all():
                decision[:] = 0.0
            decision[columns[each.symbol]] = each.weight
        if np.isnan(weights).all():
            raise UsageError(
                f"{self.file}: no decision falls within the data",
                received=f"{self.days[0]} to {self.days[-1]}",
                limit=f"{first} to {last}",
            )
        return weights


def _read(path: Path) -> Iterator[TargetWeight]:
    header, rows = read_rows(path, "file of target weights")
    if not set(COLUMNS) <= set(header) or not rows:
        raise UsageError(
            f"{path}: target weights need the columns {', '.join(COLUMNS)} and at least one row",
            received=f"columns {', '.join(header) or 'none'}; {len(rows)} rows",
        )
    seen: dict[tuple[date, str], int] = {}
    for row, (where, cells) in enumerate(rows, start=1):
        day, symbol, weight = (cells[name] for name in COLUMNS)
        each = TargetWeight(row, _day(day, where), _symbol(symbol, where), _weight(weight, where))
        before = seen.setdefault((each.day, each.symbol), row)
        if before != row:
            raise UsageError(
                f"{path}: {each} repeats row {before}", hint="Keep one row for each fund on a day."
            )
        yield each


def _day(text: str, where: str) -> date:
    # What pandas writes may have a time behind it.
    day = parse_day(re.split("[ T]", text, maxsplit=1)[0])
    if day is None:
        raise UsageError(f"{where}: `day` is not a date", received=repr(text), limit=FORMS)
    return day


def _symbol(text: str, where: str) -> str:
    try:
        return parse_symbol(text)
    except UsageError as error:
        raise UsageError(
            f"{where}: {error.what}", received=error.received, limit=error.limit, hint=error.hint
        ) from None


def _weight(text: str, where: str) -> float:
    weight = number_of(text)
    if not 0.0 <= weight <= 1.0 + SUM_TOLERANCE:
        raise UsageError(
            f"{where}: `weight` is not a fraction of equity", received=repr(text), limit="0 to 1"
        )
    return weight


def _check_sums(file: str, rows: tuple[TargetWeight, ...]) -> None:
    by_day: dict[date, list[TargetWeight]] = {}
    for each in rows:
        by_day.setdefault(each.day, []).append(each)
    for day, decided in by_day.items():
        total = math.fsum(each.weight for each in decided)
        if total > 1.0 + SUM_TOLERANCE:
            raise UsageError(
                f"{file}: the weights of {day} are above one in sum, to {decided[-1]}",
                received=f"{total:.10g}",
                limit="1; what is left over is cash",
            )
