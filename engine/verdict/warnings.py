"""The warnings of the page: a table of rules, each a condition and a text; none can be switched off.

A rule sees the evidence, the blocks and the thresholds. It returns a warning, None if all is well, or raises
``Unknown`` if a number that it needs is undefined: then it is listed as not checked, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.verdict.blocks import Blocks, Reasons
from engine.verdict.evidence import Evidence
from engine.verdict.thresholds import Thresholds


@dataclass(frozen=True)
class Caution:
    """What to tell the reader, and the numbers that say so."""

    name: str
    text: str
    detail: str


@dataclass(frozen=True)
class Warned:
    """Warnings that hold, and names of rules that could not be checked with the reasons."""

    warnings: tuple[Caution, ...]
    unchecked: tuple[tuple[str, str], ...]


class Unknown(Exception):
    """A number that a rule needs is undefined."""


Rule = Callable[[Evidence, Blocks, Thresholds], Caution | None]


def warned(evidence: Evidence, blocks: Blocks, thresholds: Thresholds) -> Warned:
    """Return all warnings in the order of the table."""
    found, unchecked = [], []
    for name, rule in RULES.items():
        try:
            warning = rule(evidence, blocks, thresholds)
        except Unknown as unknown:
            unchecked.append((name, str(unknown)))
            continue
        if warning is not None:
            found.append(warning)
    return Warned(tuple(found), tuple(unchecked))


def _needed(value: float, field: str, reasons: Reasons) -> float:
    if math.isnan(value):
        raise Unknown(reasons[field])
    return value


def best_of_lucky(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn of a deflated Sharpe ratio that is too low."""
    value = _needed(blocks.luck.deflated, "deflated", blocks.luck.reasons)
    if value >= lines.deflated:
        return None
    trials = blocks.luck.trials
    return Caution(
        "luck",
        f"Not distinguishable from {f'the best of {trials} lucky trials' if trials > 1 else 'luck'}.",
        f"DSR {value:.4f}, below {lines.deflated:g}",
    )


