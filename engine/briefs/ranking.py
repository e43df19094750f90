"""The funds of a universe side by side on one day: the main lines of each brief, ranked by one of them.

Only funds that were listed on the day are ranked, as the universe was then. Equal values share the best rank;
a fund that has no value of the day itself comes last and has no rank, because the latest known of one evening
does not compare with that of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from data.errors import DataError, UsageError, did_you_mean
from engine.briefs.brief import Brief
from engine.briefs.lines import DAY, LINES, YES_OR_NO, Windows
from engine.briefs.series import Fact
from engine.briefs.statements import line_of, windows_of

# What a row says, beside what it is ranked by.
MAIN = (
    "net_inflow_5_vwap",
    "net_inflow_5_ratio",
    "inflow_streak",
    "aum",
    "aum_record",
    "net_financing_4",
    "margin_balance",
    "adtv_20",
    "premium",
    "fund_ytd",
)
BY = "net_inflow_5_ratio"


@dataclass(frozen=True)
class RankedFund:
    """One fund: its rank, and its facts in the order of the columns; why there are none if there are none."""

    symbol: str
    name: str
    rank: int | None
    facts: tuple[Fact, ...]
    reason: str = ""


@dataclass(frozen=True)
class Ranking:
    """The rows, best first; ``columns`` are names of lines."""

    day: date
    by: str
    columns: tuple[str, ...]
    rows: tuple[RankedFund, ...]

    @property
    def known(self) -> tuple[str, ...]:
        """The columns in which some fund has a value, and that of the ranking."""
        return tuple(
            name
            for place, name in enumerate(self.columns)
            if name == self.by or any(row.facts[place].value is not None for row in self.listed)
        )

    @property
    def listed(self) -> tuple[RankedFund, ...]:
        """The rows that have facts."""
        return tuple(row for row in self.rows if row.facts)


def _names() -> list[str]:
    """Return the lines that funds can be ranked by, with windows and a valuation as one may write them."""
    numbers = (line.name for line in LINES if line.unit not in (YES_OR_NO, DAY))
    names = (name.replace("{n}", "20").replace("{valuation}", "vwap") for name in numbers)
    return [name for name in names if "{" not in name]


def rank_funds(
    names: Mapping[str, str], day: date, by: str, brief_of: Callable[[str, Windows], Brief]
) -> Ranking:
    """Return the funds ranked by the line ``by``, largest first, ties in symbol order.

    ``names`` are those of the funds on the day, by symbol. ``brief_of`` makes the brief of a fund; where it
    says that the fund has no data of the day, the row has the reason. UsageError if ``by`` is no line, or one
    that has no order.
    """
    line = line_of(by)
    if line is None or line.unit in (YES_OR_NO, DAY):
        raise UsageError(
            "funds are ranked by a line of the brief that is a number",
            received=by,
            hint=did_you_mean(by, _names()),
        )
    columns = tuple(dict.fromkeys((*MAIN, by)))
    windows = windows_of(columns)
    found: list[RankedFund] = []
    for symbol, name in sorted(names.items()):
        try:
            brief = brief_of(symbol, windows)
        except DataError as error:
            reason = error.what if error.received is None else f"{error.what}: {error.received}"
            found.append(RankedFund(symbol, name, None, (), reason))
            continue
        facts = {fact.name: fact for fact in brief.facts}
        found.append(RankedFund(symbol, name, None, tuple(facts[each] for each in columns)))
    place = columns.index(by)
    values = {row.symbol: _value(row.facts[place]) for row in found if row.facts}
    known = {symbol: value for symbol, value in values.items() if value is not None}
    rows = [
        RankedFund(row.symbol, row.name, _rank(row.symbol, known), row.facts, row.reason)
        for row in sorted(found, key=lambda row: (-known.get(row.symbol, float("-inf")), row.symbol))
    ]
    return Ranking(day, by, columns, tuple(rows))


def _value(fact: Fact) -> float | None:
    return None if fact.older or isinstance(fact.value, str) or fact.value is None else float(fact.value)


def _rank(symbol: str, known: dict[str, float]) -> int | None:
    own = known.get(symbol)
    return None if own is None else 1 + sum(value > own for value in known.values())
