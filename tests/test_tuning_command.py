"""The command tune, with an evaluator that needs no market: options, output, bad input, interruption."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

import run_backtest
from engine.strategy.adapters import adapt
from engine.tuning.methods import sampler_settings
from engine.tuning.outcome import Outcome
from engine.tuning.study import studies_in
from strategies.momentum import Momentum
from tests.helpers.tuning import evaluate

ROOT = Path(run_backtest.__file__).parent
SMALL = ("--symbols", "157001.SZ,157002.SZ", "--end", "2021-06-30")
ALONE = ("--no-verdict", "--no-report")
LOOKBACKS = ("tune", "momentum", "--param", "lookback=3:8", *SMALL, *ALONE)


class Fake:
    """Like an evaluator, over made-up outcomes."""

    first, last, workers = 1, 100, None
    base = adapt(Momentum())

    def __init__(self, evaluate_sets):
        self._evaluate = evaluate_sets

    def __call__(self, sets):
        return self._evaluate(sets)

    def day(self, row):
        return date(2021, 1, 4) + timedelta(row)


def fake(evaluate_sets):
    """Return what makes evaluators that need no market."""
    return lambda *_, **__: Fake(evaluate_sets)


@pytest.fixture
def here(here, monkeypatch, tmp_path_factory):
    """Run the command line within this process, in an empty folder, over made-up outcomes."""
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setattr("engine.commands.tune.check_best", lambda *_: Path("results/best"))
    monkeypatch.setattr("engine.commands.tune.Evaluator", fake(evaluate))

    return here


def test_a_grid_gives_a_ranked_table_and_a_study(here, tmp_path):
    code, printed, complained = here(*LOOKBACKS)
    assert code == 0
    (folder,) = studies_in(tmp_path / "results")
    assert f"{folder.name} on demo" in printed
    assert "6 trials by grid, 1 failure, 5 feasible" in printed
    assert "SYNTHETIC" in printed
    assert re.search(r"^trial +lookback +sharpe_ratio +annual_return +max_drawdown$", printed, re.MULTILINE)
    assert re.search(r"^ +5 +8 ", printed, re.MULTILINE)  # the best of them
    assert f"study  results/{folder.name}" in printed
    assert (
        "warning: 1 of 6 trials failed, the first: lookback=7: ValueError: seven is not lucky" in complained
    )


def test_sets_that_come_to_the_same_are_told(here, monkeypatch):
    def by_top_alone(sets):
        return evaluate([{"top": each["top"]} for each in sets])

    monkeypatch.setattr("engine.commands.tune.Evaluator", fake(by_top_alone))
    said = "came to 2 different results: the others change nothing on these data"
    assert (
        f"warning: 8 sets {said}"
        in here("tune", "momentum", "--param", "lookback=3:6", "--param", "top=1,2", *SMALL, *ALONE)[2]
    )
    assert (
        said not in here("tune", "momentum", "--param", "lookback=3", "--param", "top=1,2", *SMALL, *ALONE)[2]
    )


def test_json_is_one_document_with_the_promised_names(here):
    code, printed, _ = here(*LOOKBACKS, "--param", "top=1,2", "--where", "lookback > 3", "--json")
    document = json.loads(printed)
    assert code == 0
    assert {
        "study_id",
        "folder",
        "strategy",
        "method",
        "counts",
        "objectives",
        "best",
        "ranked",
        "seconds",
    } <= (document.keys())
    assert document["counts"].pop("history_bears") == 2  # for a hundred sessions
    assert document["counts"] == {"sets": 10, "trials": 10, "failures": 2, "feasible": 8, "on_record": 10}
    assert document["best"]["parameters"]["lookback"] == 8
    assert document["best"] == document["ranked"][0]
    assert document["notice"].startswith("SYNTHETIC")
    assert len(document["ranked"]) == 8


@pytest.mark.parametrize("method", ["random", "tpe", "nsga2", "cmaes"])
def test_every_method_runs(here, method):
    words = ("--param", "cap=0.1:1", "--method", method, "--trials", 25, "--top-trials", 3, "--json")
    code, printed, _ = here(*LOOKBACKS, *words)
    document = json.loads(printed)
    assert code == 0
    assert (document["counts"]["trials"], document["counts"]["sets"]) == (25, None)
    assert len(document["ranked"]) == 3


@pytest.mark.slow
def test_several_objectives_under_a_constraint_give_a_front(here):
    words = ("--param", "top=0:4", "--objective", "sharpe_ratio", "--objective", "turnover", "--constraint")
    code, printed, _ = here(*LOOKBACKS, *words, "max_drawdown > -0.155", "--top-trials", 40)
    assert code == 0
    assert "sought: sharpe_ratio:max, turnover:min where max_drawdown > -0.155" in printed
    assert " front" in printed
    assert " misses" in printed


@pytest.mark.parametrize("method", ["grid", "tpe"])
def test_a_search_without_a_feasible_trial_says_so_with_exit_code_5(here, tmp_path, method):
    words = ("--constraint", "max_drawdown > 0.5", "--constraint", "cost_share < 0.1", "--method", method)
    code, printed, complained = here(*LOOKBACKS, *words, "--json")
    document = json.loads(printed)
    assert code == 5
    assert "none of the 6 trials is feasible" in complained
    assert "max_drawdown > 0.5 and cost_share < 0.1" in complained
    assert document["best"] is None
    assert document["counts"]["feasible"] == 0
    assert document["judgement"] is None
    header = json.loads((Path(document["folder"]) / "study.jsonl").read_text("utf-8").splitlines()[0])
    assert header.get("sampler", {}) == document["sampler"] == sampler_settings(method, 1, 20)


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(here, tmp_path):
    words = (
        *LOOKBACKS,
        "--param",
        "threshold=0:1:0.25",
        "--where",
        "lookback > 3",
        "--dry-run",
        "--no-verdict",
    )
    code, printed, _ = here(*words)
    assert code == 0
    assert re.search(r"^threshold +0:1:0\.25 +5 +none$", printed, re.MULTILINE)
    assert "where   lookback > 3" in printed
    assert "sets    25" in printed
    assert re.search(r"^time    \d+ ms without a judgement, from a small trial$", printed, re.MULTILINE)
    assert re.search(r"^memory  [\d,]+ MB", printed, re.MULTILINE)
    document = json.loads(here(*words, "--json")[1])
    assert re.search(
        r"^record  0 on record; \d\.\d\d years of history bear \d+ \(MinBTL\)$", printed, re.MULTILINE
    )
    borne = document["counts"].pop("history_bears")
    assert document["counts"] == {"sets": 25, "exact": True, "trials": 25, "on_record": 0}
    assert borne >= 1
    assert document["seconds"] == document["seconds_of_search"] > 0
    assert document["seconds_of_judgement"] is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--param", "lokback=1:2"], "Did you mean `lookback`?"),
        (["--param", "lookback=20:3"], "begins above its end"),
        (["--param", "top=1,2", "--set", "top=3"], "both set and searched"),
        ([], "nothing to search over"),
        (["--param", "lookback=1:1000", "--param", "hysteresis=0:1000", "--param", "top=1:1000"], "--yes"),
        (["--param", "cap=0.1:1"], "Give a step"),
        (["--param", "top=1,2", "--trials", "5"], "a grid tries all sets"),
        (["--param", "top=1,2", "--method", "tpe", "--trials", "0"], "--trials must be above zero"),
        (["--param", "top=1,2", "--method", "tpe", "--batch", "0"], "--batch must be above zero"),
        (["--param", "top=1,2", "--objective", "sharp"], "Did you mean `sharpe_ratio`"),
        (["--param", "top=1,2", "--objective", "beta"], "beta:min, beta:max"),
        (["--param", "top=1,2", "--constraint", "drawdown > 1"], "--constraint: unknown name `drawdown`"),
        (["--param", "top=1,2", "--where", "top > 2"], "--where leaves no set"),
        (["--param", "top=1,2", "--method", "bayes"], "bayes"),
        (["--param", "top=1,2", "--set", "tip=2"], "unknown parameter `tip`"),
    ],
)
def test_bad_input_is_refused_with_the_next_step_and_writes_nothing(here, tmp_path, words, says):
    code, printed, complained = here("tune", "momentum", *SMALL, *words)
    assert (code, printed) == (2, "")
    assert says in complained
    assert list(tmp_path.iterdir()) == []


def test_a_search_needs_no_value_that_its_file_has_for_a_run(here, tmp_path):
    (tmp_path / "plan.toml").write_text(
        'strategy = "momentum"\n[parameters]\ntop = 2\nrebalance = 10\n[tune]\nparam = { top = [1, 3] }\n'
    )
    code, printed, _ = here("tune", "plan.toml", *SMALL, "--dry-run", "--no-verdict", "--json")
    assert (code, json.loads(printed)["counts"]["sets"]) == (0, 2)
    assert here("tune", "plan.toml", *SMALL, "--param", "rebalance=5,10", "--dry-run", "--no-verdict")[0] == 0
    code, _, complained = here("tune", "plan.toml", *SMALL, "--set", "top=3", "--dry-run")
    assert code == 2
    assert "both set and searched" in complained


def test_a_dry_run_of_a_space_without_end(here):
    words = (*LOOKBACKS, "--param", "cap=0.1:1", "--method", "random", "--dry-run")
    _, printed, _ = here(*words)
    assert re.search(r"^cap +0\.1:1 +any number +1\.0$", printed, re.MULTILINE)
    assert "sets    without end\n" in printed
    assert "trials  200 by random" in printed


def test_a_study_is_resumed_listed_and_shown(here):
    assert here(*LOOKBACKS)[0] == 0
    code, _, complained = here(*LOOKBACKS)
    assert code == 2
    assert "exists already; received 6 trials. Go on with --resume" in complained
    code, printed, _ = here(*LOOKBACKS, "--resume", "--json")
    document = json.loads(printed)
    assert (code, document["counts"]["trials"]) == (0, 6)
    code, _, complained = here(*LOOKBACKS, "--param", "top=1,2", "--resume")
    assert code == 2
    assert "space: ['lookback=3:8:1'] became ['lookback=3:8:1', 'top=1,2']" in complained

    (row,) = json.loads(here("runs", "list", "--json")[1])
    assert (row["run_id"], row["kind"], row["trials"]) == (document["study_id"], "study", 6)
    assert row["sharpe_ratio"] == document["best"]["metrics"]["sharpe_ratio"]
    assert document["study_id"] in here("runs", "list")[1]
    shown = json.loads(here("runs", "show", document["study_id"][:-2], "--json")[1])
    assert (shown["best"], shown["ranked"]) == (document["best"], document["ranked"])
    assert "6 trials by grid" in here("runs", "show", document["folder"])[1]


@pytest.mark.slow
def test_a_strategy_of_the_user_that_changed_is_refused(here, tmp_path):
    text = (
        "from dataclasses import dataclass\nfrom strategies.momentum import Momentum\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Mine(Momentum):\n    pass\n"
    )
    mine = tmp_path / "mine.py"
    mine.write_text(text)
    words = ("tune", "mine.py:Mine", "--param", "lookback=3:8", *SMALL, *ALONE)
    assert here(*words)[0] == 0
    mine.write_text(text + "# another version\n")
    code, _, complained = here(*words, "--resume")
    assert code == 2
    assert re.search(r"files\.mine\.py: [0-9a-f]{16} became [0-9a-f]{16}", complained)


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(here, monkeypatch):
    def interrupted(sets):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.commands.tune.Evaluator", fake(interrupted))
    code, printed, complained = here(*LOOKBACKS)
    assert (code, printed) == (130, "")
    assert re.search(r"^0 trials are in results/momentum-study-\w+; go on with --resume\.$", complained, re.M)
    assert "error: interrupted; nothing was half-written." in complained
    monkeypatch.setattr("engine.commands.tune.Evaluator", fake(evaluate))
    assert here(*LOOKBACKS, "--resume")[0] == 0


def test_a_search_of_which_every_trial_fails_says_so(here, monkeypatch):
    failing = fake(lambda sets: [Outcome({}, "my own mistake")] * len(sets))
    monkeypatch.setattr("engine.commands.tune.Evaluator", failing)
    code, _, complained = here(*LOOKBACKS)
    assert code == 4
    assert "all 6 trials failed; received my own mistake" in complained


def test_a_search_that_ends_early_says_why(here):
    code, _, complained = here(*LOOKBACKS, "--method", "random", "--trials", 50)
    assert code == 0
    assert "the search ended after 6 trials: the space has no more sets" in complained


def test_help_of_tune_imports_nothing_heavy():
    script = (
        "import contextlib, io, sys; sys.path.insert(0, sys.argv[1])\n"
        "import run_backtest\nfrom engine.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    code = main(run_backtest.load_catalogue, ['tune', '--help'])\n"
        "print(code, sorted({'pandas', 'numpy', 'optuna', 'strategies'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "0 []"


@pytest.mark.slow
def test_the_signal_of_ctrl_c_reaches_a_search_in_its_own_process(tmp_path):
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "import run_backtest\nfrom engine.cli.main import main\nfrom tests.helpers.tuning import evaluate\n"
        "from tests.test_tuning_command import fake\n"
        "import engine.commands.tune\n"
        "def slowly(sets):\n"
        "    print('evaluating', file=sys.stderr, flush=True)\n"
        "    time.sleep(0.2)\n    return evaluate(sets)\n"
        "engine.commands.tune.Evaluator = fake(slowly)\n"
        "sys.exit(main(run_backtest.load_catalogue, sys.argv[2:]))\n"
    )
    words = ("tune", "momentum", "--param", "lookback=3:300", "--param", "top=1:9", *SMALL)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(ROOT), *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    for _ in range(2):
        assert next(line for line in lines if "compiled first" not in line) == "evaluating\n"
    process.send_signal(signal.SIGINT)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(
        r"^256 trials are in results/momentum-study-\w+; go on with --resume\.$", complained, re.M
    )
    assert "Traceback" not in complained
