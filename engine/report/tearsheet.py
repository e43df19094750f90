"""The tear sheet of one run: one HTML file that needs nothing else.

Order: headline numbers and equity; summary; what was held and why; orders that did not trade; turnover and
cost; drawdowns and calendar; assumptions; pyfolio's figures and tables. The same result gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from engine.metrics import Metrics
from engine.report import canvas, html, sections
from engine.report.assumptions import assumptions
from engine.report.canvas import Picture
from engine.report.figures import our_pictures
from engine.report.html import Safe, join, section, tag
from engine.report.pyfolio_figures import pyfolio_pictures
from engine.report.pyfolio_inputs import Inputs
from engine.report.pyfolio_tables import pyfolio_sections, pyfolio_tables
from engine.result import Result
from engine.results.trades import holdings


def write_tearsheet(result: Result, metrics: Metrics, path: Path) -> None:
    """Write the tear sheet of a result to ``path``, whole or not at all; OSError if it cannot be written."""
    with canvas.styled("page"):
        html.write(path, _page(result, metrics))


def _page(result: Result, metrics: Metrics) -> str:
    held = holdings(result)
    ours = {picture.name: picture for picture in our_pictures(result, held)}
    inputs = Inputs.of(result)
    pictures, left_out = pyfolio_pictures(result, inputs)

    def figures(*chosen: Picture | None) -> Safe:
        shown = [
            html.figure(canvas.svg(picture, synthetic=result.synthetic), picture.caption, wide=picture.wide)
            for picture in chosen
            if picture is not None
        ]
        return tag("div", *shown, class_="figures") if shown else Safe("")

    def by_name(*names: str) -> Safe:
        return figures(*(ours.get(name) for name in names))

    none = tag("p", "Nothing was bought.")
    parts = [
        (
            "summary",
            "Summary",
            join(
                by_name("equity"),
                section("Summary", sections.summary(result, metrics), id_="summary"),
            ),
        ),
        (
            "rotation",
            "Rotation",
            section(
                "What was held and why",
                by_name("weights"),
                join(
                    sections.by_fund(result, held),
                    by_name("flow_at_entry", "score_at_entry", "rank_at_entry", "holding_periods"),
                    sections.entries(result, held),
                )
                if held
                else none,
                id_="rotation",
                lead="A holding lasts from the first purchase of a fund until nothing of it is left.",
            ),
        ),
        (
            "rejections",
            "Rejections",
            section(
                "Orders that did not trade",
                join(sections.rejected(result), by_name("rejections"))
                if len(result.rejections)
                else tag("p", "Every order traded in full."),
                id_="rejections",
                lead="Whole orders and parts of orders; they expire, nothing is carried over. "
                "Value is at the session's close.",
            ),
        ),
        (
            "costs",
            "Turnover and cost",
            section(
                "Turnover and cost",
                join(sections.costs(result, metrics), by_name("turnover", "costs")) if held else none,
                id_="costs",
            ),
        ),
        (
            "drawdowns",
            "Drawdowns and calendar",
            section(
                "Drawdowns and calendar",
                sections.drawdown_table(result),
                sections.calendar_tables(result),
                id_="drawdowns",
            ),
        ),
        (
            "assumptions",
            "Assumptions",
            section(
                "Assumptions of the run",
                assumptions(result),
                id_="assumptions",
                lead="Prices and volumes are the past's; orders of this size might have moved them.",
            ),
        ),
        (
            "pyfolio",
            "pyfolio",
            section(
                "pyfolio",
                figures(*pictures),
                pyfolio_sections(pyfolio_tables(result, inputs), result.sessions_per_year),
                tag("p", "Left out. " + " ".join(left_out), class_="note"),
                id_="pyfolio",
                lead="The figures and tables of pyfolio, on the exchange's sessions and from the initial "
                "capital, so that they agree with the summary.",
            ),
        ),
    ]
    return html.page(
        f"{result.name} tear sheet",
        _header(result, metrics),
        parts,
        banner=html.made_up() if result.synthetic else None,
    )


def _header(result: Result, metrics: Metrics) -> Safe:
    return join(
        tag("h1", result.manifest["strategy"]),
        tag("p", idea) if (idea := result.manifest.get("idea")) else Safe(""),
        tag("p", sections.facts(result), class_="subtitle"),
        sections.cards(metrics, sections.currency(result)),
        sections.data_warnings(result.data_warnings),
        tag("p", remark, class_="note") if (remark := result.benchmark_remark) else Safe(""),
    )
