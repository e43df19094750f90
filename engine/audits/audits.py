"""All audits by name, in the order in which they are asked, and the function that asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from data.errors import UsageError, ValidationError, check_choice
from engine.audits.audited import Audited
from engine.audits.capacity import cost_and_capacity
from engine.audits.invariance import order_and_scale, warm_up
from engine.audits.lags import lag_sensitivity
from engine.audits.look_ahead import look_ahead
from engine.audits.luck import luck_band
from engine.audits.opinion import Opinion
from engine.audits.placebo import placebo
from engine.audits.purity import purity
from engine.audits.survivorship import survivorship
from engine.audits.timing import timing_luck

AUDITS: Mapping[str, Callable[[Audited], Opinion]] = MappingProxyType(
    {
        "look_ahead": look_ahead,
        "purity": purity,
        "warm_up": warm_up,
        "order_and_scale": order_and_scale,
        "timing_luck": timing_luck,
        "lag_sensitivity": lag_sensitivity,
        "placebo": placebo,
        "luck_band": luck_band,
        "survivorship": survivorship,
        "cost_and_capacity": cost_and_capacity,
    }
)
"""Gates first: what fails them makes the numbers of the others worthless."""


def audit(
    audited: Audited, only: Sequence[str] = (), announce: Callable[[str], object] = lambda _name: None
) -> Iterator[Opinion]:
    """Yield the opinion of each audit as it is done, all or those named in ``only``, gates first.

    ``announce`` is told the name of each before it begins.

    After a strategy was caught looking ahead, audits without a gate are not asked any more: what it would
    have earned says nothing. UsageError for an unknown name.
    """
    only = [named(name) for name in only]
    caught = False
    for name, ask in AUDITS.items():
        if only and name not in only:
            continue
        if caught and name not in GATES:
            yield Opinion(name, None, "Not asked: what a strategy earns that looks ahead says nothing.")
            continue
        announce(name)
        try:
            opinion = ask(audited)
        except ValidationError as error:
            opinion = Opinion(name, False, str(error))
        caught = caught or (name == "look_ahead" and opinion.failed)
        yield opinion


def named(word: str) -> str:
    """Return the audit of a name, or of a word that only one name has (`capacity`, `timing`, `lag`).

    UsageError for another one.
    """
    having = [name for name in AUDITS if word == name or word in name.split("_")]
    if len(having) > 1:
        raise UsageError(f"`{word}` is more than one audit", hint=f"Say which: {', '.join(having)}.")
    if not having:
        check_choice("audit", word, AUDITS)
    return having[0]


GATES = ("look_ahead", "purity", "warm_up", "order_and_scale", "timing_luck")
"""Audits that fail a strategy; the others inform."""
