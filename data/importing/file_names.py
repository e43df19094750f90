"""The name of a file where it holds the symbol: VUSA_LN and 152100.KS are no funds of the markets known here.

A ticker in a name is believed if nothing beside it makes it that of another exchange (VUSA_LN, LSE_VUSA), of
another security (BRK-B), one of two (SPY_QQQ), or no ticker at all (ETF_BOTZ, NAV).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from data.errors import DataError
from data.facts.symbols import ABROAD, AMERICAN_MARKS

# Words beside a ticker that say something of the data.
_OF_DATA = re.compile(
    "ADJ|ALL|AUM|BARS|CLOSE|CSV|D|DAILY|DATA|DAY|DIVS?|EOD|EODHD|ETFS?|FLOWS?|FMP|FULL|FUNDS?|HIST|MAX|NAVS?|OHLCV?|"
    "PRICE|PX|RAW|SPLIT|STOCK|STOOQ|UNITS|USD|VOL|YAHOO|YF"
)
# And those that are hardly the ticker of an American fund, as USD and PX are.
_NO_TICKER = re.compile(
    "BARS|DAILY|DATA|EOD|ETFS?|FLOWS?|FUNDS?|HIST|NAVS?|OHLCV?|PRICE|RAW|UNITS|YAHOO|STOCK|INDEX|USA?"
)
_WORD = re.compile(r"([ ._-]+)([A-Za-z]{1,6})(?![A-Za-z0-9])")
# SPLITS and SHARES are longer than any ticker.
_LONGEST_TICKER = 5
# Half past three in the afternoon; 161725 and 180101 are funds that trade, and no times.
_TIME = re.compile(r"15[0-5]\d[0-5]\d")
# 500,000 of something: no fund has such a code.
_SUM = re.compile(r"\d\d0000")
_LISTED = re.compile(r"(?:[A-Z]{1,5}|\d{4,6})[ ._-]([A-Z]{1,5})(?![A-Za-z0-9])")


def is_abroad(stem: str) -> bool:
    """Whether the name of a file begins with a code and the mark of another country's exchange."""
    match = _LISTED.match(stem)
    return match is not None and ABROAD.fullmatch(match[1]) is not None


def refuse_others(symbol: str, stem: str, end: int, origin: str, source: str | None = None) -> None:
    """Raise DataError if what follows the symbol in a file's name, from ``end`` on, makes it another one.

    Small letters are words, unless a point stands before them; so are words of a title, after a space. AV is
    Alpha Vantage, where that is the ``source``, and else Vienna.
    """
    ticker = symbol.isalpha() and symbol.isupper()
    if ticker and _NO_TICKER.fullmatch(symbol):
        raise _other(stem, f"{symbol} is a word, unless it is written {symbol}.US", origin)
    match = _WORD.match(stem, end)
    if match is None:
        return
    apart, word = match.groups()
    mark = word.upper()
    if mark == "AV" and source == "alphavantage":
        return
    certain = word == mark or "." in apart
    if ABROAD.fullmatch(mark) and certain and (ticker or "." in apart):
        raise _other(stem, f"{mark} is the mark of an exchange of another country", origin)
    known = _OF_DATA.fullmatch(mark) or AMERICAN_MARKS.fullmatch(mark)
    if ticker and word == mark and len(word) <= _LONGEST_TICKER and not (apart.isspace() or known):
        raise _other(stem, f"{symbol} and {mark} may both be tickers, or one security", origin)


def find_named(
    pattern: re.Pattern[str], wanted: Sequence[str], stem: str, origin: str
) -> re.Match[str] | None:
    """Return where a name holds what is wanted of it, None if it does not.

    A time behind a code is none, 159363_153000, nor is a sum of money, 500000_159363. DataError if a name
    holds several codes, or several days, where one is wanted.
    """
    matches = [*pattern.finditer(stem)]
    if "symbol" in wanted:
        matches = _codes(matches)
    for ours in wanted:
        found = [*dict.fromkeys(match[ours].replace("-", "") for match in matches if match[ours] is not None)]
        if len(found) > 1:
            what = "day" if ours in ("day", "ex_day") else "code"
            raise DataError(
                f"{origin}: the name of the file holds several {what}s, and the rows none",
                received=f"{stem}: {', '.join(found)}",
                limit=f"one {what}",
                hint=f"Rename the file, so that it holds the {what} of its rows alone.",
            )
    return matches[0] if matches else None


def _codes(matches: list[re.Match[str]]) -> list[re.Match[str]]:
    """Return those of some matches that may be codes of funds, or all if none may."""
    likely = [match for match in matches if not _SUM.fullmatch(match["symbol"] or "")] or matches
    return [each for each in likely if each is likely[0] or not _TIME.fullmatch(each["symbol"] or "")]


def _other(stem: str, why: str, origin: str) -> DataError:
    return DataError(
        f"{origin}: the name of the file is not clearly that of a fund",
        received=f"{stem}: {why}",
        limit="one fund of Shanghai, Shenzhen or the United States: 159363, 515980.SH, BOTZ, BOTZ.US",
        hint="If it is one, rename the file so. Listings in other countries are not known here.",
    )
