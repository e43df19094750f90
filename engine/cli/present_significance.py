"""The significance of differences between runs, as people see it at the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.words import NOT_AVAILABLE, count, number, probability, span
from engine.cli.output import paint, table

if TYPE_CHECKING:
    from engine import Significance

LEGEND = """\
p: how often a difference as large comes by chance where there is none; HAC, prewhitened and b (blocks of so
many sessions, resampled) are three ways to allow for dependence (Ledoit, Wolf 2008). They look at one pair,
whatever else was tried; SPA (Hansen 2005) asks of mean returns, and allows for all runs compared."""


def significance_text(found: Significance, names: Sequence[str]) -> str:
    """Return the tables of differences and of the best run, and why some of their numbers are not there.

    ``names`` are those of the runs, in their order.
    """
    from engine import BLOCKS

    lines = []
    if found.differences:
        period = count(found.sessions, "common session")
        lines.append(paint(f"Sharpe ratio less that of {names[0]}, over {period}", bold=True))
        rows = [
            [
                names[each.run],
                number(each.value.value),
                span(each.low.value, each.high.value),
                probability(each.p_hac.value),
                probability(each.p_prewhitened.value),
                *(probability(each.p_bootstrap[length].value) for length in BLOCKS),
            ]
            for each in found.differences
        ]
        header = ("", "difference", "95% interval", "p HAC", "p prewhitened", *(f"p b={b}" for b in BLOCKS))
        lines += [table(rows, header), ""]
    lines.append(paint("Is any run better, after a look at all of them (SPA)?", bold=True))
    rows = [
        [
            f"than {names[0] if each.against == 'first' else 'the benchmark'}",
            probability(each.p_value.value),
            span(each.p_lower.value, each.p_upper.value, probability),
            NOT_AVAILABLE if each.best is None else names[each.best],
            each.winners(names),
        ]
        for each in found.best
    ]
    lines.append(table(rows, ("", "p", "bounds", "  largest t", "  better at 5%"), left_too=(3, 4)))
    lines += [f"n/a: {reason}" for reason in found.reasons(names)]
    lines += [f"not to be trusted: {note}" for note in found.notes(names)]
    return "\n".join([*lines, LEGEND])
