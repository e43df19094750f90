"""The audits besides look-ahead: gates that fail what they must, and numbers held against a pencil."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from data.scenarios.perturb import delayed, in_other_money, rows_of, settled, split_from_the_start
from data.scenarios.placebo import Chain, Placebo
from engine import run
from engine.audits import AUDITS, Audited, audit, capacity, lags, luck
from engine.audits import placebo as placebos
from engine.audits.audited import annual_return, returns_of, sharpe, targets_of
from engine.audits.capacity import half_gone
from engine.audits.controls import momentum_control, random_control
from engine.audits.placebo import standing
from engine.audits.views import Recorder, View
from engine.commands.audit import audit_names
from engine.kernel.costs import Costs
from engine.spec import Conditions
from strategies import STRATEGIES
from strategies.rotation import Rotation, where_listed
from tests.helpers import biased

BUILTIN = sorted(set(STRATEGIES) - {"weights"})


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo())


def ask(name: str, strategy: Any, panel: Panel, draws: int | None = None, **conditions: Any) -> Any:
    given = Conditions(**conditions)
    return AUDITS[name](Audited(strategy, panel, given, draws=draws, catalogue=STRATEGIES))


# --- gates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILTIN)
@pytest.mark.parametrize("gate", ["warm_up", "order_and_scale"])
def test_every_builtin_passes(panel: Panel, name: str, gate: str) -> None:
    opinion = ask(gate, STRATEGIES[name](), panel)
    endless = gate == "warm_up" and getattr(STRATEGIES[name](), "history", None) == "all"
    assert opinion.passed is (None if endless else True), opinion.sentence


def test_too_short_a_warmup_is_caught_by_one_session(panel: Panel) -> None:
    opinion = ask("warm_up", biased.ShortWarmup(), panel)
    assert opinion.passed is False
    assert opinion.details["warmup"] == 20
    assert opinion.details["symbol"] in opinion.sentence
    assert opinion.details["day"] in opinion.sentence
    assert ask("warm_up", EnoughWarmup(), panel).passed is True


class EnoughWarmup(biased.ShortWarmup):
    """The same with the session that its first return begins with."""

    @property
    def warmup(self) -> int:
        return 21


@pytest.mark.parametrize(
    ("strategy", "on"),
    [
        (biased.ByColumn, "the order of funds"),
        (biased.ByHeadCount, "a fund that is never held"),
        (biased.FloorOfMoney, "the currency"),
        (biased.LowPrice, "splits before the first day"),
    ],
)
def test_what_must_not_matter_is_named(panel: Panel, strategy: Any, on: str) -> None:
    opinion = ask("order_and_scale", strategy(), panel)
    assert opinion.passed is False
    assert opinion.details["check"] == on
    assert f"{strategy.__name__} depends on {on}" in opinion.sentence
    assert opinion.details["symbol"] in opinion.sentence


def test_one_that_decides_one_by_one_is_held_to_its_returns(panel: Panel) -> None:
    short = rows_of(settled(panel.ingredients), 200).build()
    honest = ask("order_and_scale", biased.HonestDecider(), short)
    assert (honest.passed, honest.sentence) == (
        True,
        "Nothing depends on the currency or splits before the first day.",
    )
    opinion = ask("order_and_scale", biased.RichDecider(), short)
    assert opinion.details["check"] == "the currency"
    assert opinion.details["symbol"] == "the portfolio's return"


def test_an_unknown_audit_is_refused(panel: Panel) -> None:
    with pytest.raises(UsageError, match="look_ahead"):
        list(audit(Audited(STRATEGIES["momentum"](), panel), ["look_ahed"]))


def test_what_looks_ahead_is_not_asked_what_it_earns(panel: Panel) -> None:
    opinions = list(audit(Audited(biased.ShiftByMinusOne(), panel), ["luck_band", "look_ahead"]))
    assert [(each.name, each.passed) for each in opinions] == [("look_ahead", False), ("luck_band", None)]
    assert opinions[1].sentence.startswith("Not asked")


# --- numbers ----------------------------------------------------------------------------------------------


def test_sharpe_and_annual_return_by_hand() -> None:
    returns = np.array([[0.01, 0.03], [0.02, 0.02], [-0.5, 1.0]])
    # mean 0.02, deviation sqrt(2 * 0.01²) = 0.0141421356; two sessions of a year of four
    assert sharpe(returns, 4.0)[0] == pytest.approx(0.02 / 0.0141421356 * 2)
    assert np.isnan(sharpe(returns, 4.0)[1])
    assert annual_return(returns, 4.0).tolist() == pytest.approx([(1.01 * 1.03) ** 2 - 1, 1.02**4 - 1, 0.0])


def test_standing_by_hand() -> None:
    where = standing(2.0, np.array([1.0, 2.0, 3.0, np.nan]))
    assert (where["rank"], where["of"], where["p_value"]) == (3, 4, 0.75)
    assert where["quantiles"][1] == 2.0
    assert standing(4.0, np.array([1.0, 2.0, 3.0]))["p_value"] == 0.25
    assert standing(np.nan, np.array([1.0]))["p_value"] == 1.0
    assert [standing(2.0, np.array(drawn))["tied"] for drawn in ([2.0, 3.0, 2.0], [1.0])] == [2, 0]


def test_capacity_by_hand() -> None:
    capitals = np.array([1e5, 1e6, 1e7, 1e8])
    assert half_gone(capitals, np.array([0.09, 0.10, 0.06, 0.01]), 4) == pytest.approx(10**7.2)
    assert half_gone(capitals, np.array([0.08, 0.10, 0.05, 0.01]), 4) == pytest.approx(1e7)
    assert np.isnan(half_gone(capitals, np.array([-0.1, -0.1, -0.2, -0.3]), 4))
    assert np.isnan(half_gone(capitals, np.array([0.1, 0.1, 0.09, 0.08]), 4))


@pytest.mark.parametrize("fill", ["open", "close"])
def test_the_simulated_returns_are_those_of_a_run(panel: Panel, fill: str) -> None:
    strategy = STRATEGIES["flow_blend"](top=2, stop_loss=0.03 if fill == "close" else 0.0)
    audited = Audited(strategy, panel, Conditions(cash=3e5, fill=fill))
    first = audited.first()
    targets = targets_of(audited.strategy, panel, first, audited.last, fill=fill)
    returns = returns_of(audited, [targets], first)
    result = run(strategy, panel, cash=3e5, fill=fill)
    assert bool(len(result.exits)) == (fill == "close")
    np.testing.assert_array_equal(returns[0], result.returns)


def test_lags_are_sessions_of_all_flows(panel: Panel) -> None:
    late = delayed(panel.ingredients, 3).build()
    for name in ("units", "margin_balance", "nav"):
        early = getattr(panel.known, name)
        np.testing.assert_array_equal(getattr(late.known, name)[3:], early[:-3], err_msg=name)
    np.testing.assert_array_equal(late.known.market_margin[3:], panel.known.market_margin[:-3])
    np.testing.assert_array_equal(late.known.adjusted_close, panel.known.adjusted_close)
    same = load_panel(Demo(), lags={"units": 3, "nav": 3, "margin": 3})
    np.testing.assert_array_equal(late.known.flow("vwap"), same.known.flow("vwap"))


def test_lag_sensitivity(panel: Panel) -> None:
    opinion = ask("lag_sensitivity", STRATEGIES["share_inflow"](lookback=5), panel)
    assert opinion.passed is None
    first = opinion.details["first_day"]
    result = run(STRATEGIES["share_inflow"](lookback=5), panel, start=np.datetime64(first).item())
    deviation = result.returns.std(ddof=1)
    own = result.returns.mean() / deviation * np.sqrt(result.sessions_per_year)
    assert opinion.details["sharpe_ratio"][0] == pytest.approx(own, rel=1e-12)
    assert opinion.details["lags"] == [0, 1, 2, 3, 5]
    # The demo's flows act for five sessions: the later they are known, the less is left of them.
    assert opinion.details["sharpe_ratio"][0] > opinion.details["sharpe_ratio"][4]
    assert "do not" not in opinion.sentence
    assert opinion.sentence.endswith(f" All begin on {first}, when the slowest can decide.")
    without = ask("lag_sensitivity", STRATEGIES["momentum"](), panel)
    assert without.sentence.startswith(
        "Returns are the same with flows known 0, 1, 2, 3, 5 sessions later: when they are known decides "
        "nothing here."
    )
    assert len(set(without.details["sharpe_ratio"])) == 1


# --- placebo ----------------------------------------------------------------------------------------------


def test_a_chain_by_hand() -> None:
    levels = np.array([[np.nan], [100.0], [110.0], [np.nan], [231.0]])
    chain = Chain.of(levels, np.array([[1.0], [1.0], [1.0], [1.0], [2.0]]))
    # +10 %, then a split 1:2 and +5 %
    np.testing.assert_allclose(chain.rates[:, 0], [np.nan, np.nan, 0.10, np.nan, 0.05], atol=1e-12)
    np.testing.assert_allclose(chain.with_rates(chain.rates), levels)
    swapped = chain.with_rates(np.array([[np.nan], [np.nan], [0.05], [np.nan], [0.10]]))
    np.testing.assert_allclose(swapped[:, 0], [np.nan, 100.0, 105.0, np.nan, 231.0])


def test_shuffled_flows_are_a_funds_own(panel: Panel) -> None:
    flows = Placebo.of(panel)
    shuffled = flows.in_time(np.random.default_rng(1)).build()
    again = Placebo.of(shuffled)
    assert list(flows.moves) == [("units", "units"), ("margin", "balance"), ("market margin", "balance")]
    for name, real in flows.moves.items():
        moved = again.moves[name]
        assert isinstance(real, Chain)
        assert isinstance(moved, Chain)
        np.testing.assert_array_equal(np.isfinite(real.levels), np.isfinite(moved.levels))
        np.testing.assert_allclose(np.sort(moved.rates, axis=0), np.sort(real.rates, axis=0), atol=1e-9)
        finite = np.isfinite(real.rates)
        assert (real.rates[finite] != moved.rates[finite]).mean() > 0.9
    np.testing.assert_array_equal(shuffled.known.adjusted_close, panel.known.adjusted_close)
    np.testing.assert_array_equal(shuffled.known.nav, panel.known.nav)


def test_exchanged_flows_are_anothers(panel: Panel) -> None:
    flows = Placebo.of(panel)
    moved = Placebo.of(flows.between_funds(np.random.default_rng(1)).build())
    real, given = flows.moves["units", "units"].rates, moved.moves["units", "units"].rates
    givers = []
    for column in range(len(panel.symbols)):
        theirs = given[:, [column]]
        both = np.isfinite(theirs) & np.isfinite(real)
        alike = (np.isclose(theirs, real, atol=1e-9) & both).sum(axis=0)
        givers.append(int(np.argmax(alike / np.maximum(both.sum(axis=0), 1))))
    assert sorted(givers) == list(range(len(panel.symbols)))
    assert all(giver != column for column, giver in enumerate(givers))


def test_the_planted_effect_beats_its_placebos(panel: Panel) -> None:
    opinion = ask("placebo", STRATEGIES["share_inflow"](lookback=5), panel, draws=19)
    assert opinion.passed is None
    for kind in ("in_time", "between_funds"):
        assert opinion.details[kind]["of"] == 20
        assert opinion.details[kind]["p_value"] <= 0.10
    again = ask("placebo", STRATEGIES["share_inflow"](lookback=5), panel, draws=19)
    assert again.sentence == opinion.sentence


def test_a_strategy_without_flows_has_no_placebo(panel: Panel) -> None:
    opinion = ask("placebo", STRATEGIES["momentum"](), panel, draws=2)
    assert opinion.details["draws"] == 0
    assert "reads no flows" in opinion.sentence
    # Momentum is its own control.
    assert opinion.details["momentum"]["excess"] == 0.0
    assert opinion.details["momentum"]["beta"] == pytest.approx(1.0)
    assert opinion.details["momentum"]["alpha"] == pytest.approx(0.0, abs=1e-12)


@dataclass(frozen=True, kw_only=True)
class Cheapest(Rotation):
    """Holds the funds with the lowest premium."""

    @property
    def warmup(self) -> int:
        return 1

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, -known.premium)


def test_a_strategy_on_another_table_is_audited_on_that_table() -> None:
    panel = load_panel(Demo(premium=True))
    for gate in ("warm_up", "order_and_scale"):
        assert ask(gate, Cheapest(), panel).passed is True
    assert len(set(ask("lag_sensitivity", Cheapest(), panel).details["sharpe_ratio"])) == 5
    outcome = ask("placebo", Cheapest(), panel, draws=3)
    assert outcome.details["draws"] == 3
    assert ask("placebo", STRATEGIES["momentum"](), panel, draws=3).details["draws"] == 0
    # A ratio has neither currency nor split.
    other = in_other_money(split_from_the_start(panel.ingredients, {panel.symbols[3]: 2}), 4.0).build()
    np.testing.assert_array_equal(other.known.premium, panel.known.premium)


def test_a_premium_is_moved_as_it_is(panel: Panel) -> None:
    premium = Placebo.of(load_panel(Demo(premium=True)))
    real = premium.given.facts.grids["premium"].measure
    moved = premium.in_time(np.random.default_rng(1)).facts.grids["premium"].measure
    np.testing.assert_array_equal(np.sort(moved, axis=0), np.sort(real, axis=0))
    exchanged = premium.between_funds(np.random.default_rng(1)).facts.grids["premium"].measure
    there = np.isfinite(real)
    for own in range(len(panel.symbols)):
        # Another's where both have one, the fund's own where the other has none.
        from_whom = [
            other
            for other in range(len(panel.symbols))
            if np.array_equal(
                exchanged[there[:, own], own],
                np.where(there[:, other], real[:, other], real[:, own])[there[:, own]],
            )
        ]
        assert len(from_whom) == 1
        assert own not in from_whom
    np.testing.assert_array_equal(np.isfinite(exchanged), there)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("capacity", "cost_and_capacity"),
        ("timing", "timing_luck"),
        ("lag", "lag_sensitivity"),
        ("purity",) * 2,
    ],
)
def test_a_word_that_only_one_audit_has_names_it(word: str, name: str) -> None:
    assert audit_names([word, "warm_up"]) == tuple(each for each in AUDITS if each in ("warm_up", name))


def test_a_word_of_two_audits_names_none() -> None:
    with pytest.raises(UsageError, match=r"`luck` is more than one audit.*timing_luck, luck_band"):
        audit_names(["luck"])


# --- luck, cost, capacity ---------------------------------------------------------------------------------


def test_controls_rotate_alike(panel: Panel) -> None:
    strategy = STRATEGIES["share_inflow"](top=4, rebalance=7, cap=0.2, hysteresis=1, weighting="score")
    audited = Audited(strategy, panel, catalogue=STRATEGIES)
    momentum, lots = momentum_control(audited), random_control(audited, 5)
    for control in (momentum, lots):
        assert control.read(("top", "rebalance", "cap", "hysteresis")) == (4, 7, 0.2, 1)
    assert momentum.read(("weighting", "lookback")) == ("score", 20)
    assert lots.read(("weighting", "seed")) == ("equal", 5)
    assert momentum_control(Audited(strategy, panel)) is None


NAN = math.nan
NO_IDLE = np.ones(11)


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ([1.0, 0.6, 0.5, 0.4, 0.2], "the first session costs 0.40."),
        ([1.0, 1.2, 0.5, 0.4, 0.2], "the first session adds 0.20, so speed is not what it earns from."),
        ([-0.4, -0.2, 0.1, 0.0, 0.2], "without a delay it earns nothing that one could cost."),
        ([NAN, 0.2, 0.1, 0.0, 0.2], "n/a, 0.20, 0.10, 0.00, 0.20 with"),
        ([NAN, 0.2, 0.1, 0.0, 0.2], "what the first session costs is not known."),
    ],
)
def test_what_lags_say(ratios: list[float], said: str) -> None:
    assert said in lags.sentence_on(np.array(ratios))


@pytest.mark.parametrize(
    ("value", "of", "said"),
    [
        (0.5, 3, "Sharpe ratio 0.50 is rank 1 of 3"),
        (NAN, 3, "do not vary, so there is no Sharpe ratio to rank."),
        (0.5, 1, "No random choice has a Sharpe ratio"),
    ],
)
def test_what_luck_says(value: float, of: int, said: str) -> None:
    quantiles = np.array([0.1, 0.2, 0.3])
    assert said in luck.sentence_on({"value": value, "rank": 1, "of": of, "quantiles": quantiles})


def test_what_a_placebo_says() -> None:
    some = {"rank": 2, "of": 9, "tied": 1, "p_value": 2 / 9}
    none = {"rank": 1, "of": 1, "tied": 0, "p_value": 1.0}
    same = {"rank": 9, "of": 9, "tied": 8, "p_value": 1.0}
    said = placebos.sentence_on(0.5, [("shuffled", some), ("exchanged", none)])
    assert said == (
        "Sharpe ratio 0.50 is rank 2 of 9 with flows shuffled (p = 0.222) and not ranked with flows "
        "exchanged, on which none is defined."
    )
    assert placebos.sentence_on(0.5, [("shuffled", same), ("exchanged", same)]) == (
        "Sharpe ratio 0.50 is the same in 8 draws with flows shuffled and the same in 8 draws with flows "
        "exchanged. What flows say decides nothing here."
    )
    assert "decides nothing" not in placebos.sentence_on(0.5, [("shuffled", same), ("exchanged", some)])
    assert "decides nothing" not in placebos.sentence_on(0.5, [("shuffled", none)])
    assert "no Sharpe ratio to rank" in placebos.sentence_on(NAN, [("shuffled", some)])


IDLE = " From a capital of 10,000,000 CNY on, most of it finds no fill and stays in cash."


@pytest.mark.parametrize(
    ("excess", "exposure", "said"),
    [
        # 0.10 at most; halfway between 0.08 and 0.02, and so at the root of 10 between 1e6 and 3.2e6
        ([0.08, 0.1, 0.08, 0.02, *[0.0] * 7], NO_IDLE, "is gone at a capital of 1,800,000 CNY."),
        (np.full(11, 0.1), NO_IDLE, "the benchmark is left at a capital of 10,000,000,000 CNY."),
        # a loser, whose money stays in cash while the benchmark falls
        ([*[-0.1] * 4, *[0.2] * 7], [1, 1, 1, 1, *[0.2] * 7], "no excess over the benchmark that capital"),
        ([*[-0.1] * 4, *[0.2] * 7], [1, 1, 1, 1, *[0.2] * 7], IDLE),
        # the same, whose money finds fewer fills by and by: 0.81 and 0.7 are more than half, and not all
        ([*[-0.07] * 8, -0.03, 0.002, 0.02], [*[1] * 8, 0.81, 0.7, 0.4], "no excess over the benchmark that"),
        (
            [*[0.1] * 8, 0.08, 0.07, 0.2],
            [*[1] * 8, 0.81, 0.7, 0.4],
            "is left at a capital of 3,162,277,660 CNY.",
        ),
        (np.full(11, 0.1), [1, 1, 1, 1, *[0.2] * 7], "is left at a capital of 3,162,278 CNY." + IDLE),
        (np.full(11, 0.1), [1, *[0.2] * 10], " From a capital of 316,228 CNY on, most of it finds no fill"),
        (np.full(11, 5e-5), NO_IDLE, "no excess over the benchmark that capital"),
        (np.full(11, 0.1), np.zeros(11), "no excess over the benchmark that capital"),
        (np.full(11, NAN), NO_IDLE, "There is no benchmark in this period"),
    ],
)
def test_what_capacity_says(excess: Any, exposure: Any, said: str) -> None:
    excess, exposure = np.array(excess, dtype=float), np.array(exposure, dtype=float)
    filled, whole = capacity.invested(exposure), capacity.invested(exposure, capacity.WHOLE)
    gone = half_gone(np.array(capacity.CAPITALS)[:filled], excess[:filled], whole)
    assert said in capacity.sentence_on(excess, gone, filled, whole, "CNY")


def annual_sessions(strategy: Any, panel: Panel) -> float:
    audited = Audited(strategy, panel)
    return audited.per_year(audited.first())


@pytest.mark.slow
def test_luck_band(panel: Panel) -> None:
    strategy = STRATEGIES["share_inflow"](lookback=5)
    opinion = ask("luck_band", strategy, panel, draws=3)
    start = panel.days[Audited(strategy, panel).first()].item()
    drawn = [run(STRATEGIES["random"](seed=seed), panel, start=start).returns for seed in range(3)]
    ratios = [each.mean() / each.std(ddof=1) * np.sqrt(annual_sessions(strategy, panel)) for each in drawn]
    np.testing.assert_allclose(opinion.details["sharpe_ratio"]["quantiles"][1], np.median(ratios))
    assert opinion.details["draws"] == 3
    assert "nothing to choice" in ask("luck_band", STRATEGIES["equal_weight"](), panel, draws=2).sentence


# A seesaw of 1 % a session around a mean: the higher the mean, the higher the Sharpe ratio.
MEANS = {
    "best of six": ([6, 1, 2, 3, 4, 5], 1, 1.0, False),
    "second of six": ([5, 1, 2, 3, 4, 6], 2, 0.8, True),
    "second of twelve": ([11, *range(1, 11), 12], 2, 10 / 11, False),
    "third of twelve": ([10, *range(1, 10), 11, 12], 3, 9 / 11, True),
    "best of six with another": ([6, 1, 2, 3, 4, 6], 1, 0.8, True),
    "best of five": ([5, 1, 2, 3, 4], 1, 1.0, None),
}


@pytest.mark.parametrize("name", MEANS)
def test_a_phase_that_is_better_than_nine_in_ten_is_luck(panel: Panel, monkeypatch: Any, name: str) -> None:
    means, rank, below, passed = MEANS[name]
    asked: list[Any] = []

    def returns(_audited: Any, strategies: Any, _first: int) -> Any:
        asked.extend(each.read(("phase", "rebalance"))[0] for each in strategies)
        return np.array(means)[:, None] * 1e-4 + np.tile([0.01, -0.01], 50)

    monkeypatch.setattr("engine.audits.timing.returns_of_strategies", returns)
    opinion = ask("timing_luck", STRATEGIES["momentum"](rebalance=len(means)), panel)
    assert asked == list(range(len(means)))
    assert (opinion.passed, opinion.details["rank"]) == (passed, rank)
    assert opinion.details["below"] == pytest.approx(below)
    assert f"phase 0 is rank {rank}" in opinion.sentence


def test_phases_are_runs_of_their_own(panel: Panel) -> None:
    strategy = STRATEGIES["momentum"](rebalance=7, phase=5)
    opinion = ask("timing_luck", strategy, panel)
    for phase in (0, 5):
        returns = run(replace(strategy, phase=phase), panel, engine="batch").returns
        ratio = returns.mean() / returns.std(ddof=1) * np.sqrt(panel.sessions_per_year)
        assert opinion.details["sharpe_ratio"][phase] == pytest.approx(ratio)
    better = (opinion.details["sharpe_ratio"] > opinion.details["sharpe_ratio"][5]).sum()
    assert (opinion.details["phase"], opinion.details["rank"]) == (5, 1 + better)


def test_tranches_leave_the_phases_that_differ(panel: Panel) -> None:
    opinion = ask("timing_luck", STRATEGIES["momentum"](rebalance=6, tranches=3, phase=5), panel)
    assert (opinion.details["phases"], opinion.details["phase"]) == (2, 1)


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (STRATEGIES["momentum"](rebalance="monthly"), "days of the calendar"),
        (STRATEGIES["momentum"](rebalance=1), "every session"),
        (STRATEGIES["momentum"](rebalance=4, tranches=4), "all 4 phases at once"),
        (biased.HonestDecider(), "decides by itself"),
    ],
)
def test_what_has_no_phases_is_not_judged(panel: Panel, strategy: Any, why: str) -> None:
    opinion = ask("timing_luck", strategy, panel)
    assert opinion.passed is None
    assert why in opinion.sentence
    assert opinion.details == {"phases": 0}


def test_cost_and_capacity(panel: Panel) -> None:
    strategy = STRATEGIES["share_inflow"](lookback=5, rebalance=10)
    opinion = ask("cost_and_capacity", strategy, panel, benchmark="DEMO-ALL")
    found = opinion.details
    assert np.all(np.diff(found["annual_return"]) < 0.0)
    free = run(strategy, panel, costs=Costs(commission_rate=0.0, commission_min=0.0, slippage_rate=0.0))
    assert found["annual_return"][0] == pytest.approx(
        np.prod(1 + free.returns) ** (annual_sessions(strategy, panel) / len(free.returns)) - 1
    )
    level = panel.index_closes["DEMO-ALL"]
    first = Audited(strategy, panel).first()
    # from the open of the first session on, as the run
    passive = (level[-1] / panel.index_fills["open"]["DEMO-ALL"][first]) ** (
        annual_sessions(strategy, panel) / (len(level) - first)
    ) - 1
    assert found["benchmark_annual_return"] == pytest.approx(passive)
    assert (found["impact"], found["participation_rate"]) == (0.5, 0.1)
    assert (found["capitals"][0], found["capitals"][-1]) == (1e5, 1e10)
    assert found["excess"][-1] < found["excess"].max() / 2
    assert 1e5 < found["capacity"] < 1e10
    assert 0.9 < found["exposure"][0] <= 1.0
    assert found["exposure"][-1] < 0.1
    assert "finds no fill and stays in cash" in opinion.sentence
    assert opinion.sentence.endswith(
        "with an impact of 0.5 and at most 10% of a session's volume, unlike the run."
    )
    own = ask("cost_and_capacity", strategy, panel, costs=Costs(impact=2.0, participation_rate=0.05))
    assert (own.details["impact"], own.details["participation_rate"]) == (2.0, 0.05)
    assert own.sentence.endswith("with an impact of 2 and at most 5% of a session's volume.")
    assert own.details["capacity"] < found["capacity"]


# --- altered markets and views ----------------------------------------------------------------------------


def test_another_currency_is_exact(panel: Panel) -> None:
    other = in_other_money(panel.ingredients, 4.0).build()
    for name in ("reference", "mark", "limit_up", "limit_down", "tick"):
        np.testing.assert_array_equal(getattr(other.market, name), getattr(panel.market, name) * 4.0)
    np.testing.assert_array_equal(other.market.volatility, panel.market.volatility)


def test_an_old_split_is_exact(panel: Panel) -> None:
    symbol = panel.symbols[3]
    other = split_from_the_start(panel.ingredients, {symbol: 2}).build()
    ratio = np.where(np.array(panel.symbols) == symbol, 2.0, 1.0)
    np.testing.assert_array_equal(other.market.mark, panel.market.mark / ratio)
    np.testing.assert_array_equal(other.known.units, panel.known.units * ratio)
    np.testing.assert_array_equal(other.known.aum, panel.known.aum)
    np.testing.assert_array_equal(other.known.flow("vwap"), panel.known.flow("vwap"))
    assert other.market.lot[0, 3] == 2 * panel.market.lot[0, 3]


def test_what_is_settled_gives_the_same_panel(panel: Panel) -> None:
    given = panel.ingredients
    assert given.build().fingerprint == panel.fingerprint
    assert settled(given).listings.listed == given.listings.listed
    nobody = (None,) * len(panel.symbols)
    silent = settled(replace(given, listings=replace(given.listings, listed=nobody)))
    first = panel.market.traded.argmax(axis=0)
    assert silent.listings.listed == tuple(panel.days[first].tolist())


def test_reads_are_recorded(panel: Panel) -> None:
    reads: dict[str, None] = {}
    known = Recorder(panel.known, reads)
    assert known.symbols == panel.symbols
    known.flow("nav")
    np.testing.assert_array_equal(known.until(5).close, panel.known.close[:6])
    assert known.aum is known.aum
    assert list(reads) == ["flow(nav)", "close", "aum"]


def test_a_view_reorders_and_begins_later(panel: Panel) -> None:
    known = panel.known
    view = View(known, np.array([2, -1, 0]), since=100, stranger="new")
    assert view.symbols == (panel.symbols[2], "new", panel.symbols[0])
    np.testing.assert_array_equal(view.close[:, [0, 2]], known.close[100:, [2, 0]])
    assert np.isnan(view.close[:, 1]).all()
    assert not view.listed[:, 1].any()
    np.testing.assert_array_equal(view.flow("nav")[:, 0], known.flow("nav")[100:, 2])
    np.testing.assert_array_equal(view.index("DEMO-ALL"), known.index("DEMO-ALL")[100:])
    assert len(view.days) == len(known.days) - 100
    code = next(each for each in known.tracked if each)
    rows = [max(file.row - 100, 0) for file in known.index_weights(code)]
    assert [file.row for file in view.index_weights(code)] == rows


def test_a_placebo_market_with_the_real_market_face_is_the_one_built_anew() -> None:
    demo = load_panel(Demo())
    given = Placebo.of(demo).in_time(np.random.default_rng(3))
    quick, whole = demo.with_facts(given.facts), given.build()
    for name in ("units", "aum", "margin_balance", "net_financing", "adjusted_close"):
        np.testing.assert_array_equal(getattr(quick.known, name), getattr(whole.known, name))
    np.testing.assert_array_equal(quick.known.flow(), whole.known.flow())
    assert not np.array_equal(quick.known.units, demo.known.units, equal_nan=True)
