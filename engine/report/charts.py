"""Charts of a page: each is declared once, drawn as a still picture, and brought to life by ``charts.js``.

1. A ``Chart`` has panels one above the other over one axis, and each panel has series: numbers of a result.
2. ``figure`` puts its still picture (``engine.report.still``) into the page: what is there without a script,
   in print and for a screen reader.
3. ``block`` writes the same numbers as JSON; ``charts.js`` draws them with Apache ECharts (``vendor/``,
   embedded) over the still pictures: hover, zoom, range buttons, legend, log scale, arrow keys.

Colours are names of variables in ``style.css``, so that both suit a light and a dark page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.synthetic import SYNTHETIC
from data.words import count, number, percent
from engine.report.html import Safe, join, json_block, tag
from engine.result import Floats

Kind = Literal[
    "line", "steps", "area", "band", "bars", "points", "up", "down", "flags", "shade", "ribbon", "ranges"
]
Scale = Literal["percent", "number", "count"]

STAMP = f"{SYNTHETIC} DATA"
DIGITS = 6  # of a number on a page: more than a picture can show
SERIES = 8  # colours --s1 to --s8


@dataclass(frozen=True)
class Series:
    """Numbers that are drawn in one way.

    Attributes
    ----------
    name : str
        In the legend; what it ends at may be part of it.
    kind : Kind
        ``band`` lies between ``low`` and ``values``, ``ranges`` are upright lines from one to the other;
        ``up`` and ``down`` are triangles, ``flags`` are upright lines with a label, ``shade`` spans from
        ``at`` to ``low`` (rows), ``ribbon`` has a row a label.
    colour : str
        A variable of the style sheet, without its dashes.
    values : (N,), of a ribbon (N, R)
        NaN where there is nothing.
    at : rows of the chart's axis at which the values are; None: all of them, in order
    low : the other edge of a band, or the last rows of shades
    labels : names of the rows of a ribbon, or of flags
    stack : whether bars and areas are put on top of those before
    """

    name: str
    kind: Kind
    colour: str
    values: Floats
    at: NDArray[np.intp] | None = None
    low: Floats | None = None
    labels: tuple[str, ...] = ()
    stack: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot of a chart; ``height`` in pixels; ``log``: a logarithmic scale makes sense."""

    title: str
    series: tuple[Series, ...]
    scale: Scale = "percent"
    height: int = 120
    log: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure of a page.

    ``axis`` are sessions or months (datetime64), names, or numbers; ``axis_title`` says what numbers are;
    ``zoom``: it is long enough for range buttons. Charts with ``zoom`` over the same axis move together.
    """

    name: str
    title: str
    caption: str
    axis: NDArray[Any]
    panels: tuple[Panel, ...]
    wide: bool = False
    zoom: bool = False
    axis_title: str = ""
    axis_scale: Scale = "number"

    @property
    def timed(self) -> bool:
        """Whether the axis is time."""
        return self.axis.dtype.kind == "M"

    @property
    def numeric(self) -> bool:
        """Whether the axis is a scale of numbers."""
        return self.axis.dtype.kind == "f"


def shown(value: float, scale: Scale) -> str:
    """Return a number of a chart for people."""
    if scale == "percent":
        return percent(value, 1)
    return number(value, 0 if scale == "count" else 2)


def spoken(chart: Chart) -> str:
    """Return a chart in words, with the numbers that somebody who cannot see it needs most."""
    said = [f"{chart.title}."]
    for panel in chart.panels:
        for each in panel.series:
            known = each.values[np.isfinite(each.values)]
            if each.kind in ("line", "steps", "area") and len(known):
                ends = f"{shown(float(known[0]), panel.scale)} to {shown(float(known[-1]), panel.scale)}"
                low, high = shown(float(known.min()), panel.scale), shown(float(known.max()), panel.scale)
                said.append(f"{panel.title}, {each.name}: {ends}, lowest {low}, highest {high}.")
            elif each.kind == "bars" and len(known):
                said.append(
                    f"{panel.title}, {each.name}: lowest {shown(float(known.min()), panel.scale)}, "
                    f"highest {shown(float(known.max()), panel.scale)}."
                )
            elif each.kind == "ribbon":
                said += [
                    f"{label}: {count(int(np.isfinite(row).sum()), 'session')}, "
                    f"highest {shown(float(np.nanmax(row)), panel.scale)}."
                    for label, row in zip(each.labels, each.values.T, strict=True)
                    if np.isfinite(row).any()
                ]
            elif each.kind in ("up", "down", "flags", "shade"):
                said.append(f"{each.name}: {len(each.values)}.")
    return " ".join(said)


def figure(chart: Chart, *, synthetic: bool) -> Safe:
    """Return the figure of a chart: its still picture, and its caption."""
    from engine.report.still import still

    return tag(
        "figure",
        tag("div", still(chart, synthetic=synthetic), class_="picture still"),
        tag("figcaption", chart.caption) if chart.caption else Safe(""),
        class_="wide" if chart.wide else "half",
        data_chart=chart.name,
        data_title=chart.title,
    )


def block(charts: Sequence[Chart], *, synthetic: bool) -> Safe:
    """Return charts as data, and the script that draws them by the :func:`library`; nothing without any."""
    if not charts:
        return Safe("")
    axes: list[list[Any]] = []
    made = []
    for chart in charts:
        axis = _axis(chart)
        if axis not in axes:
            axes.append(axis)
        made.append(_document(chart, axes.index(axis)))
    data = {"stamp": STAMP if synthetic else "", "axes": axes, "charts": made}
    return Safe(json_block(data, "charts-data") + f"<script>{script('charts.js')}</script>")


def library() -> Safe:
    """Return Apache ECharts as an element of a page, which has it once."""
    return Safe(f"<script>{script('vendor/echarts.min.js')}</script>")


def scripts(charts: Sequence[Chart], *, synthetic: bool) -> Safe:
    """Return all that brings the charts of a page to life; nothing without any."""
    return join(library(), block(charts, synthetic=synthetic)) if charts else Safe("")


@cache
def script(name: str) -> str:
    """Return a script of this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _axis(chart: Chart) -> list[Any]:
    if chart.numeric:
        return _numbers(chart.axis)
    return [str(each) for each in chart.axis]


