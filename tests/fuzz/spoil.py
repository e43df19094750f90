"""Ways to spoil bytes: what disks, spreadsheets, vendors, careless hands and malicious ones do to files."""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

WORDS = (
    *("", "-", "--", "停牌", "nan", "NaN", "inf", "-inf", "Infinity", "1e308", "1e300", "1e400", "1e-320"),
    *("-1", "0", "-0", "1e5", "+5", " 12 ", "1,234", "30,15", "12.3亿", "15.89%", "２０２５", "２", "0x1A"),
    *("1_000", "0.1.2", "1" + "0" * 21, "9" * 25, "1" * 400, "9" * 5_000, "9007199254740993", "2147483648"),
    *("18446744073709551616", "2025年8月20日", "20250820", "45889", "0000-01-01", "0001-01-01", "9999-12-31"),
    *(
        "2025-13-40",
        "2025-02-29",
        "1970-01-01T00:00:00Z",
        "2025-08-19",
        "08:00",
        "-0001-01-01",
        "10000-01-01",
    ),
    *("%d", "NaT", "159363", "sz159363", "BOTZ.US", "600000.SH", "159363.SZ", "CN", "US", "合计", "=1+1"),
    *("数据来源: 某所", "true", "false", "null", "None", "yes", '"', "'", '"a,b', "\\", "#", "=", ":", "|"),
    *("..", "/", "../..", "~", "\0", "\r", "\x85", "\x1c", "\u2028", "\ufeff", "\ud7ff", "\u0660", "😀"),
    *("\\ud800", "\\u0000", "\\N{DIGIT ONE}", "x" * 300, "x" * 3_000, "é" * 200, "[", "{", "{}", "[[]]"),
    *("[{}]", "[" * 200, '{"a":' * 120, "[" * 20_000, "(" * 150, "not " * 120, "-" * 250, "<html>"),
    *("PK\x03\x04", "PAR1", "__class__", "a.b", "top", "file"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 0.5, -0.0, 1e300, 1e-320, 10**21, 2**53 + 1, 2**31, 10**17, -1e6),
    *("", "nan", "x" * 300, "2025-08-19", "9999-12-31", "159363.SZ", "../x", "\0", "\ud800", "none", "1"),
    *([], {}, [[]], [None], [1, "a"], {"a": None}, {"a": {"b": []}}, ["x"], [[1, 2, 3]]),
)
ENTRIES = (
    *(
        b"[]",
        b"{}",
        b"[1]",
        b"[[]]",
        b"[{}]",
        b"{ a = 1 }",
        b'["a", 1]',
        b'[""]',
        b'""',
        b'"x"',
        b"true",
        b"0",
    ),
    *(b"-1", b"1", b"0.5", b"1e300", b"inf", b"nan", b"10000000000000000000000", b"0x1F", b"-0.0", b'"nan"'),
    *(b"2025-01-01", b"07:32:00", b"2025-01-01T00:00:00Z", b"9999-12-31", b"0001-01-01", b"'''x'''"),
    *(b"{ a = { b = [] } }", b'["a", "b"]', b'"../x"', b'"\\u0000"', b'"' + b"x" * 300 + b'"'),
)
SEPARATORS = (b",", b";", b"\t", b"|", b" ", b"\n", b"\r\n", b":", b"=")
ENCODINGS = ("utf-16", "utf-8-sig", "gb18030", "utf-32", "utf-16-be")
# No file that is spoilt grows beyond it.
MOST = 200_000


def spoil(content: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """Return ``content`` spoilt in one to four ways; ``others`` are what it may be crossed with."""
    for _ in range(random.choice((1, 1, 1, 1, 1, 2, 2, 3, 4))):
        if others and random.random() < 0.03:
            content = _cross(content, random.choice(others), random)
        elif random.random() < 0.4 and content[:1] in (b"{", b"["):
            content = _document(content, random)
        elif random.random() < 0.3 and b" = " in content:
            content = _entry(content, random)
        else:
            content = random.choice(WAYS)(content, random)
    return content[:MOST]


def _place(content: bytes, random: Random) -> tuple[int, int]:
    begin = random.randrange(len(content) + 1)
    return begin, min(len(content), begin + random.choice((1, 1, 2, 8, 64)))


def _cross(content: bytes, other: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)] + other[random.randrange(len(other) + 1) :]


