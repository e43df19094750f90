"""Notices of closed days: how they are read, what is refused, and the user's calendar and rule files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import run_backtest
from data.errors import UsageError
from data.facts.calendars import Calendar, calendar_for
from data.facts.notice import Notice
from data.facts.notices import read_notice
from data.facts.own_calendar import add_notice, remove_row
from data.facts.own_rules import confirm_rules
from data.facts.rules import RuleBook
from data.store.store import Store
from engine.cli.main import main

Reader = Callable[..., Notice]
Here = Callable[..., tuple[int, str, str]]

# The Shanghai exchange's notice of 2025-12-22, as zhishi.hgjy100.com/guancha/74968.html prints it.
OF_2026 = """关于上海证券交易所2026年部分节假日休市安排的通知
根据中国证监会有关通知要求,上海证券交易所(以下简称本所)现将2026年部分节假日休市安排通知如下。一、休市安排
(一)元旦:1月1日(星期四)至1月3日(星期六)休市,1月5日(星期一)起照常开市。另外,1月4日(星期日)为周末休市。
(二)春节:2月15日(星期日)至2月23日(星期一)休市,2月24日(星期二)起照常开市。另外,2月14日(星期六)、2月28日(星期六)为周末休市。
(三)清明节:4月4日(星期六)至4月6日(星期一)休市,4月7日(星期二)起照常开市。
(四)劳动节:5月1日(星期五)至5月5日(星期二)休市,5月6日(星期三)起照常开市。另外,5月9日(星期六)为周末休市。
(五)端午节:6月19日(星期五)至6月21日(星期日)休市,6月22日(星期一)起照常开市。
(六)中秋节:9月25日(星期五)至9月27日(星期日)休市,9月28日(星期一)起照常开市。
(七)国庆节:10月1日(星期四)至10月7日(星期三)休市,10月8日(星期四)起照常开市。另外,9月20日(星期日)、10月10日(星期六)为周末休市。
二、有关清算事宜,根据中国证券登记结算有限责任公司的安排进行。三、有关春节、国庆节测试事宜,本所将另行通知。
"""

# Made up for these tests; the weekdays are those of 2027.
OF_2027 = """关于2027年部分节假日休市安排的通知
（一）元旦：1月1日（星期五）至1月3日（星期日）休市，1月4日（星期一）起照常开市。
（二）春节：2月5日（星期五）至2月11日（星期四）休市，2月12日（星期五）起照常开市。另外，2月14日（星期日）为周末休市。
（三）清明节：4月3日（星期六）至4月5日（星期一）休市，4月6日（星期二）起照常开市。
（四）劳动节：5月1日（星期六）至5月5日（星期三）休市，5月6日（星期四）起照常开市。
（五）端午节：6月9日（星期三）休市，6月10日（星期四）起照常开市。
（六）中秋节：9月15日（星期三）休市，9月16日（星期四）起照常开市。
（七）国庆节：10月1日（星期五）至10月7日（星期四）休市，10月8日（星期五）起照常开市。
上海证券交易所
2026年12月21日
"""
# 1 + 5 + 1 + 3 + 1 + 1 + 5 weekdays.
CLOSED_2027 = (
    "01-01 02-05 02-08 02-09 02-10 02-11 04-05 05-03 05-04 05-05 06-09 09-15 10-01 10-04 10-05 10-06 10-07"
)


def days(text: str, year: int = 2027) -> tuple[date, ...]:
    return tuple(date.fromisoformat(f"{year}-{each}") for each in text.split())


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ETFLOW_CALENDAR", "ETFLOW_RULES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def reader(text: str | bytes, year: int | None = None, name: str = "notice.txt") -> Notice:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_notice(path, year)

    return reader


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Here:
    def call(*words: object) -> tuple[int, str, str]:
        code = main(run_backtest.load_catalogue, [str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    (tmp_path / "2027.txt").write_text(OF_2027, encoding="utf-8")
    return call


# ---- what a notice says -----------------------------------------------------------------------------------


def test_the_notice_of_2026_closes_the_weekdays_that_the_library_recorded(read: Reader) -> None:
    notice = read(OF_2026)
    # 2 + 6 + 1 + 3 + 1 + 1 + 5
    closed = "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 10-01 10-02"
    assert notice.closed == days(closed + " 10-05 10-06 10-07", 2026)
    assert (notice.first, notice.last) == (date(2026, 1, 1), date(2026, 12, 31))
    assert notice.source == "关于上海证券交易所2026年部分节假日休市安排的通知"
    assert add_notice(notice, "cn_etf").rows == ()  # which agrees: nothing to add


@pytest.mark.parametrize(
    "text",
    [
        OF_2027,
        OF_2027.encode("gb18030"),
        OF_2027.encode("utf-8-sig"),
        OF_2027.replace("（", "(").replace("）", ")").replace("，", ",").replace("：", ":"),
        OF_2027.replace("1月1日（星期五）至1月3日", "2027 年 1 月 1 日 （星期五） — 1 月 3 日"),
        OF_2027.replace("2月5日（星期五）至2月11日", "2月5日至11日"),
        OF_2027.replace("节", "節").replace("开", "開").replace("为周末", "為週末").replace("劳动", "勞動"),
    ],
    ids=["full width", "GB18030", "BOM", "half width", "spaces", "month once", "traditional"],
)
def test_chinese_notices_however_they_are_written(read: Reader, text: str | bytes) -> None:
    notice = read(text)
    assert (notice.year, notice.closed) == (2027, days(CLOSED_2027))
    assert notice.market == "cn_etf"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n.txt", "# New Year, then Spring Festival\n2027-01-01\n\n2027-02-05 to 2027-02-09  # five days\n"),
        ("n.txt", "2027/1/1\n2027/2/5 - 2027/2/9\n"),
        ("n.txt", "20270101\n20270205..20270209\n"),
        ("n.csv", "date,name\n2027-01-01,元旦\n2027-02-05至2027-02-09,春节\n"),
        ("n.csv", "from,through,name\n2027-01-01,2027-01-03,元旦\n2027-02-05,2027-02-09,春节\n"),
        ("n.toml", "closed = [2027-01-01, [2027-02-05, 2027-02-09]]\n"),
    ],
)
def test_lists_of_days_and_ranges(read: Reader, name: str, text: str) -> None:
    notice = read(text, name=name)
    # 2027-02-06 and 02-07 are a Saturday and a Sunday.
    assert notice.closed == days("01-01 02-05 02-08 02-09")
    assert (notice.first, notice.last) == (date(2027, 1, 1), date(2027, 12, 31))
    assert notice.market is None


def test_a_toml_notice_says_its_market_year_and_source(read: Reader) -> None:
    text = 'market = "us_etf"\nyear = 2027\nsource = "the exchange"\nclosed = [2027-01-01]\n'
    notice = read(text, name="n.toml")
    assert (notice.market, notice.year, notice.source) == ("us_etf", 2027, "the exchange")


def test_a_holiday_may_begin_in_the_december_before(read: Reader) -> None:
    notice = read(
        "2019年休市安排：元旦：2018年12月30日（星期日）至2019年1月1日（星期二）休市，"
        "1月2日（星期三）起照常开市。"
    )
    assert notice.closed == (date(2018, 12, 31), date(2019, 1, 1))
    assert (notice.first, notice.last) == (date(2018, 12, 31), date(2019, 12, 31))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("（星期五）至1月3日", "（星期四）至1月3日", "2027-01-01 is a Friday; received 星期四"),
        ("2027年部分", "2026年部分", "2026-01-01 is a Thursday"),
        ("关于2027年部分节假日", "关于", "does not say which year"),
        ("10月8日（星期五）起", "10月11日（星期一）起", "resume on 2027-10-11; limit: 2027-10-08"),
        ("2月14日（星期日）为", "2月12日（星期五）为", "called a weekend and is a Friday"),
        ("2月5日（星期五）至2月11日（星期四）", "2月11日至2月5日", "ends before it begins"),
        ("6月9日（星期三）休市", "6月9日（星期三）停止交易", "not clear what is said of 6月9日"),
        ("9月15日（星期三）休市", "9月31日休市", "no such day; received 2027-9-31"),
        ("9月15日（星期三）休市", "15日休市", "a day without its month"),
    ],
)
def test_a_notice_that_contradicts_itself_is_refused(read: Reader, old: str, new: str, message: str) -> None:
    assert old in OF_2027
    with pytest.raises(UsageError, match=message):
        read(OF_2027.replace(old, new))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("n.txt", "2027-02-11 to 2027-02-05", "line 1: a range ends before it begins"),
        ("n.txt", "2027-01-01\nsome day", "line 2 is neither a day nor a range; received some day"),
        ("n.csv", "2027-01-01,2027-02-05", "line 1 is neither"),  # two days, or a range?
        ("n.txt", "2027-02-30", "line 1: there is no such day; received 2027-2-30"),
        ("n.txt", "2027-01-01\n2028-01-03", "more than one year; received 2027, 2028"),
        ("n.txt", "", "names no day"),
        ("n.toml", 'closed = ["2027-01-01"]', "neither a day nor a range"),
        ("n.txt", "0001-01-01 to 9999-12-31", "a range of more than a year"),
        ("n.txt", "0001-01-03", "there is no such year; received 1"),
        ("n.toml", "closed = [2027-01-01]\nyear = 20270", "there is no such year; received 20270"),
        ("n.toml", "closed = []", "not a list of days"),
        ("n.toml", "closed = [2027-01-01]\nmarket = 'cn'", "unknown market `cn`"),
        ("n.toml", "shut = [2027-01-01]", "unknown name `shut`"),
        ("n.toml", "closed =", "not a TOML file"),
        ("n.pdf", "%PDF-1.7", "not plain text"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(
    read: Reader, name: str, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read(text, name=name)


def test_days_outside_the_year_that_was_asked_for_are_refused(read: Reader) -> None:
    with pytest.raises(UsageError, match="outside the year 2028; received 2027-01-01"):
        read("2027-01-01", 2028)


# ---- the user's calendar file -----------------------------------------------------------------------------


def test_a_notice_is_imported_with_one_command_and_taken_back_with_another(
    here: Here, tmp_path: Path, state: Path
) -> None:
    assert calendar_for("cn_etf").last_day == date(2026, 12, 31)
    code, said, told = here("data", "calendar", "import", tmp_path / "2027.txt")
    # 2027 has 261 weekdays.
    assert (code, said.split("; ")[0]) == (
        0,
        "cn_etf: 2027-01-01 to 2027-12-31, 17 weekdays closed, 244 sessions",
    )
    assert "rules of cn_etf are known through 2026-12-31" in told
    calendar = calendar_for("cn_etf")
    assert calendar.last_day == date(2027, 12, 31)
    opened = calendar.sessions(date(2027, 2, 3), date(2027, 2, 15)).astype(str).tolist()
    assert opened == ["2027-02-03", "2027-02-04", "2027-02-12", "2027-02-15"]

    _, listed, _ = here("data", "calendar", "--market", "cn_etf", "--json")
    (market,) = json.loads(listed)["markets"]
    assert (market["last_day"], market["rules_through"]) == ("2027-12-31", "2026-12-31")
    assert [(each["row"], each["through"]) for each in market["spans"]] == [
        (None, "2026-12-31"),
        (1, "2027-12-31"),
    ]
    assert market["spans"][0]["source"].startswith("exchange_calendars ")
    assert market["spans"][1]["source"] == "关于2027年部分节假日休市安排的通知"

    code, said, _ = here("data", "calendar", "remove", "1")
    assert (code, "2027-02-05" in said) == (0, True)
    assert calendar_for("cn_etf").last_day == date(2026, 12, 31)
    assert (state / "calendar.toml").read_text(encoding="utf-8") == ""


def test_the_file_that_the_environment_names_is_written(
    read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    path = tmp_path / "mine" / "days.toml"
    monkeypatch.setenv("ETFLOW_CALENDAR", str(path))
    assert add_notice(read(OF_2027), "cn_etf", source="said so").path == path
    assert calendar_for("cn_etf").spans[-1].source == "said so"
    assert not state.exists()


def test_remarks_and_other_rows_stay(read: Reader, state: Path) -> None:
    add_notice(read("2027-03-08"), "us_etf", besides=True)
    path = state / "calendar.toml"
    path.write_text(f"# mine\n{path.read_text(encoding='utf-8')}# the next year\n", encoding="utf-8")
    add_notice(read(OF_2027), "cn_etf")
    assert [each.number for each in calendar_for("cn_etf").spans] == [None, 2]
    assert remove_row(1)[1].startswith('[[sessions]]\nmarket = "us_etf"')
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# mine\n# the next year\n")
    assert [each.number for each in calendar_for("cn_etf").spans] == [None, 1]


def test_the_same_notice_again_adds_nothing(read: Reader, state: Path) -> None:
    add_notice(read(OF_2027), "cn_etf")
    before = (state / "calendar.toml").read_bytes()
    assert add_notice(read(OF_2027), "cn_etf").rows == ()
    assert (state / "calendar.toml").read_bytes() == before


def test_a_notice_that_contradicts_what_is_recorded_needs_a_word(read: Reader) -> None:
    # The Spring Festival of 2026 a day shorter.
    shorter = read(
        OF_2026.replace("2月23日(星期一)休市,2月24日(星期二)", "2月22日(星期日)休市,2月23日(星期一)")
    )
    with pytest.raises(UsageError, match=r"contradicts.*2026-02-23 is recorded as closed.*--replace"):
        add_notice(shorter, "cn_etf")
    assert add_notice(shorter, "cn_etf", replace=True).changed == (date(2026, 2, 23),)
    assert calendar_for("cn_etf").is_session(date(2026, 2, 23))
    assert calendar_for("cn_etf").last_day == date(2026, 12, 31)
    remove_row(1)
    assert not calendar_for("cn_etf").is_session(date(2026, 2, 23))


def test_a_day_of_mourning_is_closed_besides_the_others(read: Reader) -> None:
    mourning = read("2027-03-08\n2027-03-09\n2027-07-05\n")
    with pytest.raises(UsageError, match="does not look like that of the whole year 2027; received 3 closed"):
        add_notice(mourning, "us_etf")
    added = add_notice(mourning, "us_etf", besides=True)
    assert added.changed == days("03-08 03-09")  # 07-05 is a holiday already
    assert [(each.first, each.last) for each in added.rows] == [days("03-08 03-09")]
    before, after = Calendar("us_etf"), calendar_for("us_etf")
    whole = date(2027, 1, 1), date(2027, 12, 31)
    assert len(before.sessions(*whole)) - len(after.sessions(*whole)) == 2
    assert [after.is_session(day) for day in days("03-05 03-08 03-09 03-10")] == [True, False, False, True]


def test_a_notice_of_a_part_of_the_year_goes_no_further(read: Reader) -> None:
    new_year = OF_2027.split("（二）")[0]
    with pytest.raises(UsageError, match=r"whole year 2027; received without 春节.*--through"):
        add_notice(read(new_year), "cn_etf")
    add_notice(read(new_year), "cn_etf", through=date(2027, 1, 31))
    assert calendar_for("cn_etf").last_day == date(2027, 1, 31)
    # 21 weekdays less New Year, and the rest comes later.
    assert len(calendar_for("cn_etf").sessions(date(2027, 1, 1), date(2027, 1, 31))) == 20
    assert add_notice(read(OF_2027), "cn_etf").last_day == date(2027, 12, 31)
    with pytest.raises(UsageError, match="closes days after"):
        add_notice(read(OF_2027), "cn_etf", through=date(2027, 6, 30))


def test_a_year_cannot_be_left_out(read: Reader, state: Path) -> None:
    text = "\n".join(f"2028-01-{day:02d}" for day in range(3, 32))
    with pytest.raises(UsageError, match=r"leaves a gap.*through 2026-12-31.*notice of 2027 first"):
        add_notice(read(text), "cn_etf")
    assert not state.exists()


def test_a_december_that_a_later_notice_closes_is_told(read: Reader) -> None:
    add_notice(read(OF_2027), "cn_etf")
    # 2027-12-31 is a Friday, and a session as far as the notice of 2027 goes.
    text = (
        "2028年休市安排：元旦：2027年12月31日（星期五）至2028年1月2日（星期日）休市。"
        "春节：1月25日至31日休市。清明节：4月4日休市。劳动节：5月1日至5日休市。"
        "端午节：5月29日休市。国庆节、中秋节：10月2日至8日休市。"
    )
    added = add_notice(read(text), "cn_etf")
    assert added.changed == (date(2027, 12, 31),)
    assert not calendar_for("cn_etf").is_session(date(2027, 12, 31))
    assert calendar_for("cn_etf").is_session(date(2027, 12, 30))


@pytest.mark.parametrize(
    ("content", "number", "message"),
    [
        ("", 1, "no such row; received 1; limit: it has none"),
        ("sessions = []\n", 1, "it has none"),
        ("[[sessions]]\n", 2, "no such row; received 2; limit: 1 to 1"),
        ("[[session]]\n", 1, "it has none"),
    ],
)
def test_a_row_that_is_not_there_cannot_be_removed(
    state: Path, content: str, number: int, message: str
) -> None:
    state.mkdir()
    (state / "calendar.toml").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        remove_row(number)


def test_a_calendar_to_the_end_of_time_takes_no_notice(read: Reader, state: Path) -> None:
    state.mkdir()
    row = "market = 'cn_etf'\nfrom = 2027-01-01\nthrough = 9999-12-31\nclosed = []\nsource = 's'\n"
    (state / "calendar.toml").write_text(f"[[sessions]]\n{row}", encoding="utf-8")
    with pytest.raises(UsageError, match="contradicts what is recorded"):
        add_notice(read("2028-01-03"), "cn_etf", through=date(2028, 1, 31))


def test_a_row_that_others_go_on_from_stays(read: Reader, state: Path) -> None:
    add_notice(read(OF_2027.split("（二）")[0]), "cn_etf", through=date(2027, 1, 31))
    path = state / "calendar.toml"
    february = path.read_text(encoding="utf-8").replace("2027-01-01", "2027-02-01")
    february = february.replace("2027-01-31", "2027-02-28")
    path.write_text(path.read_text(encoding="utf-8") + february, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="the days do not join"):
        remove_row(1)
    assert path.read_bytes() == before
    assert [each.name for each in state.iterdir()] == ["calendar.toml"]


def test_a_notice_without_a_market_asks_for_one(here: Here, tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("2027-01-01\n", encoding="utf-8")
    code, _, told = here("data", "calendar", "import", tmp_path / "n.txt")
    assert code == 2
    assert "which market it is about. Name it: --market" in told


# ---- the user's rule file ---------------------------------------------------------------------------------


def test_rules_are_confirmed_through_a_day(here: Here, state: Path) -> None:
    words = ("data", "calendar", "confirm", "--through", "2027-06-30", "--source", "notices to today")
    code, said, _ = here(*words)
    assert (code, said.split(";")[0]) == (0, "cn_etf: rules known through 2027-06-30")
    assert str(RuleBook.load("cn_etf").known_through) == "2027-06-30"
    assert str(RuleBook.load("us_etf").known_through) == "2026-12-31"
    assert str(RuleBook.load("cn_etf", own=False).known_through) == "2026-12-31"


def test_a_source_with_bytes_that_are_no_text_is_written_down_all_the_same(here: Here, state: Path) -> None:
    words = ("data", "calendar", "confirm", "--through", "2027-06-30", "--source", "notice \udc88")
    assert here(*words)[0] == 0
    assert str(RuleBook.load("cn_etf").known_through) == "2027-06-30"


def test_confirming_again_leaves_rows_of_rules_alone(state: Path) -> None:
    state.mkdir()
    row = '[[cn_etf.tick]]\napplies_to = "default"\nfrom = 2027-01-04\nmoney = 0.0005\nsource = "s"\n'
    (state / "rules.toml").write_text(
        f'[cn_etf]\nknown_through = 2027-01-31  # so far\nsource = "s"\n{row}', encoding="utf-8"
    )
    confirm_rules("us_etf", date(2027, 12, 31), "us")
    confirm_rules("cn_etf", date(2027, 12, 31), "cn")
    text = (state / "rules.toml").read_text(encoding="utf-8")
    assert text == (
        f'[cn_etf]\nknown_through = 2027-12-31\nsource = "cn"\n{row}\n'
        '[us_etf]\nknown_through = 2027-12-31\nsource = "us"\n'
    )
    assert RuleBook.load("cn_etf").rows["tick"][-1].fields == {"money": 0.0005}


def test_rules_that_are_no_text_are_left_alone(state: Path) -> None:
    state.mkdir()
    (state / "rules.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"rules\.toml is not a TOML file"):
        confirm_rules("cn_etf", date(2027, 12, 31), "s")
    assert (state / "rules.toml").read_bytes() == b"\xff\xfe"


def test_rules_cannot_be_confirmed_through_less_than_ships(state: Path) -> None:
    with pytest.raises(UsageError, match="recorded through 2026-12-31 as it is; received 2026-06-30"):
        confirm_rules("cn_etf", date(2026, 6, 30), "s")
    assert not state.exists()


# ---- past the last known day ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with bars, units and NAV of two funds from 2026-08-03 to Friday 2027-01-15."""
    folder = tmp_path_factory.mktemp("past") / "store"
    recorded = Calendar("cn_etf").sessions(date(2026, 8, 3), date(2026, 12, 31)).astype(str).tolist()
    every = [*recorded, *(f"2027-01-{number:02d}" for number in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15))]
    bars = [
        {
            "symbol": symbol,
            "day": pd.Timestamp(day),
            **dict.fromkeys(("open", "high", "low", "close"), 1.0 + (number + shift) % 7 / 1000),
            "volume": 1e7,
            "amount": 1e7 * (1.0 + (number + shift) % 7 / 1000),
        }
        for shift, symbol in enumerate(("159363.SZ", "159381.SZ"))
        for number, day in enumerate(every)
    ]
    units = [{"symbol": "159363.SZ", "day": pd.Timestamp(day), "units": 1e9} for day in every]
    Store(folder).append({"bars": pd.DataFrame(bars), "units": pd.DataFrame(units)})
    return folder


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run momentum --no-report", "`beyond-calendar`"),
        ("run momentum --no-report --allow all", "recorded through 2026-12-31; received 2027-01-15"),
        ("run momentum --no-report --start 2027-01-04", "`beyond-calendar`"),
        ("compare momentum share_inflow --no-report", "`beyond-calendar`"),
        ("tune momentum --param lookback=3,5 --no-report", "`beyond-calendar`"),
        ("audit momentum", "`beyond-calendar`"),
        ("factor momentum", "`beyond-calendar`"),
        ("signal momentum", "`beyond-calendar`"),
        ("signal momentum --end 2026-12-31", "the session after 2026-12-31 is not known"),
        ("brief 159363", "`beyond-calendar`"),
        ("brief 159363 --on 2027-01-05", "recorded through 2026-12-31; received 2027-01-05"),
        ("brief 159363 --on 2026-12-31", "the session after 2026-12-31 is not known"),
        ("data check", "failed 1 of"),
    ],
)
def test_past_the_last_known_day_everything_says_so(
    here: Here, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said, told = here(*words.split(), "--data", store)
    assert (code, message in told) == (3, True), told
    assert "data calendar import NOTICE" in said + told
    assert not (tmp_path / "results").exists()


def test_up_to_the_last_known_day_everything_runs(
    here: Here, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert here("run", "momentum", "--data", store, "--no-report", "--end", "2026-12-31")[0] == 0
    assert here("brief", "159363", "--data", store, "--on", "2026-12-30")[0] == 0


def test_after_the_notice_and_the_confirmation_a_run_goes_on(
    here: Here, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ("run", "momentum", "--data", store, "--no-report", "--json")
    assert here("data", "calendar", "import", tmp_path / "2027.txt")[0] == 0
    code, _, told = here(*run)
    assert (code, "rules of cn_etf are recorded" in told) == (3, True)
    assert "data calendar confirm --through" in told
    assert here("data", "calendar", "confirm", "--through", "2027-12-31", "--source", "s")[0] == 0
    code, said, _ = here(*run)
    assert (code, json.loads(said)["data"]["last_day"]) == (0, "2027-01-15")
