"""Themes of companies and capital expenditure: what ships, what the user adds, what `data facts` shows."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

import run_backtest
from data.errors import UsageError
from data.facts.capex import COMPANIES, capex, filed_quarters
from data.facts.shipped import SHIPPED, citations, facts_in
from data.facts.themes import known_tags, shipped_tags, themes_on
from engine.cli.main import main

# ---- themes -----------------------------------------------------------------------------------------------


def test_a_company_has_its_theme_from_the_day_of_the_source_on():
    assert "300308" not in themes_on(date(2022, 8, 25), shipped_tags())
    assert themes_on(date(2022, 8, 26), shipped_tags())["300308"] == "optical"
    assert themes_on(date(2026, 8, 20), shipped_tags())["000977"] == "servers"


def test_shipped_themes_are_of_companies_by_bare_code_and_name():
    for tag in shipped_tags():
        assert re.fullmatch(r"\d{6}", tag.code), tag
        assert all((tag.name, tag.source, not tag.own)), tag
        assert tag.theme in ("optical", "chips", "servers", "datacentres"), tag
        assert date(2020, 1, 1) < tag.start <= date(2026, 8, 31), tag
    assert len({tag.code for tag in shipped_tags()}) == len(shipped_tags())


@pytest.fixture
def own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mine.csv"
    monkeypatch.setenv("ETFLOW_THEMES", str(path))
    return path


def test_a_company_in_the_users_table_has_the_themes_of_that_table_and_no_other(own_table: Path):
    own_table.write_text(
        "code,theme,from_day,source\n"
        "300570,optical,2024-01-31,annual report\n"
        "300308,lasers,2025-08-01,\n"
        "300502,,2025-01-01,left the business\n",
        encoding="utf-8-sig",
    )
    july, august = (themes_on(date(2025, month, 31), known_tags()) for month in (7, 8))
    assert july["300570"] == august["300570"] == "optical"
    assert "300308" not in july
    assert august["300308"] == "lasers"
    assert "300502" not in july
    assert "300502" not in august
    assert july["300394"] == "optical"  # the others stay


def test_a_theme_that_changes_holds_from_its_own_day(own_table: Path):
    own_table.write_text(
        "code,theme,from_day\n600000,b,2025-03-01\n600000,a,2025-01-01\n600000,,2025-04-01\n"
    )
    found = [themes_on(date(2025, month, 15), known_tags()).get("600000") for month in (1, 2, 3, 4)]
    assert found == ["a", "a", "b", None]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("code,theme,from\n600000,a,2025-01-01\n", r"unknown column `from`.*Did you mean `from_day`"),
        ("code,theme\n600000,a\n", "lacks from_day"),
        ("", "lacks code, theme, from_day"),
        ("code,theme,from_day\n300308.SZ,a,2025-01-01\n", "line 2: `code` is not a bare code"),
        ("code,theme,from_day\n988,a,2025-01-01\n", r"line 2: `code` is not a bare code.*000988"),
        ("code,theme,from_day\n600000,a,2025-01-01\n,a,2025-01-01\n", "line 3: `code` is not a bare code"),
        ("code,theme,from_day\n600000,a,August\n", r"line 2: `from_day` is not a date.*August"),
        ("code,theme,from_day\n600000,a\n", "line 2: `from_day` is not a date"),
        (
            "code,theme,from_day\n600000,a,2025-01-01\n600000,b,2025-01-01\n",
            "line 3: 600000 has two themes from 2025-01-01",
        ),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(own_table: Path, text: str, what: str):
    own_table.write_text(text)
    with pytest.raises(UsageError, match=what):
        known_tags()


def test_a_table_that_is_not_there_or_no_text_is_refused(own_table: Path):
    with pytest.raises(UsageError, match=r"cannot read .*mine\.csv"):
        known_tags()
    own_table.write_bytes("code,theme,from_day\n600000,光模块,2025-01-01\n".encode("gbk"))
    with pytest.raises(UsageError, match="it is not UTF-8"):
        known_tags()


# ---- capital expenditure ----------------------------------------------------------------------------------


def test_the_sum_of_a_quarter_is_known_when_the_last_of_four_has_filed():
    found = {each.quarter: each for each in capex()}
    assert found[date(2025, 3, 31)].millions == 17_197 + 25_019 + 12_941 + 16_745 == 71_902
    assert found[date(2025, 3, 31)].filed == date(2025, 5, 2)  # Amazon's; Alphabet's was on 04-25
    assert list(found) == [day.date() for day in pd.date_range("2023-03-31", "2026-06-30", freq="QE")]


def test_each_quarter_is_what_the_filing_says_it_is():
    for each in filed_quarters():
        numbers = [int(number) for number in re.findall(r"\d+", each.filed_as)]
        if numbers:  # "six months 13177 less three months 6289"
            assert each.millions == numbers[0] - numbers[1] + sum(numbers[2:]), each
        else:
            assert each.filed_as == "three months", each
        assert each.quarter + timedelta(20) < each.filed < each.quarter + timedelta(45), each
        assert re.fullmatch(r"\d{10}-\d\d-\d{6}", each.accession), each
        assert each.accession[11:13] == f"{each.filed:%y}", each
    assert len({each.accession for each in filed_quarters()}) == len(filed_quarters()) == 14 * len(COMPANIES)


# ---- the command ------------------------------------------------------------------------------------------


def facts(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(run_backtest.load_catalogue, ["data", "facts", *words]) == code
    return capsys.readouterr()


def test_facts_lists_the_tables_and_how_far_they_go(capsys: pytest.CaptureFixture[str]):
    tables = json.loads(facts(capsys, "--json")[0])
    assert [each["table"] for each in tables] == [each.name for each in SHIPPED]
    assert {each["table"]: each["latest"] for each in tables}["capex"] == "2026-07-31"
    said, _ = facts(capsys)
    assert all(each.holds in said for each in SHIPPED)


def test_facts_shows_rows_and_who_says_so(own_table: Path, capsys: pytest.CaptureFixture[str]):
    own_table.write_text("code,name,theme,from_day\n300570,太辰光,optical,2024-01-31\n", encoding="utf-8")
    found = json.loads(facts(capsys, "themes", "--json")[0])
    mine = next(row for row in found["rows"] if row["code"] == "300570")
    assert mine["source"] == "yours"
    assert len(found["rows"]) == len(shipped_tags()) + 1
    assert "Northeast Securities" in found["sources"]["NE-230416"]
    said, told = facts(capsys, "themes")
    assert "太辰光" in said
    assert str(own_table) in told


def test_an_unknown_table_of_facts_is_refused_with_what_there_is(capsys: pytest.CaptureFixture[str]):
    assert "Did you mean `capex`" in facts(capsys, "capx", code=2)[1]


def test_every_table_of_facts_names_sources_that_are_explained():
    for table in SHIPPED:
        rows = facts_in(table)
        assert {bool(row["source"]) for row in rows} == {True}, table
        if table.name != "indices":  # which cites addresses
            assert citations(rows), table
