"""Lines of a journal that are not as they were: whichever byte changed, it is said, and the rest is read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import DataError
from engine.record import journal as journals
from engine.record.chain import CUT, DAMAGED, MOVED, START, checksum_of, encode, read_lines, whole_lines
from engine.record.journal import Journal, append_line, write_anew
from engine.record.last import last_of, note_last, noted_last

VALUES = [{"look": "a", "n": 1}, {"seal": "b", "n": 22}, {"look": "c"}, {"seal": "d"}, {"body": "e"}]
SEALS = (b'{"seal":',)
Lines = list[bytes]


def journal() -> Lines:
    lines, last = [], START
    for value in VALUES:
        lines.append(encode(value, last))
        last = checksum_of(lines[-1])
    return lines


def written(tmp_path: Path, lines: Lines) -> Path:
    (tmp_path / "journal.jsonl").write_bytes(b"".join(lines))
    return tmp_path / "journal.jsonl"


def test_all_lines_are_read_or_those_that_begin_so(tmp_path):
    path = written(tmp_path, journal())
    assert list(whole_lines(path)) == VALUES
    assert list(whole_lines(path, SEALS)) == [VALUES[1], VALUES[3]]


@pytest.mark.parametrize("starts", [(), SEALS], ids=["all", "some"])
def test_whichever_byte_is_changed_it_is_said(tmp_path, starts):
    whole = b"".join(journal())
    # Of the end of the last line alone a kill leaves as little.
    for at in range(len(whole) - 1):
        for bit in (1, 2, 16, 128):
            path = written(tmp_path, [whole[:at], bytes([whole[at] ^ bit]), whole[at + 1 :]])
            assert {DAMAGED, MOVED} & {each for each in whole_lines(path, starts) if isinstance(each, str)}, (
                at
            )


def changed(line: bytes, what: bytes) -> bytes:
    """Return a line with another first letter or digit behind the last ``what``."""
    before, found, after = line.rpartition(what)
    assert found
    return before + found + (b"0" if after[:1] != b"0" else b"1") + after[1:]


CHANGES: dict[str, Callable[[Lines], Lines]] = {
    "its checksum": lambda lines: [*lines[:2], changed(lines[2], b'"crc32":"'), *lines[3:]],
    "what it follows": lambda lines: [*lines[:2], changed(lines[2], b'"follows":"'), *lines[3:]],
    "the name of its checksum": lambda lines: [*lines[:2], changed(lines[2], b'"crc3'), *lines[3:]],
    "the name of what it follows": lambda lines: [*lines[:2], changed(lines[2], b'"follow'), *lines[3:]],
    "its beginning": lambda lines: [*lines[:2], changed(lines[2], b'{"'), *lines[3:]],
    "no object": lambda lines: [*lines[:2], b"[1, 2]\n", *lines[3:]],
    "a number": lambda lines: [*lines[:2], b"7\n", *lines[3:]],
    "nothing in it": lambda lines: [*lines[:2], b"\n", *lines[3:]],
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("starts", [(), SEALS], ids=["all", "some"])
def test_a_damaged_line_is_named_and_the_lines_around_it_are_read(tmp_path, name, starts):
    path = written(tmp_path, CHANGES[name](journal()))
    around = [*VALUES[:2], DAMAGED, *VALUES[3:]] if not starts else [VALUES[1], DAMAGED, VALUES[3]]
    assert list(whole_lines(path, starts)) == around
    with pytest.raises(DataError, match="line 3 is damaged"):
        list(read_lines(path))


@pytest.mark.parametrize("starts", [(), SEALS], ids=["all", "some"])
@pytest.mark.parametrize("places", [(0,), (4,), (0, 1), (2, 3), (3, 4), range(5)], ids=str)
def test_the_first_the_last_and_two_in_a_row(tmp_path, places, starts):
    lines = [changed(each, b'"crc32":"') if at in places else each for at, each in enumerate(journal())]
    expected = [DAMAGED if at in places else value for at, value in enumerate(VALUES)]
    kept = [each for each in expected if each == DAMAGED or not starts or "seal" in each]
    assert list(whole_lines(written(tmp_path, lines), starts)) == kept


@pytest.mark.parametrize("starts", [(), SEALS], ids=["all", "some"])
@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [*lines[:3], *lines[2:]],
        lambda lines: [*lines[:2], lines[3], lines[2], lines[4]],
        lambda lines: lines[1:],
        lambda lines: [*lines[:2], b'{"look":"of a former version"}\n', *lines[2:]],
    ],
    ids=["deleted", "repeated", "moved", "without the first", "put between"],
)
def test_a_line_that_is_not_where_it_was_is_missed(tmp_path, change, starts):
    assert MOVED in list(whole_lines(written(tmp_path, change(journal())), starts))


def test_lines_of_a_former_version_are_skimmed_too(tmp_path):
    path = written(
        tmp_path, [b'{"look":"a"}\n', b'{"seal":"b"}\n', b'{"look":\n', b"[1]\n", b'{"seal":"c"}\n']
    )
    assert list(whole_lines(path, SEALS)) == [{"seal": "b"}, DAMAGED, DAMAGED, {"seal": "c"}]


# --- lines that are cut off the end -------------------------------------------------------------------


def appended(path: Path, at_once: int) -> Lines:
    """Return the lines of a journal that was written so many at a time; 0: as several processes do."""
    if not at_once:
        for value in VALUES:
            append_line(path, value)
    else:
        with Journal(path) as file:
            for at in range(0, len(VALUES), at_once):
                file.append(VALUES[at : at + at_once])
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("starts", [(), SEALS], ids=["all", "some"])
@pytest.mark.parametrize("at_once", [0, 1, 2, 5])
@pytest.mark.parametrize("left", range(1, 5))
def test_lines_that_are_cut_off_the_end_are_missed_also_once_others_are_written(
    tmp_path, left, at_once, starts
):
    path = tmp_path / "journal.jsonl"
    lines = appended(path, at_once)
    assert CUT not in list(whole_lines(path, starts))
    # A torn end is no line, whatever tore it.
    for end in (b"", lines[left][:-1]):
        path.write_bytes(b"".join(lines[:left]) + end)
        assert list(whole_lines(path, starts))[-1] == CUT
        with pytest.raises(
            DataError, match=rf"line {left + 1} is not there.*delete journal\.jsonl\.last, and go"
        ):
            list(read_lines(path))
    append_line(path, {"seal": "f"})
    with Journal(path) as file:
        file.append([{"seal": "g"}])
    assert list(whole_lines(path, starts))[-3:] == [{"seal": "f"}, {"seal": "g"}, CUT]
    last_of(path).unlink()
    assert list(whole_lines(path, starts))[-2:] == [{"seal": "f"}, {"seal": "g"}]
    append_line(path, {"seal": "h"})
    assert noted_last(path) == checksum_of(path.read_bytes().splitlines(keepends=True)[-1])


@pytest.mark.parametrize("at_once", [0, 1])
def test_a_kill_before_the_last_line_is_noted_leaves_a_journal_without_a_fault(
    tmp_path, monkeypatch, at_once
):
    path = tmp_path / "journal.jsonl"
    appended(path, at_once)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journals, "note_last", killed)
        with pytest.raises(KeyboardInterrupt):
            append_line(path, {"seal": "f"})
    assert list(whole_lines(path)) == [*VALUES, {"seal": "f"}]
    append_line(path, {"seal": "g"})
    lines = path.read_bytes().splitlines(keepends=True)
    assert noted_last(path) == checksum_of(lines[-1])
    path.write_bytes(b"".join(lines[:-1]))
    assert list(whole_lines(path))[-1] == CUT


def test_a_disk_that_does_not_take_the_note_takes_the_line(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    lines = appended(path, 1)

    write = os.write

    def full(file, data):
        if b"follows" not in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        append_line(path, {"seal": "f"})
    assert noted_last(path) == checksum_of(lines[-1])
    assert list(whole_lines(path)) == [*VALUES, {"seal": "f"}]
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".lock",
        "journal.jsonl",
        "journal.jsonl.last",
    ]


TORN = [b"12345678 12345678\n"[:cut] + b"9e10f705 9e10f705\n"[cut:] for cut in range(1, 17)]


@pytest.mark.parametrize("note", [b"", b"9e10", b"\0" * 18, b"9e10f705\n", None, *TORN], ids=repr)
def test_a_note_that_is_none_or_torn_misses_nothing(tmp_path, note):
    path = tmp_path / "journal.jsonl"
    lines = appended(path, 1)
    path.write_bytes(b"".join(lines[:3]))
    last_of(path).write_bytes(note) if note is not None else last_of(path).unlink()
    assert list(whole_lines(path)) == VALUES[:3]


def test_who_reads_while_others_write_misses_nothing(tmp_path):
    path = tmp_path / "journal.jsonl"
    appended(path, 0)
    begun = whole_lines(path)
    assert next(begun) == VALUES[0]
    append_line(path, {"seal": "f"})
    assert CUT not in list(begun)
    begun = whole_lines(path)
    assert next(begun) == VALUES[0]
    lines = path.read_bytes().splitlines(keepends=True)
    write_anew(path, lambda: lines[:2])
    assert CUT not in [*begun, *whole_lines(path)]
    assert noted_last(path) == checksum_of(lines[1])


def test_lines_that_are_missed_are_missed_once_others_are_forgotten(tmp_path):
    path = tmp_path / "journal.jsonl"
    lines = appended(path, 0)
    path.write_bytes(b"".join(lines[:3]))
    write_anew(path, lambda: lines[:2])
    assert list(whole_lines(path)) == [*VALUES[:2], CUT]


def test_a_journal_that_is_begun_anew_has_lost_nothing(tmp_path):
    path, link = tmp_path / "journal.jsonl", tmp_path / "elsewhere" / "other.jsonl"
    appended(path, 1)
    path.unlink()
    assert appended(path, 1) == journal()
    link.parent.mkdir()
    link.symlink_to(path)
    with Journal(link) as file:
        file.append([{"seal": "f"}])
    assert [each.name for each in link.parent.iterdir()] == [link.name]
    path.write_bytes(b"".join(journal()))
    assert list(whole_lines(link))[-1] == list(whole_lines(path))[-1] == CUT


def test_the_note_of_a_line_that_is_damaged_is_not_missed_beside_it(tmp_path):
    path = tmp_path / "journal.jsonl"
    lines = appended(path, 0)
    path.write_bytes(b"".join([*lines[:4], changed(lines[4], b'"crc32":"')]))
    assert list(whole_lines(path)) == [*VALUES[:4], DAMAGED]
    note_last(path, START)
    assert noted_last(path) == checksum_of(lines[4])
