"""The batch engine against the reference engine: every bit of every account, whatever the strategy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from data.demo import Demo
from data.errors import DataError, EtflowError, StrategyError, UsageError
from data.load import load_panel
from data.numeric.keys import key_of
from data.panel.panel import Panel
from data.store.store import Store
from engine import run, sweep
from engine.kernel.costs import Costs
from engine.metrics import compute_metrics
from engine.metrics.declared import METRICS, SEARCHABLE
from engine.result import Result
from engine.spec import Conditions
from engine.strategy.adapters import ScoreAdapter, adapt
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.sweeps.layout import Layout
from engine.sweeps.rotations import LACKING, Rotations
from engine.sweeps.scores import traced_scores
from engine.sweeps.sweep import Sweep
from strategies import STRATEGIES
from strategies.baselines import EqualWeight
from strategies.flow_blend import FlowBlend
from strategies.momentum import Momentum
from strategies.parameters import param
from strategies.rotation import Rotation
from tests.helpers.markets import scenarios
from tests.helpers.scenarios import panel_of
from tests.oracle import Scenario

ROOT = Path(__file__).resolve().parents[1]
ETFLOW = [sys.executable, str(ROOT / "run_backtest.py")]
QUICK = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HEAVY = settings(QUICK, max_examples=400)

BUILT_IN = sorted(set(STRATEGIES) - {"weights"})
ROTATIONS: list[dict[str, Any]] = [
    {},
    {"top": 2, "hysteresis": 2, "rebalance": 1},
    {"top": 0, "weighting": "inverse_volatility", "rebalance": "monthly", "cap": 0.15},
    {"top": 4, "weighting": "score", "threshold": 0.001, "otherwise": "157001.SZ", "rebalance": "weekly"},
]
TURNS: list[dict[str, Any]] = [
    {"top": 2, "hysteresis": 1, "rebalance": 7, "phase": 3},
    {"top": 2, "hysteresis": 1, "rebalance": 7, "phase": 6, "tranches": 3},
    {"rebalance": "once", "tranches": 2},
]
STORMY = Costs(
    commission_rate=0.001, slippage_rate=0.002, participation_rate=0.02, impact=0.4, cash_rate=0.02
)


@pytest.fixture(scope="module")
def demo() -> Panel:
    return load_panel(Demo())


@dataclass(frozen=True, kw_only=True)
class Drawn(Rotation):
    """Scores drawn from a seed, with ties and gaps."""

    seed: int = param(0, low=0, high=10**9)
    gaps: float = param(0.2, low=0.0, high=1.0)

    @property
    def warmup(self) -> int:
        return 1

    def scores(self, known: Any) -> np.ndarray:
        # Row after row, so that later sessions leave earlier ones as they are.
        drawn = np.random.default_rng(self.seed).random((*known.listed.shape, 2))
        values = np.where(drawn[..., 1] < self.gaps, np.nan, np.round(4.0 * drawn[..., 0] - 2.0, 1))
        values[:, 0] = 0.0  # somebody can always be chosen
        return np.where(known.listed, values, np.nan)


def assert_same(expected: Result, received: Result) -> None:
    for name in ("equity", "cash", "receivable", "shares", "interest", "dividend", "weights"):
        np.testing.assert_array_equal(getattr(received, name), getattr(expected, name), err_msg=name)
    pd.testing.assert_frame_equal(received.fills, expected.fills, check_exact=True)
    pd.testing.assert_frame_equal(received.rejections, expected.rejections, check_exact=True)


# --- One run ----------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_run_is_the_same_on_both_engines(demo: Panel, name: str) -> None:
    strategy = STRATEGIES[name]()
    settings_ = ({}, {"costs": STORMY, "fill": "vwap", "cash": 3e8})
    for each in settings_:
        expected = run(strategy, demo, engine="reference", **each)
        received = run(strategy, demo, engine="batch", **each)
        assert_same(expected, received)
        assert len(expected.fills) > 0


@pytest.mark.parametrize("rotation", [*ROTATIONS[1:], *TURNS[1:2]], ids=str)
def test_a_rotation_is_the_same_on_both_engines(demo: Panel, rotation: dict[str, Any]) -> None:
    strategy = Momentum(**rotation)
    expected, received = (run(strategy, demo, engine=name) for name in ("reference", "batch"))
    assert_same(expected, received)


@pytest.mark.slow
def test_more_fills_than_there_was_room_for(demo: Panel) -> None:
    """An account that outgrows its record is kept once more, in a larger one."""
    strategy = EqualWeight(rebalance=1)
    expected, received = (run(strategy, demo, engine=name) for name in ("reference", "batch"))
    assert len(expected.fills) > 8 * len(expected.decision_days)
    assert_same(expected, received)


def test_a_strategy_that_looks_at_its_positions_needs_the_reference_engine(demo: Panel) -> None:
    @dataclass(frozen=True)
    class Asking:
        def decide(self, past: Any, held: Any) -> None:
            return None

    with pytest.raises(UsageError, match="reference"):
        run(Asking(), demo, engine="batch")
    with pytest.raises(UsageError, match="session by session"):
        Sweep(demo, first=1, last=100).run([Asking()])


# --- Many sets --------------------------------------------------------------------------------------------
def swept(panel: Panel, strategies: list[Any], first: int, **options: Any) -> Any:
    workers = options.pop("workers", None)
    engine = Sweep(panel, first, len(panel.days) - 1, Conditions(**options), workers=workers)
    return engine.run(strategies, equity=True)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("share_inflow", "resonance") else pytest.mark.slow)
        for name in BUILT_IN
    ],
)
def test_every_set_of_a_sweep_is_that_run_of_the_reference_engine(demo: Panel, name: str) -> None:
    base = STRATEGIES[name]()
    sets = [replace(base, **rotation) for rotation in ROTATIONS]
    first = adapt(base).first_session(demo)
    rows = swept(demo, sets, first, costs=STORMY)
    assert rows.failures == [None] * len(sets)
    for strategy, row, path in zip(sets, rows.metrics, rows.equity, strict=True):
        result = run(strategy, demo, start=demo.days[first].item(), costs=STORMY)
        np.testing.assert_array_equal(path, result.equity)
        same_metrics(result, row)


def test_phases_and_tranches_of_a_sweep_are_those_runs(demo: Panel) -> None:
    sets = [Momentum(**turn) for turn in TURNS]
    first = adapt(sets[0]).first_session(demo)
    rows = swept(demo, sets, first, costs=STORMY)
    for strategy, row, path in zip(sets, rows.metrics, rows.equity, strict=True):
        result = run(strategy, demo, start=demo.days[first].item(), costs=STORMY)
        np.testing.assert_array_equal(path, result.equity)
        same_metrics(result, row)
    table = sweep(Momentum(rebalance=6), demo, {"phase": [0, 5, 6], "tranches": [1, 7]})
    assert table["failure"].notna().tolist() == [False, True, False, True, True, True]


def same_metrics(result: Result, row: np.ndarray, names: tuple[str, ...] = COMPILED_METRICS) -> None:
    counts = {"fills": len(result.fills), "rejections": len(result.rejections)}
    expected = {**compute_metrics(result).values, **counts}  # noqa: PD011 (not pandas)
    for name, value in zip(names, row, strict=True):
        wanted = expected[name]
        assert value == pytest.approx(
            np.nan if wanted is None else wanted, rel=1e-9, abs=1e-12, nan_ok=True
        ), name


def test_metrics_are_those_of_empyrical_against_an_index_too(demo: Panel) -> None:
    code = sorted(demo.index_closes)[0]
    strategy = Momentum()
    first = adapt(strategy).first_session(demo)
    row = swept(demo, [strategy], first, benchmark=code).metrics[0]
    same_metrics(run(strategy, demo, benchmark=code), row)


@pytest.mark.parametrize("name", ["momentum", "buy_hold"])
def test_every_metric_can_be_asked_for_in_a_sweep(demo: Panel, name: str) -> None:
    strategy = STRATEGIES[name]()
    first = adapt(strategy).first_session(demo)
    engine = Sweep(demo, first, len(demo.days) - 1)
    usual, more = engine.run([strategy, strategy]), engine.run([strategy, strategy], also=SEARCHABLE)
    assert usual.names == COMPILED_METRICS
    assert set(more.names) == set(METRICS) > set(COMPILED_METRICS)
    assert more.equity.shape == (0, len(engine.days))
    np.testing.assert_array_equal(more.metrics[:, : len(COMPILED_METRICS)], usual.metrics)
    for row in more.metrics:
        same_metrics(run(strategy, demo), row, more.names)


def test_many_sets_are_measured_a_few_paths_at_a_time(demo: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [Momentum(top=top, rebalance=days) for top in (1, 2, 3) for days in (3, 5, 7)]
    engine = Sweep(demo, 300, len(demo.days) - 1)
    expected = engine.run(sets, also=["tail_ratio"])
    monkeypatch.setattr("engine.sweeps.sweep.PATHS", 2)
    np.testing.assert_array_equal(engine.run(sets, also=["tail_ratio"]).metrics, expected.metrics)
    assert len(set(expected.metrics[:, -1])) == len(sets)


def test_a_sweep_that_nobody_holds_is_gone_at_once(demo: Panel) -> None:
    """Its tape is the largest thing that it has, and must not wait for the collector of cycles."""
    sets = [Momentum(top=top, lookback=lookback) for lookback in (5, 6) for top in (1, 2)]
    # Compiled by another one: numba keeps the frames of what it compiles until the collector comes.
    Sweep(demo, 300, 320).run(sets)
    engine = Sweep(demo, 300, 320)
    engine.run(sets)
    gone = weakref.ref(engine)
    del engine
    assert gone() is None


def test_metrics_that_are_undefined_are_nan(demo: Panel) -> None:
    nothing = Momentum(threshold=1e9)
    row = swept(demo, [nothing], 200).metrics[0]
    same_metrics(run(nothing, demo, start=demo.days[200].item()), row)
    assert np.isnan(row[COMPILED_METRICS.index("sharpe_ratio")])


def rotations() -> st.SearchStrategy[dict[str, Any]]:
    free = st.fixed_dictionaries(
        {
            "top": st.integers(1, 4),
            "hysteresis": st.integers(0, 3),
            "rebalance": st.one_of(st.integers(1, 4), st.sampled_from(("weekly", "monthly", "once"))),
            "threshold": st.one_of(st.none(), st.sampled_from((-1.0, 0.0, 0.5))),
            "weighting": st.sampled_from(("equal", "score", "inverse_volatility")),
            "cap": st.sampled_from((1.0, 0.4, 0.1)),
            "core": st.sampled_from(("", "", "equal_weight", "the last fund")),
            "core_weight": st.sampled_from((0.0, 0.3, 1.0)),
            "tranches": st.sampled_from((1, 1, 2, 4)),
            "seed": st.integers(0, 5),
        }
    )
    return free.flatmap(
        lambda each: st.sampled_from((each, {**each, "top": 0, "hysteresis": 0}, {**each, "gaps": 0.9}))
    )


def outcome(strategy: Any, panel: Panel, **options: Any) -> tuple[Result | None, str | None]:
    """What becomes of a run; too little cash for a lot is said of one run, but a search goes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.simulation.backtest._check_lot", lambda *_: None)
        try:
            return run(strategy, panel, **options), None
        except EtflowError as error:
            return None, str(error)


