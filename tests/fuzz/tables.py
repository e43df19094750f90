"""Doors of small files that people write: weights, orders, statements, notices, calendars, rules, themes."""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import numpy as np

from data.demo import Demo
from data.errors import EtflowError
from data.facts.calendars import Calendar, calendar_for
from data.facts.notices import read_notice
from data.facts.own_calendar import add_notice, remove_row
from data.facts.own_rules import confirm_rules
from data.facts.rules import RuleBook
from data.facts.themes import known_tags, themes_on
from data.load import load_panel
from engine.briefs.statements import read_statements, windows_of
from engine.orders.formats import CAN, FORMATS, Format, format_of, read_file, write_orders
from engine.orders.positions import read_holdings
from strategies import STRATEGIES
from tests.fuzz.door import Open
from tests.fuzz.importing import NUMBER, rows_of

FUNDS = ("157001.SZ", "157003.SZ", "586012.SH")
CALENDAR = """# Ours.
[[sessions]]
market = "cn_etf"
from = 2027-01-01
through = 2027-12-31
closed = [
    2027-01-01, 2027-02-05, 2027-02-08, 2027-02-09, 2027-02-10, 2027-02-11, 2027-02-12, 2027-04-05,
    2027-05-03, 2027-05-04, 2027-05-05, 2027-06-09, 2027-09-15, 2027-10-01, 2027-10-04, 2027-10-05,
    2027-10-06, 2027-10-07,
]
source = "SSE notice"

[[sessions]]
market = "us_etf"
from = 2025-01-09
through = 2025-01-09
closed = [2025-01-09]
source = "day of mourning"
"""
NOTICES = {
    "list.txt": """2027-01-01
2027-02-05 to 2027-02-12, Spring Festival
2027-04-05
2027-05-03 to 2027-05-05
2027-06-09
2027-09-15
2027-10-01 to 2027-10-07 # National Day
""",
    "list.csv": """from,to,name
2027-01-01,2027-01-03,New Year
2027-02-05,2027-02-12,Spring
2027-10-01,2027-10-07,x
""",
    "notice.toml": """year = 2027
market = "cn_etf"
source = "SSE"
closed = [2027-01-01, [2027-02-05, 2027-02-12], [2027-10-01, 2027-10-07]]
""",
    "chinese.txt": """关于2027年部分节假日休市安排的通知
一、元旦:1月1日(星期五)至1月3日(星期日)休市,1月4日(星期一)起照常开市。
二、春节:2月5日(星期五)至2月12日(星期五)休市,2月15日(星期一)起照常开市。
三、清明节:4月5日(星期一)休市。
四、劳动节:5月1日(星期六)至5月5日(星期三)休市。
五、端午节:6月9日(星期三)休市。
六、中秋节:9月15日(星期三)休市。
七、国庆节:10月1日(星期五)至10月7日(星期四)休市。
""",
}
RULES = """[cn_etf]
source = "SSE notice"
known_through = 2027-06-30
lot = [{ applies_to = "default", from = 2026-01-05, shares = 100, source = "SSE" }]

[[cn_etf.price_limit]]
applies_to = { symbols = ["159363.SZ"] }
from = 2026-01-05
rate = 0.2
source = "SZSE"

[us_etf]
source = "NYSE"
"""
THEMES = """code,name,theme,from_day,source
300308,A,optical,2023-04-01,me
300502,B,optical,2023-05-01,me
300502,,,2025-01-02,me
"""
STATEMENTS = """statement,fund,day,value,tolerance,source
net_inflow_5_vwap,159363,2025-08-20,6.59e8,1e6,note
units_record,159363.SZ,2025-08-20,yes,,note
size,515980,2025-08-20,>2.8e9,,note
inflow_streak,159363,2025-08-20,>=5,0,note
margin_balance_record,159363,2025-08-20,no,,note
"""
ORDERS = {
    "generic orders": """id,day,symbol,side,shares,price,why
20250821-01,2025-08-21,157001.SZ,sell,1000,1.234,out
20250821-02,2025-08-21,586012.SH,buy,200,0.987,rank 1
""",
    "generic fills": """id,day,symbol,side,shares,price,costs
20250821-01,2025-08-21,157001.SZ,sell,1000,1.233,5
""",
    "generic positions": "symbol,shares\n157001.SZ,1000\n586012.SH,200\n",
    "qmt orders": """stock_code,order_type,order_volume,price_type,price,strategy_name,order_remark
157001.SZ,23,100,11,1.2,s,x
""",
    "qmt fills": """order_remark,stock_code,order_type,traded_volume,traded_price,commission
x,157001.SZ,24,1000,1.2,5
""",
    "qmt positions": "stock_code,volume\n157001.SZ,1000\n",
    "fix orders": "35=D|11=a|55=157001|207=XSHE|54=1|38=100|40=2|44=1.2|59=0\n"
    "35=D\x0111=b\x0155=586012.SH\x0154=2\x0138=1\x0144=1\n",
    "fix fills": "35=8|150=F|11=a|55=157001|54=1|32=100|31=1.2|12=5|75=20250821\n35=8|150=0|11=a\n",
    "fix positions": "35=AP|55=157001.SZ|704=1000\n",
}
FORMAT = """kind = "csv"
side = { buy = "B", sell = "S" }
orders = { code = "symbol", bs = "side", qty = "shares", px = "price", type = "=LIMIT" }
fills = { ref = "id", code = "symbol", bs = "side", qty = "shares", px = "price", fee = "costs" }
positions = { code = "symbol", qty = "shares" }
"""


