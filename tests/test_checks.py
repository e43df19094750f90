"""Running the checks: on clean markets, on a part of the data, and what stops a run."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from data import checks
from data.checks import blocking, kept, parts, run_checks
from data.demo import Demo
from data.errors import UsageError
from data.store.store import Store
from tests.helpers.small_market import DIVIDEND, EX, PAYER, Source, check, clean_market, day, planted, scaled


def test_a_clean_market_has_no_finding_of_any_check():
    assert check(clean_market()) == []


def test_the_demo_market_has_no_error():
    found = run_checks(Demo())
    assert blocking(found) == ()
    assert not {"nav-shifted", "implausible-units"} & {each.check for each in found}


def test_findings_are_those_of_the_symbols_and_the_days_asked_for():
    tables = planted("actions", lambda actions: actions.iloc[:0])
    source = Source(tables)
    names = {each.check for each in run_checks(source)}
    assert names == {"unrecorded-split", "reference-price", "nav-premium"}
    assert {each.check for each in run_checks(source, [PAYER])} == {"reference-price"}
    assert {each.check for each in run_checks(source, start=day(EX))} == {"unrecorded-split"}
    assert {each.check for each in run_checks(source, end=day(DIVIDEND))} == {"reference-price"}


@pytest.mark.slow
def test_a_finding_that_reaches_into_the_days_asked_for_is_among_them():
    source = Source(planted("bars", scaled(PAYER, "volume", 0.01, slice(10, 20))))
    for start, end, expected in [
        (day(15), None, 1),
        (None, day(15), 1),
        (day(20), None, 0),
        (None, day(9), 0),
    ]:
        assert len(run_checks(source, start=start, end=end)) == expected


@pytest.mark.slow
def test_an_answer_is_kept_for_the_same_tables_and_funds_and_for_no_others(tmp_path, monkeypatch):
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ETFLOW_CALENDAR", str(tmp_path / "calendar.toml"))
    (tmp_path / "calendar.toml").touch()
    asked = []
    examine = checks.examine
    monkeypatch.setattr(checks, "examine", lambda *given: asked.append(1) or examine(*given))
    tables = planted("actions", lambda actions: actions.iloc[:0])
    store = Store(tmp_path / "store")
    store.append({name: frame for name, frame in tables.items() if len(frame)})

    def ask(symbols=None, again=False):
        before = len(asked)
        found = run_checks(Store(store.folder), symbols, again=again)
        return found, len(asked) - before

    findings, times = ask()
    assert len(findings) == 3
    assert times == 1
    assert ask() == (findings, 0)
    assert ask(again=True) == (findings, 1)
    assert ask([PAYER])[1] == 1
    assert ask([PAYER])[1] == 0
    (tmp_path / "calendar.toml").write_text("# seen\n")
    assert ask() == (findings, 1)
    place = kept.place_of(store, None)
    for damage in (b"", b"no digest\n[]", place.read_bytes().replace(b"warning", b"earning")):
        place.write_bytes(damage)
        assert ask() == (findings, 1)
    store.append({"actions": clean_market()["actions"]})
    assert ask() == ((), 1)
    assert kept.place_of(Source(tables), None) is None


def test_an_answer_about_the_demo_market_is_kept_too(tmp_path, monkeypatch):
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path / "cache"))
    asked = []
    monkeypatch.setattr(checks, "examine", lambda *given: asked.append(given) or ())

    class Altered(Demo):
        """Whose tables nobody knows."""

    for source in (
        Demo(),
        Demo(),
        Demo(seed=1),
        Demo(flow_effect=0.0),
        Demo(premium=True),
        Altered(),
        Altered(),
    ):
        run_checks(source, again=False)
    assert [type(source).__name__ for source, _ in asked] == [*["Demo"] * 4, *["Altered"] * 2]


@pytest.mark.slow
def test_findings_are_the_same_however_many_funds_are_read_at_a_time(monkeypatch):
    tables = planted("actions", lambda actions: actions.iloc[:0])
    tables["units"] = tables["units"].iloc[:-15]
    tables["bars"] = tables["bars"].assign(source="a file, split-adjusted")
    source = Source(tables)
    together = run_checks(source)
    assert {each.check for each in together} >= {"unrecorded-split", "split-adjusted", "ends-early"}
    monkeypatch.setattr(parts, "BLOCK", 1)
    assert run_checks(source) == together


def test_errors_come_first():
    tables = planted("actions", lambda actions: actions.iloc[:0])
    assert [each.severity for each in check(tables)] == ["error", "warning", "warning"]


def test_a_run_is_blocked_by_errors_that_are_not_allowed():
    tables = planted("actions", lambda actions: actions.iloc[:0])
    findings = check(tables)
    assert [each.check for each in blocking(findings)] == ["unrecorded-split"]
    assert blocking(findings, ["unrecorded-split"]) == ()
    assert blocking(findings, ["all"]) == ()
    assert len(blocking(findings, ["adjusted-prices"])) == 1


def test_an_unknown_check_is_refused_with_the_close_ones():
    with pytest.raises(UsageError, match="unrecorded-split"):
        blocking([], ["unrecorded-splits"])


def test_no_data_is_no_defect():
    assert check({}) == []


def test_checks_leave_the_tables_alone():
    source = Source(planted("actions", lambda actions: actions.iloc[:0]))
    before = {name: frame.copy(deep=True) for name, frame in source.tables.items()}
    run_checks(source)
    for name, frame in source.tables.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_finding_says_all_in_one_line():
    (found,) = check(planted("bars", scaled(PAYER, "volume", 0.01)))
    text = str(found)
    assert text.startswith(f"error: lots-for-shares: bars {PAYER}, {day(0)} to {day(40)}: volume is in lots")
    assert "\n" not in text


def test_the_checks_load_without_the_calendars(root):
    code = "import sys, data.checks; sys.exit('exchange_calendars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
