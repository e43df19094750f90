"""What an account holds, from a file."""

from __future__ import annotations

from pathlib import Path

from data.errors import UsageError
from data.facts.symbols import parse_symbol
from data.rows import read_rows

COLUMNS = ("symbol", "shares")


def read_holdings(path: Path) -> dict[str, int]:
    """Return shares by symbol from a CSV file with the columns symbol and shares.

    UsageError naming the row: what is no symbol, no whole number of shares, negative, or repeated.
    """
    header, rows = read_rows(path, "holdings")
    if not set(COLUMNS) <= set(header):
        raise UsageError(
            f"{path}: holdings need the columns {' and '.join(COLUMNS)}",
            received=", ".join(header) or "an empty file",
        )
    holdings: dict[str, int] = {}
    for where, cells in rows:
        text, shares = (cells[name] for name in COLUMNS)
        try:
            symbol = parse_symbol(text)
        except UsageError as error:
            raise UsageError(f"{where}: {error.what}", received=error.received, hint=error.hint) from None
        if symbol in holdings:
            raise UsageError(f"{where}: {symbol} appears twice", hint="Add the shares up in one row.")
        holdings[symbol] = _whole(shares, where)
    return holdings


def _whole(text: str, where: str) -> int:
    try:
        shares = float(text)
    except ValueError:
        shares = -1.0
    if not (0.0 <= shares < 2**53 and shares.is_integer()):
        raise UsageError(
            f"{where}: `shares` is not a number of shares", received=text, limit="a whole number, 0 or more"
        )
    return int(shares)
