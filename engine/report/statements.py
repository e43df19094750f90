"""What a comparison, an event study, a brief and the page of a score say first: words, and their ground.

Briefs measure and infer nothing. Each of the others rests on one test that the page shows: the comparison on
SPA, which allows for all runs; the event study on the smallest placebo p of its horizons, times their number
(Bonferroni); the score on the robust t statistic of its rank IC at the horizon of the strategy. How much else
was tried, only the record knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.facts.symbols import currency_of
from data.words import count, number, percent, probability
from engine.briefs.lines import MONEY
from engine.briefs.words import short_money, value_text
from engine.events.warnings import SHARED

if TYPE_CHECKING:
    from engine.briefs.brief import Brief
    from engine.briefs.ranking import Ranking
    from engine.comparisons.significance import Significance
    from engine.events.study import EventStudy
    from engine.factors.diagnose import Diagnostics

NOT_TOLD = "Cannot be told"
LEVEL = 0.05
BEYOND_CHANCE = 2.0  # a t statistic


def of_comparison(found: Significance | None, names: Sequence[str], benchmark: str) -> tuple[str, str]:
    """Return the words on whether a run, by their ``names``, beats the benchmark; none if nobody asked.

    ``benchmark`` is what the first run is held against, and so are all here.
    """
    if found is None:
        return "", ""
    test = next((each for each in found.best if each.against == "benchmark"), None)
    if test is None or test.best is None:
        reason = test.p_value.reason if test is not None else None
        return NOT_TOLD, f"whether a run is better than the benchmark: {reason or 'it was not tested'}."
    looks = f"after a look at {count(test.runs, 'run')} (SPA)"
    p = f"against {benchmark}: p {probability(test.p_value.value)} {looks}"
    if test.better:
        return "Better than the benchmark", f"{test.winners(names)}, significant at 5% {p}."
    said = f"Mean returns {p}. {names[test.best]} comes closest, by t."
    return "No better than the benchmark", said


def of_event(found: EventStudy) -> tuple[str, str]:
    """Return the words on whether funds earned more or less than all others after the event."""
    against = [found.at(sessions, "equal_weight") for sessions in found.horizons]
    measured = [each for each in against if each.placebo.p.value == each.placebo.p.value]
    if not found.events:
        return NOT_TOLD, "what followed: there was no event."
    if not found.held:
        return NOT_TOLD, "what followed: no event could be bought and held as long as asked."
    if not found.measured:
        return NOT_TOLD, "what followed: there is no other fund to hold an event against."
    if not measured:
        return NOT_TOLD, f"what is chance: {against[0].placebo.p.reason}."
    least = min(measured, key=lambda each: (each.placebo.p.value, each.sessions))
    mean, p, tried = least.abnormal.mean, least.placebo.p.value, len(measured)
    adjusted = min(p * tried, 1.0)  # Bonferroni: the best of so many horizons
    said = (
        f"{percent(abs(mean))} {'less' if mean < 0.0 else 'more'} than all others after "
        f"{count(least.sessions, 'session')}: placebo p {number(adjusted, 3)}"
    )
    said += f", which is {number(p, 3)} times {count(tried, 'horizon')}." if tried > 1 else "."
    if adjusted <= LEVEL:
        return "More than chance", said
    if found.shared["equal_weight"] > SHARED:
        of = f"{found.shared['equal_weight']:.0%} of all others"
        return NOT_TOLD, f"what followed: {of}, on average, have the event on the same session."
    return "No more than chance", said


def of_brief(brief: Brief) -> tuple[str, str]:
    """Return the words on whether money came or went: net inflow at VWAP over the first window."""
    flow = next(fact for fact in brief.facts if fact.name.endswith("_vwap"))
    if not isinstance(flow.value, float):
        return NOT_TOLD, f"whether money came or went: {flow.reason}."
    share = brief[flow.name.removesuffix("_vwap") + "_ratio"]
    of = f", {percent(abs(share))} of its AUM before" if isinstance(share, float) else ""
    said = f"over {flow.note.partition(';')[0]}, net, at VWAP{of}."
    if flow.value == 0.0:
        return "No flow", said
    word = "Inflow" if flow.value > 0.0 else "Outflow"
    return word, f"{short_money(abs(flow.value), brief.fund.currency)} {said}"


def of_ranking(made: Ranking, label: str) -> tuple[str, str]:
    """Return the words on which fund is first, by the line called ``label``."""
    first = next((row for row in made.rows if row.rank == 1), None)
    if first is None:
        return NOT_TOLD, f"which fund is first: none has {made.by} of that day."
    value = first.facts[made.columns.index(made.by)]
    named = f"{first.symbol} {first.name}".rstrip()
    currency = currency_of(first.symbol)
    shown = short_money(value.value, currency) if value.unit == MONEY else value_text(value)
    return f"{named} first", f"{label}: {shown}."


def of_score(found: Diagnostics) -> tuple[str, str]:
    """Return the words on whether a score ranks funds as they earn later."""
    ic = found.main.ic
    t = ic.robust_t_statistic.value
    if t != t:
        return NOT_TOLD, f"what it foretells: {ic.robust_t_statistic.reason or ic.reason}."
    said = (
        f"{count(found.main.sessions, 'session')} ahead: rank IC {number(ic.mean, 3)} with a t statistic of "
        f"{number(t)}; beyond ±2 chance is unlikely."
    )
    if abs(t) < BEYOND_CHANCE:
        return "Foretells nothing", said
    return "Foretells returns" if t > 0.0 else "Foretells the reverse", said
