"""The way from scores to equity against the oracle: rotations of random scores on random small markets.

Target weights, fills and every session of the account are equal to the last bit, on both engines; so is
equity in a sweep, where the same rotation stands behind another ranking. Weights are also held against
fractions, which do not round. Weights by inverse volatility are not equal but near, since the oracle makes
returns from closes and not from adjusted prices; there it trades the engine's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from engine import run
from engine.result import Result
from tests.helpers.rotations import Drawn, equity_in_a_sweep, expected_of, rotations
from tests.helpers.scenarios import conditions_of, day_of, rows_of
from tests.oracle import Decision, Fill, Outcome, Rejection
from tests.oracle_targets import Rules, rotate

QUICK = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
HEAVY = settings(QUICK, max_examples=300)
EFFORTS = pytest.mark.parametrize(
    "effort", [QUICK, pytest.param(HEAVY, marks=pytest.mark.slow)], ids=("quick", "heavy")
)


def result_of(drawn: Drawn, engine: str) -> Result:
    given = conditions_of(drawn.scenario)
    with pytest.MonkeyPatch.context() as patch:
        # That cash buys no lot of anything is an error of a run; here it is a market like any other.
        patch.setattr("engine.simulation.backtest._check_lot", lambda *_: None)
        return run(
            drawn.strategy,
            drawn.panel,
            cash=given.cash,
            costs=given.costs,
            reserve=given.reserve,
            fill=given.fill,
            engine=engine,
        )


def swept(drawn: Drawn, *, in_machine_code: bool) -> list[float]:
    """Equity in a sweep, as Python where machine code would take too long to make."""
    with pytest.MonkeyPatch.context() as patch:
        if not in_machine_code:
            for module in ("sweep", "follow", "ranking"):
                patch.setattr(f"engine.sweeps.{module}.compiled", lambda function, *_: function)
        return equity_in_a_sweep(drawn)


def assert_same(expected: Outcome, received: Result) -> None:
    assert [day_of(day) for day in received.days] == [session.day for session in expected.sessions]
    assert tuple(Fill(**row) for row in rows_of(received.fills)) == expected.fills
    assert tuple(Rejection(**row) for row in rows_of(received.rejections)) == expected.rejections
    for name in ("cash", "receivable", "equity", "interest"):
        wanted = [getattr(session, name) for session in expected.sessions]
        assert getattr(received, name).tolist() == wanted, name
    wanted = [[session.shares[symbol] for symbol in received.symbols] for session in expected.sessions]
    assert received.shares.tolist() == wanted


def reached_by(rules: Rules, decisions: dict[date, Decision]) -> set[str]:
    reached = {rules.weighting, f"rebalance {rules.rebalance}"}
    reached.update(["a phase"] if rules.phase else [], ["tranches"] if rules.tranches > 1 else [])
    reached.update(["a core"] if rules.core else [])
    for decision in decisions.values():
        weight = sum(decision.weights.values())
        if not decision.weights:
            reached.add("nothing")
        if rules.top and 0 < len(decision.weights) < rules.top:
            reached.add("a slot unfilled")
        if rules.cap in decision.weights.values() and rules.cap < 1:
            reached.add("capped")
        if 0 < weight < 0.999:
            reached.add("cash left over")
        if list(decision.rank) == [rules.otherwise]:
            reached.add("otherwise")
    return reached


USUAL = {
    *["equal", "score", "inverse_volatility", "rebalance 1", "rebalance 3"],
    *["rebalance weekly", "rebalance monthly", "rebalance once"],
    *[
        "a phase",
        "tranches",
        "a core",
        "nothing",
        "a slot unfilled",
        "capped",
        "cash left over",
        "otherwise",
        "a fund stayed",
        "fill",
    ],
}


@EFFORTS
def test_rotations_of_random_scores_are_those_of_the_oracle(effort: Any) -> None:
    reached: set[str] = set()

    @effort
    @given(rotations())
    def compare(drawn: Drawn) -> None:
        if drawn.first is None:
            return
        results = [result_of(drawn, engine) for engine in ("reference", "batch")]
        decisions, expected = expected_of(drawn)
        for result in results:
            assert_same(expected, result)
        equity = swept(drawn, in_machine_code=effort is HEAVY)
        assert equity == [session.equity for session in expected.sessions]

        rules, days = drawn.rules, [day for day in drawn.scenario.days if day >= drawn.first]
        reached.update(reached_by(rules, decisions), {"fill"} if expected.fills else set())
        forgetful = rotate(replace(rules, hysteresis=0), days, drawn.mornings)
        if any(forgetful[day].rank != decisions[day].rank for day in decisions):
            reached.add("a fund stayed")

    compare()
    # Sixty markets need not reach the rarest two or three.
    assert len(USUAL - reached) <= (0 if effort is HEAVY else 3)
