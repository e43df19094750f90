"""Symbols of funds: how people and vendors write them, and the one way we do (``159363.SZ``, ``BOTZ.US``)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from data.errors import UsageError

# In the order in which they open on a calendar day, the world over.
MARKETS = ("cn_etf", "us_etf")

CURRENCIES = {"cn_etf": "CNY", "us_etf": "USD"}

# Where a market is.
ZONES = {"cn_etf": "Asia/Shanghai", "us_etf": "America/New_York"}

# Codes under which a whole market has rows of its own, as in the table `margin`.
MARKET_CODES = {"CN": "cn_etf", "US": "us_etf"}

# The exchanges as vendors call them (vn.py, JoinQuant, Goldminer, Google), and East Money's numbers for them.
EXCHANGES = {
    **dict.fromkeys(("SZ", "SZSE", "XSHE", "SHE", "CS", "0"), "SZ"),
    **dict.fromkeys(("SH", "SS", "SSE", "SHSE", "XSHG", "SHA", "SHG", "CG", "1"), "SH"),
}
_AMERICAN_EXCHANGES = "US|NASDAQ|XNAS|NYSE|XNYS|NYSEARCA|ARCA|ARCX|AMEX|BATS|CBOE|SMART"
# Bloomberg's and Reuters' letters for the same.
_COMPOSITES = "US|U[APQWFR]"
_REUTERS = "OQ|[OKPNZ]"
AMERICAN_MARKS = re.compile(rf"{_AMERICAN_EXCHANGES}|{_COMPOSITES}|OQ|USA")
# Marks of exchanges of other countries, as Yahoo, Bloomberg, Reuters and others put them behind a code.
ABROAD = re.compile(
    # London, Germany, France, the Netherlands, Italy
    "L|LN|LON|LSE|XLON|IL|UK|GB|DE|GY|GR|GF|ETR|XETRA|F|FRA|BE|DU|HM|MU|SG|STU|PA|FP|PAR|EPA|AS|NA|AMS|MI|IM|MIL|"
    # Switzerland, Belgium, Spain, Portugal, Austria, the North, Ireland, Poland
    "SW|VX|SIX|S|BR|BB|MC|SM|BME|LS|PL|VI|AV|ST|STO|CO|DC|CPH|HE|FH|HEL|OL|NO|OSL|IR|ID|WA|PW|"
    # Hong Kong, Japan, Taiwan, Korea, Australia, New Zealand, Singapore, India, Malaysia, Thailand, Indonesia
    "HK|HKG|HKEX|XHKG|T|JP|JT|TYO|TSE|TW|TT|TWO|TWSE|TPE|KS|KP|KQ|KRX|AX|AU|AT|ASX|NZ|SI|SP|SGX|NS|NSE|BO|BSE|IN|"
    "KL|MK|BK|TB|JK|IJ|"
    # Canada, Brazil, Mexico, South Africa, Israel
    "TO|CT|TSX|V|NE|NEO|BZ|BVMF|MX|MM|BMV|JO|SJ|JSE|TA|IT"
)
# What Chinese index companies call their indices.
CHINESE_INDEX = re.compile(r"[0-9H]\d{5}")
# Indices that are surely American. HSI and DAX have names as well.
_AMERICAN_INDEX = re.compile(r"[.^]?(?:SPX|GSPC|INX|NDX|XNDX|IXIC|COMP|CCMP|DJI|INDU|RUT|VIX|SOX)")
_MARKET_OF = {"SZ": "cn_etf", "SH": "cn_etf", "US": "us_etf"}
_EXCHANGE_OF = {"SZ": "SZSE", "SH": "SSE", "US": "US"}

_CHINESE = re.compile(r"(?:([A-Z]{2,5})[.:_# -]?|([01])\.)?(\d{6})(?:[.:_@ -]?([A-Z]{2,5}))?")
# A code beside the name of its fund: 159363 创AI, 创AI(159363).
_NAME = re.compile(r"[\u4e00-\u9fff]")
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
# Marks of no exchange: China as a whole, a fund.
_NEUTRAL = ("CH", "CN", "ETF")
_AMERICAN = re.compile(
    rf"(?:(?:US|10[567])\.|(?:{_AMERICAN_EXCHANGES}):)?([A-Z]{{1,5}})"
    rf"(?:[.:](?:{_AMERICAN_EXCHANGES})|\.(?:{_REUTERS})| (?:{_COMPOSITES}))?"
)
# Of all funds those that are surely also traded. 530001.OF, 560002.OF and their like are funds that are not:
# listed funds came to have such codes as well.
_TRADED = re.compile(r"(?:159|51[0-8]|52|56[1-9]|58[89])\d+")
_ELSEWHERE = re.compile(r"[A-Z0-9]{1,6}[.: ]([A-Z]{1,5})")
_HINT = "Write a fund as 159363.SZ, 515980.SH or BOTZ.US."
# More funds than any market has; the same are read again in every file.
_REMEMBERED = 1 << 14


@lru_cache(_REMEMBERED)
def parse_symbol(text: str) -> str:
    """Return a fund's symbol the way we write it: six digits with .SZ or .SH, or a ticker with .US.

    Understood are 159363, 159363.SZ, sz159363, sz.159363, 159363.XSHE, 159363.SZSE, SHSE.515980, 0.159363,
    515880.SS, 159363.OF, 159363 CH Equity, 159363 创AI, BOTZ, BOTZ.US, NASDAQ:BOTZ, BOTZ US Equity and
    BOTZ.OQ, in either case, also in full-width signs or as a spreadsheet keeps text (``="159363"``,
    ``'159363``). Anything else raises UsageError: the code of a share or an index, a fund's code with the
    other exchange's suffix, another market.
    """
    seen = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    given = unicodedata.normalize("NFKC", seen).strip().removeprefix("=").strip("\"'").strip().upper()
    given = given.removesuffix(" EQUITY")
    if _NAME.search(given) and len(codes := _CODE.findall(given)) == 1:
        return _chinese(text, codes[0], [])
    if match := _CHINESE.fullmatch(given):
        *before, code, after = match.groups()
        return _chinese(text, code, [mark for mark in (*before, after) if mark])
    if match := _AMERICAN.fullmatch(given):
        return f"{match[1]}.US"
    abroad = _ELSEWHERE.fullmatch(given)
    if abroad and ABROAD.fullmatch(abroad[1]):
        raise UsageError(
            "not a symbol of a fund",
            received=repr(text),
            limit="funds of Shanghai, Shenzhen and the United States",
            hint=f"`{abroad[1]}` marks a listing in another country: leave it out. {_HINT}",
        )
    raise UsageError("not a symbol of a fund", received=repr(text), hint=_HINT)


def market_of(symbol: str) -> str:
    """Return the market, ``cn_etf`` or ``us_etf``, of a symbol or of a market code (CN, US)."""
    if symbol in MARKET_CODES:
        return MARKET_CODES[symbol]
    return _MARKET_OF[_suffix(symbol)]


def currency_of(symbol: str) -> str:
    """Return the currency, CNY or USD, in which a fund is traded."""
    return CURRENCIES[market_of(symbol)]


def account_currency(symbols: Iterable[str], chosen: str | None = None) -> str:
    """Return the currency of an account of funds: the ``chosen`` one, or theirs; "money" if none is told."""
    if chosen is not None:
        return chosen
    found = {CURRENCIES.get(_MARKET_OF.get(each.rpartition(".")[2], "")) for each in symbols}
    return (found.pop() if len(found) == 1 else None) or "money"


def currency_of_index(code: str) -> str:
    """Return the currency in which the levels of an index count, as the form of its code tells."""
    return CURRENCIES[market_of_index(code)]


def market_of_index(code: str) -> str:
    """Return the market of an index, as the form of its code tells.

    Chinese index companies number their indices; whatever has a name is American, and counts in dollars.
    """
    return "cn_etf" if CHINESE_INDEX.fullmatch(code) else "us_etf"


def sure_market_of_index(code: str) -> str | None:
    """Return the market of an index if it is surely known, None where a name may be of any (HSI, DAX)."""
    if CHINESE_INDEX.fullmatch(code):
        return "cn_etf"
    return "us_etf" if _AMERICAN_INDEX.fullmatch(code) else None


def markets_of(symbols: Iterable[str]) -> tuple[str, ...]:
    """Return the markets of some funds, in the order in which they open."""
    found = {market_of(symbol) for symbol in symbols}
    return tuple(market for market in MARKETS if market in found)


def of_market(symbols: Iterable[str], market: str) -> tuple[str, ...]:
    """Return those of some funds that are traded in a market."""
    return tuple(symbol for symbol in symbols if market_of(symbol) == market)


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
    for mark in marks:
        if mark in _NEUTRAL or (mark == "OF" and _TRADED.fullmatch(code)):
            continue
        if mark not in EXCHANGES:
            unknown = (
                "marks a fund that is not traded" if mark == "OF" else "is not an exchange that is known here"
            )
            raise UsageError(
                f"`{mark}` {unknown}",
                received=repr(text),
                limit=", ".join(each for each in EXCHANGES if each.isalpha()),
                hint=f"Write {code}.{listed} if it is the fund of that exchange.",
            )
        if EXCHANGES[mark] != listed:
            raise UsageError(
                f"{code} is not listed on that exchange", received=repr(text), hint=f"Write {code}.{listed}."
            )
    return f"{code}.{listed}"
