"""What a page of a search says of its hold-out: that it is shut, or what came out, once it was opened."""

from __future__ import annotations

from data.words import number, percent
from engine.metrics.declared import label_of, unit_of
from engine.metrics.metric import is_percent
from engine.report.html import Safe, join, section, table, tag
from engine.tuning.holdout import METRICS, Opened


def holdout_section(found: Opened) -> Safe:
    """Return the section of a hold-out that was opened: the trial that ran, what it made, who had looked."""
    rows: list[tuple[object, ...]] = [
        ("Opened", found.at),
        ("Sessions", f"{found.first_day} to {found.last_day}"),
        ("Trial", str(found.trial)),
        ("Run", found.run_id),
    ]
    for name in METRICS:
        value = found.metrics[name]
        rows.append((label_of(name), percent(value) if is_percent(unit_of(name)) else number(value)))
    before = (
        join(
            tag("p", tag("b", "Seen before"), ": it confirms nothing."),
            tag("ul", *(tag("li", each) for each in found.seen)),
        )
        if found.seen
        else tag("p", "Nobody had looked at these sessions before, as far as is on record.")
    )
    lead = "The best trial on the sessions that the search never saw, from fresh money on; once."
    return section("Hold-out", before, table(("", ""), rows, text_columns=1), id_="holdout", lead=lead)
