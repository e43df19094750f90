"""Stands in for AKShare 1.19: its functions and the ways they fail, on payloads made up by hand.

``CALLS`` records what was called; ``TROUBLE[function]`` is a list of exceptions, raised one a call.
``SPLITS`` and ``DIVIDENDS`` are what the stand-in for requests answers.
"""

from __future__ import annotations

from io import StringIO

import pandas as pd

__version__ = "1.19.5"
CALLS: list[tuple[str, dict[str, str]]] = []
TROUBLE: dict[str, list[Exception]] = {}

BARS = {
    "159363": """
日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率
2025-08-19,0.711,0.704,0.719,0.698,4120000,291500000.0,2.97,-0.42,-0.003,10.67
2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17
""",
    "588790": """
日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率
2025-08-19,0.650,0.648,0.655,0.641,2000000,129600000.0,2.15,-0.31,-0.002,2.85
2025-08-20,0.645,0.661,0.662,0.640,2500000,163000000.0,3.39,2.01,0.013,3.57
""",
}
SINA = """
date,open,high,low,close,volume
2025-08-18,0.700,0.712,0.699,0.707,398000000
2025-08-19,0.711,0.719,0.698,0.704,412000000
2025-08-20,0.700,0.731,0.690,0.729,523000000
"""
SCALE_SSE = """
序号,基金代码,基金简称,ETF类型,统计日期,基金份额
1,588790,科创智能,单市场ETF,2025-08-20,7012384000.0
2,515880,通信ETF,跨市场ETF,2025-08-20,3015000000.0
"""
SCALE_SZSE = """
日期,基金代码,基金简称,基金份额
2025-08-18,159363,创业板人工智能ETF华宝,3811000000
2025-08-19,159363,创业板人工智能ETF华宝,3861000000
2025-08-20,159363,创业板人工智能ETF华宝,3970000000
2025-08-20,159381,创业板人工智能ETF华夏,180000000
"""
NAV = """
净值日期,单位净值,累计净值,日增长率,申购状态,赎回状态
2025-08-19,0.7041,1.4082,-0.41,场内交易,场内交易
2025-08-20,0.7291,1.4582,3.55,场内交易,场内交易
"""
MARGIN_SSE = """
信用交易日期,标的证券代码,标的证券简称,融资余额,融资买入额,融资偿还额,融券余量,融券卖出量,融券偿还量
20250820,600519,贵州茅台,9000000000,100000000,90000000,1000,0,0
20250820,588790,科创智能,231500000,48200000,39100000,1250000,30000,12000
"""
MARGIN_SZSE = """
证券代码,证券简称,融资买入额,融资余额,融券卖出量,融券余量,融券余额,融资融券余额
159363,创业板人工智能ETF华宝,41300000,112000000,0,152000,110808,112110808
159819,人工智能ETF易方达,52200000,655000000,10000,4100000,4702700,659702700
"""
MARGIN_MARKET = """
日期,融资余额,融券余额,融资买入额,融券卖出额,平均维持担保比例
2025-08-20,21055.5,150.2,2590.1,10.3,282.5
"""
INDEX = """
日期,指数代码,指数中文全称,指数中文简称,指数英文全称,指数英文简称,开盘,最高,最低,收盘,涨跌,涨跌幅,成交量,成交金额,样本数量,滚动市盈率
2025-08-20,950180,科创板人工智能,科创AI,STAR AI,AI,1500.1,1533.2,1490.5,1530.3,30.2,2.01,9.5,512.3,30,110.2
"""
INDEX_EM = """
date,open,close,high,low,volume,amount
2025-08-20,1500.1,1530.3,1533.2,1490.5,95000000,51230000000.0
"""
INDEX_CNI = """
日期,开盘价,最高价,最低价,收盘价,涨跌幅,成交量,成交额
2025-08-20,3979.00,4131.40,3902.10,4113.42,0.0312,1894000000,61230000000
"""
WEIGHTS = """
日期,指数代码,指数名称,指数英文名称,成分券代码,成分券名称,成分券英文名称,交易所,交易所英文名称,权重
2025-08-20,950180,科创AI,STAR AI,688256,寒武纪,Cambricon,上海证券交易所,SSE,12.5
"""
WEIGHTS_CNI = """
日期,样本代码,样本简称,所属行业,总市值,权重
2025-07-31,300308,中际旭创,信息技术,2350.12,15.89
2025-08-20,300308,中际旭创,信息技术,2350.12,16.02
"""
SPLITS = """
序号,基金代码,基金简称,拆分折算日,拆分类型,拆分折算
1,000001,场外基金,2026-12-31,份额分拆,1.5
2,159363,创业板人工智能ETF华宝,2025-07-18,份额分拆,2.0
3,588790,科创AIETF博时,2025-03-18,份额分拆,2.0
"""
DIVIDENDS = """
序号,基金代码,基金简称,权益登记日,除息日期,分红,分红发放日
1,588790,科创AIETF博时,2025-08-19,2025-08-20,0.012,2025-08-25
"""


