"""The same target weights through other engines, one rule at a time: ``python -m benchmarks.engines``.

Etflow follows a file of target weights, and so do bt, vectorbt, akquant and backtrader's own broker, on one
market: first under rules that all of them have, where equity must agree to 1e-9, then with one rule more at
a time (``RULES``). What differs must have a reason (``benchmarks.engine_reasons``): the exit code is 1 where
one is missing, or on the demo market is no longer needed. Prints two tables; ``--write`` puts them into
``docs/engines.md``. ``--data STORE`` takes the funds of a store that are listed throughout, or since
``--start``.

The demo market with dividends and splits worked into its prices, and a price in every session, is the common
ground. ``make bench-engines`` installs what is needed.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import engine_peers
from benchmarks.engine_peers import Case, Floats
from benchmarks.engine_reasons import REASONS
from data.load import load_panel
from data.panel.panel import Panel
from data.source import open_source
from engine import run
from engine.kernel.costs import Costs
from strategies import STRATEGIES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "engines.md"
ENGINES = ("bt", "vectorbt", "akquant", "backtrader")
EQUAL = 1e-9
LOOKBACK, TOP, EVERY = 20, 3, 5
# So much money that a whole share is a fraction of nothing.
FRACTIONS, PURSE, SMALL_PURSE, LARGE_PURSE = 1e13, 1e6, 1e5, 1e8
PRICES = ("open", "high", "low", "close")


# --- Markets ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Markets:
    """A panel as markets of one difficulty more or less."""

    panel: Panel
    first: int = 0  # row of the panel with which they begin

    @property
    def columns(self) -> list[int]:
        """The funds that are listed, and have a price, throughout."""
        priced = self._array("listed") & np.isfinite(self._array("mark"))
        return np.flatnonzero(priced.all(axis=0)).tolist()

    def _array(self, name: str) -> Floats:
        return getattr(self.panel.market, name)[self.first :]

    def case(
        self,
        *,
        gaps: bool = True,
        halts: bool = False,
        raw: bool = False,
        volumes: bool = False,
        columns: list[int] | None = None,
    ) -> Case:
        """Return target weights on a market in fractions of shares, without costs.

        ``gaps``: sessions open where they do, not at the reference price. ``halts``: a halted fund has no
        volume; else it trades at its mark. ``raw``: prices as they were paid, with dividends and splits.
        """
        wanted = self.columns if columns is None else columns
        traded, listed = self._array("traded")[:, wanted], self._array("listed")[:, wanted]
        factor, mark = self._array("adjustment")[:, wanted], self._array("mark")[:, wanted]
        bars = {name: np.where(listed & ~traded, mark, self._array(name)[:, wanted]) for name in PRICES}
        if not gaps:
            reference = self._array("reference")[:, wanted]
            bars["open"] = np.where(np.isfinite(reference), reference, bars["open"])
        adjusted = {name: values * factor for name, values in bars.items()}
        weights = weights_of(adjusted["close"])
        bars = bars if raw else adjusted
        bars["high"] = np.maximum(bars["high"], bars["open"])
        bars["low"] = np.minimum(bars["low"], bars["open"])
        volume = self._array("volume")[:, wanted] / factor if volumes else np.where(listed, 1e18, np.nan)
        bars["volume"] = np.where(listed & ~traded, 0.0, volume) if halts else volume
        symbols = tuple(self.panel.symbols[column] for column in wanted)
        actions = tuple(
            each
            for each in self.panel.ingredients.actions
            if raw and each.symbol in symbols and each.kind in ("split", "dividend")
            if self.panel.days[self.first] < np.datetime64(each.ex_day) <= self.panel.days[-1]
        )
        return Case(self.panel.days[self.first :], symbols, bars, weights, FRACTIONS, actions=actions)


def weights_of(close: Floats) -> dict[int, Floats]:
    """Return 0.3 for each of the three that rose most in twenty sessions, decided every five."""
    found = {}
    for row in range(LOOKBACK + 1, len(close), EVERY):
        rise = close[row - 1] / close[row - 1 - LOOKBACK]
        best = np.argsort(-np.where(np.isfinite(rise), rise, -np.inf), kind="stable")[:TOP]
        weights = np.zeros(close.shape[1])
        weights[best[np.isfinite(rise[best])]] = 0.3
        found[row] = weights
    return found


# --- Rules ------------------------------------------------------------------------------------------------
def common(markets: Markets) -> Case:
    return markets.case(gaps=False)


def gaps(markets: Markets) -> Case:
    return markets.case()


def at_close(markets: Markets) -> Case:
    return replace(markets.case(), fill="close")


def invested(markets: Markets) -> Case:
    case = markets.case()
    return replace(case, weights={row: weights / 0.9 for row, weights in case.weights.items()})


def lots(markets: Markets) -> Case:
    return replace(markets.case(gaps=False), cash=PURSE, lot=100)


def commission(markets: Markets) -> Case:
    return replace(markets.case(gaps=False), commission_rate=0.00025)


def least_commission(markets: Markets) -> Case:
    return replace(lots(markets), cash=SMALL_PURSE, commission_rate=0.00025, commission_min=5.0)


def slippage(markets: Markets) -> Case:
    return replace(markets.case(gaps=False), slippage_rate=0.0005)


def volume(markets: Markets) -> Case:
    return replace(markets.case(gaps=False, volumes=True), cash=LARGE_PURSE, lot=100, participation_rate=0.1)


def halts(markets: Markets) -> Case:
    return markets.case(gaps=False, halts=True)


def limits(markets: Markets) -> Case:
    return replace(markets.case(), fill="close", price_limit=0.05)


def actions(markets: Markets) -> Case:
    return markets.case(gaps=False, raw=True)


def late(markets: Markets) -> Case:
    listed = markets.panel.market.listed[-1]
    return markets.case(gaps=False, columns=np.flatnonzero(listed).tolist())


# The one rule under which equity is held against ours at the closes of all sessions.
EVERYWHERE = "everywhere"
RULES: Mapping[str, tuple[str, Callable[[Markets], Case]]] = {
    EVERYWHERE: ("common ground: shares in fractions, 90% invested, no costs, no gap at the open", common),
    "common": ("the same, at closes of sessions without orders, as all that follow", common),
    "gaps": ("sessions that open above or below the close before", gaps),
    "close": ("gaps, filled at the close", at_close),
    "invested": ("gaps, 100% invested", invested),
    "lots": ("common ground, in lots of 100", lots),
    "commission": ("common ground, commission 0.025%", commission),
    "least": ("lots, a commission of 5 at least, in a small account", least_commission),
    "slippage": ("common ground, slippage 0.05%", slippage),
    "volume": ("lots, a tenth of the volume at most, in a large account", volume),
    "halts": ("common ground, with halts", halts),
    "limits": ("gaps, filled at the close, with a price limit of 5%", limits),
    "actions": ("common ground on prices as they were paid, with dividends and splits", actions),
    "late": ("common ground, with funds that are listed later", late),
}


# --- To compare -------------------------------------------------------------------------------------------
def etflow(case: Case) -> Floats:
    """Return our equity at every close, (D,), by way of a file of target weights."""
    panel = Panel.from_events(
        case.days,
        case.symbols,
        bars=case.bars,
        actions=case.actions,
        lot=case.lot or 1,
        tick=1e-6,
        price_limit=case.price_limit,
    )
    costs = Costs(
        commission_rate=case.commission_rate,
        commission_min=case.commission_min,
        commission_tick=0.0,
        slippage_rate=case.slippage_rate,
        participation_rate=case.participation_rate,
    )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ETFLOW_STATE"] = folder
        file = Path(folder) / "weights.csv"
        lines = [
            f"{case.days[row]},{symbol},{weight}"
            for row, weights in case.weights.items()
            for symbol, weight in zip(case.symbols, weights.tolist(), strict=True)
            if weight > 0.0 or not weights.any()
        ]
        file.write_text("\n".join(["day,symbol,weight", *lines, ""]), encoding="utf-8")
        strategy = STRATEGIES["weights"](file=str(file))
        result = run(strategy, panel, cash=case.cash, costs=costs, reserve=0.0, fill=case.fill)
    return np.concatenate([np.full(len(case.days) - len(result.equity), case.cash), result.equity])


def difference(case: Case, ours: Floats, engine: str, *, everywhere: bool) -> float | str:
    """Return by how much an engine's equity differs at most, at any close; what it says where it has none.

    ``everywhere``: or only at those of sessions on which nothing is ordered.
    """
    try:
        theirs = getattr(engine_peers, engine)(case)
    except Exception as error:
        return f"{type(error).__name__}: {error}".split("\n")[0]
    unknown = ~np.isfinite(theirs)
    if unknown.any():
        return f"no equity on {int(unknown.sum()):,} of {len(theirs):,} sessions"
    differs = np.abs(theirs / ours - 1.0)
    return float(differs.max() if everywhere else np.delete(differs, list(case.weights)).max())


def compared(markets: Markets) -> dict[tuple[str, str], float | str]:
    """Return the difference of every engine under every rule."""
    found = {}
    for rule, (words, make) in RULES.items():
        case = make(markets)
        ours = etflow(case)
        for engine in ENGINES:
            found[rule, engine] = difference(case, ours, engine, everywhere=rule == EVERYWHERE)
        print(words, *(text_of(found[rule, engine]) for engine in ENGINES), sep=" | ", file=sys.stderr)
    return found


def text_of(difference: float | str) -> str:
    if isinstance(difference, str):
        return difference
    return "equal" if difference <= EQUAL else f"{difference:.1e}"


# --- What comes out ---------------------------------------------------------------------------------------
def named(engine: str) -> str:
    return f"{engine} {version(engine)}"


def overview(found: Mapping[tuple[str, str], float | str]) -> str:
    """Return the table of all differences."""
    rows = [["rule", *(named(engine) for engine in ENGINES)], ["---"] * (1 + len(ENGINES))]
    for rule, (words, _) in RULES.items():
        rows.append([words, *(text_of(found[rule, engine]) for engine in ENGINES)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def explained(found: Mapping[tuple[str, str], float | str]) -> str:
    """Return a row for each difference: what, whose, how large, why, and what etflow does."""
    rows = [["rule", "engine", "difference", "why", "etflow"], ["---"] * 5]
    for (rule, engine), (why, ours) in REASONS.items():
        rows.append([RULES[rule][0], named(engine), text_of(found[rule, engine]), why, ours])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    words.add_argument("--data", default="demo", help="demo, or the folder of a store")
    words.add_argument("--symbols", help="some of its funds, by comma; all")
    words.add_argument("--start", metavar="DAY", help="first day; that of the data")
    words.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    given = words.parse_args()
    symbols = given.symbols.split(",") if given.symbols else None
    logging.disable(logging.WARNING)  # akquant writes a line for each order
    panel = load_panel(open_source(given.data), symbols or ())
    markets = Markets(panel, int(np.searchsorted(panel.days, np.datetime64(given.start or panel.days[0]))))
    found = compared(markets)
    tables = {"overview": overview(found), "differences": explained(found)}
    print(*tables.values(), sep="\n")
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        for name, table in tables.items():
            begin, end = f"<!-- {name} -->\n", "<!-- end -->"
            page = re.sub(f"({begin}).*?({end})", lambda at, t=table: at[1] + t + at[2], page, flags=re.S)
        PAGE.write_text(page, encoding="utf-8")
    differs = {place for place, each in found.items() if text_of(each) != "equal"}
    # Not every market has a split, or a fund at its limit.
    wrong = differs - REASONS.keys() if given.data != "demo" else differs ^ REASONS.keys()
    for rule, engine in sorted(wrong):
        print(f"no reason, or none needed: {engine}, {RULES[rule][0]}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
