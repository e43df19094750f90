"""The loop: chunks and kills change nothing, what is on record is replayed and held against the search."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import run_backtest
from data.errors import UsageError, ValidationError
from engine.tuning.methods import METHODS
from engine.tuning.outcome import Outcome
from engine.tuning.study import Study, studies_in
from engine.tuning.tune import Pace, State, clean
from tests.helpers.sums import without_sums
from tests.helpers.tuning import evaluate, goal_of_words, search_in, space_of

ROOT = Path(run_backtest.__file__).parent
GOAL = goal_of_words("sharpe_ratio", constraints=["max_drawdown > -0.2"])
SPACE = space_of("lookback=3:30", "top=1:5", "threshold=0:0.3:0.1", where=["top <= lookback"])
TRIALS = {"grid": None, "random": 50, "tpe": 50, "nsga2": 50, "cmaes": 50}

# A search in a process of its own, which evaluates slowly and says when it has begun.
SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from engine.tuning.tune import Pace
from tests.helpers.tuning import evaluate, search_in
from tests.helpers.sums import without_sums
from tests.test_tuning_loop import GOAL, SPACE, TRIALS

def slowly(sets):
    time.sleep(0.02)
    return evaluate(sets)

method, out = sys.argv[2], Path(sys.argv[3])
search_in(
    out, SPACE, GOAL, method, TRIALS[method], resume=True, evaluator=slowly, pace=Pace(3, 0.0),
    progress=lambda state: print(state.done, flush=True),
)
"""


def search(out: Path, method: str, **more) -> bytes:
    return search_in(out, SPACE, GOAL, method, TRIALS[method], **more)[0].read_bytes()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pace", [Pace(1, 0.0), Pace(1000, 0.0), Pace(2, 0.0001)], ids=["1", "1000", "clock"])
def test_the_size_of_chunks_does_not_change_the_study(tmp_path, method, pace):
    if method == "grid" and pace.sets == 1:
        pace = Pace(40, 0.0)
    assert search(tmp_path / "one", method, pace=pace) == search(tmp_path / "other", method)


@pytest.mark.parametrize(
    "method",
    [pytest.param(each, marks=() if each in ("grid", "tpe") else pytest.mark.slow) for each in METHODS],
)
def test_a_search_killed_at_any_moment_goes_on_to_the_same_study(tmp_path, method):
    expected = search(tmp_path / "whole", method)
    out = tmp_path / "killed"
    command = [sys.executable, "-c", SCRIPT, str(ROOT), method, str(out)]
    for chunks in (1, 4, 7):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(chunks)]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        (folder,) = studies_in(out)
        kept = (folder / "study.jsonl").read_bytes()
        # What was announced is kept, and nothing that an uninterrupted search would not have written.
        assert kept.count(b'{"number"') >= seen[-1] > 0
        assert expected.startswith(kept[: kept.rindex(b"\n") + 1])
        assert kept != expected
    assert search(out, method, resume=True) == expected


def test_an_interrupted_search_keeps_what_is_finished(tmp_path):
    calls = []

    def interrupted(sets):
        calls.append(len(sets))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return evaluate(sets)

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, "random", evaluator=interrupted)
    (folder,) = studies_in(tmp_path)
    assert len(Study.load(folder).trials) == 14
    evaluated = []

    def counted(sets):
        evaluated.extend(sets)
        return evaluate(sets)

    assert search(tmp_path, "random", evaluator=counted, resume=True) == search(tmp_path / "x", "random")
    assert len(evaluated) == 50 - 14


@pytest.mark.parametrize("method", METHODS)
def test_a_finished_study_is_shown_again_without_evaluating(tmp_path, method):
    _, first = search_in(tmp_path, SPACE, GOAL, method, TRIALS[method])
    again = search_in(tmp_path, SPACE, GOAL, method, TRIALS[method], resume=True, evaluator=None)[1]
    assert (again.ranked, again.best, again.front) == (first.ranked, first.best, first.front)
    assert (again.trials, again.failures, again.feasible) == (first.trials, first.failures, first.feasible)


@pytest.mark.parametrize("method", ["random", "tpe", "nsga2", "cmaes"])
def test_raised_trials_are_those_that_would_have_come(tmp_path, method):
    search_in(tmp_path / "steps", SPACE, GOAL, method, 27)
    raised = search_in(tmp_path / "steps", SPACE, GOAL, method, 50, resume=True)[0]
    assert Study.load(raised).trials == Study.load(search_in(tmp_path, SPACE, GOAL, method, 50)[0]).trials


