"""The real command line: what it answers to right and wrong input, on which stream, with which exit code."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd
import pytest
from click.shell_completion import BashComplete

import run_backtest
from data.errors import DataError, StrategyError, UsageError, ValidationError
from data.load import load_panel
from data.source import open_source
from data.store.manifest import MANIFEST
from engine import RunDifference, run
from engine.cli.app import App, Catalogue
from engine.cli.main import group, main
from engine.cli.present import difference_table
from engine.kernel.targets import WEIGHTINGS
from engine.tuning.study import STUDY_FILE
from strategies import STRATEGIES

ROOT = Path(run_backtest.__file__).parent

BROKEN = "def broken(:\n"
RAISING = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Mine:
    top: int = 1
    rebalance: int = 5
    threshold: float | None = None
    weighting: str = "equal"
    cap: float = 1.0
    hysteresis: int = 0
    otherwise: str = "cash"
    warmup: int = 1

    def scores(self, known):
        raise ZeroDivisionError("my own mistake")
"""
PRINTING = RAISING.replace(
    'raise ZeroDivisionError("my own mistake")', 'print("scoring"); return known.adjusted_close'
).replace("\nfrom dataclasses", "\nprint('loading')\nfrom dataclasses")
WAITING = RAISING.replace(
    'raise ZeroDivisionError("my own mistake")',
    "import pathlib, time; pathlib.Path(__file__).with_name('computing').touch(); time.sleep(60)",
)


def start(*words: object, **options) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options
    )


