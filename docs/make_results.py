"""Write the tables of ``docs/results.md``: what every built-in strategy did, and what its search was worth.

``python docs/make_results.py [MARKET_DATA]``, some minutes. MARKET_DATA is the folder of
``docs/real-data.md``; without it the table of real data stays as it is. What stands between
``<!-- NAME -->`` and ``<!-- end -->`` is made here, everything else is written by hand. The same code and
data give the same bytes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.errors import EtflowError
from data.load import load_panel
from data.panel.panel import Panel
from data.source import open_source
from data.words import number, percent
from engine import run, sweep, tune
from engine.counterfactuals.luck import luck_of
from engine.kernel.schedule import distinct_phases
from engine.metrics import sharpe_interval
from engine.strategy.adapters import adapt
from strategies import STRATEGIES

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("results.md")

# Of each strategy the two or three parameters that its idea turns on: few sets, around the defaults.
WINDOWS, TOP, BEAT = "lookback=5,10,20,40", "top=1,2,3", "rebalance=5,20"
SEARCHES: dict[str, tuple[str, ...]] = {
    "share_inflow": (WINDOWS, TOP),
    "leveraged_flow": (WINDOWS, TOP),
    "flow_blend": ("lookback=5,10,20", "z_window=40,60,120", "threshold=0,0.5"),
    "unexpected_flow": ("lookback=1,3,5,10", TOP),
    "flow_reversal": ("lookback=5,10", "long_lookback=40,60,120", "top=1,3"),
    "premium_reversal": ("lookback=1,5,10,20", TOP),
    "record_high": ("window=60,120,240", TOP, BEAT),
    "event": ("hold=5,10,20,40", TOP),
    "index_leader": ("lookback=20,60,120", TOP),
    "liquidity_leader": ("lookback=5,20,60", TOP),
    "optical_tilt": (TOP, "rebalance=5,10,20,40"),
    "compute_cycle": ("lookback=20,60,120", TOP),
    "resonance": ("lookback=5,10,20", "strength_lookback=20,60,120"),
    "blend": ("first_weight=1,2", "second_weight=0.5,1,2", "top=1,3"),
    "momentum": ("lookback=20,60,120", TOP),
    "dual_momentum": ("lookback=20,60,120", TOP),
}
ONLY_RUN = ("equal_weight", "buy_hold", "random")  # what the others are held against: nothing to search
HEAD = (
    *("strategy", "return a year", "Sharpe ratio, 95%", "drawdown", "costs a year", "turnover a year"),
    *("above random rotations", "Sharpe ratio by phase", "search", "verdict", "because"),
)


@dataclass(frozen=True)
class Market:
    """Where the strategies are tried: a panel from ``start`` on, held against ``benchmark``."""

    panel: Panel
    benchmark: str
    start: date


def demo() -> Market:
    """Return the demo market."""
    panel = load_panel(open_source("demo"), benchmark="DEMO-ALL")
    return Market(panel, "DEMO-ALL", common_start(panel))


def real(store: Path) -> Market:
    """Return the six funds of ``docs/real-data.md`` that have bars and daily units over years."""
    symbols = ("159995.SZ", "515050.SH", "159852.SZ", "588080.SH", "588050.SH", "159915.SZ")
    panel = load_panel(open_source(store), symbols, end=date(2025, 7, 4), benchmark="930713")
    return Market(panel, "930713", common_start(panel))


def common_start(panel: Panel) -> date:
    """Return the first day on which all strategies that run on ``panel`` at all can decide."""
    rows = []
    for name in (*SEARCHES, *ONLY_RUN):
        try:
            rows.append(adapt(STRATEGIES[name]()).first_session(panel))
        except EtflowError:
            continue
    return panel.days[max(rows)].item()  # type: ignore[no-any-return]


def table_of(market: Market) -> str:
    """Return the table of a market: all searches first, so that no other look counts against them."""
    judged = {name: search(name, words, market) for name, words in SEARCHES.items()}
    rows = [
        (name, *measured(name, market, *judged.get(name, ("", "", "")))) for name in (*SEARCHES, *ONLY_RUN)
    ]
    lines = [HEAD, ["---"] * len(HEAD), *((f"`{row[0]}`", *row[1:]) for row in rows)]
    said = [row[-2].strip("*") for row in rows if row[0] in SEARCHES]
    words = ", ".join(f"{said.count(word)} {word}" for word in sorted(set(said)))
    first, last = market.start, market.panel.days[-1]
    return (
        f"{first} to {last}, {len(market.panel.symbols)} funds, benchmark {market.benchmark}. "
        f"Of {len(said)} strategies with a search: {words}.\n\n"
        + "".join(f"| {' | '.join(line)} |\n" for line in lines)
    )


def search(name: str, words: Sequence[str], market: Market) -> tuple[str, str, str]:
    """Return of a judged search: its space, the word, and the first reason for it."""
    space = "; ".join(words)
    with tempfile.TemporaryDirectory() as out:
        try:
            tuned = tune(
                STRATEGIES[name](),
                market.panel,
                words,
                start=market.start,
                benchmark=market.benchmark,
                out=out,
            )
        except EtflowError:
            return space, "", ""
    if tuned.report is None:
        return space, "none", "no set is feasible"
    verdict = tuned.report.verdict
    return space, verdict.word, verdict.reasons[0]


def measured(name: str, market: Market, space: str, word: str, why: str) -> Sequence[str]:
    """Return the cells of a strategy at its defaults, and what was said of its search."""
    strategy = STRATEGIES[name]()
    given: dict[str, Any] = {"start": market.start, "benchmark": market.benchmark}
    try:
        found = run(strategy, market.panel, **given, engine="batch")
    except EtflowError as error:
        return (*["n/a"] * 7, space, "cannot run", str(error).split(";")[0])
    metrics, interval = found.metrics, sharpe_interval(found)
    years = len(found.days) / found.sessions_per_year
    luck = luck_of(found, market.panel, found.job.conditions) if found.job else None
    paid = float(found.fills[["commission", "fee", "slippage"]].to_numpy(float).sum())
    return (
        percent(metrics["annual_return"], 1),
        number(metrics["sharpe_ratio"])
        + (f" ({number(interval[0])} to {number(interval[1])})" if interval else ""),
        percent(metrics["max_drawdown"], 1),
        percent(paid / float(found.equity.mean()) / years),
        number(metrics["turnover"], 1),
        "n/a" if luck is None else percent(luck.beaten, 0),
        by_phase(strategy, market, given),
        space or "none",
        f"**{word}**" if word else "none",
        why or "nothing to search",
    )


def by_phase(strategy: Any, market: Market, given: dict[str, Any]) -> str:
    """Return between which Sharpe ratios the phases of the cycle lie."""
    phases = distinct_phases(strategy.rebalance, strategy.tranches)
    if phases is None or phases < 2:
        return "n/a"
    ratios = sweep(strategy, market.panel, {"phase": range(phases)}, **given)["sharpe_ratio"]
    return f"{number(ratios.min())} to {number(ratios.max())}"


def make_page(page: str, tables: dict[str, str]) -> str:
    """Return the page with ``tables`` in their places."""
    for name, made in tables.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        page = re.sub(f"({begin}).*?({end})", lambda at, made=made: at[1] + made + at[2], page, flags=re.S)
    return page


def main(words: Iterable[str]) -> None:
    """Make the tables anew, on a record that nobody has looked at anything before."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ETFLOW_STATE"] = str(Path(folder) / "state")
        tables = {"demo": table_of(demo())}
        for market_data in words:
            store = Path(folder) / "china"
            tidy = Path(market_data).resolve() / "tidy-cn"
            subprocess.run(
                [sys.executable, ROOT / "run_backtest.py", "data", "import", tidy, "--data", store],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            tables["real"] = table_of(real(store))
    PAGE.write_text(make_page(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:2])
