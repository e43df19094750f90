"""Choosing on some sessions and judging on others: what is chosen, and what one account makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.load import load_panel
from data.panel.panel import Panel
from engine.kernel.targets import Targets
from engine.pipeline import OpenMarket
from engine.simulation.backtest import decisions_of
from engine.simulation.engines import simulate
from engine.spec import Conditions, Spec
from engine.statistics.sharpe import sharpe_ratios
from engine.statistics.splits import CombinatorialPurged, WalkForward
from engine.strategy.loader import parameters_of
from engine.tuning.evaluate import Evaluator
from engine.tuning.out_of_sample import (
    Stitched,
    choose,
    combinatorial,
    default_walk_forward,
    horizon_of,
    walk_forward,
)
from engine.tuning.space import Space
from strategies import STRATEGIES

SETS: list[dict[str, Any]] = [{"lookback": n, "top": k} for n in (5, 20, 60) for k in (1, 3)]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo())


@pytest.fixture(scope="module")
def evaluate(panel: Panel) -> Evaluator:
    fields = parameters_of(STRATEGIES["momentum"])
    space = Space.from_words(["lookback=5,20,60", "top=1,3"], [], fields, fixed={})
    return Evaluator(Spec("momentum"), STRATEGIES, OpenMarket(panel, None, ()), space)


@pytest.fixture(scope="module")
def returns(evaluate: Evaluator) -> np.ndarray:
    paths = evaluate.paths(SETS)
    before = np.column_stack([np.full(len(paths), evaluate.spec.cash), paths[:, :-1]])
    return (paths / before - 1.0).T


@pytest.fixture(scope="module")
def benchmark(returns: np.ndarray) -> np.ndarray:
    return np.zeros(len(returns))


# --- What is chosen ---------------------------------------------------------------------------------------
def test_the_choice_looks_at_the_training_rows_alone() -> None:
    returns = np.array([[0.02, 0.01], [0.01, 0.02], [0.02, 0.00], [-0.5, 0.5]])
    rows = np.array([0, 1, 2])
    assert choose(returns, [rows], np.zeros(4), 252.0, "cum_returns_final", smaller=False) == [0]
    assert choose(returns, [np.arange(4)], np.zeros(4), 252.0, "cum_returns_final", smaller=False) == [1]
    assert choose(returns, [rows], np.zeros(4), 252.0, "annual_volatility", smaller=True) == [0]
    # 5th percentiles of three: a tenth of the way from the lowest to the next
    assert choose(returns, [rows], np.zeros(4), 252.0, "value_at_risk", smaller=False) == [0]  # 0.011, 0.001
    assert choose(returns, [np.arange(4)], np.zeros(4), 252.0, "value_at_risk", smaller=False) == [1]
    # While the benchmark falls, a gain is a capture below zero: the larger gain is the smaller capture.
    falling = np.full(4, -0.01)
    assert choose(returns, [rows], falling, 252.0, "down_capture", smaller=True) == [0]
    assert choose(returns, [np.arange(4)], falling, 252.0, "down_capture", smaller=True) == [1]


@pytest.mark.parametrize("metric", ["sharpe_ratio", "max_drawdown", "value_at_risk"])
def test_of_equals_the_first_is_chosen_and_never_one_that_failed(metric: str) -> None:
    returns = np.array(
        [[np.nan, 0.01, 0.01, 0.01], [np.nan, 0.03, 0.03, np.nan], [np.nan, -0.01, -0.01, 0.01]]
    )
    for smaller in (False, True):
        assert choose(returns, [np.arange(3)], np.zeros(3), 252.0, metric, smaller=smaller) == [1]


def test_among_many_columns_the_first_of_the_best_sharpe_ratios_is_chosen() -> None:
    random = np.random.default_rng(6)
    many = random.normal(0.0, 0.01, (40, 300))
    training = [np.arange(30), np.r_[0:5, 20:40]]
    best = [int(np.argmax(sharpe_ratios(many[rows]))) for rows in training]
    assert choose(many, training, np.zeros(40), 252.0, "sharpe_ratio", smaller=False) == best
    copied = np.hstack([many, many[:, best]])
    assert choose(copied, training, np.zeros(40), 252.0, "sharpe_ratio", smaller=False) == best
    worst = [int(np.argmin(sharpe_ratios(many[rows]))) for rows in training]
    assert choose(copied, training, np.zeros(40), 252.0, "sharpe_ratio", smaller=True) == worst
    # What does not vary has no ratio, nor have two trials on one session.
    assert choose(
        np.full((3, 2), 0.01), [np.arange(3)], np.zeros(3), 252.0, "sharpe_ratio", smaller=False
    ) == [0]
    still = np.array([[0.01, 0.01], [0.01, -0.02], [0.01, 0.0]])
    assert choose(still, [np.arange(3)], np.zeros(3), 252.0, "sharpe_ratio", smaller=False) == [1]
    assert choose(still, [np.array([1])], np.zeros(3), 252.0, "sharpe_ratio", smaller=False) == [0]


def test_a_walk_chooses_the_best_sharpe_ratio_of_each_training_window(
    evaluate: Evaluator, returns: np.ndarray, benchmark: np.ndarray
) -> None:
    walk = walk_forward(evaluate, SETS, returns, benchmark, WalkForward(250, 60, 5))
    for split, column, ratio in zip(walk.splits, walk.chosen, walk.in_sample, strict=True):
        ratios = sharpe_ratios(returns[split.train])
        assert column == int(np.argmax(ratios))
        assert ratio == pytest.approx(ratios[column])
        assert split.train[-1] + 5 < split.tests[0][0]
    assert len(set(walk.chosen)) > 1
    assert len(walk.returns) == 60 * len(walk.splits)


def test_later_returns_do_not_change_an_earlier_choice(
    evaluate: Evaluator, returns: np.ndarray, benchmark: np.ndarray
) -> None:
    windows = WalkForward(250, 60, 5)
    other = returns.copy()
    other[700:] = other[700:, ::-1]
    first, second = (walk_forward(evaluate, SETS, each, benchmark, windows) for each in (returns, other))
    unseen = [number for number, split in enumerate(first.splits) if split.train[-1] < 700]
    assert [first.chosen[number] for number in unseen] == [second.chosen[number] for number in unseen]
    assert first.chosen != second.chosen


# --- One account over all blocks ----------------------------------------------------------------------------
def test_blocks_of_one_set_are_one_run_without_a_seam(evaluate: Evaluator, returns: np.ndarray) -> None:
    blocks = [(0, 99), (100, 399), (400, len(returns) - 1)]
    followed = Stitched(evaluate).returns(blocks, [SETS[3]] * 3)
    np.testing.assert_array_equal(followed, returns[:, 3])


def test_at_a_seam_what_is_held_is_traded_to_the_next_set(evaluate: Evaluator, panel: Panel) -> None:
    """The reference engine, told the decisions of both sets by hand."""
    first, seam, last = evaluate.first, evaluate.first + 203, evaluate.first + 420
    pieces = []
    for begin, end, parameters in ((first, seam - 1, SETS[0]), (seam, last, SETS[5])):
        strategy = evaluate.strategy(parameters)
        # Run by itself from the block's first session on, it decides there; its schedule is the run's.
        _, alone = decisions_of(strategy, panel, panel.days[begin].item(), begin)
        _, usual = decisions_of(strategy, panel, panel.days[first].item(), last)
        assert isinstance(alone, Targets)
        assert isinstance(usual, Targets)
        later = (usual.decisions > begin) & (usual.decisions <= end)
        pieces += [alone, Targets(*(part[later] for part in vars(usual).values()))]
    targets = Targets(
        *(np.concatenate(parts) for parts in zip(*(vars(p).values() for p in pieces), strict=True))
    )
    ledger = simulate(panel, targets, first, last, Conditions(cash=evaluate.spec.cash))
    on_seam = ledger.fills["day"].to_numpy() == panel.days[seam].astype("datetime64[us]")
    assert on_seam.any()
    before = np.concatenate(([evaluate.spec.cash], ledger.equity[:-1]))
    stitched = Stitched(evaluate)
    assert len(stitched.returns([(0, 202)], [SETS[0]])) == 203
    followed = stitched.returns([(0, 202), (203, 420)], [SETS[0], SETS[5]])
    np.testing.assert_array_equal(followed, ledger.equity / before - 1.0)


def test_paths_cover_every_session_and_cost_their_seams(
    evaluate: Evaluator, returns: np.ndarray, benchmark: np.ndarray
) -> None:
    folds = CombinatorialPurged(6, 2, 6, 5)
    paths = combinatorial(evaluate, SETS, returns, benchmark, folds)
    assert paths.shape == (folds.n_paths, len(returns))
    assert np.isfinite(paths).all()
    assert not (paths == paths[0]).all()


# --- Sizes ------------------------------------------------------------------------------------------------
def test_default_windows_fit_into_what_there_is() -> None:
    for sessions in (40, 200, 729, 1215, 2500):
        windows = default_walk_forward(sessions, 243.0, 6)
        splits = windows.split(sessions)
        assert splits[-1].tests[0][-1] == sessions - 1
    assert default_walk_forward(1215, 243.0, 6) == WalkForward(480, 61, 6, reduce_test=True)


def test_the_horizon_is_that_of_the_slowest_rotation_and_its_lag() -> None:
    assert horizon_of([5, 10]) == 11
    assert horizon_of(["weekly", 3]) == 6
    assert horizon_of(["monthly"]) == 23
    assert horizon_of([1000]) == 61
