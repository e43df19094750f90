"""Charts of a brief: the flows and levels of the fund by session, and its index beside its sisters."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.facts.universe import index_names
from engine.briefs.brief import Brief
from engine.report.charts import SERIES, Chart, Panel, Series

RECENT = 60  # sessions that bars are drawn of; lines go back to the first value on file
HEIGHT = 140

# Name of the series, its label, title, and whether single sessions are bars. All are money but for units.
CHARTS = (
    ("flow", "net inflow", "Net inflow at VWAP", True),
    ("units", "fund units", "Fund units, on the basis of the day", False),
    ("financing", "net financing", "Net financing", True),
    ("margin", "margin balance", "Margin balance", False),
    ("aum", "AUM", "AUM, units at NAV", False),
    ("turnover", "turnover", "Turnover", True),
)


def brief_charts(brief: Brief) -> list[Chart]:
    """Return the charts for which there are values."""
    money = f", {brief.fund.currency}" if brief.fund.currency else ""
    charts = [
        (_bars if bars else _line)(brief, name, label, title if name == "units" else title + money)
        for name, label, title, bars in CHARTS
        if np.isfinite(brief.series[name][-RECENT if bars else 0 :]).any()
    ]
    if np.isfinite(brief.series["close"]).any():
        charts.append(_prices(brief, money))
    if any(np.isfinite(each).sum() > 1 for each in brief.indices.values()):
        charts.append(_indices(brief))
    return charts


def _days(brief: Brief) -> Any:
    return np.array(brief.sessions, dtype="datetime64[D]")


def _bars(brief: Brief, name: str, label: str, title: str) -> Chart:
    values = brief.series[name][-RECENT:]
    merged = name != "turnover" and np.isnan(values).any()
    gaps = "; what sessions without a value changed is in the next one's" if merged else ""
    panel = Panel(title, (Series(label, "bars", "run", values),), "count", HEIGHT)
    caption = f"A session each, the last {len(values)}{gaps}."
    return Chart(name, title, caption, _days(brief)[-len(values) :], (panel,))


def _line(brief: Brief, name: str, label: str, title: str) -> Chart:
    known = np.isfinite(brief.series[name])
    values, days = brief.series[name][known], _days(brief)[known]
    best = int(np.argmax(values))
    series = (
        Series(label, "line", "run", values),
        Series("highest", "points", "equal", values[[best]], np.array([best])),
    )
    caption = f"The highest is of {days[best]}."
    return Chart(name, title, caption, days, (Panel(title, series, "count", HEIGHT),))


def _prices(brief: Brief, money: str) -> Chart:
    title = ("Close and NAV" if np.isfinite(brief.series["nav"]).any() else "Close") + money
    series = []
    for name, label, colour in (("nav", "NAV", "equal"), ("close", "close", "run")):
        rows = np.flatnonzero(np.isfinite(brief.series[name]))
        if len(rows):
            series.append(Series(label, "line", colour, brief.series[name][rows], rows))
    caption = "On the basis of the day: splits and dividends since then are taken out."
    panel = Panel(title, tuple(series), "number", HEIGHT)
    return Chart("prices", title, caption, _days(brief), (panel,))


def _indices(brief: Brief) -> Chart:
    known = [np.flatnonzero(np.isfinite(each)) for each in brief.indices.values()]
    begin = min(int(rows[0]) for rows in known if len(rows))
    series = []
    others = 0
    for code, values in brief.indices.items():
        values = values[begin:]
        rows = np.flatnonzero(np.isfinite(values))
        if not len(rows):
            continue
        own = code == brief.fund.index
        others += not own
        colour = "run" if own else f"s{2 + (others - 1) % (SERIES - 1)}"
        series.append(Series(code, "line", colour, values[rows], rows))
    own_index = brief.indices.get(brief.fund.index or "")
    there = own_index is not None and bool(np.isfinite(own_index).any())
    caption = f"The fund's own is {brief.fund.index}." if there else "The fund's own is not on file."
    named = [f"{each.name} {name}" for each in series if (name := index_names().get(each.name))]
    caption += f" {', '.join(named)}." if named else ""
    panel = Panel("Indices this year", tuple(series), height=HEIGHT)
    return Chart("indices", "Indices this year", caption, _days(brief)[begin:], (panel,))
