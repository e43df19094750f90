#!/bin/sh
# Whether a gain is in the equity of the day on which it was made depends on how the two funds are called.
#
# akquant 0.3.71 (Rust engine, November 2026), two funds, filled at the next open, which is 10 for both on every
# day. A rotation sells one and buys 5,000 shares of the other; that other one closes at 11 from the day of the
# purchase on, which is a gain of 5,000 on that day:
#
# - the fund that is bought comes after the one that is sold, by name: equity of the day is 105,000;
# - the names exchanged, everything else the same: 100,000. The gain is in the equity of the next day, on which
#   no price moved.
#
# The purchase waits for the sale, and with it the mark of the fund: it stays at the price that was paid until
# the next close. Fills, cash and the end are right, so that nobody looks; but on days of rotation equity_curve,
# and the drawdown and volatility made of it, hold some funds at their open and some at their close.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check akquant==0.3.71 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging

import akquant
import pandas as pd

logging.disable(logging.WARNING)
days = pd.date_range("2025-03-03", periods=6, freq="B")
FLAT, RISES = [10.0] * 6, [10.0, 10.0, 10.0, 11.0, 11.0, 11.0]


def bars(symbol, closes):
    frame = pd.DataFrame({"date": days, "open": 10.0, "low": 10.0, "close": closes, "volume": 1e9})
    return frame.assign(high=frame["close"], symbol=symbol)


def equity(sold, bought):
    class Rotation(akquant.Strategy):
        def on_cross_section(self, trading_date, timestamp):
            if trading_date == days[0].date():
                self.rebalance_weights({sold: 0.5})
            if trading_date == days[2].date():
                self.rebalance_weights({sold: 0.0, bought: 0.5})

    funds = [akquant.InstrumentConfig(symbol=name, asset_type="FUND") for name in (sold, bought)]
    result = akquant.run_backtest(
        data={sold: bars(sold, FLAT), bought: bars(bought, RISES)},
        strategy=Rotation,
        symbols=[sold, bought],
        initial_cash=100_000,
        commission_rate=0.0,
        min_commission=0.0,
        stamp_tax_rate=0.0,
        transfer_fee_rate=0.0,
        fill_policy=akquant.NextOpen(),
        show_progress=False,
        config=akquant.BacktestConfig(
            strategy_config=akquant.StrategyConfig(), instruments_config=funds
        ),
    )
    filled = [(row.symbol, row.side, row.quantity, row.avg_price) for row in result.orders_df.itertuples()]
    wanted = [(sold, "buy", 5000.0, 10.0), (sold, "sell", 5000.0, 10.0), (bought, "buy", 5000.0, 10.0)]
    assert filled == wanted, filled
    return result.equity_curve.round(2).tolist()


in_order = equity(sold="510001", bought="510002")
exchanged = equity(sold="510002", bought="510001")
print("510001 sold, 510002 bought:", in_order)
print("510002 sold, 510001 bought:", exchanged)
assert in_order == [100_000.0] * 3 + [105_000.0] * 3, in_order
assert exchanged == [100_000.0] * 4 + [105_000.0] * 2, exchanged
PYTHON
