"""The store: rows that stay as they are, whole or unchanged, whatever happens while it is written."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
import time
from datetime import date
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import DataError, UsageError
from data.importing.readers import read_cells
from data.load import load_panel
from data.source import open_source
from data.store.manifest import FORMAT, MANIFEST
from data.store.merge import differ, merge
from data.store.store import Store
from data.store.tables import TABLES
from engine.results.documents import write_json
from tests.helpers.segments import FUNDS, SESSIONS, bars_of, short_segments

DAYS = pd.date_range("2025-08-01", periods=12, freq="D").strftime("%Y-%m-%d").tolist()


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk():
    """Files outlive a killed process without it; only a power cut needs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda number: None)
        yield


def units(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["symbol", "day", "units"])


def nav(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["symbol", "day", "nav"])


def margin(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["symbol", "day", "balance", "bought"])


BEFORE = {
    "units": units(("159363.SZ", "2025-08-19", 3.861e9)),
    "nav": nav(("159363.SZ", "2025-08-19", 0.7041)),
}
NEXT = {
    "units": units(("159363.SZ", "2025-08-20", 3.97e9)),
    "nav": nav(("159363.SZ", "2025-08-20", 0.7291)),
}


def values(store: Store, table: str = "units") -> list[float]:
    return store.read(table)[table].tolist()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_appended_is_read_back_typed_and_sorted(tmp_path):
    store = Store(tmp_path / "mine")
    store.append({"units": units(("515980.SH", "2025-08-20", 4e9), ("159363.SZ", "20250820", 3.97e9))})
    read = store.read("units")
    assert read["symbol"].tolist() == ["159363.SZ", "515980.SH"]
    assert read["day"].dtype == "datetime64[us]"
    assert list(read.columns) == list(TABLES["units"].names)
    assert isinstance(read.index, pd.RangeIndex)
    assert (store.name, store.synthetic, store.default_benchmark) == ("mine", False, None)
    assert store.tables == ("units",)


def test_symbols_are_filtered_by_the_first_key_column(tmp_path):
    store = Store(tmp_path)
    store.append({"units": units(("159363.SZ", "2025-08-20", 1e9), ("515980.SH", "2025-08-20", 2e9))})
    assert store.read("units", ["515980.SH", "588790.SH"])["units"].tolist() == [2e9]
    assert len(store.read("units", [])) == 0
    bars = pd.DataFrame({"index": ["930713", "000300"], "day": ["2025-08-20"] * 2, "close": [1.0, 2.0]})
    store.append({"index_bars": bars})
    assert store.read("index_bars", ["930713"])["close"].tolist() == [1.0]


def test_a_table_without_rows_is_empty_with_its_columns(tmp_path):
    pd.testing.assert_frame_equal(Store(tmp_path).read("bars"), TABLES["bars"].empty())


def test_an_unknown_table_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="unknown table `unit`"):
        Store(tmp_path).read("unit")


@pytest.mark.parametrize("name", ["中文".encode("gbk"), b"a\nb", b"50%?*", "数据".encode()])
def test_a_store_may_have_any_name_that_the_system_lets_it_have(tmp_path, name):
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this system takes no such name")
    Store(folder).append({"units": units(("159363.SZ", "2025-08-20", 3.97e9))})
    assert Store(folder).read("units")["units"].tolist() == [3.97e9]
    write_json({"data": str(folder)}, tmp_path / "manifest.json")
    assert json.loads((tmp_path / "manifest.json").read_bytes()).keys() == {"data"}


def test_the_same_rows_again_change_nothing_on_disk(tmp_path):
    store = Store(tmp_path)
    store.append(BEFORE)
    before = files(tmp_path), (tmp_path / MANIFEST).read_bytes()
    (change, _) = store.append(BEFORE).changes
    assert (change.added, change.present, change.completed, change.revised) == (0, 1, 0, 0)
    assert (files(tmp_path), (tmp_path / MANIFEST).read_bytes()) == before