def compare_sweep(scenario: Scenario, sets: list[dict[str, Any]]) -> int:
    panel = panel_of(scenario)
    costs = Costs(**vars(scenario.costs))
    last = panel.symbols[-1]
    strategies = []
    for number, each in enumerate(sets):
        core = each["core"].replace("the last fund", last)
        otherwise = last if number % 2 else "cash"
        most = each["rebalance"] if isinstance(each["rebalance"], int) else 1
        tranches = min(each["tranches"], most)
        strategies.append(Drawn(**each | {"core": core, "otherwise": otherwise, "tranches": tranches}))
    options: dict[str, Any] = {"cash": scenario.cash, "costs": costs, "fill": scenario.fill}
    first = 2
    rows = swept(panel, strategies, first, **options)
    fills = 0
    for strategy, failure, path in zip(strategies, rows.failures, rows.equity, strict=True):
        expected, refusal = outcome(strategy, panel, start=panel.days[first].item(), **options)
        if expected is None:
            assert failure == refusal
            continue
        np.testing.assert_array_equal(path, expected.equity)
        fills += len(expected.fills)
    return fills


@pytest.mark.parametrize(
    "effort", [QUICK, pytest.param(HEAVY, marks=pytest.mark.slow)], ids=("quick", "heavy")
)
def test_sweeps_of_random_markets_are_runs_of_the_reference_engine(effort: Any) -> None:
    fills = 0

    @effort
    @given(scenarios(), st.lists(rotations(), min_size=1, max_size=5))
    def compare(scenario: Scenario, sets: list[dict[str, Any]]) -> None:
        nonlocal fills
        fills += compare_sweep(scenario, sets)

    compare()
    assert fills > 50


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(demo: Panel, workers: int) -> None:
    sets = [
        FlowBlend(z_window=w, lookback=k, top=top, margin_weight=a)
        for w in (20, 30)
        for k in (3, 5)
        for a in (0.0, 1.0)
        for top in (1, 3)
    ]
    expected = swept(demo, sets, 100, workers=3)
    received = swept(demo, sets, 100, workers=workers)
    np.testing.assert_array_equal(received.metrics, expected.metrics)
    np.testing.assert_array_equal(received.equity, expected.equity)


