"""``doctor``: what is wrong is said with the command that mends it; what is well is not called wrong."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import run_backtest
from data.importing import import_files
from data.source import open_source, renewal
from data.store.store import Store
from engine.cli.main import main
from engine.commands import doctor
from engine.installed import DISTRIBUTION, version
from engine.results.folder import save
from engine.spec import versions
from tests.test_folder import METRICS, make_result


@pytest.fixture
def call(capsys, tmp_path, monkeypatch) -> Callable[..., tuple[int, dict[str, list[dict[str, str]]], str]]:
    """Return exit code, what was found by examination, and standard error, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))

    def run(*words: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = main(run_backtest.load_catalogue, ["doctor", "--json", *map(str, words)])
        printed, complained = capsys.readouterr()
        found: dict[str, list[dict[str, str]]] = {}
        document = json.loads(printed)
        assert document["healthy"] == (code == 0)
        for each in document["found"]:
            found.setdefault(each["name"], []).append(each)
        return code, found, complained

    return run


@pytest.fixture
def store(tmp_path) -> Path:
    """A store of a few funds."""
    demo, funds = open_source("demo"), ["157001.SZ", "157003.SZ"]
    Store(tmp_path / "store").append({name: demo.read(name, funds) for name in ("bars", "actions")})
    return tmp_path / "store"


def faults(found: dict[str, list[dict[str, str]]]) -> dict[str, list[str]]:
    return {
        name: [one["text"] for one in each if one["state"] == "fault"]
        for name, each in found.items()
        if any(one["state"] == "fault" for one in each)
    }


def test_everything_is_examined_and_a_fresh_machine_is_well(call):
    code, found, _ = call()
    assert faults(found) == {}
    assert code == 0
    assert list(found) == list(doctor.EXAMS)
    assert "is made up" in found["data"][-1]["text"]


def test_people_get_a_line_each_and_what_mends_below(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(run_backtest.load_catalogue, ["doctor", "--data", "nosuch"]) == 3
    printed, complained = capsys.readouterr()
    assert "fault   data          the data folder `nosuch` does not exist" in printed
    assert "-> Make one with `data import FILES --data nosuch`" in printed
    assert "data, record" in complained


def test_a_damaged_page_of_a_store_is_found(call, store):
    assert call("--data", store)[0] == 0
    path = max(store.glob("bars*.parquet"), key=lambda each: each.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    code, found, complained = call("--data", store)
    assert code == 3
    assert "data" in faults(found)
    assert path.name in faults(found)["data"][0]
    assert found["data"][0]["mend"]
    assert "1 fault" in complained or "2 faults" in complained


def test_old_bars_are_brought_by_what_brought_them(call, tmp_path):
    bars = tmp_path / "bars.csv"
    bars.write_text(
        "symbol,day,open,high,low,close,volume,amount\n159363.SZ,2025-08-20,1,1.01,0.99,1,1000000,1000000\n"
    )
    store = Store(tmp_path / "my store")
    import_files([bars], store)
    assert call("--data", store.folder)[1]["data"][-1]["mend"] == (
        f"etflow data import FILES --data '{store.folder}'"
    )
    fetched = SimpleNamespace(folder=Path("mine"), recipe={"recipes": []})
    assert renewal(cast(Any, fetched)) == "etflow data update --data mine"
    assert renewal(None) == "etflow data import FILES --data STORE"


def test_folders_that_cannot_be_written_are_named(call, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "file" / "state"))
    code, found, _ = call("--out", tmp_path / "file" / "results")
    assert code == 3
    assert len(faults(found)["folders"]) == 2
    assert "ETFLOW_STATE" in found["folders"][0]["mend"]
    assert faults(found)["record"]


def test_a_damaged_run_and_a_damaged_record_are_named(call, store, tmp_path):
    run = tmp_path / "results" / "momentum-00000000"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    record = store / "record"
    record.mkdir()
    (record / "record.jsonl").write_text('{"half a line\n')
    code, found, _ = call("--data", store)
    assert code == 3
    assert faults(found)["results"] == ["damaged in results: momentum-00000000"]
    assert faults(found)["record"] == [
        "1 line of the record damaged, missing or moved: verdicts are withheld"
    ]


def test_runs_without_checksums_are_counted(tmp_path):
    for name in ("one", "two"):
        save(make_result(), METRICS, tmp_path / name)
    (told,) = doctor._results(doctor.Patient(None, tmp_path))
    assert told == ("ok", f"2 runs in {tmp_path}, none damaged", "")
    (tmp_path / "one" / "SHA256SUMS").unlink()
    (told,) = doctor._results(doctor.Patient(None, tmp_path))
    assert told[1].endswith("none damaged; 1 without SHA256SUMS, of an earlier version")


@pytest.mark.parametrize(("left", "state"), [(-1, "fault"), (0, "remark"), (59, "remark"), (60, "ok")])
def test_a_calendar_that_ends_soon_is_a_remark_and_one_that_ended_a_fault(monkeypatch, left, state):
    from datetime import date, timedelta

    last = date.today() + timedelta(days=left)
    monkeypatch.setattr(doctor, "calendar_for", lambda _market: SimpleNamespace(last_day=last))
    found = list(doctor._calendars(doctor.Patient(None, Path("results"))))
    assert [each[0] for each in found] == [state, state]
    assert all(str(last) in each[1] for each in found)
    assert all(("etflow data calendar import" in each[2]) == (state != "ok") for each in found)


def test_the_version_is_asked_for_by_the_name_that_pip_knows(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == DISTRIBUTION
    assert versions()["etflow"] == version() == project["version"]


def test_a_library_that_is_broken_or_of_another_version_is_named(monkeypatch):
    def broken(name: str) -> object:
        if name == "numba":
            raise SystemError("initialization failed")
        return object()

    monkeypatch.setattr(doctor.importlib, "import_module", broken)
    monkeypatch.setattr(doctor.metadata, "requires", lambda _name: ["numpy>=999", "nosuch-library", "pandas"])
    versions = {"etfrotor": "0.1.0", "numpy": "2.0.0", "pandas": "2.2.0"}

    def version(name: str) -> str:
        if name not in versions:
            raise doctor.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(doctor.metadata, "version", version)
    found = list(doctor._installation(doctor.Patient(None, Path("results"))))
    assert [each[0] for each in found] == ["fault", "fault"]
    assert "numba (SystemError: initialization failed)" in found[0][1]
    assert found[1][1].endswith("numpy 2.0.0, where >=999 is asked for, nosuch-library is missing")


@pytest.mark.parametrize(("free", "state"), [(2**40, "ok"), (2**29, "remark"), (2**20, "fault")])
def test_a_disk_that_is_almost_full_is_said(monkeypatch, tmp_path, free, state):

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _place: SimpleNamespace(free=free))
    assert {each[0] for each in doctor._disk(doctor.Patient(None, tmp_path))} == {state}
