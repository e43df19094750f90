"""The section of the comparison that says whether the differences are more than chance."""

from __future__ import annotations

from collections.abc import Sequence

from engine.comparisons.significance import BLOCKS, Best, Significance
from engine.report.html import NOT_AVAILABLE, Safe, count, join, number, section, table, tag
from engine.statistics.estimate import Estimate

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
    "compared: p is how often the best of so many would look as good if none were better. Its lower bound "
    "leaves the hopeless runs out, its upper bound counts them in full. Better are the runs that pass with a "
    "chance of 5 % that any of them does so wrongly (Romano and Wolf, 2005)."
)
SMALLEST = 0.001  # what three digits can show; no p-value is zero


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
    why = _reasons(found, names)
    if why:
        parts.append(tag("p", "Not available. " + "; ".join(why) + ".", class_="note"))
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
            _range(each.low, each.high),
            _p(each.p_hac),
            _p(each.p_prewhitened),
            *(_p(each.p_bootstrap[length]) for length in BLOCKS),
            number(each.block.value, 0),
        )
        for each in found.differences
    ]
    head = (
        "",
        "Sharpe ratio",
        "Difference",
        "95 % interval",
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
            _p(each.p_value),
            _bounds(each),
            NOT_AVAILABLE if each.best is None else names[each.best],
            _better(each, names),
        )
        for each in found.best
    ]
    return table(("", "Runs", "p", "Bounds of p", "Best run", "Better, at 5 %"), rows, class_="compact")


def _better(best: Best, names: Sequence[str]) -> Safe | str:
    if best.best is None:
        return NOT_AVAILABLE
    return join(", ".join(names[place] for place in best.better) or "none")


def _reasons(found: Significance, names: Sequence[str]) -> list[str]:
    why: dict[str, None] = {}
    for each in found.differences:
        for test in (each.value, each.low, each.p_hac, each.p_prewhitened, *each.p_bootstrap.values()):
            if test.reason is not None:
                why[f"{names[each.run]}: {test.reason}"] = None
        if each.note is not None:
            why[f"{names[each.run]}: {each.note}, so trust none of it"] = None
    for best in found.best:
        if best.p_value.reason is not None:
            why[f"SPA against the {best.against}: {best.p_value.reason}"] = None
    return list(why)


def _bounds(best: Best) -> str:
    return NOT_AVAILABLE if best.p_value.reason is not None else f"{_p(best.p_lower)} to {_p(best.p_upper)}"


def _range(low: Estimate, high: Estimate) -> str:
    if low.value != low.value or high.value != high.value:
        return NOT_AVAILABLE
    return f"{number(low.value)} to {number(high.value)}"


def _p(estimate: Estimate) -> str:
    return f"<{SMALLEST}" if estimate.value < SMALLEST else number(estimate.value, 3)
