"""A check of exchange rates: of another pair, for a hundred of the currency, or with a digit too many."""

from __future__ import annotations

from collections.abc import Iterator

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import grouped, records

# What a rate can be: a dollar cost 1.5 yuan in 1980, and 8.7 in 1994. No two pairs overlap.
_POSSIBLE = {"USDCNY": (1.4, 10.0), "CNYUSD": (0.1, 0.7)}
# On no day since 1994 did it move by more than 2 %.
_LARGEST_MOVE = 0.05


def exchange_rate(data: Inputs) -> Iterator[Finding]:
    """Find exchange rates that cannot be those of the pair, and warn of moves by more than 5 % in a row."""
    for pair, rows in grouped(data.tables["fx"], "pair"):
        low, high = _POSSIBLE[str(pair)]
        wrong = rows[~rows["rate"].between(low, high)]
        if len(wrong):
            yield Finding.on(
                "exchange-rate",
                "error",
                "fx",
                str(pair),
                wrong["day"],
                f"{wrong['rate'].iloc[0]:g} is no rate of {pair}, which is from {low:g} to {high:g}",
                "It is that of another pair, turned round, or for 100: name the pair, and the unit of "
                "`rate`, in a map file (--map).",
            )
    steps = data.steps("fx")
    for row in records(
        steps[steps["rate"].between(0.1, 10.0) & ((steps["ratio"] - 1).abs() > _LARGEST_MOVE)]
    ):
        yield Finding.on(
            "exchange-rate",
            "warning",
            "fx",
            row.pair,
            row.day,
            f"the rate moves from {row.before:g} to {row.rate:g} from one row to the next",
            "Compare with another source.",
        )