# --- Scores once ------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Counting(Rotation):
    """Counts how often its scores are computed."""

    lookback: int = param(5, low=1, high=100)
    unread: int = param(0, low=0, high=100)
    nosy: bool = param(False)

    calls: ClassVar[list[int]] = []

    @property
    def warmup(self) -> int:
        return 1

    def scores(self, known: Any) -> np.ndarray:
        self.calls.append(self.lookback)
        depth = self.top if self.nosy else 1
        return np.where(known.listed, known.adjusted_close**-depth, np.nan)


def test_scores_are_computed_once_for_all_rotations_of_them(demo: Panel) -> None:
    Counting.calls.clear()
    sets = [Counting(lookback=n, top=top, rebalance=r) for top in (1, 2) for n in (3, 4) for r in (5, 10)]
    rows = swept(demo, sets, 50)
    assert sorted(Counting.calls) == [3, 4]
    assert len(np.unique(rows.metrics[:, 0])) > 1


def test_scores_that_look_at_the_rotation_are_computed_for_each(demo: Panel) -> None:
    sets = [Counting(top=top, nosy=True, rebalance=r) for top in (1, 3) for r in (5, 10)]
    assert traced_scores(ScoreAdapter(sets[0]), demo)[1] == ("top",)
    rows = swept(demo, sets, 50)
    for strategy, path in zip(sets, rows.equity, strict=True):
        np.testing.assert_array_equal(path, run(strategy, demo, start=demo.days[50].item()).equity)


