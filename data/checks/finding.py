"""What a check says: one defect of the data, how bad it is, where it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import numpy as np

from data.checks.inputs import Inputs

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[str, ...] = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """One defect in one series.

    Attributes
    ----------
    check : name of the check, as `--allow` takes it
    severity : "error" stops a run, "warning" needs a look, "note" is good to know
    table, symbol : where; `symbol` is an index code in the index tables, and an exchange for whole lists
    first, last : the first and the last day concerned
    count : number of rows, sessions or members concerned
    message : what is wrong, with numbers
    hint : what to do
    """

    check: str
    severity: Severity
    table: str
    symbol: str
    first: date
    last: date
    count: int
    message: str
    hint: str

    @classmethod
    def on(
        cls, check: str, severity: Severity, table: str, symbol: str, days: Any, message: str, hint: str
    ) -> Finding:
        """Return a finding that concerns ``days``: one or more dates, in any order, one for each row."""
        stamps = np.atleast_1d(np.asarray(days, dtype="datetime64[D]"))
        return cls(
            check,
            severity,
            table,
            symbol,
            stamps.min().item(),
            stamps.max().item(),
            len(stamps),
            message,
            hint,
        )

    @property
    def period(self) -> str:
        """The days concerned as text: one day, or first to last."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def told(self) -> str:
        """Which check found what, and where, in one line without the hint."""
        return f"{self.check}: {self.table} {self.symbol}, {self.period}: {self.message}"

    def __str__(self) -> str:
        return f"{self.severity}: {self.told}. {self.hint}"


def nothing(data: Inputs) -> Iterator[Finding]:
    """Find nothing."""
    return iter(())


@dataclass(frozen=True)
class Check:
    """A named check: ``summary`` says what it finds.

    ``find`` finds what is wrong of each series by itself, in some of them at a time, ``across`` what shows in
    all of them at once, in an outline of the tables (``data.checks.parts``).
    """

    name: str
    summary: str
    find: Callable[[Inputs], Iterator[Finding]] = nothing
    across: Callable[[Inputs], Iterator[Finding]] = nothing
