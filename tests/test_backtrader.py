"""A plain ``backtrader.Strategy``: what it sees, what it cannot, and what becomes of each of its orders."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import backtrader as bt
import numpy as np
import pytest

from data.demo import Demo
from data.errors import StrategyError, UsageError, ValidationError
from data.facts.actions import Action
from data.load import load_panel
from data.panel.panel import Panel
from data.scenarios.perturb import rows_of, settled
from engine import run
from engine.audits import AUDITS, Audited, audit
from engine.kernel.costs import Costs
from engine.spec import Conditions

DAYS = np.arange("2024-01-01", "2024-01-13", dtype="datetime64[D]")
FREE = dict.fromkeys(("commission_rate", "commission_min", "commission_tick", "slippage_rate"), 0.0)
A, B = "510001.SH", "510002.SH"


def panel_of(a: list[float], actions: tuple[Action, ...] = ()) -> Panel:
    """A market of two funds: A at the prices given, which are flat within a session, B at 10."""
    close = np.column_stack([a, np.full(len(a), 10.0)])
    bars = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": np.full(close.shape, 1e6)}
    bars["amount"] = close * 1e6
    return Panel.from_events(DAYS[: len(a)], [A, B], bars=bars, actions=actions)


def split(ratio: float, at: int) -> Action:
    return Action(A, "split", DAYS[at].item(), DAYS[at - 1].item(), ratio=ratio)


def made(panel: Panel, strategy: type[Any], **given: Any) -> Any:
    return run(strategy, panel, costs=FREE, cash=100_000.0, **given)


FLAT = [10.0] * 8
SPLIT = [30.0, 30.0, 30.0, 10.0, 10.0, 10.0, 10.0, 10.0]


ALL: list[Any] = []


class Seeing(bt.Strategy):
    """Writes down what it sees of A, session by session."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, ...]] = []
        ALL.append(self)  # the run, then what is asked again

    def next(self) -> None:
        data = self.data
        self.seen.append((data.close[0], data.raw_close[0], data.volume[0], data.raw_volume[0]))


# --- what it sees -----------------------------------------------------------------------------------------


def test_lines_are_adjusted_and_raw_ones_stand_beside() -> None:
    ALL.clear()
    made(panel_of(SPLIT, (split(3.0, 3),)), Seeing)
    # Three shares for one cost a third each, 10 times 3; a million of them are a third of a million old ones.
    before, after = (30.0, 30.0, 1e6, 1e6), (30.0, 10.0, pytest.approx(1e6 / 3), 1e6)
    assert ALL[0].seen == [before] * 2 + [after] * 5


def test_a_dividend_is_no_fall() -> None:
    paid = Action(A, "dividend", DAYS[3].item(), DAYS[2].item(), cash=1.0)
    ALL.clear()
    made(panel_of([10.0, 10.0, 10.0, 9.0, 9.0], (paid,)), Seeing)
    closes = [each[0] for each in ALL[0].seen]
    assert closes == pytest.approx([10.0, 10.0, 10.0, 10.0])  # 9 times 10 / (10 - 1)


class SellsAfterAFall(bt.Strategy):
    """Buys at once, and sells everything after a fall by a tenth: below what it paid, or in one session."""

    def __init__(self) -> None:
        self.paid = 0.0

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            self.paid = order.executed.price

    def next(self) -> None:
        if len(self) == 1:
            self.order_target_percent(self.data, 0.9)
        elif self.data.close[0] < 0.9 * max(self.data.close[-1], self.paid, self.position.price):
            self.close()


def test_a_split_is_not_sold_for_a_fall() -> None:
    result = made(panel_of(SPLIT, (split(3.0, 3),)), SellsAfterAFall)
    # 90,000 of money are 3,000 shares at 30, and 9,000 after the split.
    assert result.fills["shares"].tolist() == [3000]
    assert result.shares[-1].tolist() == [9000, 0]
    fallen = made(panel_of([30.0, 30.0, 30.0, 20.0, 20.0, 20.0]), SellsAfterAFall)
    assert fallen.fills["shares"].tolist() == [3000, -3000]


