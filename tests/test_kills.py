"""Disturbed commands lose nothing, circumstances leave no trace: a little of what two harnesses try."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.record.journal import append_line
from tests.circumstances import COMMANDS, played
from tests.helpers.box import differences, picture
from tests.kills.files import make_files
from tests.kills.processes import ROOT


@pytest.mark.slow
def test_disturbed_commands_leave_what_was_or_what_becomes(tmp_path):
    words = ["--count", "2", "--kinds", "kill,full,interrupt", "--only", "calendar"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 disturbances ({'kill': 2, 'full': 2, 'interrupt': 2}), 2 of them kills, 0 found" in done.stdout


@pytest.mark.slow
def test_a_locale_a_zone_a_hash_seed_and_an_order_of_files_change_no_byte(tmp_path):
    make_files(tmp_path / "files")
    plain = played(tmp_path, "plain", COMMANDS[:3])
    assert len(plain.parts["store"]) > 4
    assert differences(plain, played(tmp_path, "Shanghai", COMMANDS[:3])) == []


def test_a_picture_sees_a_byte_a_line_and_a_leftover(tmp_path: Path):
    run = tmp_path / "results" / "run-1a2b"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text('{"created": "2026-01-02T03:04:05+08:00"}')
    (tmp_path / "desk.jsonl").write_text('{"day": 1}\n{"day"')
    before = picture(tmp_path)
    assert (before.lines, before.left) == ({"desk.jsonl": ['{"day": 1}']}, ())
    (run / "manifest.json").write_text('{"created": "2026-02-03T04:05:06+00:00"}')
    assert differences(before, picture(tmp_path)) == []
    (run / "equity.csv").write_text("day,equity\n")
    (run.parent / ".run-1a2b.abcd1234").mkdir()
    (tmp_path / "desk.jsonl").write_text('{"day": 1}\n{"day": 2}\n')
    assert differences(before, picture(tmp_path)) == ["desk.jsonl", "results/run-1a2b"]
    assert picture(tmp_path).left == ("results/.run-1a2b.abcd1234",)


def test_a_picture_sees_a_line_that_is_not_where_it_was(tmp_path: Path):
    book = tmp_path / "book.jsonl"
    for day in (1, 2):
        append_line(book, {"day": day})
    whole = picture(tmp_path)
    assert whole.parts == {"the order of book.jsonl": []}
    last = book.read_bytes().splitlines(keepends=True)[-1]
    with book.open("ab") as file:
        file.write(last)
    assert differences(whole, picture(tmp_path)) == ["book.jsonl", "the order of book.jsonl"]
