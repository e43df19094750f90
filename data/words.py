"""Numbers as people read them: thousands separated, no minus in front of a zero, n/a where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

NOT_AVAILABLE = "n/a"
SMALLEST = 0.001  # p-value that three digits can show; none is zero


def number(value: float | None, digits: int = 2) -> str:
    """Return a number without unit; None, NaN and infinity are ``n/a``."""
    if value is None or not math.isfinite(value):
        return NOT_AVAILABLE
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def digits(value: float, most: int = 9) -> str:
    """Return a number by its first ``most`` digits, as one writes it: never by powers of ten."""
    return f"{Decimal(f'{value:.{most}g}'):,f}"


def rough(value: float) -> str:
    """Return a number above one by its first two digits, as one says it: 15,234,567 is ``15,000,000``."""
    return number(round(value, 1 - int(math.log10(value))), 0)


def percent(value: float | None, digits: int = 2) -> str:
    """Return a fraction as percent: 0.1234 is ``12.34%``; what is no number is ``n/a``, without the sign.

    There is no space before it anywhere, as in Python's own ``f"{value:.2%}"``.
    """
    shown = number(None if value is None else value * 100, digits)
    return shown if shown == NOT_AVAILABLE else f"{shown}%"


def count(amount: int, what: str = "") -> str:
    """Return a whole number, or so many things, with an s unless there is one."""
    return f"{amount:,} {what}{'' if amount == 1 else 's'}" if what else f"{amount:,}"


def probability(value: float) -> str:
    """Return a p-value with three digits, ``<0.001`` where these do not show it."""
    return f"<{SMALLEST}" if value < SMALLEST else number(value, 3)


def span(low: float, high: float, show: Callable[[float], str] = number) -> str:
    """Return two ends in words; ``n/a`` where one is no number."""
    ends = (show(low), show(high))
    return NOT_AVAILABLE if NOT_AVAILABLE in ends else " to ".join(ends)
