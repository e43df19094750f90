"""Look-ahead of any size and through any door is found; what only looks like it passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.errors import StrategyError, UsageError, ValidationError
from data.load import load_panel
from data.panel.panel import Panel
from data.panel.until import Copied, OtherFuture, Until
from data.scenarios.perturb import cut, rows_of, settled
from data.store.store import Store
from engine import run
from engine.audits import AUDITS, Audited, audit
from engine.audits.look_ahead import look_ahead
from engine.audits.purity import cut_inputs, purity
from engine.strategy.adapters import adapt
from engine.strategy.causality import alike
from engine.strategy.fresh import fresh
from engine.strategy.loader import load_strategy
from strategies import STRATEGIES
from tests.helpers import biased, honest, impure, peeking

GATES = ("look_ahead", "warm_up", "order_and_scale")


@pytest.fixture(scope="module")
def panel() -> Panel:
    """The first 120 sessions of four funds of the demo market."""
    whole = load_panel(Demo(), ("157001.SZ", "157003.SZ", "586031.SH", "586021.SH"))
    return rows_of(settled(whole.ingredients), 120).build()


# --- what is the same -------------------------------------------------------------------------------------


def test_alike_by_hand() -> None:
    whole = np.array([[1.0, 3.0, np.nan], [1e-11, 3e-11, 2e-11], [0.1, 0.1, 0.1]])
    # A billionth of the spread: 2e-9, 2e-20; without any spread eight units in the last place, 1.8e-16.
    near = whole + np.array([[1.9e-9, 0.0, 0.0], [0.0, 1.9e-20, 0.0], [0.0, 1.7e-16, 0.0]])
    far = whole + np.array([[2.1e-9, 0.0, 0.0], [0.0, 2.1e-20, 0.0], [0.0, 2.1e-16, 0.0]])
    assert alike(near, whole).all()
    assert (~alike(far, whole)).nonzero()[1].tolist() == [0, 1, 1]
    assert (~alike(near, whole, exact=True)).sum() == 3
    came = np.where(np.isnan(whole), 0.0, whole)
    assert (~alike(came, whole)).sum() == (~alike(whole, came)).sum() == 1


def test_infinite_scores_are_alike_where_they_are_equal() -> None:
    whole = np.array([[np.inf, -np.inf, 1.0], [np.nan, np.nan, np.nan]])
    assert alike(whole.copy(), whole).all()
    assert not alike(-whole, whole)[0].any()


# --- the views --------------------------------------------------------------------------------------------


def test_views_of_the_known_face(panel: Panel) -> None:
    known, row = panel.known, 80
    other, until, copied = (kind(known, row) for kind in (OtherFuture, Until, Copied))
    for name in ("adjusted_close", "listed", "units", "net_financing"):
        whole = getattr(known, name)
        np.testing.assert_array_equal(getattr(other, name)[: row + 1], whole[: row + 1])
        assert getattr(other, name).shape == whole.shape
        assert getattr(until, name).shape == getattr(copied, name).shape == whole[: row + 1].shape
        assert getattr(copied, name).base is None
    later = other.adjusted_close[row + 1 :], known.adjusted_close[row + 1 :]
    assert not (later[0] == later[1]).any()
    np.testing.assert_array_equal(other.flow("nav")[: row + 1], known.flow("nav")[: row + 1])
    assert len(until.flow("nav")) == row + 1
    assert len(until.until(row + 5).days) == row + 1
    assert len(until.until(5).days) == 6
    np.testing.assert_array_equal(other.until(100).adjusted_close, other.adjusted_close[:101])
    for view in (other, until, copied):
        with pytest.raises(ValidationError, match="reaches for `_market`"):
            _ = view._market
        assert not hasattr(view, "__array__")


def test_month_ends_are_public_in_advance(panel: Panel) -> None:
    known = panel.known
    left = known.sessions_left("month")
    months = known.days.astype("datetime64[M]")
    np.testing.assert_array_equal(left[:-1] == 0, months[1:] != months[:-1])
    assert known.calendar[-1] > known.days[-1]
    # 2020-08-31 was the last of August, 2020-09-25 a Friday.
    assert left[known.days.tolist().index(np.datetime64("2020-08-31").item())] == 0
    week = known.sessions_left("week")
    assert week[known.days.tolist().index(np.datetime64("2020-09-25").item())] == 0
    short = cut(panel.ingredients, 100).build().known
    for period in ("week", "month", "quarter", "year"):
        np.testing.assert_array_equal(short.sessions_left(period), known.sessions_left(period)[:101])
    assert len(Until(known, 100).sessions_left("month")) == 101


# --- biased -----------------------------------------------------------------------------------------------

PEEKING = (
    *(peeking.TinyScale, peeking.TieBreak, peeking.TinyTieBreak, peeking.FullSampleZ, peeking.FullSampleRank),
    *(peeking.BackFilled, peeking.CentredWindow, peeking.MinMax, peeking.MonthLabel),
    *(peeking.WeightOfTomorrow, peeking.PrivateDecider, peeking.CloseOfTomorrow, biased.PeekingDecider),
)


def late(panel: Panel, strategy: type[Any]) -> Any:
    return strategy(since=str(panel.days[-30])) if strategy is peeking.LastThirty else made(strategy)


def made(strategy: type[Any]) -> Any:
    return strategy if issubclass(strategy, peeking.bt.Strategy) else strategy()


@pytest.mark.parametrize("strategy", [*PEEKING, peeking.LastThirty])
def test_a_run_of_one_that_looks_ahead_ends_with_code_5(panel: Panel, strategy: type[Any]) -> None:
    with pytest.raises(ValidationError, match="looks ahead") as error:
        run(late(panel, strategy), panel)
    assert error.value.exit_code == 5


@pytest.mark.parametrize("strategy", [*PEEKING, peeking.Seldom])
def test_the_audit_finds_it(panel: Panel, strategy: type[Any]) -> None:
    (opinion,) = audit(Audited(made(strategy), panel), ["look_ahead"])
    assert opinion.passed is False
    assert "looks ahead" in opinion.sentence


@pytest.mark.parametrize("seed", range(6))
def test_the_audit_finds_what_peeks_in_the_last_thirty_sessions_with_any_seed(
    panel: Panel, seed: int
) -> None:
    audited = Audited(late(panel, peeking.LastThirty), panel)
    opinion = look_ahead(replace(audited, conditions=replace(audited.conditions, seed=seed)))
    assert opinion.passed is False


def test_a_panel_in_a_closure_is_told_by_name(panel: Panel) -> None:
    strategy = peeking.globally()()
    with pytest.raises(ValidationError, match="its closure `panel` is a Panel"):
        run(strategy, panel)
    (opinion,) = audit(Audited(strategy, panel), ["look_ahead"])
    assert opinion.passed is False
    assert "its closure `panel`" in opinion.sentence


def test_a_panel_in_a_field_or_a_helpers_global_is_told_too(panel: Panel) -> None:
    @dataclass(frozen=True)
    class Holding:
        market: Any

        def decide(self, past: Any, held: Any) -> None:
            return None

    with pytest.raises(ValidationError, match="its field `market` is a Panel"):
        run(Holding(panel), panel)
    with pytest.raises(ValidationError, match="its field `market` is a Known"):
        run(Holding([{"all": panel.known}]), panel)


def test_what_a_module_keeps_of_its_first_panel_is_found(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "first.py"
    file.write_text(Path(peeking.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    strategy = load_strategy(f"{file}:FirstPanel", {}, {})
    with pytest.raises(ValidationError, match="looks ahead"):
        run(strategy, panel)
    assert look_ahead(Audited(strategy, panel)).passed is False


@pytest.mark.slow
def test_another_process_has_kept_nothing_of_what_was_imported(panel: Panel) -> None:
    opinion = purity(Audited(peeking.FirstPanel(), panel))
    assert opinion.passed is False


def test_one_that_answers_by_chance_is_impure_not_looking_ahead(panel: Panel) -> None:
    with pytest.raises(ValidationError, match="Chance is impure: asked twice"):
        run(impure.Chance(), panel)
    with pytest.raises(ValidationError, match="ByLot is impure: asked twice"):
        run(impure.ByLot(), panel)
    opinion = look_ahead(Audited(impure.Chance(), panel))
    assert opinion.passed is False
    assert "is impure" in opinion.sentence
    assert "looks ahead" not in opinion.sentence


# --- honest -----------------------------------------------------------------------------------------------

HONEST = (
    *(honest.Expanding, honest.Exponential, honest.UnitsSinceListing, honest.Floor, honest.MonthEnds),
    *(honest.Memo, honest.CrossSection, honest.Breadth, honest.Macro, honest.Remembering, honest.Fixed),
    honest.Average,
)


@pytest.mark.parametrize("strategy", HONEST)
def test_the_honest_run_and_pass_every_gate(panel: Panel, strategy: type[Any]) -> None:
    run(made(strategy), panel)
    opinions = {each.name: each for each in audit(Audited(made(strategy), panel), GATES)}
    assert not [each for each in opinions.values() if each.failed]
    assert opinions["look_ahead"].passed is True


@pytest.mark.slow
@pytest.mark.parametrize("strategy", HONEST)
def test_the_honest_are_pure(panel: Panel, strategy: type[Any]) -> None:
    opinion = purity(Audited(made(strategy), panel))
    assert opinion.passed is True, opinion.sentence


def test_one_that_uses_all_history_is_told_what_hangs_on_it(panel: Panel) -> None:
    opinion = AUDITS["warm_up"](Audited(honest.Expanding(), panel))
    assert opinion.passed is None
    assert "declares that it uses all history" in opinion.sentence
    assert len(opinion.details["starts"]) == len(opinion.details["ranks"]) == 3
    assert all(each > 0.0 for each in opinion.details["changed"])

    class Undeclared(honest.LongExponential):
        """Of its exponential mean much is left after 21 sessions."""

        @property
        def warmup(self) -> int:
            return 21

    failed = AUDITS["warm_up"](Audited(Undeclared(), panel))
    assert failed.passed is False
    assert '`history = "all"`' in failed.sentence

    class Misspelt(honest.LongExponential):
        history = "everything"

    with pytest.raises(StrategyError, match="`history` of Misspelt"):
        AUDITS["warm_up"](Audited(Misspelt(), panel))


def test_a_copy_keeps_what_it_remembers_to_itself(panel: Panel) -> None:
    used = adapt(honest.Remembering())
    used.strategy.decide(panel.known.until(30), {})
    assert len(used.strategy.top) == 1
    other = fresh(used)
    other.strategy.top.append(0.0)
    assert len(used.strategy.top) == 1


# --- purity -----------------------------------------------------------------------------------------------

ASKED = {
    impure.Clock: "asks the clock (time.time)",
    impure.Today: "asks the clock (datetime.today, datetime.now)",
    impure.NumpyToday: "does not say the same in two processes",
    impure.Hash: "does not say the same in two processes",
    impure.Chance: "does not say the same in two processes",
    impure.Generator: "draws by chance without a seed",
    impure.Environment: "reads the environment (MY_FACTOR)",
    impure.Undeclared: "macro.csv, which it does not declare as an input",
    impure.Network: "asks the network",
    impure.Market: "loads the market itself",
}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ASKED)
def test_what_it_asks_besides_is_named(panel: Panel, strategy: type[Any]) -> None:
    opinion = purity(Audited(strategy(), panel))
    assert opinion.passed is False
    assert opinion.sentence.startswith(f"{strategy.__name__} is impure: it ")
    assert ASKED[strategy] in opinion.sentence


@pytest.mark.slow
def test_a_watch_and_a_seed_are_pure(panel: Panel) -> None:
    opinion = purity(Audited(impure.Honestly(), panel))
    assert opinion.passed is True, opinion.sentence


def test_a_declared_input_has_its_hash_in_the_manifest(panel: Panel) -> None:
    files = run(honest.Macro(), panel).manifest["files"]
    assert list(files) == ["macro.csv"]
    assert len(files["macro.csv"]) == 16


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("day,value\n2024-01-02,1\n2024-01-04,2\n", "day,value\n2024-01-02,1\n"),
        ("value,day\n1,20240103\n2,20240104\n", "value,day\n1,20240103\n"),
        # A month is known on its last day.
        ("month,value\n2023-12,1\n2024-01,2\n", "month,value\n2023-12,1\n"),
        ("time,value\n2024-01-03 15:00,1\n2024/01/04 15:00,2\n", "time,value\n2024-01-03 15:00,1\n"),
    ],
)
def test_inputs_are_cut_by_date(tmp_path: Path, text: str, left: str) -> None:
    file, folder = tmp_path / "file.csv", tmp_path / "cut"
    folder.mkdir()
    file.write_text(text, encoding="utf-8")
    cut_off = cut_inputs({"file.csv": file}, date(2024, 1, 3), folder)
    assert Path(cut_off[str(file)]).read_text(encoding="utf-8") == left
    file.write_text("fund,fee\nA,0.5\n", encoding="utf-8")
    assert cut_inputs({"file.csv": file}, date(2024, 1, 3), folder) == {}


@pytest.mark.slow
def test_a_declared_input_is_held_to_its_dates(panel: Panel) -> None:
    opinion = purity(Audited(honest.Macro(), panel))
    assert opinion.passed is True
    assert "of macro.csv it uses no row before its date" in opinion.sentence
    early = purity(Audited(impure.EarlyMacro(), panel))
    assert early.passed is False
    assert "EarlyMacro looks ahead" in early.sentence
    assert "without the later rows of macro.csv" in early.sentence


def test_an_input_that_is_not_there_is_told(panel: Panel) -> None:
    class Lost(honest.Honest):
        inputs = ("nowhere.csv",)

        def scores(self, known: Any) -> np.ndarray:
            return np.array(known.close)

    with pytest.raises(UsageError, match=r"declares an input that is not there; received nowhere\.csv"):
        run(Lost(), panel)


# --- last bits --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("data", ["demo", "real"])
def test_no_builtin_changes_a_bit_of_the_past(
    data: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """What the rule of ``alike`` stands on: neither with another future nor without any."""
    if data == "demo":
        panel = load_panel(Demo())
    else:
        from data.importing.importer import import_files

        folder = request.getfixturevalue("shared") / "tidy-cn"
        import_files([folder], Store(tmp_path / "store"))
        panel = load_panel(Store(tmp_path / "store"))
    known, end = panel.known, len(panel.days)
    for name in sorted(set(STRATEGIES) - {"weights"}):
        strategy = adapt(STRATEGIES[name]())
        whole = strategy.values(known)
        for row in (end // 4, end // 3, end // 2, 2 * end // 3, 3 * end // 4, end - 21, end - 2):
            for view in (OtherFuture(known, row), Copied(known, row)):
                again = strategy.values(view)[: row + 1]
                np.testing.assert_array_equal(again, whole[: row + 1], err_msg=f"{name} at {row}")