def _flip(content: bytes, random: Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(random.choice((1, 1, 4))) if spoilt else ():
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def _delete(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    return content[:begin] + content[end:]


def _double(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    return content[:end] + content[begin:end] * random.choice((1, 2, 50)) + content[end:]


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _insert(content: bytes, random: Random) -> bytes:
    begin, _ = _place(content, random)
    return content[:begin] + _word(random) + content[begin:]


def _exchange(content: bytes, random: Random) -> bytes:
    """Put a word, or another cell, in place of a cell, a number or a name."""
    cells = [each.span() for each in _CELL.finditer(content)]
    if not cells:
        return content
    begin, end = random.choice(cells)
    one, other = random.choice(cells)
    word = content[one:other] if random.random() < 0.3 else _word(random)
    return content[:begin] + word + content[end:]


def _digit(content: bytes, random: Random) -> bytes:
    """Write another digit, or sign, for one: what remains is most likely well-formed."""
    digits = [each.start() for each in re.finditer(rb"\d", content)]
    if not digits:
        return content
    at = random.choice(digits)
    return content[:at] + random.choice((b"0", b"1", b"9", b"-", b".", b"e", b"")) + content[at + 1 :]


def _document(content: bytes, random: Random) -> bytes:
    """Put another value into JSON, or take one out, so that it stays JSON; of lines, into one of them."""
    try:
        return _rewritten(content, random)
    except (ValueError, RecursionError):
        lines = content.split(b"\n")
        place = random.randrange(len(lines))
        try:
            lines[place] = _rewritten(lines[place], random)
        except (ValueError, RecursionError):
            return _exchange(content, random)
        return b"\n".join(lines)


def _rewritten(content: bytes, random: Random) -> bytes:
    document = json.loads(content)
    places: list[tuple[Any, Any]] = []
    open_ = [document]
    for each in open_:
        inner = [*each] if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        places += [(each, key) for key in inner]
        open_ += [each[key] for key in inner]
    if not places:
        return json.dumps(random.choice(VALUES)).encode()
    holder, key = random.choice(places)
    way = random.random()
    if way < 0.2:
        del holder[key]
    elif way < 0.4:
        other, there = random.choice(places)
        holder[key] = copy.deepcopy(other[there])
    elif way < 0.5 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * random.choice((1, 40))
    else:
        holder[key] = random.choice(VALUES)
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _entry(content: bytes, random: Random) -> bytes:
    """Give an entry of TOML another value, of another kind."""
    entries = [each.span() for each in re.finditer(rb"(?<= = )[^\n]*", content)]
    if not entries:
        return content
    begin, end = random.choice(entries)
    return content[:begin] + random.choice(ENTRIES) + content[end:]


def _separate(content: bytes, random: Random) -> bytes:
    return content.replace(random.choice(SEPARATORS), random.choice(SEPARATORS))


def _lines(content: bytes, random: Random) -> bytes:
    """Double, drop, or move lines."""
    lines = content.split(b"\n")
    line = lines.pop(random.randrange(len(lines)))
    for _ in range(random.choice((0, 1, 1, 2, 40))):
        lines.insert(random.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def _swap(content: bytes, random: Random) -> bytes:
    """Swap two cells of every line."""
    rows = [line.split(b",") for line in content.split(b"\n")]
    one, other = random.randrange(len(rows[0])), random.randrange(len(rows[0]))
    for row in rows:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]
    return b"\n".join(b",".join(row) for row in rows)


def _write_again(content: bytes, random: Random) -> bytes:
    """Put into another encoding, or pack."""
    if random.random() < 0.3:
        return gzip.compress(content, mtime=0)
    try:
        return content.decode().encode(random.choice(ENCODINGS))
    except UnicodeError:
        return content + content


def _word(random: Random) -> bytes:
    return random.choice(_ENCODED)


_CELL = re.compile(rb"[^,;\t\n\r\"=\[\]{}: ]+")
_ENCODED = tuple(word.encode() for word in WORDS)
WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flip, _delete, _double, _cut, _insert, _exchange, _exchange, _exchange, _exchange, _digit, _digit),
    *(_separate, _lines, _lines, _swap, _write_again),
)
