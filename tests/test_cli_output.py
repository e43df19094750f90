"""What the command line draws: aligned tables, plain JSON, colour and progress on a terminal only."""

from __future__ import annotations

import io
import json
import sys
import time
from datetime import date

import numpy as np
import pytest

from data.errors import UsageError
from data.words import count, number
from engine.cli import output
from engine.cli.app import App, Catalogue
from engine.cli.options import assignments, day
from engine.cli.specs import split_settings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def app(**state: bool) -> App:
    return App(lambda: Catalogue({}, lambda name: (name, name, name)), **state)


def test_columns_are_aligned_names_left_numbers_right():
    rows = [("a", "1.00", "x"), ("人工智能", "1,234.50", "y")]
    assert output.table(rows, ("fund", "value", "unit"), left_too=(2,)).splitlines() == [
        "fund         value  unit",
        "a             1.00  x",
        "人工智能  1,234.50  y",  # four letters that take eight columns
    ]
    assert output.table([]) == ""


def test_numbers_have_their_units():
    assert number(float("nan")) == "n/a"
    assert output.points(1234.567) == "+1,234.57"
    assert output.points(-1234.567) == "-1,234.57"
    assert output.points(0.004) == output.points(-0.004) == "0.00"
    assert output.points(float("nan")) == output.points(None) == "n/a"
    assert output.money(1234567.891, "CNY") == "1,234,567.89 CNY"
    assert count(1191) == "1,191"
    assert count(1191, "fill") == "1,191 fills"
    assert count(1, "fill") == "1 fill"
    assert count(0, "fill") == "0 fills"


def test_json_has_plain_types_and_neither_nan_nor_infinity(capsys):
    output.print_json(
        {
            "nan": float("nan"),
            "infinity": np.float64("-inf"),
            "count": np.int64(3),
            "days": np.array(["2024-01-02"], dtype="datetime64[D]"),
            "day": date(2024, 1, 2),
            "set": {"b", "a"},
            "name": "人工智能",
            "switch": True,
        }
    )
    printed = capsys.readouterr().out
    assert "人工智能" in printed
    assert json.loads(printed, parse_constant=pytest.fail) == {
        "nan": None,
        "infinity": None,
        "count": 3,
        "days": ["2024-01-02"],
        "day": "2024-01-02",
        "set": ["a", "b"],
        "name": "人工智能",
        "switch": True,
    }


def test_colour_is_for_terminals_that_want_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.paint("no", Terminal(), fg="red") == "\x1b[31mno\x1b[0m"
    assert output.paint("no", io.StringIO(), fg="red") == "no"
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.paint("no", Terminal(), fg="red") == "no"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert output.paint("no", Terminal(), fg="red") == "no"


def draw_progress(monkeypatch, stream: io.StringIO, patience: float, **state: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(output, "PATIENCE_SECONDS", patience)
    monkeypatch.setattr(output, "REPAINT_SECONDS", 0.01)
    with output.Progress(app(**state), "run", total=4) as progress:
        progress.begin("data")
        progress.begin("checks")
        time.sleep(0.1)
    return stream.getvalue()


def test_progress_is_drawn_on_a_terminal_and_wiped(monkeypatch):
    drawn = draw_progress(monkeypatch, Terminal(), patience=0.0)
    assert "run [######..................] 1/4 checks 0 s" in drawn
    assert drawn.endswith("\r\x1b[K")


def test_progress_waits_and_stays_away_from_files_and_quiet_runs(monkeypatch):
    assert output.PATIENCE_SECONDS == 2.0
    assert draw_progress(monkeypatch, Terminal(), patience=60.0) == ""
    assert draw_progress(monkeypatch, io.StringIO(), patience=0.0) == ""
    assert draw_progress(monkeypatch, Terminal(), patience=0.0, quiet=True) == ""


def test_a_sparkline_goes_from_the_lowest_to_the_highest():
    assert output.sparkline([1.0, 2.0, 4.5, 8.0], 10) == "▁▂▅█"
    assert output.sparkline([3.0, 3.0, 3.0], 10) == "▁▁▁"
    # Four of seven, the ends among them: places 0, 2, 4 and 6.
    assert output.sparkline([0.0, 9.0, 7.0, 9.0, 3.5, 9.0, 0.0], 4) == "▁█▅▁"
    assert output.sparkline([1.0], 10) == output.sparkline([1.0, 2.0], 1) == ""


def test_a_sparkline_stays_away_where_there_are_no_letters_for_it(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert output.sparkline([1.0, 2.0], 10) == ""


def test_quiet_silences_warnings_and_notes_but_not_errors(capsys):
    output.warn(app(), "careful")
    output.note(app(), "by the way")
    assert capsys.readouterr() == ("", "warning: careful\nby the way\n")
    output.warn(app(quiet=True), "careful")
    output.note(app(quiet=True), "by the way")
    output.complain("wrong")
    assert capsys.readouterr() == ("", "error: wrong\n")


def test_of_warnings_of_a_check_the_first_is_said_and_how_many_follow(capsys):
    said = [
        "ended: bars SH: A, B and 3 more",
        "ended: nav SZ: C",
        "ended: units SZ: D",
        "gap: bars E: 2 days",
    ]
    output.warn_of_data(app(), said, "store")
    first, second, _ = capsys.readouterr().err.splitlines()
    assert first == "warning: data: ended: bars SH: A, B and 3 more (2 more findings of `ended`)"
    assert second == "warning: data: gap: bars E: 2 days"


def test_an_error_takes_one_line_whatever_is_in_it(capsys):
    output.complain("two\nlines")
    assert capsys.readouterr().err == "error: two lines\n"


@pytest.mark.parametrize(
    ("word", "name", "settings"),
    [
        ("momentum", "momentum", {}),
        ("momentum:top=2,lookback=60", "momentum", {"top": "2", "lookback": "60"}),
        ("my/file.py:Mine", "my/file.py:Mine", {}),
        ("my/file.py:Mine:top=2", "my/file.py:Mine", {"top": "2"}),
        ("my/file.py:top=2", "my/file.py", {"top": "2"}),
        ("weights:file=a/b.csv", "weights", {"file": "a/b.csv"}),
    ],
)
def test_a_strategy_may_carry_its_settings(word, name, settings):
    assert split_settings(word) == (name, settings)


def test_words_without_a_value_are_refused():
    assert assignments(("a = 1", "b=x=y"), "--set") == {"a": "1", "b": "x=y"}
    with pytest.raises(UsageError, match="--set needs NAME=VALUE; received =1"):
        assignments(("=1",), "--set")


@pytest.mark.parametrize("text", ["2025-08-20", "20250820", "2025/8/20"])
def test_days_are_written_in_three_ways(text):
    assert day(text) == date(2025, 8, 20)
