"""A study judged: from the command line, and piece by piece; the hold-out opens once."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from engine import compare, tune
from engine.report.verdict_section import verdict_head, verdict_section
from engine.tuning.columns import kept
from engine.tuning.objective import Trial
from engine.tuning.outcome import Outcome
from engine.verdict.evidence import Evidence, TrialLog
from engine.verdict.text import TITLES, written
from engine.verdict.verdict import report as judged
from strategies.momentum import Momentum
from strategies.share_inflow import ShareInflow
from tests.helpers.sums import without_sums

ETFLOW = [sys.executable, str(Path(__file__).resolve().parents[1] / "run_backtest.py")]
SEARCH = ["tune", "momentum", "--param", "lookback=20,40", "--param", "top=1,2", "--no-report", "--json"]


def etflow(*words: str, cwd: Path, code: int = 0) -> tuple[Any, str]:
    done = subprocess.run(
        [*ETFLOW, *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return (json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout), done.stderr


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo())


@pytest.fixture
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a record of the test's own, on which the hold-out of the others is not shut."""
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("held-out")
    document, _ = etflow(*SEARCH, "--holdout", "2025-03-03:", cwd=folder)
    # Other tests judge the same study again, and write it anew.
    document["on disk"] = json.loads((folder / document["folder"] / "verdict.json").read_text())
    return folder, document


# --- From the command line --------------------------------------------------------------------------------
def test_a_search_ends_with_its_judgement(held_out: tuple[Path, dict[str, Any]]) -> None:
    _, document = held_out
    judged = document["judgement"]
    assert judged["verdict"]["word"] in ("supported", "unproven", "rejected")
    # Four trials, and the default parameters, which are none of them.
    assert judged["header"]["trials"] == {
        **{"total": 5, "study": 4, "lost": 0, "grid_size": 4, "variants": 0}
    }
    assert judged["blocks"]["selected"]["sessions"] == judged["blocks"]["skill"]["sessions"] > 900
    assert judged == {**document["on disk"], "holdout": None}


def test_the_search_did_not_see_the_hold_out(held_out: tuple[Path, dict[str, Any]]) -> None:
    _, document = held_out
    assert document["data"]["last_day"] == "2025-02-28"
    assert document["holdout"] == {"start": "2025-03-03", "end": None, "opened": None}


@pytest.mark.slow
def test_a_hold_out_opens_once_and_says_when(held_out: tuple[Path, dict[str, Any]]) -> None:
    folder, document = held_out
    study = document["study_id"]
    shut, _ = etflow("validate", study, "--splits", "none", "--json", "--no-report", cwd=folder)
    assert shut["holdout"] is None
    assert shut["blocks"]["selected"]["out_of_sample"] is None
    words = ["validate", study, "--splits", "none", "--open-holdout", "--no-report"]
    open_now, _ = etflow(*words, "--json", cwd=folder)
    found = open_now["holdout"]
    assert found["seen"] == []
    assert (found["first_day"], found["last_day"]) == ("2025-03-03", "2025-08-20")
    assert found["trial"] == document["best"]["number"]
    run = json.loads((folder / "results" / found["run_id"] / "metrics.json").read_text())
    assert found["metrics"]["sharpe_ratio"] == run["sharpe_ratio"]
    _, said = etflow(*words, cwd=folder, code=2)
    assert f"opened on {found['at']} already" in said
    again, _ = etflow("validate", study, "--splits", "none", "--json", "--no-report", cwd=folder)
    assert again["holdout"] == found
    _, said = etflow(*SEARCH, "--holdout", "2025-03-03:", cwd=folder, code=2)
    assert "exists already" in said


