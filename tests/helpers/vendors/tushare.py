"""Stands in for Tushare 1.4: ``pro_api`` with the functions we ask, on payloads made up by hand.

Answers come newest first, and only the newest ``ROWS`` of them. ``CALLS`` and ``TROUBLE`` are as in the
stand-in for AKShare. Functions that the environment variable REFUSED names are refused, telling the token;
those that HANGING names do not answer for a minute.
"""

from __future__ import annotations

import os
import time
from io import StringIO

import pandas as pd

__version__ = "1.4.29"
CALLS: list[tuple[str, dict[str, str]]] = []
TROUBLE: dict[str, list[Exception]] = {}
ROWS = 2000

# Function -> the column of the code, the column of the day, and what it answers.
ANSWERS = {
    "fund_daily": (
        "ts_code",
        "trade_date",
        """
ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount
159363.SZ,20250820,0.700,0.731,0.690,0.729,0.704,0.025,3.5511,5230000.00,371800.000
159363.SZ,20250819,0.711,0.719,0.698,0.704,0.707,-0.003,-0.4243,4120000.00,291500.000
588790.SH,20250820,0.645,0.662,0.640,0.661,0.648,0.013,2.0062,2500000.00,163000.000
""",
    ),
    "fund_share": (
        "ts_code",
        "trade_date",
        """
ts_code,trade_date,fd_share
159363.SZ,20250820,397000.00
159363.SZ,20250819,386100.00
588790.SH,20250820,701238.40
""",
    ),
    "etf_share_size": (
        "ts_code",
        "trade_date",
        """
trade_date,ts_code,etf_name,total_share,total_size,nav,close,exchange
20250820,159363.SZ,创业板人工智能ETF华宝,397000.00,289452.70,0.7291,0.7290,SZSE
20250819,159363.SZ,创业板人工智能ETF华宝,386100.00,271853.01,0.7041,0.7040,SZSE
""",
    ),
    "fund_nav": (
        "ts_code",
        "nav_date",
        """
ts_code,ann_date,nav_date,unit_nav,accum_nav,accum_div,net_asset,total_netasset,adj_nav
159363.SZ,20250822,20250820,0.7295,1.4590,,,2896115000.00,1.4590
159363.SZ,20250821,20250820,0.7291,1.4582,,,2894527000.00,1.4582
159363.SZ,20250820,20250819,0.7041,1.4082,,,2718530100.00,1.4082
""",
    ),
    "margin_detail": (
        "ts_code",
        "trade_date",
        """
trade_date,ts_code,name,rzye,rqye,rzmre,rqyl,rzche,rqchl,rqmcl,rzrqye
20250820,159363.SZ,创业板人工智能ETF华宝,112000000,110808,41300000,152000,27786000,0,0,112110808
20250819,159363.SZ,创业板人工智能ETF华宝,98486000,107008,30150000,152000,18400000,0,0,98593008
20250820,588790.SH,科创智能,231500000,0,48200000,0,39100000,0,0,231500000
""",
    ),
    "index_daily": (
        "ts_code",
        "trade_date",
        """
ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount
970070.CNI,20250820,4113.42,3979.00,4131.40,3902.10,3989.00,124.42,3.12,18940000,61230000.0
950180.CSI,20250820,1530.3,1500.1,1533.2,1490.5,1500.1,30.2,2.01,950000,51230000.0
""",
    ),
    "index_weight": (
        "index_code",
        "trade_date",
        """
index_code,con_code,trade_date,weight
970070.CNI,300308.SZ,20250820,16.02
950180.CSI,688256.SH,20250820,12.5
""",
    ),
}


class _Api:
    def __init__(self, token: str) -> None:
        self.token = token

    def __getattr__(self, function: str):
        def ask(fields: str = "", **arguments: str) -> pd.DataFrame:
            CALLS.append((function, arguments))
            print("printed by the vendor")
            if function in os.environ.get("REFUSED", "").split(","):
                raise Exception(f"抱歉，您没有访问该接口的权限 ({self.token})")
            if function in os.environ.get("HANGING", "").split(","):
                time.sleep(60)
            if TROUBLE.get(function):
                raise TROUBLE[function].pop(0)
            code, day, text = ANSWERS[function]
            frame = pd.read_csv(StringIO(text.strip()), dtype=dict.fromkeys((code, day, "ann_date"), str))
            mine = frame[code] == arguments[code]
            inside = (frame[day] >= arguments["start_date"]) & (frame[day] <= arguments["end_date"])
            found = frame[mine & inside].head(ROWS).reset_index(drop=True)
            return found[fields.split(",")] if fields else found

        return ask


def pro_api(token: str = "", timeout: int = 30) -> _Api:
    return _Api(token)
