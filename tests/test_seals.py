"""Hold-outs as facts about data and days: shut for everybody, opened once, seen before or not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import run_backtest
from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from engine import (
    SearchWords,
    Spec,
    Watch,
    audit,
    compare,
    factor,
    order_of,
    run,
    signal,
    sweep,
    tune,
    validate,
)
from engine.cli.main import main
from engine.commands.looks import body_of_panel
from engine.commands.record import lines_lost
from engine.commands.seals import open_seal, shut_seal
from engine.commands.tune import Search
from engine.pipeline import OpenMarket
from engine.record.body import body_of
from engine.record.last import last_of
from engine.record.lines import Look, Seal
from engine.record.record import LAST_DAY, Record
from engine.record.seals import into, shut_on
from engine.record.sets import ParameterSets
from engine.results.loading import load
from strategies import STRATEGIES
from strategies.momentum import Momentum
from strategies.share_inflow import ShareInflow
from tests.helpers.moments import full_below

SYMBOLS = ("157001.SZ", "157002.SZ", "157003.SZ")
DAYS = np.arange("2021-01-04", "2021-07-01", dtype="datetime64[D]")
BODY = body_of(DAYS, ("A.SZ",), 1.0 + np.arange(len(DAYS), dtype=np.float64)[:, None])


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    return Record()


def seal(number: int, kind: str, first: str, last: str, study: str = "s") -> Seal:
    return Seal(f"{number}", f"2026-01-0{number}T00:00:00+00:00", kind, study, BODY.name, first, last)


def shut(record: Record, first: str, last: str) -> list[str]:
    return [each.study for each in shut_on(record.read(Seal), BODY, first, last)]


# --- which periods are shut -------------------------------------------------------------------------------


def test_a_period_is_shut_until_it_is_opened_or_broken(state: Record) -> None:
    state.note(seal(1, "shut", "2021-05-03", "2021-06-30"), BODY)
    assert shut(state, "2021-01-04", "2021-05-02") == []
    assert shut(state, "2021-01-04", "2021-05-03") == ["s"]
    state.note(seal(2, "opened", "2021-05-03", "2021-06-30"))
    assert shut(state, "2021-01-04", "2021-06-30") == []


def test_what_one_study_opens_is_open_for_all_and_a_later_seal_is_another(state: Record) -> None:
    state.note(seal(1, "shut", "2021-05-03", LAST_DAY, "one"), BODY)
    state.note(seal(2, "shut", "2021-06-01", "2021-06-30", "two"), BODY)
    assert shut(state, "2021-06-15", "2021-06-15") == ["one", "two"]
    state.note(seal(3, "broken", "2021-05-03", "2021-05-10", "run"), BODY)
    assert shut(state, "2021-06-15", "2021-06-15") == ["two"]
    state.note(seal(4, "shut", "2021-06-01", "2021-06-30", "four"), BODY)
    assert shut(state, "2021-06-15", "2021-06-15") == ["two", "four"]


def test_a_seal_holds_when_a_month_was_completed_since(state: Record) -> None:
    state.note(seal(1, "shut", "2021-06-28", LAST_DAY), BODY)
    days = np.arange("2021-01-04", "2021-07-31", dtype="datetime64[D]")
    days = days[days != np.datetime64("2021-06-30")]  # June is another month now
    later = body_of(days, ("A.SZ",), 1.0 + np.arange(len(days), dtype=np.float64)[:, None])
    assert [each.study for each in shut_on(state.read(Seal), later, "2021-06-29", "2021-07-30")] == ["s"]


def test_what_looked_into_a_period_is_listed_whatever_it_was(state: Record) -> None:
    def look(number: int, command: str, first: str, last: str) -> Look:
        at = f"2026-01-0{number}T00:00:00+00:00"
        sets = ParameterSets.single({})
        return Look(f"l{number}", at, command, "Any", "", "", BODY.name, first, last, sets)

    state.note(look(1, "run", "2021-01-04", "2021-05-03"), BODY)
    state.note(look(2, "tune", "2021-01-04", "2021-05-02"), BODY)
    state.note(seal(3, "shut", "2021-05-03", "2021-06-30"))
    state.note(look(4, "signal", "2021-06-30", "2021-06-30"), BODY)
    state.note(seal(5, "opened", "2021-05-03", "2021-06-30", "other"))
    found = [*into(state.read(), BODY, "2021-05-03", "2021-06-30")]
    assert [getattr(each, "command", None) or each.study for each in found] == ["run", "signal", "other"]


# --- every command ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo(), SYMBOLS, end=date(2021, 12, 31))


@pytest.fixture
def sealed(state: Record, panel: Panel) -> Record:
    """A record on which the second half of 2021 is shut."""
    body = body_of_panel(panel)
    at = "2026-01-01T00:00:00+00:00"
    state.note(Seal("s", at, "shut", "Some-study-1", body.name, "2021-07-01", "2021-12-31"), body)
    return state


CALLS = {
    "run": lambda panel, **more: run(Momentum(lookback=20), panel, **more),
    "sweep": lambda panel, **more: sweep(Momentum(), panel, {"lookback": [10, 20]}, **more),
    "compare": lambda panel, **more: compare([Momentum(lookback=20), ShareInflow()], panel, **more),
    "audit": lambda panel, **more: audit(Momentum(lookback=20), panel, only=["warm_up"], **more),
    "factor": lambda panel, **more: factor(Momentum(lookback=20), panel, horizons=(1,), **more),
    "signal": lambda panel, **more: signal(Momentum(lookback=20, top=1), panel, Demo(), **more),
}


@pytest.mark.parametrize("command", CALLS)
def test_a_command_into_a_shut_period_is_refused_and_recorded_where_it_insists(
    sealed: Record, panel: Panel, command: str
) -> None:
    with pytest.raises(UsageError, match="the hold-out of Some-study-1, shut on 2026-01-01") as refused:
        CALLS[command](panel)
    assert "--break-seal" in str(refused.value)
    assert len(sealed.read().lines) == 1
    CALLS[command](panel, break_seal=True)
    broken = [each for each in sealed.read().lines if isinstance(each, Seal) and each.kind == "broken"]
    assert [(each.study, each.last) for each in broken] == [(command, "2021-12-31")]
    CALLS[command](panel)  # a seal breaks once


def test_a_search_into_a_shut_period_is_refused(sealed: Record, panel: Panel, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`tune` would look into a hold-out"):
        tune(Momentum(), panel, ["lookback=10,20"], out=tmp_path / "r", splits="none")
    assert not (tmp_path / "r").exists()
    tuned = tune(
        Momentum(), panel, ["lookback=10,20"], out=tmp_path / "r", splits="none", end=date(2021, 6, 30)
    )
    assert len(tuned.study.trials) == 2


def test_sessions_before_a_shut_period_are_free(sealed: Record, panel: Panel) -> None:
    run(Momentum(lookback=20), panel, end=date(2021, 6, 30))


# --- shut, and opened -------------------------------------------------------------------------------------


def searched(out: Path, seed: int = 0) -> str:
    """Search the first months of the demo market, the last four of 2021 held out; return the study's id."""
    spec = Spec("momentum", symbols=SYMBOLS, end=date(2021, 12, 31), seed=seed)
    words = SearchWords(["lookback=10,20"], holdout="2021-09-01:")
    search = Search.open(order_of(spec, STRATEGIES, words), Watch())
    return search.run(out).study.folder.name


