"""A check of counts against the money that a fund says it has: units times NAV are its net assets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import Floats, records
from data.words import count

# Issuers may date a count a session later than the money that it came for: a small fund is off by a third on
# such a day. Classes of units that are not traded may hold four times as much as the one that is.
_APART, _ANOTHER_UNIT = 1.5, 5.0


def net_assets(data: Inputs) -> Iterator[Finding]:
    """Find units and NAV whose product is not what the fund publishes as its net assets.

    1. How many times the net assets units times NAV are, on days that have all three, and by what factor that
       is off, up or down. From the record day of a split to its ex-day the count and NAV may be on two
       bases: there the nearest one counts.
    2. Off by 5 or more in the middle of a fund's days: one of the three is in another unit of measure, an
       error. So a count that is 10 or 100 times too large or too small is told by one fund alone.
    3. Off by 1.5 or more on a day: a warning that names the worst.
    """
    published = data.tables["nav"][["symbol", "day", "nav", "net_assets"]]
    published = published[published["net_assets"] > 0]
    if published.empty:
        return
    days = published.merge(data.tables["units"][["symbol", "day", "units"]], on=["symbol", "day"])
    days["times"] = days["units"] * days["nav"] / days["net_assets"]
    days["off"] = _off(days, data.splits)
    for symbol, rows in days.groupby("symbol"):
        middle = float(rows["off"].median())
        if middle >= _ANOTHER_UNIT:
            wrong = rows[rows["off"] >= middle].sort_values("off", kind="stable")
            yield Finding.on(
                "net-assets",
                "error",
                "units",
                str(symbol),
                rows.loc[rows["off"] >= _ANOTHER_UNIT, "day"],
                f"{_told(wrong.head(1))}, in the middle of {count(len(rows), 'day')}",
                "Name the units of measure of `units` and of `net_assets` in a map file (--map). If the net "
                "assets are those of several classes of units together, leave them out.",
            )
        elif len(wrong := rows[rows["off"] >= _APART]):
            yield Finding.on(
                "net-assets",
                "warning",
                "units",
                str(symbol),
                wrong["day"],
                f"{_told(wrong[wrong['off'] == wrong['off'].max()].head(1))}, the worst of "
                f"{count(len(wrong), 'day')} of {len(rows):,} on which they are off by half or more",
                "Compare with the fund company's own file: one of them is wrong, or dated a session late.",
            )


def _off(days: pd.DataFrame, splits: pd.DataFrame) -> Floats:
    """Return by what factor each day is off, 1 or more, on the nearest basis where a split takes effect."""
    logs = np.log(days["times"].to_numpy(np.float64))
    off = np.abs(logs)
    for split in records(splits[splits["symbol"].isin(days["symbol"])]):
        between = days["day"].between(split.record_day, split.ex_day)
        here = ((days["symbol"] == split.symbol) & between).to_numpy()
        ratio = np.log(float(split.ratio))
        off[here] = np.minimum(off[here], np.minimum(np.abs(logs - ratio), np.abs(logs + ratio))[here])
    factors: Floats = np.exp(off)
    return factors


def _told(row: pd.DataFrame) -> str:
    """Say what the three are on a day, and how they disagree."""
    (day,) = records(row)
    return (
        f"units times NAV are {day.times:.3g} times the published net assets on {day.day:%Y-%m-%d} "
        f"({day.units:,.0f} x {day.nav:g} against {day.net_assets:,.0f})"
    )
