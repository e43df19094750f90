"""A run in a notebook: what is shown of it where it is the last line of a cell, and its main chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.metrics import Metrics
from engine.metrics.declared import alternatives_to, in_group
from engine.report import canvas, html, sections
from engine.report.html import join, table, tag
from engine.report.plotted import picture_of
from engine.report.run_charts import run_charts
from engine.result import Result
from engine.results.trades import holdings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def fragment(result: Result, metrics: Metrics) -> str:
    """Return the headline numbers of a run beside its alternatives, as markup that needs no style sheet."""
    beside = alternatives_to(result)
    rows = [
        (
            each.label,
            sections.unit_name(each.unit, result.currency),
            *(sections.in_unit(metrics[prefix + each.name], each.unit) for prefix in ("", *beside)),
        )
        for each in in_group("alternatives")
    ]
    return join(
        tag("p", tag("b", result.manifest["strategy"]), f" · {' · '.join(sections.facts(result))}"),
        tag("p", html.made_up()) if result.synthetic else "",
        table(("", "Unit", "Run", *beside.values()), rows, text_columns=2),
    )


def plotted(result: Result) -> Figure:
    """Return the chart of equity, drawdown, flow and holdings as a figure of matplotlib.

    Of a run of one session it is empty.
    """
    from matplotlib.figure import Figure

    with canvas.styled("paper"):
        charts = run_charts(result, holdings(result))[:1]
        pictures = [picture_of(chart) for chart in charts]
        height = pictures[0].height if pictures else canvas.HALF
        figure = Figure(figsize=(canvas.WIDE, height), layout="constrained")
        for picture in pictures:
            picture.draw(figure)
            if result.synthetic:
                canvas.mark_synthetic(figure)
    return figure
