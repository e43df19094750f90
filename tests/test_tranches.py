"""Sleeves of one account as cases that a pencil can check, on the oracle and on both engines.

``FREE`` costs nothing. Sleeves count from 0; where all decide, the case says of how many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import pytest

from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from engine import run
from engine.orders.next_open import decide_next
from strategies.baselines import BuyHold
from strategies.momentum import Momentum
from strategies.rotation import Rotation
from tests.helpers.pencil import FREE, FRI, MON, THU, TUE, WED, A, B, bars, on, traded
from tests.helpers.scenarios import panel_of
from tests.oracle import Action, Decision, Fund, Rejection, Scenario

DAYS = (MON, TUE, WED, THU, FRI)


@pytest.fixture(scope="module")
def demo() -> Panel:
    return load_panel(Demo())


def turn(weights: dict[str, float], sleeve: int | None = None, tranches: int = 2) -> Decision:
    return replace(Decision.by_weight(weights), tranches=tranches, sleeve=sleeve)


def market(*funds: Fund, turns: dict[Any, Decision], **more: Any) -> Scenario:
    return Scenario(
        **({"days": DAYS, "funds": funds, "decisions": turns, "cash": 10_000.0, "costs": FREE} | more)
    )


# --- Orders -----------------------------------------------------------------------------------------------
def test_a_sleeve_trades_on_its_own_books(simulate_with):
    funds = Fund(A, bars(2.0, 2.0, 2.0, 4.0, 4.0)), Fund(B, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    outcome = simulate_with(
        market(*funds, turns={TUE: turn({A: 1.0}), WED: turn({B: 1.0}, 1), FRI: turn({A: 0.5}, 0)})
    )
    assert traded(outcome) == [
        (TUE, A, 5000, 2.0),  # 10,000 / 2; each sleeve has 2,500
        (WED, A, -2500, 2.0),
        (WED, B, 5000, 1.0),  # the second sleeve's 5,000 of money
        (FRI, A, -1200, 4.0),  # the first one's: 0.5 * 10,000 / 4 - 2,500 = -1,250
    ]
    assert on(outcome, FRI).cash == 1200 * 4.0


def test_what_all_buy_is_one_order_in_whole_lots_of_each_with_one_commission(simulate_with):
    costs = replace(FREE, commission_min=5.0)
    fund = Fund(A, bars(2.0, 2.0, 2.0))
    outcome = simulate_with(market(fund, turns={TUE: turn({A: 0.5}, tranches=4)}, costs=costs))
    # 5,000 / 2 = 2,500 shares, of which six times four lots
    assert [(fill.shares, fill.commission) for fill in outcome.fills] == [(2400, 5.0)]
    assert on(outcome, TUE).cash == 10_000 - 2400 * 2.0 - 5.0


def test_cash_and_volume_cut_what_all_buy_to_whole_lots_of_each(simulate_with):
    costs = replace(FREE, participation_rate=0.1)
    fund = Fund(A, bars(2.0, 2.0, 2.0, volume=9_000))
    outcome = simulate_with(market(fund, turns={TUE: turn({A: 1.0})}, costs=costs))
    assert traded(outcome) == [(TUE, A, 800, 2.0)]  # 900 shares are four times two lots
    assert outcome.rejections == (Rejection(TUE, A, 4200, "participation"),)
    dear = Fund(A, bars(2.0, bars(2.5)[MON], 2.5))
    outcome = simulate_with(market(dear, turns={TUE: turn({A: 1.0}, tranches=3)}))
    # wanted 10,000 / 2: sixteen times three lots; cash pays for 4,000, thirteen times three
    assert traded(outcome) == [(TUE, A, 3900, 2.5)]
    assert outcome.rejections == (Rejection(TUE, A, 900, "cash"),)


def test_a_sleeve_cannot_spend_the_money_of_another(simulate_with):
    funds = Fund(A, bars(2.0, 2.0, 2.0)), Fund(B, bars(1.0, 1.0, bars(1.25)[MON], 1.25))
    outcome = simulate_with(market(*funds, turns={TUE: turn({}), WED: turn({B: 1.0}, 0)}))
    # half of 10,000 is wanted at 1.0, and pays for 4,000 at 1.25 although the account has as much again
    assert traded(outcome) == [(WED, B, 4000, 1.25)]
    assert outcome.rejections == (Rejection(WED, B, 1000, "cash"),)
    assert on(outcome, WED).cash == 5000.0


def test_what_a_sleeve_could_not_trade_is_not_carried_over(simulate_with):
    funds = Fund(A, bars(2.0, 2.0, None, 2.0, 2.0)), Fund(B, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    outcome = simulate_with(
        market(*funds, turns={TUE: turn({A: 1.0}), WED: turn({B: 1.0}, 0), THU: turn({A: 1.0}, 1)})
    )
    # on Wednesday A is halted: nothing is sold, and there is no money for B
    assert traded(outcome) == [(TUE, A, 5000, 2.0)]
    assert outcome.rejections == (Rejection(WED, A, -2500, "halted"), Rejection(WED, B, 5000, "cash"))


# --- What happens to the parts ----------------------------------------------------------------------------
def test_a_dividend_is_paid_to_the_sleeve_that_holds_the_fund(simulate_with):
    dividend = Action("dividend", THU, cash=0.4, pay_day=FRI)
    funds = (
        Fund(A, bars(2.0, 2.0, 2.0, 1.6, 1.6), actions=(dividend,)),
        Fund(B, bars(1.0, 1.0, 1.0, 1.0, 1.0)),
    )
    turns = {TUE: turn({A: 1.0}), WED: turn({}, 1), THU: turn({B: 1.0}, 1), FRI: turn({A: 0.8, B: 0.2}, 0)}
    outcome = simulate_with(market(*funds, turns=turns))
    assert traded(outcome) == [
        (TUE, A, 5000, 2.0),
        (WED, A, -2500, 2.0),
        (THU, B, 5000, 1.0),  # nothing of the dividend, which is the other sleeve's
        (FRI, B, 1000, 1.0),  # 0.2 * (2,500 * 1.6 + 2,500 * 0.4), paid out of the dividend of 1,000
    ]
    assert on(outcome, FRI).cash == 0.0


def test_a_split_leaves_no_share_between_the_sleeves(simulate_with):
    split = Action("split", WED, ratio=0.25)
    fund = Fund(A, bars(1.0, 1.0, 4.0, 4.0, 4.0), actions=(split,))
    outcome = simulate_with(
        market(
            fund,
            turns={TUE: turn({A: 1.0}, tranches=3), THU: turn({}, 0, 3), FRI: turn({}, 1, 3)},
            cash=9.0,
            lot=1,
        )
    )
    # 9 shares become 2; of sleeves with 3, 6 and 9 shares so far, that is 0, 1 and 2: none, one, and one
    assert [on(outcome, day).shares[A] for day in (TUE, WED, THU, FRI)] == [9, 2, 2, 1]


def test_odd_lots_leave_with_the_last_shares_of_the_account(simulate_with):
    split = Action("split", WED, ratio=1.5)
    fund = Fund(A, bars(3.0, 3.0, 2.0, 2.0, 2.0), actions=(split,))
    turns = {TUE: turn({A: 0.5}), WED: turn({}, 0), THU: turn({}, 1)}
    outcome = simulate_with(market(fund, turns=turns, cash=10_000.0))
    # 1,600 of 1,666 shares: 800 each, 1,200 after the split, which are whole lots
    assert traded(outcome) == [(TUE, A, 1600, 3.0), (WED, A, -1200, 2.0), (THU, A, -1200, 2.0)]
    outcome = simulate_with(market(fund, turns=turns, cash=1_800.0))
    # 200 of 300 shares: 100 each, 150 after the split; the odd 50 of both are left
    assert traded(outcome) == [(TUE, A, 200, 3.0), (WED, A, -100, 2.0), (THU, A, -100, 2.0)]
    assert on(outcome, THU).shares == {A: 100}


def test_a_merge_leaves_no_share_between_the_sleeves(simulate_with):
    end = Action("merge", THU, ratio=0.5, successor=B)
    funds = Fund(A, bars(3.0, 3.0, 3.0), actions=(end,)), Fund(B, bars(*[6.0] * 5))
    outcome = simulate_with(
        market(
            *funds,
            turns={TUE: turn({A: 1.0}, tranches=3), FRI: turn({}, 0, 3)},
            cash=27.0,
            lot=1,
        )
    )
    # 9 shares become 4.5 of the successor: 4, and half a share in money, a third of it for each sleeve.
    # Of sleeves with 3, 6 and 9 shares so far that is 1, 3 and 4: the first sells one.
    assert on(outcome, THU).shares == {A: 0, B: 4}
    assert on(outcome, THU).cash == 0.5 * 6.0
    assert traded(outcome)[1:] == [(FRI, B, -1, 6.0)]


def test_interest_is_each_sleeves_own(simulate_with):
    costs = replace(FREE, cash_rate=0.365)
    funds = Fund(A, bars(2.0, 2.0, 2.0, 2.0, 2.0)), Fund(B, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    turns = {TUE: turn({A: 1.0}), WED: turn({}, 1), FRI: turn({B: 1.0}, 1)}
    outcome = simulate_with(market(*funds, turns=turns, costs=costs, lot=1))
    # 5,000 in cash from Wednesday on: 5 a night to the sleeve that has it
    assert [session.interest for session in outcome.sessions] == pytest.approx([0.0, 0.0, 5.0, 5.005])
    assert traded(outcome)[-1] == (FRI, B, 5005, 1.0)


# --- Rotations --------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Alternating(Rotation):
    """The first fund on sessions of an even row, the second on the others."""

    top: int = 1
    warmup: ClassVar[int] = 1

    def scores(self, known: Any) -> np.ndarray:
        even = np.arange(len(known.days)) % 2 == 0
        return np.column_stack([np.where(even, 1.0, 0.0), np.where(even, 0.0, 1.0)])


def two_funds(days: int, price: float = 2.0) -> Panel:
    sessions = tuple(MON + timedelta(days=number) for number in range(days))
    funds = tuple(Fund(name, bars(*[price] * days, days=sessions)) for name in (A, B))
    return panel_of(Scenario(days=sessions, funds=funds, decisions={}))


def test_sleeves_take_turns_and_weights_are_those_of_the_account():
    strategy = Alternating(rebalance=4, tranches=2, phase=1)
    result = run(strategy, two_funds(10), costs={"slippage_rate": 0, "commission_min": 0}, cash=4_000.0)
    # rows 1 and, four sessions apart, 2, 6 of the first sleeve (phase 1) and 4, 8 of the second (phase 3)
    assert [int((day - result.days[0]).astype(int)) + 1 for day in result.decision_days] == [1, 2, 4, 6, 8]
    assert result.weights.tolist() == [[0, 1], [0.5, 0], [0.5, 0], [0.5, 0], [0.5, 0]]


@pytest.mark.parametrize("engine", ["reference", "batch"])
def test_tranches_of_buy_and_hold_are_buy_and_hold(demo: Panel, engine: str) -> None:
    # 0.8 * 10,000 / 2 = 4,000 shares are ten times four lots: equal to the last bit
    strategy = BuyHold(symbol=A, cap=0.8)
    days = tuple(MON + timedelta(days=number) for number in range(8))
    fund = Fund(A, bars(2.0, 2.0, 2.1, 1.9, 2.3, 2.2, 1.7, 2.4, days=days))
    panel = panel_of(Scenario(days=days, funds=(fund,), decisions={}))
    one, four = (
        run(each, panel, engine=engine, cash=10_000.0) for each in (strategy, replace(strategy, tranches=4))
    )
    assert one.fills["shares"].tolist() == four.fills["shares"].tolist() == [4000]
    for name in ("equity", "cash", "shares", "weights"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))
    # else up to three lots a fund are missing
    one, four = (run(BuyHold(tranches=each), demo, engine=engine) for each in (1, 4))
    missing = one.fills["shares"] - four.fills["shares"]
    assert len(one.fills) == len(four.fills)
    assert missing.between(0, 300).all()
    assert missing.any()


def test_one_tranche_is_no_tranche(demo: Panel) -> None:
    usual, one = (run(each, demo, engine="batch") for each in (Momentum(), Momentum(phase=0, tranches=1)))
    assert "phase" not in usual.manifest["parameters"]
    assert usual.manifest == one.manifest
    assert run(Momentum(phase=2), demo, engine="batch").manifest["parameters"]["phase"] == 2


def test_a_signal_cannot_tell_sleeves_apart(demo: Panel) -> None:
    with pytest.raises(UsageError, match="which sleeve"):
        decide_next(Momentum(tranches=2), demo)
