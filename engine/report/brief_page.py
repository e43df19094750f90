"""The page of a brief: one HTML file that needs nothing else.

Order: what a note would say first; small charts of the flows and levels; every line with what it covers, or
why it has no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.briefs.brief import Brief
from engine.briefs.series import Fact
from engine.briefs.words import remark, value_text
from engine.report import charts, html
from engine.report.brief_charts import brief_charts
from engine.report.html import Safe, join, section, table, tag, unbroken

# Lines that stand on cards, and what to call them there; those that the windows leave out are not shown.
CARDS = (
    ("net_inflow_5_vwap", "Net inflow, 5 sessions"),
    ("inflow_streak", "Inflow in a row"),
    ("units", "Fund units"),
    ("aum", "AUM"),
    ("net_financing_4", "Net financing, 4 sessions"),
    ("margin_balance", "Margin balance"),
    ("adtv_month", "Turnover a session"),
    ("index_ytd", "Index this year"),
)
LARGE = ((1e9, "bn"), (1e6, "m"))


def write_brief(brief: Brief, document: Mapping[str, Any], path: Path) -> None:
    """Write the page of a brief to ``path``, whole or not at all; OSError if the file cannot be written."""
    html.write(path, _page(brief, document))


def _page(brief: Brief, document: Mapping[str, Any]) -> str:
    synthetic = bool(document["data"]["synthetic"])
    made = brief_charts(brief)
    figures = tag("div", *(charts.figure(each, synthetic=synthetic) for each in made), class_="figures")
    lead = f"Values are {brief.basis}."
    drawn = section("Charts", figures, id_="charts")
    parts: list[tuple[str, str, Safe]] = [
        ("summary", "Summary", section("Summary", *_warned(brief), _cards(brief), id_="summary", lead=lead)),
        *([("charts", "Charts", drawn)] if made else []),
        ("lines", "Every line", _lines(brief, document)),
    ]
    title = f"{brief.fund.symbol} {brief.fund.name}".rstrip()
    about = html.subtitle(brief.day, f"data {document['data']['name']}, fingerprint {brief.fingerprint}")
    return html.page(
        title,
        html.heading("Flow brief", title, about),
        parts,
        banner=html.made_up() if synthetic else None,
        scripts=charts.scripts(made, synthetic=synthetic),
    )


def _warned(brief: Brief) -> list[Safe]:
    return [tag("p", tag("b", "Caution: "), each + ".") for each in brief.late]


def _cards(brief: Brief) -> Safe:
    facts = {fact.name: fact for fact in brief.facts}
    shown = [(label, facts[name]) for name, label in CARDS if name in facts]
    return html.cards((label, _short(fact), _of(fact)) for label, fact in shown)


def _short(fact: Fact) -> str:
    """Return a value as a card has room for: large numbers in millions or billions."""
    if isinstance(fact.value, float) and fact.unit in ("money", "count"):
        for size, word in LARGE:
            if abs(fact.value) >= size:
                return f"{fact.value / size:,.2f} {word}"
    return value_text(fact)


def _of(fact: Fact) -> str:
    if fact.value is None:
        return "not on file"
    return f"latest known: {fact.older}" if fact.older else fact.note.partition(";")[0]


def _lines(brief: Brief, document: Mapping[str, Any]) -> Safe:
    rows = [
        (
            # Lines that belong to the one above are set in by two spaces, here as on the terminal.
            join(Safe("&emsp;" if fact.label.startswith("  ") else ""), fact.label.strip()),
            tag("td", value_text(fact, str(document["currency"] or ""))),
            tag("td", unbroken(remark(fact)), class_="text"),
        )
        for fact in brief.facts
    ]
    head = ("", "Value", tag("th", "Covers, or why there is none", class_="text"))
    return section("Every line", table(head, rows, class_="wrap"), id_="lines")
