"""Funds and universes: the facts as published, each with its source, and peer sets as of a day."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import run_backtest
from data.errors import UsageError
from data.facts.dated import FACTS, Scope, rows_of
from data.facts.rules import RuleBook
from data.facts.symbols import parse_symbol
from data.facts.universe import (
    Before,
    Fund,
    funds_of,
    known_funds,
    load_funds,
    peers,
    peers_unknown,
    universe,
    universe_names,
)
from data.store.tables import TABLES
from engine.cli.main import main

TAG = re.compile(r"\[([A-Z0-9-]+)\]")


def rows(name: str) -> list[dict[str, str]]:
    with (FACTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(value: Any, where: str) -> list[tuple[str, dict[str, Any]]]:
    """Every row of a TOML file: a table in a list of tables, and a table with a day of its own."""
    found = []
    for name, each in value.items():
        if isinstance(each, list):
            found += [(f"{where} {name} {n}", row) for n, row in enumerate(each, 1) if isinstance(row, dict)]
        elif isinstance(each, dict):
            found.append((f"{where} {name}", each))
    return found


def toml_files() -> list[Path]:
    return sorted(FACTS.rglob("*.toml"))


# ---- every fact has a source ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FACTS.glob("*.csv")), ids=lambda path: path.name)
def test_every_row_of_a_facts_table_has_a_source(path: Path) -> None:
    column = "citation" if path.name == "sources.csv" else "source"
    assert [row for row in rows(path.name) if not row[column].strip()] == []


@pytest.mark.parametrize("path", toml_files(), ids=lambda path: path.name)
def test_every_row_of_a_facts_file_has_a_source(path: Path) -> None:
    found = records(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    assert found
    assert [where for where, row in found if not str(row.get("source", "")).strip()] == []


def test_every_tag_is_explained_once_and_every_explanation_is_used() -> None:
    explained = [row["tag"] for row in rows("sources.csv")]
    tables = ("universe.csv", "fund_history.csv", "splits.csv", "themes.csv", "capex.csv", "statements.csv")
    used = {tag for name in tables for row in rows(name) for tag in row["source"].split(";")}
    for path in toml_files():
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        texts = [str(row["source"]) for _, row in records(raw, "")] + [str(raw.get("source", ""))]
        used |= {tag for text in texts for tag in TAG.findall(text)}
    assert len(explained) == len(set(explained))
    assert set(explained) == used


# ---- the table of funds -----------------------------------------------------------------------------------


def test_symbols_are_written_our_way_once_each() -> None:
    symbols = [row["symbol"] for row in rows("universe.csv")]
    assert len(symbols) == len(set(symbols)) == 96
    assert [parse_symbol(symbol) for symbol in symbols] == symbols


def test_verified_names_columns_that_are_filled() -> None:
    for row in rows("universe.csv"):
        for entry in filter(None, row["verified"].split(";")):
            column = entry.partition("(")[0]
            assert row[column], (row["symbol"], entry)


def test_facts_of_159363() -> None:
    fund = load_funds()["159363.SZ"]
    assert fund.name == "创业板人工智能ETF华宝"
    assert (fund.index, fund.family, fund.currency) == ("970070", "CHINEXT_AI", "CNY")
    assert fund.listed == date(2024, 12, 16)
    assert (fund.price_limit, fund.management_fee, fund.custody_fee) == (0.2, 0.005, None)
    assert "HB-Q3" in fund.source


def test_facts_stated_in_the_press_and_by_the_exchanges() -> None:
    funds = load_funds()
    assert funds["159381.SZ"].listed == date(2025, 3, 24)
    assert (funds["159381.SZ"].management_fee, funds["159381.SZ"].custody_fee) == (0.0015, 0.0005)
    assert funds["159242.SZ"].listed == date(2025, 7, 24)
    assert funds["159819.SZ"].listed == date(2020, 9, 23)
    assert funds["588790.SH"].listed == date(2025, 1, 9)
    assert (funds["515980.SH"].index, funds["515980.SH"].price_limit) == ("931071", 0.1)
    assert funds["159142.SZ"].listed == date(2025, 12, 12)  # its listing announcement, and a public rule book
    assert funds["589410.SH"].listed == date(2026, 7, 16)  # its short name had an N on this day only
    assert funds["588420.SH"].listed is None
    assert funds["BOTZ.US"].listed is None
    assert (funds["BOTZ.US"].price_limit, funds["BOTZ.US"].currency) == (None, "USD")


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        load_funds()["159363.SZ"] = Fund("159363.SZ")  # type: ignore[index]


def test_price_limits_of_the_table_are_those_of_the_rules() -> None:
    funds = {symbol: fund for symbol, fund in load_funds().items() if fund.currency == "CNY"}
    blank = {symbol: Fund(symbol, family=fund.family) for symbol, fund in funds.items()}
    ruled = RuleBook.load("cn_etf").arrays(
        tuple(funds), blank, np.array(["2026-08-20"], dtype="datetime64[D]")
    )
    stated = [fund.price_limit for fund in funds.values()]
    assert ruled.price_limit[0].tolist() == stated


# ---- universes --------------------------------------------------------------------------------------------


def test_the_chinese_ai_universe_by_family() -> None:
    sizes = {
        name: len(universe(name)) for name in ("chinext_ai", "csi_ai", "star_ai", "star_chinext_ai", "ai_cn")
    }
    # 8 + (4 + 1) + 13 + 12, and two whose index is another one or not known.
    assert sizes == {"chinext_ai": 8, "csi_ai": 5, "star_ai": 13, "star_chinext_ai": 12, "ai_cn": 40}


def test_every_universe_has_funds_of_one_market_and_every_family_is_in_one() -> None:
    covered = set()
    for name in universe_names():
        symbols = universe(name)
        assert symbols
        assert len({symbol.endswith(".US") for symbol in symbols}) == 1
        covered.update(symbols)
    alone = {fund.family for symbol, fund in load_funds().items() if symbol not in covered}
    assert alone == {"US_BENCH", "CROSS_BORDER_CHIP"}


def test_an_unknown_universe_names_close_matches() -> None:
    with pytest.raises(UsageError, match="chinext_ai"):
        universe("chinex_ai")


# ---- peers ------------------------------------------------------------------------------------------------


def test_six_funds_track_chinext_ai_on_the_day_the_press_counted_six() -> None:
    assert peers("159363.SZ", date(2025, 8, 20)) == (
        "159242.SZ",
        "159246.SZ",
        "159363.SZ",
        "159381.SZ",
        "159382.SZ",
        "159388.SZ",
    )


def test_peers_are_those_listed_by_then() -> None:
    assert peers("159363.SZ", date(2024, 12, 13)) == ()
    assert peers("159363.SZ", date(2024, 12, 16)) == ("159363.SZ",)
    assert peers("159363.SZ", date(2025, 3, 24)) == ("159363.SZ", "159381.SZ")


def test_peers_by_the_facts_of_a_data_set() -> None:
    funds = {
        "B": Fund("B", index="1", listed=date(2024, 1, 2)),
        "A": Fund("A", index="1", listed=date(2024, 1, 2), delisted=date(2024, 6, 3)),
        "C": Fund("C", index="2", listed=date(2024, 1, 2)),
        "D": Fund("D", index="1"),
        "E": Fund("E", listed=date(2024, 1, 2)),
        "F": Fund("F", listed=date(2024, 1, 2)),
    }
    assert peers("B", date(2024, 5, 31), funds) == ("A", "B")
    assert peers("B", date(2024, 6, 3), funds) == ("B",)
    assert peers("E", date(2024, 6, 3), funds) == ("E",)
    with pytest.raises(UsageError):
        peers("Z", date(2024, 6, 3), funds)


# ---- the data set's own facts -----------------------------------------------------------------------------


def test_own_facts_come_before_ours_and_ours_fill_the_gaps() -> None:
    table = TABLES["funds"].validate(
        pd.DataFrame(
            {
                "symbol": ["159363.SZ", "157001.SZ"],
                "index": ["970071", None],
                "listed": ["2024-12-17", "2020-03-02"],
                "delisted": [None, "2023-11-20"],
                "price_limit": [None, 0.15],
            }
        )
    )
    funds = funds_of(("159363.SZ", "157001.SZ", "BOTZ.US", "ZZZ.US"), table)
    assert list(funds) == ["159363.SZ", "157001.SZ", "BOTZ.US", "ZZZ.US"]
    ours, own = funds["159363.SZ"], funds["157001.SZ"]
    assert (ours.index, ours.listed, ours.price_limit) == ("970071", date(2024, 12, 17), 0.2)
    assert ours.name == "创业板人工智能ETF华宝"
    assert own == Fund(
        "157001.SZ", listed=date(2020, 3, 2), delisted=date(2023, 11, 20), price_limit=0.15, currency="CNY"
    )
    assert funds["BOTZ.US"] == load_funds()["BOTZ.US"]
    assert funds["ZZZ.US"] == Fund("ZZZ.US", currency="USD")


def test_a_table_of_the_data_set_brings_funds_that_are_gone_into_a_universe() -> None:
    table = TABLES["funds"].validate(
        pd.DataFrame(
            {
                "symbol": ["159011.SZ", "159363.SZ"],
                "family": ["CHINEXT_AI", None],
                "listed": ["2024-01-02", None],
                "delisted": ["2025-06-02", "2025-07-01"],
            }
        )
    )
    facts = known_funds(table)
    whole = universe("chinext_ai", funds=facts)
    assert set(whole) == {*universe("chinext_ai"), "159011.SZ"}
    assert "159011.SZ" in universe("chinext_ai", date(2025, 5, 30), facts)
    assert not {"159011.SZ", "159363.SZ"} & set(universe("chinext_ai", date(2025, 7, 1), facts))
    assert "159363.SZ" in universe("chinext_ai", date(2025, 7, 1))
    assert known_funds() == load_funds()


def test_without_own_facts_ours_hold() -> None:
    assert funds_of(("159363.SZ",)) == {"159363.SZ": load_funds()["159363.SZ"]}
    empty = TABLES["funds"].empty()
    assert funds_of(("159363.SZ",), empty) == {"159363.SZ": load_funds()["159363.SZ"]}


def test_listed_on_needs_a_known_listing_day() -> None:
    fund = Fund("A", listed=date(2024, 1, 2), delisted=date(2024, 1, 5))
    days = [date(2024, 1, day) for day in (1, 2, 4, 5)]
    assert [fund.listed_on(day) for day in days] == [False, True, True, False]
    assert not Fund("A").listed_on(date(2024, 1, 2))


def test_the_columns_of_the_tables_are_the_fields_of_a_fund_and_of_its_past() -> None:
    assert {field.name for field in fields(Fund)} <= {*rows("universe.csv")[0], "history"}
    assert {field.name for field in fields(Before)} <= set(rows("fund_history.csv")[0])


# ---- what was, on a day -----------------------------------------------------------------------------------


def test_a_fund_knows_its_ticker_name_and_index_on_a_day() -> None:
    fund = load_funds()["ARTY.US"]
    before, after = fund.on(date(2024, 8, 11)), fund.on(date(2024, 8, 12))
    assert (before.ticker, before.name) == (
        "IRBO",
        "iShares Robotics and Artificial Intelligence Multisector ETF",
    )
    assert before.index_name == "NYSE FactSet Global Robotics and Artificial Intelligence Index"
    assert (after.ticker, after.name) == ("ARTY", "iShares Future AI & Tech ETF")
    assert after.index_name == "Morningstar Global Artificial Intelligence Select Index"
    tickers = [load_funds()["SOXX.US"].on(date(year, 1, 4)).ticker for year in (2010, 2011, 2022)]
    assert tickers == ["IGW", "SOXX", "SOXX"]
    indices = [load_funds()["SOXL.US"].on(date(2021, 8, day)).index_name for day in (24, 25)]
    assert indices == ["PHLX Semiconductor Sector Index", "NYSE Semiconductor Index"]


def test_peers_are_those_that_tracked_the_index_then() -> None:
    day = date(2024, 6, 3)
    listed = date(2020, 1, 2)
    was = Before(day, "A", "A", "2")
    funds = {
        "A": Fund("A", index="1", listed=listed, history=(was,)),
        "B": Fund("B", index="1", listed=listed),
        "C": Fund("C", index="2", listed=listed),
    }
    assert peers("A", date(2024, 5, 31), funds) == ("A", "C")
    assert peers("B", date(2024, 5, 31), funds) == ("B",)
    assert peers("A", day, funds) == ("A", "B")
    # The data set's own word on the index comes before our history of it.
    own = TABLES["funds"].validate(pd.DataFrame({"symbol": ["ARTY.US"], "index": ["X"]}))
    assert funds_of(("ARTY.US",), own)["ARTY.US"].on(date(2020, 1, 2)).index == "X"


def test_between_the_days_on_file_it_is_not_known_whether_a_fund_was_listed() -> None:
    fund = Fund("A", not_before=date(2025, 3, 10), listed_by=date(2026, 1, 16))
    days = [date(2025, 3, 7), date(2025, 3, 10), date(2026, 1, 15), date(2026, 1, 16)]
    assert [fund.may_be_listed_on(day) for day in days] == [False, True, True, False]
    assert [fund.listed_on(day) for day in days] == [False, False, False, True]
    gone = Fund("B", delisted=date(2025, 3, 10))
    assert [gone.may_be_listed_on(day) for day in days[:2]] == [True, False]
    assert not Fund("C", listed=date(2025, 3, 10)).may_be_listed_on(date(2025, 3, 7))


def test_the_press_counted_seven_on_2025_10_17_and_eight_are_listed_in_august_2026() -> None:
    counts = [len(peers("159363.SZ", day)) for day in (date(2025, 10, 17), date(2026, 8, 20))]
    assert counts == [7, 8]
    assert peers_unknown("159363.SZ", date(2026, 8, 20)) == ()
    assert peers_unknown("159363.SZ", date(2026, 8, 21)) == (
        "funds that listed after 2026-08-20 may be missing",
    )


def test_of_star_ai_funds_at_least_six_were_listed_on_2025_08_20() -> None:
    day = date(2025, 8, 20)
    assert len(peers("588790.SH", day)) == 6
    (reason,) = peers_unknown("588790.SH", day)
    assert "589010.SH, 589090.SH, 589110.SH, 589230.SH, 589560.SH" in reason
    # All thirteen trade in the exchange's unit file of 2026-07-16.
    assert len(peers("588790.SH", date(2026, 7, 16))) == 13
    assert peers_unknown("588790.SH", date(2026, 7, 16)) == ()


def test_lists_of_other_families_are_not_complete() -> None:
    assert "the list of its funds is not complete" in peers_unknown("515880.SH", date(2025, 8, 20))


def test_a_universe_as_of_a_day() -> None:
    assert len(universe("chinext_ai", date(2025, 8, 20))) == 6
    assert universe("star_chinext_ai", date(2025, 12, 11)) == ("159141.SZ",)
    assert universe("star_chinext_ai", date(2025, 12, 10)) == ()


def test_the_command_lists_a_universe_as_of_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str) -> tuple[int, str, str]:
        code = main(run_backtest.load_catalogue, ["data", "universe", *words])
        return code, *capsys.readouterr()

    code, said, _ = call("us_chip", "--as-of", "2011-01-04", "--json")
    document = json.loads(said)
    assert (code, document["as_of"], document["funds"]) == (0, "2011-01-04", [])
    assert document["listing_not_on_file"] == ["SMH.US", "SOXX.US"]
    code, said, told = call("star_ai", "--as-of", "2025-08-20")
    assert (code, len(said.splitlines())) == (0, 1 + 6)
    assert "not on file whether these were listed by then: 589010.SH" in told
    code, said, _ = call("--as-of", "2025-08-20", "--json")
    (chinext,) = [each for each in json.loads(said) if each["name"] == "chinext_ai"]
    assert chinext == {"name": "chinext_ai", "listed": 6, "known": 8}


def test_rows_come_from_the_general_to_the_particular_and_from_old_to_new() -> None:
    scopes = [
        {"symbols": ["A"]},
        "default",
        {"prefix": ["A"]},
        {"family": ["A"]},
        {"exchange": ["SSE"]},
        "default",
    ]
    starts = [date(2020, 1, day) for day in (1, 6, 2, 3, 4, 5)]
    raw = [
        {"applies_to": scope, "from": day, "source": "s"} for scope, day in zip(scopes, starts, strict=True)
    ]
    found = [(row.scope.kind, str(row.start)[-2:]) for row in rows_of(raw, "here", ())]
    assert found == [
        ("default", "05"),
        ("default", "06"),
        ("exchange", "04"),
        ("prefix", "02"),
        ("family", "03"),
        ("symbols", "01"),
    ]


def test_scopes_match_what_they_name() -> None:
    assert Scope("default").covers("159363.SZ")
    assert Scope("exchange", ("SZSE",)).covers("159363.SZ")
    assert not Scope("exchange", ("SZSE",)).covers("CN")
    assert Scope("prefix", ("588", "589")).covers("589010.SH")
    assert not Scope("prefix", ("588",)).covers("515880.SH")
    assert Scope("family", ("COMM",)).covers("515880.SH", "COMM")
    assert not Scope("family", ("COMM",)).covers("515880.SH")
    assert Scope("symbols", ("CN",)).covers("CN")
