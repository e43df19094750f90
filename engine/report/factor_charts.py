"""Charts about a score: its rank IC by horizon and through time, groups, and how fast it changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.factors.diagnose import Diagnostics
from engine.factors.section import Horizon
from engine.report.charts import Chart, Panel, Series
from engine.result import Floats
from engine.statistics.factor import MeanSummary

NORMAL_95 = 1.96
HEIGHT = 190


def factor_charts(found: Diagnostics) -> list[Chart]:
    """Return the charts that apply; the page decides where each goes."""
    charts = [_persistence(found)] if np.isfinite(found.main.autocorrelation.value) else []
    if len(found.days) > 1:
        charts.append(_coverage(found))
    if np.isfinite(found.main.ic.mean):
        charts += [_ic(found), _decay(found), _cumulated(found)]
    if np.isfinite(found.main.quantile_means).all():
        charts += [_groups(found), _ends(found)]
    return charts


def _sessions(found: Diagnostics) -> Floats:
    """Return the axis of the horizons, by name."""
    return np.array([str(each.sessions) for each in found.horizons])


def _means(title: str, summaries: Sequence[MeanSummary]) -> Panel:
    """Return means as bars with their 95 % intervals, from the robust t statistic of each."""
    means = np.array([each.mean for each in summaries])
    t = np.array([each.robust_t_statistic.value for each in summaries], dtype=np.float64)
    error = np.abs(np.divide(NORMAL_95 * means, t, out=np.full(len(t), np.nan), where=t != 0.0))
    series = [Series("mean", "bars", "run", means)]
    if np.isfinite(error).any():
        series.append(Series("95% interval", "ranges", "ink", means + error, low=means - error))
    return Panel(title, tuple(series), "number", HEIGHT)


def _ic(found: Diagnostics) -> Chart:
    return Chart(
        "ic",
        "Mean rank IC by horizon",
        "Lines are 95% intervals that allow for overlap; one that crosses zero is no evidence.",
        _sessions(found),
        (_means("Mean rank IC by horizon", [each.ic for each in found.horizons]),),
        axis_title="Sessions",
    )


def _decay(found: Diagnostics) -> Chart:
    return Chart(
        "decay",
        "Decay of the rank IC",
        "The same score against what is earned from the first to the second number of sessions later.",
        np.array([f"{each.decay_after}-{each.sessions}" for each in found.horizons]),
        (_means("Decay: mean rank IC with later returns", [each.decay for each in found.horizons]),),
        axis_title="Sessions",
    )


def _cumulated(found: Diagnostics) -> Chart:
    series = []
    for place, each in enumerate(_shown(found), start=2):
        known = np.flatnonzero(np.isfinite(each.ic_by_date))
        main = each.sessions == found.main.sessions
        name = f"{each.sessions} session{'' if each.sessions == 1 else 's'}"
        curve = np.cumsum(each.ic_by_date[known])
        series.append(Series(name, "line", "run" if main else f"s{place}", curve, known))
    return Chart(
        "cumulated",
        "Rank IC added up over the sessions",
        "A straight climb is a score that works all the time; a step is one that worked once. By the session "
        "of the score.",
        found.days,
        (Panel("Rank IC, added up", tuple(series), "number", 220),),
        wide=True,
        zoom=True,
    )


def _shown(found: Diagnostics) -> list[Horizon]:
    """Return the shortest, the main and the longest horizon that have a rank IC, each once."""
    known = [each for each in found.horizons if np.isfinite(each.ic.mean)]
    wanted = {known[0].sessions, found.main.sessions, known[-1].sessions}
    return [each for each in known if each.sessions in wanted]


def _groups(found: Diagnostics) -> Chart:
    main = found.main
    names = ["bottom", *(str(number) for number in range(2, found.quantiles)), "top"]
    title = f"Mean return over {main.sessions} session{'' if main.sessions == 1 else 's'}"
    means = Series("mean", "bars", "run", np.asarray(main.quantile_means, dtype=np.float64))
    return Chart(
        "groups",
        "Mean returns of groups by score",
        "The lowest scores first; a score that orders all funds makes a staircase.",
        np.array(names),
        (Panel(title, (means,), height=HEIGHT),),
        axis_title="Group",
    )


def _ends(found: Diagnostics) -> Chart:
    series = tuple(
        Series(
            name,
            "line",
            colour,
            np.array([each.quantile_means[group] / each.sessions for each in found.horizons]),
        )
        for name, group, colour in (("top", -1, "rise"), ("bottom", 0, "fall"))
    )
    return Chart(
        "ends",
        "Top and bottom group by horizon",
        "Over the number of sessions, so that horizons compare.",
        _sessions(found),
        (Panel("Mean return a session, by horizon", series, height=HEIGHT),),
        axis_title="Sessions",
    )


def _persistence(found: Diagnostics) -> Chart:
    series = (
        Series(
            "rank autocorrelation",
            "line",
            "run",
            np.array([each.autocorrelation.value for each in found.horizons]),
        ),
        Series(
            "new in top group",
            "line",
            "equal",
            np.array([each.turnover_top.value for each in found.horizons]),
        ),
    )
    return Chart(
        "persistence",
        "Autocorrelation and turnover of the score",
        "Rank correlation of the scores with those of so many sessions before, and the share of the top "
        "group that was not in it then.",
        _sessions(found),
        (Panel("How fast the score changes", series, "number", HEIGHT),),
        axis_title="Sessions apart",
    )


def _coverage(found: Diagnostics) -> Chart:
    scored = np.isfinite(found.scores).sum(axis=1).astype(np.float64)
    listed = scored / np.where(found.coverage > 0.0, found.coverage, np.nan)
    series = (
        Series("funds listed", "steps", "benchmark", listed),
        Series("funds with a score", "area", "run", scored),
    )
    return Chart(
        "coverage",
        "Coverage",
        "Funds that are listed on a session, and those of them with a score.",
        found.days,
        (Panel("Coverage", series, "count", HEIGHT),),
    )
