"""A chart as a still picture: inline SVG, because a page must not wait for a plotting library.

Text stays text, colours are variables of the style sheet, and lines keep of every few pixels what is lowest
and what is highest in them. The same chart gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.synthetic import SYNTHETIC
from engine.report.charts import STAMP, Chart, Panel, Series, spells, spoken
from engine.report.html import Safe, escape
from engine.result import Floats

WIDE, HALF = 980, 480  # pixels of the page
LEFT, RIGHT, TOP, FOOT, GAP, MARK = 58, 10, 26, 24, 34, 12
LEGEND, ROW, TEXT = 18, 15, 11.5
LABELLED = 200  # pixels for the names of a ribbon's rows, at most
FEW_PLACES = 20  # points are large where there are no more
SHORT = 5  # letters of a label up to which twice as many fit
FEW_POINTS, BUCKET = 400, 3.0  # lines of fewer points are drawn point by point; pixels


@dataclass(frozen=True)
class Frame:
    """Where a panel lies, in pixels, and its scale: ``ticks`` are levels, ``low`` and ``high`` its ends."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, values: Floats) -> Floats:
        """Return heights of values."""
        span = self.high - self.low
        return np.clip(self.bottom - (values - self.low) / span * (self.bottom - self.top), -1e4, 1e4)


