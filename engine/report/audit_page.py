"""The page of an audit: one HTML file that needs nothing else.

Order: whether a gate was missed; every audit with its sentence; then what those with a curve measured:
phases, lags, placebos and chance, costs and capital. All is of the document that ``audit --json`` prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data.words import count, number, percent
from engine.report import assumptions, charts, html, sections
from engine.report.charts import Chart, Panel, Series
from engine.report.html import Safe, section, table, tag

WORDS = {True: "passed", False: "failed", None: "informs"}
NAMED = {
    "in_time": "flows shuffled in time",
    "between_funds": "flows of other funds",
    "sharpe_ratio": "random choices",
}

Part = tuple[str, str, Safe]
Details = Mapping[str, Any]


def write_audit(document: Mapping[str, Any], path: Path) -> None:
    """Write the page of an audit's document to ``path``, whole or not at all; OSError if it cannot be."""
    html.write(path, _page(document))


def _page(document: Mapping[str, Any]) -> str:
    synthetic = bool(document["data"]["synthetic"])
    drawn: list[Chart] = []
    parts = [_answers(document)]
    for each in document["audits"]:
        for chart, rows in _measured(each["name"], each["details"]):
            drawn.append(chart)
            body = (charts.figure(chart, synthetic=synthetic), rows)
            parts.append((chart.name, chart.title, section(chart.title, *body, id_=chart.name)))
    return html.page(
        f"{document['strategy']} audit",
        _header(document),
        parts,
        banner=html.made_up() if synthetic else None,
        scripts=charts.scripts(drawn, synthetic=synthetic),
    )


def _header(document: Mapping[str, Any]) -> Safe:
    data = document["data"]
    failed = [each["name"] for each in document["audits"] if each["passed"] is False]
    passed = sum(each["passed"] is True for each in document["audits"])
    set_to = assumptions.set_to(document["parameters"])
    about = html.subtitle(
        f"{document['first_day']} to {document['last_day']}",
        count(document["sessions"], "session"),
        count(len(data["symbols"]), "fund"),
        f"seed {document['seed']}",
        f"data {data['name']}, {data['first_day']} to {data['last_day']}",
    )
    return html.heading(
        "Audit",
        document["strategy"],
        about,
        tag("p", set_to, class_="note") if set_to else Safe(""),
        sections.data_warnings(document["data_warnings"]),
        word="failed" if failed else "passed" if passed else "no gate asked",
        said=f"Missed: {', '.join(failed)}."
        if failed
        else f"{count(passed, 'gate')}, none was missed."
        if passed
        else "What was asked informs, and passes nothing.",
    )


def _answers(document: Mapping[str, Any]) -> Part:
    rows = [
        (
            each["name"],
            tag(
                "td", tag("b", WORDS[each["passed"]], class_=f"answer {WORDS[each['passed']]}"), class_="text"
            ),
            each["sentence"],
        )
        for each in document["audits"]
    ]
    lead = "Gates first: where one is missed, the numbers of the others say nothing. The rest informs."
    body = table(("Audit", "Answer", "What it found"), rows, text_columns=3, class_="wrap")
    return "answers", "Answers", section("Answers", body, id_="answers", lead=lead)


def _measured(name: str, details: Details) -> Iterator[tuple[Chart, Safe]]:
    """Yield what an audit measured as charts, each with the table of its numbers; some measure nothing."""
    if name == "timing_luck" and details.get("phases"):
        phases = [str(phase) for phase in range(details["phases"])]
        yield _curve(name, "Timing luck", "Phase of the cycle", phases, details)
    if name == "lag_sensitivity" and "lags" in details:
        lags = [str(lag) for lag in details["lags"]]
        since = details["first_day"]
        note = f"All from {since} on, when the slowest can decide, so that 0 need not be the run."
        yield _curve(name, "Lag sensitivity", "Sessions later", lags, details, note)
    if name == "placebo" and details.get("draws"):
        yield _bands(name, "Placebo", details["sharpe_ratio"], details, ("in_time", "between_funds"))
    if name == "luck_band" and details.get("draws"):
        yield _bands(name, "Luck band", details["sharpe_ratio"]["value"], details, ("sharpe_ratio",))
    if name == "cost_and_capacity" and "multiples" in details:
        yield _curve(name, "Costs", "Costs, times", [f"{each:g}" for each in details["multiples"]], details)
        capitals = [number(each, 0) for each in details["capitals"]]
        yield _capacity(capitals, details)


def _curve(
    name: str, title: str, axis: str, names: list[str], details: Details, note: str = ""
) -> tuple[Chart, Safe]:
    ratios, returns = details["sharpe_ratio"], details["annual_return"]
    chart = Chart(
        name,
        title,
        note,
        np.array(names),
        (
            Panel("Sharpe ratio", (Series("Sharpe ratio", "bars", "run", _known(ratios)),), "number", 130),
            Panel("Annual return", (Series("annual return", "bars", "rise", _known(returns)),), height=130),
        ),
        wide=True,
        axis_title=axis,
    )
    rows = [
        (each, number(ratio), percent(made)) for each, ratio, made in zip(names, ratios, returns, strict=True)
    ]
    return chart, table((axis, "Sharpe ratio", "Annual return"), rows)


def _capacity(names: list[str], details: Details) -> tuple[Chart, Safe]:
    returns, excess = details["capital_annual_return"], details["excess"]
    series = (
        Series("annual return", "line", "run", _known(returns)),
        Series("above the benchmark", "line", "rise", _known(excess)),
    )
    chart = Chart(
        "capital",
        "Capacity",
        f"With market impact (coefficient {details['impact']:g}), and at most "
        f"{percent(details['participation_rate'], 0)} of a session's volume.",
        np.array(names),
        (Panel("Annual return by capital", series, height=170),),
        wide=True,
        axis_title=f"Capital, {details['currency']}",
    )
    rows = [
        (each, percent(made), percent(over)) for each, made, over in zip(names, returns, excess, strict=True)
    ]
    return chart, table((f"Capital, {details['currency']}", "Annual return", "Above the benchmark"), rows)


def _bands(
    name: str, title: str, own: float | None, details: Details, kinds: tuple[str, ...]
) -> tuple[Chart, Safe]:
    """Return where the strategy stands among draws by chance: 5, 50 and 95 % of them, and itself."""
    bands = [details[kind] for kind in kinds]
    low, middle, high = (_known([band["quantiles"][place] for band in bands]) for place in range(3))
    itself = _known([own] * len(bands))
    panel = Panel(
        "Sharpe ratio",
        (
            Series("5% of draws", "down", "benchmark", low),
            Series("median of draws", "points", "benchmark", middle),
            Series("95% of draws", "up", "benchmark", high),
            Series("the strategy", "points", "run", itself),
        ),
        "number",
        150,
    )
    names = [NAMED[kind] for kind in kinds]
    rows = [
        (
            each,
            *(number(value) for value in band["quantiles"]),
            number(own),
            f"{band['rank']:,} of {band['of']:,}",
            number(band["p_value"], 3),
        )
        for each, band in zip(names, bands, strict=True)
    ]
    head = ("Drawn", "5%", "50%", "95%", "The strategy", "Rank", "p")
    listed = table(head, rows, caption=f"Sharpe ratios of {count(details['draws'], 'draw')} each")
    return Chart(name, title, "", np.array(names), (panel,), wide=True), listed


def _known(values: list[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
