"""Figures of a brief: the flows and levels of the fund by session, and its index beside its sisters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.briefs.brief import Brief
from engine.report import canvas
from engine.report.canvas import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

RECENT = 60  # sessions that bars are drawn of; lines go back to the first value on file
HEIGHT = 2.3

# Name of the series, title, and whether its values of single sessions are bars.
CHARTS = (
    ("flow", "Net inflow at VWAP", True),
    ("units", "Fund units, on the basis of the day", False),
    ("financing", "Net financing", True),
    ("margin", "Margin balance", False),
    ("aum", "AUM, units at NAV", False),
    ("turnover", "Turnover", True),
)


def brief_pictures(brief: Brief) -> list[Picture]:
    """Return the pictures for which there are values."""
    pictures = [
        _bars(brief, name, title) if bars else _line(brief, name, title)
        for name, title, bars in CHARTS
        if np.isfinite(brief.series[name][-RECENT if bars else 0 :]).any()
    ]
    if np.isfinite(brief.series["close"]).any():
        pictures.append(_prices(brief))
    if any(np.isfinite(each).sum() > 1 for each in brief.indices.values()):
        pictures.append(_indices(brief))
    return pictures


def _days(brief: Brief) -> Any:
    return np.array(brief.sessions, dtype="datetime64[D]")


def _bars(brief: Brief, name: str, title: str) -> Picture:
    values = brief.series[name][-RECENT:]
    places = np.arange(len(values))

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        colours = [canvas.LOSS if value < 0.0 else canvas.RUN for value in values]
        axes.bar(places, np.nan_to_num(values), width=0.8, color=colours, alpha=0.85, linewidth=0)
        axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        ends = sorted({0, len(values) // 2, len(values) - 1})
        shown = brief.sessions[-len(values) :]
        axes.set_xticks(ends, [f"{shown[place]:%d %b}" for place in ends])
        axes.grid(visible=False, axis="x")
        canvas.short_numbers(axes)
        axes.set_title(title)

    merged = name != "turnover" and np.isnan(values).any()
    gaps = "; what sessions without a value changed is in the next one's" if merged else ""
    return Picture(name, title, f"A session each, the last {len(values)}{gaps}.", draw, height=HEIGHT)


def _line(brief: Brief, name: str, title: str) -> Picture:
    values = brief.series[name]
    known = np.isfinite(values)
    days = _days(brief)[known]
    best = int(np.argmax(values[known]))

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        axes.plot(days, values[known], color=canvas.RUN, linewidth=1.5)
        axes.plot(days[best], values[known][best], "o", color=canvas.EQUAL_WEIGHT, markersize=4)
        canvas.date_axis(axes)
        canvas.short_numbers(axes)
        axes.set_title(title)

    return Picture(name, title, f"The highest is of {days[best]}.", draw, height=HEIGHT)


def _prices(brief: Brief) -> Picture:
    title = "Close and NAV" if np.isfinite(brief.series["nav"]).any() else "Close"

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        for name, label, colour in (("nav", "NAV", canvas.EQUAL_WEIGHT), ("close", "close", canvas.RUN)):
            values = brief.series[name]
            known = np.isfinite(values)
            if known.any():
                axes.plot(_days(brief)[known], values[known], color=colour, linewidth=1.4, label=label)
        canvas.date_axis(axes)
        axes.legend(loc="upper left")
        axes.set_title(title)

    caption = "On the basis of the day: splits and dividends since then are taken out."
    return Picture("prices", title, caption, draw, height=HEIGHT)


def _indices(brief: Brief) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        others = iter(canvas.SERIES[1:])
        for code, values in brief.indices.items():
            known = np.isfinite(values)
            if not known.any():
                continue
            own = code == brief.fund.index
            colour = canvas.RUN if own else next(others, canvas.BENCHMARK)
            width = 2.0 if own else 1.1
            axes.plot(_days(brief)[known], values[known], color=colour, linewidth=width, label=code)
        axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        canvas.date_axis(axes)
        canvas.percent_axis(axes)
        axes.legend(loc="upper left")
        axes.set_title("Indices this year")

    own_index = brief.indices.get(brief.fund.index or "")
    there = own_index is not None and bool(np.isfinite(own_index).any())
    caption = "Its own is the thick line." if there else "Its own is not on file."
    return Picture("indices", "Indices this year", caption, draw, height=HEIGHT)
