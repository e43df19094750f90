"""Figures about a score: its rank IC by horizon and through time, groups, and how fast it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.factors.diagnose import Diagnostics
from engine.factors.section import Horizon
from engine.report import canvas
from engine.report.canvas import Picture
from engine.statistics.factor import MeanSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

NORMAL_95 = 1.96


def factor_pictures(found: Diagnostics) -> list[Picture]:
    """Return the pictures that apply, by name; the page decides where each goes."""
    pictures = [_persistence(found)] if np.isfinite(found.main.autocorrelation.value) else []
    if len(found.days) > 1:
        pictures.append(_coverage(found))
    if np.isfinite(found.main.ic.mean):
        pictures += [_ic(found), _decay(found), _cumulated(found)]
    if np.isfinite(found.main.quantile_means).all():
        pictures.append(_groups(found))
    return pictures


def _labels(axes: Axes, found: Diagnostics) -> list[int]:
    """Label the axis of the horizons, and return their places on it."""
    places = list(range(len(found.horizons)))
    axes.set_xticks(places, [str(each.sessions) for each in found.horizons])
    axes.set_xlabel("Sessions")
    axes.grid(visible=False, axis="x")
    return places


def _error(summary: MeanSummary) -> float:
    """Half of the 95 % interval of the mean, from its robust t statistic."""
    t = summary.robust_t_statistic.value
    return float(abs(NORMAL_95 * summary.mean / t)) if t else float("nan")


def _bars(axes: Axes, found: Diagnostics, summaries: list[MeanSummary]) -> None:
    places = _labels(axes, found)
    heights = [each.mean for each in summaries]
    colours = [canvas.LOSS if height < 0.0 else canvas.RUN for height in heights]
    axes.bar(places, heights, width=0.62, color=colours, alpha=0.85, linewidth=0)
    axes.errorbar(
        places,
        heights,
        yerr=[_error(each) for each in summaries],
        fmt="none",
        ecolor=canvas.BENCHMARK,
        elinewidth=1.3,
        capsize=3,
    )
    axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)


def _ic(found: Diagnostics) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        _bars(axes, found, [each.ic for each in found.horizons])
        axes.set_title("Mean rank IC by horizon")

    return Picture(
        "ic",
        "Mean rank IC by horizon",
        "Lines are 95 % intervals that allow for overlap; one that crosses zero is no evidence.",
        draw,
    )


def _decay(found: Diagnostics) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        _bars(axes, found, [each.decay for each in found.horizons])
        spans = [f"{each.decay_after}-{each.sessions}" for each in found.horizons]
        axes.set_xticks(range(len(spans)), spans)
        axes.set_title("Decay: mean rank IC with later returns")

    return Picture(
        "decay",
        "Decay of the rank IC",
        "The same score against what is earned from the first to the second number of sessions later.",
        draw,
    )


def _cumulated(found: Diagnostics) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        for place, each in enumerate(_shown(found)):
            known = np.isfinite(each.ic_by_date)
            curve = np.cumsum(each.ic_by_date[known])
            main = each.sessions == found.main.sessions
            axes.plot(
                found.days[known],
                curve,
                color=canvas.RUN if main else canvas.SERIES[1 + place % 8],
                linewidth=1.6 if main else 1.0,
                label=f"{each.sessions} session{'' if each.sessions == 1 else 's'}",
            )
        axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        axes.set_title("Rank IC, added up")
        axes.legend(loc="upper left")
        axes.set_xlim(found.days[0], found.days[-1])
        canvas.date_axis(axes)

    return Picture(
        "cumulated",
        "Rank IC added up over the sessions",
        "A straight climb is a score that works all the time; a step is one that worked once. By the session "
        "of the score.",
        draw,
        wide=True,
        height=3.2,
    )


def _shown(found: Diagnostics) -> list[Horizon]:
    """Return the shortest, the main and the longest horizon that have a rank IC, each once."""
    known = [each for each in found.horizons if np.isfinite(each.ic.mean)]
    wanted = {known[0].sessions, found.main.sessions, known[-1].sessions}
    return [each for each in known if each.sessions in wanted]


def _groups(found: Diagnostics) -> Picture:
    main = found.main
    names = ["bottom", *(str(number) for number in range(2, found.quantiles)), "top"]

    def draw(figure: Figure | SubFigure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1, 2))
        left.bar(
            range(len(names)), main.quantile_means, width=0.62, color=canvas.RUN, alpha=0.85, linewidth=0
        )
        left.set_xticks(range(len(names)), names)
        left.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        left.grid(visible=False, axis="x")
        left.set_title(f"Mean return over {main.sessions} session{'' if main.sessions == 1 else 's'}")
        canvas.percent_axis(left)
        places = _labels(right, found)
        for name, group, colour in (("top", -1, canvas.GAIN), ("bottom", 0, canvas.LOSS)):
            means = [each.quantile_means[group] / each.sessions for each in found.horizons]
            right.plot(places, means, "o-", color=colour, markersize=4, linewidth=1.4, label=name)
        right.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        right.set_title("Mean return a session, by horizon")
        right.legend(loc="best")
        canvas.percent_axis(right)

    return Picture(
        "groups",
        "Mean returns of groups by score",
        "Left: each group, the lowest scores first; a score that orders all funds makes a staircase. Right: "
        "top and bottom group, over the number of sessions, so that horizons compare.",
        draw,
        wide=True,
        height=3.2,
    )


def _persistence(found: Diagnostics) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        places = _labels(axes, found)
        for label, values, colour in (
            ("rank autocorrelation", [each.autocorrelation.value for each in found.horizons], canvas.RUN),
            ("new in top group", [each.turnover_top.value for each in found.horizons], canvas.EQUAL_WEIGHT),
        ):
            axes.plot(places, values, "o-", color=colour, markersize=4, linewidth=1.4, label=label)
        axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        axes.set_xlabel("Sessions apart")
        axes.set_title("How fast the score changes")
        axes.legend(loc="best")

    return Picture(
        "persistence",
        "Autocorrelation and turnover of the score",
        "Rank correlation of the scores with those of so many sessions before, and the share of the top "
        "group that was not in it then.",
        draw,
    )


def _coverage(found: Diagnostics) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        scored = np.isfinite(found.scores).sum(axis=1)
        listed = scored / np.where(found.coverage > 0.0, found.coverage, np.nan)
        axes.step(
            found.days, listed, where="post", color=canvas.BENCHMARK, linewidth=1.2, label="funds listed"
        )
        axes.step(
            found.days, scored, where="post", color=canvas.RUN, linewidth=1.4, label="funds with a score"
        )
        axes.set_ylim(bottom=0.0)
        axes.locator_params(axis="y", integer=True)
        axes.set_xlim(found.days[0], found.days[-1])
        axes.set_title("Coverage")
        axes.legend(loc="lower right")
        canvas.date_axis(axes)

    return Picture(
        "coverage", "Coverage", "Funds that are listed on a session, and those of them with a score.", draw
    )
