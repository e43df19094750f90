"""What followed events as people read it, on the terminal and on the page."""

from __future__ import annotations

from data.words import count, number, percent
from engine.events.study import EventStudy


def raw_rows(found: EventStudy, sign: str = "%") -> list[tuple[str, ...]]:
    """Return what the fund itself earned, a row for each horizon.

    Sessions, events, mean, its t, median, share above zero; ``n/a`` where one is undefined. ``sign`` is what
    stands behind a percentage.
    """
    return [
        (
            str(sessions),
            count(each.events),
            percent(each.mean, sign=sign),
            number(each.t_statistic.value),
            percent(each.median, sign=sign),
            percent(each.hit_rate, 0, sign),
        )
        for sessions, each in found.raw.items()
    ]