def test_a_class_with_slots_is_swept_set_by_set(demo: Panel) -> None:
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Slotted:
        top: int = 1
        rebalance: int = 5
        threshold: float | None = None
        weighting: str = "equal"
        cap: float = 1.0
        hysteresis: int = 0
        otherwise: str = "cash"
        sign: int = 1
        warmup = 1

        def scores(self, known: Any) -> np.ndarray:
            return np.where(known.listed, self.sign * known.adjusted_close, np.nan)

    rows = swept(demo, [Slotted(sign=sign, top=top) for sign in (1, -1) for top in (1, 2)], 50)
    assert rows.failures == [None] * 4
    assert len(np.unique(rows.metrics[:, 0])) == 4


def test_scores_without_a_rotation_are_refused_by_both_engines(demo: Panel) -> None:
    @dataclass(frozen=True)
    class Bare:
        warmup = 1

        def scores(self, known: Any) -> np.ndarray:
            return known.adjusted_close

    for engine in ("reference", "batch"):
        with pytest.raises(StrategyError, match="not all fields of a rotation; received no top, rebalance"):
            run(Bare(), demo, engine=engine)
    assert "not all fields of a rotation" in str(swept(demo, [Bare()], 50).failures[0])


def test_a_sweep_at_vwap_needs_amounts(demo: Panel) -> None:
    facts = demo.ingredients.facts
    bars = facts.grids["bars"]
    left = replace(bars, columns={name: each for name, each in bars.columns.items() if name != "amount"})
    without = replace(demo.ingredients, facts=replace(facts, grids={**facts.grids, "bars": left})).build()
    with pytest.raises(DataError, match="need the amount"):
        Sweep(without, first=10, last=100, conditions=Conditions(fill="vwap"))


