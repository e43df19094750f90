"""Splits and merges of funds that were announced or seen in the exchanges' own files: ``splits.csv``.

They are never applied by themselves: a data set's table ``actions`` alone says what happened in it. They are
what ``data check`` holds it against, and what ``data splits --add`` adds to it. Splits whose ratio or day a
source does not state are not among them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from data.facts.dated import FACTS


@dataclass(frozen=True)
class Split:
    """``ratio`` new units for each old one, in prices from ``ex_day`` on; units switch after ``record_day``.

    ``record_day`` is None where no source states it. ``source`` holds tags of ``data/facts/sources.csv``.
    """

    symbol: str
    record_day: date | None
    ex_day: date
    ratio: float
    source: str
    note: str = ""


@lru_cache(maxsize=1)
def known_splits() -> Mapping[str, tuple[Split, ...]]:
    """Return the splits on file by symbol, oldest first."""
    found: dict[str, list[Split]] = {}
    with (FACTS / "splits.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            record = row["record_day"]
            found.setdefault(row["symbol"], []).append(
                Split(
                    row["symbol"],
                    date.fromisoformat(record) if record else None,
                    date.fromisoformat(row["ex_day"]),
                    float(row["ratio"]),
                    row["source"],
                    row["note"],
                )
            )
    return MappingProxyType(
        {symbol: tuple(sorted(splits, key=lambda split: split.ex_day)) for symbol, splits in found.items()}
    )
