"""The section of the comparison that says whether the differences are more than chance."""

from __future__ import annotations

from collections.abc import Sequence

from data.words import NOT_AVAILABLE, count, number, probability, span
from engine.comparisons.significance import BLOCKS, Significance
from engine.report.html import Safe, section, table, tag

OF_DIFFERENCES = (
    "The interval is of the annual Sharpe ratio's difference, from resamples in blocks of random length "
    "(stationary bootstrap, mean length in the last column) in which both runs keep their dates together; "
    "one that contains zero is no evidence. p is how often a difference at least as large in size comes by "
    "chance where there is none: with long-run errors (HAC), with prewhitened ones, and from studentised "
    "resamples in blocks of 1, 5 and 10 sessions (Ledoit and Wolf, 2008). Where they disagree, the largest "
    "is the careful one. Each looks at one pair and does not know how many runs were compared."
)
OF_BEST = (
    "SPA, superior predictive ability (Hansen, 2005), is of mean returns and knows how many runs were "
    "compared: p is how often the best of so many would look as good if none were better. The best is the "
    "run with the largest t, its mean return above that of the other over the error of that. The lower bound "
    "leaves the hopeless runs out, the upper bound counts them in full. Better are the runs that pass with a "
    "chance of 5% that any of them does so wrongly (Romano and Wolf, 2005)."
)


def significance_section(found: Significance, names: Sequence[str]) -> Safe:
    """Return the section, runs by their ``names`` in order."""
    period = count(found.sessions, "session")
    parts = []
    if found.differences:
        first = number(found.differences[0].first_sharpe.value)
        title = f"Sharpe ratios against that of {names[0]}, {first}"
        parts += [tag("h3", title), _differences(found, names)]
        parts.append(tag("p", OF_DIFFERENCES, class_="note"))
    parts += [tag("h3", "The best of all of them"), _best(found, names), tag("p", OF_BEST, class_="note")]
    for title, said in (
        ("Not available: ", found.reasons(names)),
        ("Not to be trusted: ", found.notes(names)),
    ):
        if said:
            parts.append(tag("p", title + "; ".join(said) + ".", class_="note"))
    return section(
        "Significance of the differences",
        *parts,
        id_="significance",
        lead=f"Whether the runs differ by more than chance, over the {period} that all of them have. Seed "
        f"{found.seed}.",
    )


def _differences(found: Significance, names: Sequence[str]) -> Safe:
    rows = [
        (
            names[each.run],
            number(each.sharpe.value),
            number(each.value.value),
            span(each.low.value, each.high.value),
            probability(each.p_hac.value),
            probability(each.p_prewhitened.value),
            *(probability(each.p_bootstrap[length].value) for length in BLOCKS),
            number(each.block.value, 0),
        )
        for each in found.differences
    ]
    head = (
        "",
        "Sharpe ratio",
        "Difference",
        "95% interval",
        "p, HAC",
        "p, pre- whitened",
        *(f"p, blocks of {length}" for length in BLOCKS),
        "Mean block",
    )
    return table(head, rows, class_="compact")


def _best(found: Significance, names: Sequence[str]) -> Safe:
    rows = [
        (
            f"Better than {names[0] if each.against == 'first' else 'the benchmark'}?",
            number(each.runs, 0),
            probability(each.p_value.value),
            span(each.p_lower.value, each.p_upper.value, probability),
            NOT_AVAILABLE if each.best is None else names[each.best],
            each.winners(names),
        )
        for each in found.best
    ]
    return table(("", "Runs", "p", "Bounds of p", "Largest t", "Better, at 5%"), rows, class_="compact")
