"""The vendors' own libraries, sent to a server on this machine: what comes, and what breaks.

Skipped where the library is not installed (``pip install -e '.[cn,tushare,yahoo]'``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from data.errors import DataError
from data.providers import Connection, FetchReport, eastmoney, fetch, load_provider, update
from data.providers import asking as connections
from data.store.store import Store
from tests.helpers.loopback import HTML, TROUBLES, How, Reply, Site
from tests.helpers.vendor_bench import LONG_AFTER, TOKEN, by_key
from tests.helpers.vendor_sites import (
    ANSWERS,
    BARS_OF_FIRST,
    CSINDEX,
    DAILY,
    DAILY_ROWS,
    FUNDS,
    KLINES,
    MARGIN_SSE,
    MARGIN_SZSE,
    UNITS_SSE,
    chart,
    items,
    klines,
    nav,
    workbook,
)

pytestmark = [pytest.mark.loopback, pytest.mark.filterwarnings("ignore")]

FIRST, LAST = date(2025, 8, 19), date(2025, 8, 20)


@dataclass
class Client:
    """A vendor's own library behind our provider, its site, and a store."""

    name: str
    site: Site
    folder: Path
    waited: list[float]

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    def connection(self) -> Connection:
        return Connection(load_provider(self.name), self.folder / "answers", sleep=self.waited.append)

    def fetch(self, *tables: str, symbols: tuple[str, ...] = (), **options) -> FetchReport:
        funds = symbols or FUNDS[self.name]
        return fetch(
            [self.connection()], self.store, funds, FIRST, LAST, tables=tables, now=LONG_AFTER, **options
        )

    def update(self) -> FetchReport:
        return update(self.store, lambda _: self.connection(), end=LAST, now=LONG_AFTER)

    def answer(self, part: str = "", reply: Reply | Callable[[str], Reply] | None = None) -> None:
        """Let the site answer as it does, but for one part of an address."""
        usual = ANSWERS[self.name]()
        self.site.answers = usual if reply is None else {part: reply} | usual | {part: reply}
        if self.name == "yfinance":
            from yfinance.data import YfData

            # It keeps answers about the past for the life of the process, broken ones too.
            YfData.cache_get.cache_clear()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # Whatever is not sent to the site goes to a proxy that is not there.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(eastmoney, "PAUSE_SECONDS", 0.0)
    with Site() as running:
        yield running


