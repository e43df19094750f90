"""Charts drawn by matplotlib, for a notebook: the same charts as on the page, panel by panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.report import canvas
from engine.report.canvas import Picture
from engine.report.charts import Chart, Panel, Series
from engine.report.still import panel_height, ticks
from engine.result import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# The colours of the light page.
INKS = {
    "run": canvas.RUN,
    "benchmark": "#7a8494",
    "equal": "#b9721a",
    "rise": "#238a5b",
    "fall": "#c43d50",
    **{f"s{number + 1}": ink for number, ink in enumerate(canvas.SERIES[:8])},
}
PIXELS = 72  # of a panel's height to an inch
TALLEST = 8.0  # inches
ROOM = 0.8  # inches for titles and labels, and as much for each further panel as the half of it


def picture_of(chart: Chart) -> Picture:
    """Return a chart as a picture of matplotlib."""
    heights = [panel_height(panel) for panel in chart.panels]

    def draw(figure: Figure | SubFigure) -> None:
        found = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
        for axes, panel in zip(found[:, 0], chart.panels, strict=True):
            _panel(axes, chart, panel)
        _axis(found[-1, 0], chart)

    height = min(sum(heights) / PIXELS + ROOM * (0.5 + 0.5 * len(heights)), TALLEST)
    return Picture(chart.name, chart.title, chart.caption, draw, wide=chart.wide, height=height)


def _panel(axes: Axes, chart: Chart, panel: Panel) -> None:
    x: Floats = chart.axis if chart.numeric else np.arange(len(chart.axis), dtype=np.float64)
    base = np.zeros(len(x))
    for each in panel.series:
        at = np.arange(len(x)) if each.at is None else each.at
        if each.kind == "ribbon":
            _ribbon(axes, each)
        elif each.stack:
            above = base + np.nan_to_num(each.values)
            if each.kind == "bars":
                axes.bar(x, above - base, bottom=base, color=INKS[each.colour], label=each.name, width=0.85)
            else:
                axes.fill_between(x, base, above, color=INKS[each.colour], label=each.name, linewidth=0)
            base = above
        else:
            DRAWN[each.kind](axes, x[at], each, x)
    ribbon = any(each.kind == "ribbon" for each in panel.series)
    if sum(bool(each.name) for each in panel.series) > 1:
        axes.legend(loc="best")
    axes.set_title(panel.title)
    if panel.scale == "percent" and not ribbon:
        canvas.percent_axis(axes)
    if panel.scale == "count":
        canvas.whole_numbers(axes)


def _line(axes: Axes, x: Floats, each: Series, _: Floats) -> None:
    style = "steps-post" if each.kind == "steps" else "default"
    axes.plot(x, each.values, color=INKS[each.colour], linewidth=1.3, label=each.name, drawstyle=style)


def _filled(axes: Axes, x: Floats, each: Series, _: Floats) -> None:
    low: Any = 0.0 if each.low is None else each.low
    axes.fill_between(x, low, each.values, color=INKS[each.colour], alpha=0.22, linewidth=0, label=each.name)


def _bars(axes: Axes, x: Floats, each: Series, every: Floats) -> None:
    inks = [INKS[each.colour] if value >= 0.0 else INKS["fall"] for value in each.values]
    axes.bar(x, np.nan_to_num(each.values), color=inks, width=max(0.85, len(every) / 400), label=each.name)


def _points(axes: Axes, x: Floats, each: Series, _: Floats) -> None:
    marker, size, alpha = {"points": ("o", 9, 0.55), "up": ("^", 16, 1.0), "down": ("v", 16, 1.0)}[each.kind]
    axes.scatter(
        x,
        each.values,
        marker=marker,
        s=size,
        alpha=alpha,
        color=INKS[each.colour],
        linewidths=0,
        label=each.name,
    )


def _flags(axes: Axes, x: Floats, each: Series, _: Floats) -> None:
    for place, label in zip(x, each.labels, strict=True):
        axes.axvline(place, color=INKS[each.colour], linestyle="--", linewidth=0.8)
        axes.annotate(label, (place, 1.0), xycoords=("data", "axes fraction"), fontsize="small", va="top")


def _shade(axes: Axes, x: Floats, each: Series, _: Floats) -> None:
    for first, last in zip(x, [] if each.low is None else each.low, strict=True):
        axes.axvspan(first - 0.5, last + 0.5, color=INKS[each.colour], alpha=0.3, linewidth=0)


DRAWN: dict[str, Callable[[Axes, Floats, Series, Floats], None]] = {
    "line": _line,
    "steps": _line,
    "area": _filled,
    "band": _filled,
    "bars": _bars,
    "points": _points,
    "up": _points,
    "down": _points,
    "flags": _flags,
    "shade": _shade,
}


def _ribbon(axes: Axes, each: Series) -> None:
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    ink = to_rgb(INKS[each.colour])
    colours = LinearSegmentedColormap.from_list("ribbon", [(*ink, 0.15), (*ink, 1.0)])
    axes.imshow(each.values.T, aspect="auto", interpolation="nearest", cmap=colours, vmin=0.0)
    axes.set_yticks(range(len(each.labels)), list(each.labels), fontsize="small")
    axes.grid(visible=False, axis="y")


def _axis(axes: Axes, chart: Chart) -> None:
    if chart.numeric:
        if chart.axis_scale == "percent":
            canvas.percent_axis(axes, which="x")
    else:
        rows, labels = ticks(chart)
        axes.set_xticks(rows, labels)
        axes.set_xlim(-0.6, len(chart.axis) - 0.4)
        axes.grid(visible=chart.timed, axis="x")
    if chart.axis_title:
        axes.set_xlabel(chart.axis_title)