@pytest.mark.parametrize("method", METHODS)
def test_a_study_that_does_not_replay_is_refused(tmp_path, method):
    path, _ = search_in(tmp_path, SPACE, GOAL, method, TRIALS[method])
    lines = without_sums(path.read_bytes()).splitlines(keepends=True)
    entry = json.loads(lines[5])
    entry["parameters"]["top"] += 1
    lines[5] = json.dumps(entry).replace(", ", ",").replace(": ", ":").encode() + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(ValidationError, match="does not replay: trial 4 on record is"):
        search(tmp_path, method, resume=True)


def test_more_on_record_than_the_search_proposes_does_not_replay(tmp_path):
    path, leaderboard = search_in(tmp_path, space_of("lookback=3:6"), GOAL, "grid")
    assert leaderboard.trials == 4
    more = without_sums(path.read_bytes()).splitlines(keepends=True)[-1].replace(b'"number":3', b'"number":4')
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(ValidationError, match=r"trial 4 on record is .* no further set"):
        search_in(tmp_path, space_of("lookback=3:6"), GOAL, "grid", resume=True)


def test_a_value_of_another_type_does_not_replay(tmp_path):
    path, _ = search_in(tmp_path, space_of("excess_of_momentum"), GOAL, "grid")
    path.write_bytes(
        without_sums(path.read_bytes()).replace(b'"excess_of_momentum":true', b'"excess_of_momentum":1')
    )
    with pytest.raises(ValidationError, match="does not replay"):
        search_in(tmp_path, space_of("excess_of_momentum"), GOAL, "grid", resume=True)


def test_failures_are_trials_with_their_reason(tmp_path):
    leaderboard = search_in(tmp_path, space_of("lookback=6:9"), GOAL, "grid")[1]
    assert (leaderboard.trials, leaderboard.failures, leaderboard.feasible) == (4, 1, 2)
    assert leaderboard.first_failure.parameters == {"lookback": 7}
    assert [trial.number for trial in leaderboard.ranked] == [
        2,
        0,
        3,
    ]  # lookback 8, 6, and 9, which is undefined


def test_progress_says_how_far_it_is(tmp_path):
    states: list[State] = []
    leaderboard = search_in(tmp_path, space_of("lookback=3:20"), GOAL, "grid", progress=states.append)[1]
    assert [(state.done, state.evaluated) for state in states] == [(7, 7), (14, 14), (18, 18)]
    assert states[-1].best == leaderboard.best
    assert all(state.rate > 0 for state in states)
    again: list[State] = []
    search_in(tmp_path, space_of("lookback=3:20"), GOAL, "grid", progress=again.append, resume=True)
    assert [(state.done, state.evaluated, state.rate) for state in again] == [(18, 0, 0.0)]


def test_chunks_come_to_the_time_they_are_to_take():
    pace = Pace(100, 1.0, most=5000)
    assert pace.next(100, 0.5) == 200
    assert pace.next(100, 2.0) == 50
    assert pace.next(100, 0.0) == 400
    assert pace.next(100, 60.0) == 25
    assert pace.next(1, 60.0) == 1
    assert pace.next(4000, 0.5) == 5000
    assert Pace(100, 0.0).next(100, 7.0) == 100


def test_outcomes_are_taken_as_they_come_back_from_the_disk():
    numbers = {"sharpe_ratio": float("nan"), "turnover": float("inf"), "top": 3, "costs": None}
    cleaned = clean(Outcome(numbers))
    assert cleaned.metrics == {"sharpe_ratio": None, "turnover": None, "top": 3.0, "costs": None}
    assert type(cleaned.metrics["top"]) is float
    assert clean(Outcome({"top": 1.0}, "no \udcff")) == Outcome({}, "no \\udcff")


def test_an_evaluator_that_loses_sets_is_a_bug(tmp_path):
    with pytest.raises(RuntimeError, match="7 sets gave 6 outcomes"):
        search(tmp_path, "grid", evaluator=lambda sets: evaluate(sets)[1:])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_sets(tmp_path):
    import tracemalloc

    wide = space_of("lookback=1:1000", "top=1:30")
    one = Outcome({"sharpe_ratio": 1.0, "max_drawdown": -0.1})
    tracemalloc.start()
    try:
        leaderboard = search_in(
            tmp_path, wide, GOAL, "grid", evaluator=lambda sets: [one] * len(sets), pace=Pace(500, 0.0)
        )[1]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert leaderboard.trials == 30_000
    # All sets at once would take 30,000 times 600 bytes and more.
    assert peak < 12e6


def test_a_hundred_thousand_sets_are_made_in_seconds():
    started = time.perf_counter()
    assert sum(1 for _ in space_of("lookback=1:1000", "top=1:200", where=["top <= 100"]).sets()) == 100_000
    assert time.perf_counter() - started < 10


def test_a_grid_of_any_numbers_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="Give a step"):
        search_in(tmp_path, space_of("cap=0.1:1"), GOAL, "grid")
    assert list(tmp_path.iterdir()) == []