def _document(chart: Chart, axis: int) -> dict[str, Any]:
    return {
        "name": chart.name,
        "axis": axis,
        "kind": "time" if chart.timed else "numbers" if chart.numeric else "names",
        "axisTitle": chart.axis_title,
        "axisScale": chart.axis_scale,
        "zoom": chart.zoom,
        "panels": [
            {
                "title": panel.title,
                "scale": panel.scale,
                "height": panel.height,
                "log": panel.log,
                "series": [_series(each) for each in panel.series],
            }
            for panel in chart.panels
        ],
    }


def _series(each: Series) -> dict[str, Any]:
    found: dict[str, Any] = {"name": each.name, "kind": each.kind, "colour": each.colour}
    if each.kind == "ribbon":
        found["runs"] = [
            [row, first, _numbers(each.values[first:after, row])]
            for row in range(each.values.shape[1])
            for first, after in spells(np.isfinite(each.values[:, row]))
        ]
    else:
        found["values"] = _numbers(each.values)
    if each.at is not None:
        found["at"] = each.at.tolist()
    if each.low is not None:
        found["low"] = _numbers(each.low)
    if each.labels:
        found["labels"] = list(each.labels)
    if each.stack:
        found["stack"] = True
    return found


def spells(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where flags are up: first row, and the row after the last."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _numbers(values: Floats) -> list[float | None]:
    """Return numbers with as many digits as a picture needs; None for what is no number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        short = np.where(np.isfinite(power), np.round(values * power) / power, values)
    return [value if math.isfinite(value) else None for value in short.tolist()]
