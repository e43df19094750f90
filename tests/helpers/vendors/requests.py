"""Stands in for requests: pages of splits and dividends, made of what the stand-in for AKShare has.

A call counts as one of the function of AKShare that reads these pages.
"""

from __future__ import annotations

import json

PAGES = {"9": ("fund_cf_em", "SPLITS", "jjcf", 2), "8": ("fund_fh_em", "DIVIDENDS", "jjfh", 3)}


class Answer:
    def __init__(self, text: str) -> None:
        self.text = text

    def raise_for_status(self) -> None: ...


def get(url: str, params: dict[str, str], timeout: float) -> Answer:
    import akshare

    function, rows, name, day = PAGES[params["dt"]]
    assert url == "https://fund.eastmoney.com/Data/funddataIndex_Interface.aspx"
    assert (params["page"], timeout) == ("1", 30.0)
    akshare._called(function, year=params["year"])
    lines = [[*line.split(",")[1:], ""] for line in getattr(akshare, rows).strip().splitlines()[1:]]
    found = [line for line in lines if line[day].startswith(params["year"]) or line[0] == "000001"]
    data = json.dumps(found, ensure_ascii=False)
    return Answer(f'var pageinfo = [1,50,1];var {name}_data={data};var {name}_jjgs=[["1","fund"]];')
