"""Our broker against backtrader's own, where their rules can be made equal: the same fills on the same bars.

Equal are lots of one share, no limits of price, costs or volume, and money for everything. backtrader's own
samples are not in its wheel: ``samples`` of its repository is read where BACKTRADER_SAMPLES names the folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from data.errors import ValidationError
from data.panel.panel import Panel
from engine import run
from engine.simulation.backtest import backtest
from engine.spec import Conditions
from engine.strategy.adapters import BacktraderAdapter
from engine.strategy.loader import strategy_class

SYMBOL = "510001.SH"
FREE = dict.fromkeys(
    ("commission_rate", "commission_min", "commission_tick", "slippage_rate", "participation_rate"), 0.0
)
SAMPLES = os.environ.get("BACKTRADER_SAMPLES")
Fill = tuple[str, int, float]


def drawn_bars(sessions: int, seed: int) -> dict[str, Any]:
    """Bars of a random walk around 50, in cents, with gaps between sessions, (D, 1)."""
    source = np.random.default_rng(seed)
    steps = source.normal(0.0, 0.015, sessions)
    close = 50.0 * np.exp(np.cumsum(steps - steps.mean()))
    open_ = np.concatenate(([50.0], close[:-1])) * np.exp(source.normal(0.0, 0.006, sessions))
    high = np.maximum(open_, close) * np.exp(np.abs(source.normal(0.0, 0.006, sessions)))
    low = np.minimum(open_, close) * np.exp(-np.abs(source.normal(0.0, 0.006, sessions)))
    named = {"open": open_, "high": high, "low": low, "close": close}
    bars = {name: np.round(values, 2)[:, None] for name, values in named.items()}
    return bars | {"volume": np.full((sessions, 1), 1e9)}


class Fills(bt.Analyzer):  # type: ignore[misc]
    """Every fill of backtrader's own broker: day, shares, price."""

    def start(self) -> None:
        self.seen: dict[int, int] = {}
        self.rows: list[Fill] = []

    def notify_order(self, order: Any) -> None:
        bits = list(order.executed.exbits)[self.seen.get(order.ref, 0) :]
        self.seen[order.ref] = len(order.executed.exbits)
        self.rows += [(str(bt.num2date(bit.dt).date()), int(bit.size), round(bit.price, 6)) for bit in bits]


def theirs(strategy: type[Any], parameters: dict[str, Any], days: Any, bars: dict[str, Any]) -> list[Fill]:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(1e6)
    # Our run needs a session of data before its first one.
    frame = {name: values[1:, 0] for name, values in bars.items()}
    table = pd.DataFrame(frame, index=pd.DatetimeIndex(days[1:].astype("datetime64[ns]")))
    cerebro.adddata(bt.feeds.PandasData(dataname=table), name=SYMBOL)
    cerebro.addstrategy(strategy, **parameters)
    cerebro.addanalyzer(Fills, _name="fills")
    rows: list[Fill] = cerebro.run()[0].analyzers.fills.rows
    return rows


def ours(strategy: type[Any], parameters: dict[str, Any], days: Any, bars: dict[str, Any]) -> list[Fill]:
    panel = Panel.from_events(days, [SYMBOL], bars=bars, lot=1, tick=1e-6)
    conditions = Conditions.of(costs=FREE, cash=1e6)
    result = backtest(BacktraderAdapter(strategy, parameters), panel, conditions, {}, checked=False)
    columns = result.fills[["day", "shares", "price"]].itertuples(index=False)
    return [(str(day)[:10], int(shares), round(price, 6)) for day, shares, price in columns]


def require_same(strategy: type[Any], parameters: dict[str, Any], seed: int = 1, least: int = 10) -> None:
    days = np.arange("2022-01-03", "2024-01-01", dtype="datetime64[D]")
    bars = drawn_bars(len(days), seed)
    found = ours(strategy, parameters, days, bars)
    assert found == theirs(strategy, parameters, days, bars)
    assert len(found) >= least