def through_requests(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def sent_here(self, request, **options):
        request.url = site.here(request.url)
        return send(self, request, **{**options, "proxies": {}})

    monkeypatch.setattr(HTTPAdapter, "send", sent_here)


def started(client: Client) -> Client:
    client.answer()
    return client


@pytest.fixture
def akshare(site, monkeypatch, tmp_path) -> Client:
    pytest.importorskip("akshare")
    through_requests(site, monkeypatch)
    return started(Client("akshare", site, tmp_path, []))


@pytest.fixture
def tushare(site, monkeypatch, tmp_path) -> Client:
    pytest.importorskip("tushare")
    monkeypatch.setenv("TUSHARE_TOKEN", TOKEN)
    through_requests(site, monkeypatch)
    return started(Client("tushare", site, tmp_path, []))


@pytest.fixture(scope="module")
def yahoo_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("yfinance").set_tz_cache_location(str(tmp_path_factory.mktemp("yahoo")))


@pytest.fixture
def yfinance(site, monkeypatch, tmp_path, yahoo_cache) -> Client:
    curl = pytest.importorskip("curl_cffi.requests")
    request = curl.Session.request
    monkeypatch.setattr(
        curl.Session,
        "request",
        lambda self, method, url, *words, **options: request(self, method, site.here(url), *words, **options),
    )
    return started(Client("yfinance", site, tmp_path, []))


@pytest.fixture(params=FUNDS)
def client(request: pytest.FixtureRequest) -> Client:
    return request.getfixturevalue(request.param)


# --- What comes ---------------------------------------------------------------------------------------


def test_every_table_of_akshare_comes_in_our_units(akshare):
    report = akshare.fetch()
    assert not report.missing
    expected = {
        "bars": {
            ("159363.SZ", "2025-08-19"): {"open": 0.711, "high": 0.719, "volume": 412e6, "amount": 291.5e6}
        },
        "units": {
            ("159363.SZ", "2025-08-19"): {"units": 3_861e6},
            ("588790.SH", "2025-08-20"): {"units": 7_012_384_000},
        },
        "nav": {("159363.SZ", "2025-08-19"): {"nav": 0.7041}, ("588790.SH", "2025-08-20"): {"nav": 0.6612}},
        "margin": {
            ("588790.SH", "2025-08-20"): {"balance": 231.5e6, "bought": 48.2e6, "repaid": 39.1e6},
            ("159363.SZ", "2025-08-20"): {"balance": 112e6, "bought": 41.3e6},
            ("CN", "2025-08-20"): {"balance": 2_105_550e6, "bought": 259_010e6},
        },
        "index_bars": {
            ("970070", "2025-08-20"): {"open": 3979.0, "high": 4131.4, "low": 3902.1, "close": 4113.42},
            ("950180", "2025-08-20"): {"close": 1530.3, "amount": 51_230e6},
        },
        "index_weights": {
            ("970070", "2025-08-20", "300308"): {"weight": 0.1602},
            ("950180", "2025-08-20", "688256"): {"weight": 0.125},
        },
        "actions": {("588790.SH", "dividend", "2025-08-20"): {"cash": 0.012}},
    }
    assert set(akshare.store.tables) == set(expected)
    for table, rows in expected.items():
        found = by_key(akshare.store.read(table), len(next(iter(rows))))
        for key, values in rows.items():
            assert {name: found[key][name] for name in values} == pytest.approx(values)


def test_tushare_comes_in_our_units_and_newest_first_makes_no_difference(tushare):
    report = tushare.fetch("bars", "units")
    assert not report.missing
    bars = tushare.store.read("bars", ["159363.SZ"])
    assert bars["close"].tolist() == [0.704, 0.729]
    assert bars["volume"].tolist() == [412e6, 523e6]
    assert bars["amount"].tolist() == [291.5e6, 371.8e6]
    assert tushare.store.read("units")["units"].tolist() == [3.97e9, 3.97e9]


@pytest.mark.parametrize("last_first", [False, True])
def test_yahoo_comes_in_order(yfinance, last_first):
    yfinance.answer("/chart/AIQ", chart("AIQ", 43.5, last_first=last_first))
    report = yfinance.fetch("bars", symbols=("AIQ.US",))
    assert not report.missing
    rows = yfinance.store.read("bars")
    assert rows["day"].dt.day.tolist() == [19, 20]
    assert rows["close"].tolist() == [43.5, 44.5]


def test_east_money_newest_first_makes_no_difference(akshare):
    akshare.answer("secid=0.159363", klines(*reversed(KLINES["159363"])))
    akshare.fetch("bars")
    assert akshare.store.read("bars", ["159363.SZ"])["close"].tolist() == [0.704, 0.729]


# --- What breaks --------------------------------------------------------------------------------------


def half(client: Client, how: How) -> Reply:
    """Return half of what the site answers about the first fund's bars."""
    return replace(client.site.reply_to("/fund_daily" + BARS_OF_FIRST[client.name]), how=how)


@pytest.mark.parametrize("trouble", [*TROUBLES, "cut", "unmarked cut", "empty"])
def test_trouble_loses_one_table_of_one_fund_and_an_update_gets_it(client, trouble, monkeypatch):
    monkeypatch.setattr(connections, "LIMIT_SECONDS", 0.5 if trouble == "slow" else 20.0)
    first, second = FUNDS[client.name]
    # The answer about the second fund is on file: a function that hangs for the first is left alone.
    client.fetch("bars", symbols=(second,))
    empty = {
        "akshare": klines(),
        "tushare": items(DAILY, []),
        "yfinance": Reply({"chart": {"result": [], "error": None}}),
    }
    reply = empty[client.name] if trouble == "empty" else TROUBLES.get(trouble) or half(client, trouble)
    client.answer(BARS_OF_FIRST[client.name], reply)
    client.site.seen.clear()
    report = client.fetch("bars")
    assert [(gap.table, gap.series) for gap in report.missing] == [("bars", (first,))]
    assert report.missing[0].why
    assert set(client.store.read("bars")["symbol"]) == {second}
    # Four tries at most, and yfinance asks twice by itself.
    assert sum(BARS_OF_FIRST[client.name] in asked for asked in client.site.seen) <= 4 * 2
    client.answer()
    assert not client.update().missing
    assert set(client.store.read("bars")["symbol"]) == {first, second}


def units(**changed: str) -> Reply:
    return Reply({"result": [{**UNITS_SSE, **changed}]})


def renamed(row: dict[str, object], name: str) -> dict[str, object]:
    return {f"{key}_NEW" if key == name else key: value for key, value in row.items()}


UNITS_SZSE = ["日期", "基金代码", "基金简称", "基金规模(份)"]
FEW_UNITS = ["2025-08-20", "159363", "创业板人工智能", "3,970"]
LISTED = [159363, "创业板人工智能", 41300000, 112000000, 0, 152000, 110808, 112110808]
DAY = "2025-08-20"
# What a site changes, in which table of which fund, and what is told; nothing where it does no harm.
DRIFT = {
    "units renamed": (
        f"STAT_DATE={DAY}",
        Reply({"result": [renamed(UNITS_SSE, "TOT_VOL")]}),
        "units of 588790.SH",
        "基金份额",
    ),
    "every column of units renamed": (
        f"STAT_DATE={DAY}",
        Reply({"result": [{name.lower(): value for name, value in UNITS_SSE.items()}]}),
        "units of 588790.SH",
        "no rows",
    ),
    "units with a column more": (f"STAT_DATE={DAY}", units(NEW="1"), "units of 588790.SH", ""),
    "units with thousands": (
        f"STAT_DATE={DAY}",
        units(TOT_VOL="701,238.4"),
        "units of 588790.SH",
        "no rows",
    ),
    "units of another day": (
        f"STAT_DATE={DAY}",
        units(STAT_DATE="2025-08-21"),
        "units of 588790.SH",
        "统计日期 says 2025-08-21",
    ),
    "a workbook renamed": (
        "scsj_fund_jjgm",
        workbook([*UNITS_SZSE[:3], "规模"], FEW_UNITS),
        "units of 159363.SZ",
        "no rows",
    ),
    "a workbook without a column": (
        "scsj_fund_jjgm",
        workbook(UNITS_SZSE[:3], FEW_UNITS[:3]),
        "units of 159363.SZ",
        "no rows",
    ),
    "NAV renamed": (
        "fundCode=159363",
        Reply({"Data": {"LSJZList": [{"FSRQ": DAY, "NAV": "0.7"}]}, "TotalCount": 1}),
        "nav of 159363.SZ",
        "单位净值",
    ),
    "NAV with thousands": ("fundCode=159363", nav((DAY, "1,234.5")), "nav of 159363.SZ", "no rows"),
    "bars with a field more": (
        "secid=0.159363",
        klines(*(f"{line},7" for line in KLINES["159363"])),
        "bars of 159363.SZ",
        "Length mismatch",
    ),
    "bars with a field less": (
        "secid=0.159363",
        klines(*(line.rpartition(",")[0] for line in KLINES["159363"])),
        "bars of 159363.SZ",
        "Length mismatch",
    ),
    "bars without a price": (
        "secid=0.159363",
        klines(KLINES["159363"][0].replace("0.711", "-")),
        "bars of 159363.SZ",
        "`open` of table `bars` is empty",
    ),
    "margin with a column more": (
        "detailsDate=20250820",
        Reply({"result": [{"NEW": "1", **MARGIN_SSE}]}),
        "margin of 588790.SH",
        "Length mismatch",
    ),
    "margin as numbers": (
        "txtDate=2025-08-20",
        workbook(MARGIN_SZSE, LISTED),
        "margin of 159363.SZ",
        "AttributeError",
    ),
    "an index with a column more": (
        "indexCode=950180",
        Reply({"data": [{**CSINDEX, "new": 1}]}),
        "index_bars of 950180",
        "Length mismatch",
    ),
    "weights as a page": ("950180closeweight", Reply(HTML), "index_weights of 950180", "Excel file format"),
    "splits as code": (
        "dt=9",
        Reply("var pageinfo = [1,50,1];var jjcf_data=[[1+1]];"),
        "actions of 159363.SZ, 588790.SH",
        "jjcf_data is no JSON",
    ),
}


@pytest.mark.parametrize("change", DRIFT)
def test_what_a_site_changes_is_told_and_never_read_as_something_else(akshare, change):
    part, reply, lost, why = DRIFT[change]
    table = lost.partition(" ")[0]
    akshare.fetch(table)
    expected = akshare.store.read(table)
    changed = Client("akshare", akshare.site, akshare.folder / "changed", akshare.waited)
    changed.answer(part, reply)
    # What a second source has is as good.
    changed.site.answers.update({"secid=2.950180": klines()} if table == "index_bars" else {})
    report = changed.fetch(table)
    assert [str(gap).partition(" on ")[0].partition(" from ")[0] for gap in report.missing] == (
        [lost] if why else []
    )
    assert why in "".join(gap.why for gap in report.missing)
    rows = changed.store.read(table)
    # Whatever came is what comes without the change.
    kept = rows.merge(expected, how="left", on=list(rows.columns), indicator=True)
    assert (kept["_merge"] == "both").all()


def test_tushare_with_a_column_renamed_or_more(tushare):
    renamed_volume = ["volume" if name == "vol" else name for name in DAILY]
    tushare.answer("159363.SZ", items(renamed_volume, DAILY_ROWS["159363.SZ"]))
    report = tushare.fetch("bars")
    assert [(gap.series, "there is no column vol" in gap.why) for gap in report.missing] == [
        (("159363.SZ",), True)
    ]
    tushare.answer("159363.SZ", items([*DAILY, "new"], [[*row, 1] for row in DAILY_ROWS["159363.SZ"]]))
    assert not tushare.update().missing
    assert tushare.store.read("bars", ["159363.SZ"])["volume"].tolist() == [412e6, 523e6]


def test_tushare_with_thousands_is_read_as_what_it_says(tushare):
    rows = [[*row[:-2], f"{row[-2]:,.1f}", row[-1]] for row in DAILY_ROWS["159363.SZ"]]
    tushare.answer("159363.SZ", items(DAILY, rows))
    assert not tushare.fetch("bars").missing
    assert tushare.store.read("bars", ["159363.SZ"])["volume"].tolist() == [412e6, 523e6]


@pytest.mark.parametrize("name", ["volume", "close"])
def test_yahoo_without_a_column(yfinance, name):
    yfinance.answer("/chart/AIQ", chart("AIQ", 43.5, without=name))
    report = yfinance.fetch("bars")
    assert [gap.series for gap in report.missing] == [("AIQ.US",)]
    assert f"KeyError: '{name}'" in report.missing[0].why
    assert set(yfinance.store.read("bars")["symbol"]) == {"BOTZ.US"}


def test_another_ticker_than_asked_for_is_refused(yfinance):
    yfinance.answer("/chart/AIQ", chart("AIQ.MX", 43.5))
    (gap,) = yfinance.fetch("bars").missing
    assert "Symbol says AIQ.MX" in gap.why


def test_a_limit_of_calls_is_waited_out_and_the_function_then_left_alone(client):
    limited = {
        "akshare": Reply(HTML, 429),
        "tushare": Reply({"code": 40203, "msg": "抱歉，您每分钟最多访问该接口80次", "data": None}),
        "yfinance": Reply(HTML, 429),
    }
    # AKShare does not look at the number of an answer, but where we ask ourselves.
    part, table = ("dt=8", "actions") if client.name == "akshare" else (BARS_OF_FIRST[client.name], "bars")
    client.answer(part, limited[client.name])
    with pytest.raises(DataError, match="failed 4 times"):
        client.fetch(table)
    assert [round(seconds // 15 * 15) for seconds in client.waited if seconds > 10] == [15, 30, 60]


def test_a_page_of_splits_that_says_too_often_is_told_with_its_number(akshare):
    akshare.answer("dt=9", Reply(HTML, 403))
    (gap,) = akshare.fetch("actions").missing
    assert "403 Client Error" in gap.why
    assert akshare.store.read("actions")["kind"].tolist() == ["dividend"]
