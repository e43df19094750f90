"""Splits on file: what a data set lacks of them, what it is told, and that none is counted twice."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import run_backtest
from data.checks import run_checks
from data.facts.calendars import calendar_for
from data.facts.unit_splits import known_splits
from data.facts.universe import load_funds
from data.load import load_panel
from data.store.store import Store
from engine.cli.main import main
from tests.helpers.small_market import bars_of, check

FUND = "159363.SZ"
DAYS = pd.DatetimeIndex(calendar_for("cn_etf").sessions(date(2025, 7, 15), date(2025, 7, 24)))
# It closed at 1.191 on Friday 2025-07-18 and at 0.594 on Monday: split 1:2.
CLOSES = (1.18, 1.19, 1.2, 1.191, 0.594, 0.6, 0.61, 0.62)
ADJUSTED = (0.59, 0.595, 0.6, 0.5955, 0.594, 0.6, 0.61, 0.62)
SPLIT = {
    "symbol": FUND,
    "kind": "split",
    "ex_day": "2025-07-21",
    "record_day": "2025-07-18",
    "ratio": 2.0,
}


def bars(closes: tuple[float, ...] = CLOSES) -> pd.DataFrame:
    """Return bars that open where they close, so that the open of the ex-day is on the new basis."""
    frame = bars_of(FUND, closes, DAYS)
    frame["open"] = frame["close"]
    frame["high"], frame["low"] = frame["close"] + 0.002, frame["close"] - 0.002
    frame["amount"] = frame["volume"] * frame["close"]
    return frame


def units(counts: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame({"symbol": FUND, "day": DAYS, "units": counts})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    made.append({"bars": bars()})
    return made


def test_facts_of_splits() -> None:
    splits = known_splits()
    (split,) = splits[FUND]
    assert (split.record_day, split.ex_day, split.ratio) == (date(2025, 7, 18), date(2025, 7, 21), 2.0)
    assert splits["510310.SH"][0].ratio == 0.49977589  # a merge
    assert [each.ex_day.year for each in splits["515880.SH"]] == [2026, 2026]
    for each in (split for found in splits.values() for split in found):
        assert each.source
        assert each.record_day is None or each.record_day < each.ex_day
        market = "us_etf" if each.symbol.endswith(".US") else "cn_etf"
        assert calendar_for(market).is_session(each.ex_day), each
        listed = load_funds()[each.symbol].listed if each.symbol in load_funds() else None
        assert listed is None or listed < each.ex_day


def test_a_split_that_prices_show_is_named_with_the_command_that_adds_it() -> None:
    tables = {"bars": bars()}
    (found,) = check(tables, "announced-split")
    assert (found.severity, found.table, found.symbol, found.first) == (
        "warning",
        "actions",
        FUND,
        date(2025, 7, 21),
    )
    assert found.message == (
        "MD-159363;HB-Q3 states a split of 2 with ex-day 2025-07-21, which is not recorded"
    )
    assert found.hint == "Add it: etflow data splits --data STORE --add."
    (jump,) = check(tables, "unrecorded-split")
    assert jump.hint == "It is on file with its source: etflow data splits --data STORE --add."


def test_a_split_that_only_units_show_is_missing_too() -> None:
    tables = {"units": units((1e9, 1e9, 1e9, 2.02e9, 2e9, 2e9, 2e9, 2e9))}
    (found,) = check(tables, "announced-split")
    assert "Add it" in found.hint


def test_adjusted_prices_are_not_split_again_whatever_units_show() -> None:
    tables = {"bars": bars(ADJUSTED), "units": units((1e9, 1e9, 1e9, 2.02e9, 2e9, 2e9, 2e9, 2e9))}
    (found,) = check(tables, "announced-split")
    assert "the data do not show it" in found.message
    assert "import them as published" in found.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"record_day": None}, None),
        ({"ratio": 1.964}, "but a split of 1.964 with ex-day 2025-07-21 is recorded"),
        ({"ex_day": "2025-07-18", "record_day": None}, "but a split of 2 with ex-day 2025-07-18 is recorded"),
    ],
)
def test_a_recorded_split_is_held_against_the_one_on_file(
    change: dict[str, object], said: str | None
) -> None:
    found = check({"bars": bars(), "actions": pd.DataFrame([SPLIT | change])}, "announced-split")
    assert len(found) == (said is not None)
    assert all(each.message.endswith(str(said)) for each in found)


def test_a_split_outside_the_data_is_no_matter() -> None:
    assert check({"bars": bars().iloc[4:]}, "announced-split") == []  # from the ex-day on
    assert check({"bars": bars().iloc[:4]}, "announced-split") == []  # up to the day before


def test_nothing_is_applied_that_the_store_does_not_record(store: Store) -> None:
    level = load_panel(store, [FUND]).market.adjustment[:, 0]
    assert level.tolist() == [1.0] * len(DAYS)


def test_the_command_lists_and_adds_it_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str) -> tuple[int, str, str]:
        code = main(run_backtest.load_catalogue, ["data", "splits", *words])
        return code, *capsys.readouterr()

    folder = str(store.folder)
    _, said, _ = call("--data", folder, "--json")
    (known,) = json.loads(said)["splits"]
    assert (known["symbol"], known["state"], known["source"]) == (FUND, "missing", "MD-159363;HB-Q3")
    code, said, told = call("--data", folder)
    assert (code, "missing, and the data show it" in said) == (0, True)
    assert "--add" in told
    assert len(Store(store.folder).read("actions")) == 0

    assert call("--data", folder, "--add", "--quiet")[1].endswith("1 split added.\n")
    assert call("--data", folder, "--add", "--quiet")[1].endswith("0 splits added.\n")
    (row,) = Store(store.folder).read("actions").to_dict("records")
    assert (row["kind"], str(row["ex_day"].date()), str(row["record_day"].date()), row["ratio"]) == (
        "split",
        "2025-07-21",
        "2025-07-18",
        2.0,
    )
    assert row["source"] == "etflow data/facts/splits.csv: MD-159363;HB-Q3"
    findings = run_checks(Store(store.folder))
    assert not {"announced-split", "unrecorded-split", "split-ratio"} & {each.check for each in findings}
    adjusted = load_panel(Store(store.folder), [FUND]).market.adjustment[:, 0]
    assert adjusted.tolist() == [1.0] * 4 + [2.0] * 4


def test_adjusted_data_get_nothing_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store(tmp_path / "s").append({"bars": bars(ADJUSTED)})
    assert main(run_backtest.load_catalogue, ["data", "splits", "--data", str(tmp_path / "s"), "--add"]) == 0
    assert capsys.readouterr().out.endswith("0 splits added.\n")
    assert Store(tmp_path / "s").read("actions").empty


def test_nothing_can_be_added_to_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run_backtest.load_catalogue, ["data", "splits", "--add"]) == 2
    assert "Name a store" in capsys.readouterr().err
