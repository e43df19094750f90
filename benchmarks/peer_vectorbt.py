"""The workload on vectorbt, in its fastest form: ``Portfolio.from_orders`` over many sets at once.

Target percentages with cash sharing, one group of columns a set, the call sequence sorted so that sells come
first; sized at the close before (``val_price=-inf``), executed at the open, in lots of 100. Rankings are made
once and shared by all sets; room is made for as many records as there can be orders, not for one a cell;
sets run in chunks, whose size is the fastest of those tried.

What it cannot express: a minimum of the commission, and buys in the order of the scores (smallest orders come
first). It is asked for neither. Without market rules; the numbers are approximate.

``python -m benchmarks.peer_vectorbt FILE.npz ENGINE`` is a cold start: imports, a file, a run, a line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.definition import (
    CASH,
    COMMISSION,
    FIRST_DECISION,
    LOT,
    SINGLE,
    SLIPPAGE,
    Floats,
    Set,
    Signals,
    performance,
)

if TYPE_CHECKING:
    from benchmarks.workload import Workload

# Columns (sets x funds) of a chunk: of 100 to 20,000 about the fastest, for 20 and for 200 funds.
COLUMNS = 1_000


def sweep(data: Workload, sets: Sequence[Set], engine: str, columns: int = COLUMNS) -> tuple[Floats, Floats]:
    """Return metrics (P, 4) and final equity (P,)."""
    funds = data.close.shape[1]
    signals = Signals(data, max(each.top for each in sets))
    # Sets that share a ranking are neighbours in the grid only; the order of a chunk is no matter here.
    size = min(max(1, columns // funds), len(sets))
    opening, close = _tiled(data, size)
    metrics, final = [], []
    for begin in range(0, len(sets), size):
        chunk = sets[begin : begin + size]
        width = len(chunk) * funds
        equity, traded = _portfolio(
            opening[:, :width], close[:, :width], _weights(signals, data, chunk), funds, engine
        )
        metrics.append(performance(equity, traded))
        final.append(equity[-1])
    return np.concatenate(metrics), np.concatenate(final)


def _tiled(data: Workload, sets: int) -> tuple[Floats, Floats]:
    return np.tile(data.open[FIRST_DECISION:], sets), np.tile(data.close[FIRST_DECISION:], sets)


def _weights(signals: Signals, data: Workload, sets: Sequence[Set]) -> Floats:
    """Return target weights (D, P * N) by session of execution, NaN where nothing is ordered."""
    sessions, funds = data.close.shape
    weights = np.full((sessions - FIRST_DECISION, len(sets), funds), np.nan)
    for number, each in enumerate(sets):
        decided, columns, taken = signals.chosen(each)
        rows = decided + 1 - FIRST_DECISION
        weights[rows, number] = 0.0
        at, place = np.nonzero(taken)
        weights[rows[at], number, columns[at, place]] = 1.0 / each.top
    return weights.reshape(len(weights), -1)


def _portfolio(
    opening: Floats, close: Floats, weights: Floats, funds: int, engine: str
) -> tuple[Floats, Floats]:
    """Return equity (D, P) and money traded (P,)."""
    import pandas as pd
    import vectorbt as vbt  # type: ignore[import-not-found, unused-ignore]

    sets = weights.shape[1] // funds
    groups = pd.Index(np.repeat(np.arange(sets), funds), name="set")
    portfolio: Any = vbt.Portfolio.from_orders(
        close,
        size=weights,
        size_type="targetpercent",
        direction="longonly",
        price=opening,
        val_price=-np.inf,  # the close before
        fees=COMMISSION,
        slippage=SLIPPAGE,
        size_granularity=LOT,
        init_cash=CASH,
        cash_sharing=True,
        group_by=groups,
        call_seq="auto",
        max_orders=int(np.isfinite(weights).sum()) + 1,
        engine=engine,
        freq="D",
    )
    equity: NDArray[np.float64] = portfolio.value().to_numpy()
    records = portfolio.order_records
    money = records["size"] * records["price"]
    traded = np.bincount(records["col"] // funds, weights=money, minlength=sets).astype(np.float64)
    return equity.reshape(len(equity), sets), traded


def main() -> None:
    with np.load(sys.argv[1]) as file:
        data: Any = SimpleNamespace(**file)
    metrics, _ = sweep(data, [SINGLE], sys.argv[2])
    print(*metrics[0])


if __name__ == "__main__":
    main()
