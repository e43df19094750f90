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
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

import run_backtest
from data.errors import DataError, StrategyError, UsageError, ValidationError
from data.load import load_panel
from data.source import open_source
from data.store.manifest import MANIFEST
from engine import run
from engine.cli.app import App, Catalogue
from engine.cli.main import group, main
from engine.kernel.targets import WEIGHTINGS
from engine.tuning.study import STUDY_FILE
from strategies import STRATEGIES
from tests.helpers.cli import RAISING, ROOT, SMALL, etflow, start

BROKEN = "def broken(:\n"
PRINTING = RAISING.replace(
    'raise ZeroDivisionError("my own mistake")', 'print("scoring"); return known.adjusted_close'
).replace("\nfrom dataclasses", "\nprint('loading')\nfrom dataclasses")
WAITING = RAISING.replace(
    'raise ZeroDivisionError("my own mistake")',
    "import pathlib, time; pathlib.Path(__file__).with_name('computing').touch(); time.sleep(60)",
)


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


def test_nobody_looks_for_garbage_at_the_end_of_a_process():
    program = """
import atexit, gc, sys
atexit.register(lambda: print(len(gc.get_objects())))  # the first is called last
import run_backtest
sys.argv[1:] = ["--version"]
sys.exit(run_backtest.main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < 100


def test_what_a_strategy_of_somebodys_own_has_open_at_the_end_is_written(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "from strategies.momentum import Momentum\n"
        f"LOG = open({str(tmp_path / 'log.txt')!r}, 'w')\n"
        "LOG.write('loaded')\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Mine(Momentum):\n"
        "    pass\n"
    )
    words = [sys.executable, str(ROOT / "run_backtest.py"), "strategies", "show", f"{file}:Mine"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log.txt").read_text() == "loaded"


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

WRONG = {
    "unknown command": (("rum",), 2, "no command `rum`.*`run`"),
    "unknown option": (("run", "momentum", "--cahs", "1"), 2, "No such option.*--cash"),
    "no strategy": (("run",), 2, "name a strategy"),
    "unknown strategy": (("run", "momentun"), 2, "unknown strategy `momentun`.*`momentum`"),
    "unknown parameter": ((*RUN, "--set", "lookbak=60"), 2, "unknown parameter `lookbak`.*`lookback`"),
    "parameter out of bounds": ((*RUN, "--set", "top=-1"), 2, "`top`.*received -1.*limit"),
    "parameter of the wrong kind": ((*RUN, "--set", "top=many"), 2, "`top`.*a whole number; received 'many'"),
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