def test_fields_may_be_lists(demo: Panel) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Listed(Momentum):
        wanted: Any = ()

        def scores(self, known: Any) -> np.ndarray:
            chosen = [symbol in self.wanted for symbol in known.symbols]
            return np.where(chosen, super().scores(known), np.nan)

    lists = [["157001.SZ"], ["157002.SZ", "157001.SZ"]]
    rows = swept(demo, [Listed(lookback=20, wanted=each, top=1) for each in lists], 100)
    assert rows.failures == [None, None]
    assert rows.metrics[0, 0] != rows.metrics[1, 0]


@dataclass(frozen=True, kw_only=True)
class Plain:
    """Own fields and no base, so that nothing looks at what is in them; without a threshold."""

    warmup = 5
    top: Any = 2
    rebalance: Any = 5
    weighting: Any = "equal"
    cap: Any = 1.0
    hysteresis: Any = 0
    otherwise: Any = "cash"
    which: Any = None

    def scores(self, known: Any) -> np.ndarray:
        return known.close * (-1.0 if self.which is True else 1.0)


@dataclass(frozen=True, kw_only=True)
class Unbound(Plain):
    threshold: Any = None


@dataclass(frozen=True, kw_only=True)
class Whole(Unbound):
    stop_loss: Any = 0.0


@dataclass(frozen=True)
class One:
    value: Any


def test_a_field_that_is_lacking_is_not_one_that_is_none(demo: Panel) -> None:
    engine = Sweep(demo, 100, 200)
    for strategy, told in ((Plain(), "no threshold"), (Unbound(), None), (Plain(), "no threshold")):
        (failure,) = engine.run([strategy]).failures
        assert failure is None if told is None else told in str(failure)


def test_values_that_are_equal_and_of_other_kinds_are_other_sets(demo: Panel) -> None:
    rows = Sweep(demo, 100, 200).run([Whole(which=1), Whole(which=True), Whole(which=1.0)], equity=True)
    assert rows.failures == [None] * 3
    assert rows.equity[0].tolist() == rows.equity[2].tolist()
    assert rows.equity[0].tolist() != rows.equity[1].tolist()


@pytest.mark.parametrize(
    "held", [lambda each: (each,), lambda each: {"by": (2, each)}, lambda each: One(each)]
)
def test_they_are_also_where_another_value_holds_them(demo: Panel, held: Any) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Deep(Whole):
        def scores(self, known: Any) -> np.ndarray:
            return known.close * (-1.0 if "True" in repr(self.which) else 1.0)

    assert held(1) == held(True)
    rows = Sweep(demo, 100, 200).run([Deep(which=held(each)) for each in (1, True, 1.0)], equity=True)
    assert rows.failures == [None] * 3
    assert rows.equity[0].tolist() == rows.equity[2].tolist()
    assert rows.equity[0].tolist() != rows.equity[1].tolist()
    # and equal ones that were made apart are one
    assert key_of((held(1), 2)) == key_of((held(1), 2))


