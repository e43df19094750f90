"""The significance of differences between runs, as people see it at the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.cli.output import count, paint, ratio, table

if TYPE_CHECKING:
    from engine import Best, Estimate, Significance

LEGEND = """\
p: how often a difference as large comes by chance where there is none; HAC, prewhitened and b (blocks of so
many sessions, resampled) are three ways to allow for dependence (Ledoit, Wolf 2008). They look at one pair,
whatever else was tried; SPA (Hansen 2005) asks of mean returns, and allows for all runs compared."""
SMALLEST = 0.001  # what three digits can show; no p-value is zero


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
                ratio(each.value.value),
                _range(each.low, each.high),
                _p(each.p_hac),
                _p(each.p_prewhitened),
                *(_p(each.p_bootstrap[length]) for length in BLOCKS),
            ]
            for each in found.differences
        ]
        header = ("", "difference", "95 % interval", "p HAC", "p prewhitened", *(f"p b={b}" for b in BLOCKS))
        lines += [table(rows, header), ""]
    lines.append(paint("Is any run better, after a look at all of them (SPA)?", bold=True))
    rows = [
        [
            f"than {names[0] if each.against == 'first' else 'the benchmark'}",
            _p(each.p_value),
            _bounds(each),
            "n/a" if each.best is None else names[each.best],
            _better(each, names),
        ]
        for each in found.best
    ]
    lines.append(table(rows, ("", "p", "bounds", "  best", "  better at 5 %"), left_too=(3, 4)))
    lines += [f"n/a: {reason}" for reason in reasons(found, names)]
    return "\n".join([*lines, LEGEND])


def reasons(found: Significance, names: Sequence[str]) -> list[str]:
    """Return why numbers are not there, each reason once, with the runs that it is about."""
    why: dict[str, list[str]] = {}
    for each in found.differences:
        tests = (each.value, each.low, each.p_hac, each.p_prewhitened, *each.p_bootstrap.values())
        for reason in dict.fromkeys(test.reason for test in tests if test.reason is not None):
            why.setdefault(reason, []).append(names[each.run])
    for best in found.best:
        if best.p_value.reason is not None:
            why.setdefault(best.p_value.reason, []).append("SPA")
    return [f"{reason} ({', '.join(dict.fromkeys(about))})" for reason, about in why.items()]


def _better(best: Best, names: Sequence[str]) -> str:
    if best.best is None:
        return "n/a"
    return ", ".join(names[place] for place in best.better) or "none"


def _bounds(best: Best) -> str:
    return "n/a" if best.p_value.reason is not None else f"{_p(best.p_lower)} to {_p(best.p_upper)}"


def _range(low: Estimate, high: Estimate) -> str:
    if low.value != low.value or high.value != high.value:
        return "n/a"
    return f"{ratio(low.value)} to {ratio(high.value)}"


def _p(estimate: Estimate) -> str:
    return f"<{SMALLEST}" if estimate.value < SMALLEST else ratio(estimate.value, 3)
