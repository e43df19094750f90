"""Tables of a run by time: drawdowns, months and years, trailing returns, best and worst days, wins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.words import NOT_AVAILABLE, number, percent
from engine.metrics import (
    drawdowns,
    extreme_days,
    monthly_returns,
    trailing_returns,
    win_rates,
    yearly_returns,
)
from engine.metrics.declared import alternatives_to
from engine.report.html import Safe, shaded, table, tag
from engine.result import Result
from engine.results.trades import Holding, by_family


def drawdown_table(result: Result) -> Safe:
    """Return the five deepest drawdowns."""
    rows = [
        (
            percent(fall.depth),
            fall.peak or "start",
            fall.trough,
            fall.recovery or "open",
            fall.to_trough,
            fall.under_water,
        )
        for fall in drawdowns(result)
    ]
    head = ("Depth", "Peak", "Trough", "Recovered", "Sessions to trough", "Sessions under water")
    caption = "Five deepest drawdowns, from the initial capital"
    return table(head, rows, text_columns=0, caption=caption) if rows else tag("p", "Equity never fell.")


def calendar_tables(result: Result) -> Safe:
    """Return compounded returns by month and by year, as heat maps."""
    months, years = monthly_returns(result), _once(result, yearly_returns(result))
    most = float(np.nanmax(np.abs(months.to_numpy())))
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    rows = [
        (
            str(year),
            *(shaded(value, number(value * 100.0, 1), full=most) for value in months.loc[year]),
            *(tag("td", number(years.loc[year, column] * 100.0, 1)) for column in years.columns),
        )
        for year in months.index
    ]
    head = ("", *names, "Year", *alternatives_to(result).values())
    return table(head, rows, caption="Returns by month and by year, %, compounded", class_="heat")


def trailing_table(result: Result) -> Safe:
    """Return compounded returns of the latest months and years."""
    found = _once(result, trailing_returns(result))
    rows = [
        (name.capitalize(), *(percent(found.loc[name, column]) for column in found.columns))
        for name in found.index
    ]
    caption = f"Returns up to {result.days[-1]}, compounded; n/a where the run is shorter"
    return table(("", "Run", *alternatives_to(result).values()), rows, caption=caption)


def days_table(result: Result) -> Safe:
    """Return the best and the worst days."""
    rows = [
        (row.pop("day").date(), *map(percent, row.values()))
        for row in _once(result, extreme_days(result)).to_dict("records")
    ]
    head = ("Day", "Run", *alternatives_to(result).values())
    return table(head, rows, caption="Best and worst days", sort=True) if rows else Safe("")


def _once(result: Result, returns: pd.DataFrame) -> pd.DataFrame:
    """Return a table of returns without the benchmark where that is equal weight, which has its column."""
    return returns.drop(columns="benchmark") if result.against_equal_weight else returns


def win_table(result: Result, held: list[Holding]) -> Safe:
    """Return how often the run gained, and how often it beat its benchmark."""
    found = win_rates(result)
    rows = [
        (
            f"{name.capitalize()}",
            f"{found.loc[name, 'won']:,.0f} of {found.loc[name, 'of']:,.0f}",
            percent(found.loc[name, "won"] / found.loc[name, "of"], 0),
            percent(found.loc[name, "beat"], 0),
        )
        for name in found.index
    ]
    if held:
        won = sum(family.won for family in by_family(result, held))
        rows.append(("Holdings", f"{won:,} of {len(held):,}", percent(won / len(held), 0), NOT_AVAILABLE))
    return table(("", "Gained", "Share", "Above the benchmark"), rows, caption="How often it gained")