def test_a_study_of_other_data_is_refused_with_the_difference(
    held_out: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, document = held_out
    place = tmp_path / "results" / document["study_id"]
    place.mkdir(parents=True)
    text = without_sums((folder / document["folder"] / "study.jsonl").read_bytes()).decode()
    fingerprint = document["data"]["fingerprint"]
    (place / "study.jsonl").write_text(text.replace(fingerprint, "0" * 16))
    _, said = etflow("validate", document["study_id"], cwd=tmp_path, code=2)
    assert f"data.fingerprint: {'0' * 16} became {fingerprint}" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["validate", "nothing"], "there is no study `nothing`"),
        (["validate", "last~7"], "there is no study `last~7`"),
        ([*SEARCH, "--holdout", "soon"], "the day on which it begins"),
        ([*SEARCH, "--holdout", "2035-01-01:"], "not within the period"),
        ([*SEARCH, "--holdout", "2025-01-01:", "--end", "2024-12-31"], "not within the period"),
    ],
)
def test_wrong_words_get_an_answer(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in etflow(*words, cwd=tmp_path, code=2)[1]
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_the_page_of_a_study_can_be_made_again(held_out: tuple[Path, dict[str, Any]]) -> None:
    folder, document = held_out
    said, _ = etflow("report", document["study_id"], cwd=folder)
    page = folder / said.strip()
    assert page.name == "study.html"
    assert 'id="verdict"' in page.read_text()


@pytest.mark.slow
def test_sizes_of_splits_are_obeyed_or_refused(held_out: tuple[Path, dict[str, Any]]) -> None:
    folder, document = held_out
    words = ["validate", "last", "--no-report", "--json"]
    sizes = ["--train-size", "300", "--test-size", "100", "--folds", "6", "--purged-size", "9"]
    found, _ = etflow(*words, *sizes, "--embargo-size", "4", cwd=folder)
    selected, selection = found["blocks"]["selected"], found["blocks"]["selection"]
    assert selected["out_of_sample_sessions"] == selected["sessions"] - 309
    assert (selection["purged_size"], selection["embargo_size"], selection["paths"]) == (9, 4, 5)
    assert found["header"]["study"] == document["study_id"]
    _, said = etflow(*words, "--folds", "400", cwd=folder, code=2)
    assert "fold" in said


@pytest.mark.slow
def test_a_study_without_a_hold_out_has_none_to_open(tmp_path: Path, own_state: None) -> None:
    etflow(*SEARCH, "--no-verdict", cwd=tmp_path)
    study = next(path for path in (tmp_path / "results").iterdir() if "-study-" in path.name)
    _, said = etflow("validate", study.name, "--splits", "none", "--open-holdout", cwd=tmp_path, code=2)
    assert "has no hold-out" in said


# --- In a notebook ----------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_search_in_a_notebook_is_the_search_of_the_command(
    panel: Panel, tmp_path: Path, own_state: None
) -> None:
    document, _ = etflow(*SEARCH, "--splits", "none", cwd=tmp_path)
    tuned = tune(
        Momentum(),
        panel,
        ["lookback=20,40", "top=1,2"],
        splits="none",
        benchmark="DEMO-ALL",
        out=tmp_path / "own",
    )
    assert tuned.best == document["best"]["parameters"]
    assert tuned.table["sharpe_ratio"][0] == document["best"]["metrics"]["sharpe_ratio"]
    assert tuned.report is not None
    assert tuned.report.verdict.word == document["judgement"]["verdict"]["word"]
    with pytest.raises(UsageError, match="exists already"):
        tune(Momentum(), panel, ["lookback=20,40", "top=1,2"], benchmark="DEMO-ALL", out=tmp_path / "own")


@pytest.mark.slow
def test_a_comparison_in_a_notebook_starts_all_together(panel: Panel, own_state: None) -> None:
    found = compare([Momentum(lookback=60), ShareInflow()], panel)
    starts = {str(result.days[0]) for result in found.results.values()}
    assert len(starts) == 1
    assert list(found.metrics.columns) == ["momentum", "share_inflow"]
    assert np.isfinite(found.metrics.loc["sharpe_ratio"]).all()


# --- On the page ------------------------------------------------------------------------------------------
def test_the_judgement_is_markup_with_every_warning_and_number() -> None:
    noise = np.random.default_rng(5).normal(0.0, 0.01, (900, 6))
    report = judged(Evidence(noise, np.zeros(900), 2, 250.0, TrialLog(6, 6), header={"strategy": "<b>"}))
    assert report.warned.warnings
    page = verdict_head(report, "A search") + verdict_section(report)
    assert page.count("<li><strong>") == len(report.warned.warnings)
    assert "&lt;strong" not in page
    assert f'<b class="word {report.verdict.word}">{report.verdict.word}</b>' in page
    for block in TITLES:
        for _, text in written(report, block):
            assert html.escape(text) in page


# --- Pieces -----------------------------------------------------------------------------------------------
def test_of_too_many_trials_even_ones_and_the_best_are_used() -> None:
    trials = [Trial(number, {"a": number}, Outcome({})) for number in range(50_000)]
    found = kept(trials[::-1], trials[17], 10_000)
    assert len(found) <= 10_001
    assert trials[17] in found
    assert [each.number for each in found] == sorted(each.number for each in found)
    assert kept(trials[:100], trials[0], 100) == trials[:100]


@pytest.mark.parametrize(
    ("params", "options", "said"),
    [
        (["lookback=3:4"], {"splits": "foo"}, "unknown splits `foo`"),
        ("lookback=3:4", {}, "not a list of words"),
        ({"lookback": [3]}, {}, "not a list of words"),
        (["lookback=3:4"], {"start": "2021-01-04"}, "`start` is not a day"),
    ],
)
def test_wrong_arguments_in_a_notebook_get_an_answer(
    panel: Panel, tmp_path: Path, params: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        tune(Momentum(), panel, params, out=tmp_path, **options)
    assert not list(tmp_path.iterdir())
