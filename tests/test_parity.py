"""The engine against the oracle on random small markets, and against itself on markets that must not differ.

Parity is equality to the last bit of every session, fill and rejection. The default run takes the same
examples every time; the slow one draws new ones, and what it finds becomes a pencil case.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import oracle
from tests.helpers.markets import fund_histories, scenarios
from tests.helpers.scenarios import IMPLEMENTATIONS, assert_same
from tests.invariants import REASONS
from tests.oracle import Action, Bar, Decision, Fund, Outcome, Scenario

ENGINES = sorted(set(IMPLEMENTATIONS) - {"oracle"})
QUICK = settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HEAVY = settings(QUICK, max_examples=400)
FEW = settings(QUICK, max_examples=15)

# What must have happened in the examples for parity to mean anything
COMMON = {"fill", "halted", "participation", "cash", "dividend held", "split held", "merge held", "end held"}
RARE = REASONS | {"odd lot sold", "liquidation held", "paid later"}


@pytest.fixture(params=ENGINES, scope="module")
def engine(request):
    return IMPLEMENTATIONS[request.param]


# --- Parity with the oracle -------------------------------------------------------------------------------
def test_engine_equals_the_oracle_on_random_markets(engine):
    reached: set[str] = set()

    @QUICK
    @given(scenarios())
    def compare(scenario: Scenario) -> None:
        expected = oracle.simulate(scenario)
        reached.update(features(scenario, expected))
        assert_same(expected, engine(scenario))

    compare()
    assert reached >= COMMON


@pytest.mark.slow
def test_engine_equals_the_oracle_on_many_random_markets(engine):
    reached: set[str] = set()

    @HEAVY
    @given(scenarios())
    def compare(scenario: Scenario) -> None:
        expected = oracle.simulate(scenario)
        reached.update(features(scenario, expected))
        assert_same(expected, engine(scenario))

    compare()
    assert reached >= COMMON | RARE


def features(scenario: Scenario, outcome: Outcome) -> set[str]:
    """What happened in this run, so that a test can say what its examples have reached."""
    reached = {rejection.reason for rejection in outcome.rejections} | {"fill" for _ in outcome.fills}
    if any(fill.shares < 0 and fill.shares % scenario.lot for fill in outcome.fills):
        reached.add("odd lot sold")
    if any(session.receivable > 0 for session in outcome.sessions):
        reached.add("paid later")
    for before, after in zip(outcome.sessions, outcome.sessions[1:], strict=False):
        for fund in scenario.funds:
            if before.shares[fund.symbol] == 0:
                continue
            due = [action.kind for action in fund.actions if before.day < action.ex_day <= after.day]
            reached.update(f"{kind} held" for kind in due)
            if fund.delisted is not None and before.day < fund.delisted <= after.day:
                reached.add("end held")
    return reached


# --- Properties of the engine alone -----------------------------------------------------------------------
def test_funds_may_come_in_any_order(engine):
    """Names decide nothing but the order of sells, where every sum is exact in any order."""

    @FEW
    @given(scenarios(exact=True), st.randoms(use_true_random=False))
    def compare(scenario: Scenario, random: Any) -> None:
        symbols = [fund.symbol for fund in scenario.funds]
        new_name = dict(zip(symbols, random.sample(symbols, len(symbols)), strict=True))
        expected, received = engine(scenario), engine(renamed(scenario, new_name))
        assert_same(renamed_outcome(expected, new_name), in_order(received))

    compare()


def test_a_fund_that_is_never_held_changes_nothing(engine):
    @FEW
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        scenario = data.draw(scenarios())
        name = data.draw(st.sampled_from(("500000.SH", "510002.SZ", "599999.SH")))
        spare = data.draw(fund_histories(name, scenario.days, scenario.tick, (2.0, 1.5), exact=False))
        funds = sorted((*scenario.funds, spare), key=lambda fund: fund.symbol)
        with_spare = engine(replace(scenario, funds=tuple(funds)))
        assert_same(engine(scenario), without(with_spare, name))

    compare()


def test_later_sessions_change_nothing(engine):
    @FEW
    @given(scenarios(), st.integers(4, 6))
    def compare(scenario: Scenario, length: int) -> None:
        whole = engine(scenario)
        cut = engine(until(scenario, scenario.days[length - 1]))
        sessions = whole.sessions[: len(cut.sessions)]
        last = sessions[-1].day
        assert_same(
            Outcome(
                sessions,
                tuple(fill for fill in whole.fills if fill.day <= last),
                tuple(rejection for rejection in whole.rejections if rejection.day <= last),
            ),
            cut,
        )

    compare()


@pytest.mark.parametrize("ratio", [2, 4])
def test_a_fund_split_before_the_first_day_is_the_same_fund(engine, ratio):
    """With lots and ticks split as well, money is the same to the bit: powers of two scale exactly."""

    @FEW
    @given(scenarios(whole_splits=True))
    def compare(scenario: Scenario) -> None:
        expected, received = engine(scenario), engine(split_from_the_start(scenario, ratio))
        for wanted, got in zip(expected.sessions, received.sessions, strict=True):
            assert (got.cash, got.receivable, got.equity) == (wanted.cash, wanted.receivable, wanted.equity)
            assert got.shares == {symbol: held * ratio for symbol, held in wanted.shares.items()}
        assert received.fills == tuple(
            replace(
                fill, shares=fill.shares * ratio, price=fill.price / ratio, reference=fill.reference / ratio
            )
            for fill in expected.fills
        )
        assert received.rejections == tuple(
            replace(rejection, shares=rejection.shares * ratio) for rejection in expected.rejections
        )

    compare()


# --- The same market, written differently -----------------------------------------------------------------
def renamed(scenario: Scenario, new_name: dict[str, str]) -> Scenario:
    def of_fund(fund: Fund) -> Fund:
        actions = tuple(
            replace(each, successor=new_name.get(each.successor, each.successor)) for each in fund.actions
        )
        return replace(fund, symbol=new_name[fund.symbol], actions=actions)

    funds = [of_fund(fund) for fund in scenario.funds]
    decisions = {
        day: Decision(
            {new_name[symbol]: weight for symbol, weight in decision.weights.items()},
            tuple(new_name[symbol] for symbol in decision.rank),
        )
        for day, decision in scenario.decisions.items()
    }
    return replace(scenario, funds=tuple(sorted(funds, key=lambda fund: fund.symbol)), decisions=decisions)


def renamed_outcome(outcome: Outcome, new_name: dict[str, str]) -> Outcome:
    def of_symbols(values: Any) -> dict[str, Any]:
        return {new_name[symbol]: value for symbol, value in values.items()}

    return in_order(
        Outcome(
            tuple(
                replace(
                    session,
                    shares=of_symbols(session.shares),
                    mark=of_symbols(session.mark),
                    reference=of_symbols(session.reference),
                    limits=of_symbols(session.limits),
                )
                for session in outcome.sessions
            ),
            tuple(replace(fill, symbol=new_name[fill.symbol]) for fill in outcome.fills),
            tuple(replace(each, symbol=new_name[each.symbol]) for each in outcome.rejections),
        )
    )


def in_order(outcome: Outcome) -> Outcome:
    """Fills and rejections of a session by symbol: the order of sells is what names do decide."""
    return Outcome(
        outcome.sessions,
        tuple(sorted(outcome.fills, key=lambda fill: (fill.day, fill.symbol))),
        tuple(sorted(outcome.rejections, key=lambda each: (each.day, each.symbol))),
    )


def without(outcome: Outcome, symbol: str) -> Outcome:
    def others(values: Any) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name != symbol}

    assert all(session.shares[symbol] == 0 for session in outcome.sessions)
    return replace(
        outcome,
        sessions=tuple(
            replace(
                session,
                shares=others(session.shares),
                mark=others(session.mark),
                reference=others(session.reference),
                limits=others(session.limits),
            )
            for session in outcome.sessions
        ),
    )


def until(scenario: Scenario, last: date) -> Scenario:
    return replace(
        scenario,
        days=tuple(day for day in scenario.days if day <= last),
        decisions={day: decision for day, decision in scenario.decisions.items() if day <= last},
        funds=tuple(
            replace(fund, bars={day: bar for day, bar in fund.bars.items() if day <= last})
            for fund in scenario.funds
        ),
    )


def split_from_the_start(scenario: Scenario, ratio: int) -> Scenario:
    def split_bar(bar: Bar) -> Bar:
        return replace(
            bar,
            open=bar.open / ratio,
            high=bar.high / ratio,
            low=bar.low / ratio,
            close=bar.close / ratio,
            volume=bar.volume * ratio,
            pre_close=None if bar.pre_close is None else bar.pre_close / ratio,
        )

    def split_action(action: Action) -> Action:
        return replace(action, cash=action.cash / ratio)

    def split_fund(fund: Fund) -> Fund:
        return replace(
            fund,
            bars={day: split_bar(bar) for day, bar in fund.bars.items()},
            navs={day: nav / ratio for day, nav in fund.navs.items()},
            actions=tuple(split_action(action) for action in fund.actions),
        )

    return replace(
        scenario,
        funds=tuple(split_fund(fund) for fund in scenario.funds),
        lot=scenario.lot * ratio,
        tick=scenario.tick / ratio,
    )
