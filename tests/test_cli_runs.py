"""Finished runs at the command line: listed, shown, told apart, made again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import run_backtest
from engine import RunDifference
from engine.cli.main import main
from engine.cli.present import difference_table
from tests.helpers.cli import SMALL


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Return a folder of results with two runs in it."""
    out = tmp_path_factory.mktemp("results")
    for words in (["equal_weight"], ["momentum", "--set", "top=2"]):
        common = [*SMALL, "--quiet", "--out", str(out)]
        assert main(run_backtest.load_catalogue, ["run", *words, *common]) == 0
    return out


# --- finished runs ------------------------------------------------------------------------------------


def test_runs_are_listed_shown_and_told_apart(here, finished):
    first, second = sorted(folder.name for folder in finished.iterdir())
    code, printed, _ = here("runs", "list", "--out", finished, "--json")
    assert code == 0
    assert [each["run_id"] for each in json.loads(printed)] == [first, second]
    code, printed, _ = here("runs", "show", "momentum", "--out", finished)
    assert code == 0
    assert printed.startswith(f"{second} on demo")
    code, printed, _ = here("runs", "diff", first, second, "--out", finished, "--json")
    assert code == 0
    document = json.loads(printed)
    assert ["equal_weight", "momentum"] in [each["values"] for each in document["settings"]]
    assert document["first_day_of_other_equity"] > "2020"
    assert "SYNTHETIC" in document["notice"]
    code, printed, _ = here("runs", "diff", first, second, "--out", finished)
    assert code == 0
    names = [line.split("  ")[0] for line in printed.splitlines()]
    assert {"strategy", "Sharpe ratio"} <= {*names}  # what was set, once; metrics as `runs show` calls them
    assert not {"spec.strategy", "sharpe_ratio"} & {*names}
    one, two, notice = printed.splitlines()[:3]
    day = r"\d{4}-\d\d-\d\d"
    assert re.fullmatch(rf"{first} on demo, {day} to {day}, [\d,]+ sessions", one)
    assert two.startswith(f"{second} on demo, ")
    assert notice.startswith("SYNTHETIC")


def test_settings_that_differ_are_told_in_the_words_of_the_page(here, monkeypatch):
    settings = (
        ("spec.costs.slippage_rate", 0.0005, 0.0010000001),
        ("spec.reserve", 0.0, 0.05),
        ("spec.allow", [], ["unit-jump", "price-spike"]),
        ("spec.benchmark", None, "510300.SH"),
        ("parameters.excess", False, True),
        ("benchmark_known", "absent", {"sessions": 40, "of": 43}),
    )
    found = RunDifference(("one", "two"), ("CNY", "CNY"), settings, (), None)
    monkeypatch.setattr("engine.diff_runs", lambda *_: found)
    code, printed, _ = here("runs", "diff", "one", "two")
    assert code == 0
    assert [re.split("  +", line) for line in printed.splitlines()[3:-2]] == [
        ["", "one", "two"],
        ["costs.slippage_rate", "0.0005", "0.0010000001", "of the price, against us, on each side"],
        ["reserve", "0", "0.05", "of equity, that target weights leave in cash"],
        ["allow", "none", "unit-jump, price-spike", "failed data checks that the user let pass"],
        ["benchmark", "none", "510300.SH"],
        ["parameters.excess", "no", "yes"],
        ["benchmark_known", "absent", "sessions=40, of=43"],
    ]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.98761, 0.98764), r"^Beta +0\.98761 +0\.98764$"),  # 0.99 and 0.99 are no difference
        ((1.0, 1.0 + 2**-52), r"^Beta +1\.0{16} +1\.0{15}2$"),
        ((0.5, 0.7), r"^Beta +0\.50 +0\.70$"),
        ((None, 0.7), r"^Beta +n/a +0\.70$"),
        (("absent", 0.7), r"^Beta +absent +0\.70$"),
    ],
)
def test_metrics_that_differ_have_as_many_digits_as_tell_them_apart(values, told):
    difference = RunDifference(("one", "two"), ("CNY", "CNY"), (), (("beta", *values),), None)
    assert re.search(told, difference_table(difference), re.MULTILINE)


def test_a_benchmark_that_is_equal_weight_is_told_apart_once():
    metrics = [("beta", 1.0, 2.0), ("benchmark_beta", 3.0, 4.0), ("equal_weight_beta", 3.0, 4.0)]
    both = RunDifference(("one", "two"), ("CNY", "CNY"), (), tuple(metrics), None)
    assert [name for name, _, _ in both.metrics_once] == ["beta", "equal_weight_beta"]
    assert len(difference_table(both).splitlines()) == 3
    metrics[1] = ("benchmark_beta", 1.0, 2.0)  # the run is its benchmark
    assert replace(both, metrics=tuple(metrics)).metrics_once == tuple(metrics)


def test_a_run_reproduces_to_the_byte(here, finished):
    code, printed, complained = here("runs", "reproduce", "momentum", "--out", finished)
    assert code == 0, complained
    assert "the same" in printed


def test_a_run_that_drifted_ends_with_5_and_names_the_first_difference(here, finished, tmp_path):
    import shutil

    folder = next(finished.glob("momentum-*"))
    shutil.copytree(folder, tmp_path / folder.name)
    equity = tmp_path / folder.name / "equity.csv"
    lines = equity.read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([cells[0], "1.5", *cells[2:]])
    equity.write_text("\n".join(lines) + "\n")
    (tmp_path / folder.name / "SHA256SUMS").unlink()
    code, printed, complained = here("runs", "reproduce", folder.name, "--out", tmp_path)
    assert code == 5
    assert printed == ""
    assert f"equity.csv, line 4 ({cells[0]}, 1.5), equity: 1.5 became {cells[1]}" in complained


def test_what_the_checks_of_data_say_by_now_is_no_drift(here, finished, tmp_path):
    import shutil

    folder = next(finished.glob("momentum-*"))
    shutil.copytree(folder, tmp_path / folder.name)
    manifest, sums = (tmp_path / folder.name / name for name in ("manifest.json", "SHA256SUMS"))
    document = json.loads(manifest.read_text())
    said = {"allowed": ["error: a check that was taken back"], "data_warnings": ["warning: another"]}
    manifest.write_text(json.dumps(document | said))
    sums.unlink()
    assert here("runs", "reproduce", folder.name, "--out", tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_text(path.read_text() + "\n# later\n"), "my_flow.py changed since the run"),
        (Path.unlink, "my_flow.py is gone"),
    ],
    ids=["changed", "gone"],
)
def test_a_strategy_file_that_is_not_what_it_was_is_named(here, tmp_path, change, message):
    name = here("strategies", "new", "my_flow")[1].strip()
    assert here("run", name, *SMALL)[0] == 0
    assert here("runs", "reproduce", "last")[0] == 0
    change(tmp_path / "my_flow.py")
    code, printed, complained = here("runs", "reproduce", "last")
    assert (code, printed) == (5, "")
    assert f"does not reproduce: {message}." in complained
