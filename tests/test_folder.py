"""A results folder: the same result comes back, the same bytes go out, and it is whole or absent."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.atomic import whole_file
from data.errors import DataError, UsageError, ValidationError
from engine.metrics import Metrics
from engine.metrics.declared import ALTERNATIVES, OF_ALTERNATIVES, OF_RUN
from engine.result import EXIT_COLUMNS, FILL_COLUMNS, MERGE_COLUMNS, REJECTION_COLUMNS, Result
from engine.results import staging
from engine.results.folder import save
from engine.results.layout import EXACT_FILES, LUCK, NOT_KNOWN, WHERE_ANY
from engine.results.loading import load, read_metrics
from engine.results.runs import check_writable, find, run_id, runs_in, whole

METRICS = Metrics({"sharpe_ratio": 1.25, "alpha": None}, {"alpha": "there is no benchmark"})


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def make_result() -> Result:
    """Return three sessions of two funds, one of them never held, with numbers that are hard to write."""
    shares = np.array([[0, 0], [1000, 0], [1500, 0]])
    mark = np.array([[1.1, np.nan], [1.1 + 2.2, 5e-324], [0.1 + 0.2, 1e22]])
    cash = np.array([10_000.0, 10_000.0 - 1 / 3, 5_000.125])
    receivable = np.array([0.0, 0.0, 12.5])
    fills = pd.DataFrame(
        [
            ["2024-01-03", "515980.SH", 1000, 3.3, 3300.0, 5.0, 0.0, 1.65, 3.29],
            ["2024-01-04", "515980.SH", 500, 0.3, 150.0, 5.0, 0.0, 0.07, np.nan],
        ],
        columns=list(FILL_COLUMNS),
    )
    rejections = pd.DataFrame([["2024-01-04", "159363.SZ", 700, "limit_up"]], columns=list(REJECTION_COLUMNS))
    return Result(
        manifest={
            "strategy": "share_inflow",
            "parameters": {"top": 3},
            "spec": {"strategy": "share_inflow", "data": "demo", "costs": {"commission_rate": 0.00025}},
            "data": {"name": "demo", "fingerprint": "0123", "synthetic": True},
            "versions": {"etflow": "0.1.0"},
            "note": "人工智能",
        },
        days=days("2024-01-02", "2024-01-03", "2024-01-04"),
        symbols=("159363.SZ", "515980.SH"),
        equity=cash + receivable + shares[:, 0] * mark[:, 0],
        cash=cash,
        receivable=receivable,
        shares=shares,
        mark=mark,
        interest=np.array([0.0, 0.1, 1e-17]),
        dividend=np.array([0.0, 0.0, 12.5]),
        benchmark_return=np.array([np.nan, 0.01, -1 / 7]),
        equal_weight_return=np.array([0.0, 2 / 3, -0.0]),
        decision_days=days("2024-01-03", "2024-01-04"),
        weights=np.array([[1 / 3, 0.0], [0.0, 0.0]]),
        scores=np.array([[np.pi, np.nan], [np.nan, np.nan]]),
        decision_flows=np.array([[np.nan, -0.02], [np.nan, np.nan]]),
        fills=fills.assign(day=fills["day"].to_numpy().astype("datetime64[us]")),
        rejections=rejections.assign(day=rejections["day"].to_numpy().astype("datetime64[us]")),
        initial_cash=10_000.0,
        sessions_per_year=242.6,
    )


def assert_same(left: Result, right: Result) -> None:
    for field in fields(Result):
        one, two = getattr(left, field.name), getattr(right, field.name)
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, two, check_exact=True)
        elif isinstance(one, np.ndarray):
            assert one.dtype == two.dtype, field.name
            assert one.shape == two.shape, field.name
            assert one.tobytes() == two.tobytes() or np.array_equal(one, two, equal_nan=True), field.name
        else:
            assert one == two, field.name


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_load_gives_back_exactly_the_same_result(tmp_path):
    result = make_result()
    save(result, METRICS, tmp_path / "run")
    assert_same(result, load(tmp_path / "run"))


def test_a_run_without_trades_or_decisions_comes_back(tmp_path):
    result = make_result()
    cash = result.initial_cash + np.cumsum(result.interest)
    result = replace(
        result,
        shares=np.zeros((3, 2), dtype=np.int64),
        cash=cash,
        receivable=np.zeros(3),
        dividend=np.zeros(3),
        equity=cash,
        fills=result.fills.iloc[:0],
        rejections=result.rejections.iloc[:0],
        decision_days=result.decision_days[:0],
        weights=np.zeros((0, 2)),
        scores=np.zeros((0, 2)),
        decision_flows=np.zeros((0, 2)),
    )
    save(result, METRICS, tmp_path / "run")
    assert_same(result, load(tmp_path / "run"))


def test_same_result_gives_same_bytes(tmp_path):
    save(make_result(), METRICS, tmp_path / "one")
    save(load(tmp_path / "one"), METRICS, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert set(contents(tmp_path / "one")) == {*EXACT_FILES, "SHA256SUMS"}


def test_files_have_the_promised_columns_and_shortest_numbers(tmp_path):
    save(make_result(), METRICS, tmp_path / "run")
    text = {name: (tmp_path / "run" / name).read_text(encoding="utf-8").splitlines() for name in EXACT_FILES}
    assert text["equity.csv"][0].startswith("day,equity,cash,return,benchmark_return,")
    # equity 10,000 + 0: return 0 on the initial cash; the benchmark has no level the day before: empty
    assert text["equity.csv"][1] == "2024-01-02,10000.0,10000.0,0.0,,0.0,0.0,0.0,0.0"
    assert text["weights.csv"][0] == "day,symbol,weight,score,flow"
    assert text["weights.csv"][1] == "2024-01-03,159363.SZ,0.3333333333333333,3.141592653589793,"
    assert text["fills.csv"][0] == "day,symbol,shares,price,notional,commission,fee,slippage,reference"
    assert text["rejections.csv"][1] == "2024-01-04,159363.SZ,700,limit_up"


def test_positions_list_what_is_held_and_its_value(tmp_path):
    save(make_result(), METRICS, tmp_path / "run")
    lines = (tmp_path / "run" / "positions.csv").read_text().splitlines()
    assert lines == [
        "day,symbol,shares,value",
        "2024-01-03,159363.SZ,1000,3300.0000000000005",
        "2024-01-04,159363.SZ,1500,450.00000000000006",
    ]


def test_manifest_and_metrics_are_json_without_nan(tmp_path):
    save(make_result(), METRICS, tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["spec"]["strategy"] == "share_inflow"
    assert manifest["result"]["symbols"] == ["159363.SZ", "515980.SH"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == {
        "sharpe_ratio": 1.25,
        "alpha": None,
        "reasons": {"alpha": "there is no benchmark"},
    }
    found = read_metrics(tmp_path / "run")
    assert [found[name] for name in ("sharpe_ratio", "alpha")] == [1.25, None]
    # What the version that wrote the folder did not know is undefined, and not an error.
    assert found["ulcer_index"] is None
    names = {*OF_RUN, *(prefix + name for prefix in ALTERNATIVES for name in OF_ALTERNATIVES)}
    assert found.reasons == dict.fromkeys(names - {"sharpe_ratio"}, NOT_KNOWN) | METRICS.reasons
    with pytest.raises(ValueError, match="JSON"):
        save(make_result(), Metrics({"alpha": float("nan")}, {}), tmp_path / "other")
    assert not (tmp_path / "other").exists()


# --- whole or absent ----------------------------------------------------------------------------------


def fail(error: BaseException):
    def report(_path: Path) -> None:
        raise error

    return report


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), SystemExit(143)])
def test_nothing_is_left_when_writing_stops(tmp_path, error):
    with pytest.raises(type(error)):
        save(make_result(), METRICS, tmp_path / "out" / "run", fail(error))
    assert list((tmp_path / "out").iterdir()) == []


def test_an_existing_folder_stays_as_it_was_when_writing_stops(tmp_path):
    save(make_result(), METRICS, tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(RuntimeError):
        save(make_result(), Metrics({"sharpe_ratio": 9.0}, {}), tmp_path / "run", fail(RuntimeError("a bug")))
    assert contents(tmp_path / "run") == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_existing_folder_is_replaced_as_a_whole(tmp_path):
    save(make_result(), METRICS, tmp_path / "run", lambda path: path.write_text("<html>"))
    save(make_result(), Metrics({"sharpe_ratio": 9.0}, {}), tmp_path / "run")
    assert "tearsheet.html" not in contents(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == {
        "sharpe_ratio": 9.0,
        "reasons": {},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_reports_of_the_same_numbers_stay_when_a_run_is_made_again(tmp_path):
    reports = ("tearsheet.html", "tearsheet.pdf", "tearsheet.png")
    save(make_result(), METRICS, tmp_path / "run")
    for name in reports:
        (tmp_path / "run" / name).write_text("old")
    save(make_result(), METRICS, tmp_path / "run")
    assert {name: contents(tmp_path / "run")[name] for name in reports} == dict.fromkeys(reports, b"old")
    save(make_result(), METRICS, tmp_path / "run", lambda path: path.write_text("new"))
    assert [contents(tmp_path / "run")[name] for name in reports] == [b"new", b"old", b"old"]


def test_what_was_spoilt_is_not_taken_over_when_a_run_is_made_again(tmp_path):
    with_band = replace(make_result(), luck_band=np.ones((2, 3)))
    save(with_band, METRICS, tmp_path / "run")
    band = tmp_path / "run" / "luck.csv"
    kept = band.read_bytes()
    save(make_result(), METRICS, tmp_path / "run")  # as `run --no-report` does
    assert band.read_bytes() == kept
    band.write_bytes(kept.replace(b"1.0", b"7.0"))
    save(make_result(), METRICS, tmp_path / "run")
    assert not band.exists()
    assert load(tmp_path / "run").luck_band is None


def test_the_folder_is_not_there_before_it_is_whole(tmp_path):
    seen = []
    save(make_result(), METRICS, tmp_path / "run", lambda _path: seen.append((tmp_path / "run").exists()))
    assert seen == [False]
    assert (tmp_path / "run").is_dir()


def test_a_killed_process_leaves_no_folder_with_the_name_of_a_run(tmp_path, root):
    script = """
