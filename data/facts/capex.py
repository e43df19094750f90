"""What four hyperscalers spent on property and equipment, by quarter, and when they filed it: ``capex.csv``.

A row is one company's quarter as it was first filed with the SEC: the line of the cash-flow statement
(purchases of property and equipment, without leases), in millions of dollars, on the day of the Form 10-Q or
10-K. Companies that file a year to date have the quarter as a difference, which ``filed_as`` spells out.
Quarters that a source does not state are not in the file; a quarter without one of the four has no sum.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from data.facts.dated import FACTS

COMPANIES = ("Alphabet", "Amazon", "Meta", "Microsoft")
SERIES = "capex"


@dataclass(frozen=True)
class Filed:
    """One company's calendar quarter, by its last day; ``millions`` of dollars, known after day ``filed``."""

    company: str
    quarter: date
    millions: int
    filed: date
    accession: str
    filed_as: str
    source: str


@dataclass(frozen=True)
class Sum:
    """The four together; known after the day on which the last of them filed."""

    quarter: date
    millions: int
    filed: date


@lru_cache(maxsize=1)
def filed_quarters() -> tuple[Filed, ...]:
    """Return what each company filed, oldest first."""
    with (FACTS / "capex.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Filed(
                row["company"],
                date.fromisoformat(row["quarter"]),
                int(row["millions"]),
                date.fromisoformat(row["filed"]),
                row["accession"],
                row["filed_as"],
                row["source"],
            )
            for row in csv.DictReader(file)
        )


@lru_cache(maxsize=1)
def capex() -> tuple[Sum, ...]:
    """Return the sum of the four for each quarter that all of them have filed, oldest first."""
    quarters: dict[date, list[Filed]] = {}
    for each in filed_quarters():
        quarters.setdefault(each.quarter, []).append(each)
    return tuple(
        Sum(quarter, sum(each.millions for each in filed), max(each.filed for each in filed))
        for quarter, filed in sorted(quarters.items())
        if {each.company for each in filed} == set(COMPANIES)
    )
