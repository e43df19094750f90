"""Diagnostics of a score: pencil cases of returns and ICs, no look-ahead, what the command and page say."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import run_backtest
from data.errors import StrategyError, UsageError, ValidationError
from data.facts.actions import Action
from data.panel.panel import Panel
from engine.factors import Forward, diagnose, factor_document, factor_id
from engine.report.factor_page import write_factor
from engine.report.sections import not_available
from engine.spec import Conditions
from strategies.momentum import Momentum

ROOT = Path(run_backtest.__file__).parent
NAN = math.nan
A, B, C = "510001.SH", "510002.SH", "510003.SH"
DAYS = np.arange("2024-12-26", "2025-01-01", dtype="datetime64[D]")
# opens of A, B, C, a row a session
OPENS = [[10, 10, 10], [10, 10, 10], [11, 10, 9], [11, 12, 9], [12, 12, 9], [12, 12, 18]]
ROOT_3 = math.sqrt(3)


@dataclass(frozen=True)
class Fixed:
    """The same score for a fund on every session, whatever happens."""

    values: tuple[float, ...] = (3.0, 2.0, 1.0)
    warmup: int = 1
    rebalance: int | str = 1

    def scores(self, known):
        return np.tile(self.values, (len(known.days), 1))


def panel_of(opens, days=DAYS, symbols=(A, B, C), volume=None, closes=None, **more):
    opens = np.array(opens, dtype=float)
    closes = opens if closes is None else np.array(closes, dtype=float)
    volume = np.full(opens.shape, 1e6) if volume is None else np.array(volume, dtype=float)
    bars = {
        "open": opens,
        "high": np.maximum(opens, closes),
        "low": np.minimum(opens, closes),
        "close": closes,
        "volume": volume,
        "amount": volume * opens,
    }
    return Panel.from_events(days, symbols, bars=bars, **more)


def with_families(panel, *families):
    given = panel.ingredients
    return replace(given, listings=replace(given.listings, families=families)).build()


def random_panel(sessions=160, funds=6, seed=5, order=None):
    random = np.random.default_rng(seed)
    steps = np.exp(random.normal(0.0, 0.02, (sessions, funds)))
    opens = 10 * np.cumprod(steps, axis=0)
    closes = opens * np.exp(random.normal(0.0, 0.01, opens.shape))
    order = list(range(funds)) if order is None else order
    days = np.arange("2023-11-01", "2025-01-01", dtype="datetime64[D]")[:sessions]
    symbols = tuple(f"51000{number}.SH" for number in range(funds))
    return panel_of(opens[:, order], days, symbols, closes=closes[:, order])


def first_sessions(panel, count):
    bars = {name: each[:count] for name, each in panel.ingredients.facts.grids["bars"].columns.items()}
    return Panel.from_events(panel.days[:count], panel.symbols, bars=bars)


# --- Forward returns ----------------------------------------------------------------------------------


def test_returns_go_from_open_to_open():
    forward = Forward.of(panel_of(OPENS).market)
    np.testing.assert_allclose(forward.returns(1)[1], [0.1, 0.0, -0.1])
    np.testing.assert_allclose(forward.returns(2)[1], [0.1, 0.2, -0.1])
    np.testing.assert_allclose(forward.returns(3, after=1)[1], [12 / 11 - 1, 0.2, 0.0], atol=1e-15)
    assert np.isnan(forward.returns(2)[-2:]).all()
    assert np.isfinite(forward.returns(2)[:-2]).all()
    assert np.isnan(forward.returns(6)).all()


def test_shorter_horizons_compound_to_longer_ones():
    forward = Forward.of(random_panel().market)
    one, three = forward.returns(1), forward.returns(3)
    np.testing.assert_allclose((1 + one[:-3]) * (1 + one[1:-2]) * (1 + one[2:-1]), 1 + three[:-3])


def test_the_fill_point_is_where_returns_begin_and_end():
    closes = np.array(OPENS) * np.array([[1.0], [1.1], [1.0], [1.2], [1.0], [1.0]])
    market = panel_of(OPENS, closes=closes).market
    np.testing.assert_allclose(Forward.of(market, "close").returns(2)[1, 1], 12 * 1.2 / 11 - 1)
    with pytest.raises(UsageError, match="unknown fill `noon`"):
        Forward.of(market, "noon")


def test_splits_and_dividends_are_in_the_return():
    # A splits 1:2 before session 3, C pays 1 on 10 before session 2
    opens = np.array(OPENS, dtype=float)
    opens[3:, 0] /= 2
    actions = [
        Action(A, "split", date(2024, 12, 29), ratio=2.0),
        Action(C, "dividend", date(2024, 12, 28), cash=1.0),
    ]
    one = Forward.of(panel_of(opens, actions=actions).market).returns(1)
    assert one[2, 0] == pytest.approx(0.0)
    assert one[3, 0] == pytest.approx(12 / 11 - 1)
    # the mark before is 10, adjusted 9, and the fund opens at 9
    assert one[1, 2] == pytest.approx(0.0)


def test_a_halted_fund_cannot_be_bought_and_is_valued_at_its_last_close():
    volume = np.full((6, 3), 1e6)
    volume[2, 1] = 0.0
    closes = np.array(OPENS, dtype=float)
    closes[1, 1] = 10.5
    one = Forward.of(panel_of(OPENS, volume=volume, closes=closes).market).returns(1)
    assert np.isnan(one[2, 1])
    assert one[1, 1] == pytest.approx(0.05)
    assert np.isfinite(np.delete(one[2], 1)).all()


def test_a_fund_at_its_upper_limit_cannot_be_bought():
    panel = panel_of(OPENS, price_limit=[0.1, 0.1, None])
    one = Forward.of(panel.market).returns(1)
    # A opens at 11 after 10, B at 12 after 10, which is beyond; A at 12 after 11 is within 12.1
    assert np.isnan([one[2, 0], one[3, 1]]).all()
    assert np.isfinite([one[4, 0], one[1, 0], one[2, 2]]).all()


@pytest.mark.parametrize("announced", [True, False])
def test_a_liquidated_fund_is_worth_what_it_paid_from_then_on(announced):
    opens = np.array(OPENS, dtype=float)
    opens[3:, 2] = NAN
    actions = [Action(C, "liquidation", date(2024, 12, 29), cash=4.5)] if announced else []
    panel = panel_of(opens, actions=actions, delisted=[None, None, date(2024, 12, 29)])
    forward = Forward.of(panel.market)
    paid = 4.5 if announced else 9.0
    for horizon in (2, 3, 4):
        assert forward.returns(horizon)[1, 2] == pytest.approx(paid / 10 - 1)
    assert forward.returns(4, after=3)[1, 2] == pytest.approx(0.0)
    assert np.isnan(forward.returns(1)[3:, 2]).all()
    # also a dead fund has no return where the horizon is not over
    assert np.isnan(forward.returns(5)[1, 2])


# --- Pencil cases -------------------------------------------------------------------------------------


def test_rank_ic_by_pencil():
    # sessions 1 to 4; ranks of returns 3 2 1, 1.5 3 1.5, 3 1.5 1.5, 1.5 1.5 3 against 3 2 1
    found = diagnose(Fixed(), panel_of(OPENS), horizons=(1,))
    (one,) = found.horizons
    np.testing.assert_allclose(one.ic_by_date[:4], [1.0, 0.0, ROOT_3 / 2, -ROOT_3 / 2], atol=1e-12)
    assert np.isnan(one.ic_by_date[4])
    assert str(found.days[0]) == "2024-12-27"
    assert (one.ic.mean, one.ic.dates) == (pytest.approx(0.25), 4)
    # squared deviations add to 2.25, over 3
    assert one.ic.ratio == pytest.approx(0.25 / math.sqrt(0.75))
    assert one.ic.t_statistic == pytest.approx(1 / ROOT_3)
    # with one lag: c0 = 2.25 / 4, c1 = -(0.8125 + 0.25 * sqrt(3) / 2) / 4, weight 1/2, twice
    assert one.ic.lags == 1
    long_run = (2.25 - 0.8125 - 0.125 * ROOT_3) / 4
    assert one.ic.robust_t_statistic.value == pytest.approx(0.25 / math.sqrt(long_run / 4))


def test_groups_spread_and_turnover_by_pencil():
    (one,) = diagnose(Fixed(), panel_of(OPENS), horizons=(1,)).horizons
    bottom, middle, top = (-0.1 + 0 + 0 + 1) / 4, (0 + 0.2 + 0 + 0) / 4, (0.1 + 0 + 1 / 11 + 0) / 4
    np.testing.assert_allclose(one.quantile_means, [bottom, middle, top])
    assert one.spread.mean == pytest.approx(top - bottom)
    # by centred rank with 200 % gross: +1, 0, -1
    assert one.rank_weighted.mean == pytest.approx(top - bottom)
    assert one.autocorrelation.value == pytest.approx(1.0)
    assert one.turnover_top.value == one.turnover_bottom.value == 0.0


def test_decay_is_the_ic_with_what_is_earned_after_the_horizon_before():
    panel = random_panel(sessions=40)
    opens = panel.market.open
    two, five = diagnose(Momentum(lookback=3), panel, horizons=(2, 5)).horizons
    assert (two.decay_after, five.decay_after) == (0, 2)
    assert two.decay.mean == two.ic.mean
    later, scores = opens[5:] / opens[2:-3] - 1, Momentum(lookback=3).scores(panel.known)[:-5]
    expected = [stats.spearmanr(*each).statistic for each in zip(scores[4:], later[4:], strict=True)]
    assert five.decay.mean == pytest.approx(np.mean(expected))
    assert five.decay.dates == len(expected)
    # three sessions overlap, not five
    assert five.decay.lags < five.ic.lags or five.decay.lags == 3


def test_years_are_those_of_the_score_and_families_are_their_own_cross_sections():
    days = np.arange("2024-12-28", "2025-01-03", dtype="datetime64[D]")
    panel = with_families(panel_of(OPENS, days), "SAME", "SAME", "OTHER")
    (one,) = diagnose(Fixed(), panel, horizons=(1,)).horizons
    # scored on 29, 30, 31 December and on 1 January; that of 2 January is not over
    assert {year: each.dates for year, each in one.by_year.items()} == {2024: 3, 2025: 1}
    assert one.by_year[2024].mean == pytest.approx((1 + 0 + ROOT_3 / 2) / 3)
    assert one.by_year[2025].reason == "it takes at least three dates"
    # A against B: 0.1 > 0, 0 < 0.2, 1/11 > 0, and a tie
    assert (one.by_family["SAME"].mean, one.by_family["SAME"].dates) == (pytest.approx(1 / 3), 3)
    assert one.by_family["OTHER"].reason == "never two funds with a score and a return"
    # mean returns 0.05 > -0.1, 0.1 > 0, 1/22 > 0, 0 < 1
    assert one.between_families.mean == pytest.approx(0.5)


def test_funds_whose_family_is_not_known_are_families_of_their_own_between_families():
    panel = panel_of(OPENS)
    one = diagnose(Fixed(), with_families(panel, "SAME", None, None), horizons=(1,)).main
    assert one.between_families.mean == pytest.approx(one.ic.mean)  # three of one fund each
    none = diagnose(Fixed(), with_families(panel, None, None, None), horizons=(1,)).main
    assert none.between_families.reason == "the index family of no fund is known"


def test_coverage_is_the_share_of_listed_funds_with_a_score():
    panel = panel_of(OPENS, listed=[None, None, date(2024, 12, 29)])
    found = diagnose(Fixed((3.0, NAN, 1.0)), panel, horizons=(1,))
    np.testing.assert_allclose(found.coverage, [1 / 2, 1 / 2, 2 / 3, 2 / 3, 2 / 3])
    assert (found.scored, found.listed) == (2.0, 3.0)
    assert found.coverage_by_year[2024] == pytest.approx((1 / 2 + 1 / 2 + 2) / 5)


def test_the_main_horizon_is_closest_to_how_often_the_strategy_decides():
    def main(rebalance):
        return diagnose(Fixed(rebalance=rebalance), random_panel(funds=3)).main.sessions

    assert [main(each) for each in (1, 4, "weekly", "monthly", 90, "once")] == [1, 5, 5, 20, 60, 10]


# --- What must not matter -----------------------------------------------------------------------------


@pytest.mark.parametrize("fill", ["open", "vwap", "close"])
def test_appending_the_future_changes_no_ic_of_a_complete_horizon(fill):
    whole, horizons = random_panel(), (1, 5, 20)
    strategy = Momentum(lookback=10)
    long = diagnose(strategy, whole, Conditions(fill=fill), horizons=horizons)
    short = diagnose(strategy, first_sessions(whole, 100), Conditions(fill=fill), horizons=horizons)
    for before, after in zip(short.horizons, long.horizons, strict=True):
        complete = len(short.days) - before.sessions
        assert np.isfinite(before.ic_by_date[:complete]).all()
        np.testing.assert_array_equal(before.ic_by_date[:complete], after.ic_by_date[:complete])
        assert np.isnan(before.ic_by_date[complete:]).all()
        assert np.isfinite(after.ic_by_date[complete : len(short.days)]).all()


def test_end_cuts_the_returns_too():
    panel = random_panel()
    cut = diagnose(Momentum(lookback=10), panel, Conditions(end=panel.days[99].item()), horizons=(5,))
    alone = diagnose(Momentum(lookback=10), first_sessions(panel, 100), horizons=(5,))
    np.testing.assert_array_equal(cut.main.ic_by_date, alone.main.ic_by_date)


def test_the_order_of_the_funds_does_not_matter():
    order = [3, 0, 5, 1, 4, 2]
    families = ("X", "Y", "X", "Y", "X", "Y")
    first = with_families(random_panel(), *families)
    other = with_families(random_panel(order=order), *(families[each] for each in order))
    one, two = (diagnose(Momentum(lookback=10), panel, horizons=(1, 5)) for panel in (first, other))
    for before, after in zip(one.horizons, two.horizons, strict=True):
        np.testing.assert_allclose(before.ic_by_date, after.ic_by_date, atol=1e-12)
        np.testing.assert_allclose(before.quantile_means, after.quantile_means, atol=1e-12)
        assert before.spread.robust_t_statistic.value == pytest.approx(after.spread.robust_t_statistic.value)
        for name in ("X", "Y"):
            assert before.by_family[name].mean == pytest.approx(after.by_family[name].mean)
        assert before.between_families.mean == pytest.approx(after.between_families.mean)


def test_a_score_that_knows_tomorrow_has_an_ic_of_one_and_is_refused():
    panel = random_panel()
    tomorrow = Forward.of(panel.market).returns(1)

    @dataclass(frozen=True)
    class Oracle:
        warmup: int = 1
        rebalance: int = 1

        def scores(self, known):
            return np.vstack([tomorrow[: len(known.days) - 1], np.ones((1, 6))])

    with pytest.raises(ValidationError, match="looks ahead"):
        diagnose(Oracle(), panel)

    @dataclass(frozen=True)
    class Allowed(Oracle):
        def scores(self, known):
            return tomorrow[: len(known.days)]

    assert diagnose(Allowed(), panel, horizons=(1,)).main.ic.mean == pytest.approx(1.0)


# --- Undefined, and wrong -----------------------------------------------------------------------------


def test_what_is_undefined_has_a_reason_and_is_said():
    flat = diagnose(Fixed((1.0, 1.0, 1.0)), random_panel(funds=3), horizons=(1,))
    assert flat.main.ic.reason == "all scores are the same"
    assert any("all scores are the same" in each for each in flat.warnings)
    late = diagnose(Fixed(), panel_of(OPENS), horizons=(1, 9)).horizons[1]
    assert late.ic.reason == late.decay.reason == "no session is followed by so many others"
    assert math.isnan(late.ic.robust_t_statistic.value)
    alone = diagnose(Fixed((1.0, NAN, NAN)), panel_of(OPENS), horizons=(1,)).main
    assert alone.ic.reason == "never two funds with a score and a return"
    assert alone.between_families.reason == "the index family of no fund is known"
    same = with_families(panel_of(OPENS), "F", "F", "F")
    (one,) = diagnose(Fixed(), same, horizons=(1,)).horizons
    assert one.between_families.reason == "there is one family only"


def test_few_funds_and_few_periods_are_warned_of():
    def warned(**size):
        panel = random_panel(**size)
        scores = tuple(float(each) for each in range(len(panel.symbols)))
        return " ".join(diagnose(Fixed(scores), panel, horizons=(1, 20)).warnings)

    assert "median of 9 funds a session is fewer than 10" in warned(funds=9, sessions=230)
    assert warned(funds=10, sessions=230) == ""
    assert "horizon of 20 sessions" in warned(funds=10, sessions=100)


def test_terciles_below_thirty_funds_and_quintiles_from_then_on():
    days = DAYS
    for funds, groups in ((29, 3), (30, 5)):
        symbols = tuple(f"5100{number:02d}.SH" for number in range(funds))
        panel = panel_of(np.full((6, funds), 10.0), days, symbols)
        found = diagnose(Fixed(tuple(range(funds))), panel, horizons=(1,))
        assert (found.quantiles, len(found.main.quantile_means)) == (groups, groups)


def test_strategies_without_scores_and_wrong_horizons_are_refused():
    @dataclass(frozen=True)
    class Decides:
        def decide(self, past, held):
            return None

    with pytest.raises(StrategyError, match="Decides has no scores"):
        diagnose(Decides(), panel_of(OPENS))
    for wrong in ((), (0, 1), (-5,), (5, 10**20)):
        with pytest.raises(UsageError, match="horizon"):
            diagnose(Fixed(), panel_of(OPENS), horizons=wrong)
    with pytest.raises(UsageError, match="no session with scores"):
        diagnose(Fixed(), panel_of(OPENS), Conditions(start=date(2026, 1, 1)))


def test_a_strategy_that_raises_is_named():
    class Broken(Fixed):
        def scores(self, known):
            raise ZeroDivisionError("mine")

    with pytest.raises(StrategyError, match="mine"):
        diagnose(Broken(), panel_of(OPENS))


# --- Document and id ----------------------------------------------------------------------------------


def test_the_document_is_json_without_nan():
    document = factor_document(diagnose(Fixed(), panel_of(OPENS), horizons=(1, 9)))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["horizons"][1]["ic"]["mean"] is None
    assert document["horizons"][1]["ic"]["reason"] == "no session is followed by so many others"


def test_the_id_follows_everything_that_matters():
    panel = random_panel()

    def named(strategy, **more):
        return factor_id("my/file.py:Mine", panel.fingerprint, diagnose(strategy, panel, **more))

    ids = [
        named(Momentum(lookback=10)),
        named(Momentum(lookback=11)),
        named(Momentum(lookback=10), horizons=(1,)),
        named(Momentum(lookback=10), conditions=Conditions(fill="close")),
        named(Momentum(lookback=10), conditions=Conditions(end=panel.days[120].item())),
    ]
    assert len(set(ids)) == len(ids)
    assert named(Momentum(lookback=10)) == ids[0]
    assert re.fullmatch(r"factor-Mine-[0-9a-f]{8}", ids[0])


# --- The command --------------------------------------------------------------------------------------

FEW = ("--symbols", "157001.SZ,157011.SZ,586011.SH", "--end", "2021-06-30")


def etflow(*words, cwd):
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    folder = tmp_path_factory.mktemp("called")
    words = ("factor", "share_inflow", *FEW, "--horizons", "5,1", "--json")
    code, printed, complained = etflow(*words, cwd=folder)
    assert code == 0, complained
    return folder, json.loads(printed), complained


def test_the_command_prints_one_document(called):
    _, document, complained = called
    assert document["notice"].startswith("SYNTHETIC")
    assert document["data"]["synthetic"] is True
    assert (document["fill"], document["quantiles"], document["main_horizon"]) == ("open", 3, 5)
    assert [each["sessions"] for each in document["horizons"]] == [1, 5]
    summary = {"mean", "deviation", "icir", "hit_rate", "t_newey_west", "t_iid", "lags", "dates", "reason"}
    for each in document["horizons"]:
        assert set(each) == {
            *("sessions", "funds", "ic", "decay", "quantile_returns", "spread", "rank_weighted"),
            *("autocorrelation", "turnover", "by_year", "by_family", "between_families"),
        }
        assert set(each["ic"]) == set(each["spread"]) == set(each["by_year"]["2021"]) == summary
        assert set(each["decay"]) == {"after"} | summary
        assert -1 <= each["ic"]["mean"] <= 1
        assert each["ic"]["lags"] >= each["sessions"] - 1
        assert len(each["quantile_returns"]) == 3
        assert each["ic"]["dates"] <= document["sessions"] - each["sessions"]
    assert "fewer than 10" in complained
    assert document["warnings"][0] in complained
    assert document["page"] == f"results/{document['factor_id']}/factor.html"


def test_the_folder_has_the_document_and_the_page(called):
    folder, document, _ = called
    place = folder / document["folder"]
    assert {each.name for each in place.iterdir()} == {"factor.json", "factor.html"}
    kept = json.loads((place / "factor.json").read_text(encoding="utf-8"))
    assert kept == {
        name: each for name, each in document.items() if name not in ("folder", "page", "seconds")
    }


@pytest.mark.slow
def test_the_table_has_a_row_a_horizon_a_year_and_a_family(tmp_path):
    words = ("factor", "share_inflow", *FEW, "--horizons", "1,5", "--no-report")
    code, printed, _ = etflow(*words, cwd=tmp_path)
    assert code == 0
    assert [line.split()[0] for line in printed.splitlines() if re.match(r"[15] ", line)] == [*"1515"]
    for word in ("SYNTHETIC", "2020 ", "2021 ", "between families", "Newey-West", "open h sessions later"):
        assert word in printed
    assert "page " not in printed
    (place,) = (tmp_path / "results").iterdir()
    assert [each.name for each in place.iterdir()] == ["factor.json"]


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (("share_inflow", "--horizons", "0"), 2, "1 to 10,000"),
        (("share_inflow", "--horizons", "1,two"), 2, "--horizons needs whole numbers"),
        (("share_inflow", "--horizons", ","), 2, "received none"),
        (("weights", "--set", "file=w.csv"), 4, "has no scores"),
        (("no_such_strategy",), 2, "no_such_strategy"),
    ],
)
def test_bad_input_is_answered_with_the_limit(tmp_path, words, expected, said):
    (tmp_path / "w.csv").write_text("day,symbol,weight\n2021-01-04,157001.SZ,1\n")
    code, printed, complained = etflow("factor", *words, *FEW, cwd=tmp_path)
    assert (code, printed) == (expected, ""), complained
    assert said in complained
    assert "Traceback" not in complained
    assert not (tmp_path / "results").exists()


def test_help_imports_neither_pandas_nor_numpy(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run_backtest\n"
        "from engine.cli.main import main\n"
        "main(run_backtest.load_catalogue, ['factor', '--help'])\n"
        "print(sorted({'pandas', 'numpy', 'matplotlib', 'scipy', 'strategies'} & set(sys.modules)))\n"
    )
    words = [sys.executable, "-c", script, str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "etflow factor share_inflow" in done.stdout
    assert done.stdout.endswith("[]\n")


# --- The page -----------------------------------------------------------------------------------------

SECTIONS = ["summary", "horizons", "time", "quantiles", "families", "score", "method"]


@pytest.fixture(scope="module")
def text(called):
    folder, document, _ = called
    return (folder / document["page"]).read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_says_that_the_market_is_made_up(text):
    shown = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert re.search(r"https?:|//[a-z]|@import|url\((?!#)|<link|<iframe", shown) is None
    assert re.findall(r'<section id="(\w+)"', text) == re.findall(r'<a href="#(\w+)"', text) == SECTIONS
    assert text.index("SYNTHETIC: this market is made up") < text.index("<h1>")
    figures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(figures) == 7
    assert all(figure.count("SYNTHETIC DATA") == 2 for figure in figures)


def test_the_page_shows_the_numbers_of_the_document(called, text):
    _, document, _ = called
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", text)
    for each in document["horizons"]:
        place = cells.index(f"{each['sessions']} session" + ("" if each["sessions"] == 1 else "s"))
        assert cells[place + 1] == f"{each['ic']['mean']:.3f}"
        assert cells[place + 2] == f"{each['ic']['t_newey_west']:.2f}"
    for each in document["warnings"]:
        assert each in text


def test_a_reason_that_holds_for_several_is_said_once():
    why = [("1", "too few"), ("5", None), ("20", "too few"), ("60", "too short")]
    said = '<p class="note">Not available: too few (1, 20 sessions); too short (60 sessions).</p>'
    assert not_available(why, " sessions") == said
    assert not_available([("1", None)]) == ""


def test_a_page_with_little_to_say_says_why(tmp_path):
    panel = panel_of(OPENS, synthetic=False)
    found = diagnose(Fixed((1.0, 1.0, 1.0)), panel, horizons=(1, 9))
    document = factor_document(found) | {
        "strategy": "<mine>",
        "parameters": {},
        "data": {"name": "here", "synthetic": False, "fingerprint": "0", "symbols": panel.symbols},
        "data_warnings": ["a gap"],
    }
    write_factor(found, document, tmp_path / "factor.html")
    text = (tmp_path / "factor.html").read_text(encoding="utf-8")
    assert "Cannot be told</b> what it foretells: all scores are the same." in text
    assert "<b>1 warning about the data</b><ul><li>a gap</li>" in text
    assert re.findall(r'<section id="(\w+)"', text) == ["summary", "score", "method"]
    assert "<td>n/a</td>" not in text
    assert "SYNTHETIC" not in text
    assert "&lt;mine&gt;" in text
    assert "nan" not in re.sub(r"<(style|svg|script).*?</\1>", "", text, flags=re.DOTALL).lower()
