"""The workload on polars-backtest (Rust over Polars): weights by session, traded at the open after.

Signal and decisions come from ``definition.Signals``, in numpy; the frame and the portfolio are its own. It
has one price a session, at which it trades and values, rates of costs, and shares in any fraction: no lots,
no limit of cash, no minimum of the commission, no slippage but as a rate. The numbers are approximate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.definition import CASH, COMMISSION, FIRST_DECISION, SLIPPAGE, Set, Signals

if TYPE_CHECKING:
    from benchmarks.workload import Workload


def one(data: Workload, each: Set) -> float:
    """Return the final equity of one set."""
    import polars as pl  # type: ignore[import-not-found, unused-ignore]
    import polars_backtest  # type: ignore[import-not-found, unused-ignore]

    opening = data.open[FIRST_DECISION:]
    sessions, funds = opening.shape
    # It trades where they change: the same decision twice is one for it.
    weights = np.zeros((sessions, funds))
    for session, columns, taken in zip(*Signals(data, each.top).chosen(each), strict=True):
        weights[session - FIRST_DECISION :] = 0.0
        weights[session - FIRST_DECISION :, columns[taken]] = 1.0 / each.top
    frame = pl.DataFrame(
        {
            "date": np.repeat(data.days[FIRST_DECISION:], funds),
            "symbol": np.tile(np.arange(funds), sessions),
            "open": opening.ravel(),
            "weight": weights.ravel(),
        }
    ).with_columns(pl.col("symbol").cast(pl.String))
    found = polars_backtest.backtest(
        frame,
        trade_at_price="open",
        position="weight",
        resample=None,
        fee_ratio=COMMISSION + SLIPPAGE,
        tax_ratio=0.0,
    )
    return CASH * float(found["creturn"][-1])