class Targets(bt.Strategy):
    """Wants nine tenths of its money in A on the fifth session, and looks at what it got."""

    def next(self) -> None:
        if len(self) == 5:
            self.order_target_percent(self.data, 0.9)
        type(self).held = (self.position.size, self.broker.getvalue([self.data]))  # type: ignore[attr-defined]


def test_sizes_are_shares_at_the_price_of_the_day_not_at_an_adjusted_one() -> None:
    result = made(panel_of(SPLIT, (split(3.0, 3),)), Targets)
    assert result.fills["shares"].tolist() == [9000]  # 90,000 over 10, not over 30
    assert result.fills["price"].tolist() == [10.0]
    assert Targets.held == (9000, 90_000.0)  # type: ignore[attr-defined]


# --- what it cannot see -----------------------------------------------------------------------------------


class Base(bt.Strategy):
    """Trades where `tomorrow` says so."""

    def tomorrow(self) -> float:
        raise NotImplementedError

    def next(self) -> None:
        if self.tomorrow() > self.data.close[0]:
            self.order_target_percent(self.data, 0.9)


class NextClose(Base):
    def tomorrow(self) -> float:
        return self.data.close[1]


class NextOfDataItself(Base):
    def tomorrow(self) -> float:
        return self.data[1]


class NextByGet(Base):
    def tomorrow(self) -> float:
        return self.data.close.get(ago=1, size=1)[0]


class NextRaw(Base):
    def tomorrow(self) -> float:
        return self.data.raw_close[1]


class NextDay(Base):
    def tomorrow(self) -> float:
        return self.data.datetime.date(1).day


class NextOfIndicator(Base):
    def __init__(self) -> None:
        self.average = bt.indicators.SMA(self.data.close, period=2)

    def tomorrow(self) -> float:
        return self.average[1]


class ShiftedLine(Base):
    def __init__(self) -> None:
        self.ahead = self.data.close(1)

    def tomorrow(self) -> float:
        return self.ahead[0]


class BarsToCome(Base):
    def tomorrow(self) -> float:
        return self.data.close[1] if len(self.data) < self.data.buflen() else 0.0


class OwnIndicator(bt.Indicator):
    lines = ("ahead",)

    def next(self) -> None:
        self.lines.ahead[0] = self.data[1]


class NextWithinIndicator(Base):
    def __init__(self) -> None:
        self.ahead = OwnIndicator(self.data)

    def tomorrow(self) -> float:
        return self.ahead[0]


AHEAD = (
    *(NextClose, NextOfDataItself, NextByGet, NextRaw, NextDay, NextOfIndicator, ShiftedLine, BarsToCome),
    NextWithinIndicator,
)


@pytest.mark.parametrize("strategy", AHEAD)
def test_what_is_to_come_cannot_be_read(strategy: type[Any]) -> None:
    with pytest.raises(ValidationError, match="looks ahead") as error:
        made(panel_of([10.0, 11.0, 12.0, 13.0, 14.0, 15.0]), strategy)
    assert error.value.exit_code == 5


def test_the_array_behind_a_line_ends_now() -> None:
    class Behind(bt.Strategy):
        def next(self) -> None:
            assert len(self.data.close.array) == len(self)

    made(panel_of(FLAT), Behind)


@pytest.mark.parametrize("name", ["next_open", "nextstart_open", "prenext_open"])
def test_what_would_see_the_open_at_which_it_trades_is_refused_by_name(name: str) -> None:
    strategy = type("Early", (bt.Strategy,), {name: lambda self: self.buy(size=100)})
    with pytest.raises(ValidationError, match=f"Early looks ahead: `{name}`"):
        made(panel_of(FLAT), strategy)


def test_a_timer_that_cheats_is_refused() -> None:
    class Timed(bt.Strategy):
        def __init__(self) -> None:
            self.add_timer(bt.timer.SESSION_START, cheat=True)

    with pytest.raises(ValidationError, match="cheat=True"):
        made(panel_of(FLAT), Timed)


