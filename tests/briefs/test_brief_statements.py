"""Statements of a file held against the lines of a brief."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from data.errors import UsageError
from data.facts.calendars import calendar_for
from data.facts.dated import FACTS
from data.store.store import Store
from engine.briefs.statements import line_of, read_statements
from engine.commands.verify import verify
from tests.helpers.brief_market import (
    Market,
    tables,
    until,
)


def judged(here, words: Sequence[str], code: int) -> dict[str, dict]:
    got, printed, complained = here("brief", *words, "--json")
    assert got == code, complained
    return {each["statement"]: each for each in json.loads(printed)["statements"]}


def test_the_note_that_ships_agrees_with_a_market_on_which_it_holds(here):
    Store("note").append(Market(tables()).tables)
    asked = ("159363", "--on", "2025-08-20", "--verify", "shipped", "--data", "note", "--allow", "all")
    found = judged(here, asked, 5)
    assert {name for name, each in found.items() if each["verdict"] != "agrees"} == {"adtv_20"}
    assert found["adtv_20"]["by"] == pytest.approx(325.8e6 - 348.2e6)  # every session of ours has the same
    assert found["net_inflow_5"]["line"] == "net_inflow_5_vwap"
    assert found["financing_4"]["line"] == "net_financing_4"
    assert (found["aum"]["said"], found["theme_weight"]["said"]) == ("2850000000", ">0.41")
    code, printed, complained = here("brief", *asked)
    assert code == 5
    assert re.search(r"^adtv_20 .* differs by -22,400,000 +adtv_20$", printed, re.MULTILINE)
    assert f"\n{len(found) - 1} agree, 1 differ, 0 cannot be told\n" in printed
    assert complained.endswith(
        "the data differ from 1 statement, first `adtv_20` of 159363.SZ on 2025-08-20.\n"
    )


def said(folder: Path, *rows: str) -> Path:
    path = folder / "said.csv"
    path.write_text("\n".join(("statement,fund,day,value,tolerance,source", *rows)) + "\n", encoding="utf-8")
    return path


def verdicts(folder: Path, edited: dict[str, pd.DataFrame], *rows: str) -> list[tuple[str, str]]:
    found = verify(Market(edited), said(folder, *rows), allow=("all",))
    return [(each.sentence, each.line) for each in found.verdicts]


def test_a_statement_agrees_with_any_line_that_it_may_mean(tmp_path):
    rows = (
        "financing_4,159363,2025-08-20,42e6,,",
        "net_financing_4,159363,2025-08-20,42e6,,",
        "financing_4,159363,2025-08-20,43e6,999999,",
        "inflow_streak,159363,2025-08-20,>=6,,",
        "units_record,159363,2025-08-20,no,,",
        "price_high_day,159363,2025-08-20,2025-08-19,,",
        "net_inflow_2_close,159363,2025-08-20,250e6,0.1e6,",  # 200 * 0.731 + 142.47 * 0.728 = 249.91816
        "net_inflow_2_close,159363,2025-08-20,250e6,81839,",
    )
    assert verdicts(tmp_path, tables(), *rows) == [
        ("agrees", "net_financing_4_before"),
        ("differs by +12,057,000", "net_financing_4"),
        ("differs by -1,000,000", "net_financing_4_before"),
        ("agrees", "inflow_streak"),
        ("differs", "units_record"),
        ("agrees", "price_high_day"),
        ("agrees", "net_inflow_2_close"),
        ("differs by -81,840", "net_inflow_2_close"),
    ]


def test_what_is_not_of_the_day_cannot_be_told(tmp_path):
    rows = (
        "margin_balance,159363,2025-08-20,100e6,,",
        "balance,159363,2025-08-20,100e6,,",
        "balance,159363,2025-08-20,112e6,,",
        "index_ytd_932456,159363,2025-08-20,0.3,,",
        "index_ytd_000300,159363,2025-08-20,0.1,,",
        "close,159363,2025-08-16,0.668,,",
        "close,515980,2025-08-20,1.0,,",
    )
    latest = "cannot be told because the latest known is of 2025-08-19: 100000000"
    found = verdicts(tmp_path, until("margin", "2025-08-19"), *rows)
    assert found[:3] == [
        (latest, "margin_balance"),
        ("agrees", "margin_balance_before"),
        (latest, "margin_balance"),
    ]
    assert [sentence.removeprefix("cannot be told because ") for sentence, _ in found[3:]] == [
        "no level of 932456 on file for 2025-08-20",
        "the brief has no line `index_ytd_000300` for this fund",
        "no session on that day: 2025-08-16",
        "`fixture` has no bars of 515980.SH",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "net_inflw_5,159363,2025-08-20,1,,",
            r"row 1: no line .* `net_inflw_5`.*Did you mean `net_inflow_5`",
        ),
        ("close,1593?3,2025-08-20,1,,", "row 1: .*not a symbol"),
        ("close,159363,20 August,1,,", "row 1: `day` is not a day; received 20 August"),
        ("close,159363,2025-08-20,41%,,", "row 1: `value` is not a number; received 41%"),
        ("close,159363,2025-08-20,0.4_1,,", "row 1: `value` is not a number; received 0.4_1"),
        ("close,159363,2025-08-20,1,-1,", "row 1: `tolerance` is out of bounds"),
        ("units_record,159363,2025-08-20,1,,", "row 1: `value` is neither yes nor no; received 1"),
        ("close,159363", "row 1 is too short"),
    ],
)
def test_a_file_of_statements_is_refused_with_the_row_and_what_is_wrong(tmp_path, row, message):
    with pytest.raises(UsageError, match=message):
        read_statements(said(tmp_path, row))


def test_a_file_that_is_none_of_statements_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has no statements"):
        read_statements(said(tmp_path))
    with pytest.raises(UsageError, match=r"cannot read the file of statements .*nowhere\.csv"):
        read_statements(tmp_path / "nowhere.csv")
    (tmp_path / "said.csv").write_text("statement,fund,day,value\n")
    with pytest.raises(UsageError, match="lacks tolerance, source"):
        read_statements(tmp_path / "said.csv")


def test_every_statement_that_ships_names_lines_and_is_about_a_session():
    for each in read_statements(FACTS / "statements.csv"):
        assert calendar_for("cn_etf").is_session(each.day), each
        units = {line_of(name).unit for name in each.lines}
        assert len(units) == 1, each
