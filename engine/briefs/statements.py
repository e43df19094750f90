"""Statements about funds, as market notes and reports make them: what each says, and which lines may mean it.

A file has the columns ``statement,fund,day,value,tolerance,source``. A statement is the name of a line
of the brief, with its window (``net_inflow_5_vwap``), or one of ``READINGS`` where a note leaves open which
line it means. A value is a number, which the line may miss by ``tolerance`` (empty: 0), a bound as ``>2.8e9``
or ``>=5``, yes or no, or a day. Fractions are fractions.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from data.choices import VALUATIONS
from data.errors import UsageError, did_you_mean
from data.facts.symbols import parse_symbol
from data.rows import number_of, read_rows
from engine.briefs.lines import DAY, LINES, YES_OR_NO, Line, Windows, lines_by_name

# What a note leaves open, and the lines that it may mean.
READINGS: Mapping[str, tuple[str, ...]] = {
    "net_inflow_{n}": tuple(f"net_inflow_{{n}}_{each}" for each in VALUATIONS),
    "financing_{n}": ("net_financing_{n}", "net_financing_{n}_before"),
    "balance": ("margin_balance", "margin_balance_before"),
    "balance_record": ("margin_balance_record", "margin_balance_before_record"),
    "size": ("aum", "aum_close"),
    "adtv": ("adtv_month", "adtv_20"),
    "adtv_rank": ("adtv_month_rank", "adtv_20_rank"),
}

COLUMNS = ("statement", "fund", "day", "value", "tolerance", "source")
BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_WORDS = {"yes": True, "no": False, "true": True, "false": False}
_BRACES = {"n": r"[1-9]\d{0,3}", "valuation": "|".join(VALUATIONS), "index": "[A-Za-z0-9]+"}


@dataclass(frozen=True)
class Statement:
    """One statement about a fund on a day; ``bound`` is empty or of BOUNDS; ``lines`` it may mean."""

    name: str
    fund: str
    day: date
    bound: str
    value: float | bool | str
    tolerance: float
    source: str
    lines: tuple[str, ...]

    @property
    def said(self) -> str:
        """The value as the statement has it."""
        if isinstance(self.value, float):
            return f"{self.bound}{self.value:.10g}"
        return self.value if isinstance(self.value, str) else "yes" if self.value else "no"

    def agrees(self, value: float | bool | str) -> bool:
        """Tell whether the value of a line is what the statement says."""
        if not isinstance(self.value, float) or isinstance(value, str):
            return value == self.value
        if self.bound:
            return BOUNDS[self.bound](value, self.value)
        # 0.52 and 0.525 are no more than 0.005 apart, whatever binary fractions make of them.
        return abs(value - self.value) <= self.tolerance + 1e-12 * abs(self.value)


def read_statements(path: Path) -> tuple[Statement, ...]:
    """Return the statements of a file; UsageError names the file, the row and what is wrong with it."""
    header, rows = read_rows(path, "file of statements")
    lacking = [each for each in COLUMNS if each not in header]
    if lacking or not rows:
        raise UsageError(
            f"{path} has no statements" if not lacking else f"{path} lacks {', '.join(lacking)}",
            received=",".join(header) or "an empty file",
            limit=",".join(COLUMNS),
        )
    return tuple(_statement(where, row) for where, row in rows)


def meant_lines(statement: str) -> tuple[str, ...]:
    """Return the names of the lines that a statement may mean, itself if it is one.

    UsageError with close matches where it is neither a line nor one of ``READINGS``.
    """
    for template, names in READINGS.items():
        found = _match(template, statement)
        if found is not None:
            return tuple(name.format(**found) for name in names)
    if line_of(statement) is None:
        known = [each.replace("{n}", "5") for each in (*READINGS, *lines_by_name())]
        raise UsageError(
            f"no line of a brief is called `{statement}`",
            hint=did_you_mean(statement, [each.replace("{valuation}", "vwap") for each in known]),
        )
    return (statement,)


def windows_of(names: Iterable[str]) -> Windows:
    """Return the windows that the lines of these names are of."""
    wanted: dict[str, set[int]] = {field.name: set() for field in fields(Windows)}
    for name in names:
        line = line_of(name)
        if line is not None and line.window:
            wanted[line.window].add(int((_match(line.name, name) or {})["n"]))
    return Windows(**{kind: tuple(sorted(lengths)) for kind, lengths in wanted.items() if lengths})


def line_of(name: str) -> Line | None:
    """Return the line that a name is of, None where there is none."""
    return next((line for line in LINES if _match(line.name, name) is not None), None)


def _statement(where: str, row: Mapping[str, str]) -> Statement:
    try:
        fund, lines = parse_symbol(row["fund"]), meant_lines(row["statement"])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    units = {line.unit for line in map(line_of, lines) if line is not None}
    bound, value = _value(where, row["value"], units.pop())
    tolerance = _number(where, "tolerance", row["tolerance"] or "0")
    if tolerance < 0.0:
        raise UsageError(f"{where}: `tolerance` is out of bounds", received=tolerance, limit="0 or more")
    day = _day(where, "day", row["day"])
    return Statement(row["statement"], fund, day, bound, value, tolerance, row["source"], lines)


def _value(where: str, text: str, unit: str) -> tuple[str, float | bool | str]:
    """Return the bound, if any, and the value of a cell, in the type that lines of a unit have."""
    if unit == DAY:
        return "", str(_day(where, "value", text))
    if unit == YES_OR_NO:
        if text.lower() not in _WORDS:
            raise UsageError(f"{where}: `value` is neither yes nor no", received=text)
        return "", _WORDS[text.lower()]
    bound = next((each for each in BOUNDS if text.startswith(each)), "")
    return bound, _number(where, "value", text.removeprefix(bound))


def _number(where: str, column: str, text: str) -> float:
    found = number_of(text)
    if not math.isfinite(found):
        raise UsageError(
            f"{where}: `{column}` is not a number", received=text, limit="0.52, 6.59e8, or >2.8e9 for a bound"
        )
    return found


def _day(where: str, column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{where}: `{column}` is not a day", received=text, limit="for instance 2025-08-20"
        ) from None


def _match(template: str, name: str) -> dict[str, str] | None:
    pattern = re.sub(r"\{(\w+)\}", lambda found: f"(?P<{found[1]}>{_BRACES[found[1]]})", template)
    found = re.fullmatch(pattern, name)
    return found.groupdict() if found else None
