"""The page as plain text for a terminal, and as a document for JSON. Both show the same numbers.

``LINES`` is the table of what a block shows. A number that is undefined is shown as ``n/a`` with its reason,
and is null in the document.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from string import Formatter
from typing import Any

import numpy as np

from engine.verdict.evidence import Earlier, Evidence
from engine.verdict.verdict import Report

TITLES = {
    "selected": "1 Selected",
    "skill": "2 Is there any skill?",
    "luck": "3 Is the winner luck?",
    "selection": "4 Is the selection reliable?",
    "plateau": "5 Is it a plateau?",
    "assumptions": "6 Assumptions",
}

Line = tuple[str, str]
"""What to call it, and a format string over the fields of the block."""

LINES: Mapping[str, tuple[Line, ...]] = {
    "selected": (
        ("in sample", "{sessions:,} sessions, {years:.2f} years"),
        (
            "Sharpe ratio in sample",
            "{in_sample:.2f} ± {in_sample_error:.2f} (HAC), "
            "BCa 95% {in_sample_low:.2f} to {in_sample_high:.2f}",
        ),
        (
            "Sharpe ratio out of sample",
            "{out_of_sample:.2f} ± {out_of_sample_error:.2f} (HAC), "
            "BCa 95% {out_of_sample_low:.2f} to {out_of_sample_high:.2f}",
        ),
        (
            "OOS/IS",
            "{out_over_in:.2f} (mean in training {training:.2f}; "
            "{out_of_sample_sessions:,} sessions stitched)",
        ),
        ("annual return, volatility", "{growth:.2%}, {volatility:.2%}"),
        ("maximum drawdown", "{drawdown:.2%}; 5% of resampled paths below {drawdown_path:.2%}"),
        ("mean block of resamples", "{block:g} sessions"),
        ("turnover", "{turnover:.2f} times a year, one way"),
        ("cost share", "{cost_share:.2%} of the profit before costs"),
    ),
    "skill": (
        ("SPA p", "{spa:.4f} against {benchmark}"),
        ("  beside it", "{other_spa:.4f} against {other}, the easier"),
        (
            "  of those run again",
            "{measured:.4f} (lower {spa_lower:.4f}, upper {spa_upper:.4f}), "
            "times {penalty:.2f} for the others",
        ),
        ("resampling", "mean block {block:g}, {resamples:,} resamples of {sessions:,} sessions"),
        (
            "StepM survivors",
            "{survivors:,} of {tested:,} ({accepted:.1%} of the kinds on record); the selected is one: "
            "{selected_survives}",
        ),
        ("selected minus benchmark", "SR {benchmark_difference:+.2f} (benchmark {benchmark_sharpe:.2f})"),
        ("  Ledoit-Wolf p", "{benchmark_p:.4f} by bootstrap, {benchmark_p_robust:.4f} by formula"),
        ("selected minus default", "SR {default_difference:+.2f}"),
        ("  Ledoit-Wolf p", "{default_p:.4f} by bootstrap, {default_p_robust:.4f} by formula"),
    ),
    "luck": (
        ("PSR(0), 2012 form", "{probabilistic:.4f}, not deflated"),
        ("  robust to autocorrelation", "{probabilistic_robust:.4f}"),
        (
            "SR0",
            "{expected_maximum:.2f}: expected best without skill of {kinds:,} kinds of {trials:,} trials, "
            "spread {spread:.2f}",
        ),
        ("DSR with raw N", "{deflated:.4f}"),
        (
            "DSR with N_eff",
            "{deflated_effective:.4f}, for information (average correlation: N_eff {effective:.1f})",
        ),
        ("  other N_eff", "effective rank {effective_rank:.1f}, participation {effective_participation:.1f}"),
        ("SR after Holm", "{haircut_sharpe:.2f} (haircut {haircut:.1%})"),
        ("MinTRL", "{track_record_years:.2f} years, available {years:.2f}"),
        ("MinBTL", "{backtest_years:.2f} years, available {years:.2f}"),
        ("largest SR of any trial", "{largest:.3f} per session, in size"),
    ),
    "selection": (
        (
            "PBO",
            "{overfitting:.3f} (S {blocks}, {combinations:,} combinations, {excluded:,} trials not ranked)",
        ),
        ("probability of loss", "{loss:.3f}"),
        ("slope of OOS on IS", "{slope:.3f}, R² {slope_fit:.3f}; near -1 whenever trials are alike"),
        ("interchangeable", "{interchangeable}"),
        (
            "CPCV path SR",
            "median {path_median:.2f}, 5% {path_low:.2f}, 95% {path_high:.2f}, below 0 {path_loss:.1%}",
        ),
        ("  splits", "{paths} paths, purge {purged_size}, embargo {embargo_size} sessions"),
    ),
    "plateau": (
        (
            "SR of the neighbours",
            "median {neighbours_median:.2f} ({neighbours_share:.1%} of the selected), "
            "worst {neighbours_worst:.2f}; {neighbours} of them",
        ),
        ("rank of the default", "{default_rank} of {ranked}"),
        ("trials above the benchmark", "{beating:.1%}, after costs"),
    ),
    "assumptions": (
        ("ρ₁", "{autocorrelation:.3f}, two standard errors {autocorrelation_bound:.3f}"),
        ("SR, η-corrected", "{corrected:.2f}"),
        ("skewness, kurtosis", "{skewness:.2f}, {kurtosis:.2f} (normal: 0, 3)"),
        ("best month", "{largest_month:.1%} of the whole profit"),
        ("data left out", "{exclusions}"),
    ),
}
"""What each block shows, in order; a field may not be shown, but no field is in no line."""

LABEL_WIDTH = 28

WITHHELD = (
    "The numbers of the judgement are withheld with the word: they cannot be unseen, and nothing says yet "
    "what they are worth. Those of single trials are in sample. See to what is missing above, then judge "
    "again."
)


class _Shown:
    """A value that knows how to be written; undefined is n/a whatever the format."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __format__(self, style: str) -> str:
        if self.value is None:
            return "n/a"
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        if isinstance(self.value, tuple):
            return "; ".join(self.value) or "none"
        shown = format(self.value, style)
        nothing = isinstance(self.value, float) and not shown.strip("+-0.%")  # no minus in front of a zero
        return format(0.0, style) if nothing else shown


