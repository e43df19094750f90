"""What an account holds, from a file."""

from __future__ import annotations

from pathlib import Path

from data.errors import UsageError
from engine.orders.formats import FORMATS, Format, read_file


def read_holdings(path: Path, given: Format = FORMATS["generic"]) -> dict[str, int]:
    """Return shares by symbol from a file, which by default is CSV with the columns symbol and shares.

    UsageError naming the row: what is no symbol, no whole number of shares, negative, or repeated.
    """
    holdings: dict[str, int] = {}
    for row in read_file(path, "positions", given):
        if row.symbol in holdings:
            raise UsageError(f"{row.where}: {row.symbol} appears twice", hint="Add the shares up in one row.")
        holdings[row.symbol] = row.shares
    return holdings