def no_superiority(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn if no trial beats the benchmark."""
    value = _needed(blocks.skill.spa, "spa", blocks.skill.reasons)
    if value <= lines.superiority:
        return None
    return Caution(
        "skill",
        "No configuration beats the benchmark after allowing for the search.",
        f"SPA p {value:.4f}, above {lines.superiority:g}",
    )


def short_for_trials(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn of fewer years than that many trials need."""
    if blocks.luck.years >= blocks.luck.backtest_years:
        return None
    return Caution(
        "length",
        f"{blocks.luck.trials} trials on this history are expected to produce "
        f"SR ≥ {lines.target_sharpe:g} without skill.",
        f"{blocks.luck.years:.2f} years, MinBTL {blocks.luck.backtest_years:.2f}",
    )


def no_selection(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn if the best in sample is not better out of sample."""
    chosen = blocks.selection
    value = _needed(chosen.overfitting, "overfitting", chosen.reasons)
    loses = value > lines.overfitting and chosen.loss > lines.loss
    if not (value > lines.no_selection or loses):
        return None
    text = "Choosing by in-sample rank did not help."
    if chosen.interchangeable:
        text += " Configurations are interchangeable; choose by cost and simplicity."
    line = (
        f"PBO above {lines.no_selection:g}"
        if value > lines.no_selection
        else f"PBO above {lines.overfitting:g} with a probability of loss above {lines.loss:g}"
    )
    return Caution("selection", text, f"PBO {value:.3f}, probability of loss {chosen.loss:.3f}: {line}")


def degradation(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn of a choice that is worse out of sample than in sample.

    The slope of combinatorial splits is not asked: both halves of one history sum to the same, so that it is
    near -1 whenever trials are alike, with skill and without (``docs/calibration.md``).
    """
    kept = _needed(blocks.selected.out_over_in, "out_over_in", blocks.selected.reasons)
    if kept >= lines.out_over_in:
        return None
    detail = f"OOS/IS {kept:.3f}, below {lines.out_over_in:g}"
    return Caution("degradation", "Performance degrades out of sample.", detail)


def isolated_peak(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn if neighbours are much worse than the selected trial."""
    of, chosen = blocks.plateau, blocks.selected.in_sample
    if of.neighbours_median <= 0.0 and chosen >= lines.least_sharpe:
        detail = (
            f"median SR of the neighbours is {of.neighbours_median:.2f}, that of the selected {chosen:.2f}"
        )
        return Caution("peak", "Isolated peak.", detail)
    value = _needed(of.neighbours_share, "neighbours_share", of.reasons)
    if value >= lines.neighbours:
        return None
    return Caution(
        "peak",
        "Isolated peak.",
        f"median SR of the neighbours is {value:.1%} of the selected one, below {lines.neighbours:.0%}",
    )


def autocorrelated(_: Evidence, blocks: Blocks, __: Thresholds) -> Caution | None:
    """Warn if the root of the sessions per year is the wrong factor."""
    of = blocks.assumptions
    value = _needed(of.autocorrelation, "autocorrelation", of.reasons)
    if abs(value) <= of.autocorrelation_bound:
        return None
    wrong = "overstates" if value > 0.0 else "understates"
    size = " in size" if blocks.selected.in_sample < 0.0 else ""
    known = not math.isnan(of.corrected)
    corrected = f"; corrected SR {of.corrected:.2f}" if known else ""
    return Caution(
        "autocorrelation",
        f"√f annualisation {wrong} SR{size}{'; see corrected value' if known else ''}.",
        f"ρ₁ {value:.3f}, beyond ±{of.autocorrelation_bound:.3f}{corrected}",
    )


def too_short(evidence: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn of too few observations, years or blocks, of the trials or of those with a benchmark."""
    details = []
    for what, count, block in (
        ("sessions", blocks.selected.sessions, blocks.selected.block),
        ("sessions with a benchmark", blocks.skill.sessions, blocks.skill.block),
    ):
        years = count / evidence.sessions_per_year
        if not count and what != "sessions":
            continue  # there is no benchmark: then there is no test of skill either, which says so itself
        if count < lines.observations:
            details.append(f"{count} {what}, fewer than {lines.observations}")
        if years < lines.years:
            details.append(f"{count} {what} are {years:.2f} years, fewer than {lines.years:g}")
        if count < lines.blocks * block:
            details.append(f"{count} {what} in blocks of {block:g}, fewer than {lines.blocks} blocks")
    if not details:
        return None
    return Caution("short", "Too short for inference.", "; ".join(details))


def incomplete_log(evidence: Evidence, _: Blocks, __: Thresholds) -> Caution | None:
    """Warn if not all trials are on record."""
    log, columns = evidence.log, evidence.returns.shape[1]
    needed = max(columns, log.grid_size)
    if log.total >= needed:
        return None
    detail = (
        f"{log.total} trials on record, fewer than the {needed} of this search"
        if log.total
        else "no trial is on record"
    )
    return Caution("log", "Deflation impossible: trials not recorded.", detail)


def unknown_record(evidence: Evidence, _: Blocks, __: Thresholds) -> Caution | None:
    """Warn where it cannot be known what was looked at, or judged, before."""
    if not evidence.unknown:
        return None
    return Caution("record", "What was looked at before cannot be known.", "; ".join(evidence.unknown))


def too_good(_: Evidence, blocks: Blocks, lines: Thresholds) -> Caution | None:
    """Warn of results that no market gives."""
    annual, deflated = blocks.selected.in_sample, blocks.luck.deflated
    annual = _needed(annual, "in_sample", blocks.selected.reasons)
    details = []
    largest, line = blocks.luck.largest, lines.suspicious_period
    if largest > line:
        details.append(f"a trial with a Sharpe ratio of {largest:.2f} per session in size, above {line:g}")
    if deflated >= lines.certain and annual > lines.suspicious_annual:
        details.append(f"DSR {deflated:.3f} with an annual SR of {annual:.2f}")
    if not details:
        return None
    return Caution("look-ahead", "Check for look-ahead; none of these tests detects it.", "; ".join(details))


RULES: dict[str, Rule] = {
    "luck": best_of_lucky,
    "skill": no_superiority,
    "length": short_for_trials,
    "selection": no_selection,
    "degradation": degradation,
    "peak": isolated_peak,
    "autocorrelation": autocorrelated,
    "short": too_short,
    "log": incomplete_log,
    "record": unknown_record,
    "look-ahead": too_good,
}
"""Name of a warning -> its rule, in the order of the page."""