def etflow(*words: object, **options) -> tuple[int, str, str]:
    """Run the command line as a process of its own; returns exit code, standard output, standard error."""
    process = start(*words, **options)
    printed, complained = process.communicate(timeout=120)
    return process.returncode, printed, complained


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Return a folder of results with two runs in it."""
    out = tmp_path_factory.mktemp("results")
    for words in (["equal_weight"], ["momentum", "--set", "top=2"]):
        common = [*SMALL, "--quiet", "--out", str(out)]
        assert main(run_backtest.load_catalogue, ["run", *words, *common]) == 0
    return out


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def walk(command: click.Command, path: tuple[str, ...]) -> None:
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                walk(each, (*path, name))
        else:
            found.append(path)

    walk(group, ())
    return found


# --- help ---------------------------------------------------------------------------------------------


def test_help_lists_every_command_and_the_exit_codes():
    code, printed, complained = etflow("--help")
    assert code == 0
    assert complained == ""
    for path in every_command():
        assert re.search(rf"^  {path[0]} ", printed, re.MULTILINE), path
    assert "130 interrupted" in printed
    assert "Completion" in printed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run mom", ["momentum"]),
        # Beside the values, so that a shell completes up to the sign and adds no space.
        ("run momentum --set look", ["lookback=", "lookback=60"]),
        ("run momentum --set otherw", ["otherwise=", "otherwise=cash"]),
        (
            "tune momentum --param top=1 --param t",
            ["top=", "threshold=", "tranches=", "trailing_stop=", "time_stop="],
        ),
        ("signal equal_weight --set weigh", ["weighting=", *(f"weighting={each}" for each in WEIGHTINGS)]),
        ("run nothing_of_the_kind --set look", []),
        ("run mine.py:Mine --set look", []),
        ("run momentum --cost slip", ["slippage_rate=", "slippage_rate=0.0005"]),
        ("tune momentum --objective sort", ["sortino_ratio"]),
        ("tune momentum --objective turn", ["turnover"]),
        ("runs list --sort sort", ["sortino_ratio"]),
        ("run momentum --universe ai", ["ai_cn"]),
        ("run momentum --data d", ["demo", "desk"]),
        ("brief --data ./de", ["./desk"]),
        ("data import --data des", ["desk"]),
        ("data universe chinext", ["chinext_ai"]),
        ("data check --allow frozen", ["frozen-series"]),
        ("run momentum --allow al", ["all"]),
        ("audit momentum --only look_ahead,pla", ["look_ahead,placebo"]),
        ("validate mine", ["mine-study-1"]),
        ("validate --out elsewhere mine", []),
        ("report mine", ["mine-study-1"]),
        ("runs show l", ["last"]),
    ],
)
def test_the_shell_completes_names(line, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "results" / "mine-study-1" / STUDY_FILE
    study.parent.mkdir(parents=True)
    study.touch()
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / MANIFEST).touch()
    words = ["etflow", *line.split(" ")]
    monkeypatch.setenv("COMP_WORDS", " ".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    shell = BashComplete(group, {"obj": App(run_backtest.load_catalogue)}, "etflow", "_ETFLOW_COMPLETE")
    assert shell.complete().splitlines() == [f"plain,{word}" for word in expected]


@pytest.mark.parametrize(
    ("line", "kind"), [("run my", "file"), ("compare my", "file"), ("run momentum --data els", "dir")]
)
def test_the_shell_completes_files_and_folders_where_no_name_begins_so(line, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["etflow", *line.split(" ")]
    monkeypatch.setenv("COMP_WORDS", " ".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    shell = BashComplete(group, {"obj": App(run_backtest.load_catalogue)}, "etflow", "_ETFLOW_COMPLETE")
    assert shell.complete() == f"{kind},{words[-1]}"


def test_completion_ends_in_silence(tmp_path):
    asked = {"_RUN_BACKTEST_PY_COMPLETE": "bash_complete", "COMP_WORDS": "etflow run mom", "COMP_CWORD": "2"}
    assert etflow(cwd=tmp_path, env=os.environ | asked) == (0, "plain,momentum\n", "")


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(here, path):
    code, printed, _ = here(*path, "--help")
    assert code == 0
    assert f"etflow {' '.join(path)}" in " ".join(printed.split())


def test_the_promised_commands_are_there():
    promised = ("run", "compare", "signal", "brief", "report", "data", "strategies", "runs")
    assert [name for name in promised if name not in group.commands] == []
    assert {name for first, *rest in every_command() if first == "runs" for name in rest} == {
        "list",
        "show",
        "diff",
        "reproduce",
    }


def test_the_promised_options_are_there():
    promised = (
        "--data --symbols --universe --start --end --set --cash --benchmark --engine --fill --cost --out "
        "--no-report --seed --json --quiet -v --spec --allow --availability --lag"
    )
    for name in ("run", "compare"):
        options = {word for each in group.commands[name].params for word in each.opts}
        assert set(promised.split()) <= options


def test_version_is_printed(here):
    code, printed, _ = here("--version")
    assert code == 0
    assert printed.startswith("etflow ")


# --- exit codes ---------------------------------------------------------------------------------------


def failing_with(error: BaseException):
    def load() -> Catalogue:
        raise error

    return load


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("a wrong word"), 2),
        (DataError("no data"), 3),
        (StrategyError("it raised"), 4),
        (ValidationError("it drifted"), 5),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_family_of_errors_has_its_exit_code_and_one_line(capsys, error, code):
    assert main(failing_with(error), ["strategies", "list"]) == code
    printed, complained = capsys.readouterr()
    assert printed == ""
    assert complained.startswith("error: ")
    assert complained.count("\n") == 1


def test_a_bug_of_ours_shows_its_traceback_and_asks_for_a_report(capsys):
    assert main(failing_with(RuntimeError("oops")), ["strategies", "list"]) == 1
    complained = capsys.readouterr().err
    assert "RuntimeError: oops" in complained
    assert "Please report" in complained


def test_v_shows_the_traceback_of_an_error_too(capsys):
    assert main(failing_with(UsageError("a wrong word")), ["strategies", "list", "-v"]) == 2
    complained = capsys.readouterr().err
    assert "Traceback" in complained
    assert complained.endswith("error: a wrong word.\n")


def test_a_reader_that_has_seen_enough_is_no_error():
    with start("strategies", "list", "--json") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 141  # as of a process that SIGPIPE ended


def test_help_for_a_reader_that_is_gone_ends_the_same_way():
    with start("--help") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 141


def test_ctrl_c_while_modules_load_is_one_line_too(capsys, monkeypatch):
    class Interrupting:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "engine.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "engine.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    assert run_backtest.main() == 130
    assert capsys.readouterr() == ("", "error: interrupted; nothing was half-written.\n")


@pytest.mark.parametrize("words", [(), ("data",)], ids=["etflow", "etflow data"])
def test_a_group_alone_shows_its_help(here, words):
    code, printed, complained = here(*words)
    assert code == 2
    assert (printed + complained).rstrip("\n") == here(*words, "--help")[1].rstrip("\n")


def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path):
    (tmp_path / "mine.py").write_text(WAITING)
    process = start("run", tmp_path / "mine.py:Mine", "--out", tmp_path / "results", cwd=tmp_path)
    wait_until(lambda: (tmp_path / "computing").exists() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    printed, complained = process.communicate(timeout=60)
    assert process.returncode == 130, complained
    assert printed == ""
    assert complained == "error: interrupted; nothing was half-written.\n"
    assert not (tmp_path / "results").exists()


def test_a_polite_kill_leaves_nothing_either(tmp_path):
    (tmp_path / "mine.py").write_text(WAITING)
    process = start("run", tmp_path / "mine.py:Mine", "--out", tmp_path / "results", cwd=tmp_path)
    wait_until(lambda: (tmp_path / "computing").exists() or process.poll() is not None)
    process.terminate()
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 143, complained
    assert not (tmp_path / "results").exists()


def wait_until(holds, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- wrong input --------------------------------------------------------------------------------------

RUN = ("run", "momentum", "--no-report")
SMALL = ("--no-report", "--end", "2021-06-30", "--symbols", "157001.SZ,157011.SZ,586011.SH")

WRONG = {
    "unknown command": (("rum",), 2, "no command `rum`.*`run`"),
    "unknown option": (("run", "momentum", "--cahs", "1"), 2, "No such option.*--cash"),
    "no strategy": (("run",), 2, "name a strategy"),
    "unknown strategy": (("run", "momentun"), 2, "unknown strategy `momentun`.*`momentum`"),
    "unknown parameter": ((*RUN, "--set", "lookbak=60"), 2, "unknown parameter `lookbak`.*`lookback`"),
    "parameter out of bounds": ((*RUN, "--set", "top=-1"), 2, "`top`.*received -1.*limit"),
    "parameter of the wrong kind": ((*RUN, "--set", "top=many"), 2, "`top`.*whole number.*'many'"),
    "set without value": ((*RUN, "--set", "top"), 2, "--set needs NAME=VALUE; received top"),
    "unknown cost": ((*RUN, "--cost", "comission_rate=0"), 2, "unknown cost.*`commission_rate`"),
    "cost that is no number": ((*RUN, "--cost", "impact=much"), 2, "`impact` is not a number.*much"),
    "cost out of bounds": ((*RUN, "--cost", "slippage_rate=5"), 2, "`slippage_rate`.*received 5.*limit"),
    "start after end": ((*RUN, "--start", "2024-01-02", "--end", "2023-01-03"), 2, "`start` is after `end`"),
    "a day that is none": ((*RUN, "--start", "2024-02-30"), 2, "`2024-02-30` is not a day"),
    "cash below zero": ((*RUN, "--cash", "-5"), 2, "`cash`.*received -5"),
    "cash that is no number": ((*RUN, "--cash", "nan"), 2, "`cash`"),
    "cash too small for a lot": (("run", "momentum", *SMALL, "--cash", "20"), 2, "too little for one lot"),
    "malformed symbol": ((*RUN, "--symbols", "15?001.SZ"), 2, r"15\?001\.SZ"),
    "symbols that are empty": ((*RUN, "--symbols", ""), 2, "--symbols names no fund.*Leave it out"),
    "no symbols to check": (("data", "check", "--symbols", " ,"), 2, "--symbols names no fund"),
    "no symbols to fetch": (
        ("data", "fetch", "--provider=akshare", "--data=store", "--start=2024-01-02", "--symbols="),
        2,
        "--symbols names no fund",
    ),
    "unknown symbol": ((*RUN, "--symbols", "157001.SZ,157999.SZ"), 3, r"157999\.SZ.*Did you mean"),
    "unknown universe": ((*RUN, "--universe", "ai_cm"), 2, "unknown universe `ai_cm`.*`ai_cn`"),
    "universe without data": ((*RUN, "--universe", "us_ai"), 3, "no bars of any fund of the universe"),
    "symbols and universe": ((*RUN, "--universe", "ai_cn", "--symbols", "157001.SZ"), 2, "not both"),
    "unknown benchmark": (
        ("run", "momentum", *SMALL, "--benchmark", "DEMO-X"),
        2,
        "unknown benchmark.*DEMO-",
    ),
    "unknown fill": ((*RUN, "--fill", "opne"), 2, "opne.*open"),
    "unknown table to lag": ((*RUN, "--lag", "unit=1"), 2, "unit.*units"),
    "lag that is no number": ((*RUN, "--lag", "units=one"), 2, "whole number of sessions; received one"),
    "unknown check": ((*RUN, "--allow", "unit-jum"), 2, "unknown check `unit-jum`.*`unit-jump`"),
    "no such data": ((*RUN, "--data", "nowhere"), 3, "`nowhere` does not exist"),
    "no data after start": ((*RUN, "--start", "2031-01-02"), 3, "received from 2031-01-02.*2025-08-20"),
    "end before the data": ((*RUN, "--end", "2001-01-02"), 3, "before the data begin.*2001-01-02"),
    "start before the warm-up": (
        ("run", "momentum", *SMALL, "--start", "2020-08-24"),
        3,
        "first possible day is 2020-1",
    ),
    "too short for the warm-up": ((*RUN, "--end", "2020-09-01"), 3, "can decide on no session"),
    "no such strategy file": (("run", "my.py:Mine"), 2, "no such strategy file"),
    "no such run": (("report", "momentum-00000000"), 2, "there is no run"),
    "no spec file": (("run", "--spec", "my.toml"), 2, "cannot read the spec my.toml"),
    "import of nothing": (("data", "import"), 2, "what to import"),
    "import of a missing file": (("data", "import", "no.csv", "--data", "store"), 2, "no file or folder"),
    "unknown table": (("data", "show", "bar"), 2, "bar.*bars"),
    "new strategy with a bad name": (("strategies", "new", "1st"), 2, "1st"),
}


@pytest.mark.parametrize(("words", "code", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input_is_answered_in_one_line(here, tmp_path, words, code, message):
    got, printed, complained = here(*words)
    assert got == code
    assert printed == ""
    assert complained.startswith("error: ")
    assert complained.count("\n") == 1
    assert re.search(message, complained), complained
    assert list(tmp_path.iterdir()) == []


def test_holdings_that_are_no_number_are_told_what_is(here, tmp_path):
    (tmp_path / "held.csv").write_text("symbol,shares\n157001.SZ,many\n")
    code, _, complained = here("signal", "momentum", "--holdings", "held.csv")
    assert code == 2
    assert complained.endswith("received many; limit: a whole number, 0 or more.\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("strategy = ", "the spec run.toml is not a TOML file"),
        ('strategy = "momentum"\ncahs = 5', "unknown setting `cahs`.*`cash`"),
        ('strategy = "momentum"\ncash = "much"', "`cash` must be a number; received 'much'"),
        ('strategy = "momentum"\nsymbols = "157001.SZ"', "`symbols` must be a list"),
        ('strategy = "momentum"\nparameters = 3', "`parameters` must be a table"),
        ("cash = 5", "name a strategy"),
    ],
)
def test_a_wrong_spec_file_is_answered_in_one_line(here, tmp_path, content, message):
    (tmp_path / "run.toml").write_text(content)
    code, _, complained = here("run", "--spec", "run.toml")
    assert code == 2
    assert re.search(message, complained), complained


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (BROKEN, "could not be loaded.*SyntaxError"),
        (RAISING, "Mine raised.*ZeroDivisionError: my own mistake"),
    ],
    ids=["cannot be loaded", "raises"],
)
def test_a_strategy_that_fails_ends_with_4(here, tmp_path, source, message):
    (tmp_path / "mine.py").write_text(source)
    code, printed, complained = here("run", "mine.py:Mine")
    assert code == 4
    assert printed == ""
    assert re.search(message, complained), complained
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["mine.py"]


def test_an_unwritable_folder_is_found_before_anything_runs(here, tmp_path):
    (tmp_path / "taken").write_text("a file")
    code, _, complained = here("run", "momentum", "--data", "nowhere", "--out", "taken/results")
    assert code == 2
    assert "cannot write results to taken/results" in complained


# --- run ----------------------------------------------------------------------------------------------


def test_json_is_one_document_and_everything_else_goes_to_stderr(tmp_path):
    words = ("run", "momentum", *SMALL, "--json", "--set", "top=2", "-v")
    code, printed, _ = etflow(*words, cwd=tmp_path)
    assert code == 0
    document = json.loads(printed, parse_constant=pytest.fail)
    assert list(document)[:9] == [
        "run_id",
        "folder",
        "strategy",
        "parameters",
        "engine",
        "data",
        "metrics",
        "reasons",
        "counts",
    ]
    assert document["strategy"] == "momentum"
    assert document["parameters"]["top"] == 2
    assert document["data"]["synthetic"] is True
    assert document["data"]["last_day"] == "2021-06-30"
    assert document["data"]["symbols"] == ["157001.SZ", "157011.SZ", "586011.SH"]
    assert "SYNTHETIC" in document["notice"]
    assert document["counts"]["fills"] > 0
    assert set(document["seconds"]) == {"data", "checks", "panel", "simulation", "metrics", "report"}
    assert document["metrics"]["max_drawdown"] < 0
    folder = tmp_path / document["folder"]
    assert folder.name == document["run_id"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {**document["metrics"], "reasons": document["reasons"]} == metrics
    assert sorted(path.name for path in folder.iterdir()) == [
        "SHA256SUMS",
        "equity.csv",
        "fills.csv",
        "manifest.json",
        "marks.csv",
        "metrics.json",
        "positions.csv",
        "rejections.csv",
        "weights.csv",
    ]


def test_the_table_says_what_ran_and_where_it_lies(here, tmp_path):
    code, printed, complained = here("run", "equal_weight", *SMALL)
    assert code == 0
    assert complained == ""
    lines = printed.splitlines()
    assert re.fullmatch(r"equal_weight-[0-9a-f]{8} on demo", lines[0])
    assert " to 2021-06-30: " in lines[1]
    assert lines[2].startswith("SYNTHETIC")
    assert lines[3] == "benchmark: DEMO-ALL"
    header = next(line for line in lines if "Benchmark" in line)
    assert header.split() == ["equal_weight", "Benchmark", "Equal", "weight,", "no", "cost", "unit"]
    assert {line.rindex("  ") for line in lines if line.endswith(("% a year", " unit"))} == {
        header.rindex("  ")
    }
    assert lines[-1] == f"results     results/{lines[0].split()[0]}"
    assert "\x1b" not in printed


def test_quiet_prints_only_the_folder(here):
    code, printed, complained = here("run", "equal_weight", *SMALL, "-q")
    assert code == 0
    assert re.fullmatch(r"results/equal_weight-[0-9a-f]{8}\n", printed)
    assert complained == ""


def test_a_spec_file_says_the_same_as_options_and_options_override_it(here, tmp_path):
    (tmp_path / "run.toml").write_text(
        'strategy = "momentum"\nend = 2021-06-30\nsymbols = ["157001.SZ", "157011.SZ"]\n'
        "[parameters]\ntop = 1\nlookback = 40\n[costs]\nimpact = 0.5\n"
    )
    common = ("--no-report", "--json")
    _, by_file, _ = here("run", "--spec", "run.toml", *common)
    options = ("--end", "2021-06-30", "--symbols", "157001.SZ,157011.SZ", "--set", "top=1")
    _, by_options, _ = here(
        "run", "momentum", *options, "--set", "lookback=40", "--cost", "impact=0.5", *common
    )
    assert json.loads(by_file)["run_id"] == json.loads(by_options)["run_id"]
    _, other, _ = here("run", "--spec", "run.toml", "--set", "lookback=20", "--universe", "ai_cn", *common)
    assert other == ""  # the universe has no fund in the demo
    _, other, _ = here("run", "--spec", "run.toml", "--set", "lookback=20", "--symbols", "157001.SZ", *common)
    document = json.loads(other)
    assert document["parameters"]["lookback"] == 20
    assert document["parameters"]["top"] == 1
    assert document["data"]["symbols"] == ["157001.SZ"]


SEARCH = """
strategy = "momentum"
symbols = ["157001.SZ", "157011.SZ"]
end = 2021-06-30
[parameters]
rebalance = 10
top = 2
[tune]
param = { lookback = "20:40:20", top = [1, 2] }
where = ["top <= 2"]
objective = ["annual_return"]
[audit]
only = ["order_and_scale"]
[compare]
strategies = ["momentum:top=1", "equal_weight"]
"""


@pytest.mark.slow
def test_a_spec_file_holds_a_search_an_audit_and_a_comparison(here, tmp_path):
    (tmp_path / "all.toml").write_text(SEARCH)
    said = ("--symbols", "157001.SZ,157011.SZ", "--end", "2021-06-30", "--set", "rebalance=10")
    words = ("--param", "lookback=20:40:20", "--param", "top=1,2", "--where", "top <= 2")
    common = ("--no-verdict", "--no-report", "--json")
    assert here("tune", "all.toml", "--out", "file", *common)[0] == 0
    typed = (*said, *words, "--objective", "annual_return", *common)
    assert here("tune", "momentum", *typed, "--out", "typed")[0] == 0
    (study,) = (tmp_path / "file").glob("*/study.jsonl")
    (other,) = (tmp_path / "typed").glob("*/study.jsonl")
    assert study.read_bytes() == other.read_bytes()
    # What was written is a spec file again: of the search, and of a run.
    assert here("tune", study, "--out", "again", *common)[0] == 0
    assert (tmp_path / "again" / study.parent.name / "study.jsonl").read_bytes() == study.read_bytes()
    first = json.loads(here("run", "all.toml", "--no-report", "--json")[1])
    manifest = tmp_path / "results" / first["run_id"] / "manifest.json"
    before = manifest.read_bytes()
    assert json.loads(here("run", manifest, "--no-report", "--json")[1])["run_id"] == first["run_id"]
    assert manifest.read_bytes() == before
    # What is typed overrides the file, of the searched parameters each by its name.
    assert (
        here("tune", "all.toml", "--param", "top=1", "--objective", "turnover:min", "--out", "o", *common)[0]
        == 0
    )
    header = json.loads(next((tmp_path / "o").glob("*/study.jsonl")).read_text().splitlines()[0])
    assert (header["space"], header["objectives"]) == (["lookback=20:40:20", "top=1"], ["turnover:min"])
    audited = json.loads(here("audit", "all.toml", "--no-report", "--json")[1])
    assert [each["name"] for each in audited["audits"]] == ["order_and_scale"]
    compared = json.loads(here("compare", "all.toml", "--no-report", "--json")[1])
    assert [each["strategy"] for each in compared["runs"]] == ["momentum", "equal_weight"]
    assert compared["runs"][0]["parameters"]["top"] == 1


@pytest.mark.parametrize(
    ("command", "content", "message"),
    [
        ("tune", "[tun]\nwhere = []", "unknown setting `tun`. Did you mean `tune`"),
        ("tune", '[tune]\nparm = { top = "1:2" }', r"\[tune\]: unknown option `parm`. Did you mean `param`"),
        ("tune", "[tune]\nparam = 3", "`param` must be a table of names and values; received 3"),
        ("tune", '[tune]\ntrials = "x"', "`trials` must be a whole number; received 'x'"),
        ("tune", '[tune]\nparam = { top = [1] }\nsplits = "no"', r"`splits` cannot be that; received 'no'"),
        ("tune", "[tune]\nparam = { top = [1] }\nfolds = -4", r"`folds` cannot be that; received -4"),
        ("audit", "[audit]\ndraws = 0", r"`draws` cannot be that; received 0"),
        ("audit", '[audit]\nonly = ["lookahead"]', "unknown audit `lookahead`.*`look_ahead`"),
        ("compare", "[compare]\nstrategies = []", "name strategies or runs to compare"),
    ],
)
def test_what_a_spec_file_cannot_say_of_a_command_is_refused(here, tmp_path, command, content, message):
    (tmp_path / "all.toml").write_text(f'strategy = "momentum"\n{content}\n')
    code, printed, complained = here(command, "all.toml")
    assert (code, printed) == (2, "")
    assert re.search(message, complained), complained
    assert [path.name for path in tmp_path.iterdir()] == ["all.toml"]


def test_what_is_no_spec_file(here, tmp_path):
    (tmp_path / "all.toml").write_text('strategy = "momentum"')
    assert "limit: a TOML file, manifest.json of a run" in here("run", "other.json")[2]
    assert "there are two spec files" in here("run", "all.toml", "--spec", "all.toml")[2]
    assert "there are two spec files" in here("compare", "all.toml", "b.toml")[2]


@pytest.mark.slow
def test_the_manifest_of_somebody_else_runs_no_file_that_was_never_run_by_its_name(here, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom strategies.momentum import Momentum\n\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Mine(Momentum):\n    pass\n"
    )
    run = json.loads(here("run", "mine.py:Mine", *SMALL, "--json")[1])
    manifest = tmp_path / "results" / run["run_id"] / "manifest.json"
    assert here("run", manifest, "--no-report", "--quiet")[0] == 0
    with (tmp_path / "mine.py").open("a") as file:
        file.write("# changed\n")
    code, _, complained = here("run", manifest, "--no-report")
    assert code == 2
    assert "you have not run yet" in complained
    assert "run the strategy by its name once" in complained


def test_parameters_of_a_spec_file_go_with_its_strategy(here, tmp_path):
    (tmp_path / "run.toml").write_text('strategy = "momentum"\n[parameters]\nlookback = 40\n')
    same = json.loads(here("run", "momentum", "--spec", "run.toml", *SMALL, "--json")[1])
    assert same["parameters"]["lookback"] == 40
    other = json.loads(here("run", "equal_weight", "--spec", "run.toml", *SMALL, "--json")[1])
    assert other["strategy"] == "equal_weight"


def test_same_run_same_id_whether_a_default_is_spelled_out(here):
    common = (*SMALL, "--json")
    ids = {
        json.loads(here("run", "momentum", *words, *common)[1])["run_id"]
        for words in ((), ("--set", "top=3"), ("--cash", "1e6"))
    }
    assert len(ids) == 1


def test_data_with_errors_stop_a_run_and_allow_goes_on(here, tmp_path):
    bars = (tmp_path / "bars.csv").open("w")
    with bars:
        bars.write("symbol,day,open,high,low,close,volume,amount\n")
        for number, day in enumerate(sessions(60)):
            price = 2.0 if number < 40 else 1.0  # halves from one day to the next, and no split is recorded
            bars.write(f"159995.SZ,{day},{price},{price},{price},{price},1000000,{price * 1e6}\n")
    assert here("data", "import", "bars.csv", "--data", "store")[0] == 0
    words = ("run", "momentum", "--data", "store", "--no-report", "--json", "--set", "lookback=5")
    code, _, complained = here(*words)
    assert code == 3
    assert "failed the check `unrecorded-split`: bars 159995.SZ" in complained
    assert "--allow unrecorded-split" in complained
    code, printed, complained = here(*words, "--allow", "unrecorded-split")
    assert code == 0, complained
    assert "went on over errors in its data: 1, the first: error: unrecorded-split" in complained
    manifest = json.loads((tmp_path / json.loads(printed)["folder"] / "manifest.json").read_text())
    assert manifest["spec"]["allow"] == ["unrecorded-split"]
    assert "unrecorded-split" in manifest["allowed"][0]
    assert here("data", "check", "--data", "store")[0] == 3
    assert here("data", "check", "--data", "store", "--allow", "all")[0] == 0


def suggested(complained: str) -> list[str]:
    """Return the options that a message suggests, as one would copy them."""
    found = re.search(r"`(--allow [^`]*)`", complained)
    assert found, complained
    return found[1].split()


def test_all_failed_checks_are_named_and_what_is_suggested_goes_on(here, tmp_path):
    """A price that halves; and a close ten times too high, which comes after the account began."""
    for name, first, last in (("bars.csv", 0, 50), ("later.csv", 50, 60)):
        with (tmp_path / name).open("w") as bars:
            bars.write("symbol,day,open,high,low,close,volume,amount\n")
            for number, day in [*enumerate(sessions(60))][first:last]:
                price = 2.0 if number < 40 else 1.0
                close = 10.0 if number == 55 else price
                bars.write(f"159995.SZ,{day},{price},{close},{price},{close},1000000,{price * 1e6}\n")
    assert here("data", "import", "bars.csv", "--data", "store")[0] == 0
    words = ("momentum", "--data", "store", "--set", "lookback=5")
    here("run", *words, "--no-report", "--allow", "unrecorded-split")
    here("account", "new", "desk", *words, "--start", sessions(60)[45], "--allow", "unrecorded-split")
    assert here("account", "step", "desk")[0] == 0
    here("data", "import", "later.csv", "--data", "store")
    failed = ("amount-scale", "lots-for-shares", "price-spike", "unrecorded-split")
    options = [word for name in failed for word in ("--allow", name)]
    for given in (("account", "step", "desk"), ("account", "diff", "desk"), ("runs", "reproduce", "last")):
        code, _, complained = here(*given)
        assert (code, suggested(complained)) == (3, options)
        code, _, complained = here(*given, *options)
        # A run without an end is another one on longer data.
        assert (code, "does not reproduce" in complained) == ((5, True) if "last" in given else (0, False))
    for given in (("run", *words, "--no-report"), ("data", "check", "--data", "store")):
        code, _, complained = here(*given)
        assert code == 3
        assert all(name in complained.partition(".")[0] for name in failed)
        assert suggested(complained) == options
        # Of what is allowed already nothing is lost.
        assert suggested(here(*given, "--allow", "unrecorded-split")[2]) == options
        assert here(*given, *options)[0] == 0


def sessions(count: int) -> list[str]:
    from datetime import date

    from data.facts.calendars import calendar_for

    return [str(day) for day in calendar_for("cn_etf").sessions(date(2024, 3, 1), date(2024, 12, 31))[:count]]


# --- compare ------------------------------------------------------------------------------------------


def test_strategies_with_settings_of_their_own_are_compared_from_the_same_day(here):
    words = ("momentum:lookback=60,top=2", "equal_weight", *SMALL)
    code, printed, complained = here("compare", *words, "--json")
    assert code == 0, complained
    first, second = json.loads(printed)["runs"]
    assert first["parameters"]["lookback"] == 60
    assert first["counts"]["sessions"] == second["counts"]["sessions"]
    code, printed, complained = here("compare", first["run_id"], second["run_id"], "--no-report")
    assert code == 0
    assert complained == ""
    header = next(line for line in printed.splitlines() if "Benchmark" in line)
    assert header.split()[:2] == [first["run_id"], second["run_id"]]
    assert "SYNTHETIC" in printed


def test_runs_of_different_periods_are_compared_over_the_sessions_that_both_have(here, tmp_path):
    common = ("--symbols", "157001.SZ,157011.SZ,586011.SH", "--no-report", "--quiet")
    assert here("run", "equal_weight", "--end", "2021-03-31", *common)[0] == 0
    later = ("--start", "2021-02-01", "--end", "2021-06-30", "--benchmark", "equal_weight")
    assert here("run", "buy_hold", *later, *common)[0] == 0
    code, printed, complained = here("compare", "last~1", "last", "--no-report", "--json")
    assert code == 0, complained
    one, other = json.loads(printed)["runs"]
    days = pd.read_csv(next(tmp_path.glob("results/buy_hold-*")) / "equity.csv", index_col="day")
    shared = days[days.index <= "2021-03-31"]
    period = {"first_day": "2021-02-01", "last_day": "2021-03-31", "sessions": len(shared)}
    assert one["period"] == other["period"] == period
    assert one["counts"]["sessions"] == len(shared)
    total = shared["equity"].iloc[-1] / 1e6 - 1.0
    assert other["metrics"]["cum_returns_final"] == pytest.approx(total)
    assert other["alone"]["metrics"]["cum_returns_final"] == pytest.approx(
        days["equity"].iloc[-1] / 1e6 - 1.0
    )
    assert (one["alone"]["last_day"], other["alone"]["last_day"]) == ("2021-03-31", "2021-06-30")
    assert (one["benchmark"], other["benchmark"]) == ("DEMO-ALL", "equal_weight")
    code, printed, complained = here("compare", "last~1", "last", "--no-report")
    assert f"compared over the {len(shared)} sessions that all have" in complained
    assert f"On 2021-02-01 {other['run_id']} earns from the fill point on" in complained
    assert f"2021-02-01 to 2021-03-31: {len(shared)} sessions, 3 funds in common" in printed
    assert f"benchmark of {other['run_id']}: equal weight\n" in printed
    assert "Over its own period, standing alone" in printed


@pytest.mark.slow
def test_reports_are_written_again_and_compared_on_a_page(here, tmp_path):
    for strategy in ("share_inflow", "momentum"):
        assert (
            here("run", strategy, "--end", "2021-06-30", "--symbols", "157001.SZ,157011.SZ,586011.SH")[0] == 0
        )
    (folder,) = tmp_path.glob("results/momentum-*")
    sheet = (folder / "tearsheet.html").read_bytes()
    (folder / "tearsheet.html").unlink()
    code, printed, complained = here("report", "last")
    assert code == 0, complained
    assert printed == f"{folder.relative_to(tmp_path)}/tearsheet.html\n"
    assert (folder / "tearsheet.html").read_bytes() == sheet
    code, _, complained = here("run", strategy, "--pdf", "--no-report")
    assert code == 2
    assert "--pdf prints the tear sheet, which --no-report leaves out" in complained
    code, printed, complained = here("compare", "last~1", "last", "--json")
    assert code == 0, complained
    page = (tmp_path / json.loads(printed)["page"]).read_text(encoding="utf-8")
    assert "SYNTHETIC" in page
    without_scripts = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert re.search(r"https?:", without_scripts) is None


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


# --- the interpreter ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "expected"), [("-OO", 2), pytest.param("-O", 0, marks=pytest.mark.slow)], ids=("-OO", "-O")
)
def test_an_interpreter_without_docstrings_is_refused(tmp_path, flag, expected):
    words = ["run", "equal_weight", *SMALL, "--no-report", "--quiet"]
    command = [sys.executable, flag, str(ROOT / "run_backtest.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == expected, done.stderr
    assert ("without docstrings" in done.stderr) == (expected == 2)


# --- strategies and data ------------------------------------------------------------------------------


def test_strategies_are_listed_with_names(here):
    code, printed, _ = here("strategies", "list", "--json")
    assert code == 0
    names = [each["name"] for each in json.loads(printed)]
    assert {"share_inflow", "leveraged_flow", "flow_blend", "momentum", "equal_weight", "buy_hold"} <= set(
        names
    )


def test_parameters_of_a_strategy_are_shown_with_bounds_and_units(here):
    code, printed, _ = here("strategies", "show", "momentum", "--json")
    assert code == 0
    by_name = {each["name"]: each for each in json.loads(printed)["parameters"]}
    assert by_name["top"]["low"] == 0
    assert by_name["lookback"]["unit"] == "sessions"


def test_a_new_strategy_runs_as_it_is_and_is_not_overwritten(here):
    code, printed, _ = here("strategies", "new", "my_flow", "--out", "mine")
    assert code == 0
    assert printed == "mine/my_flow.py:MyFlow\n"
    code, _, complained = here("run", printed.strip(), *SMALL, "-q")
    assert code == 0, complained
    code, _, complained = here("strategies", "new", "my_flow", "--out", "mine")
    assert code == 2
    assert "exists already" in complained


def test_a_new_strategy_is_whole_or_absent_on_a_full_disk(here, tmp_path, monkeypatch):
    def full(path, *_args, **_options):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    code, _, complained = here("strategies", "new", "my_flow", "--out", "mine")
    assert code == 2
    assert "No space left" in complained
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_demo_market_in_a_store_stays_synthetic(here, tmp_path):
    assert here("data", "demo", "--data", "placebo", "--flow-effect", "0")[0] == 0
    code, printed, _ = here("data", "show", "--data", "placebo", "--json")
    assert code == 0
    assert json.loads(printed)["synthetic"] is True
    words = ("run", "equal_weight", "--data", "placebo", *SMALL)
    assert "SYNTHETIC" in here(*words)[1]
    # in Python as well, where nobody asks for it
    panel = load_panel(open_source("placebo"), ["157001.SZ"])
    assert panel.synthetic
    assert run(STRATEGIES["equal_weight"](), panel).synthetic


def test_the_demo_market_passes_its_checks(here):
    code, printed, complained = here("data", "check", "--json")
    assert code == 0, complained
    assert json.loads(printed)["passed"] is True


# --- speed --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("words", "limit"), [(("--help",), 0.3), (("strategies", "list"), 1.0)])
def test_start_up_feels_instant(words, limit):
    taken = []
    for _ in range(5):
        before = os.times()
        assert etflow(*words)[0] == 0
        after = os.times()
        taken.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    assert min(taken) < limit


# --- the page of commands -----------------------------------------------------------------------------


def test_the_page_of_commands_is_up_to_date():
    spec = importlib.util.spec_from_file_location("make_cli", ROOT / "docs" / "make_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == module.make_page(), "run: python docs/make_cli.py"


def test_the_page_of_results_has_every_built_in_and_no_place_of_this_machine():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    told = re.findall(r"<!-- (demo|real) -->\n(.*?)<!-- end -->", page, flags=re.DOTALL)
    assert [name for name, _ in told] == ["demo", "real"]
    for _, made in told:
        rows = re.findall(r"^\| `(\w+)` \|.*\|$", made, flags=re.MULTILINE)
        assert sorted([*rows, "weights"]) == sorted(STRATEGIES), "run: make results"
        assert len({line.count("|") for line in made.splitlines() if line.startswith("|")}) == 1
        assert not re.search(r"/\w+/", made)


# --- strategies that do what they should not ------------------------------------------------------------

DRAWN = """
import os
from dataclasses import dataclass

