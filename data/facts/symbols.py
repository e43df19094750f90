"""Symbols of funds: how people and vendors write them, and the one way we do (``159363.SZ``, ``BOTZ.US``)."""

from __future__ import annotations

import re

from data.errors import UsageError

MARKETS = ("cn_etf", "us_etf")

# Codes under which a whole market has rows of its own, as in the table `margin`.
MARKET_CODES = {"CN": "cn_etf", "US": "us_etf"}

_EXCHANGES = {"SZ": "SZ", "XSHE": "SZ", "SH": "SH", "SS": "SH", "XSHG": "SH"}
_MARKET_OF = {"SZ": "cn_etf", "SH": "cn_etf", "US": "us_etf"}
_EXCHANGE_OF = {"SZ": "SZSE", "SH": "SSE", "US": "US"}

_CHINESE = re.compile(r"(?:(SZ|SH)\.?)?(\d{6})(?:\.([A-Z]+))?")
_AMERICAN = re.compile(r"([A-Z]{1,5})(?:\.(US))?")
_HINT = "Write a fund as 159363.SZ, 515980.SH or BOTZ.US."


def parse_symbol(text: str) -> str:
    """Return a fund's symbol the way we write it: six digits with .SZ or .SH, or a ticker with .US.

    Understood are 159363, 159363.SZ, sz159363, sz.159363, 159363.XSHE, 515880.SS, BOTZ and BOTZ.US, in
    either case. Anything else raises UsageError: the code of a share or an index, a fund's code with the
    other exchange's suffix, another market.
    """
    given = text.strip().upper()
    if match := _CHINESE.fullmatch(given):
        prefix, code, suffix = match.groups()
        return _chinese(text, code, [mark for mark in (prefix, suffix) if mark])
    if match := _AMERICAN.fullmatch(given):
        return f"{match[1]}.US"
    raise UsageError("not a symbol of a fund", received=repr(text), hint=_HINT)


def market_of(symbol: str) -> str:
    """Return the market, ``cn_etf`` or ``us_etf``, of a symbol or of a market code (CN, US)."""
    if symbol in MARKET_CODES:
        return MARKET_CODES[symbol]
    return _MARKET_OF[_suffix(symbol)]


def exchange_or_none(symbol: str) -> str | None:
    """Return SZSE, SSE or US; None for what is not a fund's symbol (an index, a market code)."""
    return _EXCHANGE_OF.get(symbol.rpartition(".")[2]) if "." in symbol else None


def _suffix(symbol: str) -> str:
    suffix = symbol.rpartition(".")[2]
    if "." not in symbol or suffix not in _MARKET_OF:
        raise UsageError("not a symbol of a fund", received=repr(symbol), hint=_HINT)
    return suffix


def _chinese(text: str, code: str, marks: list[str]) -> str:
    if code.startswith(("15", "16", "18")):
        listed = "SZ"
    elif code.startswith("5"):
        listed = "SH"
    else:
        raise UsageError(
            f"{code} is not the code of a fund",
            received=repr(text),
            limit="codes that begin with 15, 16 or 18 (Shenzhen) or with 5 (Shanghai)",
            hint=_HINT,
        )
    if any(_EXCHANGES.get(mark) != listed for mark in marks):
        raise UsageError(
            f"{code} is not listed on that exchange", received=repr(text), hint=f"Write {code}.{listed}."
        )
    return f"{code}.{listed}"