class Drawn(bt.Strategy):  # type: ignore[misc]
    """Enters by an order of any kind with legs of any kind, drawn from a seed; takes some of them back."""

    params = (("seed", 0),)

    def __init__(self) -> None:
        self.source = np.random.default_rng(self.p.seed)
        self.waiting: list[Any] = []

    def notify_order(self, order: Any) -> None:
        if not order.alive():
            self.waiting = [each for each in self.waiting if each.ref != order.ref]

    def next(self) -> None:
        close, draw = self.data.close[0], self.source.integers
        if self.waiting:
            if draw(12) == 0:
                self.cancel(self.waiting[0])
            return
        if self.position:
            self.close(exectype=[bt.Order.Market, bt.Order.Close][draw(2)])
            return
        kinds = (bt.Order.Market, bt.Order.Limit, bt.Order.Stop, bt.Order.StopLimit, bt.Order.StopTrail)
        kind = kinds[draw(5)]
        near = round(close * (1 + self.source.uniform(-0.02, 0.02)), 2)
        entry = {"exectype": kind, "price": near if kind != bt.Order.StopTrail else None}
        entry |= {"plimit": round(near * 1.01, 2)} if kind == bt.Order.StopLimit else {}
        entry |= {"trailpercent": 0.02} if kind == bt.Order.StopTrail else {}
        legs = {"stopprice": round(close * 0.97, 2), "limitprice": round(close * 1.03, 2)}
        if draw(2):
            legs |= {"stopexec": bt.Order.StopTrail, "stopargs": {"trailpercent": 0.02}}
        sent = self.buy_bracket(size=int(draw(1, 9)), **entry, **legs)
        self.waiting = [each for each in sent if each is not None]


GAPPED = 5  # the seed on whose bars the two differ


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in range(1, 9) if each != GAPPED)]
)
def test_drawn_brackets_fill_as_in_backtrader(seed: int) -> None:
    require_same(Drawn, {"seed": seed}, seed, least=40)


@pytest.mark.slow
def test_where_a_session_opens_beyond_the_limit_and_falls_to_the_stop_only_ours_trades_at_the_open() -> None:
    days = np.arange("2022-01-03", "2024-01-01", dtype="datetime64[D]")
    bars = drawn_bars(len(days), GAPPED)
    found = [fills(Drawn, {"seed": GAPPED}, days, bars) for fills in (ours, theirs)]
    # A limit of 42.62 and a trailing stop of 41.5422 on seven shares, in a session from 42.65 to 41.43.
    assert [pair for pair in zip(*found, strict=True) if pair[0] != pair[1]] == [
        (("2023-09-06", -7, 42.65), ("2023-09-06", -7, 41.5422))
    ]
    row = int(np.searchsorted(days, np.datetime64("2023-09-06")))
    assert (bars["open"][row, 0], bars["low"][row, 0]) == (42.65, 41.19)


def test_backtraders_own_crossover_fills_as_in_backtrader() -> None:
    require_same(bt.strategies.MA_CrossOver, {"fast": 5, "slow": 15})


def test_a_size_that_is_not_given_is_a_lot() -> None:
    days = np.arange("2022-01-03", "2023-01-01", dtype="datetime64[D]")
    panel = Panel.from_events(days, [SYMBOL], bars=drawn_bars(len(days), 1), lot=100)
    result = run(bt.strategies.MA_CrossOver, panel, costs=FREE)
    assert set(result.fills["shares"].abs()) == {100}
    assert result.rejections["reason"].unique().tolist() in ([], ["ended"])


# Six and one more of backtrader's samples, unchanged: file, class, parameters.
SIX: list[tuple[str, str, dict[str, Any]]] = [
    ("bracket/bracket.py", "St", {}),
    ("bracket/bracket.py", "St", {"usebracket": True}),
    ("oco/oco.py", "St", {}),
    ("stoptrail/trail.py", "St", {"trailpercent": 0.03}),
    ("stop-trading/stop-loss-approaches.py", "AutoStopOrStopTrail", {"stop_loss": 0.0, "trail": 0.05}),
    ("order_target/order_target.py", "TheStrategy", {"use_target_size": True}),
    ("order_target/order_target.py", "TheStrategy", {"use_target_value": True}),
    ("pinkfish-challenge/pinkfish-challenge.py", "St", {}),
    ("macd-settings/macd-settings.py", "TheStrategy", {}),
]
with_samples = pytest.mark.skipif(SAMPLES is None, reason="BACKTRADER_SAMPLES names no folder")


@with_samples
@pytest.mark.slow
@pytest.mark.parametrize(("file", "name", "parameters"), SIX)
def test_backtraders_samples_fill_as_in_backtrader(file: str, name: str, parameters: dict[str, Any]) -> None:
    require_same(strategy_class(f"{Path(SAMPLES or '') / file}:{name}", {}), parameters)


@with_samples
@pytest.mark.slow
def test_the_sample_that_sees_the_open_at_which_it_trades_is_refused() -> None:
    days = np.arange("2022-01-03", "2022-06-01", dtype="datetime64[D]")
    sample = strategy_class(f"{Path(SAMPLES or '')}/cheat-on-open/cheat-on-open.py:St", {})
    with pytest.raises(ValidationError, match="St looks ahead: `next_open`"):
        ours(sample, {}, days, drawn_bars(len(days), 1))
