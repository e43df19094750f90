"""What an event study warns of: how little it says, and where it says nothing, whatever the funds earned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from data.words import count
from engine.events.others import ALTERNATIVES
from engine.statistics.events import EventMean

if TYPE_CHECKING:
    from engine.events.study import Measure

Floats = NDArray[np.float64]

FEW_EVENTS = 30
HALF = 0.5
# Share of what events are held against that may have the same event at once (``Others.shared``).
SHARED = 0.5


def never(strategy: Any, panel: Panel, answers: Floats, span: slice) -> tuple[str, ...]:
    """Say of a condition that never begins to hold between which values its words lie, if that is known.

    Of listed funds, on the sessions of the study. One that holds all the time does not begin to.
    """
    if (answers == 1.0).any():
        return ("it holds in this period, and was never seen to begin",)
    if not hasattr(strategy, "spans"):
        return ()
    found = strategy.spans(panel.known, span).items()
    said = ", ".join(f"{name} from {low:.6g} to {high:.6g}" for name, (low, high) in found)
    return (f"it never begins to hold; in this period the data have {said}",) if said else ()


def few(raw: Mapping[int, EventMean], told: float) -> Iterator[str]:
    """Say how little is known of the condition, and how few events were followed."""
    if not told >= HALF:
        yield (
            f"whether it holds can be told on {told:.1%} of sessions and funds only; `data show` says what "
            "is on file"
        )
    held = {sessions: each.events for sessions, each in raw.items() if each.events}
    if not held:
        yield "no event that could be bought and held as long as asked; nothing to measure"
        return
    if len(held) < len(raw):
        yield f"no event could be held for {_sessions([each for each in raw if each not in held])}"
    longest = max(held)
    if held[longest] < FEW_EVENTS:
        yield f"only {count(held[longest], 'event')} at {_sessions([longest])}; a mean of so few says little"


def without_others(measures: Sequence[Measure], raw: Mapping[int, EventMean]) -> Iterator[str]:
    """Say for which alternatives most events have no others, and at which horizons unless at all."""
    for name, label in ALTERNATIVES.items():
        followed = {each.sessions: each.abnormal.events for each in measures if each.alternative == name}
        followed = {sessions: events for sessions, events in followed.items() if raw[sessions].events}
        few_others = [each for each, events in followed.items() if raw[each].events > 2 * events]
        if few_others and not any(followed.values()):
            yield f"nothing to hold events against: {label}"
        elif few_others:
            at = f" at {_sessions(few_others)}" if len(few_others) < len(followed) else ""
            yield f"nothing to hold most events against{at}: {label}"


def at_once(shared: Mapping[str, float]) -> Iterator[str]:
    """Say where most of what events are held against has the same event on the same session."""
    for name, share in shared.items():
        if share > SHARED:
            yield (
                f"events come to many funds at once: {share:.0%} of what they are held against "
                f"({ALTERNATIVES[name]}) has the same one on the same session, which leaves "
                f"{1.0 - share:.0%} of a difference to be seen"
            )


def _sessions(horizons: Sequence[int]) -> str:
    """Return horizons in words."""
    *first, last = map(str, horizons)
    return f"{', '.join(first)} and {last} sessions" if first else count(int(last), "session")
