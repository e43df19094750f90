"""The commands `data fetch` and `data update`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import run_backtest
from data.providers import PROVIDERS
from data.providers.akshare import AkShare
from engine.cli.commands_fetch import fetch_data
from engine.cli.main import main
from tests.helpers.vendor_bench import ROOT, TOKEN, VENDORS

PERIOD = ("--start", "2025-08-19", "--end", "2025-08-20", "--data", "store")


def etflow(folder: Path, *words: object, **environment: str) -> tuple[int, str, str]:
    """Run the command line as a process of its own, with the stand-ins in the place of the vendors."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        timeout=120,
        env={
            **os.environ,
            "PYTHONPATH": str(VENDORS),
            "ETFLOW_CACHE": str(folder / "cache"),
            "TUSHARE_TOKEN": TOKEN,
            **environment,
        },
    )
    return done.returncode, done.stdout, done.stderr


def test_fetch_and_show(tmp_path):
    fetched = ("data", "fetch", "--provider", "akshare", "--symbols", "159363,588790", *PERIOD)
    code, printed, complained = etflow(tmp_path, *fetched, "--tables", "bars,actions", "--json")
    assert code == 0, complained
    document = json.loads(printed)
    assert (document["provider"], document["data"]) == ("akshare", "store")
    assert (document["first_day"], document["last_day"]) == ("2025-08-19", "2025-08-20")
    assert {each["table"]: (each["rows"], each["added"]) for each in document["tables"]} == {
        "bars": (4, 4),
        "actions": (1, 1),
    }
    assert [document[name] for name in ("notes", "missing", "revisions")] == [[], [], []]
    code, printed, complained = etflow(tmp_path, "data", "show", "arrivals", "--data", "store", "--json")
    assert code == 0, complained
    runs = json.loads(printed)["coverage"]
    assert {(each["first"], each["last"]) for each in runs if each["table"] == "bars"} == {
        ("2025-08-19", "2025-08-20")
    }
    assert [(each["table"], each["series"], each["rows"], each["provider"]) for each in runs] == [
        ("bars", "159363.SZ", 2, "akshare 1.19.5"),
        ("bars", "588790.SH", 2, "akshare 1.19.5"),
        ("actions", "588790.SH dividend", 1, "akshare 1.19.5"),
    ]


def test_what_fails_is_told_with_exit_3_and_an_update_gets_it(tmp_path):
    fetched = ("data", "fetch", "--provider", "tushare", "--symbols", "159363", *PERIOD)
    code, printed, complained = etflow(
        tmp_path, *fetched, "--tables", "bars,margin", "-v", REFUSED="margin_detail"
    )
    assert code == 3
    assert [line.split()[:3] for line in printed.splitlines()[1:]] == [["bars", "tushare", "1.4.29"]]
    assert (
        "missing: margin of 159363.SZ from 2025-08-19 to 2025-08-20: tushare 1.4.29: margin_detail("
        in complained
    )
    assert "error: 1 piece of what was asked for did not come" in complained
    assert "etflow data update --data store" in complained
    assert "权限" in complained
    assert TOKEN not in printed + complained
    code, printed, complained = etflow(
        tmp_path, "data", "update", "--data", "store", "--on", "2025-08-20", "--json"
    )
    assert code == 0, complained
    document = json.loads(printed)
    # Bars are on file from a moment ago, as an answer too; the whole market's margin Tushare does not have.
    assert document["calls"] == 1
    assert {each["table"]: each["added"] for each in document["tables"]} == {"bars": 0, "margin": 2}


