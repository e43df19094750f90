"""Trials over all phases of a cycle: what is taken of them, by hand, and in a search against single runs."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from engine import run, tune
from engine.commands.order import SearchWords, order_of
from engine.metrics import compute_metrics
from engine.pipeline import OpenMarket
from engine.spec import Spec
from engine.strategy.adapters import adapt
from engine.strategy.loader import parameters_of
from engine.tuning.evaluate import Evaluator
from engine.tuning.objective import Goal
from engine.tuning.phases import OverPhases, phases_of_set
from engine.tuning.space import Space
from strategies import STRATEGIES
from strategies.momentum import Momentum

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("sharpe_ratio", "max_drawdown")
FOUND = np.array([[0.5, -0.3], [0.9, -0.1], [0.2, -0.2], [0.7, -0.4]])
EQUITY = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])


@dataclass(frozen=True)
class Decider:
    """Decides session by session."""

    share: float = 0.5

    def decide(self, past: Any, held: Any) -> dict[str, float]:
        return {past.symbols[0]: self.share}


CATALOGUE = {**STRATEGIES, "decider": Decider}


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo())


def over(how: str, objective: str = "sharpe_ratio") -> OverPhases:
    found = OverPhases.of(how, Goal.from_words([objective], []))
    assert found is not None
    return found


# --- By hand ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("how", "objective", "ranked", "judged"),
    [
        ("worst", "sharpe_ratio", 2, 2),
        ("median", "sharpe_ratio", 0, 0),  # .2 .5 .7 .9: the worse of the two in the middle
        ("worst", "max_drawdown", 3, 2),
        ("median", "max_drawdown", 0, 0),
        ("worst", "sharpe_ratio:min", 1, 2),  # else the luckiest phase would be judged
        ("median", "sharpe_ratio:min", 3, 0),
    ],
)
def test_one_phase_is_the_trial(how: str, objective: str, ranked: int, judged: int) -> None:
    taken = over(how, objective)
    assert taken.metrics(FOUND, NAMES).tolist() == FOUND[ranked].tolist()
    assert taken.path(EQUITY, FOUND, NAMES).tolist() == EQUITY[judged].tolist()


def test_the_mean_is_of_every_metric_and_of_accounts() -> None:
    assert over("mean").metrics(FOUND, NAMES) == pytest.approx([2.3 / 4, -0.25])
    assert over("mean").path(EQUITY, FOUND, NAMES).tolist() == [4.0, 5.0]


def test_what_is_undefined_on_a_phase_is_worse_than_all() -> None:
    found = np.vstack([FOUND, [np.nan, -0.5]])
    assert np.isnan(over("worst").metrics(found, NAMES)[0])
    assert over("median").metrics(found, NAMES)[0] == 0.5
    assert np.isnan(over("mean").metrics(found, NAMES)[0])


def test_a_set_has_the_phases_of_its_own_cycle() -> None:
    assert [each.phase for each in phases_of_set(adapt(Momentum(rebalance=3)))] == [0, 1, 2]
    assert [each.phase for each in phases_of_set(adapt(Momentum(rebalance=6, tranches=3)))] == [0, 1]
    for rebalance in ("weekly", "once", 1):
        assert len(phases_of_set(adapt(Momentum(rebalance=rebalance)))) == 1


# --- In a search ------------------------------------------------------------------------------------------
def evaluator(panel: Panel, how: str | None, *words: str) -> Evaluator:
    space = Space.from_words(words, [], parameters_of(Momentum), fixed={})
    taken = None if how is None else over(how)
    return Evaluator(
        Spec("momentum"), STRATEGIES, OpenMarket(panel, None, ()), space, ["tail_ratio"], phases=taken
    )


def single(panel: Panel, evaluate: Evaluator, **parameters: Any) -> Any:
    start = panel.days[evaluate.first].item()
    return run(Momentum(**parameters), panel, start=start, engine="batch")


@pytest.mark.parametrize("how", ["mean", "worst"])
def test_outcomes_and_paths_are_those_of_single_runs(panel: Panel, how: str) -> None:
    evaluate = evaluator(panel, how, "rebalance=3,weekly", "top=1,2")
    sets = [{"rebalance": 3, "top": 2}, {"rebalance": "weekly", "top": 1}]
    outcomes, paths = evaluate(sets), evaluate.paths(sets)
    weekly = single(panel, evaluate, rebalance="weekly", top=1)
    assert outcomes[1].metrics["sharpe_ratio"] == pytest.approx(weekly.metrics["sharpe_ratio"])
    np.testing.assert_array_equal(paths[1], weekly.equity)
    runs = [single(panel, evaluate, rebalance=3, top=2, phase=phase) for phase in range(3)]
    ratios = [each.metrics["sharpe_ratio"] for each in runs]
    for name in ("sharpe_ratio", "max_drawdown", "tail_ratio"):
        values = [compute_metrics(each)[name] for each in runs]
        expected = np.mean(values) if how == "mean" else values[int(np.argmin(ratios))]
        assert outcomes[0].metrics[name] == pytest.approx(expected, rel=1e-9)
    equity = np.array([each.equity for each in runs])
    expected = equity.mean(axis=0) if how == "mean" else equity[int(np.argmin(ratios))]
    np.testing.assert_allclose(paths[0], expected, rtol=1e-14)
    np.testing.assert_array_equal(evaluate.own_path(sets[0]), runs[0].equity)
    # What is sent to a worker is the same there.
    assert pickle.loads(pickle.dumps(evaluate))(sets) == outcomes


def test_few_paths_are_held_at_a_time(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = evaluator(panel, "median", "rebalance=2,3", "top=1,2")
    sets = [{"rebalance": days, "top": top} for days in (2, 3) for top in (1, 2)]
    expected = evaluate.paths(sets)
    monkeypatch.setattr("engine.tuning.evaluate.MOST_NUMBERS", 1)
    np.testing.assert_array_equal(evaluate.paths(sets), expected)


@pytest.mark.slow
def test_a_search_over_phases_has_one_trial_a_set(panel: Panel, tmp_path: Path) -> None:
    words = ["lookback=10,20", "top=1,2"]
    constraint = ["max_drawdown > -0.9"]
    found = tune(Momentum(rebalance=3), panel, words, phases="worst", constraints=constraint, out=tmp_path)
    usual = tune(Momentum(rebalance=3), panel, words, constraints=constraint, out=tmp_path)
    assert found.study.header["phases"] == "worst"
    assert "phases" not in usual.study.header
    assert found.study.folder != usual.study.folder
    assert len(found.study.trials) == len(usual.study.trials) == 4
    for one, all_phases in zip(usual.study.trials, found.study.trials, strict=True):
        assert all_phases.outcome.metrics["sharpe_ratio"] <= one.outcome.metrics["sharpe_ratio"]
    assert found.report is not None
    assert any("worst phase" in each for each in found.report.evidence.exclusions)


def etflow(*words: str, cwd: Path) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "run_backtest.py"), *words, "--no-report", "--json"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=300)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
def test_the_command_ranks_over_phases_and_validates_again(tmp_path: Path) -> None:
    words = ("tune", "momentum", "--param", "top=1,2", "--phases", "mean")
    tuned = etflow(*words, cwd=tmp_path)
    assert tuned["phases"] == "mean"
    again = etflow("validate", tuned["study_id"], cwd=tmp_path)
    assert again["verdict"] == tuned["judgement"]["verdict"]


@pytest.mark.parametrize(
    ("strategy", "parameters", "params", "message"),
    [
        ("momentum", {}, ["phase=0:4"], "one is asked for"),
        ("momentum", {"phase": 2}, ["top=1,2"], "one is asked for"),
        ("decider", {}, ["share=0.25,0.5"], "has no phases"),
    ],
)
def test_phases_need_a_cycle_and_leave_no_room_for_one_phase(
    strategy: str, parameters: dict[str, Any], params: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        order_of(
            Spec(strategy, parameters), {**STRATEGIES, "decider": Decider}, SearchWords(params, phases="mean")
        )


def test_an_unknown_word_for_phases() -> None:
    with pytest.raises(UsageError, match="best"):
        order_of(Spec("momentum"), STRATEGIES, SearchWords(["top=1,2"], phases="best"))
