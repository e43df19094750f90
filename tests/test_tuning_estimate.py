"""What a search would take, told before it: sums by hand, on real sets, and without a trace."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.commands import estimate as module
from engine.commands.estimate import FIRST, MANY, SAMPLE, estimate
from engine.commands.order import SearchWords, order_of
from engine.commands.tune import Executor, Search
from engine.pipeline import Watch
from engine.spec import Spec
from engine.strategy.loader import parameters_of
from engine.tuning.objective import Goal
from engine.tuning.outcome import Outcome
from engine.tuning.samplers import make_sampler
from engine.tuning.space import Space
from strategies import STRATEGIES

SOME = FIRST + SAMPLE


def timed_search(
    monkeypatch, words, seconds_a_set, method="grid", trials=None, phases=None, executor="local"
):
    """Return a search whose sets take so long; a judgement takes 1 s, 10 ms a set, and 0.5 s more once.

    The first set in tranches takes 30 s more: its machine code is compiled.
    """
    clock = [0.0]
    compiled = set()
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])

    def evaluate(sets):
        clock[0] += seconds_a_set * len(sets)
        if not compiled and any(each.get("tranches", 1) > 1 for each in sets):
            compiled.add("tranches")
            clock[0] += 30.0
        return [Outcome({"sharpe_ratio": 1.0}) for _ in sets]

    judged = []

    def judging(search, splits, sizes, sets, outcomes):
        assert len(sets) == len(outcomes)
        judged.append(len(sets))
        return 1.0 + 0.01 * len(sets) + (0.5 if len(judged) == 1 else 0.0)

    monkeypatch.setattr(module, "_judging", judging)
    fields = {"first": 1, "last": 1000, "phases": phases, "__call__": staticmethod(evaluate)}
    evaluate = type("Evaluate", (), fields)()
    space = Space.from_words(words, [], parameters_of(STRATEGIES["momentum"]), fixed={})
    goal = Goal.from_words((), ())
    order = SimpleNamespace(
        sets=trials or space.size,
        space=space,
        goal=goal,
        spec=SimpleNamespace(seed=0),
        sampler=lambda: make_sampler(method, space, goal, seed=0),
    )
    return SimpleNamespace(order=order, evaluate=evaluate, executor=Executor(executor)), judged


def test_a_large_search_is_told_from_two_judgements_of_its_first_sets(monkeypatch):
    search, judged = timed_search(monkeypatch, ["lookback=1:1000", "top=1:10"], 0.001)
    found = estimate(search)
    assert judged == [SOME, SOME, MANY]
    # 10 ms a set less the millisecond for which it was run again, and what loads is paid once.
    assert found.judgement == pytest.approx(1.0 + 0.01 * SOME + 0.5 + 0.009 * (10_000 - SOME))
    assert found.search == pytest.approx(10.0)
    assert found.seconds == found.search + found.judgement
    assert (
        found.memory == 10_000 * 4_000 + 2_000 * 1000 * 8
    )  # a set, and those that are held against each other


def test_of_more_sets_than_are_judged_those_that_are_count(monkeypatch):
    search, _ = timed_search(monkeypatch, ["lookback=1:1000", "top=1:20"], 0.001)
    found = estimate(search)
    # None of their paths is kept, so that those that count are run again.
    assert found.judgement == pytest.approx(1.5 + 0.01 * SOME + 0.01 * (10_000 - SOME))
    assert (found.search, found.memory) == (pytest.approx(20.0), 20_000 * 4_000 + 2_000 * 1000 * 8)


@pytest.mark.parametrize("elsewhere", [{"phases": "mean"}, {"executor": "dask"}])
def test_sets_whose_paths_are_not_kept_are_run_again_for_the_judgement(monkeypatch, elsewhere):
    search, _ = timed_search(monkeypatch, ["lookback=1:100", "top=1:10"], 0.001, **elsewhere)
    assert estimate(search).judgement == pytest.approx(1.5 + 0.01 * 1000)
    search, _ = timed_search(monkeypatch, ["lookback=1:100", "top=1:10"], 0.1, **elsewhere)
    assert estimate(search).judgement == pytest.approx(1.5 + 0.01 * SOME + 0.1 * (1000 - SOME))


def test_sets_that_take_long_are_not_run_for_the_judgement_of_many(monkeypatch):
    search, judged = timed_search(monkeypatch, ["lookback=1:100", "top=1:10"], 0.1)
    found = estimate(search)
    assert judged == [SOME]
    assert (found.search, found.judgement) == (pytest.approx(100.0), pytest.approx(1.5 + 0.01 * SOME))


@pytest.mark.parametrize("sets", [1, 3, 60])
def test_a_small_search_is_judged_as_it_is(monkeypatch, sets):
    search, judged = timed_search(monkeypatch, [f"lookback=1:{sets}"], 0.001)
    found = estimate(search)
    assert judged == [sets]
    assert (found.search, found.judgement) == (pytest.approx(0.001 * sets), pytest.approx(1.5 + 0.01 * sets))


def test_sets_that_are_learned_later_are_drawn(monkeypatch):
    words = ["lookback=1:100", "top=1:10"]
    search, judged = timed_search(monkeypatch, words, 0.001, method="tpe", trials=200)
    found = estimate(search)
    assert judged == [SOME, SOME, 200]
    assert found.judgement == pytest.approx(1.5 + 0.01 * SOME + 0.009 * (200 - SOME))


@pytest.mark.parametrize("top", [20, 100])  # sets in tranches among the timed ones, and after them
def test_what_is_compiled_for_some_sets_is_no_time_of_each(monkeypatch, top):
    search, _ = timed_search(monkeypatch, ["tranches=1,2,5", f"top=1:{top}"], 0.001)
    assert estimate(search).search == pytest.approx(0.001 * 3 * top)


def test_without_a_verdict_the_search_alone_is_told(monkeypatch):
    search, judged = timed_search(monkeypatch, ["lookback=1:100"], 0.001)
    found = estimate(search, verdict=False)
    assert (found.search, found.judgement, found.seconds) == (pytest.approx(0.1), None, pytest.approx(0.1))
    assert judged == []


def test_a_real_trial_leaves_nothing_on_record(tmp_path, monkeypatch):
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    spec = Spec("momentum", {"top": 2}, engine="batch")
    order = order_of(spec, STRATEGIES, SearchWords(["lookback=5,10,20"]))
    search = Search.open(order, Watch())
    found = estimate(search, splits="walkforward")
    assert min(found.search, found.judgement) > 0.0
    assert search.on_record == 0
    assert not any(path.name in ("study.jsonl", "verdict.json") for path in tmp_path.rglob("*"))
