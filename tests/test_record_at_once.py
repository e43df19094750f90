"""Two processes that search the same at once: neither takes sets of the other off the record."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data.demo import Demo
from data.load import load_panel
from data.panel.panel import Panel
from engine import tune
from engine.commands.search_looks import SearchLooks
from engine.commands.tune import Search
from engine.record.lines import Look
from engine.record.record import Record
from engine.tuning.objective import Trial
from engine.tuning.outcome import Outcome
from strategies.momentum import Momentum


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo(), ("157001.SZ", "157002.SZ", "157003.SZ"), end=date(2021, 12, 31))


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    seconds = itertools.count()
    monkeypatch.setattr("engine.commands.looks.now", lambda: f"2026-01-01T00:00:{next(seconds):02}+00:00")
    return Record()


class Searching:
    """One of the two, that has the sets which it tries from a list, as every run of the search has them."""

    def __init__(self, search: Search) -> None:
        self.looks = search.looks
        study: Any = SimpleNamespace(trials=0, recorded=self.recorded)
        self.study = study
        self.come = self.looks._look_back()
        self.looks._plan(study)

    def recorded(self) -> list[Trial]:
        return [Trial(each, {"lookback": 5 + each}, Outcome({})) for each in range(self.study.trials)]

    def at(self, trials: int) -> None:
        self.study.trials = trials
        self.come.note(trials)

    def end(self) -> None:
        self.looks._note(self.study)
        self.come.end()


# What `a` and `b` do, `a` being the first; where one does not end it is killed; and how many sets count.
AT_ONCE = {
    "the later one tries all": ("a1 b5 b. a2 a.", 5),
    "the later one comes further": ("a1 b4 b. a2 a.", 4),
    "the first one ends when the later one may come to any": ("a1 b1 a4 a. b2 b.", 5),
    "the later one may come to any": ("a1 b1 a2 a. b4", 5),
    "the first one may come to any": ("a1 b1 a2 b. a4", 5),
    "the first one was killed before": ("a3 b1 b.", 3),
    "the first one was killed, and all of it is tried": ("a3 b5 b.", 5),
}


@pytest.mark.parametrize("case", AT_ONCE)
@pytest.mark.parametrize("more", [{}, {"method": "random", "trials": 5}], ids=["grid", "random"])
def test_what_either_came_to_counts(
    panel: Panel,
    record: Record,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    case: str,
) -> None:
    opened: list[Search] = []

    def kept(self: Search, *_: Any, **__: Any) -> None:
        opened.append(self)
        raise InterruptedError

    monkeypatch.setattr(Search, "run", kept)
    steps, sets = AT_ONCE[case]
    both: dict[str, Searching] = {}
    for each in steps.split():
        who, step = each[0], each[1]
        if who not in both:
            with pytest.raises(InterruptedError):
                tune(Momentum(), panel, ["lookback=5,6,7,8,9"], out=tmp_path, splits="none", **more)
            both[who] = Searching(opened[-1])
        if step == ".":
            both[who].end()
        else:
            both[who].at(int(step))
    (line,) = [line for line in record.read().lines if isinstance(line, Look)]
    assert len(line.sets) + line.planned == sets


def test_what_a_study_says_is_on_record_before_it_says_so(
    panel: Panel, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise SystemError

    monkeypatch.setattr("engine.tuning.tune.Leaderboard.add", killed)  # behind the study, before any word
    monkeypatch.setattr(SearchLooks, "_note", lambda *_: None)
    monkeypatch.setattr("engine.record.reached.Reached.end", lambda *_: None)
    with pytest.raises(SystemError):
        tune(Momentum(), panel, ["lookback=5,6,7"], out=tmp_path, splits="none")
    (file,) = record.places[0].parent.glob("*.reached")
    assert file.read_text() == "3\n"