def test_a_line_has_a_beginning() -> None:
    """In backtrader `close[-5]` on the first bar is the fifth from the end: the future."""

    class Back(bt.Strategy):
        def next(self) -> None:
            self.data.close[-2]

    with pytest.raises(StrategyError, match=r"reads `\[-2\]` of a line that has 1 bars") as error:
        made(panel_of(FLAT), Back)
    assert not isinstance(error.value, ValidationError)

    class Slices(bt.Strategy):
        def next(self) -> None:
            assert len(self.data.close.get(size=3)) == min(len(self), 3)

    made(panel_of(FLAT), Slices)


def test_an_error_of_its_own_is_its_own() -> None:
    class Wrong(bt.Strategy):
        def next(self) -> None:
            [][1]

    with pytest.raises(StrategyError, match="Wrong raised; received IndexError: list index"):
        made(panel_of(FLAT), Wrong)


WHOLE = panel_of([10.0, 12.0, 9.0, 11.0, 8.0, 12.0, 9.0, 13.0])


class Reaching(bt.Strategy):
    def next(self) -> None:
        ahead = WHOLE.market.close[min(len(self) + 2, 7), 0]
        self.order_target_percent(self.data, 0.9 if ahead > self.data.close[0] else 0.0)


def test_the_market_itself_is_out_of_reach() -> None:
    with pytest.raises(ValidationError, match="its global `WHOLE` is a Panel"):
        made(WHOLE, Reaching)


class KnowsTheEnd(bt.Strategy):
    """Buys three sessions before what the books of its broker say is the last."""

    def next(self) -> None:
        if len(self) == len(self.broker._books.panel.days) - 3:
            self.buy(size=100)


def test_orders_are_asked_again_without_what_follows() -> None:
    with pytest.raises(
        ValidationError, match=r"KnowsTheEnd looks ahead: its order for 510001\.SH on 2024-01-06"
    ):
        made(panel_of(FLAT), KnowsTheEnd)


def test_one_that_orders_by_lot_is_impure_not_looking_ahead() -> None:
    class ByLot(bt.Strategy):
        def next(self) -> None:
            self.buy(size=random.randrange(100, 10_000))

    with pytest.raises(ValidationError, match="ByLot is impure: asked twice"):
        made(panel_of(FLAT), ByLot)


# --- what becomes of its orders ---------------------------------------------------------------------------


class Orders(bt.Strategy):
    """One order each session."""

    params = (("orders", ()),)

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []
        ALL.append(self)

    def next(self) -> None:
        if len(self) <= len(self.p.orders):
            size = self.p.orders[len(self) - 1]
            (self.buy if size > 0 else self.sell)(size=abs(size))

    def notify_order(self, order: Any) -> None:
        if order.status not in (order.Submitted, order.Accepted):
            self.told.append((order.getstatusname(), order.executed.size))


def ordered(*sizes: float, panel: Panel | None = None, **given: Any) -> Any:
    ALL.clear()
    strategy = type("Ordering", (Orders,), {"params": (("orders", sizes),)})
    return made(panel or panel_of(FLAT), strategy, **given)


def rejected(result: Any) -> list[tuple[int, str]]:
    return list(zip(result.rejections["shares"].tolist(), result.rejections["reason"].tolist(), strict=True))


def test_each_part_of_an_order_is_filled_or_rejected() -> None:
    result = ordered(1, 150, 100, -5000)
    assert result.fills["shares"].tolist() == [100, 100, -200]
    assert rejected(result) == [(1, "lot"), (50, "lot"), (-4800, "not_held")]
    told = [("Rejected", 0), ("Partial", 100), ("Canceled", 100), ("Completed", 100)]
    assert ALL[0].told == [*told, ("Partial", -200), ("Canceled", -200)]


def test_a_sale_that_is_no_lot() -> None:
    result = ordered(1000, -150, -50, -0.5, -900)
    # A sale is of whole lots; all that is held may go at once.
    assert result.fills["shares"].tolist() == [1000, -100, -900]
    assert rejected(result) == [(-50, "lot"), (-50, "lot"), (-1, "lot")]


