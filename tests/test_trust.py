"""Somebody else's folder: what runs the code that it names, what asks before, and what never does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import run_backtest
from engine.cli.main import main
from engine.commands import listing
from engine.kernel.costs import Costs
from engine.spec import Spec
from engine.strategy.trusted import FILE, is_trusted, remember

FUNDS = "157001.SZ,157003.SZ,157006.SZ"
COMMON = ("--symbols", FUNDS, "--start", "2024-01-02", "--end", "2024-03-29", "--no-report", "--quiet")
TELLTALE = """
from dataclasses import dataclass
from pathlib import Path
from strategies.rotation import Rotation

Path(__file__).with_name("executed").touch()


@dataclass(frozen=True, kw_only=True)
class Mine(Rotation):
    warmup = 5

    def scores(self, known):
        return known.adjusted_close
"""


@pytest.fixture
def call(here, tmp_path, monkeypatch):
    """Run the command line in an empty folder, where only `first` has ever run anything."""
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "first"))
    return here


@pytest.fixture
def strategy(tmp_path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(TELLTALE)
    return path


def executed(strategy: Path) -> bool:
    """Whether the file was executed since the last time that this was asked."""
    mark = strategy.with_name("executed")
    found = mark.exists()
    mark.unlink(missing_ok=True)
    return found


def be_somebody_else(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "second"))


def test_a_run_of_a_strange_file_is_made_again_only_with_trust(call, strategy, tmp_path, monkeypatch):
    assert call("run", "mine.py:Mine", *COMMON)[0] == 0
    assert executed(strategy)
    assert call("runs", "reproduce", "last")[0] == 0  # one's own
    assert executed(strategy)

    be_somebody_else(monkeypatch, tmp_path)
    code, _, complained = call("runs", "reproduce", "last")
    assert code == 2
    assert "would run a Python file that you have not run yet" in complained
    assert str(strategy) in complained
    assert "--trust" in complained
    assert not executed(strategy)
    assert call("runs", "reproduce", "last", "--trust")[0] == 0
    assert executed(strategy)
    assert call("runs", "reproduce", "last")[0] == 0  # it has been named now


def test_a_file_that_was_changed_is_named_and_not_run(call, strategy):
    assert call("run", "mine.py:Mine", *COMMON)[0] == 0
    executed(strategy)
    strategy.write_text(TELLTALE + "\n# another line\n")
    for words in ((), ("--trust",)):
        code, _, complained = call("runs", "reproduce", "last", *words)
        assert code == 5
        assert "does not reproduce: " in complained
        assert not executed(strategy)
    assert not is_trusted(strategy)


def test_a_study_of_a_strange_file_is_judged_only_with_trust(call, strategy, tmp_path, monkeypatch):
    words = (
        "tune",
        "mine.py:Mine",
        "--param",
        "top=1,2",
        "--param",
        "rebalance=5,10",
        "--no-verdict",
        *COMMON,
    )
    assert call(*words)[0] == 0
    (study,) = (tmp_path / "results").glob("*-study-*")
    executed(strategy)

    be_somebody_else(monkeypatch, tmp_path)
    for command in ("validate", "report"):
        code, _, complained = call(command, study.name)
        assert code == 2, command
        assert "--trust" in complained
        assert not executed(strategy)
    assert call("validate", study.name, "--splits", "none", "--no-report", "--trust")[0] in (0, 5)
    assert executed(strategy)


def test_to_list_show_tell_apart_and_draw_runs_nothing(call, strategy, tmp_path, monkeypatch):
    assert call("run", "mine.py:Mine", *COMMON)[0] == 0
    assert call("run", "mine.py:Mine", *COMMON, "--set", "top=1")[0] == 0
    assert call("tune", "mine.py:Mine", "--param", "top=1,2", "--no-verdict", *COMMON)[0] == 0
    (study,) = (tmp_path / "results").glob("*-study-*")
    executed(strategy)

    be_somebody_else(monkeypatch, tmp_path)
    for words in (
        ("runs", "list"),
        ("runs", "list", "--json"),
        ("runs", "show", "last"),
        ("runs", "show", study.name),
        ("runs", "diff", "last", "last~1"),
        ("report", "last"),
        ("compare", "last", "last~1", "--no-report"),
    ):
        assert call(*words)[0] == 0, words
        assert not executed(strategy), words


def test_what_a_strange_record_names_is_not_run_for_a_verdict(call, strategy, tmp_path, monkeypatch):
    # Two versions of a strategy were looked at; their record lies beside the data, and goes where they go.
    from engine.tuning.columns import _written  # what the verdict makes again of a set on record

    content = strategy.read_bytes()
    assert not is_trusted(strategy)

    class Base:
        written = TestBase = type("Other", (), {"__module__": __name__})

    class Family:
        source = "other"

    assert _written("Mine", "source", str(strategy), Base(), Family(), {}) is None
    assert not executed(strategy)
    remember(strategy, content)
    _written("Mine", "source", str(strategy), Base(), Family(), {})
    assert executed(strategy)


def test_trust_is_kept_once_and_cannot_be_kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    path = tmp_path / "mine.py"
    path.write_text("1")
    copy = tmp_path / "copy.py"
    copy.write_text("1")
    for _ in range(2):
        remember(path, path.read_bytes())
    assert len((tmp_path / "state" / FILE).read_text().splitlines()) == 1
    assert is_trusted(path)
    assert not is_trusted(copy)  # what it imports lies beside it
    assert not is_trusted(tmp_path / "missing.py")
    with (tmp_path / "state" / FILE).open("a") as file:
        file.write("0a1b2c")  # what a full disk took of a line
    remember(copy, copy.read_bytes())
    assert is_trusted(copy)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "file"))
    remember(path, path.read_bytes())
    assert not is_trusted(path)


# --- the id of one's own strategies -------------------------------------------------------------------


def test_a_file_in_two_folders_is_one_run_and_two_contents_are_two(call, strategy, tmp_path):
    def run_of(place: str) -> str:
        code, printed, complained = call("run", place, *COMMON)
        assert code == 0, complained
        return Path(printed.strip()).name

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.py").write_text(TELLTALE)
    other = TELLTALE.replace("return known.adjusted_close", "return -known.adjusted_close")
    (tmp_path / "elsewhere" / "other.py").write_text(other)
    names = [run_of(place) for place in ("mine.py:Mine", "elsewhere/mine.py:Mine", "elsewhere/other.py:Mine")]
    assert names[0] == names[1] != names[2]
    assert all(name.startswith("Mine-") for name in names)


def test_a_weights_file_in_two_folders_is_one_run(call, tmp_path):
    text = "day,symbol,weight\n2024-01-02,157003.SZ,0.5\n"
    names = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "w.csv").write_text(text)
        code, printed, complained = call("run", "weights", "--set", f"file={place}/w.csv", *COMMON)
        assert code == 0, complained
        names.append(printed.strip())
    assert names[0] == names[1]


# --- lists of runs ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def four(tmp_path_factory) -> Path:
    """Five runs and a study."""
    out = tmp_path_factory.mktemp("four")
    for name in ("momentum", "share_inflow"):
        for top in (1, 2):
            words = ["run", name, "--set", f"top={top}", *COMMON, "--out", str(out)]
            assert main(run_backtest.load_catalogue, words) == 0
    words = ["tune", "momentum", "--param", "lookback=5,10", "--no-verdict", *COMMON, "--out", str(out)]
    assert main(run_backtest.load_catalogue, words) == 0
    return out


def test_settings_that_are_not_the_usual_ones_are_listed():
    spec = Spec("momentum", symbols=("157001.SZ",), cash=5000.0, costs=Costs(slippage_rate=0.001))
    assert listing._settings(spec.to_dict()) == {"symbols": 1, "cash": 5000.0, "slippage_rate": 0.001}
    assert listing._settings(Spec("momentum", fill="close").to_dict()) == {"fill": "close"}
    assert listing._settings({"strategy": "momentum"}) == {}  # of an earlier version


def test_runs_are_filtered_sorted_and_cut(call, four):
    def listed(*words: str) -> list[dict]:
        code, printed, complained = call("runs", "list", "--out", four, "--json", *words)
        assert code == 0, complained
        return json.loads(printed)

    everything = listed()
    # The fifth run is the best trial of the study, which comes last.
    assert [each["strategy"] for each in everything] == [
        *["momentum"] * 2,
        *["share_inflow"] * 2,
        *["momentum"] * 2,
    ]
    assert [each["set"] for each in everything[:4]] == [{"top": 1}, {"top": 2}] * 2
    assert everything[0]["settings"] == {"symbols": len(FUNDS.split(","))}
    assert listed("--where", "cash == 1000000") == everything[:5]
    assert everything[0]["first_day"] >= "2024-01-02"
    assert everything[0]["last_day"] == "2024-03-29"
    narrow = listed("--where", "strategy == 'momentum'", "--where", "top <= 1", "--where", "lookback > 10")
    assert narrow == [everything[0]]
    assert listed("--where", "kind == 'study'") == [everything[5]]
    for metric, largest_first in (("sharpe_ratio", True), ("turnover", False), ("annual_volatility", False)):
        values = [each[metric] for each in listed("--sort", metric, "--metric", metric) if metric in each]
        defined = [value for value in values if value is not None]
        assert defined == sorted(defined, reverse=largest_first), metric
        assert values[: len(defined)] == defined
        turned = [each[metric] for each in listed("--sort", f"-{metric}", "--metric", metric)]
        assert [value for value in turned if value is not None] == sorted(defined, reverse=not largest_first)
    assert [each["run_id"] for each in listed("--limit", "2")] == [each["run_id"] for each in everything[-2:]]
    assert listed("--sort", "sharpe_ratio", "--limit", "1")[0] == listed("--sort", "sharpe_ratio")[0]
    code, printed, _ = call("runs", "list", "--out", four)
    assert code == 0
    assert "top=2" in printed
    assert printed.splitlines()[0].split()[:4] == ["run", "data", "set", "first"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", "tpo <= 1"), "Did you mean `top`?"),
        (("--where", "top <="), "--where is not a condition"),
        (("--sort", "sharp_ratio"), "Did you mean `sharpe_ratio`"),
        (("--metric", "sharp_ratio"), "Did you mean `sharpe_ratio`"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_a_list_that_cannot_be_is_refused_by_name(call, four, words, said):
    code, printed, complained = call("runs", "list", "--out", four, *words)
    assert code == 2
    assert said in complained
    assert not printed


def test_a_list_says_that_nothing_is_like_that(call, four):
    code, printed, _ = call("runs", "list", "--out", four, "--where", "sharpe_ratio > 1000")
    assert code == 0
    assert printed == f"No run in {four} is like that.\n"
    assert os.listdir(four)


def test_a_folder_whose_name_has_a_suffix_in_it_asks_all_the_same(call, strategy, tmp_path, monkeypatch):
    place = tmp_path / "theirs.pyfolio"
    place.mkdir()
    strategy = strategy.rename(place / "mine.py")
    assert call("run", "theirs.pyfolio/mine.py:Mine", *COMMON)[0] == 0
    (folder,) = (tmp_path / "results").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert list(manifest["files"]) == ["theirs.pyfolio/mine.py"]
    executed(strategy)
    be_somebody_else(monkeypatch, tmp_path)
    assert call("runs", "reproduce", "last")[0] == 2
    assert call("run", folder / "manifest.json")[0] == 2
    assert not executed(strategy)


def test_one_damaged_run_is_left_out_of_a_list_and_any_name_sorts(call, four, tmp_path):
    import shutil

    out = tmp_path / "copied"
    shutil.copytree(four, out)
    damaged = min(out.glob("momentum-*"))
    whole = json.loads(call("runs", "list", "--out", out, "--json")[1])
    (damaged / "equity.csv").unlink()
    code, printed, complained = call("runs", "list", "--out", out, "--json")
    assert code == 0
    assert len(json.loads(printed)) == len(whole) - 1
    assert "equity.csv cannot be read" in complained
    for name in ("set", "strategy", "rebalance", "trials"):
        assert call("runs", "list", "--out", out, "--sort", name)[0] == 0


def test_a_manifest_without_a_spec_is_damaged(call, four, tmp_path):
    import shutil

    run = tmp_path / "results" / "momentum-00000000"
    shutil.copytree(min(four.glob("momentum-*")), run)
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["spec"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    (run / "SHA256SUMS").unlink()
    for words in (
        ("runs", "show", "last", "--json"),
        ("runs", "reproduce", "last"),
        ("run", run / "manifest.json"),
    ):
        code, _, complained = call(*words)
        assert code == 3, complained
        assert "`spec` is not what it should be" in complained


def test_a_page_that_is_not_printed_leaves_the_run_and_says_where_it_is(call, tmp_path, monkeypatch):
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexit 1\n")
    browser.chmod(0o755)
    monkeypatch.setenv("ETFLOW_BROWSER", str(browser))
    words = ("run", "buy_hold", *COMMON[:6], "--quiet", "--pdf")
    code, printed, complained = call(*words)
    assert code == 2
    assert "results/buy_hold-" in printed
    assert complained.startswith("error: ")
    assert Path(printed.strip(), "tearsheet.html").is_file()


def test_an_account_of_ones_own_file_is_stepped_from_any_folder(call, strategy, tmp_path, monkeypatch):
    made = ("account", "new", "desk", "mine.py:Mine", "--symbols", FUNDS, "--start", "2025-08-11")
    code, _, complained = call(*made)
    assert code == 0, complained
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, _, complained = call("account", "step", "../desk", "--until", "2025-08-12")
    assert code == 0, complained