def render(report: Report) -> str:
    """Return the page as text without colour codes; lines may exceed the window where sentences do."""
    evidence, log = report.evidence, report.evidence.log
    lines = [f"Verdict: {report.verdict.word}"]
    lines += [f"  - {reason}" for reason in report.verdict.reasons]
    lines += [f"  {line}" for line in history(report)]
    lines.append("")
    shown = report.verdict.word != "withheld"
    if not shown:
        lines += [WITHHELD, ""]
    lines += [f"WARNING  {each.text} ({each.detail})" for each in report.warned.warnings if shown]
    lines += [f"not checked: {name} ({reason})" for name, reason in report.warned.unchecked if shown]
    if lines[-1]:
        lines.append("")
    header = dict(evidence.header) | {
        "trials on record": f"{log.total} (this study {log.study}, cannot be run again {log.lost})"
        + (f", and {log.variants} more on other terms" if log.variants else ""),
        "seed": str(evidence.seed),
    }
    lines += [f"{name:<{LABEL_WIDTH + 2}}{value}" for name, value in header.items()]
    for block, title in TITLES.items() if shown else ():
        lines += ["", title]
        if block == "selected":
            parameters = report.blocks.selected.parameters.items()
            lines += [f"  {name:<{LABEL_WIDTH}}{value}" for name, value in parameters]
        lines += [f"  {words:<{LABEL_WIDTH}}{text}" for words, text in written(report, block)]
    if report.notes and shown:
        lines += ["", *(f"note: {note}" for note in report.notes)]
    return "\n".join(lines) + "\n"