@pytest.mark.slow
def test_an_interrupted_fetch_leaves_the_store_as_it_was_and_goes_on_from_there(tmp_path):
    words = ("data", "fetch", "--provider", "tushare", "--symbols", "159363", *PERIOD, "--tables", "bars,nav")
    environment = {
        **os.environ,
        "PYTHONPATH": str(VENDORS),
        "ETFLOW_CACHE": str(tmp_path / "cache"),
        "TUSHARE_TOKEN": TOKEN,
        "HANGING": "fund_nav",
    }
    with subprocess.Popen(
        [sys.executable, str(ROOT / "run_backtest.py"), *words],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        heard = [running.stderr.readline(), running.stderr.readline()]  # both functions were called
        running.send_signal(signal.SIGINT)
        printed, complained = running.communicate(timeout=30)
    assert heard == ["printed by the vendor\n"] * 2
    assert (running.returncode, printed) == (130, "")
    assert "interrupted; nothing was half-written" in complained
    assert not (tmp_path / "store").exists()
    assert not list(tmp_path.rglob("*.tmp"))
    code, printed, complained = etflow(tmp_path, *words, "--json")
    assert code == 0, complained
    assert json.loads(printed)["calls"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--provider", "akshare", "--symbols", "159363"), "--start DAY"),
        (("--start", "2025-08-19", "--symbols", "159363"), "--provider NAME"),
        ((), "say whom to ask and which funds to fetch and from which day"),
    ],
)
def test_the_first_fetch_must_say_whom_to_ask_and_from_when(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(run_backtest.load_catalogue, ["data", "fetch", "--data", "store", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("fetch", "--provider", "akshare", "--symbols", "159363", "--start", "2025-08-19"),
        ("update",),
        ("import", "bars.csv"),
        ("demo",),
    ],
)
def test_a_store_that_the_name_of_the_made_up_market_would_hide_is_refused(
    tmp_path, monkeypatch, capsys, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bars.csv").write_text("symbol,day,close\n159363,2025-08-19,0.7\n")
    assert main(run_backtest.load_catalogue, ["data", *words, "--data", "demo"]) == 2
    assert "`--data demo` is the made-up market, not a store" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_further_funds_need_neither_provider_nor_start(tmp_path):
    first = ("data", "fetch", "--provider", "akshare", "--symbols", "159363", *PERIOD, "--tables", "bars")
    assert etflow(tmp_path, *first)[0] == 0
    further = ("data", "fetch", "--symbols", "588790", "--data", "store", "--tables", "bars", "--json")
    code, printed, complained = etflow(tmp_path, *further, "--end", "2025-08-20")
    assert code == 0, complained
    assert json.loads(printed)["first_day"] == "2025-08-19"
    code, printed, complained = etflow(
        tmp_path, "data", "update", "--data", "store", "--end", "2025-08-20", "--json"
    )
    assert code == 0, complained
    assert [each["series"] for each in json.loads(printed)["tables"]] == [2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--provider", "tushare", "--symbols", "159363"), "TUSHARE_TOKEN"),
        (("--provider", "bloomberg", "--symbols", "159363"), "unknown provider `bloomberg`"),
        (("--provider", "akshare"), "--universe NAME"),
        (("--provider", "akshare", "--symbols", "159363", "--universe", "ai_cn"), "--universe NAME"),
        (("--provider", "akshare", "--universe", "ai_ch"), "Did you mean `ai_cn`"),
        (("--provider", "yfinance", "--universe", "chinext_ai"), "yfinance does not have the funds"),
    ],
)
def test_wrong_words_exit_with_2(vendor, tmp_path, monkeypatch, capsys, words, said):
    for name in PROVIDERS:
        vendor(name)
    monkeypatch.delenv("TUSHARE_TOKEN")
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    code = main(run_backtest.load_catalogue, ["data", "fetch", *PERIOD, *words])
    printed, complained = capsys.readouterr()
    assert (code, printed) == (2, "")
    assert said in complained
    assert not list(tmp_path.iterdir())


def test_a_table_for_people_on_standard_output(vendor, tmp_path, monkeypatch, capsys):
    vendor("akshare")
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(AkShare, "pause", 0.0)
    monkeypatch.chdir(tmp_path)
    words = ["--provider", "akshare", "--symbols", "159363,588790"]
    assert main(run_backtest.load_catalogue, ["data", "fetch", *PERIOD, *words]) == 3
    printed, complained = capsys.readouterr()
    assert [line.replace("akshare 1.19.5", "").split() for line in printed.splitlines()] == [
        ["table", "provider", "source", "series", "rows", "new", "rows", "first", "day", "last", "day"],
        ["bars", "eastmoney", "2", "4", "4", "2025-08-19", "2025-08-20"],
        ["units", "SSE,", "SZSE", "2", "3", "3", "2025-08-19", "2025-08-20"],
        ["nav", "eastmoney", "1", "2", "2", "2025-08-19", "2025-08-20"],
        ["margin", "SSE,", "SZSE,", "eastmoney", "3", "3", "3", "2025-08-20", "2025-08-20"],
        ["actions", "eastmoney", "1", "1", "1", "2025-08-20", "2025-08-20"],
        ["index_bars", "cnindex,", "csindex", "2", "2", "2", "2025-08-20", "2025-08-20"],
        ["index_weights", "cnindex,", "csindex", "2", "2", "2", "2025-08-20", "2025-08-20"],
    ]
    assert "warning: units: nothing of SSE 2025-08-19" in complained
    assert "warning: missing: nav of 588790.SH from 2025-08-19 to 2025-08-20: akshare: no rows" in complained
    assert "printed by the vendor" in complained


def test_the_help_names_every_provider():
    (option,) = [each for each in fetch_data.params if each.name == "provider"]
    assert all(name in option.help for name in PROVIDERS)
