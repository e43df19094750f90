#!/bin/sh
# An ETF whose prices have three decimals trades by market orders, and loses its limit orders, without an error.
#
# akquant 0.3.71 (Rust engine, November 2026) takes a symbol of which only bars are given for a stock with a
# tick of 0.01, also where the symbol is a fund of Shanghai (515980, tick 0.001) and the prices of its bars have
# three decimals. Then, in one run:
#
# - a market order fills at 0.984, a price that such a tick does not have;
# - a limit order at 0.985, a price that the exchange takes, is rejected. The run goes on, ends normally and
#   returns a result; the order is in the table of orders as rejected, with a line in the log.
#
# With InstrumentConfig(symbol, asset_type="FUND") the same order fills. A rotation that trades by market orders
# never finds out; one that works with limits holds cash instead of ETFs.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check akquant==0.3.71 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import akquant
import pandas as pd

SYMBOL = "515980"
opens = [0.987, 0.983, 0.984, 0.985, 0.986, 0.985, 0.984, 0.983, 0.984, 0.985]
bars = pd.DataFrame({"date": pd.date_range("2025-03-03", periods=10, freq="B"), "open": opens})
bars = bars.assign(high=bars.open + 0.004, low=bars.open - 0.004, close=bars.open, volume=1e8, symbol=SYMBOL)


class TwoOrders(akquant.Strategy):
    seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 2:
            self.buy(bar.symbol, 1000)
        if self.seen == 4:
            self.buy(bar.symbol, 1000, price=0.985)


def orders(**more):
    result = akquant.run_backtest(
        data=bars, strategy=TwoOrders, symbols=SYMBOL, initial_cash=100_000, show_progress=False, **more
    )
    table = result.orders_df
    return [(row.order_type, row.status, row.avg_price) for row in table.itertuples()]


told = orders()
fund = akquant.BacktestConfig(
    strategy_config=akquant.StrategyConfig(),
    instruments_config=[akquant.InstrumentConfig(symbol=SYMBOL, asset_type="FUND")],
)
as_fund = orders(config=fund)
print("bars alone:", told)
print("as a fund: ", as_fund)
assert told[0] == ("market", "filled", 0.984), told
assert told[1][:2] == ("limit", "rejected"), told
assert [row[1] for row in as_fund] == ["filled", "filled"], as_fund
PYTHON
