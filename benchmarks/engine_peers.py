"""Other engines, each asked for the equity of the same target weights; see ``benchmarks.engines``.

Each function takes a :class:`Case` and returns equity at every close, (D,). It uses what the engine offers
for a rule, and leaves out what it cannot express; nothing is computed on an engine's behalf but the shares of
an order, where an engine takes shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import Action

Floats = NDArray[np.float64]
SMALL = 1e6


@dataclass(frozen=True)
class Case:
    """A market, (D, S), target weights by row, and the rules under which they are traded.

    ``lot`` 0 are shares in any fraction; ``fill`` is ``open`` or ``close``. A bar without volume is a halt,
    NaN a fund that is not listed yet. ``actions`` are dividends and splits that prices do not contain.
    """

    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    bars: Mapping[str, Floats]
    weights: Mapping[int, Floats]
    cash: float
    lot: int = 0
    fill: str = "open"
    commission_rate: float = 0.0
    commission_min: float = 0.0
    slippage_rate: float = 0.0
    participation_rate: float = 0.0
    price_limit: float | None = None
    actions: tuple[Action, ...] = ()

    def commission(self, notional: float) -> float:
        """Return the commission of an order."""
        return max(self.commission_min, self.commission_rate * notional) if notional else 0.0

    @property
    def dates(self) -> Any:
        """The sessions as pandas has them."""
        import pandas as pd

        return pd.DatetimeIndex(self.days.astype("datetime64[ns]"))


def bt(case: Case) -> Floats:
    """Return what bt makes of it: two rows of prices a session, one to trade at and one to value at.

    bt has one price a row; with rows for the open and the close it fills at one and is valued at the other.
    Lots are shares of a hundredfold price, since it knows whole shares only.
    """
    import bt as engine  # type: ignore[import-not-found, unused-ignore]
    import pandas as pd

    # In fractions it looks for a number of shares whose cost is near enough in money, not in proportion.
    scale = 1.0 if case.lot else case.cash / SMALL
    unit = case.lot or 1
    at_open, at_close = case.dates + pd.Timedelta(hours=9.5), case.dates + pd.Timedelta(hours=15)
    prices = pd.concat(
        [
            pd.DataFrame(case.bars[name] * unit, index=index, columns=list(case.symbols))
            for name, index in (("open", at_open), ("close", at_close))
        ]
    ).sort_index()
    filled = at_open if case.fill == "open" else at_close
    weights = pd.DataFrame(
        list(case.weights.values()), index=filled[list(case.weights)], columns=list(case.symbols)
    )
    more = {"bidoffer": 2.0 * case.slippage_rate * prices} if case.slippage_rate else {}
    steps = [engine.algos.WeighTarget(weights), engine.algos.Rebalance()]
    if case.actions:
        # Applied on the row of the open, so before anything is traded.
        dividends = pd.DataFrame(0.0, index=prices.index, columns=prices.columns)
        splits = dividends + 1.0
        for each in case.actions:
            row = at_open[np.searchsorted(case.days, np.datetime64(each.ex_day))]
            table, value = (dividends, each.cash) if each.kind == "dividend" else (splits, each.ratio)
            table.loc[row, each.symbol] = value
        steps.insert(0, engine.algos.CorporateActions(dividends, splits))
    strategy = engine.Strategy("weights", steps)
    test = engine.Backtest(
        strategy,
        prices,
        initial_capital=case.cash / scale,
        commissions=lambda quantity, price: case.commission(abs(quantity * price)),
        integer_positions=case.lot > 0,
        additional_data=more,
        progress_bar=False,
    )
    test.run()
    values = test.strategy.values  # noqa: PD011 (not pandas)
    return values.reindex(at_close).to_numpy() * scale


def vectorbt(case: Case) -> Floats:
    """Return what vectorbt makes of it: target percentages at the close before, sells called first."""
    import vectorbt as engine  # type: ignore[import-not-found, unused-ignore]

    size = np.full(case.bars["close"].shape, np.nan)
    for row, weights in case.weights.items():
        size[row] = weights
    portfolio = engine.Portfolio.from_orders(
        case.bars["close"],
        size=size,
        size_type="targetpercent",
        direction="longonly",
        price=case.bars[case.fill],
        val_price=-np.inf,  # the close before
        fees=case.commission_rate,
        slippage=case.slippage_rate,
        size_granularity=case.lot or np.nan,
        init_cash=case.cash,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        freq="D",
    )
    return np.asarray(portfolio.value(), dtype=np.float64)


def akquant(case: Case) -> Floats:
    """Return what akquant makes of it: ``rebalance_weights`` once all bars of a session are there."""
    import akquant as engine  # type: ignore[import-not-found, unused-ignore]
    import pandas as pd

    frames = {}
    for column, symbol in enumerate(case.symbols):
        frame = pd.DataFrame({name: values[:, column] for name, values in case.bars.items()})
        frames[symbol] = frame.assign(date=case.dates, symbol=symbol).dropna()
    rows = {day.date(): row for row, day in enumerate(case.dates)}

    class Weights(engine.Strategy):  # type: ignore[misc, unused-ignore]
        def on_cross_section(self, trading_date: Any, timestamp: int) -> None:
            weights = case.weights.get(rows[trading_date] + 1)
            if weights is not None:
                self.rebalance_weights(dict(zip(case.symbols, weights.tolist(), strict=True)))

    instruments = [
        engine.InstrumentConfig(symbol=symbol, asset_type="FUND", lot_size=case.lot or 1, tick_size=1e-6)
        for symbol in case.symbols
    ]
    result = engine.run_backtest(
        data=frames,
        strategy=Weights,
        symbols=list(case.symbols),
        initial_cash=case.cash,
        commission_rate=case.commission_rate,
        min_commission=case.commission_min,
        stamp_tax_rate=0.0,
        transfer_fee_rate=0.0,
        slippage=case.slippage_rate,
        volume_limit_pct=case.participation_rate or 1.0,
        fill_policy=engine.NextOpen() if case.fill == "open" else engine.NextClose(),
        timezone="Asia/Shanghai",
        show_progress=False,
        config=engine.BacktestConfig(
            strategy_config=engine.StrategyConfig(round_fill_price=False), instruments_config=instruments
        ),
    )
    curve = result.equity_curve
    equity = pd.Series(curve.to_numpy(), index=curve.index.tz_localize(None).normalize())
    return equity.reindex(case.dates).to_numpy()


def backtrader(case: Case) -> Floats:
    """Return what backtrader's own broker makes of it: sized at the close before, sells sent first."""
    import backtrader as engine
    import pandas as pd

    kind = engine.Order.Market if case.fill == "open" else engine.Order.Close
    lot, asked = case.lot, case.weights

    class Weights(engine.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            self.equity: list[float] = []

        def next(self) -> None:
            value = self.broker.getvalue()
            self.equity.append(value)
            weights = asked.get(len(self))
            if weights is None:
                return
            orders = [
                (data, weight * value / data.close[0] - self.getposition(data).size)
                for data, weight in zip(self.datas, weights.tolist(), strict=True)
            ]
            for data, size in sorted(orders, key=lambda order: order[1] > 0):
                whole = int(size / lot) * lot if lot else size
                if whole:
                    (self.buy if whole > 0 else self.sell)(data=data, size=abs(whole), exectype=kind)

    class Commission(engine.CommInfoBase):  # type: ignore[misc]
        params = (("percabs", True), ("stocklike", True), ("commtype", engine.CommInfoBase.COMM_PERC))

        def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
            return case.commission(abs(size) * price)

    cerebro = engine.Cerebro(stdstats=False)
    cerebro.broker.setcash(case.cash)
    cerebro.broker.addcommissioninfo(Commission())
    if case.slippage_rate:
        cerebro.broker.set_slippage_perc(case.slippage_rate, slip_open=True, slip_out=True)
    for column, symbol in enumerate(case.symbols):
        frame = pd.DataFrame(
            {name: values[:, column] for name, values in case.bars.items()}, index=case.dates
        )
        cerebro.adddata(engine.feeds.PandasData(dataname=frame), name=symbol)
    cerebro.addstrategy(Weights)
    equity = np.array(cerebro.run()[0].equity)
    # It waits until the youngest fund has data.
    return np.concatenate([np.full(len(case.days) - len(equity), case.cash), equity])
