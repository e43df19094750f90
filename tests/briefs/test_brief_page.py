"""The page of a brief, and its command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import run_backtest
from data.store.store import Store
from engine.briefs.words import missing_by_input
from engine.commands.brief import brief as brief_command
from engine.report.brief_charts import brief_charts
from tests.helpers.brief_market import (
    D0,
    DAYS,
    FUND,
    SPLIT_RECORD,
    Market,
    brief_of,
    tables,
    until,
)

ROOT = Path(run_backtest.__file__).parent


def test_what_is_drawn_is_what_the_lines_are_of(brief):
    assert len(brief.sessions) == len(DAYS)
    assert brief.series["flow"][-5:] == pytest.approx([102e6, 134e6, 175e6, 144e6, 104.0031e6])
    assert brief.series["financing"][-4:] == pytest.approx([12.057e6, 15e6, 15e6, 12e6])
    # Before the split there were half the units, at twice the price.
    assert (brief.series["units"][0], brief.series["units"][-1]) == (2.8e9, 3.96997e9)
    before = list(brief.sessions).index(SPLIT_RECORD.date())
    assert brief.series["close"][before] == pytest.approx(0.595, abs=0.0006)
    assert brief.series["nav"][before] == pytest.approx(brief.series["close"][before] - 0.0005, abs=0.0006)
    assert brief.series["turnover"][-1] == pytest.approx(325.8e6)
    assert brief.indices["970070"][-1] == pytest.approx(0.52)
    assert np.isfinite(brief.indices["970070"]).sum() == 2
    assert np.isnan(brief.indices["932456"]).all()


def test_a_page_has_cards_charts_and_every_line(here, tmp_path):
    Store("evening").append(Market(until("margin", "2025-08-19")).tables)
    words = ("brief", FUND, "--data", "evening", "--allow", "all", "--page", "--json")
    code, printed, complained = here(*words)
    assert code == 0, complained
    document = json.loads(printed)
    (folder,) = (tmp_path / "results").iterdir()
    assert re.fullmatch(r"brief-159363\.SZ-2025-08-20-[0-9a-f]{8}", folder.name)
    assert document["page"] == f"results/{folder.name}/brief.html"
    kept = json.loads((folder / "brief.json").read_text(encoding="utf-8"))
    assert kept == {name: each for name, each in document.items() if name not in ("page", "folder")}
    page = (folder / "brief.html").read_text(encoding="utf-8")
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<b>659.00 m CNY</b>" in page
    assert '<b class="word Inflow">Inflow</b> 659.00 m CNY over ' in page
    assert "<span>Margin balance</span><b>100.00 m CNY</b><small>latest known: 2025-08-19</small>" in page
    assert page.count("<svg") == 8
    assert "SYNTHETIC" not in page
    # Each line once, and a row for each input that is not on file; two heads more.
    without = [name for names in document["missing"].values() for name in names]
    assert set(document["missing"]) == {"index_bars"}
    assert page.count("<tr>") == 3 + len(document["values"]) + len(document["missing"])
    assert f"{len(without)} of {len(document['values'])} lines have no value, because inputs" in page
    assert "<td>+12.00 pp</td>" in page
    assert not re.search(r"\d %<", page)  # as all pages write it: 12.34%


def test_a_page_without_units_or_margin_leaves_their_charts_out():
    bars = {name: frame for name, frame in tables().items() if name in ("bars", "actions")}
    charts = brief_charts(brief_of(bars))
    assert [each.name for each in charts] == ["turnover", "prices"]
    assert [each.title for each in charts] == ["Turnover, CNY", "Close, CNY"]


def test_what_is_not_on_file_is_one_statement_by_input_with_what_brings_it(tmp_path):
    frames = tables()
    peer = frames["bars"]["symbol"] == "159382.SZ"
    bars = {"bars": frames["bars"][~peer], "actions": frames["actions"], "index_bars": frames["index_bars"]}
    found = brief_command(Market(bars), FUND, D0, allow=("all",))
    shown, missing = missing_by_input(found.brief.facts)
    assert len(shown) + sum(map(len, missing.values())) == len(found.brief.facts)
    assert [fact.name for fact in missing["nav"]] == ["nav", "premium"]
    assert [fact.name for fact in missing["bars"]] == ["adtv_month_rank", "adtv_20_rank"]
    assert {fact.name for fact in missing["units"]} >= {"net_inflow_5_nav", "inflow_streak", "units"}
    # Only what has no value, or heads what has one, is left where it stood.
    assert [fact.name for fact in shown if fact.lacks] == []
    page = found.save(tmp_path) / "brief.html"
    text = re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    fetch = "<code>etflow data fetch --provider akshare --symbols"
    own = "--tables units,nav,margin,index_bars,index_weights --indices 931487,932456,970070"
    assert f"{fetch} {FUND} {own} --start 2024-12-01 --data STORE" in text
    assert f"{fetch} 159382.SZ --tables bars --start 2024-12-01 --data STORE" in text
    assert (
        '<b class="word Cannot-be-told">Cannot be told</b> whether money came or went: no unit count' in text
    )


def test_a_line_without_a_value_stands_where_one_below_it_has_one():
    frames = tables()
    levels = frames["index_bars"]
    frames["index_bars"] = levels[levels["index"] != "970070"]
    shown, missing = missing_by_input(brief_of(frames).facts)
    names = [fact.name for fact in shown]
    assert names.index("index_ytd_930713") == names.index("index_ytd") + 1
    assert [fact.name for fact in missing["index_bars"]][:2] == [
        "index_ytd_over_930713",
        "index_ytd_over_931071",
    ]


# --- the command --------------------------------------------------------------------------------------


def test_the_real_command_line_prints_one_document(tmp_path):
    words = ["brief", "157001", "--on", "2025-08-20", "--json"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["symbol"] == "157001.SZ"
    assert document["day"] == "2025-08-20"
    assert "public by the open of 2025-08-21" in document["basis"]
    assert "SYNTHETIC" in document["notice"]
    values = document["values"]
    assert values["peers"] == 6
    units = document["units_of_measure"]
    assert units["premium"] == "fraction"
    assert "percent" not in units.values()
    assert set(document["reasons"]) == {name for name, value in values.items() if value is None}
    assert list(tmp_path.iterdir()) == []


def test_a_page_for_people(here):
    code, printed, complained = here("brief", "157001.SZ")
    assert code == 0, complained
    assert "SYNTHETIC" in printed
    assert re.search(r"net inflow over 5 sessions, at VWAP +-?[\d,]+\.\d\d CNY", printed)


def test_a_value_of_the_day_before_says_so_on_the_terminal_and_in_json(here):
    Store("evening").append(Market(until("margin", "2025-08-19")).tables)
    words = ("brief", FUND, "--data", "evening", "--allow", "all")
    code, printed, complained = here(*words)
    assert code == 0, complained
    assert re.search(r"^margin balance +100,000,000.00 CNY +latest known: 2025-08-19$", printed, re.MULTILINE)
    assert re.search(r"latest known: 2025-08-19; 2025-08-14 to 2025-08-19$", printed, re.MULTILINE)
    assert re.search(r"^  ahead of 950180 by +\+12.00 pp", printed, re.MULTILINE)
    assert re.search(r"^  of 930713 中证人工智能主题指数 +35.1\d%", printed, re.MULTILINE)
    document = json.loads(here(*words, "--json")[1])
    assert document["older"]["margin_balance"] == "2025-08-19"
    assert document["values"]["margin_balance"] == 100e6
    assert document["currency"] == "CNY"
    assert "units" not in document["older"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("brief",), 2, "SYMBOL"),
        (("brief", "1570?1"), 2, "not a symbol"),
        (("brief", "157999.SZ"), 3, r"no bars of 157999\.SZ.*Did you mean"),
        (("brief", "157001.SZ", "--on", "2025-08-16"), 2, "no session.*2025-08-15"),
        (("brief", "157001.SZ", "--on", "2025-08-21"), 3, "no bars on that day.*2025-08-20"),
        (("brief", "157001.SZ", "--on", "2001-01-02"), 3, "no bars on that day"),
        (("brief", "157001.SZ", "--on", "soon"), 2, "is not a day"),
        (("brief", "157001.SZ", "--sessions", "0"), 2, "`sessions`.*received 0"),
        (("brief", "157001.SZ", "--window", "inflow"), 2, "--window needs NAME=VALUE"),
        (("brief", "157001.SZ", "--window", "inflow=a"), 2, "whole numbers of sessions; received a"),
        (("brief", "157001.SZ", "--window", "inflo=5"), 2, "unknown window `inflo`.*Did you mean `inflow`"),
        (("brief", "157001.SZ", "--window", "turnover=0"), 2, "window `turnover`.*received 0"),
        (("brief", "157001.SZ", "--sessions", "5", "--window", "financing=5"), 2, "say the same"),
        (("brief", "--verify", "shipped", "--window", "inflow=5"), 2, "windows from the statements"),
        (("brief", "157001.SZ", "--verify", "shipped"), 2, r"no statement about that; received 157001\.SZ"),
        (("brief", "--universe", "chinext_ai"), 3, "no bars of any fund of the universe `chinext_ai`"),
        (("brief", "--universe", "chinex"), 2, "unknown universe `chinex`.*Did you mean `chinext_ai`"),
        (("brief", "157001.SZ", "--universe", "ai_cn"), 2, "goes with neither SYMBOL nor --verify"),
        (("brief", "--verify", "shipped", "--page"), 2, "--page is of the brief of a fund or of a universe"),
        (("brief", "157001.SZ", "--by", "aum"), 2, "--by is the order of --universe; received aum"),
        (("brief", "157001.SZ", "--data", "nowhere"), 3, "does not exist"),
        (("brief", "157001.SZ", "--allow", "unit-jum"), 2, "unknown check"),
    ],
)
def test_wrong_input_is_answered_in_one_line(here, words, code, message):
    got, printed, complained = here(*words)
    assert (got, printed) == (code, ""), complained
    assert complained.startswith("error: ")
    assert complained.count("\n") == 1
    assert re.search(message, complained), complained
