"""One word on a search, with the reasons: *supported*, *unproven*, *rejected*; or the verdict is withheld.

1. Withheld: too short a history, no log of all trials, a log shorter than the search, or a record of which
   something cannot be known.
2. Rejected: no trial comes near to beating the benchmark, or the choice lost money out of sample.
3. Supported: superior predictive ability, deflated Sharpe ratio, overfitting (or trials that are
   interchangeable) and length of history all pass.
4. Unproven: the rest. What is undefined does not pass.

The order is that of the list. Splits that were not run are no reason against a search, but are named.

The first judgement stays: a later one on any of the same sessions, of the same strategy, says the harder of
what it finds by itself and of what was said before, however it was split, against whatever benchmark, by
whatever seed. A verdict that was withheld binds nobody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from engine.verdict.blocks import Blocks
from engine.verdict.evidence import Earlier, Evidence
from engine.verdict.returns import assumptions, plateau, selected
from engine.verdict.sample import sample_of
from engine.verdict.selection import luck, selection
from engine.verdict.since import NewSessions, new_sessions
from engine.verdict.skill import skill
from engine.verdict.thresholds import Resamples, Thresholds
from engine.verdict.warnings import Warned, incomplete_log, too_short, unknown_record, warned

Word = Literal["supported", "unproven", "rejected", "withheld"]

HARDNESS: tuple[Word, ...] = ("supported", "unproven", "rejected")


@dataclass(frozen=True)
class Verdict:
    """One word, and why, in sentences that name numbers and thresholds.

    ``alone`` is the word without what was said before; ``number`` counts the judgements of these sessions.
    """

    word: Word
    reasons: tuple[str, ...]
    alone: Word | None = None
    number: int = 1


@dataclass(frozen=True)
class Report:
    """The page: what was given, the six blocks, the warnings, the verdict, and sentences to read beside it.

    Attributes
    ----------
    evidence : Evidence
    thresholds : Thresholds
    blocks : Blocks
    warned : Warned
    verdict : Verdict
    notes : tuple of str
        What was left out of the numbers.
    since : NewSessions or None
        What sessions say that came after the first judgement.
    """

    evidence: Evidence
    thresholds: Thresholds
    blocks: Blocks
    warned: Warned
    verdict: Verdict
    notes: tuple[str, ...]
    since: NewSessions | None = None


def report(
    evidence: Evidence, thresholds: Thresholds | None = None, *, resamples: Resamples | None = None
) -> Report:
    """Judge a search.

    A number that is undefined is NaN with a reason in its block. UsageError if the selected trial has no
    return at all. The same evidence gives the same page.
    """
    lines, counts = thresholds or Thresholds(), resamples or Resamples()
    sample = sample_of(evidence)
    of_skill = skill(evidence, sample, lines, counts)
    blocks = Blocks(
        selected=selected(evidence, sample, counts, lines),
        skill=of_skill,
        luck=luck(evidence, sample, lines),
        selection=selection(evidence, sample, lines, of_skill),
        plateau=plateau(evidence, sample, lines),
        assumptions=assumptions(evidence, sample),
    )
    notes = [
        f"{what}: {count}"
        for count, what in (
            (max(sample.failed, evidence.failed), "failed trials, which count as trials and are in no test"),
            (sample.dropped, "sessions left out because a trial has no return"),
            (blocks.selection.excluded, "trials not ranked because they do not vary in some half"),
        )
        if count
    ]
    found = warned(evidence, blocks, lines)
    return Report(
        evidence=evidence,
        thresholds=lines,
        blocks=blocks,
        warned=found,
        verdict=judge(evidence, blocks, lines),
        notes=(*notes, *of_skill.notes, *blocks.luck.notes),
        since=new_sessions(evidence, lines, counts),
    )


def with_before(found: Report, before: tuple[Earlier, ...]) -> Report:
    """Return a page beside other judgements than it knew of."""
    evidence = replace(found.evidence, before=before)
    return replace(found, evidence=evidence, verdict=judge(evidence, found.blocks, found.thresholds))


def judge(evidence: Evidence, blocks: Blocks, thresholds: Thresholds) -> Verdict:
    """Return the verdict on measured blocks; see the module for the rule."""
    alone = _alone(evidence, blocks, thresholds)
    others = [each for each in evidence.before if not each.again]
    number = sum(each.times for each in others) + 1
    bound = [each for each in evidence.before if each.word in HARDNESS]
    if not bound or alone.word == "withheld":
        return Verdict(alone.word, alone.reasons, alone.word, number)
    word = HARDNESS[max(HARDNESS.index(each) for each in (alone.word, *(each.word for each in bound)))]
    if word == alone.word and not others:
        return Verdict(word, alone.reasons, alone.word, number)
    first = bound[0]
    said = f"Judgement {number} of these sessions; the first, of {first.at[:10]}, said {first.word}."
    if word != alone.word:
        said += f" By itself this one says {alone.word}; a later one can only harden the word."
    return Verdict(word, (said, *alone.reasons), alone.word, number)


def _alone(evidence: Evidence, blocks: Blocks, thresholds: Thresholds) -> Verdict:
    """Return the verdict without what was said before."""
    checks = (rule(evidence, blocks, thresholds) for rule in (unknown_record, too_short, incomplete_log))
    unfit = tuple(f"{caution.text} Here: {caution.detail}." for caution in checks if caution)
    if unfit:
        return Verdict("withheld", unfit)
    against = _against(blocks, thresholds)
    if against:
        return Verdict("rejected", against)
    passed, failed = _criteria(blocks, thresholds)
    if math.isnan(blocks.selected.out_of_sample):
        reason = blocks.selected.reasons["out_of_sample"]
        passed = (*passed, f"Out of sample nothing is known: {reason}.")
    return Verdict("unproven", failed) if failed else Verdict("supported", passed)


def _against(blocks: Blocks, lines: Thresholds) -> tuple[str, ...]:
    found = []
    # What cannot be run again is no ground for support, nor for rejection.
    p = blocks.skill.spa if blocks.skill.measured is None else blocks.skill.measured
    ratio = blocks.selected.out_of_sample
    if p > lines.rejected_superiority:
        found.append(
            f"SPA p {p:.4f} is above {lines.rejected_superiority:g}: "
            f"the search does not come near to beating {blocks.skill.benchmark}."
        )
    if ratio <= lines.rejected_sharpe:
        found.append(f"The Sharpe ratio out of sample, {ratio:.2f}, is not above {lines.rejected_sharpe:g}.")
    return tuple(found)


def _criteria(blocks: Blocks, lines: Thresholds) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences on the criteria of *supported* that pass, and on those that do not."""
    p, deflated, chosen = blocks.skill.spa, blocks.luck.deflated, blocks.selection
    years, needed = blocks.luck.years, blocks.luck.backtest_years
    outcomes = [
        _compared("SPA p", p, lines.superiority, True, 4, blocks.skill.reasons.get("spa")),
        _compared("DSR", deflated, lines.deflated, False, 4, blocks.luck.reasons.get("deflated")),
        _compared("PBO", chosen.overfitting, lines.overfitting, True, 3, chosen.reasons.get("overfitting")),
        (
            years >= needed,
            f"{years:.2f} years are {'at least' if years >= needed else 'below'} the {needed:.2f} that "
            f"{blocks.luck.trials} trials need.",
        ),
    ]
    if blocks.luck.trials == 1:
        outcomes[2] = (True, "PBO does not apply: nothing was selected from one trial.")
    elif chosen.interchangeable and not outcomes[2][0]:
        outcomes[2] = (
            True,
            f"{outcomes[2][1]} The trials are interchangeable: {blocks.skill.survivors} of "
            f"{blocks.skill.tested} beat {blocks.skill.benchmark}.",
        )
    return (
        tuple(sentence for passes, sentence in outcomes if passes),
        tuple(sentence for passes, sentence in outcomes if not passes),
    )


def _compared(
    name: str, value: float, line: float, at_most: bool, digits: int, reason: str | None
) -> tuple[bool, str]:
    if math.isnan(value):
        return False, f"{name} is undefined: {reason}."
    within = value <= line if at_most else value >= line
    relation = ("at most" if within else "above") if at_most else ("at least" if within else "below")
    return within, f"{name} {value:.{digits}f} is {relation} {line:g}."
