"""The record of looks: known by content, kept in two places, readable whatever happens to it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import run_backtest
from data.errors import UsageError
from data.facts.calendars import calendar_for
from data.importing.importer import import_files
from data.load import load_panel
from data.source import open_source
from data.store.store import Store
from engine import run
from engine.record.body import Body, body_of
from engine.record.chain import DAMAGED, whole_lines
from engine.record.journal import writing
from engine.record.lines import Forgotten, Judgement, Look, Seal, key_of
from engine.record.record import Record, _drop, new_id, now
from engine.record.sets import ParameterSets, ranges
from strategies.baselines import BuyHold
from tests.helpers.moments import full_below

ROOT = Path(run_backtest.__file__).parent
DAYS = np.arange("2021-01-04", "2021-07-01", dtype="datetime64[D]")
SYMBOLS = ("A.SZ", "B.SZ")
EVER = ("0001-01-01", "9999-12-31")


def closes(days=DAYS, seed=1, symbols=SYMBOLS):
    """Return closes that depend on seed, fund and day alone."""
    ordinals = days.astype(np.int64)[:, None]
    return np.round(1.0 + (ordinals * 7919 % 1009 + np.arange(len(symbols)) * 31 + seed) / 1000, 3)


def body(days=DAYS, seed=1, symbols=SYMBOLS):
    return body_of(days, symbols, closes(days, seed, symbols))


def look(of, **changes):
    made = Look(
        new_id(), now(), "run", "ShareInflow", "0123", "", of.name, "2021-01-04", "2021-06-30",
        ParameterSets.single({"lookback": 5}),
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


# --- bodies ---------------------------------------------------------------------------------------------


def test_the_same_prices_are_one_body_and_other_prices_another():
    assert body().name == body().name
    assert body().name != body(seed=2).name
    assert body().months_in_common(body(), "2021-01-04", "2021-06-30") == 12  # six months of two funds
    assert body().months_in_common(body(seed=2), "2021-01-04", "2021-06-30") == 0


def test_prices_that_differ_by_what_no_account_feels_are_the_same_data():
    given = closes()
    for altered in (given * (1.0 + 1e-11), given + 1e-9, given.astype(np.float32).astype(np.float64)):
        assert body_of(DAYS, SYMBOLS, altered).months_in_common(body(), *EVER) == 12
    # A tick on each day is another market; so are prices that a scale moves.
    assert body_of(DAYS, SYMBOLS, given + 0.001).months_in_common(body(), *EVER) == 0
    assert body_of(DAYS, SYMBOLS, given * 10.0).months_in_common(body(), *EVER) == 0
    # To five digits, across powers of ten, and either zero; then not.
    alike = np.array([[0.999996, 1.0], [9.99996, 10.0], [100000.4, 100000.0], [-0.0, 0.0]])
    assert np.array_equal(*(body_of(DAYS[:4], ("A",), alike[:, [side]]).digests["A"] for side in (0, 1)))
    for one, two in ((0.99999, 1.0), (1.0, 10.0), (12345.0, 12346.0)):
        assert digest(one) != digest(two)


def digest(close):
    return body_of(DAYS[:1], ("A",), np.array([[close]])).digests["A"][0]


def test_a_body_of_before_is_compared_to_the_last_bit(state):
    here = body()
    old = Body(here.first_month, here.exact, rounded=False)
    assert "significant" not in old.document()
    read = Body.from_document(old.document(), {})
    assert (read.rounded, read.exact) == (False, None)
    assert here.months_in_common(read, *EVER) == read.months_in_common(here, *EVER) == 12
    assert body(seed=2).months_in_common(read, *EVER) == 0
    record = Record()
    record.note(look(old), old)
    record.note(look(here), here)  # not written as what it adds to one of before
    assert "parent" not in json.loads(record.places[0].read_text().splitlines()[2])
    assert len([*record.read().looks(here)]) == 2


def test_bodies_share_what_lies_in_both_and_in_the_period():
    longer = body(np.arange("2021-01-04", "2021-08-31", dtype="datetime64[D]"))
    earlier = body(np.arange("2020-11-02", "2021-07-01", dtype="datetime64[D]"))
    one_fund = body_of(DAYS, SYMBOLS[:1], closes()[:, :1])
    assert longer.months_in_common(body(), "2021-01-04", "2021-08-30") == 12
    # June is whole in both; January begins on the 1st in the earlier one and on the 4th here.
    assert earlier.months_in_common(body(), "2020-11-02", "2021-06-30") == 10
    assert one_fund.months_in_common(body(), "2021-01-04", "2021-06-30") == 6
    assert body().months_in_common(body(), "2021-03-01", "2021-04-30") == 4
    assert body().months_in_common(body(), "2022-01-03", "2022-04-29") == 0


def test_a_correction_of_one_price_is_one_month_of_one_fund():
    corrected = closes()
    corrected[40, 0] += 0.001  # 2021-02-13
    assert body().months_in_common(body_of(DAYS, SYMBOLS, corrected), "2021-01-04", "2021-06-30") == 11


def test_months_without_bars_are_in_common_with_nothing():
    late = closes()
    late[:60, 1] = np.nan  # no bar of B in January and February, and on two days of March
    assert (
        body_of(DAYS, SYMBOLS, late).months_in_common(
            body_of(DAYS, SYMBOLS, late), "2021-01-04", "2021-06-30"
        )
        == 10
    )


@pytest.mark.parametrize("month", [2021, None, "NaT", "soon"])
def test_a_body_from_what_is_no_month_is_refused(month):
    with pytest.raises(ValueError, match=r"month|datetime"):
        Body.from_document({"first_month": month, "cells": {}}, {})


def test_two_funds_that_exchange_their_prices_are_another_body():
    assert (
        body().months_in_common(body_of(DAYS, SYMBOLS, closes()[:, ::-1].copy()), "2021-01-04", "2021-06-30")
        == 0
    )


# --- parameter sets -------------------------------------------------------------------------------------


def test_a_grid_is_its_axes_and_comes_back_in_order():
    sets = ParameterSets({"cap": 1.0}, {"lookback": (3, 4), "top": (1, 2)})
    assert len(sets) == 4
    assert [*sets][1] == {"cap": 1.0, "lookback": 3, "top": 2}
    assert ParameterSets.from_document(json.loads(json.dumps(sets.document()))) == sets


def test_picked_combinations_of_a_grid():
    sets = ParameterSets(axes={"lookback": (3, 4), "top": (1, 2)}, picked=ranges([0, 2, 3]))
    assert sets.picked == ((0, 0), (2, 3))
    assert len(sets) == 3
    assert [*sets] == [{"lookback": 3, "top": 1}, {"lookback": 4, "top": 1}, {"lookback": 4, "top": 2}]


def test_listed_sets():
    sets = ParameterSets.of([{"a": 1, "b": 0.1}, {"a": 2, "b": 0.3}], {"top": 3})
    assert len(sets) == 2
    assert [*sets][1] == {"top": 3, "a": 2, "b": 0.3}
    assert ParameterSets.from_document(json.loads(json.dumps(sets.document()))) == sets
    assert [*ParameterSets.single({"top": 3})] == [{"top": 3}]


def test_sets_are_united_each_once_and_stay_as_they_are_where_they_have_the_others():
    some = ParameterSets.of([{"top": 1}, {"top": 2}], {"cap": 1.0})
    grid = ParameterSets({"cap": 1.0}, {"top": (1, 2, 3)})
    assert grid.united(some) is grid
    assert some.united(grid) is grid
    other = ParameterSets.of([{"top": 2}, {"top": 4}], {"cap": 1.0})
    assert [each["top"] for each in some.united(other)] == [2, 4, 1]
    assert some.united(other).fixed == {"cap": 1.0}
    none = ParameterSets({"cap": 1.0}, names=("top",))
    assert none.united(some) is some


# --- the record -----------------------------------------------------------------------------------------


def test_a_look_is_beside_the_data_and_in_the_state_folder_and_counts_once(state, tmp_path):
    record, seen = Record(tmp_path / "store"), look(body())
    assert record.note(seen, body()) == ()
    assert [path.is_file() for path in record.places] == [True, True]
    assert [*record.read().looks(body(), "2021-01-01", "2021-12-31")] == [seen]


def test_a_copy_under_another_name_has_the_looks_of_the_first(state, tmp_path):
    seen = look(body())
    Record(tmp_path / "store").note(seen, body())
    # Imported again elsewhere: nothing lies beside it, and the state folder remembers.
    assert [*Record(tmp_path / "other").read().looks(body(), "2021-01-01", "2021-12-31")] == [seen]
    # Copied to another machine: the state folder is empty, and the record came along.
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    shutil.rmtree(state)
    assert [*Record(tmp_path / "copy").read().looks(body(), "2021-01-01", "2021-12-31")] == [seen]


def test_another_market_in_the_same_folder_inherits_nothing(state, tmp_path):
    record = Record(tmp_path / "store")
    record.note(look(body()), body())
    assert [*record.read().looks(body(seed=2), "2021-01-01", "2021-12-31")] == []


def test_looks_overlap_by_days(state):
    record = Record()
    record.note(look(body(), first="2021-01-04", last="2021-02-26"), body())
    contents = record.read()
    assert len([*contents.looks(body(), "2021-02-01", "2021-06-30")]) == 1
    assert [*contents.looks(body(), "2021-03-01", "2021-06-30")] == []


def test_a_longer_body_is_noted_as_what_it_adds_and_read_back_whole(state):
    record, longer = Record(), body(np.arange("2021-01-04", "2021-08-31", dtype="datetime64[D]"))
    record.note(look(body()), body())
    record.note(look(longer), longer)
    record.note(look(longer), longer)
    lines = record.places[0].read_text().splitlines()
    bodies = [line for line in lines if line.startswith('{"body"')]
    assert len(bodies) == 2
    assert len(bodies[1]) < len(bodies[0])
    assert record.read().bodies[longer.name].name == longer.name
    assert {symbol: each.tolist() for symbol, each in record.read().bodies[longer.name].digests.items()} == {
        symbol: each.tolist() for symbol, each in longer.digests.items()
    }


def test_a_damaged_line_and_a_torn_end_cost_themselves_alone(state):
    record = Record()
    record.note(look(body()), body())
    with record.places[0].open("ab") as file:
        file.write(b'{"look": 7}\nnonsense\n{"look":"torn')
    record.note(look(body()), body())
    contents = record.read()
    assert len([*contents.looks(body(), "2021-01-01", "2021-12-31")]) == 2
    assert contents.damaged == 2


def test_a_line_that_is_deleted_is_missed_unless_another_place_has_it(state, tmp_path):
    record = Record(tmp_path / "store")
    for command in ("run", "audit", "factor"):
        record.note(look(body(), command=command), body())
    for place in record.places:
        assert record.read().damaged == 0
        lines = place.read_bytes().splitlines(keepends=True)
        assert len(lines) == 4
        place.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert [line.command for line in record.read().lines] == ["run", "factor"]
    assert record.read().damaged == 2  # of each copy one
    assert record.read(Seal).damaged == 2  # though lines of other kinds are not looked at
    record.note(look(body()), body())
    assert record.read().damaged == 2


def test_one_changed_digit_is_one_damaged_line_and_no_moved_one(state):
    record = Record()
    for command in ("run", "audit", "factor"):
        record.note(look(body(), command=command), body())
    (place,) = record.places
    lines = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(b"".join([*lines[:2], lines[2].replace(b"2021-06-30", b"2021-06-29"), *lines[3:]]))
    assert [found for found in whole_lines(place) if isinstance(found, str)] == [DAMAGED]
    assert record.read().damaged == 1


def test_a_look_behind_a_line_whose_checksum_is_damaged_is_on_record(state):
    record = Record()
    record.note(look(body(), command="run"), body())
    (place,) = record.places
    place.write_bytes(place.read_bytes()[:-4] + b'\x14"}\n')
    assert record.read().damaged == 1
    record.note(look(body(), command="audit"), body())
    found = record.read()
    assert (found.damaged, [line.command for line in found.lines]) == (1, ["audit"])


@pytest.mark.parametrize("forgotten", ["factor", "signal"], ids=["the line behind the gap", "another"])
def test_forgetting_hides_no_line_that_is_missing(state, forgotten):
    record = Record()
    for command in ("run", "audit", "factor", "signal", "compare"):
        record.note(look(body(), command=command), body())
    (place,) = record.places
    lines = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    _drop(place, {key_of(line) for line in record.read().lines if line.command == forgotten})
    assert len(record.read().lines) == 3
    assert record.read().damaged == 1


def test_forgetting_leaves_no_line_missing(state):
    record = Record()
    for seed in (1, 2, 1, 3):
        record.note(look(body(seed=seed)), body(seed=seed))
    assert record.forget(body(seed=1)) == 2
    record.note(look(body()), body())
    contents = record.read()
    assert len(contents.lines) == 4
    assert contents.damaged == 0


def test_a_body_that_a_kill_tore_is_noted_again_and_so_its_looks_count(state):
    record = Record()
    record.note(look(body()), body())
    place = record.places[0]
    whole, _ = place.read_bytes().splitlines(keepends=True)
    for torn in (whole[:-9], whole[:-9] + b"\n"):  # as it was left, and as former versions ended it
        place.write_bytes(torn)
        record.note(look(body()), body())
        assert place.read_bytes().count(whole) == 1
        assert len([*record.read().looks(body())]) == 1


def test_a_line_that_the_disk_takes_half_of_is_refused_and_nothing_of_it_stays(state, monkeypatch):
    record = Record()
    record.note(look(body()), body())
    before = record.places[0].read_bytes()
    write, takes = os.write, iter([40])

    def almost_full(file, data):
        part = next(takes, None)
        if part is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[:part])

    monkeypatch.setattr("engine.record.journal.os.write", almost_full)
    (refused,) = record.note(look(body()), body())
    assert refused.endswith("No space left on device")
    assert record.places[0].read_bytes() == before


def test_a_place_on_a_full_disk_is_known_to_refuse_and_keeps_its_bytes(state, monkeypatch):
    record = Record()
    record.note(look(body()), body())
    before = record.places[0].read_bytes()
    assert record.refusing() == ()
    assert record.places[0].read_bytes() == before
    full_below(monkeypatch, state)
    assert record.refusing() == (f"{state / 'record'}: No space left on device",)
    assert record.places[0].read_bytes() == before


def test_a_line_is_noted_once_where_it_was_refused_and_nowhere_else(state, tmp_path, monkeypatch):
    record, seen = Record(tmp_path / "store"), look(body())
    with monkeypatch.context() as patch:
        full_below(patch, state)
        assert len(record.note(seen, body())) == 1
    store, other = record.places
    kept = store.read_bytes()
    assert record.note(seen, body(), once=True) == ()
    # The store has a line more, which says that the other had no room.
    assert (store.read_bytes(), other.read_bytes()) == (kept, kept[: kept.rindex(b'{"owed"')])
    assert [*Record().read().looks(body())] == [seen]


@pytest.mark.parametrize("full", ["state", "store"])
def test_a_place_gets_what_it_refused_as_soon_as_it_takes_a_line_and_once(state, tmp_path, monkeypatch, full):
    record = Record(tmp_path / "store")
    for place in record.places:
        place.parent.mkdir(parents=True)
    begun = look(body(), at="2026-01-05T00:00:00+00:00", planned=9)
    ended = replace(begun, at="2026-01-05T00:00:01+00:00", planned=0)
    # The next day has a month more, so that the data are called otherwise when there is room again.
    longer = body(np.arange("2021-01-04", "2021-08-01", dtype="datetime64[D]"))
    with monkeypatch.context() as patch:
        full_below(patch, tmp_path / full)
        assert len(record.note(begun, body())) == len(record.note(ended, body())) == 1
    lacking = Record() if full == "state" else Record(tmp_path / "store")
    seen, other = look(longer), look(longer)
    assert record.note(seen, longer) == ()
    alone = tmp_path / "alone"
    shutil.copytree(tmp_path / full / "record", alone / "record")
    monkeypatch.setenv("ETFLOW_STATE", str(alone))
    contents = Record().read()
    assert looks_in(contents) == looks_in(contents, longer) == {seen.look: 0, begun.look: 0}
    assert contents.damaged == 0
    monkeypatch.setenv("ETFLOW_STATE", str(state))
    sizes = [len(place.read_bytes().splitlines()) for place in record.places]
    record.note(other, longer)
    assert [len(place.read_bytes().splitlines()) for place in record.places] == [each + 1 for each in sizes]
    assert looks_in(lacking.read()) == {seen.look: 0, begun.look: 0, other.look: 0}
    assert record.forget(longer) == 3
    record.note(seen, longer)
    assert looks_in(record.read()) == {seen.look: 0}


def looks_in(contents, of=None):
    """Return the looks at some data, and how many sets each has still planned."""
    return {each.look: each.planned for each in contents.looks(of or body())}


def test_nothing_is_copied_into_a_place_with_damage_and_no_look_of_another_store(
    state, tmp_path, monkeypatch
):
    record, elsewhere = Record(tmp_path / "store"), Record(tmp_path / "elsewhere")
    record.note(look(body()), body())
    with monkeypatch.context() as patch:
        full_below(patch, tmp_path / "store")
        record.note(look(body()), body())
    elsewhere.note(look(body()), body())
    assert len([*whole_lines(elsewhere.places[0])]) == 2  # the data and the look
    place = record.places[0]
    lines = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(lines[0] + lines[1].replace(b"lookback", b"lookbacj"))
    record.note(look(body()), body())
    assert len(place.read_bytes().splitlines()) == 3
    contents = record.read()
    assert (len(contents.lines), contents.damaged) == (4, 0)


def test_a_place_that_cannot_be_written_is_named_and_the_other_has_the_line(state, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "record").write_text("in the way")
    record = Record(tmp_path / "store")
    (refused,) = record.note(look(body()), body())
    assert refused.startswith(str(tmp_path / "store" / "record"))
    assert len([*record.read().looks(body(), "2021-01-01", "2021-12-31")]) == 1


def test_judgements_and_seals_come_back(state):
    record = Record()
    judged = Judgement(
        new_id(), now(), "s-study-1", "ShareInflow", body().name, "2021-01-04", "2021-06-30",
        "unproven", "both", "equal_weight", 0,
    )  # fmt: skip
    sealed = Seal(new_id(), now(), "shut", "s-study-1", body().name, "2021-05-03", "2021-06-30")
    record.note(judged, body())
    record.note(sealed)
    contents = record.read()
    assert [*contents.of(body(), "2021-01-01", "2021-03-31")] == [judged]
    assert [*contents.of(body(), "2021-06-01", "2021-06-02")] == [judged, sealed]


def test_forgetting_is_itself_on_record_with_its_count(state, tmp_path):
    record = Record(tmp_path / "store")
    record.note(look(body()), body())
    record.note(look(body()), body())
    assert record.forget(body()) == 2
    contents = record.read()
    assert [*contents.looks(body(), "2021-01-01", "2021-12-31")] == []
    assert [line.lines for line in contents.lines] == [2]
    record.note(look(body()), body())
    assert record.forget(body()) == 1
    assert [line.lines for line in record.read().lines] == [2, 1]
    assert all(isinstance(line, Forgotten) for line in record.read().lines)


@pytest.mark.parametrize("dropped", [0, 1])
def test_forgetting_that_is_killed_is_on_record_all_the_same_and_once(state, tmp_path, monkeypatch, dropped):
    record = Record(tmp_path / "store")
    record.note(look(body()), body())
    record.note(look(body()), body())
    drop, places = _drop, iter(record.places[:dropped])

    def killed(place, gone):
        if next(places, None) is None:
            raise KeyboardInterrupt
        drop(place, gone)

    monkeypatch.setattr("engine.record.record._drop", killed)
    with pytest.raises(KeyboardInterrupt):
        record.forget(body())
    monkeypatch.undo()
    monkeypatch.setenv("ETFLOW_STATE", str(state))
    assert [line.lines for line in record.read(Forgotten).lines] == [2]
    assert record.forget(body()) == 2
    assert [line.lines for line in record.read().lines] == [2]


def test_nothing_is_forgotten_where_the_disk_has_no_room_for_a_word_on_it(state, tmp_path, monkeypatch):
    record, seen = Record(tmp_path / "store"), look(body())
    record.note(seen, body())
    with monkeypatch.context() as patch:
        full_below(patch, state)
        with pytest.raises(UsageError, match=r"what is forgotten cannot be put on record.*No space left"):
            record.forget(body())
    assert seen in Record().read().lines
    assert record.forget(body()) == 1
    for each in (record, Record()):
        assert [line.lines for line in each.read().lines] == [1]


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(state, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from tests.test_record import body, look\n"
        "from engine.record.record import Record\n"
        "for _ in range(25): Record(Path(sys.argv[2])).note(look(body()), body())\n"
    )
    command = [sys.executable, "-c", script, str(ROOT), str(tmp_path / "store")]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    contents = Record(tmp_path / "store").read()
    assert len([*contents.looks(body(), "2021-01-01", "2021-12-31")]) == 75
    assert contents.damaged == 0


def test_a_line_noted_while_the_file_is_written_again_is_in_the_new_file(state):
    record = Record()
    record.note(look(body()), body())
    place = record.places[0]
    with writing(place):
        late = threading.Thread(target=record.note, args=(look(body()), body()))
        late.start()
        late.join(timeout=0.3)
        assert late.is_alive()
        copy = place.with_name("copy")
        shutil.copy(place, copy)
        copy.replace(place)
    late.join(timeout=30)
    contents = record.read()
    assert len(contents.lines) == 2
    assert contents.damaged == 0


def test_nobody_mends_the_end_of_a_line_that_another_is_writing(state):
    record = Record()
    record.note(look(body()), body())
    place = record.places[0]
    with writing(place) as file:
        os.write(file, b'{"look":')
        late = threading.Thread(target=record.note, args=(look(body()), body()))
        late.start()
        late.join(timeout=0.3)
        os.write(file, b'"half of it"}\n')
    late.join(timeout=30)
    assert place.read_text().count("\n\n") == 0
    assert b'{"look":"half of it"}\n' in place.read_bytes()


# --- from a notebook ------------------------------------------------------------------------------------


def test_a_look_in_python_is_on_record_beside_the_store_as_one_of_the_command_is(state, tmp_path):
    days = calendar_for("cn_etf").sessions(date(2024, 3, 1), date(2024, 6, 28))
    rows = [f"159995.SZ,{day},1,1.01,0.99,1,{10**6 + row},{10**6 + row}" for row, day in enumerate(days)]
    (tmp_path / "bars.csv").write_text("symbol,day,open,high,low,close,volume,amount\n" + "\n".join(rows))
    import_files([tmp_path / "bars.csv"], Store(tmp_path / "store"))
    run(BuyHold(), load_panel(open_source(str(tmp_path / "store"))))
    for place in (tmp_path / "store" / "record", state / "record"):
        assert '"command":"run"' in (place / "record.jsonl").read_text()
    shutil.rmtree(state)
    seen = [each.strategy for each in Record(tmp_path / "store").read().lines if isinstance(each, Look)]
    assert seen == ["BuyHold"]
