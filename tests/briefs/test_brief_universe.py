"""The funds of a universe, ranked by a line of their briefs."""

from __future__ import annotations

import json
import re
from datetime import date

import pandas as pd
import pytest

from data.store.store import Store
from engine.briefs.brief import make_brief
from engine.briefs.ranking import rank_funds
from engine.commands.ranking import rank
from tests.helpers.brief_market import (
    D0,
    FUND,
    TURNOVER,
    Market,
    tables,
    until,
)
from tests.helpers.browser import FAINT, opened


def test_a_universe_is_ranked_by_a_line_of_the_brief():
    found = rank(Market(tables()), "chinext_ai", D0, by="adtv_20", allow=("all",)).document()["funds"]
    order = sorted(TURNOVER, key=TURNOVER.__getitem__, reverse=True)
    assert [(each["rank"], each["symbol"]) for each in found] == [*enumerate(order, start=1)]
    assert found[1]["values"]["adtv_20"] == pytest.approx(90e6)
    assert "no unit count on file" in found[1]["reasons"]["net_inflow_5_ratio"]


def test_a_universe_is_a_row_for_each_fund_on_the_terminal(here):
    edited = tables()
    edited["bars"] = edited["bars"][edited["bars"]["symbol"].isin([FUND, "159242.SZ"])]
    Store("note").append(Market(edited).tables)
    code, printed, complained = here("brief", "--universe", "chinext_ai", "--data", "note", "--allow", "all")
    assert code == 0, complained
    # Of the others no units are on file.
    assert re.search(r"^1 +159363.SZ .* 31.85% +6 +2,888,153,175.00 +yes ", printed, re.MULTILINE)
    assert re.search(r"^ +159242.SZ .* n/a", printed, re.MULTILINE)
    assert complained.startswith("warning: listed, but not on file: 159381.SZ, 159382.SZ")


def test_a_page_of_a_universe_says_what_the_ranking_says(here, tmp_path):
    Store("family").append(Market(tables()).tables)
    words = ("brief", "--universe", "chinext_ai", "--by", "adtv_20", "--data", "family", "--allow", "all")
    code, printed, complained = here(*words, "--page", "--json")
    assert code == 0, complained
    document = json.loads(printed)
    (folder,) = (tmp_path / "results").iterdir()
    assert re.fullmatch(r"ranking-chinext_ai-2025-08-20-[0-9a-f]{8}", folder.name)
    assert document["page"] == f"results/{folder.name}/ranking.html"
    kept = json.loads((folder / "ranking.json").read_text(encoding="utf-8"))
    assert kept == {name: each for name, each in document.items() if name not in ("page", "folder")}
    page = re.sub(
        r"<script.*?</script>", "", (folder / "ranking.html").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert re.findall(r"<td class=\"text\">(\d+)</td>", page) == [
        str(each["rank"]) for each in document["funds"]
    ]
    assert re.findall(r"\d{6}\.S[ZH](?=<)", page.partition("<tbody>")[2]) == [
        each["symbol"] for each in document["funds"]
    ]
    assert "<td>90.00</td>" in page
    assert "<small>adtv_20, CNY m</small>" in page
    assert "6 of 6 funds ranked by adtv_20" in page
    assert page.count("<svg") == 1
    assert "highest 325,800,000.00" in page  # the bars in words


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_of_a_universe_is_whole_and_sorts(width, tmp_path):
    made = rank(Market(tables()), "chinext_ai", D0, by="adtv_20", allow=("all",))
    with opened(made.save(tmp_path) / "ranking.html", width) as (page, told):
        assert told == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(FAINT) == []
        # The name that `--by` takes is below the head, not run into its last word.
        below = page.locator("thead small").evaluate_all(
            "(names) => names.map((each) => getComputedStyle(each).display)"
        )
        assert set(below) == {"block"}
        turnover = page.locator("thead button", has_text="adtv_20")
        turnover.click()
        turnover.click()
        order = page.locator("tbody td:nth-child(1)").all_inner_texts()
        assert order == ["6", "5", "4", "3", "2", "1"]


def test_a_fund_that_is_known_to_the_day_before_has_no_rank():
    market = Market(until("units", "2025-08-19"))
    made = rank_funds(
        {FUND: ""},
        D0,
        "net_inflow_5_ratio",
        lambda fund, windows: make_brief(market, fund, D0, windows=windows),
    )
    assert made.rows[0].rank is None
    by_name = {fact.name: fact for fact in made.rows[0].facts}
    assert by_name["net_inflow_5_ratio"].older == date(2025, 8, 19)


def test_a_universe_is_ranked_as_it_was_on_the_day():
    edited = tables()
    edited["bars"] = edited["bars"][edited["bars"]["symbol"].isin(["159242.SZ", "159381.SZ"])]
    found = rank(Market(edited), "chinext_ai", date(2025, 7, 23), by="adtv_20", allow=("all",))
    assert [row.symbol for row in found.ranking.rows] == ["159381.SZ"]  # 159242 lists on the 24th
    assert found.not_on_file == ("159363.SZ", "159382.SZ", "159388.SZ", "159246.SZ")


def test_a_fund_without_a_bar_of_the_day_has_its_name_and_the_reason():
    edited = tables()
    bars = edited["bars"]
    edited["bars"] = bars[(bars["symbol"] != "159381.SZ") | (bars["day"] < pd.Timestamp(D0))]
    found = rank(Market(edited), "chinext_ai", D0, by="adtv_20", allow=("all",))
    row = next(row for row in found.ranking.rows if row.symbol == "159381.SZ")
    assert row.name == "创业板人工智能ETF华夏"
    assert (row.rank, row.facts) == (None, ())
    assert row.reason.startswith("159381.SZ has no bars on that day")
