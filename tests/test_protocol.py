"""What a strategy may have: four ways to decide, chosen once, and an answer to whatever is none of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

import run_backtest
from data.demo import Demo
from data.errors import DataError, StrategyError, UsageError
from data.importing import import_files
from data.load import load_panel
from data.panel.panel import Panel
from data.store.store import Store
from engine import compare, run, sweep
from engine.cli.main import main
from engine.strategy.adapters import (
    Adapter,
    BacktraderAdapter,
    ScoreAdapter,
    SessionAdapter,
    WeightAdapter,
    adapt,
)
from engine.strategy.loader import load_strategy
from strategies import STRATEGIES, new_strategy

HEAD = """
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, rolling_mean, rolling_std
"""

# All hold the first fund alone from the first session on, and decide that anew on every fifth.
SCORES = """
@dataclass(frozen=True, kw_only=True)
class Mine(Rotation):
    place: int = param(0, low=0, high=9)
    top: int = 1

    @property
    def warmup(self) -> int:
        return 1

    def scores(self, known):
        chosen = np.arange(len(known.symbols)) == self.place
        return where_listed(known, np.where(chosen, 1.0, np.nan)[None, :])
"""
WEIGHTS = """
@dataclass(frozen=True)
class Mine:
    place: int = 0

    def target_weights(self, known):
        weights = np.full((len(known.days), len(known.symbols)), np.nan)
        weights[1::5] = np.arange(len(known.symbols)) == self.place
        return weights
"""
DECIDE = """
@dataclass(frozen=True)
class Mine:
    place: int = 0

    def decide(self, past, held):
        return {past.symbols[self.place]: 1.0} if (len(past.days) - 2) % 5 == 0 else None
"""
BACKTRADER = """
import backtrader as bt

class Mine(bt.Strategy):
    params = (("place", 0),)

    def next(self):
        self.order_target_percent(self.datas[self.p.place], 0.9)
