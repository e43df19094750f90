"""What the sites behind the vendors' libraries answer, made up by hand: two days of two funds each."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from tests.helpers.loopback import HTML, Reply

FUNDS = {
    "akshare": ("159363.SZ", "588790.SH"),
    "tushare": ("159363.SZ", "588790.SH"),
    "yfinance": ("AIQ.US", "BOTZ.US"),
}


def workbook(header: list[str], *rows: list[object]) -> Callable[[str], Reply]:
    """Return what makes a workbook when it is asked for: only then must there be a library that can."""

    def made(_asked: str) -> Reply:
        file = io.BytesIO()
        pd.DataFrame(list(rows), columns=header).to_excel(file, index=False, engine="openpyxl")
        return Reply(file.getvalue())

    return made


KLINES = {
    "159363": [
        "2025-08-19,0.711,0.704,0.719,0.698,4120000,291500000.000,2.97,-0.42,-0.003,10.67",
        "2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.000,5.82,3.55,0.025,13.17",
    ],
    "588790": [
        "2025-08-19,0.650,0.648,0.655,0.641,2000000,129600000.000,2.15,-0.31,-0.002,2.85",
        "2025-08-20,0.645,0.661,0.662,0.640,2500000,163000000.000,3.39,2.01,0.013,3.57",
    ],
}
MARGIN_SSE = {
    "bdCashRate": "",
    "opDate": "20250820",
    "rqchl": "12000",
    "rqmcl": "30000",
    "rqyl": "1250000",
    "rqylje": "-",
    "rqye": "-",
    "rzche": "39100000",
    "rzmre": "48200000",
    "rzrqye": "-",
    "rzye": "231500000",
    "securityAbbr": "科创智能",
    "stockCode": "588790",
}
MARGIN_SZSE = [
    "证券代码",
    "证券简称",
    "融资买入额(元)",
    "融资余额(元)",
    "融券卖出量(股/份)",
    "融券余量(股/份)",
    "融券余额(元)",
    "融资融券余额(元)",
]
CSINDEX = {
    "tradeDate": "20250820",
    "indexCode": "950180",
    "indexNameCnAll": "科创板人工智能",
    "indexNameCn": "科创AI",
    "indexNameEnAll": "STAR AI",
    "indexNameEn": "STAR AI",
    "open": 1500.1,
    "high": 1533.2,
    "low": 1490.5,
    "close": 1530.3,
    "change": 30.2,
    "changePct": 2.01,
    "tradingVol": 9.5,
    "tradingValue": 512.3,
    "consNumber": 30,
    "peg": 110.2,
}
UNITS_SSE = {
    "NUM": "1",
    "SEC_CODE": "588790",
    "SEC_NAME": "科创智能",
    "ETF_TYPE": "单市场ETF",
    "STAT_DATE": "2025-08-20",
    "TOT_VOL": "701238.4",
}
ACCOUNT = {
    **dict.fromkeys(
        (
            "LOAN_SELL_AMT",
            "SECURITY_ORG_NUM",
            "OPERATEDEPT_NUM",
            "PERSONAL_INVESTOR_NUM",
            "ORG_INVESTOR_NUM",
            "INVESTOR_NUM",
            "MARGINLIAB_INVESTOR_NUM",
            "TOTAL_GUARANTEE",
            "AVG_GUARANTEE_RATIO",
        ),
        1.0,
    ),
    "STATISTICS_DATE": "2025-08-20 00:00:00",
    "FIN_BALANCE": 21055.5,
    "LOAN_BALANCE": 150.2,
    "FIN_BUY_AMT": 2590.1,
}


def klines(*lines: str) -> Reply:
    return Reply({"data": {"klines": list(lines)} if lines else None})


def nav(*rows: tuple[str, str]) -> Reply:
    listed = [
        {"FSRQ": day, "DWJZ": value, "LJJZ": value, "JZZZL": "0.1", "SGZT": "", "SHZT": ""}
        for day, value in rows
    ]
    return Reply({"Data": {"LSJZList": listed}, "TotalCount": len(listed)})


def splits(name: str, *rows: list[str]) -> Reply:
    data = json.dumps(list(rows), ensure_ascii=False)
    return Reply(f"var pageinfo = [1,50,1];var {name}_data={data};var {name}_jjgs=[];")


def akshare_answers() -> dict[str, Reply | Callable[[str], Reply]]:
    """Return what the sites behind AKShare answer, as its functions read them; the 19th is empty by list."""
    weights = ["日期", "样本代码", "样本简称", "所属行业", "总市值（亿元）", "权重（%）"]
    csi = [
        "日期",
        "指数代码",
        "指数名称",
        "英文",
        "成分券代码",
        "成分券名称",
        "英文名",
        "交易所",
        "英文所",
        "权重",
    ]
    none = workbook(["没有找到符合条件的数据！"], ["没有找到符合条件的数据！"])
    units = ["日期", "基金代码", "基金简称", "基金规模(份)"]
    return {
        **{
            f"secid={market}.{code}": klines(*KLINES[code]) for market, code in ((0, "159363"), (1, "588790"))
        },
        "secid=2.950180": klines("2025-08-20,1500.1,1530.3,1533.2,1490.5,95000000,51230000000.0,1"),
        "hisdata_klc2": Reply(HTML, 404),
        "STAT_DATE=2025-08-20": Reply({"result": [UNITS_SSE]}),
        "STAT_DATE=": Reply({"result": []}),
        "CATALOGID=scsj_fund_jjgm": workbook(
            units,
            ["2025-08-20", "159363", "创业板人工智能", "3,970,000,000"],
            ["2025-08-19", "159363", "创业板人工智能", "3,861,000,000"],
        ),
        "fundCode=159363": nav(("2025-08-20", "0.7291"), ("2025-08-19", "0.7041")),
        "fundCode=588790": nav(("2025-08-20", "0.6612")),
        "detailsDate=20250820": Reply({"result": [MARGIN_SSE]}),
        "detailsDate=": Reply({"result": []}),
        "txtDate=2025-08-20": workbook(
            MARGIN_SZSE,
            [
                "159363",
                "创业板人工智能",
                "41,300,000",
                "112,000,000",
                "0",
                "152,000",
                "110,808",
                "112,110,808",
            ],
        ),
        "txtDate=": none,
        "RPTA_WEB_MARGIN_DAILYTRADE": Reply({"result": {"pages": 1, "data": [ACCOUNT]}}),
        "indexCode=950180": Reply({"data": [CSINDEX]}),
        "indexCode=970070": Reply(
            {
                "data": {
                    "data": [
                        [
                            "2025-08-20",
                            None,
                            4131.4,
                            3979.0,
                            3902.1,
                            4113.42,
                            1,
                            "3.12%",
                            6.123e10,
                            1894000000,
                            None,
                        ]
                    ]
                }
            }
        ),
        "indexcode=970070": workbook(
            weights, ["2025-08-20", "300308", "中际旭创", "信息技术", 2350.1, 16.02]
        ),
        "950180closeweight": workbook(
            csi, ["20250820", "950180", "科创AI", "AI", "688256", "寒武纪", "C", "上海", "SSE", 12.5]
        ),
        "dt=9": splits("jjcf", ["159363", "x", "2025-07-18", "份额分拆", "2.0", ""]),
        "dt=8": splits("jjfh", ["588790", "x", "2025-08-19", "2025-08-20", "0.0120", "2025-08-25", ""]),
    }


DAILY = ["ts_code", "trade_date", "open", "high", "low", "close", "pre_close", "vol", "amount"]
DAILY_ROWS = {
    "159363.SZ": [
        ["159363.SZ", "20250820", 0.700, 0.731, 0.690, 0.729, 0.704, 5230000.0, 371800.0],
        ["159363.SZ", "20250819", 0.711, 0.719, 0.698, 0.704, 0.707, 4120000.0, 291500.0],
    ],
    "588790.SH": [
        ["588790.SH", "20250820", 0.645, 0.662, 0.640, 0.661, 0.648, 2500000.0, 163000.0],
        ["588790.SH", "20250819", 0.650, 0.655, 0.641, 0.648, 0.650, 2000000.0, 129600.0],
    ],
}


def items(fields: list[str], rows: list[list[object]]) -> Reply:
    return Reply({"code": 0, "msg": "", "data": {"fields": fields, "items": rows}})


def tushare_answers() -> dict[str, Reply | Callable[[str], Reply]]:
    return {
        "/fund_daily": lambda asked: items(
            DAILY, next(rows for fund, rows in DAILY_ROWS.items() if fund in asked)
        ),
        "/fund_share": lambda asked: items(
            ["ts_code", "trade_date", "fd_share"],
            [[fund, "20250820", 397000.0] for fund in DAILY_ROWS if fund in asked],
        ),
        "/": items(["ts_code", "trade_date"], []),
    }


def chart(ticker: str, first: float, *, last_first: bool = False, without: str = "") -> Reply:
    """Return Yahoo's answer about two sessions; the second closes a dollar higher."""
    values = {"open": first, "high": first + 0.5, "low": first - 0.5, "close": first, "volume": 1000}
    step = -1 if last_first else 1
    quote = {name: [value, value + 1][::step] for name, value in values.items() if name != without}
    times = [
        datetime(2025, 8, day, 9, 30, tzinfo=ZoneInfo("America/New_York")).timestamp() for day in (19, 20)
    ]
    period = {"timezone": "EDT", "start": 1755676800, "end": 1755734400, "gmtoffset": -14400}
    meta = {
        "currency": "USD",
        "symbol": ticker,
        "instrumentType": "ETF",
        "exchangeTimezoneName": "America/New_York",
        "regularMarketTime": 1755720000,
        "regularMarketPrice": first,
        "gmtoffset": -14400,
        "timezone": "EDT",
        "priceHint": 2,
        "dataGranularity": "1d",
        "validRanges": ["1d", "max"],
        "currentTradingPeriod": dict.fromkeys(("pre", "regular", "post"), period),
    }
    result = {
        "meta": meta,
        "timestamp": [int(time) for time in times][::step],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [first, first + 1][::step]}]},
    }
    return Reply({"chart": {"result": [result], "error": None}})


def yahoo_answers() -> dict[str, Reply | Callable[[str], Reply]]:
    return {
        "getcrumb": Reply("crumb"),
        "/chart/AIQ": chart("AIQ", 43.5),
        "/chart/BOTZ": chart("BOTZ", 31.5),
    }


ANSWERS = {"akshare": akshare_answers, "tushare": tushare_answers, "yfinance": yahoo_answers}
# Where the first fund's bars come from, so that only they break.
BARS_OF_FIRST = {"akshare": "secid=0.159363", "tushare": "159363.SZ", "yfinance": "/chart/AIQ"}
