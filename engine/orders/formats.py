"""How brokers write orders, fills and positions: one table of formats, and files read and written by one.

A format says by what name a file calls each thing (*column* of a CSV file, number of a FIX tag), and how a
side is written. A user's own is a TOML file with the same entries:

.. code-block:: toml

    kind = "csv"                     # or "tags": one message a line, 55=159363|54=1|...
    side = { buy = "B", sell = "S" }
    orders = { code = "symbol", bs = "side", qty = "shares", px = "price", type = "=LIMIT" }
    fills = { ref = "id", code = "symbol", bs = "side", qty = "shares", px = "price", fee = "costs" }
    positions = { code = "symbol", qty = "shares" }

What begins with ``=`` is written as it stands; of messages that are read, only those with it count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from data.days import parse_day
from data.errors import UsageError, check_choice
from data.facts.dated import read_toml
from data.facts.symbols import parse_symbol
from data.parsing import read_bounded
from data.rows import number_of, read_rows

KINDS = ("csv", "tags")
SEPARATOR = "|"
LITERAL = "="

# What a file can have of each kind, and what it must have.
CAN: Mapping[str, tuple[str, ...]] = {
    "orders": ("id", "day", "symbol", "code", "exchange", "side", "shares", "price", "strategy", "why"),
    "fills": ("id", "day", "symbol", "side", "shares", "price", "costs"),
    "positions": ("symbol", "shares"),
}
MUST: Mapping[str, tuple[str, ...]] = {
    "orders": ("symbol", "side", "shares"),
    "fills": ("symbol", "side", "shares", "price"),
    "positions": ("symbol", "shares"),
}
_EXCHANGES = {"SH": "XSHG", "SZ": "XSHE"}
_MOST_SHARES = 2**53


@dataclass(frozen=True)
class Format:
    """A format: by its name for each thing what it is to us, of orders, fills and positions."""

    kind: str
    side: Mapping[str, str]
    orders: Mapping[str, str]
    fills: Mapping[str, str]
    positions: Mapping[str, str]


FORMATS: Mapping[str, Format] = {
    # Ours.
    "generic": Format(
        "csv",
        {"buy": "buy", "sell": "sell"},
        {each: each for each in ("id", "day", "symbol", "side", "shares", "price", "why")},
        {each: each for each in CAN["fills"]},
        {each: each for each in CAN["positions"]},
    ),
    # xtquant: the arguments of order_stock (23 buys, 24 sells, 11 is a fixed price; a remark has 24 letters),
    # the attributes of XtTrade and XtPosition.
    "qmt": Format(
        "csv",
        {"buy": "23", "sell": "24"},
        {
            "stock_code": "symbol",
            "order_type": "side",
            "order_volume": "shares",
            "price_type": "=11",
            "price": "price",
            "strategy_name": "strategy",
            "order_remark": "id",
        },
        {
            "order_remark": "id",
            "stock_code": "symbol",
            "order_type": "side",
            "traded_volume": "shares",
            "traded_price": "price",
            "commission": "costs",
        },
        {"stock_code": "symbol", "volume": "shares"},
    ),
    # The body of FIX 4.4's NewOrderSingle, ExecutionReport (of a trade) and PositionReport; a session adds
    # header, time (60) and trailer.
    "fix": Format(
        "tags",
        {"buy": "1", "sell": "2"},
        {
            "35": "=D",
            "11": "id",
            "55": "code",
            "207": "exchange",
            "54": "side",
            "38": "shares",
            "40": "=2",
            "44": "price",
            "59": "=0",
        },
        {
            "35": "=8",
            "150": "=F",
            "11": "id",
            "55": "symbol",
            "54": "side",
            "32": "shares",
            "31": "price",
            "12": "costs",
            "75": "day",
        },
        {"35": "=AP", "55": "symbol", "704": "shares"},
    ),
}


@dataclass(frozen=True)
class Row:
    """A line of a file, understood: shares are signed; None is what the file does not say."""

    where: str
    id: str | None
    day: date | None
    symbol: str
    shares: int
    price: float | None
    costs: float | None


def format_of(word: str) -> Format:
    """Return the format called ``word``, or that of a TOML file of the user's; UsageError if it is none."""
    if not word.endswith(".toml"):
        check_choice("format", word, [*FORMATS, "FILE.toml"])
        return FORMATS[word]
    values = read_toml(Path(word), "the format ")
    names = [each.name for each in fields(Format)]
    for name in values:
        check_choice("entry", name, names, word)
    kind = values.get("kind", "csv")
    check_choice("kind", str(kind), KINDS, word)
    side = _texts(values.get("side", FORMATS["generic"].side), f"{word}: `side`")
    if set(side) != {"buy", "sell"} or side["buy"] == side["sell"]:
        raise UsageError(f"{word}: `side` must say how buy and sell are written", received=side)
    maps = {}
    for name, can in CAN.items():
        maps[name] = _texts(values.get(name, {}), f"{word}: `{name}`")
        for column, ours in maps[name].items():
            if not ours.startswith(LITERAL):
                check_choice("thing", ours, can, f"{word}: `{name}.{column}`")
    return Format(str(kind), side, **maps)


