"""The page of a brief: one HTML file that needs nothing else.

Order: what a note would say first; small charts of the flows and levels; every line with what it covers; what
has no value because inputs are not on file, input by input, and what brings them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.words import count
from engine.briefs.brief import Brief
from engine.briefs.lines import MONEY
from engine.briefs.series import Fact
from engine.briefs.words import fetch_commands, missing_by_input, remark, short_money, value_text
from engine.report import charts, html, statements
from engine.report.brief_charts import brief_charts
from engine.report.html import Safe, join, section, table, tag, unbroken

# Lines that stand on cards, and what to call them there; those that the windows leave out are not shown.
CARDS = (
    ("net_inflow_5_vwap", "Net inflow at VWAP, 5 sessions"),
    ("inflow_streak", "Inflow in a row"),
    ("units", "Fund units"),
    ("aum", "AUM"),
    ("net_financing_4", "Net financing, 4 sessions"),
    ("margin_balance", "Margin balance"),
    ("adtv_month", "Turnover a session"),
    ("index_ytd", "Index this year"),
)


def write_brief(brief: Brief, document: Mapping[str, Any], path: Path) -> None:
    """Write the page of a brief to ``path``, whole or not at all; OSError if the file cannot be written."""
    html.write(path, _page(brief, document))


def _page(brief: Brief, document: Mapping[str, Any]) -> str:
    synthetic = bool(document["data"]["synthetic"])
    made = brief_charts(brief)
    figures = tag("div", *(charts.figure(each, synthetic=synthetic) for each in made), class_="figures")
    lead = f"Values are {brief.basis}."
    drawn = section("Charts", figures, id_="charts")
    _, lacking = missing_by_input(brief.facts)
    parts: list[tuple[str, str, Safe]] = [
        ("summary", "Summary", section("Summary", *_warned(brief), _cards(brief), id_="summary", lead=lead)),
        *([("charts", "Charts", drawn)] if made else []),
        ("lines", "Every line", _lines(brief, document)),
        *([("missing", "Not on file", _missing(brief, document))] if lacking else []),
    ]
    title = f"{brief.fund.symbol} {brief.fund.name}".rstrip()
    word, said = statements.of_brief(brief)
    about = html.subtitle(brief.day, f"data {document['data']['name']}, fingerprint {brief.fingerprint}")
    return html.page(
        title,
        html.heading("Flow brief", title, about, word=word, said=said),
        parts,
        banner=html.made_up() if synthetic else None,
        scripts=charts.scripts(made, synthetic=synthetic),
    )


def _warned(brief: Brief) -> list[Safe]:
    return [tag("p", tag("b", "Caution: "), each + ".") for each in brief.late]


def _cards(brief: Brief) -> Safe:
    facts = {fact.name: fact for fact in brief.facts if fact.value is not None}
    shown = [(label, facts[name]) for name, label in CARDS if name in facts]
    return html.cards((label, _short(fact, brief.fund.currency), _of(fact)) for label, fact in shown)


def _short(fact: Fact, currency: str | None) -> str:
    """Return a value as a card has room for: money in millions or billions."""
    return short_money(fact.value, currency) if fact.unit == MONEY else value_text(fact)


def _of(fact: Fact) -> str:
    return f"latest known: {fact.older}" if fact.older else fact.note.partition(";")[0]


def _lines(brief: Brief, document: Mapping[str, Any]) -> Safe:
    shown, _ = missing_by_input(brief.facts)
    return section("Every line", _table(shown, document), id_="lines")


def _missing(brief: Brief, document: Mapping[str, Any]) -> Safe:
    _, found = missing_by_input(brief.facts)
    rows = [
        (table.replace(",", ", "), count(len(facts)), unbroken(facts[0].reason))
        for table, facts in found.items()
    ]
    without = [fact for facts in found.values() for fact in facts]
    lead = f"{len(without)} of {len(brief.facts)} lines have no value, because inputs are not on file."
    commands = [] if document["data"]["synthetic"] else fetch_commands(brief)
    return section(
        "Not on file",
        table(("Table", "Lines", "Why the first has no value"), rows, text_columns=3, class_="wrap"),
        *(tag("p", tag("code", each)) for each in commands),
        tag("details", tag("summary", "All of them"), _table(without, document)),
        id_="missing",
        lead=lead,
    )


def _table(facts: Sequence[Fact], document: Mapping[str, Any]) -> Safe:
    rows = [
        (
            # Lines that belong to the one above are set in by two spaces, here as on the terminal.
            join(Safe("&emsp;" if fact.label.startswith("  ") else ""), fact.label.strip()),
            tag("td", value_text(fact, str(document["currency"] or ""))),
            tag("td", unbroken(remark(fact)), class_="text"),
        )
        for fact in facts
    ]
    head = ("", "Value", tag("th", "Covers, or why there is none", class_="text"))
    return table(head, rows, class_="wrap")
