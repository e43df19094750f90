"""The judgement of a search as a part of its page: the word, why, the warnings, six blocks."""

from __future__ import annotations

from engine.report.html import Safe, join, tag
from engine.verdict.text import TITLES, WITHHELD, history, written
from engine.verdict.verdict import Report


def verdict_section(report: Report) -> Safe:
    """Return the judgement as markup; all warnings, in red. One that is withheld has no numbers."""
    reasons = tag("ul", *(tag("li", reason) for reason in report.verdict.reasons))
    if report.verdict.word == "withheld":
        before = (tag("p", line, class_="note") for line in history(report))
        return join(tag("p", tag("strong", "Withheld")), reasons, *before, tag("p", WITHHELD))
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
                    tag("tr", tag("th", words, class_="text"), tag("td", text, class_="text"))
                    for words, text in written(report, block)
                ),
                class_="verdict",
            ),
        )
        for block, title in TITLES.items()
    ]
    notes = [tag("p", note, class_="note") for note in report.notes]
    return join(
        tag("p", tag("strong", report.verdict.word.capitalize())),
        reasons,
        *(tag("p", line, class_="note") for line in history(report)),
        warnings if report.warned.warnings else "",
        *unchecked,
        *blocks,
        *notes,
    )