def history(report: Report) -> list[str]:
    """Return what was said before on these sessions, and what sessions since then say, a sentence each."""
    lines = [
        f"judged before, {_when(each)}: {each.word} ({each.study}, {each.first} to {each.last}, "
        f"splits {each.splits}, against {each.benchmark}, seed {each.seed})"
        for each in report.evidence.before
        if not each.again
    ]
    since = report.since
    if since is not None and report.verdict.word != "withheld":
        word = "not judged" if since.word is None else since.word
        parameters = ", ".join(f"{name}={value}" for name, value in since.parameters.items())
        lines.append(
            f"{since.sessions} sessions since, {since.first} to {since.last}, with what was chosen first: "
            f"{word} ({since.reason}; {parameters})"
        )
    return lines


def _when(each: Earlier) -> str:
    if each.times == 1:
        return each.at[:10]
    days = dict.fromkeys((each.at[:10], each.until[:10]))
    return f"{' to '.join(days)}, {each.times} times"


def written(report: Report, block: str) -> list[tuple[str, str]]:
    """Return the lines of a block, words and text; what is undefined is n/a, with its reason."""
    found = getattr(report.blocks, block)
    values = {field.name: _Shown(_shown(found, field.name)) for field in dataclasses.fields(found)}
    lines = []
    for words, template in LINES[block]:
        fields = [name for _, name, _, _ in Formatter().parse(template) if name]
        why = dict.fromkeys(found.reasons[name] for name in fields if name in found.reasons)
        defined = (isinstance(getattr(found, name), float) for name in fields if name not in found.reasons)
        alone = fields[0] in found.reasons and not any(defined)
        text = "n/a" if alone else template.format_map(values)
        lines.append((words, f"{text} [{'; '.join(why)}]" if why else text))
    return lines


def document(report: Report) -> dict[str, Any]:
    """Return the page as plain dicts, lists, text and finite numbers, ready for JSON.

    Undefined numbers are None; each block has their ``reasons``. The evidence is there as far as it is
    small: no series of returns. Of a verdict that is withheld there are no numbers (``WITHHELD``).
    """
    shown = report.verdict.word != "withheld"
    return {
        "verdict": {
            "word": report.verdict.word,
            "reasons": list(report.verdict.reasons),
            "alone": report.verdict.alone,
            "number": report.verdict.number,
        },
        "before": [dataclasses.asdict(each) for each in report.evidence.before if not each.again],
        "since": None if report.since is None or not shown else _plain(dataclasses.asdict(report.since)),
        "warnings": [dataclasses.asdict(each) for each in report.warned.warnings if shown],
        "unchecked": [{"name": name, "reason": reason} for name, reason in report.warned.unchecked if shown],
        "header": _header(report.evidence),
        "blocks": {
            name: {
                field.name: _plain(_shown(getattr(report.blocks, name), field.name))
                for field in dataclasses.fields(getattr(report.blocks, name))
                if field.name != "notes"
            }
            for name in TITLES
            if shown
        },
        "windows": windows(report.evidence) if shown else [],
        "notes": list(report.notes) if shown else [WITHHELD],
        "thresholds": dataclasses.asdict(report.thresholds),
    }


def windows(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the windows of the walk-forward, with days and annual Sharpe ratios; none where there was none.

    A ratio that is undefined is None.
    """
    walk, days = evidence.walk_forward, evidence.days
    if walk is None or days is None:
        return []
    annual = math.sqrt(evidence.sessions_per_year)

    def ratio(value: float) -> float | None:
        return value * annual if math.isfinite(value) else None

    return [
        {
            "train_first": str(days[each.train_first]),
            "train_last": str(days[each.train_last]),
            "first": str(days[each.first]),
            "last": str(days[each.last]),
            "parameters": _plain(each.parameters),
            "in_sample": ratio(float(inside)),
            "out_of_sample": ratio(each.out_of_sample),
        }
        for each, inside in zip(walk.windows, walk.in_sample, strict=False)
    ]


def _shown(block: Any, field: str) -> Any:
    return None if field in block.reasons else getattr(block, field)


def _header(evidence: Evidence) -> dict[str, Any]:
    return {
        **{name: str(value) for name, value in evidence.header.items()},
        "trials": dataclasses.asdict(evidence.log),
        "sessions_per_year": float(evidence.sessions_per_year),
        "seed": int(evidence.seed),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # a parameter may be infinite
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