def test_what_is_equal_to_itself_alone_is_its_own_key() -> None:
    one, other = object(), object()
    assert key_of((one,)) != key_of((other,))
    assert key_of((LACKING,)) not in (key_of((one,)), key_of((None,)))


def test_a_field_that_no_group_can_be_named_of_fails_alone_at_the_most(demo: Panel) -> None:
    nested = [Whole(which=([1], each)) for each in (2, 2)]
    wrong = [Whole(cap=([1],)), Whole(top=10**30), Whole(stop_loss="x"), Whole(stop_loss=0.1, top="x")]
    rows = Sweep(demo, 100, 200).run([Whole(), *wrong, *nested])
    assert [failure is None for failure in rows.failures] == [True, *[False] * 4, True, True]
    assert "could not convert string to float: 'x'" in str(rows.failures[3])


def test_long_arrays_of_one_short_text_are_other_sets(demo: Panel) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Signed(Whole):
        def scores(self, known: Any) -> np.ndarray:
            return known.close * self.which[1000]

    signs = np.ones((2, 2001))
    signs[1, 1000] = -1.0
    assert repr(signs[0]) == repr(signs[1])
    rows = Sweep(demo, 100, 200).run([Signed(which=each) for each in signs], equity=True)
    assert rows.equity[0].tolist() != rows.equity[1].tolist()


def test_a_rotation_that_is_added_leaves_thousands_where_they_are(demo: Panel) -> None:
    rotations = Rotations(Layout(demo, 100, 200, Conditions()))
    assert rotations.numbers([Whole(threshold=each / 100) for each in range(17)]).tolist() == [*range(17)]
    before = rotations.rules
    assert rotations.numbers([Whole(threshold=0.5), Whole(threshold=0.02)]).tolist() == [17, 2]
    after = rotations.rules
    assert np.shares_memory(before.rotations, after.rotations)
    assert after.sessions is before.sessions
    assert after.cores is before.cores
    assert after.rotations["threshold"].tolist() == [*(each / 100 for each in range(17)), 0.5]
    rotations.numbers([Whole(rebalance=7)])
    assert rotations.rules.starts.tolist() == [0, 21, 36]  # each 5 sessions of 101, and each 7
    assert len(rotations.rules.turns) == 36


# --- What fails -------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Fragile(Momentum):
    """Raises for some sets."""

    how: str = param("well", choices=("well", "raise", "shape"))

    def scores(self, known: Any) -> np.ndarray:
        if self.how == "raise":
            raise ZeroDivisionError("by nothing")
        return super().scores(known)[:, : 3 if self.how == "shape" else None]


def test_a_set_that_fails_says_why_and_leaves_the_others_alone(demo: Panel) -> None:
    sets = [
        Fragile(lookback=20),
        Fragile(lookback=20, how="raise"),
        Fragile(lookback=20, how="shape"),
        Fragile(lookback=20, otherwise="159999.SZ"),
        Fragile(lookback=400),
        Fragile(lookback=20, top=1),
    ]
    rows = swept(demo, sets, 200)
    assert rows.failures[0] is None
    assert "ZeroDivisionError: by nothing" in str(rows.failures[1])
    assert "wrong shape" in str(rows.failures[2])
    assert "otherwise" in str(rows.failures[3])
    assert "too early" in str(rows.failures[4])
    assert rows.failures[5] is None
    assert np.isnan(rows.metrics[1:5]).all()
    alone = swept(demo, [sets[0], sets[5]], 200)
    np.testing.assert_array_equal(rows.metrics[[0, 5]], alone.metrics)