def still(chart: Chart, *, synthetic: bool) -> Safe:
    """Return a chart as SVG with its numbers in words for who cannot see it."""
    width = WIDE if chart.wide else HALF
    rows = [
        label
        for panel in chart.panels
        for each in panel.series
        if each.kind == "ribbon"
        for label in each.labels
    ]
    left = min(max([LEFT, *(16 + _long(label) for label in rows)]), LABELLED)
    parts: list[str] = []
    top = TOP
    for panel in chart.panels:
        legend = _legend(panel, left, width, top - 8)
        parts += legend.parts
        top += legend.height
        height = panel_height(panel)
        low, high, ticks = _scale(panel)
        frame = Frame(left, width - RIGHT, top, top + height, low, high, ticks)
        parts += _panel(chart, panel, frame)
        top += height + GAP
    bottom = top - GAP
    parts += _axis(chart, left, width - RIGHT, bottom)
    height = bottom + FOOT + (14 if chart.axis_title else 0) + (MARK if synthetic else 0)
    if synthetic:
        middle = f'x="{width / 2:g}" y="{height / 2:g}"'
        parts.append(
            f'<text {middle} class="stamp" transform="rotate(-12 {width / 2:g} {height / 2:g})">'
            f"{STAMP}</text>"
        )
        parts.append(f'<text x="{width - RIGHT}" y="{height - 2:g}" class="mark">{STAMP}</text>')
    label = escape(spoken(chart) + (f" {SYNTHETIC.capitalize()}." if synthetic else ""))
    return Safe(
        f'<svg viewBox="0 0 {width} {height:g}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def panel_height(panel: Panel) -> int:
    """Return the height of a panel in pixels: of a ribbon what its rows need."""
    rows = max((len(each.labels) for each in panel.series if each.kind == "ribbon"), default=0)
    return ROW * rows if rows else panel.height


@dataclass(frozen=True)
class _Legend:
    parts: list[str]
    height: int


def _legend(panel: Panel, left: float, width: float, y: float) -> _Legend:
    """Return the title of a panel and the names of its series, in as many lines as they take."""
    title = f'<text x="{left:g}" y="{y:g}" class="title">{escape(panel.title)}</text>'
    named = [each for each in panel.series if each.name and each.kind != "ribbon"]
    if len(named) < 2 and not any(each.kind in ("up", "flags", "shade") for each in named):
        return _Legend([title], 0)
    parts, x, line = [title], left, 1
    for each in named:
        needs = 26 + _long(each.name)
        if x + needs > width and x > left:
            x, line = left, line + 1
        at = y + line * LEGEND
        parts.append(f'<rect x="{x:g}" y="{at - 7:g}" width="14" height="5" fill="var(--{each.colour})"/>')
        parts.append(f'<text x="{x + 19:g}" y="{at:g}">{escape(each.name)}</text>')
        x += needs
    return _Legend(parts, line * LEGEND)


def _long(text: str) -> float:
    """Return about how many pixels a text takes: signs of East Asia are twice as wide."""
    return sum(11.5 if ord(sign) > 0x2E80 else 6.9 for sign in text)


def _cut(text: str, room: float) -> str:
    """Return a text with as many of its first signs as there is room for, in pixels."""
    while _long(text) > room:
        text = text.rstrip("…")[:-1].rstrip() + "…"
    return text


def _scale(panel: Panel) -> tuple[float, float, tuple[float, ...]]:
    levels = [_extent(each) for each in panel.series if each.kind not in ("ribbon", "shade", "flags")]
    stacked = [each.values for each in panel.series if each.stack]
    if stacked:
        levels.append(np.nansum(stacked, axis=0))
    known = np.concatenate([level[np.isfinite(level)] for level in levels]) if levels else np.zeros(0)
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if any(each.kind in ("bars", "area") for each in panel.series):
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-12:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    step = _step((high - low) / max(2, panel.height // 36))
    ticks = np.arange(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9) + 1) * step
    return min(low, float(ticks[0])), max(high, float(ticks[-1])), tuple(ticks.tolist())


def _extent(each: Series) -> Floats:
    return each.values if each.low is None else np.concatenate([each.values, each.low])


def _step(rough: float) -> float:
    """Return the round number (1, 2 or 5 times a power of ten) that is not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * each for each in (1.0, 2.0, 5.0, 10.0) if power * each >= rough * 0.999)


def _tick(level: float, panel: Panel) -> str:
    if panel.scale == "percent":
        return f"{round(level * 100, 6) + 0.0:g}%"
    if abs(level) < 1e5:
        return f"{round(level, 9) + 0.0:,g}"
    return f"{level / 1e9:g}bn" if abs(level) >= 1e9 else f"{level / 1e6:g}m"


def _panel(chart: Chart, panel: Panel, frame: Frame) -> list[str]:
    x = _places(chart, frame)
    parts = []
    ribbon = any(each.kind == "ribbon" for each in panel.series)
    if not ribbon:
        for level, y in zip(frame.ticks, frame.y(np.array(frame.ticks)), strict=True):
            zero = ' class="zero"' if abs(level) < 1e-12 else ' class="grid"'
            parts.append(f'<path d="M{frame.left:g} {y:.1f}H{frame.right:g}"{zero}/>')
            parts.append(
                f'<text x="{frame.left - 6:g}" y="{y + 4:.1f}" class="end">{_tick(level, panel)}</text>'
            )
    base = np.zeros(len(chart.axis))
    for each in panel.series:
        if each.stack:
            values = base + np.nan_to_num(each.values)
            parts += _drawn(each, x, frame, values, base)
            base = values
        else:
            parts += _drawn(each, x, frame, each.values, each.low)
    return parts


def _places(chart: Chart, frame: Frame) -> Floats:
    """Return where each row of the axis lies, in pixels: its middle."""
    if chart.numeric:
        low, high = float(chart.axis.min()), float(chart.axis.max())
        edge = 0.03 * (high - low or 1.0)
        spread = high - low + 2 * edge
        return frame.left + (chart.axis - low + edge) / spread * (frame.right - frame.left)
    count = len(chart.axis)
    return frame.left + (np.arange(count) + 0.5) / count * (frame.right - frame.left)


def _drawn(each: Series, x: Floats, frame: Frame, values: Floats, low: Floats | None) -> list[str]:
    ink = f"var(--{each.colour})"
    at = np.arange(len(x)) if each.at is None else each.at
    if each.kind == "ribbon":
        return _ribbon(each, x, frame)
    places = x[at]
    if each.kind in ("line", "steps"):
        return [
            f'<path d="{_path(places[part], frame.y(values[part]), steps=each.kind == "steps")}" '
            f'fill="none" stroke="{ink}" stroke-width="1.5"/>'
            for part in (slice(*spell) for spell in spells(np.isfinite(values)))
        ]
    if each.kind in ("area", "band"):
        lower = np.zeros(len(values)) if low is None else low
        return [
            f'<path d="{_closed(places[part], frame.y(values[part]), frame.y(lower[part]))}" fill="{ink}" '
            f'fill-opacity="{0.22 if not each.stack else 0.8}"/>'
            for part in (slice(*spell) for spell in spells(np.isfinite(values) & np.isfinite(lower)))
        ]
    if each.kind == "bars":
        width = max((frame.right - frame.left) / len(x) * 0.8, 0.8)
        tops = frame.y(values)
        bottoms = frame.y(np.zeros(len(values)) if low is None else low)
        return [
            "".join(
                f'<rect x="{place - width / 2:.1f}" y="{min(one, other):.1f}" width="{width:.1f}" '
                f'height="{abs(one - other):.1f}" fill="{ink if value >= 0 else "var(--fall)"}"/>'
                for place, one, other, value in zip(places, tops, bottoms, values, strict=True)
                if math.isfinite(one) and abs(one - other) >= 0.05
            )
        ]
    return _marked(each, places, frame, values, ink, x)


def _marked(each: Series, places: Floats, frame: Frame, values: Floats, ink: str, x: Floats) -> list[str]:
    """Return what stands at single places: points, triangles, ranges, flags, shades."""
    if each.kind == "flags":
        return [
            f'<path d="M{place:.1f} {frame.top:g}V{frame.bottom:g}" stroke="{ink}" stroke-dasharray="4 3"/>'
            f'<text x="{place + 3:.1f}" y="{frame.top + 10:g}">{escape(label)}</text>'
            for place, label in zip(places, each.labels, strict=True)
        ]
    if each.kind == "ranges" and each.low is not None:
        return [
            f'<path d="M{place - 4:.1f} {top:.1f}h8m-4 0V{bottom:.1f}m-4 0h8" fill="none" stroke="{ink}"/>'
            for place, top, bottom in zip(places, frame.y(values), frame.y(each.low), strict=True)
            if math.isfinite(top) and math.isfinite(bottom)
        ]
    if each.kind == "shade" and each.low is not None:
        half = 0.5 * (frame.right - frame.left) / len(x)
        return [
            f'<rect x="{place - half:.1f}" y="{frame.top:g}" width="{x[int(last)] - place + 2 * half:.1f}" '
            f'height="{frame.bottom - frame.top:g}" fill="{ink}" fill-opacity="0.3"/>'
            for place, last in zip(places, each.low, strict=True)
        ]
    heights = frame.y(values)
    size = 4.5 if each.kind != "points" or len(x) <= FEW_PLACES else 2.2
    sign = -1.0 if each.kind == "up" else 1.0
    return [
        f'<circle cx="{place:.1f}" cy="{y:.1f}" r="{size}" fill="{ink}" fill-opacity="0.55"/>'
        if each.kind == "points"
        else f'<path d="M{place:.1f} {y - sign:.1f}l{-size} {-sign * 2 * size:.1f}h{2 * size}z" '
        f'fill="{ink}"/>'
        for place, y in zip(places, heights, strict=True)
        if math.isfinite(y)
    ]


def _path(x: Floats, y: Floats, *, steps: bool) -> str:
    x, y = _thinned(x, y)
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)]
    if steps:
        points = [f"{a:.1f}V{b:.1f}" for a, b in zip(x[1:], y[1:], strict=True)]
        return f"M{x[0]:.1f} {y[0]:.1f}" + "".join(f"H{each}" for each in points)
    return "M" + "L".join(points)


def _closed(x: Floats, top: Floats, bottom: Floats) -> str:
    x1, y1 = _thinned(x, top)
    x2, y2 = _thinned(x, bottom)
    return _path(x1, y1, steps=False) + "L" + _path(x2[::-1], y2[::-1], steps=False)[1:] + "Z"


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return of every BUCKET pixels the first, lowest, highest and last point, where there are many more."""
    if len(x) < FEW_POINTS:
        return x, y
    bucket = np.floor(x / BUCKET)
    first = np.flatnonzero(np.diff(bucket, prepend=-1.0))
    last = np.append(first[1:], len(x)) - 1
    order = np.lexsort((y, bucket))  # within each bucket from the lowest to the highest
    keep: NDArray[np.intp] = np.unique(np.concatenate([first, order[first], order[last], last]))
    return x[keep], y[keep]


def _ribbon(each: Series, x: Floats, frame: Frame) -> list[str]:
    """Return a row of blocks for each label: the stronger, the larger the number."""
    parts = []
    half = 0.5 * (frame.right - frame.left) / len(x)
    full = float(np.nanmax(each.values)) if np.isfinite(each.values).any() else 1.0
    for row, label in enumerate(each.labels):
        y = frame.top + ROW * row
        short = _cut(label, frame.left - 10)
        parts.append(f'<path d="M{frame.left:g} {y + ROW:g}H{frame.right:g}" class="grid"/>')
        parts.append(
            f'<text x="{frame.left - 6:g}" y="{y + ROW - 4:g}" class="end small">'
            f"{f'<title>{escape(label)}</title>' if short != label else ''}{escape(short)}</text>"
        )
        level = np.ceil(np.nan_to_num(each.values[:, row]) / full * 10.0 - 1e-9).astype(np.intp)
        for strength in range(1, 11):
            path = "".join(
                f"M{x[first] - half:.1f} {y + 1.5:g}H{x[after - 1] + half:.1f}v{ROW - 3}"
                f"H{x[first] - half:.1f}z"
                for first, after in spells(level == strength)
            )
            if path:
                opacity = 0.15 + 0.085 * strength
                parts.append(f'<path d="{path}" fill="var(--{each.colour})" fill-opacity="{opacity:.2f}"/>')
    return parts


def _axis(chart: Chart, left: float, right: float, y: float) -> list[str]:
    """Return the labels below a chart."""
    parts = [f'<path d="M{left:g} {y:g}H{right:g}" class="zero"/>']
    if chart.numeric:
        low, high = float(chart.axis.min()), float(chart.axis.max())
        step = _step((high - low or 1.0) / 5)
        levels = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
        edge = 0.03 * (high - low or 1.0)
        places = left + (levels - low + edge) / (high - low + 2 * edge) * (right - left)
        labels = [_tick(level, Panel("", (), scale=chart.axis_scale)) for level in levels.tolist()]
    else:
        rows, labels = ticks(chart)
        places = left + (np.array(rows) + 0.5) / len(chart.axis) * (right - left)
    parts += [
        f'<text x="{place:.1f}" y="{y + 16:g}" class="middle">{escape(label)}</text>'
        for place, label in zip(places, labels, strict=True)
    ]
    if chart.axis_title:
        parts.append(
            f'<text x="{(left + right) / 2:g}" y="{y + 32:g}" class="middle">'
            f"{escape(chart.axis_title)}</text>"
        )
    return parts


def ticks(chart: Chart) -> tuple[list[int], list[str]]:
    """Return rows of the axis that are labelled, and their labels: where a year, or a month, begins."""
    count = len(chart.axis)
    most = 9 if chart.wide else 5
    if not chart.timed:
        # Long labels, as those of ranges, leave room for fewer.
        longest = max(map(len, map(str, chart.axis)), default=0)
        step = max(1, -(-count // (2 * most * SHORT // max(longest, SHORT))))
        return list(range(0, count, step)), [str(each) for each in chart.axis[::step]]
    unit = "Y" if (chart.axis[-1] - chart.axis[0]).astype("timedelta64[D]").astype(int) > 900 else "M"
    periods = chart.axis.astype(f"datetime64[{unit}]")
    rows = [0, *(int(row) + 1 for row in np.flatnonzero(periods[1:] != periods[:-1]))]
    if len(rows) > 1 and rows[1] < count / 12:
        rows = rows[1:]
    step = -(-len(rows) // most)
    return rows[::step], [str(periods[row]) for row in rows[::step]]