def test_a_changed_value_is_refused_with_old_and_new_and_nothing_of_the_append_stays(tmp_path):
    store = Store(tmp_path)
    store.append(BEFORE)
    changed = {"units": units(("159363.SZ", "2025-08-19", 3.9e9)), "nav": NEXT["nav"]}
    with pytest.raises(DataError) as refused:
        store.append(changed)
    assert "1 row would change the past" in str(refused.value)
    assert "`units` 159363.SZ 2025-08-19 units 3861000000.0 -> 3900000000.0" in str(refused.value)
    assert "--accept-revision" in str(refused.value)
    assert values(store, "nav") == [0.7041]
    assert len(store.revisions()) == 0


def test_many_changed_values_are_counted_and_the_first_are_shown(tmp_path):
    store = Store(tmp_path)
    store.append({"units": units(*[("159363.SZ", day, 1e9) for day in DAYS])})
    with pytest.raises(DataError, match=r"12 rows would change the past.*2025-08-03.*, and 9 more values"):
        store.append({"units": units(*[("159363.SZ", day, 2e9) for day in DAYS])})


def test_an_accepted_revision_keeps_the_old_value_with_its_date(tmp_path):
    store = Store(tmp_path)
    store.append(BEFORE)
    store.append({"units": units(("159363.SZ", "2025-08-19", 3.9e9))}, True, date(2025, 9, 1))
    appended = store.append({"units": units(("159363.SZ", "2025-08-19", 4e9))}, True, date(2025, 9, 2))
    assert values(store) == [4e9]
    kept = Store(tmp_path).revisions()
    assert kept["old"].tolist() == ["3861000000.0", "3900000000.0"]
    assert kept["new"].tolist() == ["3900000000.0", "4000000000.0"]
    assert kept["key"].tolist() == ["159363.SZ 2025-08-19"] * 2
    assert kept["replaced"].tolist() == [pd.Timestamp("2025-09-01"), pd.Timestamp("2025-09-02")]
    assert len(appended.revisions) == 1


def test_a_missing_value_filled_in_later_is_an_addition(tmp_path):
    store = Store(tmp_path)
    store.append({"margin": margin(("159363.SZ", "2025-08-19", 9.8e7, np.nan))})
    (change,) = store.append({"margin": margin(("159363.SZ", "2025-08-19", 9.8e7, 3e7))}).changes
    assert (change.added, change.present, change.completed, change.revised) == (0, 1, 1, 0)
    assert store.read("margin")["bought"].tolist() == [3e7]


def test_a_value_that_is_missing_later_stays(tmp_path):
    store = Store(tmp_path)
    store.append({"margin": margin(("159363.SZ", "2025-08-19", 9.8e7, 3e7))})
    (change,) = store.append({"margin": margin(("159363.SZ", "2025-08-19", 9.8e7, np.nan))}).changes
    assert not change.alters
    assert store.read("margin")["bought"].tolist() == [3e7]


def test_a_text_that_changes_is_a_revision_but_another_source_is_not(tmp_path):
    store = Store(tmp_path)
    funds = pd.DataFrame({"symbol": ["159363.SZ"], "name": ["AI"], "source": ["a"]})
    store.append({"funds": funds})
    assert not store.append({"funds": funds.assign(source="b")}).changes[0].alters
    with pytest.raises(DataError, match="name AI -> Cloud"):
        store.append({"funds": funds.assign(name="Cloud")})


def test_a_publication_time_that_changes_is_a_revision(tmp_path):
    store = Store(tmp_path)
    row = units(("159363.SZ", "2025-08-19", 1e9)).assign(known_at="2025-08-20 08:00")
    store.append({"units": row})
    with pytest.raises(DataError, match="known_at 2025-08-20 08:00:00 -> 2025-08-19 20:00:00"):
        store.append({"units": row.assign(known_at="2025-08-19 20:00")})


