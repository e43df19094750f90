"""Shanghai opens before New York: what New York sells pays in Shanghai on the next session.

A purchase waits for it. As cases that a pencil can check, on the oracle and on both engines. A dollar is a
yuan, and ``FREE`` costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.errors import UsageError
from data.load import load_panel
from engine import run
from engine.accounts.lines import read_account
from engine.commands.account import AccountJob, new_account, step_account
from engine.commands.job import job_of
from engine.orders.next_open import decide_next, next_panel
from engine.orders.tickets import tickets_of
from engine.simulation.standing import Standing
from engine.spec import Conditions
from strategies import STRATEGIES
from tests.helpers.pencil import FREE, FRI, MON, THU, TUE, WED, WEEK, A, B, bars, on, traded
from tests.oracle import Action, Decision, Fund, Rejection, Scenario
from tests.test_currency import CN, US, made
from tests.test_signal_abroad import SYMBOLS, Before

X = "XYZ.US"


def market(*funds: Fund, **decisions: Any) -> Scenario:
    """All in New York on Tuesday; ``decisions`` are those of later days, by their names."""
    days = {"wed": WED, "thu": THU, "fri": FRI}
    later = {
        days[name]: each if isinstance(each, Decision) else Decision.by_weight(each)
        for name, each in decisions.items()
    }
    return Scenario(
        days=WEEK,
        funds=(*funds, Fund(X, bars(10.0, 10.0, 10.0, 10.0, 10.0))),
        decisions={TUE: Decision.by_weight({X: 1.0}), **later},
        cash=10_000.0,
        costs=FREE,
        foreign=frozenset({X}),
        rates=dict.fromkeys(WEEK, 1.0),
    )


def test_a_purchase_waits_for_what_new_york_sells_and_is_made_on_the_next_session(simulate_with: Any) -> None:
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0)), wed={A: 1.0}))
    assert traded(outcome) == [(TUE, X, 1000, 10.0), (WED, X, -1000, 10.0), (THU, A, 10_000, 1.0)]
    assert outcome.rejections == (Rejection(WED, A, 10_000, "cash"),)
    assert (on(outcome, WED).cash, on(outcome, THU).cash) == (10_000.0, 0.0)


def test_it_is_of_as_many_shares_at_the_price_of_that_session_and_waits_once(simulate_with: Any) -> None:
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.0, 1.0, 1.25, 1.0)), wed={A: 1.0}))
    # 10,000 pay for 8,000 at 1.25; the others are not bought on Friday.
    assert traded(outcome)[2:] == [(THU, A, 8_000, 1.25)]
    assert outcome.rejections[1:] == (Rejection(THU, A, 2_000, "cash"),)
    assert on(outcome, FRI).cash == 0.0


def test_what_shanghai_sells_pays_in_new_york_on_the_same_session(simulate_with: Any) -> None:
    fund = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    outcome = simulate_with(market(fund, wed={A: 1.0}, fri={X: 1.0}))
    assert traded(outcome)[3:] == [(FRI, A, -10_000, 1.0), (FRI, X, 1000, 10.0)]


def test_cash_at_hand_buys_at_once_and_the_rest_waits(simulate_with: Any) -> None:
    funds = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0)), Fund(B, bars(2.0, 2.0, 2.0, 2.0, 2.0))
    scenario = market(*funds, wed={A: 0.5, B: 0.5})
    decisions = {**scenario.decisions, TUE: Decision.by_weight({B: 0.2, X: 0.7})}
    outcome = simulate_with(replace(scenario, decisions=decisions))
    # 2,000 in B and 7,000 in X leave 1,000: of 5,000 of A a fifth, then nothing of 1,500 of B is paid for.
    assert traded(outcome)[2:] == [
        (WED, A, 1_000, 1.0),
        (WED, X, -700, 10.0),
        (THU, A, 4_000, 1.0),
        (THU, B, 1_500, 2.0),
    ]
    assert on(outcome, THU).cash == 0.0


def test_a_new_decision_takes_the_place_of_what_waits(simulate_with: Any) -> None:
    funds = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0)), Fund(B, bars(2.0, 2.0, 2.0, 2.0, 2.0))
    outcome = simulate_with(market(*funds, wed={A: 1.0}, thu={B: 1.0}))
    assert traded(outcome)[2:] == [(THU, B, 5_000, 2.0)]


def test_without_a_sale_in_new_york_nothing_waits(simulate_with: Any) -> None:
    fund = Fund(A, bars(1.0, 1.0, bars(1.25)[MON], 1.0, 1.0))
    scenario = market(fund, wed={A: 1.0})
    decisions = {TUE: Decision.by_weight({}), WED: scenario.decisions[WED]}
    outcome = simulate_with(replace(scenario, decisions=decisions))
    # 10,000 are wanted at 1.00, and 8,000 can be paid for at 1.25.
    assert traded(outcome) == [(WED, A, 8_000, 1.25)]


@pytest.mark.parametrize(
    ("action", "bought"),
    [
        (Action("split", THU, ratio=2.0), [(THU, A, 20_000, 0.5)]),
        (Action("split", THU, ratio=0.0105), [(THU, A, 100, 0.5)]),  # 105 shares
        (Action("dividend", THU, cash=0.5), [(THU, A, 10_000, 0.5)]),
        (Action("liquidation", THU, cash=1.0), []),
    ],
)
def test_it_follows_what_becomes_of_its_fund(simulate_with: Any, action: Action, bought: Any) -> None:
    fund = Fund(A, bars(1.0, 1.0, 1.0, 0.5, 0.5), actions=(action,))
    assert traded(simulate_with(market(fund, wed={A: 1.0})))[2:] == bought


def test_the_purchase_of_a_sleeve_waits_and_is_that_sleeves(simulate_with: Any) -> None:
    funds = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0)), Fund(B, bars(2.0, 2.0, 2.0, 2.0, 2.0))
    scenario = market(*funds)
    decisions = {
        TUE: Decision({X: 1.0}, (X,), tranches=2),
        WED: Decision({A: 1.0}, (A,), 2, sleeve=0),
        THU: Decision({B: 1.0}, (B,), 2, sleeve=1),
        FRI: Decision({}, (), 2, sleeve=0),
    }
    outcome = simulate_with(replace(scenario, decisions=decisions))
    assert traded(outcome)[1:] == [
        (WED, X, -500, 10.0),
        (THU, A, 5_000, 1.0),  # the first sleeve's; the second waits in turn, and Friday is not its own
        (THU, X, -500, 10.0),
        (FRI, B, 2_500, 2.0),
        (FRI, A, -5_000, 1.0),
    ]


def test_a_purchase_of_all_sleeves_does_not_wait(simulate_with: Any) -> None:
    # The account is divided at the close of Wednesday, and who should buy on Thursday?
    fund = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    outcome = simulate_with(market(fund, wed=Decision({A: 1.0}, (A,), tranches=2)))
    assert traded(outcome)[1:] == [(WED, X, -1_000, 10.0)]


def test_a_stop_takes_back_the_purchase_of_its_fund(simulate_with: Any) -> None:
    fund = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    scenario = market(fund, wed={A: 1.0}, thu=Decision({}, (), only=(A,)))
    decisions = {**scenario.decisions, TUE: Decision.by_weight({A: 0.2, X: 0.8})}
    outcome = simulate_with(replace(scenario, decisions=decisions))
    assert traded(outcome)[2:] == [(WED, X, -800, 10.0), (THU, A, -2_000, 1.0)]


def test_a_stop_takes_back_a_purchase_of_which_nothing_is_held_yet(simulate_with: Any) -> None:
    fund = Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0))
    stopped = market(fund, wed={A: 1.0}, thu=Decision({}, (), only=(A,)))
    assert traded(simulate_with(stopped))[1:] == [(WED, X, -1_000, 10.0)]
    other = market(fund, wed={A: 1.0}, thu=Decision({}, (), only=(X,)))
    assert traded(simulate_with(other))[1:] == [(WED, X, -1_000, 10.0), (THU, A, 10_000, 1.0)]


# --- The evening --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Home:
    """All in New York, and from a day on all in Shanghai."""

    since: str = "2025-02-06"

    def target_weights(self, known: Any) -> NDArray[np.float64]:
        weights = np.full((len(known.days), len(known.symbols)), np.nan)
        home = [float(each == CN) for each in known.symbols]
        weights[known.days == np.datetime64("2025-01-22")] = [float(each == US) for each in known.symbols]
        weights[known.days == np.datetime64(self.since)] = home
        return weights


@pytest.mark.slow
def test_what_waits_is_ordered_the_next_morning_of_a_run_and_of_an_account(tmp_path: Path) -> None:
    store = made(tmp_path / "both")
    first, since, after = date(2025, 1, 22), date(2025, 2, 6), date(2025, 2, 7)
    whole = run(Home(), load_panel(store, end=after), start=first, end=after)
    (fill,) = whole.fills[whole.fills["day"] == str(after)].to_dict("records")
    assert (fill["symbol"], whole.fills["symbol"].iloc[-2]) == (CN, US)
    account = None
    for day in (since, after):
        source = Before(store, date.fromordinal(day.toordinal() + 1))
        job = job_of(Home(), load_panel(source), Conditions(start=first), source)
        account = account or new_account(tmp_path / "desk", job)
        stepped = list(step_account(AccountJob(account, job)))
        if day == since:
            ahead = next_panel(source, SYMBOLS, since)
            past = run(Home(), load_panel(store, end=since), start=first, end=since)
            standing = Standing.after(past, load_panel(store, end=since))
            assert standing == stepped[-1].standing
            signal = decide_next(Home(), ahead, Conditions(start=first), standing=standing)
            assert not signal.decides
            (ticket,) = tickets_of(signal, ahead, Conditions().costs).sent
            assert (ticket.symbol, ticket.why) == (CN, "waited for the money of a sale in New York")
            assert ticket.wanted >= fill["shares"]
    assert [each.equity for each in stepped] == whole.equity[-1:].tolist()


@dataclass(frozen=True)
class ThereAndBack:
    """Every three sessions all that was in one market goes to the other."""

    def target_weights(self, known: Any) -> NDArray[np.float64]:
        weights = np.full((len(known.days), len(known.symbols)), np.nan)
        abroad = np.array([each.endswith(".US") for each in known.symbols], dtype=float)
        for number, row in enumerate(range(5, len(weights), 3)):
            weights[row] = (abroad if number % 2 else 1.0 - abroad) / 2.0
        return weights


def test_an_account_over_two_markets_day_by_day_is_the_backtest(tmp_path: Path) -> None:
    store = made(tmp_path / "both")
    first, last = date(2025, 1, 21), date(2025, 2, 13)
    whole = run(ThereAndBack(), load_panel(store, end=last), start=first, end=last)
    account, stepped, waited = None, [], 0
    for day in whole.days.tolist():
        source = Before(store, date.fromordinal(day.toordinal() + 1))
        job = job_of(ThereAndBack(), load_panel(source), Conditions(start=first), source)
        account = account or new_account(tmp_path / "desk", job)
        (session,) = step_account(AccountJob(read_account(account.folder), job))
        stepped.append(session)
        waited += len(session.waiting)
    assert waited > 1
    assert [each.day for each in stepped] == whole.days.tolist()
    assert [each.equity for each in stepped] == whole.equity.tolist()
    fills = [(str(each.day), *fill[:3]) for each in stepped for fill in each.fills]
    columns = whole.fills[["symbol", "shares", "price"]].itertuples(index=False, name=None)
    assert fills == [(str(day.date()), *rest) for day, rest in zip(whole.fills["day"], columns, strict=True)]


def test_an_account_over_two_markets_is_of_one_sleeve(tmp_path: Path) -> None:
    """What waits is not written down by sleeve, nor is anything else of an account."""
    store = made(tmp_path / "both")
    panel = load_panel(store)
    one, two = (
        job_of(
            STRATEGIES["momentum"](lookback=3, top=2, rebalance=2, tranches=each), panel, Conditions(), store
        )
        for each in (1, 2)
    )
    with pytest.raises(UsageError, match="a paper account is of one sleeve"):
        new_account(tmp_path / "desk", two)
    account = new_account(tmp_path / "desk", one)
    # As of a strategy's own file, whose default was changed since.
    with pytest.raises(UsageError, match="a paper account is of one sleeve"):
        next(step_account(AccountJob(account, two)))
