"""Checks of margin balances: they follow from purchases and repayments, and there is one on every session."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import grouped, worst
from data.words import count

# Yuan, and the part of the balance by which figures printed in 10^8 are rounded.
_ROUNDING, _ROUNDING_RATE = 1.0, 1e-5


def margin_identity(data: Inputs) -> Iterator[Finding]:
    """Find balances that are not the balance before, plus bought, less repaid.

    1. Only rows that have both flows and follow the session before (SZSE publishes no repayments).
    2. The difference may be one yuan, plus 0.001 % of the balance for figures that were rounded.
    """
    steps = data.steps("margin")
    steps = steps.assign(off=steps["balance"] - steps["before"] - steps["bought"] + steps["repaid"])
    wrong = (steps["skipped"] == 0) & (steps["off"].abs() > _ROUNDING + _ROUNDING_RATE * steps["balance"])
    for symbol, rows in grouped(steps[wrong], "symbol"):
        row = worst(rows, "off")
        yield Finding.on(
            "margin-identity",
            "warning",
            "margin",
            str(symbol),
            rows["day"],
            f"balance is not the one before + bought - repaid on {count(len(rows), 'day')}, "
            f"off by {row.off:,.0f} on {row.day:%Y-%m-%d}",
            "Net financing is taken from balances. Compare with another source; check units of measure.",
        )


def margin_gap(data: Inputs) -> Iterator[Finding]:
    """Find sessions without a balance after the first one, and balances of zero between positive ones.

    Before its first row a fund was not eligible. After it, no row is a gap in the data and never a zero.
    A series that skips sessions in most of its rows is published less often (FINRA's: monthly) and has none.
    """
    steps = data.steps("margin")
    followed = np.append(data.follows("margin"), False)[1:]
    after = steps["balance"].shift(-1).where(followed)
    steps = steps.assign(zero=(steps["balance"] == 0) & (steps["before"] > 0) & (after > 0))
    gap = steps["skipped"] > 0
    if not (gap | steps["zero"]).any():
        return
    daily = gap.groupby(steps["symbol"]).transform("mean") < 0.5
    for symbol, rows in grouped(steps[steps["zero"] | (gap & daily)], "symbol"):
        yield Finding.on(
            "margin-gap",
            "warning",
            "margin",
            str(symbol),
            rows["day"],
            f"{count(int(rows['skipped'].sum()), 'session')} without a balance after the first one, and "
            f"{count(int(rows['zero'].sum()), 'balance')} of zero",
            "Import the missing days. Leave days without a figure out, instead of writing zero.",
        )