def _frame(text: str, days: tuple[str, ...] = ()) -> pd.DataFrame:
    frame = pd.read_csv(StringIO(text.strip()), dtype=str)
    for name in frame.columns:
        if name in days:
            frame[name] = pd.to_datetime(frame[name]).dt.date
        elif "代码" not in name and name not in ("序号", "信用交易日期", "date"):
            numbers = pd.to_numeric(frame[name], errors="coerce")
            frame[name] = numbers if numbers.notna().all() else frame[name]
    return frame


def _called(function: str, **arguments: str) -> None:
    CALLS.append((function, arguments))
    print(f"{function}: printed by the vendor")
    if TROUBLE.get(function):
        raise TROUBLE[function].pop(0)


def _between(frame: pd.DataFrame, column: str, start: str, end: str) -> pd.DataFrame:
    days = pd.to_datetime(frame[column])
    return frame[(days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end))].reset_index(drop=True)


def fund_etf_hist_em(symbol, period="daily", start_date="19700101", end_date="20500101", adjust=""):
    _called("fund_etf_hist_em", symbol=symbol, start_date=start_date, end_date=end_date, adjust=adjust)
    if symbol not in BARS:
        return pd.DataFrame()
    found = _between(_frame(BARS[symbol]), "日期", start_date, end_date)
    return found if len(found) else pd.DataFrame()


def fund_etf_hist_sina(symbol="sh510050"):
    _called("fund_etf_hist_sina", symbol=symbol)
    if symbol != "sz159363":
        raise IndexError("list index out of range")
    return _frame(SINA, ("date",))


def fund_etf_scale_sse(date="20250115"):
    _called("fund_etf_scale_sse", date=date)
    if date != "20250820":
        return pd.DataFrame([])[["序号", "基金代码"]]
    return _frame(SCALE_SSE, ("统计日期",))


def fund_scale_daily_szse(start_date="20260401", end_date="20260401", symbol="ETF"):
    _called("fund_scale_daily_szse", start_date=start_date, end_date=end_date, symbol=symbol)
    return _between(_frame(SCALE_SZSE, ("日期",)), "日期", start_date, end_date)


def fund_etf_fund_info_em(fund="511280", start_date="20000101", end_date="20500101"):
    _called("fund_etf_fund_info_em", fund=fund, start_date=start_date, end_date=end_date)
    if fund != "159363":
        raise ValueError("No objects to concatenate")
    return _between(_frame(NAV, ("净值日期",)), "净值日期", start_date, end_date)


def stock_margin_detail_sse(date="20230922"):
    _called("stock_margin_detail_sse", date=date)
    if date != "20250820":
        raise ValueError("Length mismatch: Expected axis has 0 elements, new values have 13 elements")
    return _frame(MARGIN_SSE)


def stock_margin_detail_szse(date="20230925"):
    _called("stock_margin_detail_szse", date=date)
    if date != "20250820":
        raise ValueError("Length mismatch: Expected axis has 1 elements, new values have 8 elements")
    return _frame(MARGIN_SZSE)


def stock_margin_account_info():
    _called("stock_margin_account_info")
    return _frame(MARGIN_MARKET, ("日期",))


def stock_zh_index_hist_csindex(symbol="000928", start_date="20180526", end_date="20240604"):
    _called("stock_zh_index_hist_csindex", symbol=symbol, start_date=start_date, end_date=end_date)
    return _between(_frame(INDEX, ("日期",)), "日期", start_date, end_date)


def stock_zh_index_daily_em(symbol="csi931151", start_date="19900101", end_date="20500101"):
    _called("stock_zh_index_daily_em", symbol=symbol, start_date=start_date, end_date=end_date)
    if symbol != "csi950180":
        raise TypeError("'NoneType' object is not subscriptable")
    return _between(_frame(INDEX_EM), "date", start_date, end_date)


def index_hist_cni(symbol="399001", start_date="20230114", end_date="20240114"):
    _called("index_hist_cni", symbol=symbol, start_date=start_date, end_date=end_date)
    return _between(_frame(INDEX_CNI, ("日期",)), "日期", start_date, end_date)


def index_stock_cons_weight_csindex(symbol="000300"):
    _called("index_stock_cons_weight_csindex", symbol=symbol)
    return _frame(WEIGHTS, ("日期",))


def index_detail_cni(symbol="399001"):
    _called("index_detail_cni", symbol=symbol)
    return _frame(WEIGHTS_CNI)
