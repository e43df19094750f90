"""Methods of search: what they propose, that they propose it again, and that they learn."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import run_backtest
from data.errors import UsageError
from engine.tuning.methods import METHODS, sampler_settings
from engine.tuning.outcome import Outcome
from engine.tuning.samplers import make_sampler
from engine.tuning.streams import permuted
from tests.helpers.tuning import evaluate, goal_of_words, space_of

ROOT = Path(run_backtest.__file__).parent
GOAL = goal_of_words("sharpe_ratio")
MIXED = space_of("lookback=3:30", "margin_weight=0.01:10:log", "rebalance=5,weekly", "top=1,2,5")
COUNTED = space_of("lookback=3:12", "top=1,2,5", where=["lookback != 5 or top > 1"])


def run(method, space, goal=GOAL, *, wanted=60, seed=0, batch=20, evaluate=evaluate):
    """Return the first sets of a search that is told what became of them."""
    search = make_sampler(method, space, goal, seed=seed, batch=batch)
    found = []
    while len(found) < wanted and (sets := search.propose()):
        found += sets
        search.tell(evaluate(sets))
    return found[:wanted]


def space_for(method):
    return COUNTED if method == "grid" else MIXED


@pytest.mark.parametrize("method", ["tpe", "nsga2", "cmaes"])
@pytest.mark.parametrize("undefined", [None, math.nan])
def test_an_undefined_metric_in_a_constraint_is_missed_and_the_search_goes_on(method, undefined):
    goal = goal_of_words(
        "sharpe_ratio",
        constraints=[
            "cost_share < 0.5",
            "1e308 * 10 - 1e308 * 10 < turnover",  # not a number
            "turnover > 1e308 * 10",  # missed without end
        ],
    )

    def outcomes(sets):
        return [
            Outcome({"sharpe_ratio": float(each["lookback"]), "cost_share": undefined, "turnover": 1.0})
            for each in sets
        ]

    assert len(run(method, MIXED, goal, evaluate=outcomes)) == 60
    (outcome,) = outcomes([{"lookback": 3}])
    assert not goal.feasible(outcome)
    assert all(0.0 < missed < math.inf for missed in goal.violations(outcome))
    assert goal.values(Outcome({"sharpe_ratio": undefined})) is None


def test_what_a_sampler_is_made_with_is_said():
    assert sampler_settings("tpe", 1, 20)["multivariate"] is True
    assert sampler_settings("tpe", 2, 20)["multivariate"] is False
    assert sampler_settings("nsga2", 2, 30)["population_size"] == 30
    assert sampler_settings("cmaes", 1, 20)["with_margin"] is False
    assert sampler_settings("grid", 1, 20) == {}


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_trials(method):
    space = space_for(method)
    first = run(method, space, seed=5)
    assert len(first) == min(60, space.size or 60)
    assert run(method, space, seed=5) == first
    if method != "grid":
        assert run(method, space, seed=6) != first


@pytest.mark.slow
@pytest.mark.parametrize("method", ["random", "tpe", "nsga2", "cmaes"])
def test_trials_are_the_same_in_another_process(method):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.test_tuning_search import run, MIXED\n"
        "print(run(sys.argv[2], MIXED, wanted=45, seed=3))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), method],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == str(run(method, MIXED, wanted=45, seed=3))


@pytest.mark.parametrize(
    "method",
    [pytest.param(each, marks=pytest.mark.slow if each in ("nsga2", "cmaes") else ()) for each in METHODS],
)
def test_no_set_comes_twice_and_all_are_allowed(method):
    found = run(method, COUNTED, wanted=1000)
    counts = Counter(tuple(each.items()) for each in found)
    assert max(counts.values()) == 1
    assert all(COUNTED.allows(each) for each in found)
    assert COUNTED.size == 29
    # These two may close in on some sets before they have seen all.
    assert len(found) == 29 or (method in ("nsga2", "cmaes") and len(found) >= 12)


@pytest.mark.parametrize("method", METHODS)
def test_values_are_exactly_those_of_the_space(method):
    space = space_of("threshold=0:0.3:0.1", "lookback=3:5", "rebalance=5,weekly")
    allowed = {name: [s[name] for s in space.sets()] for name in space.names}
    for parameters in run(method, space, wanted=12):
        for name, value in parameters.items():
            assert [(value, type(value)) in [(v, type(v)) for v in allowed[name]]] == [True]


@given(st.integers(1, 700), st.integers())
def test_the_random_order_has_every_index_once(size, seed):
    assert sorted(permuted(index, size, seed) for index in range(size)) == list(range(size))


def test_the_random_order_is_not_an_order():
    order = [permuted(index, 10_000, 1) for index in range(1000)]
    thirds = Counter(index // 3334 for index in order)
    assert all(270 < thirds[part] < 400 for part in range(3))
    rising = sum(one < two for one, two in itertools.pairwise(order))
    assert 450 < rising < 550


@pytest.mark.parametrize("method", ["tpe", "nsga2", "cmaes"])
def test_searches_that_learn_find_more_than_chance(method):
    def bowl(sets):
        return [
            Outcome({"sharpe_ratio": -((s["cap"] - 0.3) ** 2) - (s["margin_weight"] - 7) ** 2 / 100})
            for s in sets
        ]

    space = space_of("cap=0.01:1", "margin_weight=0:10")

    def last_mean(found):
        return sum(outcome.metrics["sharpe_ratio"] for outcome in bowl(found[-40:])) / 40

    by_chance = last_mean(run("random", space, wanted=240, evaluate=bowl))
    # Random sets miss by -0.1 - 0.12 in the mean, a search that learns by much less.
    assert by_chance < -0.1
    assert last_mean(run(method, space, wanted=240, evaluate=bowl)) > by_chance / 3


@pytest.mark.parametrize("method", ["tpe", "nsga2", "cmaes"])
def test_constraints_turn_a_search(method):
    def line(sets):
        return [Outcome({"sharpe_ratio": s["cap"], "turnover": s["cap"] + s["margin_weight"]}) for s in sets]

    space = space_of("cap=0.01:1", "margin_weight=0:1")
    limited = goal_of_words("sharpe_ratio", constraints=["turnover <= 0.6"])

    def met(goal):
        found = run(method, space, goal, wanted=240, evaluate=line)[-60:]
        return sum(each["cap"] + each["margin_weight"] <= 0.6 for each in found)

    assert met(limited) > 2 * met(goal_of_words("sharpe_ratio"))


@pytest.mark.parametrize("method", ["tpe", "nsga2"])
def test_several_objectives_and_failures_are_searched(method):
    space = space_of("lookback=5:9", "cap=0.1:1", "top=1:5", where=["lookback > top + 3"])
    found = run(method, space, goal_of_words("sharpe_ratio", "turnover"), wanted=100)
    assert len(found) == 100
    assert any(each["lookback"] == 7 for each in found)  # which fails
    assert all(each["lookback"] > each["top"] + 3 for each in found)


def test_what_a_method_cannot_search_is_refused_with_the_next_step():
    free = space_of("cap=0.1:1", "top=1,2")
    with pytest.raises(UsageError, match=r"Give a step, as cap=0\.1:1:STEP, or another --method"):
        make_sampler("grid", free, GOAL, seed=0)
    with pytest.raises(UsageError, match=r"received cap\. Use --method tpe"):
        make_sampler("cmaes", space_of("cap=0.1:1", "rebalance=5,weekly"), GOAL, seed=0)
    with pytest.raises(UsageError, match="received none"):
        make_sampler("cmaes", space_of("rebalance=5,weekly", "excess_of_momentum"), GOAL, seed=0)
    with pytest.raises(UsageError, match="Use --method nsga2"):
        make_sampler("cmaes", MIXED, goal_of_words("sharpe_ratio", "turnover"), seed=0)
    with pytest.raises(UsageError, match="Did you mean `cmaes`"):
        make_sampler("cmae", MIXED, GOAL, seed=0)
    with pytest.raises(UsageError, match="--where leaves no set"):
        make_sampler("tpe", space_of("top=1,2", where=["top > 2"]), GOAL, seed=0)


def test_conditions_that_leave_nothing_of_a_space_without_end_are_refused(monkeypatch):
    monkeypatch.setattr("engine.tuning.streams.PATIENCE", 50)
    space = space_of("cap=0.1:1", where=["cap > 2"])
    with pytest.raises(UsageError, match="--where refused 50 draws in a row"):
        make_sampler("random", space, GOAL, seed=0).propose()


def test_a_learning_search_ends_where_conditions_leave_nothing(monkeypatch):
    monkeypatch.setattr("engine.tuning.samplers.PATIENCE", 50)
    space = space_of("cap=0.1:1", where=["cap > 2"])
    assert make_sampler("tpe", space, GOAL, seed=0).propose() == []
