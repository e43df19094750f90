"""Orders with a limit or a stop, of a ``backtrader.Strategy``: docs/backtrader.md by pencil, rule by rule."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import backtrader as bt
import numpy as np
import pytest

from data.errors import StrategyError
from data.facts.actions import Action
from data.panel.panel import Panel
from engine.simulation.backtest import backtest
from engine.spec import Conditions
from engine.strategy.adapters import adapt

DAYS = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
FREE = dict.fromkeys(("commission_rate", "commission_min", "commission_tick", "slippage_rate"), 0.0)
T1, T0 = "510001.SH", "513001.SH"  # Shanghai's cross-border funds are sold on the same day
Bar = tuple[float, float, float, float]
FLAT: Bar = (10.0, 10.0, 10.0, 10.0)
LIMIT, STOP, STOP_LIMIT = bt.Order.Limit, bt.Order.Stop, bt.Order.StopLimit


def market(
    *bars: Bar | None, symbol: str = T1, volume: float = 1e6, actions: tuple[Action, ...] = ()
) -> Panel:
    """A fund whose bars follow two flat ones at 10, of which the first is before the run; None: halted."""
    rows = [FLAT, FLAT, *bars]
    values = np.array([each or (np.nan,) * 4 for each in rows])
    table = {name: values[:, [place]] for place, name in enumerate(("open", "high", "low", "close"))}
    table["volume"] = np.where(np.isfinite(values[:, [3]]), volume, np.nan)
    return Panel.from_events(DAYS[: len(rows)], [symbol], bars=table, actions=actions, price_limit=0.1)


class Planned(bt.Strategy):
    """Does what is planned for the sessions of the run, by number from 1."""

    params = (("plan", None),)

    def __init__(self) -> None:
        self.told: list[tuple[int, str, float]] = []
        self.sent: dict[str, Any] = {}

    def next(self) -> None:
        step = self.p.plan.get(len(self))
        if step:
            step(self)

    def notify_order(self, order: Any) -> None:
        self.told.append((order.ref, order.getstatusname(), order.executed.size))


class Done:
    """What came of a plan: fills (session, shares, price), rejections (session, shares, reason), words."""

    def __init__(
        self,
        panel: Panel,
        plan: dict[int, Callable[[Any], Any]],
        cash: float = 1e6,
        fill: str = "open",
        **costs: Any,
    ) -> None:
        told: list[Any] = []

        class Strategy(Planned):
            params = (("plan", plan),)

            def stop(self) -> None:
                told.append(self.told)

        conditions = Conditions.of(costs=FREE | costs, cash=cash, fill=fill)
        result = backtest(adapt(Strategy), panel, conditions, {}, checked=False)
        place = {day: number for number, day in enumerate(DAYS.astype("datetime64[us]"))}
        self.fills, self.rejected = (
            [(place[np.datetime64(row[0], "us")], *row[1:]) for row in frame[names].to_numpy().tolist()]
            if len(frame)
            else []
            for frame, names in (
                (_days(result.fills), ["day", "shares", "price"]),
                (_days(result.rejections), ["day", "shares", "reason"]),
            )
        )
        self.told = [word for _, word, _ in told[0]]
        self.sizes = [size for _, _, size in told[0]]


def _days(frame: Any) -> Any:
    return frame.assign(day=frame["day"].astype("datetime64[us]").astype(str))


def buys(**order: Any) -> Callable[[Any], Any]:
    return lambda strategy: strategy.buy(**({"size": 1000} | order))


def sells(**order: Any) -> Callable[[Any], Any]:
    return lambda strategy: strategy.sell(**({"size": 1000} | order))


# --- at which price ---------------------------------------------------------------------------------------

# Of a purchase: kind, price, limit behind a stop, the bar, at what it fills (None: not in this session).
PURCHASES: list[tuple[int, float, float | None, Bar, float | None]] = [
    (LIMIT, 9.8, None, (10.0, 10.1, 9.7, 10.0), 9.8),  # within the range
    (LIMIT, 9.7, None, (10.0, 10.1, 9.7, 10.0), 9.7),  # just touched
    (LIMIT, 9.8, None, (9.6, 10.1, 9.5, 10.0), 9.6),  # a gap below: at the open, not at 9.8
    (LIMIT, 9.8, None, (10.2, 10.3, 9.9, 10.0), None),
    (LIMIT, 9.7999, None, (10.0, 10.1, 9.7, 10.0), 9.799),  # between two ticks
    (STOP, 10.3, None, (10.1, 10.4, 10.0, 10.2), 10.3),
    (STOP, 10.3, None, (10.6, 10.7, 10.5, 10.6), 10.6),  # a gap above: at the open
    (STOP, 10.3, None, (10.1, 10.2, 9.9, 10.0), None),
    (STOP, 10.2991, None, (10.1, 10.4, 10.0, 10.2), 10.3),
    (STOP_LIMIT, 10.3, 10.5, (10.1, 10.4, 10.0, 10.2), 10.3),  # the stop is within the limit
    (STOP_LIMIT, 10.3, 10.5, (10.6, 10.7, 10.4, 10.6), 10.5),  # triggered at the open, came back
    (STOP_LIMIT, 10.3, 10.5, (10.6, 10.7, 10.55, 10.6), None),
    (STOP_LIMIT, 10.3, 10.1, (10.2, 10.4, 9.9, 10.0), 10.1),  # the close proves that it came back
    (STOP_LIMIT, 10.3, 10.1, (10.2, 10.4, 9.9, 10.2), None),  # the low may have been before
]


@pytest.mark.parametrize(("kind", "price", "limit", "bar", "expected"), PURCHASES)
def test_a_purchase_fills_where_the_bar_says(
    kind: int, price: float, limit: float | None, bar: Bar, expected: float | None
) -> None:
    done = Done(market(bar), {1: buys(exectype=kind, price=price, plimit=limit)})
    assert done.fills == ([] if expected is None else [(2, 1000, expected)])
    assert done.rejected == ([] if expected else [(2, 1000, "ended")])


@pytest.mark.parametrize(("kind", "price", "limit", "bar", "expected"), PURCHASES)
def test_a_sale_is_a_purchase_upside_down(
    kind: int, price: float, limit: float | None, bar: Bar, expected: float | None
) -> None:
    def mirror(value: float) -> float:
        return round(20.0 - value, 4)

    open_, high, low, close = bar
    over = (mirror(open_), mirror(low), mirror(high), mirror(close))
    order = sells(exectype=kind, price=mirror(price), plimit=None if limit is None else mirror(limit))
    done = Done(market(FLAT, over), {1: buys(), 2: order})
    assert done.fills[1:] == ([] if expected is None else [(3, -1000, mirror(expected))])
    assert done.rejected == ([] if expected else [(3, -1000, "ended")])


def test_a_stop_limit_that_has_triggered_is_a_limit_from_then_on() -> None:
    order = buys(exectype=STOP_LIMIT, price=10.3, plimit=10.1)
    done = Done(market((10.2, 10.4, 9.9, 10.2), (10.2, 10.2, 10.0, 10.1)), {1: order})
    assert done.fills == [(3, 1000, 10.1)]


def test_slippage_is_paid_at_the_open_and_at_a_stop_and_never_goes_beyond_a_limit() -> None:
    gap, within = (9.6, 10.1, 9.5, 10.0), (10.0, 10.1, 9.7, 10.0)
    limit = {1: buys(exectype=LIMIT, price=9.8)}
    assert Done(market(gap), limit, slippage_rate=0.01).fills == [(2, 1000, 9.6 * 1.01)]
    assert Done(market(gap), limit, slippage_rate=0.03).fills == [(2, 1000, 9.8)]
    assert Done(market(within), limit, slippage_rate=0.01).fills == [(2, 1000, 9.8)]
    stop = {1: buys(exectype=STOP, price=10.05)}
    assert Done(market(within), stop, slippage_rate=0.01).fills == [(2, 1000, 10.05 * 1.01)]


def test_an_order_at_the_close_and_where_market_orders_fill_is_the_runs() -> None:
    panel = market((10.1, 10.4, 9.9, 10.2))
    assert Done(panel, {1: buys(exectype=bt.Order.Close)}).fills == [(2, 1000, 10.2)]
    limit = {1: buys(exectype=LIMIT, price=10.0)}
    assert Done(panel, limit, fill="close").fills == [(2, 1000, 10.0)]


def test_a_trailing_stop_follows_the_close_up_and_never_down() -> None:
    def trail(strategy: Any) -> None:
        strategy.sell(size=1000, exectype=bt.Order.StopTrail, trailamount=0.5)

    # Sent at a close of 10: the stop is 9.5; the close of 10.6 lifts it to 10.1, that of 10.3 leaves it.
    panel = market(FLAT, (10.0, 10.7, 9.6, 10.6), (10.5, 10.6, 10.2, 10.3), (10.3, 10.4, 9.9, 10.0))
    done = Done(panel, {1: buys(), 2: trail})
    assert done.fills == [(2, 1000, 10.0), (5, -1000, 10.1)]


def test_prices_are_adjusted_as_lines_are_and_sizes_follow_a_split() -> None:
    ratio = Action(T1, "split", DAYS[4].item(), DAYS[3].item(), ratio=2.0)
    panel = market(FLAT, FLAT, (5.0, 5.0, 5.0, 5.0), (4.9, 4.9, 4.55, 4.8), actions=(ratio,))
    done = Done(panel, {1: buys(), 2: sells(exectype=STOP, price=9.2)})
    # 1,000 at 10 are 2,000 at 5; a stop at 9.2 of the old basis is 4.6 of the new one.
    assert done.fills == [(2, 1000, 10.0), (5, -2000, 4.6)]
    assert done.rejected == []


# --- brackets and groups ----------------------------------------------------------------------------------


def bracket(**order: Any) -> Callable[[Any], Any]:
    given = {"size": 1000, "exectype": bt.Order.Market, "stopprice": 9.5, "limitprice": 10.5} | order
    return lambda strategy: strategy.buy_bracket(**given)


def test_when_a_bar_touches_both_legs_the_stop_fills() -> None:
    done = Done(market(FLAT, (10.0, 10.6, 9.4, 10.5)), {1: bracket()})
    assert done.fills == [(2, 1000, 10.0), (3, -1000, 9.5)]
    assert done.rejected == [(3, -1000, "group")]


def test_the_leg_that_the_open_reaches_came_first() -> None:
    done = Done(market(FLAT, (10.6, 10.7, 9.4, 10.0)), {1: bracket()})
    assert done.fills == [(2, 1000, 10.0), (3, -1000, 10.6)]
    down = Done(market(FLAT, (9.4, 10.7, 9.3, 10.0)), {1: bracket()})
    assert down.fills == [(2, 1000, 10.0), (3, -1000, 9.4)]


def test_legs_do_not_live_before_their_parent_has_traded() -> None:
    # The parent waits at 9.6; the bars before reach both legs, and find nothing to sell.
    panel = market((10.0, 10.6, 9.7, 10.0), (10.0, 10.1, 9.6, 9.8), (9.8, 10.5, 9.7, 10.0))
    done = Done(panel, {1: bracket(exectype=LIMIT, price=9.6)})
    assert done.fills == [(3, 1000, 9.6), (4, -1000, 10.5)]
    assert done.told[:6] == ["Submitted"] * 3 + ["Accepted"] * 3
    assert done.told[6:] == ["Completed", "Completed", "Canceled"]


# The session in which the parent trades at the open, and what its legs do in it: bar, T+1, T+0.
@pytest.mark.parametrize(
    ("bar", "sold"),
    [((10.0, 10.6, 9.4, 10.0), 9.5), ((10.0, 10.6, 9.8, 10.0), 10.5), ((10.0, 10.2, 9.8, 10.0), None)],
)
def test_legs_sell_what_the_open_bought_in_the_same_session_only_under_t0(
    bar: Bar, sold: float | None
) -> None:
    t1 = Done(market(bar, symbol=T1), {1: bracket()})
    assert t1.fills == [(2, 1000, 10.0)]
    t0 = Done(market(bar, symbol=T0), {1: bracket()})
    assert t0.fills == [(2, 1000, 10.0)] + ([] if sold is None else [(2, -1000, sold)])


def test_under_t0_a_purchase_in_mid_session_may_be_stopped_out_and_takes_no_profit() -> None:
    plan = {1: bracket(exectype=LIMIT, price=9.8)}
    both = Done(market((10.0, 10.6, 9.4, 10.0), symbol=T0), plan)
    assert both.fills == [(2, 1000, 9.8), (2, -1000, 9.5)]
    profit = Done(market((10.0, 10.6, 9.7, 10.0), symbol=T0), plan)
    assert profit.fills == [(2, 1000, 9.8)]


def test_a_parent_that_ends_takes_its_legs_along() -> None:
    def take_back(strategy: Any) -> None:
        strategy.cancel(strategy.broker.get_orders_open()[0])

    done = Done(market(FLAT, FLAT), {1: bracket(exectype=LIMIT, price=9.0), 2: take_back})
    assert done.rejected == [(2, 1000, "cancelled"), (2, -1000, "parent"), (2, -1000, "parent")]
    assert done.told[6:] == ["Canceled"] * 3


def test_legs_follow_the_part_that_the_parent_got() -> None:
    # A tenth of 5,000 is 500 a session; the other 500 wait for the next, and so do those of the stop.
    panel = market((10.0, 10.1, 9.8, 10.0), (10.2, 10.3, 9.4, 9.6), (9.9, 10.0, 9.8, 9.9), volume=5000.0)
    given = {"exectype": LIMIT, "price": 9.8, "oargs": {"valid": datetime.timedelta(days=1)}}
    done = Done(panel, {1: bracket(**given)})
    assert done.fills == [(2, 500, 9.8), (3, -500, 9.5)]
    assert done.rejected == [
        (2, 500, "expired"),
        (2, -500, "parent"),
        (2, -500, "parent"),
        (3, -500, "group"),
    ]
    assert done.told[6:] == ["Partial", "Expired", "Completed", "Canceled"]


def test_one_of_a_group_cancels_the_others() -> None:
    def either(strategy: Any) -> None:
        first = strategy.buy(size=1000, exectype=LIMIT, price=9.8)
        second = strategy.buy(size=500, exectype=STOP, price=10.4, oco=first)
        strategy.buy(size=300, exectype=LIMIT, price=9.0, oco=second)

    done = Done(market((10.0, 10.1, 9.7, 10.0)), {1: either})
    assert done.fills == [(2, 1000, 9.8)]
    assert done.rejected == [(2, 500, "group"), (2, 300, "group")]


def test_an_order_that_is_not_transmitted_waits_for_one_that_is() -> None:
    def kept_back(strategy: Any) -> None:
        strategy.sent["parent"] = strategy.buy(size=1000, transmit=False)

    def sent(strategy: Any) -> None:
        strategy.sell(size=1000, exectype=STOP, price=9.5, parent=strategy.sent["parent"])

    assert Done(market(FLAT, FLAT), {1: kept_back}).rejected == [(3, 1000, "ended")]
    done = Done(market(FLAT, FLAT, (9.6, 9.6, 9.4, 9.5)), {1: kept_back, 2: sent})
    assert done.fills == [(3, 1000, 10.0), (4, -1000, 9.5)]


# --- what of it trades ------------------------------------------------------------------------------------


def test_a_purchase_at_the_upper_limit_waits_on() -> None:
    panel = market((11.0, 11.0, 11.0, 11.0), (11.0, 11.2, 10.9, 11.0))
    done = Done(panel, {1: buys(exectype=LIMIT, price=11.0), 2: sells(exectype=LIMIT, price=1.0)})
    assert done.fills == [(3, 1000, 11.0)]


def test_a_stop_that_the_lower_limit_blocks_sells_at_the_next_open() -> None:
    # Down to the limit of 9 at the open: nobody buys. The next session opens above the stop, and it sells.
    panel = market(FLAT, (9.0, 9.0, 9.0, 9.0), (9.6, 9.7, 9.5, 9.6))
    done = Done(panel, {1: buys(), 2: sells(exectype=STOP, price=9.4)})
    assert done.fills == [(2, 1000, 10.0), (4, -1000, 9.6)]
    assert done.rejected == []


def test_an_order_waits_through_a_halt_and_a_market_order_does_not() -> None:
    panel = market(None, (9.9, 10.0, 9.7, 9.8))
    limit = Done(panel, {1: buys(exectype=LIMIT, price=9.8)})
    assert (limit.fills, limit.rejected) == ([(3, 1000, 9.8)], [])
    assert Done(panel, {1: buys()}).rejected == [(2, 1000, "halted")]


def test_what_the_volume_leaves_of_it_waits_on() -> None:
    bar = (10.0, 10.1, 9.7, 10.0)
    done = Done(market(bar, bar, bar, volume=4000.0), {1: buys(exectype=LIMIT, price=9.8)})
    assert done.fills == [(2, 400, 9.8), (3, 400, 9.8), (4, 200, 9.8)]
    assert done.told[2:] == ["Partial", "Partial", "Completed"]
    assert done.sizes[2:] == [400, 800, 1000]


def test_orders_of_a_session_share_its_volume() -> None:
    def ladder(strategy: Any) -> None:
        for price in (9.9, 9.8, 9.7):
            strategy.buy(size=300, exectype=LIMIT, price=price, valid=0)

    done = Done(market((10.0, 10.1, 9.6, 10.0), volume=4000.0), {1: ladder})
    assert done.fills == [(2, 300, 9.9), (2, 100, 9.8)]
    assert done.rejected == [(2, 200, "expired"), (2, 300, "expired")]


def test_cash_cuts_a_purchase_and_what_it_leaves_is_gone() -> None:
    bar = (10.0, 10.1, 9.5, 10.0)
    done = Done(market(bar, bar), {1: buys(exectype=LIMIT, price=9.6)}, cash=5000.0, commission_min=5.0)
    # 500 cost 4,800 and 5; 600 would be 5,760.
    assert (done.fills, done.rejected) == ([(2, 500, 9.6)], [(2, 500, "cash")])
    assert done.told[2:] == ["Partial", "Canceled"]
    poor = Done(market(bar), {1: buys(exectype=LIMIT, price=9.6)}, cash=900.0)
    assert (poor.rejected, poor.told[2:]) == ([(2, 1000, "cash")], ["Margin"])


def test_money_of_a_sale_in_mid_session_pays_for_nothing_before_the_close() -> None:
    def both(strategy: Any) -> None:
        strategy.sell(size=1000, exectype=LIMIT, price=10.2)
        strategy.buy(size=1000, exectype=LIMIT, price=9.8)

    done = Done(market(FLAT, (10.0, 10.3, 9.7, 10.0)), {1: buys(), 2: both}, cash=10_000.0)
    assert done.fills == [(2, 1000, 10.0), (3, -1000, 10.2)]
    assert done.rejected == [(3, 1000, "cash")]


def test_lots_and_what_is_not_held() -> None:
    bar = (10.0, 10.3, 9.7, 10.0)
    odd = Done(market(bar), {1: buys(size=150, exectype=LIMIT, price=9.8)})
    assert (odd.fills, odd.rejected) == ([(2, 100, 9.8)], [(2, 50, "lot")])
    short = Done(market(bar), {1: sells(exectype=LIMIT, price=10.2)})
    assert (short.fills, short.rejected) == ([], [(2, -1000, "not_held")])
    assert short.told[2:] == ["Rejected"]


def test_a_stop_beside_a_purchase_of_the_same_session_waits_under_t1_and_sells_under_t0() -> None:
    def both(strategy: Any) -> None:
        strategy.buy(size=1000)
        strategy.sell(size=1000, exectype=STOP, price=9.8)

    bars = ((10.0, 10.1, 9.7, 10.0), (10.0, 10.1, 9.75, 10.0))
    assert Done(market(*bars, symbol=T1), {1: both}).fills == [(2, 1000, 10.0), (3, -1000, 9.8)]
    assert Done(market(*bars, symbol=T0), {1: both}).fills == [(2, 1000, 10.0), (2, -1000, 9.8)]
    close = {1: lambda each: (each.buy(size=1000), each.sell(size=1000, exectype=bt.Order.Close))}
    assert Done(market(*bars, symbol=T1), close).rejected == [(2, -1000, "resale")]


# --- how long ---------------------------------------------------------------------------------------------

NEXT = (
    0,
    bt.Order.DAY,
    datetime.timedelta(days=1),
    datetime.date(2024, 1, 3),
    datetime.datetime(2024, 1, 3, 12),
)


@pytest.mark.parametrize("valid", NEXT, ids=str)
def test_valid_for_the_next_session(valid: Any) -> None:
    bars = (FLAT, (10.0, 10.1, 9.7, 10.0))
    done = Done(market(*bars), {1: buys(exectype=LIMIT, price=9.8, valid=valid)})
    assert (done.fills, done.rejected) == ([], [(2, 1000, "expired")])
    assert done.told[2:] == ["Expired"]
    longer = Done(market(*bars), {1: buys(exectype=LIMIT, price=9.8, valid=datetime.date(2024, 1, 4))})
    assert longer.fills == [(3, 1000, 9.8)]


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (
            {"exectype": bt.Order.Historical},
            "not supported; received Historical; limit: Market, Close, Limit",
        ),
        ({"exectype": "Iceberg"}, "not supported; received 'Iceberg'"),
        ({"exectype": LIMIT, "price": float("nan")}, f"a Limit order for {T1} has no price"),
        ({"exectype": STOP, "price": -1.0}, f"a Stop order for {T1} has no price"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_name(order: dict[str, Any], words: str) -> None:
    with pytest.raises(StrategyError, match=words) as error:
        Done(market(FLAT), {1: buys(**order)})
    assert error.value.exit_code == 4