"""
WAYS = {
    "scores": (SCORES, ScoreAdapter),
    "target_weights": (WEIGHTS, WeightAdapter),
    "decide": (DECIDE, SessionAdapter),
    "backtrader": (BACKTRADER, BacktraderAdapter),
}
SHORT = ("--end", "2021-06-30", "--symbols", "157001.SZ,586031.SH")


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo(), ("157001.SZ", "586031.SH"), end=np.datetime64("2021-06-30").item())


def written(folder: Path, source: str) -> Path:
    file = folder / "mine.py"
    file.write_text(HEAD + dedent(source), encoding="utf-8")
    return file


def made(folder: Path, source: str) -> Adapter:
    return load_strategy(f"{written(folder, source)}:Mine", {}, {})


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_decide_has_its_adapter_by_name_and_in_a_notebook(
    panel: Panel, tmp_path: Path, way: str
) -> None:
    source, kind = WAYS[way]
    adapter = made(tmp_path, source)
    assert type(adapter) is kind
    assert (adapter.name, adapter.parameters["place"], adapter.idea) == ("Mine", 0, "")
    # What a notebook has: an object, or backtrader's class.
    plain = adapter.strategy
    assert adapt(plain) == adapter
    assert adapt(adapter) is adapter
    changed = adapter.with_parameters({"place": 1})
    results = [run(each, panel) for each in (plain, adapter, changed)]
    np.testing.assert_array_equal(results[0].equity, results[1].equity)
    for result, place in zip(results, (0, 0, 1), strict=True):
        assert set(result.fills["symbol"]) == {panel.symbols[place]}
    assert changed.parameters["place"] == 1


def test_three_ways_to_say_the_same_are_the_same_account(panel: Panel, tmp_path: Path) -> None:
    named = {way: made(tmp_path, WAYS[way][0]) for way in ("scores", "target_weights", "decide")}
    results = compare(named, panel).results
    assert len(results["scores"].decision_days) > 20
    for way in ("target_weights", "decide"):
        np.testing.assert_array_equal(results[way].equity, results["scores"].equity)
        np.testing.assert_array_equal(results[way].decision_days, results["scores"].decision_days)
    rows = sweep(named["target_weights"].strategy, panel, {"place": [0, 1]})
    assert rows["cum_returns_final"][0] == results["decide"].equity[-1] / 1e6 - 1.0


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class Mine:\n    def decide(self, past, held): return {}", "is not a dataclass"),
        ("@dataclass(frozen=True)\nclass Mine:\n    top: int = 1", "has none of the methods of a strategy"),
        (
            "@dataclass(frozen=True)\nclass Mine:\n    scores: int = 1",
            "has none of the methods of a strategy",
        ),
        (
            f"{SCORES}\n    def decide(self, past, held): return None",
            "has 2 ways to decide; received scores, decide; limit: one of scores, target_weights, decide.",
        ),
        (
            SCORES.replace("scores(self, known)", "scores(self)"),
            "`scores` of {name} cannot be called as it will be; received scores(self); "
            "limit: scores(self, known). Write `def scores(self, known):`.",
        ),
        (
            WEIGHTS.replace("(self, known)", "(known)"),
            "received target_weights(known); limit: target_weights(self, known). Write",
        ),
        (
            DECIDE.replace("(self, past, held)", "(self, past, held, cash)"),
            "received decide(self, past, held, cash); limit: decide(self, past, held). Write",
        ),
        (
            DECIDE.replace("(self, past, held)", "(self, past, *, held)"),
            "received decide(self, past, *, held); limit: decide(self, past, held). Write",
        ),
        (
            WEIGHTS.replace("place: int", "place: Elsewhere"),
            "types that cannot be looked up; received NameError",
        ),
        (
            SCORES.replace("    def warmup", "    def wait"),
            "is not complete; received no warmup. Add `warmup`: Se",
        ),
        (
            SCORES.replace("@dataclass(frozen=True, kw_only=True)", ""),
            "is not a dataclass; received place, top,",
        ),
        (
            SCORES.replace("(frozen=True, kw_only=True)", ""),
            "in line 12. Decorate the class with @dataclass(fro",
        ),
        (SCORES.replace("top: int = 1", "top = 1"), "Write its type too, as in `top: int = 1`."),
        (
            "import talib9",
            "could not be loaded; received ModuleNotFoundError: No module named 'talib9', in l",
        ),
        (SCORES.replace("known.symbols", "known.symbls"), "in line 22. Did you mean `symbols`? Run with -v"),
        (SCORES.replace("return 1\n", "return self.lookback\n"), "raised; received AttributeError"),
        (SCORES.replace("return 1\n", "return 'few'\n"), "raised; received ValueError"),
        (
            WEIGHTS.replace("return weights", "return [['a'] * 2] * len(known.days)"),
            "raised; received ValueError",
        ),
        (WEIGHTS.replace("return weights", "return weights[1:]"), "returned an array of the wrong shape"),
        (
            DECIDE.replace("return {", "return [1.0, 0.0] or {"),
            "must return weights by symbol, or None; received list",
        ),
    ],
)
def test_what_is_no_strategy_ends_with_4_and_says_what_to_write(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    said: str,
) -> None:
    name = f"{written(tmp_path, source)}:Mine"
    monkeypatch.chdir(tmp_path)
    assert main(run_backtest.load_catalogue, ["run", name, "--no-report", *SHORT]) == 4
    printed, complained = capsys.readouterr()
    assert said.replace("{name}", name) in " ".join(complained.split())
    assert printed == ""
    assert "Traceback" not in complained
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (
            "known.close * np.nan",
            "1 of warm-up; no score of a listed fund is a number: all are NaN. What it reads is",
        ),
        (
            "np.where(known.listed, np.inf, np.nan)",
            "are infinite, the others NaN. What it reads is on file: a condition",
        ),
        ("known.premium", "It reads premium, of which nothing is on file for these funds: import that"),
    ],
)
def test_scores_that_are_never_numbers_are_told_with_what_they_read(
    panel: Panel, tmp_path: Path, scores: str, said: str
) -> None:
    start = SCORES.index("        chosen = ")
    with pytest.raises(DataError, match="can decide on no session") as told:
        run(made(tmp_path, f"{SCORES[:start]}        return {scores}\n"), panel)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        # Monday, behind the bars, which end on a Friday; months before them; and public after the last open.
        (["2025-08-25"], "rows of 2025-08-25 to 2025-08-25 are on file, and none can be used by 2025-08-22"),
        (
            ["2025-05-06", "2025-05-07"],
            "rows of 2025-05-06 to 2025-05-07 are on file, and none can be used by",
        ),
        (["2025-08-22"], "rows of 2025-08-22 to 2025-08-22 are on file, and none can be used by 2025-08-22"),
        ([], "It reads units, of which nothing is on file for these funds: import that, or"),
        # Known from Friday on: one session, where the window takes two changes.
        (["2025-08-21"], "or a window may be too long; units can be used from 2025-08-22 on, 1 session."),
    ],
)
def test_a_table_that_serves_on_no_session_is_told_with_the_days_of_its_rows(
    tmp_path: Path, counted: list[str], said: str
) -> None:
    days = [f"2025-08-{day}" for day in (18, 19, 20, 21, 22)]
    bars = "".join(f"159363.SZ,{day},0.7,0.7,0.7,0.7,1000,700\n" for day in days)
    (tmp_path / "bars.csv").write_text(f"symbol,day,open,high,low,close,volume,amount\n{bars}")
    units = "".join(f"159363.SZ,{day},1000000\n" for day in counted)
    (tmp_path / "units.csv").write_text(f"symbol,day,units\n{units or '159381.SZ,2025-08-20,1000000'}\n")
    store = Store(tmp_path / "store")
    import_files([tmp_path / "bars.csv", tmp_path / "units.csv"], store)
    source = SCORES.replace("return 1\n", "return 2\n").replace(
        "return where_listed(known, np.where(chosen, 1.0, np.nan)[None, :])", "return change(known.units, 2)"
    )
    with pytest.raises(DataError, match="can decide on no session") as told:
        run(made(tmp_path, source), load_panel(store, ["159363"]))
    assert said in str(told.value)


def test_a_table_of_the_whole_market_alone_is_named_where_that_of_funds_is_read(tmp_path: Path) -> None:
    start = SCORES.index("        chosen = ")
    strategy = made(tmp_path, f"{SCORES[:start]}        return known.margin_balance\n")
    days = np.arange("2024-01-02", "2024-01-05", dtype="datetime64[D]")
    bars = dict.fromkeys(("open", "high", "low", "close", "volume", "amount"), np.ones((3, 1)))
    alone = Panel.from_events(days, ("159363.SZ",), bars=bars, market_margin=np.ones(3))
    with pytest.raises(
        DataError, match=r"reads margin, .* the whole market's is on file: `known.market_margin`"
    ):
        run(strategy, alone)


def test_an_object_that_is_no_strategy_is_refused_at_the_door_of_a_notebook(panel: Panel) -> None:
    for door in (lambda each: run(each, panel), lambda each: sweep(each, panel, {"top": [1]})):
        with pytest.raises(
            UsageError, match=r"Momentum is a class, not yet a strategy. Make one: Momentum\(\)"
        ):
            door(STRATEGIES["momentum"])
        with pytest.raises(StrategyError, match="object is not a dataclass"):
            door(object())


@pytest.mark.parametrize(
    "method",
    [
        "@staticmethod\n    def decide(past, held): return None",
        "@classmethod\n    def decide(cls, past, held): return None",
        "def decide(self, *both): return None",
        "def decide(self, past, held, cash=0.0): return None",
        "def decide(me, before, weights): return None",
        "@cache\n    def wanted(self): return None\n    decide = lambda self, past, held: self.wanted()",
    ],
)
def test_whatever_can_be_called_is_called(panel: Panel, tmp_path: Path, method: str) -> None:
    source = f"from functools import cache\n\n@dataclass(frozen=True)\nclass Mine:\n    {method}\n"
    assert not len(run(made(tmp_path, source), panel).fills)


def test_a_method_may_be_cached() -> None:
    # A cached function is no function, and yet a method.
    class Cached(STRATEGIES["momentum"]):  # type: ignore[misc]
        @cache  # noqa: B019
        def scores(self, known: Any) -> Any:
            return super().scores(known)

    assert type(adapt(Cached())) is ScoreAdapter


def test_what_a_class_of_backtrader_calls_its_own_is_its_own(panel: Panel, tmp_path: Path) -> None:
    adapter = made(tmp_path, f"{BACKTRADER}\n    def scores(self): return 0\n")
    assert type(adapter) is BacktraderAdapter
    assert len(run(adapter, panel).fills)


def test_a_file_written_from_the_template_runs(panel: Panel, tmp_path: Path) -> None:
    file, class_name, source = new_strategy("my_idea")
    (tmp_path / file).write_text(source, encoding="utf-8")
    adapter = load_strategy(f"{tmp_path / file}:{class_name}", {"lookback": "20", "top": "1"}, {})
    assert adapter.idea.startswith("Hold the funds with the highest ratio")
    assert adapter.read(("lookback", "top", "rebalance")) == (20, 1, 5)
    assert len(run(adapter, panel).fills)


def test_a_class_that_is_no_dataclass_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "solo.py"
    file.write_text("class Solo:\n    def decide(self, past, held):\n        return {}\n")
    with pytest.raises(StrategyError, match="not a dataclass"):
        load_strategy(f"{file}:Solo", {}, {})
    two = tmp_path / "two.py"
    two.write_text(file.read_text().replace("Solo", "A") + file.read_text().replace("Solo", "B"))
    two.write_text(
        "from dataclasses import dataclass\n" + two.read_text().replace("class", "@dataclass\nclass")
    )
    with pytest.raises(UsageError, match="has 2 strategies; received A, B"):
        load_strategy(str(two), {}, {})