def write_orders(rows: Sequence[Mapping[str, Any]], wanted: Format) -> str:
    """Return orders as the text of a file; ``rows`` have the things of ``CAN["orders"]`` but code, exchange.

    Shares are signed, and written without a sign where the format has a side. UsageError where the format
    cannot say an order.
    """
    _require(wanted, "orders")
    signed = "side" not in wanted.orders.values()
    lines = []
    for row in rows:
        code, _, suffix = str(row["symbol"]).rpartition(".")
        said = {
            **{name: "" if value is None else str(value) for name, value in row.items()},
            "code": code,
            "exchange": _EXCHANGES.get(suffix, ""),
            "side": wanted.side["buy" if row["shares"] > 0 else "sell"],
            "shares": str(row["shares"] if signed else abs(row["shares"])),
        }
        lines.append(
            [each[1:] if each.startswith(LITERAL) else said[each] for each in wanted.orders.values()]
        )
    if wanted.kind == "tags":
        pairs = [zip(wanted.orders, line, strict=True) for line in lines]
        return "".join(SEPARATOR.join(f"{tag}={text}" for tag, text in each if text) + "\n" for each in pairs)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(wanted.orders), *lines])
    return out.getvalue()


def read_file(path: Path, what: str, given: Format) -> tuple[Row, ...]:
    """Return the rows of a file of ``orders``, ``fills`` or ``positions``, as they stand in it.

    UsageError naming the row: a thing that is missing, what is no symbol, side, number of shares or price.
    """
    _require(given, what)
    names: dict[str, str] = {}
    for column, ours in getattr(given, what).items():
        names.setdefault("symbol" if ours == "code" else ours, column)
    must = [each for each in MUST[what] if each != "side" or "side" in names]
    rows = []
    for where, cells in _cells(path, what, given, [names[each] for each in must]):
        found = {ours: cells.get(column.lower(), "") for ours, column in names.items()}
        rows.append(_row(where, found, what, given))
    return tuple(rows)


def _cells(
    path: Path, what: str, given: Format, columns: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield where each line stands, and its cells by the format's names in lower case."""
    if given.kind == "csv":
        header, rows = read_rows(path, what)
        lacking = [column for column in columns if column.lower() not in header]
        if lacking:
            raise UsageError(
                f"{path}: {what} need the columns {_and(columns)}",
                received=", ".join(header) or "an empty file",
                hint="Say how the file calls them with --format FILE.toml.",
            )
        yield from rows
        return
    try:
        text = io.StringIO(read_bounded(path).decode("utf-8-sig"), newline=None).read()
    except OSError as error:
        raise UsageError(f"cannot read the {what} {path}", received=error.strerror) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a text in UTF-8", received=error) from None
    except ValueError as error:
        raise UsageError(f"cannot read the {what} {path}", received=error) from None
    literal = {tag: ours[1:] for tag, ours in getattr(given, what).items() if ours.startswith(LITERAL)}
    for number, line in enumerate(text.split("\n"), start=1):
        parts = [part for part in line.replace("\x01", SEPARATOR).split(SEPARATOR) if part.strip()]
        cells = dict(part.partition("=")[::2] for part in reversed(parts))
        if not cells or any(cells.get(tag) != value for tag, value in literal.items()):
            continue
        lacking = [tag for tag in columns if tag not in cells]
        if lacking:
            raise UsageError(f"{path}: row {number}: {what} need the tags {_and(columns)}", received=line)
        yield f"{path}: row {number}", {tag.lower(): text.strip() for tag, text in cells.items()}


def _row(where: str, found: Mapping[str, str], what: str, given: Format) -> Row:
    try:
        symbol = parse_symbol(found["symbol"])
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", received=error.received, hint=error.hint) from None
    signed = what != "positions" and "side" not in found
    shares = _shares(found["shares"], where, signed=signed)
    if what != "positions" and not signed:
        sides = {text: name for name, text in given.side.items()}
        if found["side"] not in sides:
            raise UsageError(
                f"{where}: `side` is neither a purchase nor a sale",
                received=found["side"] or "nothing",
                limit=" or ".join(sides),
            )
        shares = shares if sides[found["side"]] == "buy" else -shares
    day = None
    if found.get("day"):
        day = parse_day(found["day"])
        if day is None:
            raise UsageError(f"{where}: `day` is not a day", received=found["day"], limit="as 2025-08-20")
    price = _money(found, "price", where)
    if (price is None and what == "fills") or price == 0.0:
        what = "not above zero" if found["price"] else "missing"
        raise UsageError(f"{where}: `price` is {what}", received=found["price"] or "nothing")
    return Row(where, found.get("id") or None, day, symbol, shares, price, _money(found, "costs", where))


def _shares(text: str, where: str, *, signed: bool) -> int:
    shares = number_of(text)
    if not (abs(shares) < _MOST_SHARES and shares.is_integer() and (signed or shares >= 0.0)):
        raise UsageError(
            f"{where}: `shares` is not a number of shares",
            received=text or "nothing",
            limit="a whole number" + ("" if signed else ", 0 or more"),
        )
    return int(shares)


def _money(found: Mapping[str, str], name: str, where: str) -> float | None:
    text = found.get(name, "")
    if not text:
        return None
    amount = number_of(text)
    if not 0.0 <= amount < float("inf"):
        raise UsageError(f"{where}: `{name}` is not an amount of money", received=text, limit="0 or more")
    return amount


def _require(given: Format, what: str) -> None:
    """Raise UsageError unless a format can say all that such a file must."""
    has = {"symbol" if ours == "code" else ours for ours in getattr(given, what).values()}
    lacking = [each for each in MUST[what] if each not in has and each != "side"]
    if lacking:
        raise UsageError(
            f"the format says nothing of `{what}.{lacking[0]}`",
            hint=f"Its table `{what}` needs {', '.join(MUST[what])}.",
        )


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _texts(values: Any, where: str) -> dict[str, str]:
    if not isinstance(values, Mapping) or not all(isinstance(each, str) for each in values.values()):
        raise UsageError(f"{where} must be a table of texts", received=repr(values))
    return {str(name): text for name, text in values.items()}
