"""The tables of facts that ship with etflow, each row with its source, as anyone may read them.

Rules, lags and calendars have files of their own (``markets/``, ``availability.toml``, ``calendars.toml``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from data.errors import UsageError, did_you_mean
from data.facts.dated import FACTS

Fact = Mapping[str, str]


@dataclass(frozen=True)
class Shipped:
    """A table: its file without ``.csv``, what it holds, and the column whose latest day is its last."""

    name: str
    holds: str
    through: str


SHIPPED = (
    Shipped("universe", "funds, what they track, when they were listed", "listed"),
    Shipped("fund_history", "names and indices that funds had before", "until"),
    Shipped("indices", "indices, when they begin and when they were launched", "launched"),
    Shipped("splits", "splits and merges of funds", "ex_day"),
    Shipped("themes", "themes of listed companies", "from_day"),
    Shipped("statements", "what notes and reports said of funds, for `brief --verify shipped`", "day"),
    Shipped("capex", "capital expenditure of four hyperscalers by quarter, in millions of dollars", "filed"),
)


def shipped(name: str) -> Shipped:
    """Return a table by name; UsageError with close matches for another name."""
    found = {each.name: each for each in SHIPPED}
    if name not in found:
        raise UsageError(f"no table of facts is called `{name}`", hint=did_you_mean(name, found))
    return found[name]


def facts_in(table: Shipped) -> list[Fact]:
    """Return the rows of a table as they are written."""
    return _rows(table.name)


def latest(table: Shipped, facts: Iterable[Fact]) -> str:
    """Return the latest day that a table knows of, as 2026-07-31; empty if it has none."""
    return max((fact[table.through] for fact in facts), default="")


def citations(facts: Iterable[Fact]) -> dict[str, str]:
    """Return what the tags stand for that are the sources of some rows, by tag."""
    used = {tag for fact in facts for tag in fact["source"].split(";")}
    return {row["tag"]: row["citation"] for row in _rows("sources") if row["tag"] in used}


def _rows(name: str) -> list[Fact]:
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
