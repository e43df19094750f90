"""What followed events as people read it, on the terminal and on the page."""

from __future__ import annotations

from data.words import count, number, percent
from engine.events.study import EventStudy


def raw_rows(found: EventStudy) -> list[tuple[str, ...]]:
    """Return what the fund itself earned, a row for each horizon.

    Sessions, events, mean, its t, median, share above zero; ``n/a`` where one is undefined.
    """
    return [
        (
            str(sessions),
            count(each.events),
            percent(each.mean),
            number(each.t_statistic.value),
            percent(each.median),
            percent(each.hit_rate, 0),
        )
        for sessions, each in found.raw.items()
    ]