import sys, time
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from pathlib import Path
from engine.results.folder import save
from test_folder import METRICS, make_result

def report(path):
    print("writing", flush=True)
    time.sleep(60)

save(make_result(), METRICS, Path(sys.argv[2]) / "run", report)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(root), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (tmp_path / "run").exists()
    assert runs_in(tmp_path) == []
    save(make_result(), METRICS, tmp_path / "run")
    assert runs_in(tmp_path) == [tmp_path / "run"]


def test_a_full_disk_is_a_usage_error_and_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(UsageError, match=r"cannot write results to .* Make room"):
            save(make_result(), METRICS, tmp_path / "out" / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unwritable_place_is_found_before_anything_is_computed(tmp_path):
    check_writable(tmp_path / "not" / "there" / "yet")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write results to .*file"):
        check_writable(tmp_path / "file" / "results")
    with pytest.raises(UsageError, match="cannot write results"):
        check_writable(Path("/proc/results"))


# --- names --------------------------------------------------------------------------------------------


def test_same_run_same_id_wherever_its_data_lie():
    manifest = make_result().manifest
    elsewhere = {**manifest, "spec": {**manifest["spec"], "data": "/other/place"}}
    later = {**manifest, "data": {**manifest["data"], "fingerprint": "4567"}}
    dearer = {**manifest, "spec": {**manifest["spec"], "costs": {"commission_rate": 0.0005}}}
    newer = {**manifest, "versions": {"etflow": "0.2.0"}}
    wider = {**manifest, "parameters": {"top": 5}}
    own = {**manifest, "strategy": "my/file.py:Mine"}
    assert run_id(manifest) == run_id(elsewhere)
    assert len({run_id(each) for each in (manifest, later, dearer, newer, wider)}) == 5
    assert run_id(manifest).startswith("share_inflow-")
    assert len(run_id(manifest)) == len("share_inflow-") + 8
    assert run_id(own).startswith("Mine-")


def test_a_run_is_found_by_path_id_beginning_and_as_the_last(tmp_path):
    for name in ("momentum-aaaa1111", "momentum-aaaa2222", "random-bbbb3333"):
        save(make_result(), METRICS, tmp_path / name)
        os.utime(tmp_path / name / "manifest.json", ns=(time.time_ns(), time.time_ns()))
    assert find(str(tmp_path / "random-bbbb3333"), Path("nowhere")) == tmp_path / "random-bbbb3333"
    assert find("momentum-aaaa1111", tmp_path) == tmp_path / "momentum-aaaa1111"
    assert find("rand", tmp_path) == tmp_path / "random-bbbb3333"
    assert find("last", tmp_path) == tmp_path / "random-bbbb3333"
    assert find("last~2", tmp_path) == tmp_path / "momentum-aaaa1111"
    with pytest.raises(UsageError, match=r"no run `last~3` .* 3 runs are there"):
        find("last~3", tmp_path)
    with pytest.raises(UsageError, match="fits several runs; received momentum-aaaa1111"):
        find("momentum", tmp_path)
    with pytest.raises(UsageError, match=r"there is no run `momentun-aaaa1111` .* Did you mean"):
        find("momentun-aaaa1111", tmp_path)


def test_a_folder_that_is_no_run_or_is_broken_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not a results folder"):
        load(tmp_path)
    save(make_result(), METRICS, tmp_path / "run")
    (tmp_path / "run" / "equity.csv").write_text("")
    (tmp_path / "run" / "SHA256SUMS").unlink()
    with pytest.raises(DataError, match=r"cannot be read.* Make the run again"):
        load(tmp_path / "run")


def test_a_file_that_one_has_no_right_to_read_is_not_called_broken(tmp_path, monkeypatch):
    save(make_result(), METRICS, tmp_path / "run")

    def shut(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "run/manifest.json")

    monkeypatch.setattr("engine.results.loading.content_of", shut)
    with pytest.raises(DataError, match=r"received Permission denied\. Get the right to read it"):
        load(tmp_path / "run")


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json", "equity.csv", "weights.csv", "marks.csv"])
def test_a_file_that_is_not_as_it_was_written_is_refused(tmp_path, name):
    save(make_result(), METRICS, tmp_path / "run")
    content = (tmp_path / "run" / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert f"{digest}  {name}" in (tmp_path / "run" / "SHA256SUMS").read_text().splitlines()
    # One bit: 2 becomes 3, and another number is as good as the one that was written.
    (tmp_path / "run" / name).write_bytes(content.replace(b"2", b"3", 1))
    with pytest.raises(DataError, match=rf"{name} is not as it was written.* Make the run again"):
        load(tmp_path / "run"), read_metrics(tmp_path / "run")


def test_a_table_that_is_gone_is_missed_and_a_run_from_before_there_were_checksums_is_read(tmp_path):
    result = replace(make_result(), luck_band=np.ones((2, 3)))
    save(result, METRICS, tmp_path / "run")
    (tmp_path / "run" / "luck.csv").unlink()
    with pytest.raises(DataError, match=r"luck\.csv"):
        load(tmp_path / "run")
    (tmp_path / "run" / "SHA256SUMS").unlink()
    assert load(tmp_path / "run").luck_band is None
    (tmp_path / "run" / "luck.csv").write_text("day,lowest,highest\n2024-01-02,1,2\n")
    with pytest.raises(DataError, match=r"luck\.csv has not the sessions of the run"):
        load(tmp_path / "run")
    (tmp_path / "run" / "luck.csv").unlink()
    context = {"names": {}, "families": {}, "splits": [], "halts": [], "judged": "", "judged_by": ""}
    context["themes"] = {"159363.SZ": [["2024-01-02", 3]]}
    (tmp_path / "run" / "context.json").write_text(json.dumps(context))
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "run")
    # What the version that wrote a run did not measure, also of what it is held against, is undefined.
    assert read_metrics(tmp_path / "run")["benchmark_max_drawdown"] is None


TABLES = [name for name in (*EXACT_FILES, *WHERE_ANY, LUCK) if name.endswith(".csv")]


def with_header(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Save a run that has all tables, and change the header of one, of which no day is one any more."""
    exits = pd.DataFrame([["2024-01-04", "515980.SH", "stop_loss"]], columns=list(EXIT_COLUMNS))
    merged = ["2024-01-04", "515980.SH", 100, "159363.SZ", 50, 0.5]
    merges = pd.DataFrame([merged], columns=list(MERGE_COLUMNS))
    band = np.ones((2, 3))
    save(replace(make_result(), exits=exits, merges=merges, luck_band=band), METRICS, folder)
    load(folder)
    (folder / "SHA256SUMS").unlink()
    header, *rows = (folder / name).read_text().splitlines()
    lines = [change(header), *(row.replace("2024", "spoilt") for row in rows)]
    (folder / name).write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_one_of_its_columns_is_refused_before_its_values_are_read(tmp_path, name):
    with_header(tmp_path / "run", name, lambda header: header.replace("day", "date"))
    with pytest.raises(
        DataError, match=rf"{name} lacks a column; received date,.*; limit: day\. Make the run"
    ):
        load(tmp_path / "run")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_has_a_column_twice_is_refused_before_its_values_are_read(tmp_path, name):
    with_header(tmp_path / "run", name, lambda header: f"{header},day")
    wanted = rf"{name} has a column twice; received day; limit: each column once\. Make the run again"
    with pytest.raises(DataError, match=wanted):
        load(tmp_path / "run")


def test_a_run_whose_ends_of_lines_a_tool_for_text_has_changed_is_read(tmp_path):
    save(make_result(), METRICS, tmp_path / "run")
    for path in (tmp_path / "run").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert_same(load(tmp_path / "run"), make_result())
    assert read_metrics(tmp_path / "run")["sharpe_ratio"] == METRICS["sharpe_ratio"]


def test_tables_that_are_larger_than_documents_may_be_are_read(tmp_path, monkeypatch):
    save(make_result(), METRICS, tmp_path / "run")
    table = tmp_path / "run" / "rejections.csv"
    table.write_bytes(table.read_bytes() + b"2024-01-04,159363.SZ,700,limit_up\n" * 300)
    (tmp_path / "run" / "SHA256SUMS").unlink()
    # 8 KB in place of 256 MB.
    monkeypatch.setattr("data.parsing.read_bounded.__defaults__", (8192,))
    assert len(load(tmp_path / "run").rejections) == 301


def leftover(parent: Path, name: str, *inside: str) -> Path:
    """Make what a killed process leaves, an hour ago."""
    stage = parent / name
    for each in inside:
        (stage / each).mkdir(parents=True)
        (stage / each / "manifest.json").write_text(each)
    stage.mkdir(exist_ok=True)
    os.utime(stage, (time.time() - 3600,) * 2)
    return stage


def test_what_dead_processes_left_is_deleted_and_nothing_else(tmp_path):
    dead = leftover(tmp_path, ".run-1a2b.abcd_123", "new")
    others = [
        leftover(tmp_path, ".git", "new"),
        leftover(tmp_path, ".run-1a2b.abcd_124", "new", "mine"),
        leftover(tmp_path, "run-1a2b.abcd_123", "new"),
    ]
    young = leftover(tmp_path, ".run-1a2b.abcd_125", "new")
    os.utime(young)
    alive = leftover(tmp_path, ".run-1a2b.abcd_126", "new")
    handle = os.open(alive, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with whole(tmp_path / "run-3c4d") as stage:
        (stage / "file").write_text("made")
    assert not dead.exists()
    assert all(path.exists() for path in (*others, young, alive))
    os.close(handle)
    assert [path.name for path in (tmp_path / "run-3c4d").iterdir()] == ["file"]


def test_what_a_dead_process_was_writing_is_deleted_by_the_next_that_writes_there(tmp_path):
    names = [".page.html.12-34.part", ".other.html.12-34.part", "mine.12-34.part", ".page.html.part"]
    for name in (*names, ".young.html.12-34.part", ".alive.html.12-34.part"):
        (tmp_path / name).write_text("half")
        hours_ago = time.time() - 3600 * (not name.startswith(".young"))
        os.utime(tmp_path / name, (hours_ago, hours_ago))
    with (tmp_path / ".alive.html.12-34.part").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        with whole_file(tmp_path / "page.html") as path:
            path.write_text("whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"page.html", *names[2:], ".young.html.12-34.part", ".alive.html.12-34.part"}
    assert (tmp_path / "page.html").read_text() == "whole"


def test_a_folder_is_tried_without_a_trace_of_this_trial_or_of_one_that_was_killed(tmp_path):
    (tmp_path / ".etflow-killed_1").mkdir()
    (tmp_path / ".etflow-mine").mkdir()
    (tmp_path / ".etflow-mine" / "file").touch()
    check_writable(tmp_path / "results" / "runs")
    assert [path.name for path in tmp_path.iterdir()] == [".etflow-mine"]


def test_a_process_that_is_stopped_while_it_tries_a_folder_leaves_nothing(tmp_path, monkeypatch):
    rmdir, stops = Path.rmdir, iter([KeyboardInterrupt])

    def stopped(path):
        if stop := next(stops, None):
            raise stop
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", stopped)
    with pytest.raises(KeyboardInterrupt):
        check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_hidden_by_a_kill_between_two_renames_comes_back(tmp_path):
    leftover(tmp_path, ".run-1a2b.abcd_123", "new", "old")
    with whole(tmp_path / "run-3c4d"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-1a2b", "run-3c4d"]
    assert (tmp_path / "run-1a2b" / "manifest.json").read_text() == "new"


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_is_never_away_while_it_is_replaced(exchange, tmp_path, monkeypatch):
    if not exchange:
        monkeypatch.setattr(staging, "_exchange", lambda *_: False)
    for text in ("one", "two"):
        with whole(tmp_path / "run") as stage:
            (stage / "file").write_text(text)
    assert (tmp_path / "run" / "file").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("stops", [KeyboardInterrupt, SystemExit])
def test_a_process_that_is_stopped_while_it_deletes_leaves_nothing_hidden(
    stops, place, tmp_path, monkeypatch
):
    for name in ("one", "two"):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).write_text("old")
    unlink, count = os.unlink, iter(range(1, 9))

    def stopped(*words, **named):
        if next(count) == place:
            raise stops
        unlink(*words, **named)

    with ExitStack() as stack:
        if place < 3:  # there are two files to delete
            stack.enter_context(pytest.raises(stops))
        stage = stack.enter_context(whole(tmp_path / "run"))
        (stage / "file").write_text("new")
        monkeypatch.setattr(os, "unlink", stopped)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["run", "run/file"]


@pytest.mark.parametrize("kept", ["one", "two"])
def test_a_process_that_is_stopped_between_two_renames_loses_no_folder(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "_exchange", lambda *_: False)
    with whole(tmp_path / "run") as stage:
        (stage / "file").write_text("one")
    rename, last = Path.rename, iter([kept == "one", True])

    def stopped(path, target):
        rename(path, target)
        if next(last, False):
            raise KeyboardInterrupt

    with ExitStack() as stack:
        stack.enter_context(pytest.raises(KeyboardInterrupt))
        stage = stack.enter_context(whole(tmp_path / "run"))
        (stage / "file").write_text("two")
        monkeypatch.setattr(Path, "rename", stopped)
    assert (tmp_path / "run" / "file").read_text() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_another_process_puts_there_in_the_same_moment_is_replaced(tmp_path, monkeypatch):
    rename = Path.rename

    def late(path, target):
        monkeypatch.undo()
        with whole(tmp_path / "run") as stage:
            (stage / "file").write_text("the other's")
        return rename(path, target)

    with whole(tmp_path / "run") as stage:
        (stage / "file").write_text("mine")
        monkeypatch.setattr(Path, "rename", late)
    assert (tmp_path / "run" / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_same_id_with_other_numbers_is_refused_and_the_first_stays(tmp_path):
    one = make_result()
    one = replace(one, manifest={**one.manifest, "run_id": "run-1a2b"})
    save(one, METRICS, tmp_path / "run")
    before = contents(tmp_path / "run")
    other = replace(one, equity=one.equity * np.array([1.0, 1.0 + 1e-6, 1.0]))
    with pytest.raises(ValidationError, match=r"other numbers; it is as it was; received .* on 2024-01-03"):
        save(other, METRICS, tmp_path / "run")
    assert contents(tmp_path / "run") == before
    save(replace(one, equity=one.equity * (1.0 + 1e-13)), METRICS, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
