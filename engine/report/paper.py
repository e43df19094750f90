"""The tear sheet on paper: A4 pages with the same pictures, for PNG and PDF.

1. Pictures are set in rows: a wide one takes a row, two others share one.
2. Rows fill pages from the top, ours before pyfolio's; the first page begins with the metrics.
3. A page is one matplotlib figure, each picture a part of it with its caption below.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.atomic import whole_file
from engine.metrics import Metrics
from engine.metrics.declared import ALTERNATIVES, in_group
from engine.metrics.metric import Metric
from engine.report import canvas, sections
from engine.report.canvas import Picture
from engine.report.charts import STAMP
from engine.report.plotted import pictures_of
from engine.report.pyfolio_figures import pyfolio_pictures
from engine.report.pyfolio_inputs import Inputs
from engine.report.run_charts import run_charts
from engine.result import Result
from engine.results.trades import holdings

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

WIDTH, HEIGHT = 8.27, 11.69  # A4, inches
SIDE, TOP, FOOT = 0.45, 0.35, 0.45
HEAD = 3.0  # of the headline numbers on the first page
CAPTION = 0.42  # below each picture
SCALE = {True: (WIDTH - 2 * SIDE) / canvas.WIDE, False: (WIDTH / 2 - SIDE) / canvas.HALF}  # by Picture.wide
DOTS = 120  # per inch of a PNG

Row = list[Picture]


def write_png(result: Result, metrics: Metrics, folder: Path) -> list[Path]:
    """Write our pages (without pyfolio's) as ``tearsheet-1.png`` and so on; return their paths."""
    paths = []
    with canvas.styled("paper"):
        filled = _filled(_rows(pictures_of(run_charts(result, holdings(result)))), HEAD)
        for number, page in enumerate(_pages(result, metrics, filled), start=1):
            path = folder / f"tearsheet-{number}.png"
            with whole_file(path) as temporary:
                page.savefig(temporary, format="png", dpi=DOTS)
            paths.append(path)
    return paths


def write_pdf(result: Result, metrics: Metrics, path: Path) -> None:
    """Write all pages, pyfolio's included, as one PDF, whole or not at all."""
    from matplotlib.backends.backend_pdf import PdfPages

    theirs, _ = pyfolio_pictures(result, Inputs.of(result))
    filled = _filled(_rows(pictures_of(run_charts(result, holdings(result)))), HEAD) + _filled(_rows(theirs))
    dateless = {"CreationDate": None, "ModDate": None, "Title": f"{result.name} tear sheet"}
    with (
        canvas.styled("paper"),
        whole_file(path) as temporary,
        PdfPages(temporary, metadata=dateless) as document,
    ):
        for page in _pages(result, metrics, filled):
            document.savefig(page)


def _rows(pictures: Sequence[Picture]) -> list[Row]:
    """Set pictures in rows; one that is alone on its row waits for the next that is not wide."""
    rows: list[Row] = []
    waiting: Row = []
    for picture in pictures:
        if picture.wide:
            rows.append([picture])
        else:
            waiting.append(picture)
        if len(waiting) == 2:
            rows.append(waiting)
            waiting = []
    return [*rows, waiting] if waiting else rows


def _height(row: Row) -> float:
    return max(picture.height * SCALE[picture.wide] for picture in row) + CAPTION


def _filled(rows: list[Row], first: float = 0.0) -> list[list[Row]]:
    """Put each row on the first page that has room for it; ``first`` is taken on the first page."""
    room = HEIGHT - TOP - FOOT
    filled: list[list[Row]] = []
    left: list[float] = []
    for row in rows:
        height = _height(row)
        page = next((index for index, space in enumerate(left) if space >= height), len(left))
        if page == len(left):
            filled.append([])
            left.append(room - (0.0 if page else first))
        filled[page].append(row)
        left[page] -= height
    return filled


def _pages(result: Result, metrics: Metrics, filled: list[list[Row]]) -> Iterator[Figure]:
    """Draw pages, one at a time."""
    for number, rows in enumerate(filled, start=1):
        yield _page(result, metrics if number == 1 else None, rows, f"page {number} of {len(filled)}")


def _page(result: Result, metrics: Metrics | None, rows: list[Row], number: str) -> Figure:
    from matplotlib.figure import Figure

    page = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    head = HEAD if metrics is not None else 0.01
    heights = [TOP, head]
    for row in rows:
        heights += [_height(row) - CAPTION, CAPTION]
    half = (WIDTH - 2 * SIDE) / 2
    grid = page.add_gridspec(
        len(heights) + 1,
        4,
        height_ratios=[*heights, HEIGHT - sum(heights)],
        width_ratios=[SIDE, half, half, SIDE],
    )
    if metrics is not None:
        _head(page.add_subfigure(grid[1, 1:3]), result, metrics)
    for index, row in enumerate(rows):
        for place, picture in enumerate(row, start=1):
            columns = slice(1, 3) if picture.wide else slice(place, place + 1)
            part = page.add_subfigure(grid[2 + 2 * index, columns])
            picture.draw(part)
            if result.synthetic:
                canvas.mark_synthetic(part)
            below = page.add_subfigure(grid[3 + 2 * index, columns])
            lines = textwrap.fill(picture.caption, 140 if picture.wide else 68)
            below.text(0.02, 0.92, lines, fontsize=6.5, va="top", alpha=0.75)
    page.text(SIDE / WIDTH, 0.018, result.name, fontsize=7)
    page.text(1 - SIDE / WIDTH, 0.018, number, fontsize=7, ha="right")
    if result.synthetic:
        page.text(0.5, 0.018, STAMP, fontsize=7, ha="center", color=canvas.WARNING, weight="bold")
    canvas.settle(page)
    return page


def _head(part: SubFigure, result: Result, metrics: Metrics) -> None:
    """Write the strategy, the period and the metrics."""
    money = result.currency
    part.text(0.0, 0.98, str(result.manifest["strategy"]), fontsize=17, weight="bold", va="top")
    part.text(0.0, 0.86, sections.facts(result), fontsize=7.5, va="top", alpha=0.75)
    for column, heading in enumerate(("Run", *ALTERNATIVES.values())):
        part.text(0.4 + 0.12 * column, 0.74, heading, fontsize=7.5, ha="right", alpha=0.75)
    for line, each in enumerate(in_group("alternatives")):
        level = 0.68 - 0.06 * line
        part.text(0.0, level, _with_unit(each, money), fontsize=7.5)
        for column, prefix in enumerate(("", *ALTERNATIVES)):
            value = sections.in_unit(metrics[prefix + each.name], each.unit)
            part.text(0.4 + 0.12 * column, level, value, fontsize=7.5, ha="right")
    others = [each for group in sections.BELOW for each in in_group(group)]
    rows = -(-len(others) // 3)
    for index, each in enumerate(others):
        column, line = divmod(index, rows)
        level = 0.35 - min(0.06, 0.36 / rows) * line
        part.text(0.345 * column, level, _with_unit(each, money), fontsize=6.8)
        value = sections.in_unit(metrics[each.name], each.unit)
        part.text(0.345 * column + 0.305, level, value, fontsize=6.8, ha="right")


def _with_unit(metric: Metric, money: str) -> str:
    name = sections.unit_name(metric.unit, money)
    return f"{metric.label}, {name}" if name else metric.label
