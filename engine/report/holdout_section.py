"""What a page of a search says of its hold-out: that it is shut, or what came out, once it was opened."""

from __future__ import annotations

from data.words import count, number, percent
from engine.metrics.declared import label_of, unit_of
from engine.metrics.metric import is_percent
from engine.report.html import Safe, join, section, table, tag, unbroken
from engine.tuning.holdout import METRICS, Opened

FEW = 5  # looks that are not folded


def holdout_section(found: Opened) -> Safe:
    """Return the section of a hold-out that was opened: the trial that ran, what it made, who had looked."""
    rows: list[tuple[object, ...]] = [
        ("Opened", found.when),
        ("Sessions", f"{found.first_day} to {found.last_day}"),
        ("Trial", str(found.trial)),
        ("Run", found.run_id),
    ]
    for name in METRICS:
        value, unit = found.metrics[name], unit_of(name)
        shown = percent(value) if is_percent(unit) else number(value)
        rows.append(
            (label_of(name), f"{shown} {unit}" if unit == "times a year" and value is not None else shown)
        )
    lead = "The best trial on the sessions that the search never saw, from fresh money on; once."
    made = table(("", ""), rows, text_columns=1)
    return section("Hold-out", _before(found), made, _looks(found), id_="holdout", lead=lead)


def _before(found: Opened) -> Safe:
    if not found.seen:
        return tag("p", "Nobody had looked at these sessions before, as far as is on record.")
    return tag("p", tag("b", "Seen before"), ": it confirms nothing.")


def _looks(found: Opened) -> Safe:
    """Return the looks before the opening, unfolded where they are few."""
    if not found.seen:
        return Safe("")
    title = f"What had looked ({count(len(found.looks))})"
    listed = tag("ul", *(tag("li", unbroken(each)) for each in found.looks))
    if len(found.seen) <= FEW:
        return join(tag("p", title), listed)
    return tag("details", tag("summary", title), listed)
