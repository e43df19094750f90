"""The files that the disturbed commands read: a part of the demo market, what comes later, and words."""

from __future__ import annotations

from pathlib import Path

SYMBOLS = "157001.SZ", "157003.SZ", "157005.SZ", "157021.SZ", "586012.SH", "586031.SH"
LAST = {"first": "2024-10-31", "more": "2024-11-29"}
# A fund whose split ships with etflow, before and after it.
SPLIT = ("159363.SZ", {"2025-07-17": 1.4, "2025-07-18": 1.41, "2025-07-21": 0.705, "2025-07-22": 0.71})

NOTICE = """关于2027年部分节假日休市安排的通知
(一)元旦:1月1日(星期五)至1月3日(星期日)休市,1月4日(星期一)起照常开市。
(二)春节:2月5日(星期五)至2月11日(星期四)休市,2月12日(星期五)起照常开市。另外,2月14日(星期日)为周末休市。
(三)清明节:4月3日(星期六)至4月5日(星期一)休市,4月6日(星期二)起照常开市。
(四)劳动节:5月1日(星期六)至5月5日(星期三)休市,5月6日(星期四)起照常开市。
(五)端午节:6月9日(星期三)休市,6月10日(星期四)起照常开市。
(六)中秋节:9月15日(星期三)休市,9月16日(星期四)起照常开市。
(七)国庆节:10月1日(星期五)至10月7日(星期四)休市,10月8日(星期五)起照常开市。
上海证券交易所
2026年12月21日
"""

IDEA = '''"""The highest volume of yesterday."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Idea:
    top: int = 2

    @property
    def warmup(self):
        return 2

    def target_weights(self, known):
        import numpy as np

        weights = np.full(known.volume.shape, np.nan)
        for row in range(2, len(weights), 10):
            weights[row] = 0.0
            best = np.argsort(-np.nan_to_num(known.volume[row]), kind="stable")[: self.top]
            weights[row, best] = 1.0 / self.top
        return weights
'''


def make_files(folder: Path) -> None:
    """Write the files that are imported: a part of the demo market, the month after it, and a revision."""
    import pandas as pd

    from data.demo import Demo

    for name, first, last in (("first", "2024-01-02", LAST["first"]), ("more", "2024-11-01", LAST["more"])):
        for table in ("bars", "units", "nav", "margin", "actions"):
            frame = Demo().read(table, None if table == "margin" else SYMBOLS)
            if table == "margin":
                frame = frame[frame["symbol"].isin([*SYMBOLS, "CN"])]
            day = "ex_day" if table == "actions" else "day"
            frame = frame[frame[day].between(pd.Timestamp(first), pd.Timestamp(last))].drop(columns="source")
            (folder / name).mkdir(parents=True, exist_ok=True)
            if len(frame):
                frame.to_csv(folder / name / f"{table}.csv", index=False)
    (folder / "revised").mkdir()
    units = pd.read_csv(folder / "first" / "units.csv")
    units.loc[100, "units"] *= 2
    units.to_csv(folder / "revised" / "units.csv", index=False)


def make_more_files(folder: Path) -> None:
    """Write what other commands read: funds and indices, a fund with a split, a notice, a strategy."""
    import pandas as pd

    from data.demo import Demo

    (folder / "facts").mkdir()
    funds = Demo().read("funds", SYMBOLS).drop(columns=["source", "known_at"])
    funds.to_csv(folder / "facts" / "funds.csv", index=False)
    for table in ("index_weights", "index_bars"):
        frame = Demo().read(table)
        frame = frame[frame["day"].between(pd.Timestamp("2024-01-02"), pd.Timestamp(LAST["first"]))]
        frame.drop(columns="source").to_csv(folder / "facts" / f"{table}.csv", index=False)
    (folder / "split").mkdir()
    symbol, prices = SPLIT
    bars = pd.DataFrame({"symbol": symbol, "day": prices.keys(), "close": prices.values()})
    bars = bars.assign(open=bars["close"], high=bars["close"] + 0.002, low=bars["close"] - 0.002, volume=1e6)
    bars.assign(amount=bars["volume"] * bars["close"]).to_csv(folder / "split" / "bars.csv", index=False)
    (folder / "notice.txt").write_text(NOTICE, encoding="utf-8")
    (folder / "idea.py").write_text(IDEA, encoding="utf-8")