def test_odd_lots_of_a_split_are_sold_with_all_that_is_held() -> None:
    merged = panel_of([10.0, 10.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0], (split(0.5, 3),))
    result = ordered(300, 1, -150, panel=merged)
    assert result.fills["shares"].tolist() == [300, -150]
    assert rejected(result) == [(1, "lot")]


def test_a_short_sale_a_fraction_and_too_little_cash() -> None:
    result = ordered(-100, 100.5, 20_000)
    assert result.fills["shares"].tolist() == [100, 9900]
    # 99,000 are left at 10 a share: 9,900 of 20,000.
    assert rejected(result) == [(-100, "not_held"), (1, "lot"), (10_100, "cash")]


def test_what_is_taken_back_or_too_late_is_written_down() -> None:
    class TakesBack(bt.Strategy):
        def next(self) -> None:
            if len(self) == 2:
                self.cancel(self.buy(size=300))
            if len(self) == 7:
                self.buy(size=200)

    result = made(panel_of(FLAT), TakesBack)
    assert rejected(result) == [(300, "cancelled"), (200, "ended")]
    assert result.rejections["day"].dt.date.tolist() == [date(2024, 1, 3), date(2024, 1, 8)]


def test_an_order_for_a_fund_without_a_price_is_written_down() -> None:
    close = np.full((8, 2), 10.0)
    close[:5, 1] = np.nan
    bars = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": np.full((8, 2), 1e6)}
    panel = Panel.from_events(DAYS[:8], [A, B], bars=bars)

    class Early(bt.Strategy):
        def next(self) -> None:
            if len(self) == 1:
                self.order_target_percent(self.datas[1], 0.5)
            if len(self) == 2:
                self.buy(self.datas[1], size=100)

    assert rejected(made(panel, Early)) == [(0, "not_listed"), (100, "not_listed")]


def test_an_order_without_a_size_is_told() -> None:
    class Sizeless(bt.Strategy):
        def next(self) -> None:
            self.buy(size=float("nan"))

    with pytest.raises(StrategyError, match=f"an order for {A} has no size; received nan"):
        made(panel_of(FLAT), Sizeless)


def test_the_batch_engine_refuses_it() -> None:
    with pytest.raises(UsageError, match="the batch engine runs strategies that decide on all sessions"):
        ordered(100, engine="batch")


# --- audits -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> Panel:
    whole = load_panel(Demo(), ("157001.SZ", "586031.SH"))
    return rows_of(settled(whole.ingredients), 60).build()


class Cross(bt.Strategy):
    """Above its average of 10 sessions it is held."""

    params = (("period", 10),)

    def __init__(self) -> None:
        self.averages = [bt.indicators.SMA(data.close, period=self.p.period) for data in self.datas]

    def next(self) -> None:
        for data, average in zip(self.datas, self.averages, strict=True):
            self.order_target_percent(data, 0.4 if data.close[0] > average[0] else 0.0)


class ThroughTheBroker(bt.Strategy):
    """Finds tomorrow in the books of its broker."""

    def next(self) -> None:
        books = self.broker._books
        close = books.panel.market.close
        ahead = close[min(books.row + 1, len(close) - 1), 0]
        self.order_target_percent(self.data, 0.9 if ahead > close[books.row, 0] else 0.0)


def test_audits_ask_it_as_everybody(demo: Panel) -> None:
    gates = ["look_ahead", "warm_up", "order_and_scale"]
    opinions = {each.name: each for each in audit(Audited(Cross, demo, Conditions(costs=Costs())), gates)}
    assert [opinions[name].passed for name in gates] == [True, None, True]
    assert opinions["look_ahead"].details["markets"] > 20
    assert "reads no flows" in AUDITS["placebo"](Audited(Cross, demo)).sentence
    assert len(AUDITS["cost_and_capacity"](Audited(Cross, demo)).details["sharpe_ratio"]) == 4


def test_the_audit_finds_what_goes_round_the_lines(demo: Panel) -> None:
    opinion = AUDITS["look_ahead"](Audited(ThroughTheBroker, demo))
    assert opinion.passed is False
    assert opinion.details["what"] == "order"
    assert "prices" in opinion.details["columns"]
