"""Stops of a rotation: by hand, and against the oracle on random markets, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from engine import Conditions, Run, run
from engine.kernel.stops import Stops as Kernel
from engine.kernel.stops import entry_levels, exits_between
from engine.results.differences import first_difference
from engine.results.trades import holdings
from engine.simulation.tape import cells_of
from engine.strategy.adapters import adapt
from engine.sweeps.layout import EXTENSIONS
from engine.sweeps.sweep import Sweep
from strategies import STRATEGIES
from tests import oracle
from tests.helpers.markets import scenarios
from tests.helpers.pencil import FRI, MON, NEXT_MON, NEXT_TUE, THU, TUE, WED, A, B, bars, market
from tests.helpers.rotations import stops
from tests.helpers.scenarios import assert_same, outcome_of, panel_of, targets_of
from tests.oracle import Action, Bar, Fund, Outcome, Rejection, Scenario
from tests.oracle_targets import Stops, with_exits

ENGINES = ("reference", "batch")


def followed(scenario: Scenario, stops: Stops, engine: str) -> Outcome:
    """What an engine makes of the decisions of a scenario with stops; the oracle is an engine too."""
    if engine == "oracle":
        return oracle.simulate(replace(scenario, decisions=with_exits(scenario, stops)))
    panel = panel_of(scenario)
    first = 1 if scenario.first is None else scenario.days.index(scenario.first)
    targets = targets_of(scenario, first)
    if len(targets.decisions):
        entries = entry_levels(panel.market, scenario.fill)
        last = len(panel.days) - 1
        targets = exits_between(targets, Kernel(**vars(stops)), panel.known.adjusted_close, entries, last)
    return outcome_of(scenario, panel, targets, engine)


def traded(outcome: Outcome) -> list[tuple[Any, ...]]:
    return [(fill.day, fill.symbol, fill.shares, fill.price) for fill in outcome.fills]


@pytest.fixture(params=("oracle", *ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_stop_sells_at_the_open_after_a_close_below_entry(engine: str) -> None:
    # Bought at the open of 1.0; the low of Wednesday does not count, its close is 10 % below.
    fund = Fund(A, bars(1.0, 1.0, Bar(1.0, 1.0, 0.5, 0.9, 1e6, 9e5), 0.85, 1.0))
    outcome = followed(
        market(fund, weights={TUE: {A: 1.0}}, days=(MON, TUE, WED, THU, FRI)), Stops(0.1), engine
    )
    assert traded(outcome) == [(TUE, A, 10_000, 1.0), (THU, A, -10_000, 0.85)]


def test_a_close_just_above_the_stop_sells_nothing(engine: str) -> None:
    fund = Fund(A, bars(1.0, 1.0, 0.901, 0.901, 0.901))
    outcome = followed(market(fund, weights={TUE: {A: 1.0}}), Stops(0.1), engine)
    assert traded(outcome) == [(TUE, A, 10_000, 1.0)]


def test_entry_is_the_price_of_the_fill_point(engine: str) -> None:
    # Bought at the close of 0.9, after the fall.
    fund = Fund(A, bars(1.0, Bar(1.0, 1.0, 0.9, 0.9, 1e6, 9e5), 0.9, 0.85, 0.8))
    scenario = market(fund, cash=9_000.0, weights={TUE: {A: 1.0}}, fill="close")
    assert traded(followed(scenario, Stops(0.1), engine)) == [(TUE, A, 9_000, 0.9)]
    assert traded(followed(scenario, Stops(0.05), engine))[1:] == [(FRI, A, -9_000, 0.8)]


def test_a_trailing_stop_measures_from_the_highest_close(engine: str) -> None:
    # Up to 2.0 and back to 1.8: far above entry, and 10 % below the highest.
    fund = Fund(A, bars(1.0, 1.0, 2.0, 1.8, 1.9))
    outcome = followed(market(fund, weights={TUE: {A: 1.0}}), Stops(trailing_stop=0.1), engine)
    assert traded(outcome) == [(TUE, A, 10_000, 1.0), (FRI, A, -10_000, 1.9)]


def test_a_time_stop_counts_sessions_from_entry(engine: str) -> None:
    outcome = followed(
        market(Fund(A, bars(1.0, 1.0, 1.0, 1.0, 1.0)), weights={TUE: {A: 1.0}}), Stops(time_stop=2), engine
    )
    assert traded(outcome) == [(TUE, A, 10_000, 1.0), (THU, A, -10_000, 1.0)]


def test_a_split_and_a_dividend_are_no_fall(engine: str) -> None:
    actions = (Action("split", WED, ratio=2.0), Action("dividend", THU, cash=0.1))
    fund = Fund(A, bars(1.0, 1.0, 0.5, 0.4, 0.4), actions=actions)
    outcome = followed(market(fund, weights={TUE: {A: 1.0}}), Stops(0.1), engine)
    assert traded(outcome) == [(TUE, A, 10_000, 1.0)]
    # 0.36 after a dividend of 0.1 of 0.5, on half a share, is 0.9 of what was paid.
    fallen = replace(fund, bars=bars(1.0, 1.0, 0.5, 0.36, 0.36))
    outcome = followed(market(fallen, weights={TUE: {A: 1.0}}), Stops(0.1), engine)
    assert traded(outcome)[1:] == [(FRI, A, -20_000, 0.36)]


def test_a_fund_at_its_lower_limit_waits(engine: str) -> None:
    fund = Fund(A, bars(1.0, 1.0, 0.9, 0.81, 0.8), price_limit=0.1)
    outcome = followed(market(fund, weights={TUE: {A: 1.0}}), Stops(0.1), engine)
    assert outcome.rejections == (Rejection(THU, A, -10_000, "limit_down"),)
    assert traded(outcome) == [(TUE, A, 10_000, 1.0), (FRI, A, -10_000, 0.8)]


def test_what_was_sold_stays_out_until_the_next_decision(engine: str) -> None:
    funds = (Fund(A, bars(1.0, 1.0, 0.8, 0.8, 0.8)), Fund(B, bars(1.0, 1.0, 1.0, 1.0, 1.0)))
    half = {A: 0.5, B: 0.5}
    # Seen on Thursday, a day of decision: A is sold all the same, and its half stays in cash until Friday.
    outcome = followed(market(*funds, weights={TUE: half, THU: half}), Stops(0.1), engine)
    assert traded(outcome)[2:] == [(THU, A, -5_000, 0.8), (THU, B, -500, 1.0)]
    outcome = followed(market(*funds, weights={TUE: half, THU: half, FRI: half}), Stops(0.1), engine)
    assert [each[:2] for each in traded(outcome)[4:]] == [(FRI, A)]


def test_a_decision_that_chooses_again_enters_anew(engine: str) -> None:
    # Out on Thursday, in again on Friday at 0.8, which is the new entry: 0.75 is no fall of a tenth.
    days = (MON, TUE, WED, THU, FRI, NEXT_MON, NEXT_TUE)
    fund = Fund(A, bars(1.0, 1.0, 0.8, 0.8, 0.8, 0.75, 0.71, days=days))
    scenario = market(fund, days=days, weights={TUE: {A: 1.0}, FRI: {A: 1.0}})
    outcome = followed(scenario, Stops(0.1), engine)
    assert [each[:2] for each in traded(outcome)] == [(TUE, A), (THU, A), (FRI, A)]


def test_a_decision_that_holds_on_leaves_the_entry(engine: str) -> None:
    fund = Fund(A, bars(1.0, 1.0, 0.95, 0.9, 0.9))
    outcome = followed(market(fund, weights={TUE: {A: 0.5}, THU: {A: 0.5}}), Stops(0.1), engine)
    assert traded(outcome)[-1] == (FRI, A, -5_100, 0.9)


def test_a_fund_that_could_not_be_bought_is_entered_later(engine: str) -> None:
    # At its upper limit on Tuesday; bought on Wednesday at 1.2, and 1.08 is a tenth less.
    fund = Fund(A, bars(1.0, 1.1, 1.2, 1.08, 1.08), price_limit=0.1)
    outcome = followed(market(fund, weights={TUE: {A: 0.5}, WED: {A: 0.5}}), Stops(0.1), engine)
    assert [(each.day, each.reason) for each in outcome.rejections] == [(TUE, "limit_up")]
    assert [(day, shares) for day, _, shares, _ in traded(outcome)] == [(WED, 4_500), (FRI, -4_500)]


FEW = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def compare_on_random_markets(how: settings) -> set[str]:
    """Hold both engines against the oracle, and return what happened in the examples."""
    met: set[str] = set()

    @how
    @given(scenarios(), stops())
    def compare(scenario: Scenario, stops: Stops) -> None:
        expected = followed(scenario, stops, "oracle")
        exits = {day for day, each in with_exits(scenario, stops).items() if each.only}
        met.update("exit" for each in expected.fills if each.day in exits)
        met.update(each.reason for each in expected.rejections if each.day in exits)
        for engine in ENGINES:
            assert_same(expected, followed(scenario, stops, engine))

    compare()
    return met


def test_engines_equal_the_oracle_with_stops_on_random_markets() -> None:
    assert "exit" in compare_on_random_markets(FEW)


@pytest.mark.slow
def test_engines_equal_the_oracle_with_stops_on_many_random_markets() -> None:
    assert compare_on_random_markets(settings(FEW, max_examples=300)) >= {"exit", "halted"}


@pytest.fixture(scope="module")
def panel() -> Any:
    return load_panel(Demo(), end=date(2022, 6, 30))


def in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sweep", "follow", "stopped", "ranking"):
        monkeypatch.setattr(f"engine.sweeps.{module}.compiled", lambda function, *_: function)


WITH_STOPS = {"rebalance": 10, "stop_loss": 0.04, "trailing_stop": 0.06, "time_stop": 8}


def test_the_shared_rotation_sells_between_decisions_and_says_why(panel: Any, tmp_path: Path) -> None:
    result = run(STRATEGIES["momentum"](**WITH_STOPS), panel)
    without = run(STRATEGIES["momentum"](rebalance=10), panel)
    # Decisions are what they were, but for what a stop sold on the session itself.
    assert result.decision_days.tolist() == without.decision_days.tolist()
    assert (result.weights <= without.weights).all()
    exits = result.exits
    assert set(exits["reason"]) == {"stop_loss", "trailing_stop", "time_stop"}
    first = exits.iloc[0]
    sold = result.fills[(result.fills["day"] >= first["day"]) & (result.fills["symbol"] == first["symbol"])]
    assert sold["shares"].iloc[0] < 0
    held = [each for each in holdings(result) if each.stop]
    assert {each.stop for each in held} == set(exits["reason"])
    folder = result.save(tmp_path, report=False)
    assert (folder / "exits.csv").read_text().splitlines()[:2] == [
        "day,symbol,reason",
        f"{first['day'].date()},{first['symbol']},{first['reason']}",
    ]
    assert Run.load(folder).exits.equals(exits)
    other = result.save(tmp_path / "other", report=False)
    assert first_difference(folder, other) is None
    (other / "exits.csv").unlink()
    assert first_difference(folder, other) == "exits.csv: a file became none"


@pytest.mark.parametrize(
    "in_machine_code", [False, pytest.param(True, marks=pytest.mark.slow)], ids=("python", "machine code")
)
def test_engines_and_sweeps_are_equal_with_stops(
    panel: Any, monkeypatch: pytest.MonkeyPatch, in_machine_code: bool
) -> None:
    if not in_machine_code:  # which takes seconds to be made
        in_python(monkeypatch)
    first, last = 61, len(panel.days) - 1
    sets = [
        STRATEGIES["momentum"](rebalance=10, top=top, stop_loss=loss, trailing_stop=trailing, time_stop=time)
        for top, loss, trailing, time in (
            (3, 0.0, 0.0, 0),
            (3, 0.04, 0.0, 0),
            (1, 0.0, 0.05, 7),
            (0, 0.1, 0.0, 4),
        )
    ]
    conditions = Conditions(fill="close", start=panel.days[first].item())
    swept = Sweep(panel, first, last, conditions).run(sets, equity=True)
    assert swept.failures == [None] * len(sets)
    for strategy, equity in zip(sets, swept.equity, strict=True):
        for engine in ENGINES:
            given = {"start": conditions.start, "fill": "close", "engine": engine}
            assert run(strategy, panel, **given).equity.tolist() == equity.tolist()


@pytest.mark.parametrize("fill", ["open", "vwap", "close"])
def test_exits_do_not_look_ahead(panel: Any, fill: str) -> None:
    first, row = 61, 160
    strategy = adapt(STRATEGIES["momentum"](**WITH_STOPS))
    scores = strategy.values_on(panel)
    whole = strategy.decisions(panel, first, len(panel.days) - 1, scores, fill=fill)
    cut = replace(
        panel, days=panel.days[: row + 1], market=panel.market.until(row), known=panel.known.until(row)
    )
    until = strategy.decisions(cut, first, row, scores[: row + 1], fill=fill)
    among = whole.at(whole.decisions <= row)
    assert (until.exits > 0).any()
    for name in ("decisions", "weights", "turns", "exits"):
        assert getattr(until, name).tolist() == getattr(among, name).tolist()


def test_stops_are_refused_in_tranches() -> None:
    with pytest.raises(UsageError, match="Momentum cannot have stops in tranches; received tranches 2"):
        STRATEGIES["momentum"](tranches=2, stop_loss=0.1)


def test_a_set_that_cannot_run_fails_alone(panel: Any) -> None:
    momentum = STRATEGIES["momentum"]
    sets = [
        momentum(core=panel.symbols[0]),
        momentum(core="510999.SH"),
        momentum(stop_loss=0.1, otherwise="510999.SH"),
        momentum(stop_loss=0.1),
        momentum(),
    ]
    last = len(panel.days) - 1
    rows = Sweep(panel, 200, last, Conditions(), workers=1).run(sets)
    assert [failure is not None for failure in rows.failures] == [False, True, True, False, False]
    assert np.isfinite(rows.metrics[[0, 3, 4], 0]).all()


def test_the_tape_is_laid_out_a_few_times_however_many_sets_sell_on_new_sessions(
    panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out = []

    def counted(*given: Any) -> Any:
        laid_out.append(len(given[-1]))
        return cells_of(*given)

    monkeypatch.setattr("engine.sweeps.layout.cells_of", counted)
    in_python(monkeypatch)
    sets = [STRATEGIES["momentum"](rebalance=20, time_stop=sessions) for sessions in range(13, 1, -1)]
    engine = Sweep(panel, 200, len(panel.days) - 1, Conditions(), workers=1)
    swept = engine.run(sets, equity=True)
    assert swept.failures == [None] * len(sets)
    assert len(laid_out) == EXTENSIONS + 1
    assert laid_out[-1] == len(engine.days)  # all sessions, so that there can be no further one
    again = Sweep(panel, 200, len(panel.days) - 1, Conditions(), workers=1).run(sets[-1:], equity=True)
    assert again.equity[0].tolist() == swept.equity[-1].tolist()
