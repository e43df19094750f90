"""Checks of units of measure: volume in lots, amount in thousands, numbers beyond what is usual."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import FEWEST, WINDOW, sides, worst
from data.checks.vwap import SCALES
from data.store.schema import ANY
from data.store.tables import FACT_TABLES
from data.words import count

# In powers of ten: how far volumes of two units of measure are apart, and a lot of 100 from a share.
_CLEARLY, _LOTS, _NEARLY = 1.3, 2.0, 0.5


def lots_for_shares(data: Inputs) -> Iterator[Finding]:
    """Find volume that is in lots (or in 10^4 shares), in a whole series or in a part of it.

    1. The units of measure of each bar, from amount / (volume x close) by month (`data.checks.vwap`).
    2. One finding for each unit of volume that is not shares. Where the series changes its unit, the
       finding names the months, and the day from which on it is in another unit.
    3. Of bars without an amount only a change tells: a hundred times the volume from one day on, with none of
       20 bars (5 at the end of a series) on either side near those of the other.
    """
    yield from _other_units(data, "lots-for-shares", "volume", 0)
    yield from _switched(data)


def amount_scale(data: Inputs) -> Iterator[Finding]:
    """Find amounts in thousands, 10^4 or 10^8 yuan, by the same ratio as `lots-for-shares`."""
    return _other_units(data, "amount-scale", "amount", 1)


def implausible_value(data: Inputs) -> Iterator[Finding]:
    """Find numbers beyond what is usual of a column (``Column.usual``): in percent, or wrong."""
    for table in FACT_TABLES:
        for column in (each for each in table.measured if each.usual != ANY):
            low, high = column.usual
            rows = data.tables[table.name]
            for series, wrong in rows[(rows[column.name] < low) | (rows[column.name] > high)].groupby(
                table.key[0]
            ):
                row = worst(wrong, column.name)
                yield Finding.on(
                    "implausible-value",
                    "warning",
                    table.name,
                    str(series),
                    wrong["day"],
                    f"`{column.name}` is not within {low:g} to {high:g} in {count(len(wrong), 'row')}, "
                    f"at worst {getattr(row, column.name):+g} on {row.day:%Y-%m-%d}",
                    "Compare with another source. If it is in percent, say so in a map file (--map).",
                )


def _other_units(data: Inputs, check: str, column: str, part: int) -> Iterator[Finding]:
    bars = data.vwap
    for symbol in bars.loc[bars["scale"] != 0, "symbol"].unique():
        rows = bars[bars["symbol"] == symbol]
        units = rows["scale"].map(lambda scale: SCALES[int(scale)][part])
        for unit in sorted(set(units) - {SCALES[0][part]}):
            wrong, right = rows[units == unit], rows[units != unit]
            extent = "in all rows"
            if len(right):
                extent = f"in {len(wrong)} rows from {wrong['day'].min():%Y-%m} to {wrong['day'].max():%Y-%m}"
                later = right[right["day"] > wrong["day"].max()]
                if len(later):
                    extent += f", and in {units[later.index[0]]} from {later['day'].iloc[0]:%Y-%m-%d} on"
            yield Finding.on(
                check,
                "error",
                "bars",
                str(symbol),
                wrong["day"],
                f"{column} is in {unit} {extent}: amount / (volume x close) is {wrong['ratio'].median():.3g}",
                f"Import again with the unit of `{column}` named in a map file (--map)"
                + (", each part from a file of its own." if len(right) else "."),
            )


def _switched(data: Inputs) -> Iterator[Finding]:
    """Find volumes without an amount that are a hundred times as large from one bar on, or as small."""
    bars = data.tables["bars"]
    bars = bars[bars["amount"].isna() & (bars["volume"] > 0)]
    logs = np.log10(bars["volume"].to_numpy(np.float64))
    symbols = bars["symbol"].to_numpy()
    near = np.flatnonzero((np.abs(np.diff(logs)) > _CLEARLY) & (symbols[1:] == symbols[:-1])) + 1
    for place in map(int, near):
        before, after = sides(logs, symbols, place)
        if min(len(before), len(after)) < FEWEST or len(before) + len(after) < WINDOW + FEWEST:
            continue
        middle_before, middle_after = float(np.median(before)), float(np.median(after))
        change = middle_after - middle_before
        apart = max(after.min() - before.max(), before.min() - after.max())
        if apart > _CLEARLY and abs(abs(change) - _LOTS) < _NEARLY:
            larger, first, then = ("more", "lots", "shares") if change > 0 else ("less", "shares", "lots")
            until = bars["day"].iloc[place - 1]
            yield Finding.on(
                "lots-for-shares",
                "warning",
                "bars",
                str(symbols[place]),
                bars["day"].iloc[place],
                f"volume is about a hundred times {larger} from this day on, {10**middle_before:,.0f} in the "
                f"middle before and {10**middle_after:,.0f} after, and no amount tells which is in lots",
                "Say in a map file (--map) what each part is in: "
                f'measures = {{ volume = "{first} until {until:%Y-%m-%d}, {then} after" }}.',
            )