def opened(study: str, out: Path) -> tuple[str, ...]:
    found = validate(study, STRATEGIES, out=out, splits="none", open_holdout=True).holdout
    assert found is not None
    return found.seen


@pytest.mark.slow
def test_a_hold_out_that_nothing_looked_into_is_not_seen_before(state: Record, tmp_path: Path) -> None:
    study = searched(tmp_path)
    kinds = [(each.kind, each.first, each.last) for each in state.read().lines if isinstance(each, Seal)]
    assert kinds == [("shut", "2021-09-01", "2021-12-31")]
    assert opened(study, tmp_path) == ()
    assert [each.kind for each in state.read().lines if isinstance(each, Seal)] == ["shut", "opened"]


@pytest.mark.slow
def test_a_hold_out_that_was_looked_at_before_it_was_shut_is_seen(
    state: Record, panel: Panel, tmp_path: Path
) -> None:
    run(ShareInflow(top=1), panel, start=date(2021, 11, 1))
    study = searched(tmp_path)
    (seen,) = opened(study, tmp_path)
    assert " run ShareInflow 2021-11-01 to 2021-12-31 " in seen


@pytest.mark.slow
def test_a_hold_out_that_was_broken_or_opened_by_another_study_is_seen(
    state: Record, panel: Panel, tmp_path: Path
) -> None:
    first, second = searched(tmp_path), searched(tmp_path, seed=1)
    assert opened(first, tmp_path) == ()
    assert [f"hold-out of {first}" in each for each in opened(second, tmp_path)] == [True]
    third = searched(tmp_path, seed=2)
    run(Momentum(lookback=20), panel, break_seal=True)
    seen = opened(third, tmp_path)
    assert [each.split()[1] for each in seen] == ["opened", "opened", "broken", "run"]


