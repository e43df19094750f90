"""A panel of pyfolio as a picture: drawn on our canvas, then tidied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.report import canvas
from engine.report.canvas import Picture
from engine.result import Floats

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class Panels:
    """Collects pictures; each draws one panel of pyfolio and tidies it, inside of ``corrected``."""

    def __init__(self, sessions_per_year: float) -> None:
        self.sessions_per_year = sessions_per_year
        self.pictures: list[Picture] = []

    def add(
        self,
        title: str,
        caption: str,
        draw: Callable[[Axes], object],
        *,
        dated: bool = True,
        percent: bool = False,
        wide: bool = False,
    ) -> None:
        """Add a panel; ``dated`` if its x axis is time, ``percent`` if its y axis is a fraction."""

        def draw_on(figure: Figure | SubFigure) -> None:
            from matplotlib.ticker import NullLocator

            axes = figure.subplots()
            if dated:
                # pandas would make ticks, and turn their labels, for the sake of another axis than ours.
                axes.xaxis.set_major_locator(NullLocator())
            draw(axes)
            axes.set_title(title)
            _tidy(axes)
            if percent:
                canvas.percent_axis(axes)
            if dated:
                axes.set_xlabel("")
                canvas.date_axis(axes)

        name = "pyfolio_" + "".join(letter if letter.isalnum() else "_" for letter in title.lower())
        self.pictures.append(Picture(name, title, caption, draw_on, wide=wide))


def _tidy(axes: Axes) -> None:
    """Drop what is not there: lines without a value (shorts, long windows), and their legend entries."""
    gone: list[Artist] = [
        line for line in axes.lines if np.isnan(np.asarray(line.get_ydata(), dtype=float)).all()
    ]
    gone += [area for area in axes.collections if area.get_label() == "Short"]
    legend = axes.get_legend()
    if not gone or legend is None:
        return
    artists, labels = axes.get_legend_handles_labels()
    if not artists:  # the legend was given as texts, in the order of the lines
        artists, labels = list(axes.lines), [text.get_text() for text in legend.get_texts()]
    kept = [(artist, label) for artist, label in zip(artists, labels, strict=False) if artist not in gone]
    for artist in gone:
        artist.remove()
    axes.legend(*zip(*kept, strict=True), loc="lower left", frameon=True, framealpha=0.7)


def histogram(
    numbers: Floats | NDArray[np.int64], what: str, *, percent: bool = False
) -> Callable[[Axes], object]:
    """Draw a histogram of numbers; ``what`` is counted."""

    def draw(axes: Axes) -> None:
        axes.hist(numbers, bins="auto", color="steelblue", alpha=0.8)
        axes.set_ylabel(what)
        canvas.whole_numbers(axes)
        if percent:
            canvas.percent_axis(axes, which="x")
        else:
            canvas.short_numbers(axes, which="x")

    return draw


def exact_ticks(axes: Axes) -> None:
    """Write percent on the x axis with the digits that each tick needs, which pyfolio rounds: 2.5 to 2."""
    from matplotlib.ticker import FuncFormatter

    axes.xaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{round(level, 6) + 0.0:g}%"))


def plain_log(axes: Axes) -> None:
    """Write the levels of a logarithmic axis in full."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    axes.yaxis.set_major_locator(MaxNLocator(7))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:.2f}"))
    axes.yaxis.set_minor_locator(NullLocator())


def readable(axes: Axes) -> None:
    """Shrink the numbers in the cells, drop axis labels that say nothing, and write years upright."""
    for text in axes.texts:
        text.set_fontsize("small")
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", rotation=0)


def legend_below(axes: Axes) -> None:
    """Put the legend below the axes."""
    if (beside := axes.get_legend()) is not None:
        beside.remove()
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="lower center", ncols=canvas.LEGEND_COLUMNS)


def relabelled(axes: Axes) -> None:
    """Name and colour the lines for a long-only run."""
    for line, colour in zip(axes.lines, (canvas.RUN, canvas.EQUAL_WEIGHT), strict=False):
        line.set(label=str(line.get_label()).replace("_long", ""), color=colour)


def engineering(axes: Axes) -> None:
    """Shorten large numbers of shares."""
    axes.set_ylabel("Shares traded")
    canvas.short_numbers(axes)
