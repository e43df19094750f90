"""The tear sheet of one run: one HTML file that needs nothing else.

Order: what it is, the verdict of the search that it came from, headline numbers, what to beware of; equity,
drawdown, flow and holdings; each fund; summary; what was held and why; orders that did not trade; turnover
and cost; drawdowns and calendar; assumptions; how to reproduce it; pyfolio's figures and tables where they
are asked for. The same result gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from data.facts.symbols import exchange_or_none
from engine.metrics import Metrics, annual_return_interval, sharpe_interval
from engine.report import calendar_sections, charts, html, sections, trading_sections
from engine.report.assumptions import assumptions
from engine.report.charts import Chart
from engine.report.html import Safe, join, section, tag
from engine.report.run_charts import MOST_FUNDS, fund_charts, run_charts
from engine.result import Result
from engine.results.trades import Holding, holdings

NOT_JUDGED = "not judged"

Part = tuple[str, str, Safe]


def write_tearsheet(result: Result, metrics: Metrics, path: Path, *, pyfolio: bool = False) -> None:
    """Write the tear sheet of a result to ``path``, whole or not at all; OSError if it cannot be written.

    With ``pyfolio`` its figures and tables are on it; they take seconds.
    """
    html.write(path, _page(result, metrics, pyfolio=pyfolio))


def _page(result: Result, metrics: Metrics, *, pyfolio: bool) -> str:
    held = holdings(result)
    ours, funds = run_charts(result, held), fund_charts(result, held)
    parts = _parts(result, metrics, held, ours, funds)
    if pyfolio:
        parts.append(_pyfolio(result))
    return html.page(
        f"{result.name} tear sheet",
        _header(result, metrics),
        parts,
        banner=html.made_up() if result.synthetic else None,
        scripts=charts.scripts([*ours, *funds], synthetic=result.synthetic),
    )


def _parts(
    result: Result, metrics: Metrics, held: list[Holding], ours: list[Chart], funds: list[Chart]
) -> list[Part]:
    by_name = {chart.name: chart for chart in ours}

    def figures(*names: str) -> Safe:
        shown = [
            charts.figure(by_name[name], synthetic=result.synthetic) for name in names if name in by_name
        ]
        return tag("div", *shown, class_="figures") if shown else Safe("")

    none = tag("p", "Nothing was bought.")
    both = len({exchange_or_none(symbol) == "US" for symbol in result.symbols}) == 2
    waits = " but purchases in Shanghai that wait for New York's money" if both else ""
    parts = [
        ("equity", "Equity", section("Equity, drawdown, flow and holdings", figures("equity"), id_="equity"))
    ]
    if funds:
        parts.append(("funds", "Funds", _funds(result, funds)))
    return [
        *parts,
        ("summary", "Summary", section("Summary", sections.summary(result, metrics), id_="summary")),
        (
            "rotation",
            "Rotation",
            section(
                "What was held and why",
                join(
                    trading_sections.by_fund(result, held),
                    figures("flow_at_entry", "score_at_entry", "rank_at_entry", "holding_periods"),
                    trading_sections.entries(result, held),
                )
                if held
                else none,
                id_="rotation",
                lead="A holding lasts from the first purchase of a fund until nothing of it is left.",
            ),
        ),
        *(
            [("exposure", "Exposure", section("Exposure", figures("exposure"), id_="exposure"))]
            if "exposure" in by_name
            else []
        ),
        (
            "rejections",
            "Rejections",
            section(
                "Orders that did not trade",
                join(trading_sections.rejected(result), figures("rejections"))
                if len(result.rejections)
                else tag("p", "Every order traded in full."),
                id_="rejections",
                lead=f"Whole orders and parts of orders; they expire, nothing is carried over{waits}. "
                "Value is at the session's close.",
            ),
        ),
        (
            "costs",
            "Turnover and cost",
            section(
                "Turnover and cost",
                join(trading_sections.costs(result, metrics), figures("turnover", "costs")) if held else none,
                id_="costs",
            ),
        ),
        (
            "drawdowns",
            "Drawdowns and calendar",
            section(
                "Drawdowns and calendar",
                calendar_sections.drawdown_table(result),
                calendar_sections.calendar_tables(result),
                tag(
                    "div",
                    *(
                        tag("div", each)
                        for each in (
                            calendar_sections.trailing_table(result),
                            calendar_sections.win_table(result, held),
                            calendar_sections.days_table(result),
                        )
                    ),
                    class_="columns",
                ),
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
            "reproduce",
            "Reproduce",
            section("How to reproduce it", sections.reproduction(result), id_="reproduce"),
        ),
    ]


def _funds(result: Result, funds: list[Chart]) -> Safe:
    lead = (
        "Closing prices in shares of the last session, so that a split leaves no jump; triangles are "
        "purchases and sales, at the price executed. Below: net money known to have entered the fund over "
        "20 sessions, relative to its assets, whenever something was decided."
    )
    if len(funds) == MOST_FUNDS:
        lead += f" The {MOST_FUNDS} funds that gained or lost most."
    return section(
        "Fund by fund",
        tag(
            "div",
            *(charts.figure(chart, synthetic=result.synthetic) for chart in funds),
            class_="pick",
            id="fund-charts",
            data_label="Fund",
        ),
        id_="funds",
        lead=lead,
    )


def _pyfolio(result: Result) -> Part:
    from engine.report import canvas
    from engine.report.pyfolio_figures import pyfolio_pictures
    from engine.report.pyfolio_inputs import Inputs, corrected
    from engine.report.pyfolio_tables import pyfolio_sections, pyfolio_tables

    inputs = Inputs.of(result)
    with canvas.styled("page"), corrected(result.sessions_per_year):
        pictures, left_out = pyfolio_pictures(result, inputs)
        drawn = [
            html.figure(canvas.svg(each, synthetic=result.synthetic), each.caption, wide=each.wide)
            for each in pictures
        ]
        tables = pyfolio_sections(pyfolio_tables(result, inputs), result.sessions_per_year)
    return (
        "pyfolio",
        "pyfolio",
        section(
            "pyfolio",
            tag("div", *drawn, class_="figures") if drawn else Safe(""),
            tables,
            tag("p", "Left out. " + " ".join(left_out), class_="note"),
            id_="pyfolio",
            lead="The figures and tables of pyfolio, on the exchange's sessions and from the initial "
            "capital, so that they agree with the summary.",
        ),
    )


def _header(result: Result, metrics: Metrics) -> Safe:
    context = result.context
    judged = context.judged if context else ""
    intervals = {"sharpe_ratio": sharpe_interval(result), "annual_return": annual_return_interval(result)}
    return html.heading(
        "Tear sheet",
        result.manifest["strategy"],
        tag("p", idea) if (idea := result.manifest.get("idea")) else Safe(""),
        html.subtitle(*sections.facts(result)),
        sections.cards(result, metrics, intervals),
        sections.data_warnings(result.data_warnings),
        tag("p", account, class_="note") if (account := result.account_remark) else Safe(""),
        tag("p", remark, class_="note") if (remark := result.benchmark_remark) else Safe(""),
        word=judged or NOT_JUDGED,
        said=f"is what was said of the search that chose these parameters: {context.judged_by}."
        if context and judged
        else "No search on record that was judged chose these parameters on these data.",
    )