def weights(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Target weights: those that are taken stand in the file."""
    known = load_panel(Demo(), list(FUNDS)).known
    sessions_known = {str(day): place for place, day in enumerate(known.days.astype("datetime64[D]"))}
    days = [str(day) for day in known.days[-30::7].astype("datetime64[D]")]
    lines = [
        f"{day},{symbol},{weight}"
        for day in days
        for symbol, weight in zip(FUNDS, (0.5, 0.3, 0.2), strict=True)
    ]
    example = "\n".join(["day,symbol,weight", *lines, ""]).encode()
    path = folder / "weights.csv"

    def open_(_name: str, content: bytes) -> bool:
        path.write_bytes(content)
        found = STRATEGIES["weights"](file=str(path)).target_weights(known)
        sums = np.nansum(found, axis=1)
        assert (sums <= 1.0 + 1e-8).all()
        assert (found[~np.isnan(found)] >= 0.0).all()
        header, *rows = [row for row in rows_of(content) if any(cell.strip() for cell in row)]
        names = [cell.strip().lower() for cell in header]
        column = names.index("weight")
        there = {0.0, *(float(row[column].strip()) for row in rows)}
        assert set(found[~np.isnan(found)].tolist()) <= there
        places = [names.index(name) for name in ("day", "symbol", "weight")]
        for day, symbol, weight in ([row[place] for place in places] for row in rows):
            if day in sessions_known and symbol in FUNDS:
                at = found[sessions_known[day], FUNDS.index(symbol)]
                assert at == float(weight.strip()), f"{symbol} has {at} on {day}, and {weight} in the file"
        return True

    return {"weights": example}, open_


def brokers(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Orders, fills and positions as brokers write them."""
    path = folder / "file"

    def open_(name: str, content: bytes) -> bool:
        form, what = name.split()
        path.write_bytes(content)
        numbers = {abs(number) for number in numbers_in(content)}
        if what == "positions":
            held = read_holdings(path, FORMATS[form])
            assert {abs(float(shares)) for shares in held.values()} <= {0.0, *numbers}, "shares of nobody"
        rows = read_file(path, what, FORMATS[form])
        for row in rows:
            assert abs(row.shares) < 2**53
            assert row.price is None or (math.isfinite(row.price) and row.price > 0.0)
            assert row.costs is None or math.isfinite(row.costs)
            for value in (row.shares, row.price, row.costs):
                assert value is None or abs(float(value)) in numbers, f"{value} stands nowhere"
        return True

    return {name: text.encode() for name, text in ORDERS.items()}, open_


def numbers_in(content: bytes) -> set[float]:
    """Return the numbers of a text, with and without the commas between their digits."""
    text = unicodedata.normalize("NFKC", content.decode("utf-8", "replace"))
    found = {0.0}
    for word in NUMBER.findall(text):
        for way in {word, word.replace(",", ""), *word.split(",")}:
            with suppress(ValueError):
                found.add(float(way))
    return found


def formats(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """A broker's format of the user's own: what is written by it can be read by it."""
    path, file = folder / "format.toml", folder / "orders"
    order = {"id": "20250821-01", "day": date(2025, 8, 21), "symbol": "157001.SZ", "price": 1.5}
    rows = [order | {"strategy": "s", "why": "out", "shares": shares} for shares in (-1_000, 200)]

    def open_(_name: str, content: bytes) -> bool:
        path.write_bytes(content)
        made = format_of(str(path))
        text = write_orders(rows, made)
        if plain(made):
            file.write_text(text, "utf-8")
            assert [each.shares for each in read_file(file, "orders", made)] == [-1_000, 200]
        for what in CAN:
            file.write_text(ORDERS[f"generic {what}"], "utf-8")
            try:
                read_file(file, what, made)
            except EtflowError:
                continue
        return True

    return {"format": FORMAT.encode(), "tags": FORMAT.replace("csv", "tags").encode()}, open_


def plain(made: Format) -> bool:
    """Return whether a format says everything once, in words that are no marks of a file."""
    words = [*made.orders, *made.orders.values(), *made.side.values()]
    return (
        all(word.removeprefix("=").isascii() and word.removeprefix("=").isalnum() for word in words)
        and len({word.lower() for word in made.orders}) == len(made.orders)
        and len(set(made.orders.values())) == len(made.orders)
        and not {"symbol", "code"} <= set(made.orders.values())
        and "code" not in made.orders.values()
    )


def statements(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Statements about funds."""
    path = folder / "statements.csv"

    def open_(_name: str, content: bytes) -> bool:
        path.write_bytes(content)
        found = read_statements(path)
        windows_of([line for each in found for line in each.lines])
        for each in found:
            assert each.lines
            assert isinstance(each.said, str)
            for value in (0.0, -1e300, math.inf, True, "2025-08-20"):
                assert each.agrees(value) in (True, False)
            assert each.agrees(each.value) is (each.bound not in ("<", ">"))
        return True

    return {"statements": STATEMENTS.encode()}, open_


def notices(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Notices of closed days, into the user's calendar: the file is as it was, or reads as a calendar."""
    own = folder / "own" / "calendar.toml"
    own.parent.mkdir()

    def open_(name: str, content: bytes) -> bool:
        path = folder / name
        path.write_bytes(content)
        own.write_text(CALENDAR.partition("\n\n")[0].replace("2027", "2026"), "utf-8")
        with variable("ETFLOW_CALENDAR", own):
            before = own.read_bytes()
            try:
                notice = read_notice(path)
                besides = len(content) % 5 == 0
                added = add_notice(notice, notice.market or "cn_etf", besides=besides, replace=True)
                assert set(notice.closed).isdisjoint(sessions(added.market, notice.first, notice.closed))
            except EtflowError:
                assert own.read_bytes() == before
                raise
            finally:
                assert os.listdir(own.parent) == [own.name]
                calendar_for("cn_etf"), calendar_for("us_etf")
        return True

    return {name: text.encode() for name, text in NOTICES.items()}, open_


def sessions(market: str, first: date, closed: Sequence[date]) -> set[date]:
    """Return the sessions that the calendar has now, of the days that a notice closes."""
    calendar = calendar_for(market)
    return {day for day in closed if day >= first and calendar.is_session(day)}


def calendars(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The user's calendar: read, a notice added, a row taken out."""
    own, notice = folder / "own" / "calendar.toml", folder / "notice.txt"
    own.parent.mkdir()
    notice.write_text("2028-01-03\n2028-01-24 to 2028-01-31\n", "utf-8")

    def open_(_name: str, content: bytes) -> bool:
        own.write_bytes(content)
        with variable("ETFLOW_CALENDAR", own):
            accepted = True
            try:
                for market in ("cn_etf", "us_etf"):
                    calendar = Calendar(market, own)
                    found = calendar.sessions(calendar.first_day, calendar.last_day)
                    assert (np.diff(found) > np.timedelta64(0, "D")).all()
                    assert np.is_busday(found).all()
                    calendar.sessions_per_year(calendar.first_day, calendar.last_day)
            except EtflowError:
                accepted = False
            for change in (
                lambda: add_notice(read_notice(notice), "cn_etf", through=date(2028, 2, 1)),
                lambda: remove_row(1),
            ):
                before = own.read_bytes()
                try:
                    change()
                except EtflowError:
                    assert own.read_bytes() == before
                else:
                    calendar_for("cn_etf"), calendar_for("us_etf")
                assert os.listdir(own.parent) == [own.name]
        return accepted

    return {"calendar": CALENDAR.encode()}, open_


def rules(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The user's market rules: read, and confirmed through a day."""
    own = folder / "own" / "rules.toml"
    own.parent.mkdir()
    days = np.arange("2026-06-01", "2026-06-20", dtype="datetime64[D]")

    def open_(_name: str, content: bytes) -> bool:
        own.write_bytes(content)
        with variable("ETFLOW_RULES", own):
            accepted = True
            try:
                for market in ("cn_etf", "us_etf"):
                    book = RuleBook.load(market, own)
                    found = book.arrays(["159363.SZ", "588930.SH"], {}, days)
                    assert (found.lot > 0).all()
                    for values in (found.tick, found.buy_fee_rate, found.sell_fee_rate):
                        assert np.isfinite(values).all()
                        assert (values >= 0.0).all()
                    book.spells("resale", "159363.SZ", days)
            except EtflowError:
                accepted = False
            try:
                confirm_rules("cn_etf", date(2027, 12, 31), 'me, "who"')
                RuleBook.load("cn_etf")
            except EtflowError:
                assert own.read_bytes() == content
            assert os.listdir(own.parent) == [own.name]
        return accepted

    return {"rules": RULES.encode(), "example": RULES.replace("2027-06-30", "2026-12-31").encode()}, open_


def themes(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The user's table of themes."""
    own = folder / "themes.csv"

    def open_(_name: str, content: bytes) -> bool:
        own.write_bytes(content)
        with variable("ETFLOW_THEMES", own):
            tags = known_tags()
        for day in (date(1, 1, 1), date(2024, 1, 1), date(9999, 12, 31)):
            assert all(themes_on(day, tags).values())
        return True

    return {"themes": THEMES.encode()}, open_


@contextmanager
def variable(name: str, value: str | Path) -> Iterator[None]:
    """Set an environment variable in the block."""
    before = os.environ.get(name)
    os.environ[name] = str(value)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