# --- In a notebook ----------------------------------------------------------------------------------------
def test_sweep_gives_a_row_for_each_set_in_the_order_of_the_grid(demo: Panel) -> None:
    table = sweep(Momentum(rebalance=10), demo, {"lookback": [60, 20], "top": [1, 2]})
    assert table[["lookback", "top"]].to_numpy().tolist() == [[60, 1], [60, 2], [20, 1], [20, 2]]
    start = demo.days[adapt(Momentum(lookback=60)).first_session(demo)].item()
    for row in table.to_dict("records"):
        strategy = Momentum(rebalance=10, lookback=row["lookback"], top=row["top"])
        expected = compute_metrics(run(strategy, demo, start=start))
        assert row["sharpe_ratio"] == pytest.approx(expected["sharpe_ratio"], rel=1e-9)
    assert table["failure"].isna().all()


def test_sweep_has_the_metrics_that_are_asked_for_beside_its_own(demo: Panel) -> None:
    table = sweep(Momentum(), demo, {"top": [1, 2]}, metrics=["tail_ratio", "sharpe_ratio"])
    assert list(table.columns) == ["top", *COMPILED_METRICS, "tail_ratio", "failure"]
    single = run(Momentum(top=2), demo, start=demo.days[adapt(Momentum()).first_session(demo)].item())
    assert table["tail_ratio"][1] == pytest.approx(compute_metrics(single)["tail_ratio"], rel=1e-12)
    with pytest.raises(UsageError, match="Did you mean `tail_ratio`"):
        sweep(Momentum(), demo, {"top": [1]}, metrics=["tail_ratios"])


def test_sweep_takes_any_list_of_sets_and_keeps_those_that_cannot_be_made(demo: Panel) -> None:
    table = sweep(Momentum(), demo, [{"top": 1}, {"lookback": 30}, {"top": -1}])
    assert table["failure"].tolist()[:2] == [None, None]
    assert "out of bounds" in table["failure"][2]
    with pytest.raises(UsageError, match="no parameter `lookbak`"):
        sweep(Momentum(), demo, {"lookbak": [1]})
    with pytest.raises(UsageError, match="no parameter set"):
        sweep(Momentum(), demo, {"lookback": []})


# --- At the command line, and on real data ------------------------------------------------------------------
@pytest.mark.slow
def test_the_folder_of_a_run_is_the_same_but_for_the_name_of_the_engine(tmp_path: Path) -> None:
    folders = {}
    for engine in ("reference", "batch"):
        words = ["run", "flow_blend", "--engine", engine, "--no-report", "--json", "--end", "2022-12-30"]
        done = subprocess.run(
            [*ETFLOW, *words, "--out", str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        document = json.loads(done.stdout)
        assert document["engine"] == engine
        folders[engine] = Path(document["folder"])
    for name in sorted(path.name for path in folders["reference"].iterdir()):
        texts = [(folder / name).read_text() for folder in folders.values()]
        if name == "manifest.json":
            for engine, folder in folders.items():
                place = list(folders).index(engine)
                texts[place] = texts[place].replace(f'"{engine}"', '"E"').replace(folder.name, "RUN")
        if name == "SHA256SUMS":
            texts = [text.partition("  manifest.json")[2] for text in texts]
        assert texts[0] == texts[1], name


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_real_markets_are_the_same_on_both_engines(real: Panel, name: str) -> None:
    strategy = STRATEGIES[name](**({"series": ""} if name == "resonance" else {}))
    try:
        expected = run(strategy, real, engine="reference", costs=STORMY)
    except EtflowError as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            run(strategy, real, engine="batch", costs=STORMY)
        # the files have no series of theirs
        assert name in ("compute_cycle", "optical_tilt", "premium_reversal")
        return
    assert_same(expected, run(strategy, real, engine="batch", costs=STORMY))
    assert len(expected.fills) > (20 if name != "buy_hold" else 1)


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    store = tmp_path_factory.mktemp("store") / "cn"
    subprocess.run(
        [*ETFLOW, "data", "import", str(shared / "tidy-cn"), "--data", str(store)],
        capture_output=True,
        check=True,
    )
    return load_panel(Store(store))
