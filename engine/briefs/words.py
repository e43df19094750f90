"""Values of a brief as people read them, on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from data.facts.calendars import calendar_for
from data.facts.symbols import market_of
from data.words import NOT_AVAILABLE, number, percent
from engine.briefs.lines import DIFFERENCE, FRACTION, MONEY, PRICE, SCORE
from engine.briefs.series import Fact, Value

if TYPE_CHECKING:
    from engine.briefs.brief import Brief

# Tables that returns of the year come from, which are over the last session of the year before.
OF_THE_YEAR = frozenset(("bars", "index_bars"))
LARGE = ((1e9, "bn"), (1e6, "m"))

# How a number is shown, by its unit; others are whole numbers.
_SHOWN: Mapping[str, Callable[[float], str]] = {
    DIFFERENCE: lambda value: f"{value * 100:+.2f} pp",
    SCORE: number,
    PRICE: lambda value: number(value, 4),
}


def value_text(fact: Fact, currency: str = "") -> str:
    """Return the value of a fact; money with its ``currency``, if any."""
    value = fact.value
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if fact.unit == FRACTION:
        return percent(value)
    if fact.unit == MONEY:
        return f"{number(value)} {currency}".rstrip()
    return _SHOWN[fact.unit](value) if fact.unit in _SHOWN else number(value, 0)


def short_money(value: Value, currency: str | None) -> str:
    """Return an amount as one says it: in billions or millions, with its currency."""
    if not isinstance(value, (int, float)):
        return NOT_AVAILABLE
    for size, word in LARGE:
        if abs(value) >= size:
            return f"{number(value / size)} {word} {currency or ''}".rstrip()
    return f"{number(value, 0)} {currency or ''}".rstrip()


def missing_by_input(facts: Iterable[Fact]) -> tuple[list[Fact], dict[str, list[Fact]]]:
    """Return the facts to show, and those without a value for want of rows, by the tables that lack them.

    A line goes with the one that it belongs to, whose label is not set in: that one is shown where one below
    it has a value, and one without a value of its own goes where that one goes.
    """
    shown: list[Fact] = []
    missing: dict[str, list[Fact]] = {}
    families: list[list[Fact]] = []
    for fact in facts:
        if fact.label.startswith("  ") and families:
            families[-1].append(fact)
        else:
            families.append([fact])
    for first, *others in families:
        known = any(fact.value is not None for fact in others)
        for fact in (first, *others):
            lacks = fact.lacks or first.lacks
            if fact.value is not None or not lacks or (fact is first and known):
                shown.append(fact)
            else:
                missing.setdefault(lacks, []).append(fact)
    return shown, missing


def fetch_commands(brief: Brief) -> list[str]:
    """Return the commands that bring what a brief lacks: of the fund and its indices, then of other funds."""
    own = brief.fund.symbol
    lacking = [fact for fact in brief.facts if fact.lacks]
    if market_of(own) != "cn_etf":
        return ["etflow data import FILES --data STORE"] if lacking else []
    wanted: dict[str, dict[str, None]] = {own: {}}
    back: dict[str, int] = {}
    indices: dict[str, None] = {}
    for fact in lacking:
        of_indices = fact.lacks.startswith("index_")
        indices |= dict.fromkeys(fact.whose if of_indices else ())
        for symbol in (own,) if of_indices or not fact.whose else fact.whose:
            wanted.setdefault(symbol, {}).update(dict.fromkeys(fact.lacks.split(",")))
            back[symbol] = max(back.get(symbol, 0), fact.back)
    by_tables: dict[tuple[str, ...], list[str]] = {}
    for symbol, tables in wanted.items():
        by_tables.setdefault(tuple(tables), []).append(symbol)
    return [
        _fetch_command(
            symbols,
            tables,
            list(indices) if own in symbols else [],
            _start(brief, tables, max(back[each] for each in symbols)),
        )
        for tables, symbols in by_tables.items()
        if tables
    ]


def _start(brief: Brief, tables: tuple[str, ...], back: int) -> date:
    """Return from when on rows are to be fetched: of so many sessions up to the day of a brief, at least."""
    calendar = calendar_for(market_of(brief.fund.symbol))
    sessions = calendar.sessions(calendar.first_day, brief.day)
    start: date = min(brief.sessions[0], sessions[-min(max(back, 1), len(sessions))].item())
    return start if OF_THE_YEAR.isdisjoint(tables) else min(start, date(brief.day.year - 1, 12, 1))


def _fetch_command(symbols: list[str], tables: tuple[str, ...], indices: list[str], start: date) -> str:
    besides = f" --indices {','.join(indices)}" if indices else ""
    return (
        f"etflow data fetch --provider akshare --symbols {','.join(symbols)} --tables {','.join(tables)}"
        f"{besides} --start {start} --data STORE"
    )


def remark(fact: Fact) -> str:
    """Return what a value covers, and its session where that is not the day; or why there is none."""
    if fact.reason:
        return fact.reason
    older = f"latest known: {fact.older}" if fact.older else ""
    return "; ".join(each for each in (older, fact.note) if each)
