"""The workload on akquant (a Rust engine that calls a strategy in Python): weights at the close of a session.

Signal and decisions come from ``definition.Signals``, in numpy; feeds, sizes and orders are its own. It knows
lots, a minimum of the commission and slippage, and no two prices at which an order is sized: it sizes at the
close, as the definition does, and what cash does not cover it cuts in another way. Numbers are approximate.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.definition import (
    CASH,
    COMMISSION,
    COMMISSION_MIN,
    FIRST_DECISION,
    LOT,
    SLIPPAGE,
    Set,
    Signals,
)

if TYPE_CHECKING:
    from benchmarks.workload import Workload


def one(data: Workload, each: Set) -> float:
    """Return the final equity of one set."""
    import akquant as engine  # type: ignore[import-not-found, unused-ignore]
    import pandas as pd

    logging.disable(logging.CRITICAL)  # it writes a line for each purchase that waits for a sale
    dates = pd.DatetimeIndex(data.days[FIRST_DECISION:].astype("datetime64[ns]"))
    asked: dict[Any, dict[str, float]] = {}
    for session, columns, taken in zip(*Signals(data, each.top).chosen(each), strict=True):
        weights = dict.fromkeys(data.symbols, 0.0)
        weights |= {data.symbols[column]: 1.0 / each.top for column in columns[taken].tolist()}
        asked[dates[session - FIRST_DECISION].date()] = weights

    class Weights(engine.Strategy):  # type: ignore[misc, unused-ignore]
        def on_cross_section(self, trading_date: Any, timestamp: int) -> None:
            weights = asked.get(trading_date)
            if weights is not None:
                self.rebalance_weights(weights)

    frames = {}
    for column, symbol in enumerate(data.symbols):
        bars = {
            name: np.ascontiguousarray(getattr(data, name)[FIRST_DECISION:, column])
            for name in ("open", "high", "low", "close", "volume")
        }
        frames[symbol] = pd.DataFrame(bars).assign(date=dates, symbol=symbol)
    instruments = [
        engine.InstrumentConfig(symbol=symbol, asset_type="FUND", lot_size=LOT, tick_size=1e-6)
        for symbol in data.symbols
    ]
    result = engine.run_backtest(
        data=frames,
        strategy=Weights,
        symbols=list(data.symbols),
        initial_cash=CASH,
        commission_rate=COMMISSION,
        min_commission=COMMISSION_MIN,
        stamp_tax_rate=0.0,
        transfer_fee_rate=0.0,
        slippage=SLIPPAGE,
        volume_limit_pct=1.0,
        fill_policy=engine.NextOpen(),
        timezone="Asia/Shanghai",
        show_progress=False,
        config=engine.BacktestConfig(
            strategy_config=engine.StrategyConfig(round_fill_price=False), instruments_config=instruments
        ),
    )
    return float(result.equity_curve.iloc[-1])
