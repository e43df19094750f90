"""Figures about what was bought and why: return while held by flow, score and rank, and holding periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.report import canvas
from engine.report.canvas import Picture
from engine.result import Floats, Result
from engine.results.trades import Holding

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MOST_RANKS = 8
FEWEST_HOLDINGS = 9  # three in each third


def entry_pictures(result: Result, held: list[Holding]) -> list[Picture]:
    """Return the pictures that apply; those of the reasons take nine holdings, and reasons that differ."""
    return [*_reasons(held), *_ranks(result, held), _holding_periods(held)]


def _reasons(held: list[Holding]) -> list[Picture]:
    """Return of each holding against what it was entered on: the flow, and the score."""
    gained = np.array([holding.price_return for holding in held])
    pictures = []
    for name, label, values, percent in (
        (
            "flow",
            "Net flow of 20 sessions over AUM at entry",
            np.array([holding.flow for holding in held]),
            True,
        ),
        ("score", "Score at entry", np.array([holding.score for holding in held]), False),
    ):
        known = np.isfinite(values) & np.isfinite(gained)
        if known.sum() < FEWEST_HOLDINGS or np.ptp(values[known]) == 0.0:
            continue
        pictures.append(_reason(name, label, values[known], gained[known], percent=percent))
    return pictures


def _reason(name: str, label: str, values: Floats, gained: Floats, *, percent: bool) -> Picture:
    thirds = np.quantile(values, [1 / 3, 2 / 3])
    groups = [gained[np.digitize(values, thirds) == group] for group in range(3)]
    spans = [values[np.digitize(values, thirds) == group] for group in range(3)]

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        colours = np.where(gained >= 0.0, canvas.GAIN, canvas.LOSS)
        axes.scatter(values, gained, s=9, c=colours.tolist(), alpha=0.55, linewidths=0)
        axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        for group, span in zip(groups, spans, strict=True):
            if len(group):
                axes.hlines(group.mean(), span.min(), span.max(), color=canvas.RUN, linewidth=2.2)
        axes.set_title("Return while held by " + ("flow" if name == "flow" else "score") + " at entry")
        axes.set_xlabel(label)
        canvas.percent_axis(axes)
        if percent:
            canvas.percent_axis(axes, which="x")

    means = " / ".join(f"{group.mean():+.2%}" if len(group) else "n/a" for group in groups)
    return Picture(
        f"{name}_at_entry",
        label,
        f"Each point is a holding. Blue bars: mean return of the lowest, middle and highest third: {means}.",
        draw,
    )


def _ranks(result: Result, held: list[Holding]) -> list[Picture]:
    """Return of the holdings by the rank of their score among all funds of the decision."""
    decision = {day: index for index, day in enumerate(result.decision_days)}
    gained: dict[int, list[float]] = {}
    for holding in held:
        if np.isfinite(holding.score):
            scores = result.scores[decision[result.days[holding.entry]]]
            gained.setdefault(1 + int((scores > holding.score).sum()), []).append(holding.price_return)
    ranks = sorted(rank for rank in gained if rank <= MOST_RANKS)
    if len(ranks) < 2 or sum(map(len, gained.values())) < FEWEST_HOLDINGS:
        return []

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        means = [float(np.mean(gained[rank])) for rank in ranks]
        bars = axes.bar(ranks, means, color=[canvas.GAIN if mean >= 0.0 else canvas.LOSS for mean in means])
        shares = [float(np.mean(np.array(gained[rank]) > 0.0)) for rank in ranks]
        axes.bar_label(
            bars,
            [f"{share:.0%} of {len(gained[rank])}" for share, rank in zip(shares, ranks, strict=True)],
            fontsize="small",
            padding=2,
        )
        axes.axhline(0.0, color=canvas.BENCHMARK, linewidth=0.8)
        axes.margins(y=0.15)
        axes.set_xticks(ranks)
        axes.grid(visible=False, axis="x")
        axes.set_title("Return while held by rank at entry")
        axes.set_xlabel("Rank of the score, 1 is the highest")
        canvas.percent_axis(axes)

    caption = "Mean return of the holdings; at the bars: the share of them that gained, and their number."
    return [Picture("rank_at_entry", "Rank at entry", caption, draw)]


def _holding_periods(held: list[Holding]) -> Picture:
    sessions = np.array([holding.sessions for holding in held])

    def draw(figure: Figure | SubFigure) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        width = max(1, -(-int(sessions.max()) // 40))
        edges = np.arange(0.5, sessions.max() + width + 0.5, width)
        axes.hist(sessions, bins=edges.tolist(), color=canvas.RUN, alpha=0.8)
        axes.axvline(float(np.median(sessions)), color=canvas.EQUAL_WEIGHT, linewidth=1.4)
        axes.set_title("How long a fund was held")
        axes.set_xlabel("Sessions held")
        axes.set_ylabel("Holdings")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))

    return Picture(
        "holding_periods",
        "Holding periods",
        f"From the first purchase until nothing was left; median {np.median(sessions):.0f} sessions "
        f"(orange line), longest {sessions.max()}.",
        draw,
    )
