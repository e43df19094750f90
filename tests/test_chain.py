"""Lines of a journal that are not as they were: whichever byte changed, it is said, and the rest is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import DataError
from engine.record.chain import DAMAGED, MOVED, START, checksum_of, encode, read_lines, whole_lines

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
