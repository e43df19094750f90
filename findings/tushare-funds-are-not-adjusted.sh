#!/bin/sh
# Asked for forward-adjusted prices of an ETF, tushare answers those that were paid, with the split in them.
#
# tushare 1.4.29, `pro_bar(ts_code, asset="FD", adj="qfq")`, whose documentation names stocks, ETFs and funds in one
# breath and adj for all. In the branch for funds adj is not read: fund_daily is asked and nothing else, neither
# adj_factor nor fund_adj. No word of it. Of a fund that is split into two and does not move otherwise:
#
# - asset="FD": 2.000, then 1.000 for adj=None, "qfq" and "hfq", a loss of a half which momentum takes for one;
# - asset="E", the same rows given as those of a stock, with its factors: 1.000 on both days by "qfq".
#
# Asked as it should be, "E" and without adj, it does something too: pre_close is the close of the day before, so that
# pct_chg is -50 % where the exchange, whose pre_close comes in the answer and is written over, says 0.
#
# The server is played by an object with the answers in its form, as `api` allows. Besides, tushare needs six and does
# not ask for it: beside python-dateutil 4, which does no longer either, `import tushare` fails until it is
# installed. Fund factors are in fund_adj; multiply by hand. Fails if any of this changes. Needs Python 3.11 or later
# with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tushare==1.4.29 pandas==3.1.1 numpy==2.4.6 python-dateutil==4.0.0
cd "$folder"
without=$("$folder/venv/bin/python" -W ignore -c 'import tushare' 2>&1 | tail -n 1)
echo "import tushare: $without"
test "$without" = "ModuleNotFoundError: No module named 'six'"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check six==1.17.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import pandas as pd
import tushare

DAYS = ["20250721", "20250718"]  # newest first, as the server sends them; the split is of the later day


class Server:
    def __init__(self):
        self.asked = []

    def _bars(self, name):
        self.asked.append(name)
        prices = dict.fromkeys(("open", "high", "low", "close"), [1.0, 2.0])
        return pd.DataFrame(
            {"ts_code": "159363.SZ", "trade_date": DAYS, **prices, "pre_close": [1.0, 2.0], "change": 0.0,
             "pct_chg": 0.0, "vol": 1e6, "amount": 1e6}
        )  # fmt: skip

    def fund_daily(self, **_):
        return self._bars("fund_daily")

    def daily(self, **_):
        return self._bars("daily")

    def adj_factor(self, **_):
        self.asked.append("adj_factor")
        return pd.DataFrame({"trade_date": DAYS, "adj_factor": [2.0, 1.0]})

    def fund_adj(self, **_):
        self.asked.append("fund_adj")
        return pd.DataFrame({"trade_date": DAYS, "adj_factor": [2.0, 1.0]})


def answered(asset, adj):
    server = Server()
    bars = tushare.pro_bar("159363.SZ", api=server, start_date=DAYS[1], end_date=DAYS[0], asset=asset, adj=adj)
    return bars["close"].tolist()[::-1], float(bars["pct_chg"].iloc[0]), server.asked


EXPECTED = {
    ("FD", None): ([2.0, 1.0], 0.0, ["fund_daily"]),
    ("FD", "qfq"): ([2.0, 1.0], 0.0, ["fund_daily"]),
    ("FD", "hfq"): ([2.0, 1.0], 0.0, ["fund_daily"]),
    ("E", "qfq"): ([1.0, 1.0], 0.0, ["daily", "adj_factor"]),
    ("E", None): ([2.0, 1.0], -50.0, ["daily"]),
}
for (asset, adj), expected in EXPECTED.items():
    found = answered(asset, adj)
    print(f"asset={asset!r}, adj={adj!r}: closes {found[0]}, pct_chg {found[1]:g}, asked {found[2]}")
    assert found == expected, found
PYTHON