def test_a_value_that_is_announced_again_was_known_the_first_time(tmp_path):
    store = Store(tmp_path)
    row = margin(("159363.SZ", "2025-08-19", 5e8, np.nan)).assign(known_at="2025-08-20 08:00")
    again = row.assign(known_at="2025-08-21 08:00")
    store.append({"margin": row})
    (change,) = store.append({"margin": again}).changes
    assert (change.present, change.alters, change.revised) == (1, False, 0)
    assert not store.append({"margin": again}, accept_revision=True).changes[0].alters
    assert store.read("margin")["known_at"].tolist() == [pd.Timestamp("2025-08-20 08:00")]
    # What else the later row says was not known before it.
    with pytest.raises(DataError, match="known_at 2025-08-20 08:00:00 -> 2025-08-21 08:00:00"):
        store.append({"margin": again.assign(bought=1e7)})
    with pytest.raises(DataError, match=r"balance .* known_at 2025-08-20 08:00:00 -> 2025-08-21 08:00:00"):
        store.append({"margin": again.assign(balance=6e8)})


def test_numbers_that_differ_by_float_noise_only_are_the_same():
    old = pd.Series([0.1 + 0.2, 1.0, np.nan, 5.0])
    new = pd.Series([0.3, 1.000001, 5.0, np.nan])
    assert differ(old, new).tolist() == [False, True, False, False]


def test_rows_that_a_table_refuses_leave_the_store_as_it_was(tmp_path):
    store = Store(tmp_path / "new")
    with pytest.raises(DataError, match="`nav` of table `nav` must be positive in row 1"):
        store.append({"units": BEFORE["units"], "nav": nav(("159363.SZ", "2025-08-19", 0.0))})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EACCES])
