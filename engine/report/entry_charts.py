"""Charts about what was bought and why: return while held by flow, score and rank, and holding periods."""

from __future__ import annotations

import numpy as np

from engine.report.charts import Chart, Panel, Scale, Series
from engine.result import Floats, Result
from engine.results.trades import Holding

MOST_RANKS = 8
FEWEST_HOLDINGS = 9  # three in each third
MOST_BARS = 40


def entry_charts(result: Result, held: list[Holding]) -> list[Chart]:
    """Return the charts that apply; those of the reasons take nine holdings, and reasons that differ."""
    return [*_reasons(held), *_ranks(result, held), _holding_periods(held)]


def _reasons(held: list[Holding]) -> list[Chart]:
    """Return of each holding against what it was entered on: the flow, and the score."""
    gained = np.array([holding.price_return for holding in held])
    flow = np.array([holding.flow for holding in held])
    score = np.array([holding.score for holding in held])
    charts = []
    for name, label, values, scale in (
        ("flow", "Net flow of 20 sessions over AUM at entry", flow, "percent"),
        ("score", "Score at entry", score, "number"),
    ):
        known = np.isfinite(values) & np.isfinite(gained)
        if known.sum() >= FEWEST_HOLDINGS and np.ptp(values[known]) > 0.0:
            charts.append(_reason(name, label, values[known], gained[known], scale))  # type: ignore[arg-type]
    return charts


def _reason(name: str, label: str, values: Floats, gained: Floats, scale: Scale) -> Chart:
    order = np.argsort(values, kind="stable")
    values, gained = values[order], gained[order]
    third = np.digitize(values, np.quantile(values, [1 / 3, 2 / 3]))
    series = [
        Series("gained", "points", "rise", gained[gained >= 0.0], np.flatnonzero(gained >= 0.0)),
        Series("lost", "points", "fall", gained[gained < 0.0], np.flatnonzero(gained < 0.0)),
    ]
    means = []
    for group in range(3):
        rows = np.flatnonzero(third == group)
        if len(rows):
            mean = float(gained[rows].mean())
            called = "" if group else "mean of a third"  # once in the legend
            series.append(Series(called, "line", "run", np.full(len(rows), mean), rows))
        means.append(f"{gained[rows].mean():+.2%}" if len(rows) else "n/a")
    panel = Panel(
        "Return while held by " + ("flow" if name == "flow" else "score") + " at entry",
        tuple(series),
        height=190,
    )
    return Chart(
        f"{name}_at_entry",
        label,
        "Each point is a holding. Blue bars: mean return of the lowest, middle and highest third: "
        f"{' / '.join(means)}.",
        values,
        (panel,),
        axis_title=label,
        axis_scale=scale,
    )


def _ranks(result: Result, held: list[Holding]) -> list[Chart]:
    """Return of the holdings by the rank of their score among all funds of the decision."""
    gained: dict[int, list[float]] = {}
    for holding in held:
        if holding.decision is not None and np.isfinite(holding.score):
            scores = result.scores[holding.decision]
            gained.setdefault(1 + int((scores > holding.score).sum()), []).append(holding.price_return)
    ranks = sorted(rank for rank in gained if rank <= MOST_RANKS)
    if len(ranks) < 2 or sum(map(len, gained.values())) < FEWEST_HOLDINGS:
        return []
    means = np.array([np.mean(gained[rank]) for rank in ranks])
    shares = [f"{rank}: {np.mean(np.array(gained[rank]) > 0.0):.0%} of {len(gained[rank])}" for rank in ranks]
    return [
        Chart(
            "rank_at_entry",
            "Rank at entry",
            "Mean return of the holdings by the rank of their score, 1 is the highest. How many gained: "
            + ", ".join(shares)
            + ".",
            np.array([str(rank) for rank in ranks]),
            (
                Panel(
                    "Return while held by rank at entry", (Series("mean", "bars", "rise", means),), height=190
                ),
            ),
            axis_title="Rank of the score, 1 is the highest",
        )
    ]


def _holding_periods(held: list[Holding]) -> Chart:
    sessions = np.array([holding.sessions for holding in held])
    width = max(1, -(-int(sessions.max()) // MOST_BARS))
    counts = np.bincount((sessions - 1).clip(0) // width).astype(np.float64)
    names = [
        str(1 + width * place) if width == 1 else f"{1 + width * place}-{width * (place + 1)}"
        for place in range(len(counts))
    ]
    return Chart(
        "holding_periods",
        "Holding periods",
        f"From the first purchase until nothing was left; median {np.median(sessions):.0f} sessions, longest "
        f"{sessions.max()}.",
        np.array(names),
        (Panel("How long a fund was held", (Series("holdings", "bars", "run", counts),), "count", 190),),
        axis_title="Sessions held",
    )
