"""What a search asks of the engines: any kind of strategy, the same sessions for all, the best once more."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.errors import ValidationError
from data.load import load_panel
from data.panel.panel import Panel
from engine import run
from engine.metrics import compute_metrics
from engine.pipeline import OpenMarket
from engine.spec import Spec
from engine.strategy.adapters import adapt
from engine.strategy.loader import parameters_of, strategy_class
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.tuning.evaluate import Evaluator
from engine.tuning.objective import Goal, Trial
from engine.tuning.outcome import Outcome
from engine.tuning.space import Space
from engine.tuning.verify import check_best
from strategies import STRATEGIES

OWN = '''
from dataclasses import dataclass
import backtrader as bt


@dataclass(frozen=True)
class Holder:
    """Holds one fund, and decides session by session."""

    symbol: str = "157001.SZ"
    share: float = 0.5

    def decide(self, past, held):
        return {self.symbol: self.share} if not held else None


class Cross(bt.Strategy):
    """Buys once."""

    params = (("size", 100),)

    def next(self):
        if not self.position:
            self.buy(data=self.datas[0], size=self.p.size)
'''


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo())


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "own.py"
    path.write_text(OWN)
    return path


def evaluator(
    panel: Panel, strategy: str, words: list[str], metrics: Sequence[str] = (), **settings: Any
) -> Evaluator:
    fields = parameters_of(strategy_class(strategy, STRATEGIES))
    space = Space.from_words(words, [], fields, fixed={})
    return Evaluator(Spec(strategy, **settings), STRATEGIES, OpenMarket(panel, None, ()), space, metrics)


def test_outcomes_are_those_of_runs_over_the_same_sessions(panel: Panel) -> None:
    evaluate = evaluator(panel, "momentum", ["lookback=10,90", "top=1,2"])
    demanding = STRATEGIES["momentum"](lookback=90)
    assert evaluate.first == adapt(demanding).first_session(panel)
    sets = [{"lookback": 10, "top": 2}, {"lookback": 90, "top": 1}]
    for parameters, outcome in zip(sets, evaluate(sets), strict=True):
        start = panel.days[evaluate.first].item()
        expected = compute_metrics(run(STRATEGIES["momentum"](**parameters), panel, start=start))
        assert outcome.failure is None
        for name in set(COMPILED_METRICS) - {"fills", "rejections"}:
            assert outcome.metrics[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["momentum", "Holder"])
def test_what_a_goal_asks_for_is_measured_beside_what_every_set_has(
    panel: Panel, own: Path, name: str
) -> None:
    goal = Goal.from_words(["tail_ratio"], ["value_at_risk > -0.05 and sharpe_ratio > 0"])
    assert goal.metrics == ("tail_ratio", "sharpe_ratio", "value_at_risk")
    strategy, word = (name, "top=1,2") if name in STRATEGIES else (f"{own}:{name}", "share=0.25,0.5")
    usual = evaluator(panel, strategy, [word], start=panel.days[700].item())
    asked = evaluator(panel, strategy, [word], goal.metrics, start=panel.days[700].item())
    parameters = {word.partition("=")[0]: 2 if name in STRATEGIES else 0.5}
    (before,), (after,) = usual([parameters]), asked([parameters])
    assert list(before.metrics) == list(COMPILED_METRICS)
    assert list(after.metrics) == [*COMPILED_METRICS, "tail_ratio", "value_at_risk"]
    expected = compute_metrics(asked.reference(parameters))
    for metric in ("tail_ratio", "value_at_risk"):
        assert after.metrics[metric] == pytest.approx(expected[metric], rel=1e-12)
    assert before.metrics.items() <= after.metrics.items()


def test_a_set_that_cannot_be_made_fails_alone(panel: Panel) -> None:
    evaluate = evaluator(panel, "momentum", ["top=0,1", "hysteresis=0,2"])
    good, bad = evaluate([{"top": 1, "hysteresis": 2}, {"top": 0, "hysteresis": 2}])
    assert good.failure is None
    assert "`hysteresis` needs `top`" in str(bad.failure)
    assert bad.metrics == {}
    assert np.isnan(evaluate.paths([{"top": 0, "hysteresis": 2}])).all()


def test_where_nothing_is_set_the_first_set_that_can_be_made_will_do(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    file.write_text("day,symbol,weight\n2022-01-04,157001.SZ,0.5\n")
    evaluate = evaluator(panel, "weights", [f"file={file}"])
    assert evaluate([{"file": str(file)}])[0].metrics["fills"] == 1.0


@pytest.mark.parametrize(("name", "word", "value"), [("Holder", "share", 0.25), ("Cross", "size", 300)])
def test_what_decides_session_by_session_is_run_on_the_reference_engine(
    panel: Panel, own: Path, name: str, word: str, value: Any
) -> None:
    evaluate = evaluator(
        panel, f"{own}:{name}", [f"{word}={value},{2 * value}"], start=panel.days[700].item()
    )
    outcome = evaluate([{word: value}])[0]
    assert outcome.failure is None
    assert outcome.metrics["fills"] == 1.0
    result = evaluate.reference({word: value})
    assert outcome.metrics["cum_returns_final"] == pytest.approx(result.equity[-1] / 1e6 - 1.0)
    np.testing.assert_array_equal(evaluate.paths([{word: value}])[0], result.equity)


@pytest.mark.parametrize("kind", ["batch", "reference"])
def test_paths_of_sets_that_were_evaluated_are_kept_and_given_away_once(
    panel: Panel, own: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "batch":
        evaluate, sets = evaluator(panel, "momentum", ["top=1:4"]), [{"top": top} for top in (1, 2, 3, 4)]
    else:
        evaluate = evaluator(panel, f"{own}:Holder", ["share=0.2,0.4,0.6,0.8"], engine="reference")
        sets = [{"share": share} for share in (0.2, 0.4, 0.6, 0.8)]
    expected = evaluate.paths(sets)
    evaluate.keeps = 3
    outcomes = evaluate(sets[:2])
    run_again: list[Any] = []
    monkeypatch.setattr(
        evaluate, "_paths", lambda some: run_again.extend(some) or Evaluator._paths(evaluate, some)
    )
    np.testing.assert_array_equal(evaluate.paths([sets[3], sets[1], sets[0]]), expected[[3, 1, 0]])
    assert run_again == [sets[3]]
    np.testing.assert_array_equal(evaluate.paths(sets[:2]), expected[:2])
    assert run_again == [sets[3], *sets[:2]]
    # Of those that nobody is to ask for none is kept.
    evaluate(sets[:2])
    evaluate.keep_only(sets[1:2])
    np.testing.assert_array_equal(evaluate.paths(sets[:2]), expected[:2])
    assert run_again[3:] == sets[:1]
    # More than there is room for: none is kept, and none any more.
    assert evaluate(sets)[:2] == outcomes
    evaluate(sets[:1])
    np.testing.assert_array_equal(evaluate.paths(sets[:1]), expected[:1])
    assert run_again[4:] == sets[:1]


def test_a_copy_sent_elsewhere_gives_the_same(panel: Panel) -> None:
    evaluate = evaluator(panel, "share_inflow", ["lookback=5,10"])
    sets = [{"lookback": 5}, {"lookback": 10}]
    expected = evaluate(sets)
    copy = pickle.loads(pickle.dumps(evaluate))
    assert copy(sets) == expected
    np.testing.assert_array_equal(copy.paths(sets), evaluate.paths(sets))


# --- The best once more -----------------------------------------------------------------------------------
def test_the_best_is_written_as_a_run_of_the_reference_engine(panel: Panel, tmp_path: Path) -> None:
    evaluate = evaluator(panel, "momentum", ["lookback=10,30"])
    trial = Trial(1, {"lookback": 30}, Outcome({}))
    folder = check_best(evaluate.spec, evaluate, trial, tmp_path)
    assert (folder / "equity.csv").is_file()
    assert '"engine": "reference"' in (folder / "manifest.json").read_text()


def test_a_difference_between_the_engines_is_an_error_that_names_the_day(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate = evaluator(panel, "momentum", ["lookback=10,30"])
    right = evaluate.paths([{"lookback": 30}])
    wrong = right.copy()
    wrong[0, 17] = np.nextafter(wrong[0, 17], np.inf)
    monkeypatch.setattr(evaluate, "own_path", lambda _parameters: wrong[0])
    day = str(panel.days[evaluate.first + 17])
    with pytest.raises(ValidationError, match=f"trial 4 is not the same on both engines from {day}") as error:
        check_best(evaluate.spec, evaluate, Trial(4, {"lookback": 30}, Outcome({})), tmp_path)
    assert error.value.exit_code == 5
    assert not list(tmp_path.iterdir())