import numpy as np

@dataclass(frozen=True)
class Drawn:
    top: int = 1
    rebalance: int = 5
    threshold: float | None = None
    weighting: str = "equal"
    cap: float = 1.0
    hysteresis: int = 0
    otherwise: str = "cash"
    warmup: int = 1

    def scores(self, known):
        shape = known.adjusted_close.shape
        flip = os.environ["OF_THE_DAY"] == "2"
        return np.tile(np.arange(shape[1])[::-1] if flip else np.arange(shape[1]), (shape[0], 1)) * 1.0
"""


def test_the_same_run_with_other_numbers_is_refused_and_the_first_stays(here, monkeypatch):
    Path("drawn.py").write_text(DRAWN)
    words = ["run", "drawn.py", *SMALL, "--quiet"]
    monkeypatch.setenv("OF_THE_DAY", "1")
    assert here(*words)[0] == 0
    (run,) = Path("results").iterdir()
    before = (run / "equity.csv").read_bytes()
    assert here(*words)[0] == 0  # the same numbers
    monkeypatch.setenv("OF_THE_DAY", "2")
    code, printed, complained = here(*words)
    assert (code, printed) == (5, "")
    assert f"the run `{run.name}` is in results already, with other numbers; it is as it was" in complained
    assert [*Path("results").iterdir()] == [run]
    assert (run / "equity.csv").read_bytes() == before


def test_a_strategy_that_ends_the_process_is_a_strategy_that_failed(here):
    Path("ends.py").write_text(
        RAISING.replace('raise ZeroDivisionError("my own mistake")', "raise SystemExit(0)")
    )
    code, printed, complained = here("run", "ends.py", *SMALL)
    assert (code, printed) == (4, "")
    assert complained == "error: the strategy called sys.exit(0). Raise an error instead.\n"


@pytest.mark.parametrize(
    "words",
    [("run",), pytest.param(("tune", "--param", "top=1,2", "--splits", "none"), marks=pytest.mark.slow)],
)
def test_what_a_strategy_prints_is_not_in_what_a_script_reads(words, tmp_path):
    (tmp_path / "mine.py").write_text(PRINTING, encoding="utf-8")
    command, *more = words
    code, printed, complained = etflow(command, "mine.py:Mine", *more, "--json", "--no-report", cwd=tmp_path)
    assert code == 0, complained
    assert json.loads(printed)["strategy"] == "mine.py:Mine"
    assert "loading" in complained
    assert "scoring" in complained
