"""pyfolio's tables as HTML: its numbers, our formats, and a word where a definition differs from ours.

The numbers come from the functions that compute them, not from those that print, so that nothing is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from data.words import number, percent
from engine.metrics.benchmark import alpha, beta, flat
from engine.metrics.path import Path
from engine.report.html import Safe, join, table, tag
from engine.report.pyfolio_door import pyfolio
from engine.report.pyfolio_inputs import FEWEST_ROUND_TRIPS, Inputs, corrected
from engine.result import Result
from engine.statistics.paths import observed

Tables = Mapping[str, pd.DataFrame]

AS_PERCENT = {
    "Annual return",
    "Cumulative returns",
    "Annual volatility",
    "Max drawdown",
    "Daily value at risk",
    "Daily turnover",
    "Alpha",
}
DIFFERENT = {
    "Daily value at risk": "mean minus two standard deviations; ours is the 5th percentile",
    "Daily turnover": "two-sided, over the invested book; ours is one way, over equity",
    "Kurtosis": "excess",
}


def pyfolio_tables(result: Result, inputs: Inputs) -> dict[str, pd.DataFrame]:
    """Return the tables of pyfolio's sheets that apply, as it computes them, by name.

    ``performance``, ``drawdowns``, ``positions``; with five round trips or more also those of
    ``gen_round_trip_stats`` under ``summary``, ``pnl``, ``duration``, ``returns`` and ``symbols``. There are
    none where nothing was bought.
    """
    if not inputs.drawable:
        return {}
    with corrected(result.sessions_per_year), np.errstate(all="ignore"):
        pos, round_trips, timeseries = pyfolio().pos, pyfolio().round_trips, pyfolio().timeseries

        largest, _, _ = pos.get_top_long_short_abs(pos.get_percent_alloc(inputs.positions))
        tables: dict[str, pd.DataFrame] = {
            "performance": timeseries.perf_stats(
                inputs.returns, inputs.benchmark, inputs.positions, inputs.transactions
            ).to_frame("run"),
            "drawdowns": timeseries.gen_drawdown_table(inputs.anchored, top=5).dropna(how="all"),
            "positions": largest.to_frame("max"),
        }
        path = Path.of_result(result)
        if observed(path.benchmark) < 1.0 and flat(path) is None:
            # pyfolio would hold one session of ours against a gap of the benchmark.
            tables["performance"].loc[["Alpha", "Beta"], "run"] = [alpha(path), beta(path)]
        if len(inputs.trades) >= FEWEST_ROUND_TRIPS:
            tables |= round_trips.gen_round_trip_stats(inputs.trades)
    return tables


def pyfolio_sections(tables: Tables, per_year: float) -> Safe:
    """Return all tables that there are, in two columns."""
    if not tables:
        return Safe("")
    made = [_performance(tables["performance"], per_year), _drawdowns(tables["drawdowns"])]
    if len(tables["positions"]):
        rows = [(name, percent(value)) for name, value in tables["positions"]["max"].items()]
        made.append(table(("Fund", "Highest weight"), rows, caption="Ten largest positions of all time"))
    if "summary" in tables:
        made += _round_trips(tables)
    return tag("div", *(tag("div", part) for part in made), class_="columns")


def _performance(statistics: pd.DataFrame, per_year: float) -> Safe:
    rows = [
        (
            join(name, tag("small", DIFFERENT[name])) if name in DIFFERENT else name,
            percent(value) if name in AS_PERCENT else number(value),
        )
        for name, value in statistics["run"].items()
    ]
    caption = f"Performance, annualised on {per_year:g} sessions (pyfolio by itself: 252)"
    return table(("", "Run"), rows, caption=caption)


def _drawdowns(falls: pd.DataFrame) -> Safe:
    rows = [
        (
            percent(row["Net drawdown in %"] / 100.0),
            *(
                "open" if pd.isna(row[name]) else f"{row[name]:%Y-%m-%d}"
                for name in ("Peak date", "Valley date", "Recovery date")
            ),
            number(row["Duration"], 0),
        )
        for _, row in falls.iterrows()
    ]
    head = ("Depth", "Peak", "Valley", "Recovery", "Weekdays")
    caption = "Worst drawdowns; weekdays include holidays, unlike the sessions above"
    return table(head, rows, text_columns=0, caption=caption)


def _round_trips(tables: Tables) -> list[Safe]:
    def days(value: pd.Timedelta) -> str:
        return number(value / pd.Timedelta(days=1), 1)

    def plain(value: float) -> str:
        return number(value, 0 if value == int(value) else 2)

    def money(value: float) -> str:
        return number(value, 2 if abs(value) < 1000.0 else 0)

    formats: dict[str, tuple[str, Callable[..., str]]] = {
        "summary": ("Round trips; what is still held counts as sold at the last mark", plain),
        "pnl": ("Round trips: profit in money, before commission and fees", money),
        "duration": ("Round trips: calendar days held", days),
        "returns": ("Round trips: return on equity", percent),
    }
    made = []
    for name, (caption, show) in formats.items():
        rows = [
            (
                str(label).replace("round_trips", "round trips"),
                percent(value, 1) if label == "Percent profitable" else show(value),
            )
            for label, value in tables[name]["All trades"].items()
        ]
        made.append(table(("", "All"), rows, caption=caption))
    symbols = tables["symbols"]
    by_fund = [
        (symbol, *(percent(symbols.loc[label, symbol]) for label in symbols.index[:3]))
        for symbol in symbols.columns
    ]
    head = ("Fund", "Mean", "Mean of gains", "Mean of losses")
    made.append(table(head, by_fund, caption="Round trips: return on equity by fund"))
    return made
