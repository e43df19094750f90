"""Values of a brief as people read them, on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from data.words import NOT_AVAILABLE, number, percent
from engine.briefs.lines import DIFFERENCE, FRACTION, MONEY, PRICE, SCORE
from engine.briefs.series import Fact

# How a number is shown, by its unit; others are whole numbers.
_SHOWN: Mapping[str, Callable[[float], str]] = {
    FRACTION: lambda value: percent(value, sign=" %"),
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
    if fact.unit == MONEY:
        return f"{number(value)} {currency}".rstrip()
    return _SHOWN[fact.unit](value) if fact.unit in _SHOWN else number(value, 0)


def remark(fact: Fact) -> str:
    """Return what a value covers, and its session where that is not the day; or why there is none."""
    if fact.reason:
        return fact.reason
    older = f"latest known: {fact.older}" if fact.older else ""
    return "; ".join(each for each in (older, fact.note) if each)
