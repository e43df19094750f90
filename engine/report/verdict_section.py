"""The judgement of a search on its page: the word, why, what was chosen; windows, warnings, six blocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from data.words import number
from engine.report import assumptions
from engine.report.charts import Chart, Panel, Series
from engine.report.html import Safe, heading, join, table, tag, unbroken
from engine.result import Floats
from engine.results.curves import drawdown, growth
from engine.verdict.text import TITLES, WITHHELD, history, windows, written
from engine.verdict.verdict import Report

TERMS = {
    "SPA": "SPA p, of superior predictive ability: how often a search of this size without skill would beat "
    "the benchmark by as much.",
    "DSR": "DSR, the deflated Sharpe ratio: how likely the ratio is more than the best of so many sets has "
    "by luck.",
    "PBO": "PBO, the probability of backtest overfitting: how often the best set of one half of the sessions "
    "is below the middle of all sets in the other half.",
}
"""What the reasons of a verdict speak of, for who reads the head of the page alone."""


def verdict_head(report: Report | None, title: str) -> Safe:
    """Return how the page of a search begins: the word, large, why, and the set that was chosen.

    Of a verdict that is withheld there is no set; a search that was not judged (None) says so.
    """
    if report is None:
        said = "Whether that is more than luck, `etflow validate` tells."
        return heading("Search", title, word="not judged", said=said)
    reasons = tag("ul", *(tag("li", reason) for reason in report.verdict.reasons), class_="reasons")
    spoken = " ".join(report.verdict.reasons)
    terms = " ".join(said for word, said in TERMS.items() if word in spoken)
    chosen = report.evidence.parameters.items() if report.verdict.word != "withheld" else ()
    return heading(
        "Search",
        title,
        reasons,
        tag("p", terms, class_="note") if terms else Safe(""),
        tag("p", "Chosen: ", tag("b", assumptions.set_to(dict(chosen))), ".") if chosen else Safe(""),
        word=report.verdict.word,
    )


def verdict_section(report: Report) -> Safe:
    """Return the judgement as markup; all warnings, in red. One that is withheld has no numbers."""
    before = [tag("p", line, class_="note") for line in history(report)]
    if report.verdict.word == "withheld":
        return join(*before, tag("p", WITHHELD))
    warnings = tag(
        "ul",
        *(tag("li", tag("strong", each.text), " ", each.detail, ".") for each in report.warned.warnings),
        class_="warnings",
    )
    unchecked = [
        tag("p", f"Not checked: {name} ({reason})", class_="note") for name, reason in report.warned.unchecked
    ]
    blocks = [
        join(
            tag("h3", title),
            tag(
                "table",
                *(
                    tag("tr", tag("th", words, class_="text"), tag("td", unbroken(text), class_="text"))
                    for words, text in written(report, block)
                ),
                class_="verdict",
            ),
        )
        for block, title in TITLES.items()
    ]
    notes = [tag("p", note, class_="note") for note in report.notes]
    return join(*before, warnings if report.warned.warnings else "", *unchecked, *blocks, *notes)


def stitched_chart(report: Report | None) -> Chart | None:
    """Return what the choices of the walk-forward earned, beside the set that was chosen with all in sight.

    None without a walk-forward, and of a verdict that is withheld.
    """
    evidence = None if report is None else report.evidence
    if report is None or evidence is None or report.verdict.word == "withheld":
        return None
    walk, days = evidence.walk_forward, evidence.days
    if walk is None or days is None or not walk.windows:
        return None
    first = walk.windows[0].first
    selected = evidence.chosen
    benchmark = np.full(len(days), np.nan) if evidence.benchmark is None else evidence.benchmark
    stitched = np.full(len(days), np.nan)
    stitched[first : first + len(walk.returns)] = walk.returns

    def line(name: str, colour: str, returns: Floats, begin: int) -> Series:
        values = np.full(len(days), np.nan)
        values[begin:] = growth(returns[begin:])
        return Series(f"{name}  {values[-1] - 1.0:+.1%}", "line", colour, values)

    known = not np.isnan(benchmark).all()
    after = [line("out of sample", "rise", stitched, first), line("the chosen set", "run", selected, first)]
    whole = [line("the chosen set, in sample", "run", selected, 0)]
    if known:
        after.append(line(f"benchmark {evidence.benchmark_name}", "benchmark", benchmark, first))
        whole.append(line(f"benchmark {evidence.benchmark_name}", "benchmark", benchmark, 0))
    falls = np.full(len(days), np.nan)
    falls[first:] = drawdown(stitched[first:])
    return Chart(
        "stitched",
        "Out of sample",
        "Above: one account that follows, from test to test, the set that was best on the sessions before "
        "it, at the cost of every change; beside it the set that was chosen with all sessions in sight, and "
        "the benchmark, from the first session out of sample on. Below: the chosen set over all sessions.",
        days,
        (
            Panel("Growth of one unit of money, out of sample", tuple(after), "number", 200, log=True),
            Panel("Drawdown out of sample", (Series("out of sample", "area", "rise", falls),), height=70),
            Panel("Growth of one unit of money, in sample", tuple(whole), "number", 130, log=True),
        ),
        wide=True,
        zoom=True,
    )


def window_table(report: Report) -> Safe:
    """Return what was chosen in each window of the walk-forward, and what it made; nothing without one.

    Sets of other searches may name more parameters: what all name comes first, the rest in small below it.
    """
    found = windows(report.evidence)
    if not found or report.verdict.word == "withheld":
        return Safe("")
    common = set.intersection(*(set(each["parameters"]) for each in found))
    rows = [
        (
            f"{each['train_first']} to {each['train_last']}",
            f"{each['first']} to {each['last']}",
            _set(each["parameters"], common),
            number(each["in_sample"]),
            number(each["out_of_sample"]),
        )
        for each in found
    ]
    head = ("Chosen on", "Followed", "Set", "Sharpe ratio in training", "Out of sample")
    return table(head, rows, text_columns=3, sort=True, caption="Windows of the walk-forward")


def _set(parameters: Mapping[str, Any], common: Collection[str]) -> Safe:
    """Return the cell of a set: the parameters in ``common`` by their names, below them the others."""
    first = assumptions.set_to({name: parameters[name] for name in sorted(common)})
    rest = assumptions.set_to({name: value for name, value in parameters.items() if name not in common})
    return tag("td", first, tag("small", rest) if rest else Safe(""), class_="text set")