def test_a_seal_that_one_place_had_no_room_for_is_shut_there_when_the_search_is_gone_on_with(
    state: Record, panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Spec("momentum", symbols=SYMBOLS, end=date(2021, 8, 31))
    market = OpenMarket(replace(panel, home=tmp_path / "store"), None)
    with monkeypatch.context() as patch:
        full_below(patch, tmp_path / "state")
        shut_seal(spec, market, "s", "2021-09-01", None)
    assert state.read().lines == ()
    for _ in range(2):
        shut_seal(spec, market, "s", "2021-09-01", None)
    contents = state.read()
    (found,) = shut_on(contents, body_of_panel(panel), "2021-09-01", "2021-12-31")
    assert (found.study, found.first, found.last) == ("s", "2021-09-01", LAST_DAY)
    store, other = Record(tmp_path / "store").places
    # But for the line that says what the other had no room for.
    assert store.read_bytes().startswith(other.read_bytes())
    assert store.read_bytes().count(b'"kind":"shut"') == 1


def test_a_hold_out_is_not_looked_into_where_no_place_has_room_for_that(
    sealed: Record, panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (OpenMarket(panel, None), "Some-study-1", "2021-07-01", "2021-12-31", "opening")
    with monkeypatch.context() as patch:
        full_below(patch, tmp_path / "state")
        with pytest.raises(UsageError, match=r"is broken cannot be put on record.*No space left.*Make room"):
            CALLS["run"](panel, break_seal=True)
        with pytest.raises(UsageError, match=r"is opened cannot be put on record.*No space left.*Make room"):
            open_seal(*words)
    assert [each.kind for each in sealed.read().lines if isinstance(each, Seal)] == ["shut"]
    assert open_seal(*words) == ()


def killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_an_opening_that_a_kill_cut_short_is_ended_and_has_seen_nothing(
    state: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = searched(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "copy")

    def noted(*words: Any) -> None:
        open_seal(*words)
        raise KeyboardInterrupt

    # On record, and not yet in the study.
    with monkeypatch.context() as patch:
        patch.setattr("engine.commands.validate.open_seal", noted)
        with pytest.raises(KeyboardInterrupt):
            opened(study, tmp_path / "one")
    # In the study, and its run not yet saved.
    with monkeypatch.context() as patch:
        patch.setattr("engine.tuning.holdout.save", killed)
        with pytest.raises(KeyboardInterrupt):
            opened(study, tmp_path / "one")
    assert not list((tmp_path / "one").glob("momentum-????????"))
    assert opened(study, tmp_path / "one") == ()
    (folder,) = (tmp_path / "one").glob("momentum-????????")
    assert str(load(folder).days[0]) == "2021-09-01"
    assert [each.kind for each in state.read().lines if isinstance(each, Seal)] == ["shut", "opened"]
    with pytest.raises(UsageError, match=r"was opened on .* already"):
        opened(study, tmp_path / "one")
    # Of a copy of the study from before it was opened, that is a look.
    (seen,) = opened(study, tmp_path / "copy")
    assert f"opened 2021-09-01 to 2021-12-31 hold-out of {study}" in seen


@pytest.mark.slow
def test_a_hold_out_of_a_study_that_cannot_be_written_stays_shut(state: Record, tmp_path: Path) -> None:
    study = searched(tmp_path)
    lock = tmp_path / study / ".lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(UsageError, match=rf"cannot write results to .*{study}"):
        opened(study, tmp_path)
    assert [each.kind for each in state.read().lines if isinstance(each, Seal)] == ["shut"]


@pytest.mark.slow
def test_a_hold_out_of_a_damaged_record_stays_shut(state: Record, tmp_path: Path) -> None:
    study = searched(tmp_path)
    copies = {path: path.read_bytes() for path in (state.places[0], last_of(state.places[0]))}
    with state.places[0].open("ab") as file:
        file.write(b"nonsense\n")
    with pytest.raises(UsageError, match="stays shut: who looked at these data before cannot be known"):
        opened(study, tmp_path)
    for path, content in copies.items():
        path.write_bytes(content)
    assert opened(study, tmp_path) == ()


def test_a_command_says_once_that_lines_of_the_record_are_lost_and_nothing_of_those_that_are_whole_elsewhere(
    state: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["run", "momentum", "--symbols", "157001,157002", "--end", "2021-04-30", "--no-report"]

    def said() -> list[str]:
        assert main(run_backtest.load_catalogue, words) == 0
        return [line for line in capsys.readouterr().err.splitlines() if "record" in line]

    assert said() == []
    (place,) = state.places
    place.write_bytes(place.read_bytes().replace(b'{"look":', b'{"lOok":', 1))
    (line,) = said()
    assert line.startswith(
        "warning: record: 1 line damaged, missing or moved, so that a hold-out may be shut"
    )
    assert line.endswith("etflow doctor --data demo")
    store = tmp_path / "store" / "record"
    store.mkdir(parents=True)
    whole = place.read_bytes().replace(b'{"lOok":', b'{"look":', 1)
    (store / place.name).write_bytes(whole)
    assert lines_lost(str(tmp_path / "store")) == 0
    (store / place.name).write_bytes(place.read_bytes())
    assert (
        lines_lost(str(tmp_path / "store")) == 2
    )  # in either place, and nobody knows that it is the same one
