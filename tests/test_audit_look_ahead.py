"""The look-ahead audit: it catches each kind of bias by name, and lets every built-in strategy pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.load import load_panel
from data.panel.panel import Panel
from data.scenarios.noise import PARTS, with_noise
from data.scenarios.perturb import cut
from engine.audits import Audited, audit
from engine.audits.look_ahead import look_ahead
from engine.audits.parameter_sets import called, parameter_sets
from engine.spec import Conditions
from engine.strategy.adapters import adapt
from strategies import STRATEGIES
from tests.helpers import biased

ARRAYS = (
    "adjusted_close",
    "close",
    "volume",
    "amount",
    "units",
    "units_adjusted",
    "unit_change",
    "nav",
    "aum",
)
ARRAYS += ("margin_balance", "net_financing", "listed", "sessions_listed", "premium", "nav_premium")
SOURCE = Demo(premium=True)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(SOURCE)


def reload(end: date) -> Panel:
    return load_panel(SOURCE, end=end)


BIASED = {
    biased.ShiftByMinusOne: "prices",
    biased.WholeSample: "prices",
    biased.ForwardAdjusted: "corporate actions",
    biased.TodaysUniverse: "universe",
    biased.TurnoverWithTodaysUnits: "units",
    biased.SameDayMargin: "margin",
    biased.WeeksLabelledLeft: "prices",
    biased.LatestIndexWeights: "index weights",
    biased.BeforeHolidays: "calendar",
    biased.FinalCapex: "macro series",
}


@pytest.mark.parametrize(
    ("strategy", "column"), BIASED.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_each_bias_is_caught_and_named(panel: Panel, strategy: Any, column: str) -> None:
    opinion = look_ahead(Audited(strategy(), panel))
    assert opinion.passed is False
    found = opinion.details
    assert column in found["columns"]
    assert found["symbol"] in panel.symbols
    assert np.datetime64(found["day"]) in panel.days
    assert np.datetime64(found["day"]) <= np.datetime64(found["cut"])
    assert found["with_future"] != found["without"]
    for word in (strategy.__name__, found["day"], found["symbol"], column, f"{found['without']:.6g}"):
        assert word in opinion.sentence
    if found["size"] == found["size"]:
        assert found["size"] == abs(found["with_future"] - found["without"])
        assert f"{found['size']:.3g} apart" in opinion.sentence


def test_it_names_only_the_part_that_was_peeked_at(panel: Panel) -> None:
    opinion = look_ahead(Audited(biased.SameDayMargin(), panel))
    assert opinion.details["columns"] == ["margin"]
    assert opinion.details["reads"] == ["_published", "listed", "adjusted_close"]


@pytest.mark.slow
def test_a_strategy_that_decides_one_by_one_is_caught_too(panel: Panel) -> None:
    short = cut(panel.ingredients, 300).build()
    assert look_ahead(Audited(biased.HonestDecider(), short)).passed is True
    opinion = look_ahead(Audited(biased.PeekingDecider(), short))
    assert opinion.passed is False
    assert opinion.details["what"] == "target weight"


def test_it_is_caught_with_drawn_parameters_alone(panel: Panel) -> None:
    opinion = look_ahead(Audited(OnlyWithLargeTop(), panel))
    assert opinion.passed is False
    assert "top=" in opinion.details["parameters"]


class OnlyWithLargeTop(biased.ShiftByMinusOne):
    """Honest with the top that it has by default."""

    def scores(self, known: Any) -> np.ndarray:
        return super().scores(known) if self.top > 3 else np.where(known.listed, known.close, np.nan)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("share_inflow", "momentum") else pytest.mark.slow)
        for name in sorted(set(STRATEGIES) - {"weights"})
    ],
)
def test_every_builtin_passes(panel: Panel, name: str) -> None:
    opinion = look_ahead(Audited(STRATEGIES[name](), panel, reload=reload))
    assert opinion.passed is True, opinion.sentence
    assert opinion.details["cells"] > 100_000


def test_a_file_of_weights_passes(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "W.csv"
    rows = [f"{day},{panel.symbols[n % 5]},0.5\n" for n, day in enumerate(panel.days[40::20].tolist())]
    file.write_text("day,symbol,weight\n" + "".join(rows))
    strategy = STRATEGIES["weights"](file=str(file))
    opinions = list(audit(Audited(strategy, panel), ["look_ahead", "warm_up", "order_and_scale"]))
    assert [each.passed for each in opinions] == [True, None, True], opinions
    # Without the days and funds that the file names it could be asked on the cuts alone.
    assert opinions[0].details["markets"] > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["blend", "flow_blend", "momentum", "share_inflow"])
def test_builtins_pass_on_other_days(panel: Panel, name: str) -> None:
    opinion = look_ahead(Audited(STRATEGIES[name](), panel, Conditions(seed=2), reload=reload))
    assert opinion.passed is True, opinion.sentence


# --- the altered markets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [30, 377, 803, 1209])
@pytest.mark.parametrize("how", ["cut", "noise"])
def test_what_was_known_stays_to_the_last_bit(panel: Panel, row: int, how: str) -> None:
    given = panel.ingredients
    other = (cut(given, row) if how == "cut" else with_noise(given, row, 1)).build()
    assert (len(other.days) == row + 1) == (how == "cut")
    assert (other.days[: row + 1] == panel.days[: row + 1]).all()
    names = [symbol for symbol in panel.symbols if symbol in other.symbols]
    mine, theirs = ([p.symbols.index(name) for name in names] for p in (panel, other))
    for name in ARRAYS:
        whole, again = (getattr(p.known, name)[: row + 1][:, c] for p, c in ((panel, mine), (other, theirs)))
        np.testing.assert_array_equal(again, whole, err_msg=name)
    for code in panel.known.index_codes:
        whole, again = (p.known.index(code)[: row + 1] for p in (panel, other))
        np.testing.assert_array_equal(again, whole)
    missing = [panel.symbols.index(name) for name in panel.symbols if name not in other.symbols]
    assert not panel.known.listed[: row + 1, missing].any()


# The made-up market has no exchange rates.
@pytest.mark.parametrize("part", [part for part in PARTS if part != "exchange rates"])
def test_each_part_of_the_future_is_altered_alone(panel: Panel, part: str) -> None:
    given = panel.ingredients
    other, again = (with_noise(given, 600, 1, [part]).build() for _ in range(2))
    assert other.fingerprint == again.fingerprint
    assert other.fingerprint != panel.fingerprint
    assert with_noise(given, 600, 2, [part]).build().fingerprint != other.fingerprint
    untouched = {"prices": "units", "units": "adjusted_close", "margin": "units", "NAV": "margin_balance"}
    untouched["premium"] = "nav"
    if part in untouched:
        same = untouched[part]
        np.testing.assert_array_equal(getattr(other.known, same), getattr(panel.known, same))
        own = {"prices": "close", "NAV": "nav", "margin": "margin_balance"}.get(part, part)
        whole, noisy = getattr(panel.known, own)[602:], getattr(other.known, own)[602:]
        both = np.isfinite(whole) & np.isfinite(noisy)
        assert (whole[both] != noisy[both]).mean() > 0.9


def test_what_is_published_late_is_cut_by_the_day_of_publication(panel: Panel) -> None:
    given = panel.ingredients
    units = given.facts.grids["units"]
    grids = dict(given.facts.grids) | {"units": replace(units, usable_from=units.usable_from + 3)}
    late = replace(given, facts=replace(given.facts, grids=grids))
    whole, part = late.build(), cut(late, 500).build()
    np.testing.assert_array_equal(part.known.units, whole.known.units[:501])
    left = part.ingredients.facts.grids
    assert np.isnan(left["units"].measure[497:]).all()
    assert np.isfinite(left["units"].measure[496]).any()
    # Bars of the last session itself are not public before its open either.
    assert np.isnan(left["bars"].columns["close"][500]).all()
    assert np.isfinite(left["bars"].columns["close"][499]).any()


# --- parameter sets ---------------------------------------------------------------------------------------


def test_drawn_parameters_are_valid_and_repeatable() -> None:
    for name in set(STRATEGIES) - {"weights"}:
        strategy = adapt(STRATEGIES[name]())
        first, second = (parameter_sets(strategy, 6, np.random.default_rng(7)) for _ in range(2))
        assert first == second
        assert first[0] is strategy
        assert len(first) == 7, name
        assert len(set(first)) == 7
    assert called(adapt(STRATEGIES["momentum"](top=2, lookback=20))) == "momentum(top=2, lookback=20)"


# --- the command line -------------------------------------------------------------------------------------


def etflow(root: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "run_backtest.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False, cwd=root)


def test_the_command_fails_a_biased_strategy_with_code_5(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text((root / "tests" / "helpers" / "biased.py").read_text(encoding="utf-8"), encoding="utf-8")
    done = etflow(root, "audit", f"{file}:SameDayMargin", "--only", "placebo,look_ahead", "--json")
    assert done.returncode == 5, done.stderr
    document = json.loads(done.stdout)
    assert document["passed"] is False
    assert [each["name"] for each in document["audits"]] == ["look_ahead", "placebo"]
    found = document["audits"][0]["details"]
    assert found["columns"] == ["margin"]
    for word in ("error: the audit `look_ahead` failed", found["day"], found["symbol"], "apart"):
        assert word in done.stderr
    assert "Not asked" in document["audits"][1]["sentence"]


@pytest.mark.slow
def test_the_command_passes_a_builtin(root: Path) -> None:
    words = ("share_inflow", "--draws", 3, "--set", "lookback=10", "--seed", 5)
    done = etflow(root, "audit", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("PASS") == 4
    assert done.stdout.count("info") == 6
    assert "FAIL" not in done.stdout
    assert "SYNTHETIC" in done.stdout
    for word in ("look_ahead", "Sharpe", "rank", "later by", "costs times", "capital"):
        assert word in done.stdout
    assert etflow(root, "audit", *words).stdout == done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("audit", "share_inflow", "--only", "look_a_head"), 2, "unknown audit `look_a_head`"),
        (("audit", "share_inflow", "--only", ","), 2, "--only names no audit"),
        (("audit", "share_inflow", "--draws", "0"), 2, "--draws"),
        (("audit", "share_inflo", "--only", "warm_up"), 2, "unknown strategy"),
        (("audit", "share_inflow", "--data", "nowhere"), 3, "does not exist"),
    ],
)
def test_wrong_usage_is_answered(root: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = etflow(root, *words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_nothing_heavy(root: Path) -> None:
    script = (
        "import sys, run_backtest\nfrom engine.cli.main import main\n"
        "main(run_backtest.load_catalogue, ['audit', '--help'])\n"
        "assert not {'numpy', 'pandas', 'backtrader'} & set(sys.modules), 'heavy'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "look_ahead" in done.stdout
