"""East Money's lists of splits and dividends: JSON is taken from them, and nothing is run."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from data.errors import DataError
from data.providers import eastmoney
from data.providers.akshare import AkShare

SPLIT = ["159363", "创业板人工智能ETF华宝", "2025-07-18", "份额分拆", "2.0", ""]


def page(*rows: list, number: int = 1, pages: int = 1, size: int = 1, name: str = "jjcf") -> str:
    data = json.dumps(list(rows), ensure_ascii=False)
    return f'var pageinfo = [{pages},{size},{number}];var {name}_data={data};var {name}_jjgs=[["1","x"]];'


@pytest.fixture
def answer(monkeypatch):
    """Return a function that says what the site answers, page by page; it returns what was asked."""
    monkeypatch.setattr(eastmoney, "PAUSE_SECONDS", 0.0)

    def answers(*texts: str) -> list[dict[str, str]]:
        asked: list[dict[str, str]] = []
        library = ModuleType("requests")

        class Answer:
            def __init__(self, text: str) -> None:
                self.text = text

            def raise_for_status(self) -> None: ...

        def get(url: str, params: dict[str, str], timeout: float) -> Answer:
            asked.append(params)
            return Answer(texts[len(asked) - 1])

        library.get = get
        monkeypatch.setitem(sys.modules, "requests", library)
        return asked

    return answers


def test_all_pages_are_read(answer):
    asked = answer(page(SPLIT, pages=2), page(["588790", "x", "2025-03-18", "y", 2, ""], number=2, pages=2))
    rows = eastmoney.splits("2025")
    assert rows["基金代码"].tolist() == ["159363", "588790"]
    assert rows["拆分折算"].tolist() == ["2.0", "2"]
    assert [(each["dt"], each["page"], each["year"]) for each in asked] == [
        ("9", "1", "2025"),
        ("9", "2", "2025"),
    ]


def test_dividends_have_the_columns_of_their_map(answer):
    row = ["588790", "x", "2025-08-19", "2025-08-20", "0.0120", "2025-08-25", ""]
    answer(page(row, name="jjfh"))
    (found,) = eastmoney.dividends("2025").to_dict("records")
    assert (found["基金代码"], found["除息日期"], found["分红"]) == ("588790", "2025-08-20", "0.0120")


def test_a_year_without_any_has_no_rows(answer):
    answer("var pageinfo = [0,50,1];var jjcf_data=[];var jjcf_jjgs=[];")
    assert eastmoney.splits("2026").empty


@pytest.mark.parametrize(
    "text",
    [
        "var pageinfo = [1,50,1+1];var jjcf_data=[];var jjcf_jjgs=[];",
        'var pageinfo = [1,50,1];var jjcf_data=[[len("run")]];var jjcf_jjgs=[];',
        page(SPLIT).replace("2.0", "2.0").replace('"2.0"', "NaN"),
        page(SPLIT)[:60],
        "<html><body>too many requests</body></html>",
        "",
        "var pageinfo = [1,50,1];",
        "var pageinfo = {};var jjcf_data=[];",
        page(SPLIT, number=2),
        page(SPLIT, pages=3, size=50),
        page(SPLIT, pages=10**6),
    ],
    ids=["code", "code in rows", "nan", "cut", "html", "empty", "no rows", "object", "page", "half", "pages"],
)
def test_a_page_that_is_no_list_is_asked_for_again(answer, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer(text)
    with pytest.raises(eastmoney.BrokenPage) as caught:
        eastmoney.splits("2025")
    assert not list(tmp_path.iterdir())
    assert AkShare.judge(AkShare.__new__(AkShare), caught.value) == "again"


def test_a_column_more_is_a_change_that_is_told(answer):
    answer(page([*SPLIT, "new"]))
    with pytest.raises(DataError, match="the rows of jjcf_data have changed"):
        eastmoney.splits("2025")


def test_functions_of_akshare_that_run_what_a_site_sends_are_not_called(akshare):
    assert set(eastmoney.FUNCTIONS) == {"fund_cf_em", "fund_fh_em"}
    assert not hasattr(akshare.library, "fund_cf_em")
    akshare.fetch("actions")
    assert akshare.asked == ["fund_cf_em", "fund_fh_em"]