def test_a_full_or_forbidden_disk_leaves_the_store_as_it_was(tmp_path, monkeypatch, function, reason):
    store = Store(tmp_path)
    store.append(BEFORE)
    before = files(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError(reason, "no room" if reason == errno.ENOSPC else "not yours")

    monkeypatch.setattr(f"os.{function}", refuse)
    match = "no room.*Make room" if reason == errno.ENOSPC else "not yours.*may write"
    with pytest.raises(UsageError, match=f"cannot write the store .* it is unchanged; received {match}"):
        store.append(NEXT)
    assert files(tmp_path) == before
    assert values(Store(tmp_path)) == values(store) == [3.861e9]
    monkeypatch.undo()
    store.append(NEXT)
    assert values(store) == [3.861e9, 3.97e9]


def test_a_full_disk_leaves_no_new_folder(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(UsageError, match="no room"):
        Store(tmp_path / "a" / "b").append(BEFORE)
    assert files(tmp_path) == set()


def test_an_interrupt_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.append(BEFORE)
    before = files(tmp_path)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.append(NEXT)
    assert files(tmp_path) == before


def test_an_interrupt_while_the_old_files_are_deleted_leaves_none_of_them(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.append(BEFORE)
    unlink, calls = Path.unlink, []

    def interrupt(path: Path, **words: bool) -> None:
        calls.append(path.name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        unlink(path, **words)

    monkeypatch.setattr(Path, "unlink", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.append(NEXT)
    assert files(tmp_path) == {MANIFEST, ".lock", "units-000002.parquet", "nav-000002.parquet"}


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path):
    store = Store(tmp_path)
    store.append(BEFORE)
    with (tmp_path / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="is being written by another process"):
            store.append(NEXT)
        assert values(Store(tmp_path)) == [3.861e9]
    store.append(NEXT)
    assert values(store) == [3.861e9, 3.97e9]


def test_two_appends_at_the_same_time_are_not_mixed(tmp_path, monkeypatch):
    store, other = Store(tmp_path), Store(tmp_path)
    replace = os.replace

    def meet_the_other(*paths: str) -> None:
        monkeypatch.setattr("os.replace", replace)
        with pytest.raises(UsageError, match="is being written by another process"):
            other.append(NEXT)
        replace(*paths)

    monkeypatch.setattr("os.replace", meet_the_other)
    store.append(BEFORE)
    assert values(Store(tmp_path)) == [3.861e9]


def test_two_writers_one_after_the_other_see_each_other(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    first.append(BEFORE)
    second.append(NEXT)
    assert values(second) == [3.861e9, 3.97e9]


def test_who_reads_goes_on_reading_what_was_there_when_an_import_comes(tmp_path):
    Store(tmp_path).append(BEFORE)
    reader = Store(tmp_path)
    Store(tmp_path).append(NEXT)
    assert files(tmp_path) == {MANIFEST, ".lock", "units-000002.parquet", "nav-000002.parquet"}
    assert (values(reader), values(reader, "nav")) == ([3.861e9], [0.7041])
    assert values(Store(tmp_path)) == [3.861e9, 3.97e9]


def test_an_import_that_ends_while_a_store_is_opened_is_met_with_the_new_tables(tmp_path, monkeypatch):
    Store(tmp_path).append(BEFORE)
    read = Path.read_text

    def meet_an_import(path: Path, **words: str) -> str:
        text = read(path, **words)
        monkeypatch.setattr(Path, "read_text", read)
        Store(tmp_path).append(NEXT)
        return text

    monkeypatch.setattr(Path, "read_text", meet_an_import)
    assert values(Store(tmp_path)) == [3.861e9, 3.97e9]


def test_a_file_that_is_gone_is_named(tmp_path):
    Store(tmp_path).append(BEFORE)
    (tmp_path / "units-000001.parquet").unlink()
    with pytest.raises(DataError, match=r"is gone.*start again"):
        Store(tmp_path).read("units")


def test_leftovers_are_deleted_when_the_store_is_opened_but_not_under_a_writer(tmp_path):
    Store(tmp_path).append(BEFORE)
    left = tmp_path / "units-000009.parquet"
    left.write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    with (tmp_path / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Store(tmp_path)
        assert left.exists()
    Store(tmp_path)
    assert not left.exists()
    assert (tmp_path / "notes.txt").exists()


KILLED = """
    import os, shutil, signal, sys
    from datetime import timedelta
    from pathlib import Path

    import pandas as pd
    import data.store.files
    from data.store import segments
    from data.store.store import Store

    top, original = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.argv[3] == "cut":  # two rows are enough, so that a table becomes two files
        segments.MOST, segments.FAR, segments.RECENT = 1, timedelta(0), timedelta(0)
    Writer = data.store.files.pq.ParquetWriter
    real_write = Writer.write_table
    left = 0

    def tick():
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write_half(writer, rows, **options):
        tick()
        real_write(writer, rows, **options)
        tick()

    def watch(event, arguments):
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "fcntl.flock"):
            if event == "fcntl.flock" or str(arguments[0]).startswith(str(top)):
                tick()

    def sync(number):
        tick()

    def append(folder):
        Writer.write_table, os.fsync = write_half, sync
        sys.addaudithook(watch)
        Store(folder).append({
            "units": pd.DataFrame({"symbol": ["159363.SZ"], "day": ["2025-08-20"], "units": [3.97e9]}),
            "nav": pd.DataFrame({"symbol": ["159363.SZ"], "day": ["2025-08-20"], "nav": [0.7291]}),
        })

    for moment in range(1, 200):
        folder = top / f"{moment:03d}"
        if original.exists():
            shutil.copytree(original, folder)
        child = os.fork()
        if child == 0:
            left = moment
            append(folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            sys.exit(0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"the child failed at moment {moment}")
    sys.exit("the append never came to its end")
"""


@pytest.mark.parametrize(
    ("there_was_a_store", "cut"),
    [(True, "whole"), (False, "whole"), pytest.param(True, "cut", marks=pytest.mark.slow)],
)
def test_a_writer_killed_at_any_moment_leaves_the_old_store_or_the_new_one(
    tmp_path, root, there_was_a_store, cut
):
    original, top = tmp_path / "original", tmp_path / "killed"
    top.mkdir()
    if there_was_a_store:
        Store(original).append(BEFORE)
    script = textwrap.dedent(KILLED)
    command = [sys.executable, "-c", script, str(top), str(original), cut]
    subprocess.run(command, cwd=root, check=True, timeout=120)

    old, new = ([3.861e9], [0.7041]) if there_was_a_store else ([], []), ([3.97e9], [0.7291])
    seen = []
    for folder in sorted(top.iterdir()):
        store = Store(folder)
        state = values(store), values(store, "nav")
        seen.append(state)
        assert state in (old, (old[0] + new[0], old[1] + new[1])), folder.name
        tables = json.loads((folder / MANIFEST).read_text())["tables"] if state[0] else {}
        named = {segment["file"] for segments in tables.values() for segment in segments}
        if (folder / MANIFEST).exists():
            assert files(folder) == {MANIFEST, ".lock", *named}
        assert [len(each) for each in tables.values()] in ([], [1, 1], [2, 2])
        store.append(NEXT)
        assert values(store) == old[0] + new[0]
    assert (len(tables["units"]), len(seen) > 12) == (2 if cut == "cut" else 1, True)
    assert old in seen
    assert seen[-1] != old


def test_demo_is_the_demo_market_and_anything_else_a_folder(tmp_path):
    assert open_source("demo").synthetic
    Store(tmp_path / "mine").append(BEFORE)
    assert values(open_source(str(tmp_path / "mine"))) == [3.861e9]


def test_a_folder_that_is_no_store_is_refused_with_the_way_to_import(tmp_path):
    with pytest.raises(DataError, match=r"does not exist.*data import FILES --data"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"is not a store.*data import FILES --data"):
        open_source(tmp_path)


def test_a_folder_that_holds_something_else_is_not_made_a_store(tmp_path):
    (tmp_path / ".gitkeep").touch()
    assert Store(tmp_path).tables == ()
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(DataError, match=r"is not a store; received a folder that holds `letters.txt`"):
        Store(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        Store(tmp_path / "letters.txt")


def test_a_store_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text('{"format": 99, "tables": {}}')
    with pytest.raises(DataError, match=r"newer version.*received format 99.*Update etflow"):
        Store(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_damaged_description_is_named(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=r"store.json` is damaged"):
        Store(tmp_path)


@pytest.mark.parametrize("change", [{"seal": 0}, {"seal": []}, {"first": 0}, {"last": ""}, {"rows": -1}])
def test_a_description_of_a_file_that_says_something_else_is_damaged(tmp_path, change):
    Store(tmp_path).append(BEFORE)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["tables"]["units"][0] |= change
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"store.json` is damaged"):
        Store(tmp_path)


def test_a_damaged_table_is_named(tmp_path):
    store = Store(tmp_path)
    store.append(BEFORE)
    (tmp_path / "units-000001.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"units-000001.parquet` is damaged"):
        store.read("units")


def many_bars() -> pd.DataFrame:
    """Five funds, more rows than one group of rows has; every price in it once."""
    days = pd.date_range("2000-01-01", periods=5000).strftime("%Y-%m-%d")
    parts = []
    for number in range(5):
        close = 1 + (np.arange(len(days)) * 5 + number) / 1e6
        prices = dict.fromkeys(("open", "high", "low", "close"), close)
        parts.append(pd.DataFrame({"symbol": f"51000{number}.SH", "day": days, **prices, "volume": 100.0}))
    return pd.concat(parts)


def test_the_rows_of_any_funds_are_those_of_the_whole_table(tmp_path):
    store = Store(tmp_path)
    store.append({"bars": many_bars()})
    whole = store.read("bars")
    for chosen in (["510000.SH"], ["510003.SH"], ["510004.SH", "510001.SH"], ["510003.SH", "510009.SH"], []):
        expected = whole[whole["symbol"].isin(chosen)].reset_index(drop=True)
        pd.testing.assert_frame_equal(store.read("bars", chosen), expected)
    spans = store.spans("bars")
    assert list(spans) == sorted(set(whole["symbol"]))
    assert {(str(each.first), str(each.last)) for each in spans.values()} == {("2000-01-01", "2013-09-08")}


def test_a_store_of_before_has_no_seals_and_is_read_all_the_same(tmp_path):
    store = Store(tmp_path)
    store.append({"bars": many_bars()})
    whole, spans = store.read("bars"), dict(store.spans("bars"))
    path = tmp_path / "bars-000001.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    (tmp_path / MANIFEST).write_text(json.dumps({"format": 1, "tables": {"bars": path.name}}))
    old = Store(tmp_path)
    pd.testing.assert_frame_equal(old.read("bars"), whole)
    assert (dict(old.spans("bars")), old.synthetic, old.seals) == (spans, False, {})
    two = old.read("bars", ["510001.SH", "510004.SH"])
    assert two["symbol"].value_counts().to_dict() == {"510001.SH": 5000, "510004.SH": 5000}


def test_no_bit_of_a_table_can_turn_unnoticed(tmp_path):
    store = Store(tmp_path)
    store.append({"bars": many_bars()})
    whole, path = store.read("bars"), tmp_path / "bars-000001.parquet"
    sound = path.read_bytes()
    told = 0
    for place in np.random.default_rng(3).integers(0, 8 * len(sound), 60):
        broken = bytearray(sound)
        broken[place // 8] ^= 1 << (place % 8)
        path.write_bytes(broken)
        try:
            read = Store(tmp_path).read("bars")
        except DataError as error:
            told += "is damaged" in str(error)
        else:
            pd.testing.assert_frame_equal(read, whole)
    assert told > 50


def test_a_description_that_names_the_file_of_another_table_is_damaged(tmp_path):
    Store(tmp_path).append(BEFORE)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    for table, file in (("units", "nav-000001.parquet"), ("units", "../units.parquet"), ("unit", "x")):
        tables = {table: [manifest["tables"]["units"][0] | {"file": file}]}
        (tmp_path / MANIFEST).write_text(json.dumps(manifest | {"tables": tables}))
        with pytest.raises(DataError, match=r"store.json` is damaged.*is no file of the table"):
            Store(tmp_path)


def test_a_file_of_another_table_under_the_name_of_this_one_is_damaged(tmp_path):
    Store(tmp_path).append(BEFORE)
    shutil.copy(tmp_path / "nav-000001.parquet", tmp_path / "units-000001.parquet")
    with pytest.raises(DataError, match=r"units-000001.parquet` is damaged"):
        Store(tmp_path).read("units")


def test_a_store_on_its_way_to_another_process_is_the_store(tmp_path):
    store = Store(tmp_path)
    store.append(BEFORE)
    assert values(pickle.loads(pickle.dumps(store))) == [3.861e9]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["159363.SZ", "515980.SH", "588790.SH"]),
        st.sampled_from(DAYS),
        st.floats(1.0, 1e13, allow_nan=False),
        st.none() | st.floats(0.0, 1e13, allow_nan=False),
    ),
    unique_by=lambda row: row[:2],
    min_size=1,
    max_size=20,
)


def frame_of(rows: list[tuple[str, str, float, float | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["symbol", "day", "balance", "bought"])


@settings(max_examples=12, deadline=None)
@given(rows=ROWS)
def test_rows_come_back_as_they_went_in_and_twice_is_once(tmp_path_factory, rows):
    frame, store = frame_of(rows), Store(tmp_path_factory.mktemp("store"))
    store.append({"margin": frame})
    expected = TABLES["margin"].validate(frame)
    pd.testing.assert_frame_equal(store.read("margin"), expected)
    assert not store.append({"margin": frame}).changes[0].alters
    pd.testing.assert_frame_equal(Store(store.folder).read("margin"), expected)


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, choice=st.randoms(use_true_random=False))
def test_the_order_of_appends_does_not_matter(rows, choice):
    # Each part has some rows whole and some without the optional value.
    parts = []
    for number in range(3):
        chosen = [row if choice.random() < 0.5 else (*row[:3], None) for row in rows if choice.random() < 0.7]
        parts.append(frame_of([*chosen, rows[number % len(rows)]]).drop_duplicates(["symbol", "day"]))
    table = TABLES["margin"]
    forth = back = table.empty()
    for part in parts:
        forth, _ = merge(table, forth, table.validate(part))
    for part in reversed(parts):
        back, _ = merge(table, back, table.validate(part))
    pd.testing.assert_frame_equal(forth, back)


# --- segments ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_day(tmp_path_factory):
    """A store that was written day by day, and lacks the last one."""
    store = Store(tmp_path_factory.mktemp("by-day"))
    with short_segments():
        for day in SESSIONS[:-1]:
            store.append({"bars": bars_of([(fund, day) for fund in FUNDS])})
    return store.folder


@pytest.fixture
def daily(by_day, tmp_path):
    """A copy of it, to be written on."""
    with short_segments():
        yield Store(shutil.copytree(by_day, tmp_path / "daily"))


def listed_in(folder: Path, table: str = "bars") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / MANIFEST).read_text())["tables"][table]
    return found


PARTS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(FUNDS), st.sampled_from(SESSIONS), st.booleans()),
        unique_by=lambda row: row[:2],
        min_size=1,
        max_size=20,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10)
@given(parts=PARTS, most=st.integers(2, 20))
def test_rows_that_come_in_parts_are_those_that_come_at_once(tmp_path_factory, parts, most):
    # What is missing in a part comes with another one or with the last.
    folder = tmp_path_factory.mktemp("store")
    keys = sorted({row[:2] for part in parts for row in part} | {("159363.SZ", day) for day in SESSIONS[:2]})
    once = Store(folder / "once")
    once.append({"bars": bars_of(keys)})
    with short_segments(most):
        store = Store(folder / "parts")
        for part in parts:
            frame = bars_of([row[:2] for row in part])
            store.append({"bars": frame.assign(amount=frame["amount"].where([row[2] for row in part]))})
        store.append({"bars": bars_of(keys)})
        assert not store.append({"bars": bars_of(keys)}).changes[0].alters
    again = Store(store.folder)
    pd.testing.assert_frame_equal(again.read("bars"), once.read("bars"))
    for chosen in (FUNDS[:1], FUNDS[1:]):
        pd.testing.assert_frame_equal(again.read("bars", chosen), once.read("bars", chosen))
    assert list(again.spans("bars").items()) == list(once.spans("bars").items())
    assert load_panel(again).fingerprint == load_panel(once).fingerprint


def test_a_day_more_leaves_the_files_of_the_days_before(daily):
    # Cut on Monday 08-04 at 08-01, on 08-08 at 08-05, on 08-12 at 08-09, when the first two were joined.
    *closed, last = listed_in(daily.folder)
    assert [(each["rows"], each["first"], each["last"]) for each in [*closed, last]] == [
        (18, "2025-07-28", "2025-08-04"),
        (12, "2025-08-05", "2025-08-08"),
        (12, "2025-08-11", "2025-08-14"),
    ]
    untouched = {each["file"]: (daily.folder / each["file"]).stat().st_ino for each in closed}
    daily.append({"bars": bars_of([(FUNDS[0], SESSIONS[-1])])})
    assert listed_in(daily.folder)[:-1] == closed
    assert {name: (daily.folder / name).stat().st_ino for name in untouched} == untouched
    assert [each["rows"] for each in listed_in(daily.folder)] == [18, 12, 13]
    assert daily.read("bars")["day"].max() == pd.Timestamp(SESSIONS[-1])


def test_a_value_of_long_ago_is_compared_and_revised_in_its_segment(daily):
    first, *others = listed_in(daily.folder)
    wrong = bars_of([(FUNDS[1], SESSIONS[3])]).assign(volume=7.0)
    with pytest.raises(DataError, match=r"1 row would change the past.*510300.SH 2025-07-31 volume"):
        daily.append({"bars": wrong})
    daily.append({"bars": wrong}, accept_revision=True)
    assert listed_in(daily.folder)[0]["file"] != first["file"]
    assert listed_in(daily.folder)[1:] == others
    read = daily.read("bars", [FUNDS[1]])
    assert read.loc[read["volume"] == 7.0, "day"].tolist() == [pd.Timestamp(SESSIONS[3])]
    assert daily.revisions()["old"].tolist() == ["1000000.0"]


def test_a_fund_of_long_ago_that_is_new_comes_between_the_others(daily):
    late = bars_of([(FUNDS[0], day) for day in SESSIONS[:-1]]).assign(symbol="159001.SZ")
    assert daily.append({"bars": late}).changes[0].added == len(SESSIONS) - 1
    assert not daily.append({"bars": late}).changes[0].alters
    read = Store(daily.folder).read("bars")
    assert read["symbol"].unique().tolist() == ["159001.SZ", *FUNDS]
    assert read["day"].dt.strftime("%Y-%m-%d").tolist() == SESSIONS[:-1] * 4
    assert list(daily.spans("bars")) == ["159001.SZ", *FUNDS]


def test_who_reads_segments_goes_on_reading_them_when_an_import_comes(daily):
    reader, before = Store(daily.folder), daily.read("bars")
    wrong = bars_of([(FUNDS[1], SESSIONS[3])]).assign(volume=7.0)
    daily.append({"bars": wrong}, accept_revision=True)
    pd.testing.assert_frame_equal(reader.read("bars"), before)
    assert not daily.read("bars").equals(before)


def test_a_store_of_one_file_a_table_is_cut_when_it_is_written_next(tmp_path):
    store = Store(tmp_path)
    store.append({"bars": bars_of([(fund, day) for fund in FUNDS for day in SESSIONS[:-1]])})
    (segment,) = listed_in(tmp_path)
    old = {"format": 1, "tables": {"bars": segment["file"]}, "seals": {"bars": segment["seal"]}}
    (tmp_path / MANIFEST).write_text(json.dumps(old))
    assert len(Store(tmp_path).read("bars")) == 42
    with short_segments():
        Store(tmp_path).append({"bars": bars_of([(FUNDS[0], SESSIONS[-1])])})
    assert [(each["rows"], each["first"], each["last"]) for each in listed_in(tmp_path)] == [
        (33, "2025-07-28", "2025-08-11"),
        (10, "2025-08-12", "2025-08-15"),
    ]
    assert len(Store(tmp_path).read("bars")) == 43


def test_real_bars_are_read_in_a_moment(tmp_path, shared):
    store = Store(tmp_path)
    bars = read_cells(shared / "tidy-cn" / "bars.csv.gz")
    store.append({"bars": bars})
    store.read("bars")
    start = time.perf_counter()
    read = store.read("bars")
    # 0.05 s on the slowest machine we have; the limit leaves room for a busy one.
    assert time.perf_counter() - start < 0.5
    assert len(read) == 68_450
    assert read["symbol"].nunique() == 66
    one = store.read("bars", ["159363.SZ"])
    pd.testing.assert_frame_equal(one, read[read["symbol"] == "159363.SZ"].reset_index(drop=True))


def test_a_copied_store_is_a_store(tmp_path):
    Store(tmp_path / "a").append(BEFORE)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert values(open_source(tmp_path / "b")) == [3.861e9]
    assert json.loads((tmp_path / "b" / MANIFEST).read_text())["format"] == FORMAT


def test_a_process_that_is_refused_a_new_store_leaves_the_lock_of_the_one_that_makes_it(
    tmp_path, monkeypatch
):
    folder = tmp_path / "new"
    mkdir = Path.mkdir

    def overtaken(path: Path, *words: object, **options: bool) -> None:
        # Another process makes the store and takes its lock between our look at the folder and ours.
        monkeypatch.setattr(Path, "mkdir", mkdir)
        mkdir(path)
        held.append((path / ".lock").open("a"))
        fcntl.flock(held[0], fcntl.LOCK_EX)

    held: list[IO[str]] = []
    monkeypatch.setattr(Path, "mkdir", overtaken)
    store = Store(folder)
    with pytest.raises(UsageError, match="is being written by another process"):
        store.append(BEFORE)
    assert (folder / ".lock").exists()
    held[0].close()
    store.append(BEFORE)
    assert values(store) == [3.861e9]


def test_a_lock_that_was_deleted_while_we_waited_is_none(tmp_path, monkeypatch):
    store = Store(tmp_path / "new")
    flock = fcntl.flock

    def given_up(*words: Any) -> None:
        (tmp_path / "new" / ".lock").unlink()
        flock(*words)

    monkeypatch.setattr(fcntl, "flock", given_up)
    with pytest.raises(UsageError, match="was being made by another process"):
        store.append(BEFORE)
    monkeypatch.setattr(fcntl, "flock", flock)
    store.append(BEFORE)
    assert values(store) == [3.861e9]
