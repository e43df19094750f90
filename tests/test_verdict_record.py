"""A verdict over everything that was looked at: what counts, what copies change, and which word stays."""

from __future__ import annotations

import dataclasses
import importlib
import math
import shutil
import sys
import types
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.load import load_panel
from data.panel.panel import Panel
from engine import audit, compare, factor, run, signal, sweep, tune
from engine.record.body import body_of
from engine.record.lines import Forgotten, Judgement, Line, Look, replaces
from engine.record.record import Contents, Record
from engine.record.sets import ParameterSets
from engine.report.verdict_section import verdict_head, verdict_section
from engine.statistics.deflated import minimum_backtest_length
from engine.strategy.adapters import adapt
from engine.strategy.loader import strategy_class
from engine.strategy.source import code_of, module_of, source_of
from engine.tuning.columns import again
from engine.tuning.earlier import earlier
from engine.tuning.families import family_of
from engine.tuning.inputs import named_files
from engine.tuning.judge import SplitSizes, judge_study
from engine.tuning.on_record import Family, Seen, key_of_set, on_record
from engine.tuning.tune import Pace
from engine.tuning.tune import tune as search_on
from engine.tuning.writer import StudyWriter
from engine.verdict.duplicates import kinds
from engine.verdict.evidence import Earlier, Evidence, Since, TrialLog
from engine.verdict.returns import selected
from engine.verdict.sample import sample_of
from engine.verdict.selection import luck, selection, trials_borne
from engine.verdict.skill import skill
from engine.verdict.text import WITHHELD, document, history, render
from engine.verdict.thresholds import Resamples, Thresholds
from engine.verdict.verdict import judge, report
from strategies.blend import Blend
from strategies.momentum import Momentum
from strategies.share_inflow import ShareInflow
from tests.test_verdict_rules import evidence, good

LINES = Thresholds()
FEW = Resamples(superiority=199, difference=1, interval=1, paths=1)
DAYS = np.arange("2021-01-04", "2021-07-01", dtype="datetime64[D]")
BODY = body_of(DAYS, ("A.SZ",), 1.0 + np.arange(len(DAYS), dtype=np.float64)[:, None])
PERIOD = ("2021-01-04", "2021-06-30")
MINE = Family("Mine", "abc")


def look(number: int, sets: ParameterSets, **changes: Any) -> Look:
    at = f"2026-01-01T00:00:{number:02}+00:00"
    return replace(Look(f"l{number}", at, "run", "Mine", "abc", "", BODY.name, *PERIOD, sets), **changes)


def judged(number: int, word: str, **changes: Any) -> Judgement:
    at = f"2026-01-01T00:00:{number:02}+00:00"
    made = Judgement(f"j{number}", at, "s-1", "Mine", BODY.name, *PERIOD, word, "both", "X", 0, "abc")
    return replace(made, **changes)


def found(*lines: Line, first: str = PERIOD[0], last: str = PERIOD[1], **more: Any) -> Any:
    contents = Contents(lines, {BODY.name: BODY}, more.pop("damaged", 0), more.pop("unread", ()))
    return on_record(contents, BODY, first, last, MINE, **more)


GRID = ParameterSets({"cap": 1.0}, {"lookback": (5, 10), "top": (1, 2)})


# --- what counts ------------------------------------------------------------------------------------------


def test_distinct_sets_of_all_looks_count_once_in_an_order_of_their_own():
    one = look(1, GRID)
    two = look(2, ParameterSets.single({"cap": 1, "lookback": 10.0, "top": 2}))  # the last of the grid
    three = look(3, ParameterSets.single({"cap": 1.0, "lookback": 20, "top": 2}))
    known = found(one, two, three)
    assert known.count == len(known.sets) == 5
    assert [each.key for each in found(three, two, one).sets] == [each.key for each in known.sets]


def test_a_family_is_a_name_or_the_code():
    renamed = look(1, GRID, strategy="Other")  # the same code under another name: the same trials
    edited = look(2, GRID, source="def")  # the same class, edited or copied: other trials
    other = look(3, GRID, strategy="Other", source="def")
    unread = look(4, GRID, strategy="Third", source="")
    assert [found(each).count for each in (renamed, edited, other, unread)] == [4, 4, 0, 0]
    assert found(look(5, GRID), renamed, edited).count == 8
    tuned = look(6, GRID, strategy="Other", source="ghi", shape="s")  # renamed, and a number changed
    contents = Contents(
        (tuned, judged(7, "rejected", strategy="Other", source="ghi", shape="s")), {BODY.name: BODY}, 0
    )
    known = on_record(contents, BODY, *PERIOD, replace(MINE, shape="s"))
    assert (known.count, len(known.judgements)) == (4, 1)
    assert on_record(contents, BODY, *PERIOD, replace(MINE, shape="t")).count == 0


CODE = """
from dataclasses import dataclass
from strategies.momentum import Momentum
LEVEL = 0.5
def helped(values):
    return values * LEVEL
@dataclass(frozen=True, kw_only=True)
class Mine(Momentum):
    width: int = 3
    def scores(self, known):
        return helped(known.close) / self.width
"""
MORE = """
@dataclass(frozen=True)
class Sibling(Momentum):
    def scores(self, known):
        return -known.close
"""


@pytest.mark.parametrize(
    ("text", "name", "source", "shape"),
    [
        (CODE + MORE, "Mine", True, True),  # what else is in the file
        ("# by me\n" + CODE.replace("return h", "# times\n        return h"), "Mine", True, True),
        (CODE.replace("    width", '    """What it does."""\n    width'), "Mine", True, True),
        (CODE.replace("Mine", "Other"), "Other", True, True),
        (CODE.replace("Mine", "Other").replace("0.5", "0.6"), "Other", False, True),
        (CODE.replace("width: int = 3", "width: int = 4"), "Mine", False, True),
        (CODE.replace("values * LEVEL", "values + LEVEL"), "Mine", False, False),
        (CODE + MORE, "Sibling", False, False),
    ],
)
def test_code_is_that_of_the_class_and_of_what_it_uses(tmp_path, text, name, source, shape):
    (tmp_path / "a.py").write_text(CODE)
    (tmp_path / "b.py").write_text(text)
    one = code_of(strategy_class(f"{tmp_path}/a.py:Mine", {}))
    two = code_of(strategy_class(f"{tmp_path}/b.py:{name}", {}))
    assert one.source
    assert (one.source == two.source, one.shape == two.shape) == (source, shape)


def test_code_of_other_modules_of_the_user_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text(
        "import helpers_of_mine\n" + CODE.replace("return helped(", "return helpers_of_mine.f(")
    )
    found = []
    for level in (1, 2):
        (tmp_path / "helpers_of_mine.py").write_text(f"def f(x):\n    return x * {level}\n")
        importlib.invalidate_caches()
        sys.modules.pop("helpers_of_mine", None)
        found.append(code_of(strategy_class(f"{tmp_path}/mine.py:Mine", {})))
    sys.modules.pop("helpers_of_mine")
    assert found[0].source != found[1].source
    assert found[0].shape == found[1].shape


def in_a_notebook(text: str, name: str) -> Any:
    space: dict[str, Any] = {"__name__": "a_notebook"}
    exec(text, space)
    return code_of(space[name])


def test_a_class_in_a_notebook_is_known_by_its_compiled_code():
    module = types.ModuleType("a_notebook")
    sys.modules["a_notebook"] = module
    try:
        one = in_a_notebook(CODE, "Mine")
        assert one.source
        assert one.shape not in ("", one.source)
        assert in_a_notebook("1\n2\n" + CODE.replace("Mine", "Other") + MORE, "Other") == one
        other = in_a_notebook(CODE.replace("0.5", "0.6"), "Mine")
        assert (other.source == one.source, other.shape == one.shape) == (False, True)
        assert in_a_notebook(CODE.replace("* LEVEL", "+ LEVEL"), "Mine").shape != one.shape
    finally:
        del sys.modules["a_notebook"]


@pytest.mark.parametrize("holder", ['{"level": %s}', "[%s]", "np.array([%s])", "{%s}", "((1, [%s]),)"])
@pytest.mark.parametrize("inside", [True, False])
def test_what_holds_the_numbers_of_a_notebook_is_its_code(monkeypatch, holder, inside):
    monkeypatch.setitem(sys.modules, "a_notebook", types.ModuleType("a_notebook"))

    def made(number: float, close: float = 1.0) -> Any:
        line = f"LEVEL = {holder % number}"
        text = CODE.replace("LEVEL = 0.5", f"import numpy as np\nclose = [{close}]\n" + line)
        if inside:
            text = text.replace("    width", f"    {line}\n    width").replace("known.close)", "self.LEVEL)")
        return in_a_notebook(text, "Mine")

    one, other = made(0.5), made(0.75)
    assert (one.source == other.source, one.shape == other.shape) == (False, True)
    # A variable that has the name of an attribute is none of it.
    assert made(0.5, close=2.0) == one


def test_what_a_class_encloses_is_its_code():
    def made(score: Any) -> Any:
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Mine(Momentum):
            def scores(self, known: Any) -> Any:
                return score(known)

        return code_of(Mine)

    up, down = made(lambda known: known.close), made(lambda known: -known.close)
    assert up != down
    assert made(lambda known: known.close) == up


def test_what_a_strategy_derives_from_counts_and_does_not_bind():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Mine(Momentum):
        """Momentum under another name."""

    family = family_of(adapt(Mine()))
    assert family.bases == ("Momentum",)
    lines = (look(1, GRID, strategy="Momentum"), judged(2, "rejected", strategy="Momentum"))
    contents = Contents(lines, {BODY.name: BODY}, 0)
    known = on_record(contents, BODY, *PERIOD, family)
    assert (known.count, known.judgements) == (4, ())


def test_the_same_set_on_other_terms_is_a_variant():
    def variants(*changes: dict[str, Any]) -> tuple[int, int]:
        known = found(*(look(n, GRID, **{"conditions": "c", **each}) for n, each in enumerate(changes)))
        return known.count, known.variants

    assert variants({}) == (4, 0)
    assert variants({}, {"conditions": "d"}, {"conditions": "e"}) == (4, 8)
    assert variants({}, {"start": "2021-02-01"}) == (4, 4)
    # As evenings go by, and for lines of before there was such a thing, there is none.
    assert variants({}, {"last": "2021-06-29"}, {"first": "2021-01-05"}, {"conditions": ""}) == (4, 0)
    # Tried elsewhere alone, a set is one set.
    assert variants({"conditions": "d"}) == (4, 0)


def test_other_funds_make_variants_and_funds_that_came_since_do_not():
    closes = 1.0 + np.arange(len(DAYS), dtype=np.float64)[:, None] * np.array([1.0, 2.0])
    closes[np.datetime64("2021-05-01") > DAYS, 1] = np.nan  # B is listed in May
    both = body_of(DAYS, ("A.SZ", "B.SZ"), closes)

    def variants(*lasts: str) -> int:
        looks = [look(n, GRID, conditions="c", last=last) for n, last in enumerate(lasts)]  # at A
        looks.append(look(9, GRID, conditions="c", body=both.name))
        return on_record(
            Contents((*looks,), {BODY.name: BODY, both.name: both}, 0), both, *PERIOD, MINE
        ).variants

    assert variants() == 0
    assert variants("2021-04-30") == 0
    assert variants("2021-04-30", "2021-05-31", "2021-06-30") == 4


def test_variants_count_for_the_p_value_and_the_bar():
    assert TrialLog(10, 5, variants=10).penalty == 2.0
    assert TrialLog(10, 5, lost=5, variants=10).penalty == 4.0
    assert TrialLog(10, 10, lost=10).penalty == 1.0
    plain = null_search(0)
    more = replace(plain, log=replace(plain.log, variants=9 * plain.log.total))
    one, two = (luck(each, sample_of(each), LINES) for each in (plain, more))
    assert two.expected_maximum > one.expected_maximum
    assert two.deflated < one.deflated
    assert (two.trials, two.backtest_years) == (one.trials, one.backtest_years)  # sets, as before
    assert any("looks at sets of these on other funds" in note for note in two.notes)


def test_another_version_of_a_file_is_another_set_and_the_first_is_lost(tmp_path, monkeypatch):
    weights = tmp_path / "w.csv"
    monkeypatch.chdir(tmp_path)
    base, keys, asked = adapt(Momentum()), [], []
    for content in ("1", "2"):
        weights.write_text(content)
        files = named_files(base, ["w.csv", "w", 5, ""])
        assert [*files] == ["w.csv"]
        keys.append(key_of_set("abc", "Mine", {"weights": "w.csv"}, files))
        asked.append(look(len(keys), ParameterSets.single({"weights": "w.csv"}), files=files))
    assert keys[0] != keys[1]
    known = found(*asked)
    assert {each.key for each in known.sets} == {*keys}
    source = source_of(Momentum)
    seen = [
        Seen((source, each.key[1]), "Momentum", source, "", {"lookback": 5}, each.files)
        for each in known.sets
    ]
    made = again(seen, base, family_of(base), {})
    assert len(made) == 1  # the second version, which is there


def test_an_input_that_is_declared_is_part_of_the_code(tmp_path):
    (tmp_path / "mine.py").write_text(CODE.replace("    width", '    inputs = ("w.csv",)\n    width'))
    (tmp_path / "w.csv").write_text("1")
    base = adapt(strategy_class(f"{tmp_path}/mine.py:Mine", {})())
    one = family_of(base)
    (tmp_path / "w.csv").write_text("2")
    two = family_of(base)
    assert one.source != two.source
    assert (one.shape, one.name) == (two.shape, two.name)


def test_only_looks_at_these_data_and_days_count():
    elsewhere = body_of(DAYS, ("A.SZ",), 9.0 + np.arange(len(DAYS), dtype=np.float64)[:, None])
    lines = (look(1, GRID), look(2, GRID, body=elsewhere.name, source="x"))
    contents = Contents(lines, {BODY.name: BODY, elsewhere.name: elsewhere}, 0)
    assert on_record(contents, BODY, *PERIOD, MINE).count == 4
    early = look(1, GRID, last="2021-03-31")
    assert (found(early).count, found(early, first="2021-04-01").count) == (4, 0)


def test_of_very_many_sets_all_are_counted_and_an_even_part_is_read(monkeypatch):
    monkeypatch.setattr("engine.tuning.on_record.MOST_COUNTED", 3)
    known = found(look(1, GRID), look(2, GRID))
    assert (known.count, len(known.sets)) == (4, 2)


def test_a_search_that_was_killed_counts_by_what_it_was_to_try():
    plan = look(1, ParameterSets({"cap": 1.0}, names=("top",)), planned=30)
    assert (found(plan).count, found(plan).planned) == (0, 30)
    ended = replace(plan, at="2026-01-01T00:00:02+00:00", sets=GRID, planned=0)
    assert replaces(ended, plan)
    assert not replaces(plan, ended)
    assert replaces(replace(ended, at=plan.at), plan)  # within a second
    assert not replaces(judged(2, "rejected"), plan)


def test_a_set_that_gave_another_result_was_another_set():
    one = ParameterSets.single({"lookback": 10})
    terms = {"conditions": "c", "best": {"sharpe_ratio": 1.25}}

    def drifted(*changes: dict[str, Any], sets: ParameterSets = one) -> tuple[int, int]:
        known = found(*(look(n, sets, **(terms | each)) for n, each in enumerate(changes)))
        return known.count, known.drifted

    other = {"best": {"sharpe_ratio": 1.5}}
    third = {"best": {"sharpe_ratio": 1.75}}
    assert drifted({}, other, third, other) == (1, 2)
    assert found(look(1, one, **terms), look(2, one, **(terms | other))).unnamed == 1
    # The same evening after evening, another machine's last bit, and what does not say its result.
    assert drifted({}, {}, {"best": {"sharpe_ratio": 1.25 * (1 + 1e-12)}}, {"best": {}}) == (1, 0)
    # Other sessions, terms and commands give other numbers rightly.
    later = {**other, "last": "2021-06-29"}
    assert drifted({}, later, {**third, "conditions": "d"}, {**third, "command": "audit"}) == (1, 0)
    # Of a grid the best is known alone, which hangs on the objective; and lines of before say no terms.
    assert drifted({}, other, sets=GRID) == (4, 0)
    assert drifted({"conditions": ""}, {**other, "conditions": ""}) == (1, 0)


def test_phases_that_an_audit_told_of_count_once_another_is_taken():
    def counted(*phases: int, told: int = 20, rebalance: int = 20, **more: Any) -> int:
        one = {"rebalance": 20, "tranches": 1, "phase": 0}
        asked = look(1, ParameterSets.single(one), command="audit", phases=told)
        sets = [{**one, "rebalance": rebalance, **more, "phase": each} for each in phases]
        return int(found(asked, *(look(n + 2, ParameterSets.single(s)) for n, s in enumerate(sets))).count)

    assert counted() == counted(0) == 1  # nobody chose
    assert counted(13) == counted(13, 5) == 20
    assert counted(13, top=2) == 21  # beside what was audited
    assert counted(13, told=0) == 2  # the audit was of something else
    assert counted(3, rebalance=5) == 2  # another cycle


def test_what_cannot_be_known_is_said():
    assert found().unknown == ()
    assert "cannot be written" in found(refusing=["/store/record: Read-only file system"]).unknown[0]
    assert "cannot be read" in found(unread=("/store/record: Permission denied",)).unknown[0]
    assert found(damaged=2).unknown[0].startswith("2 lines of the record damaged, missing or moved")
    gone = Forgotten("f", "2026-02-03T00:00:00+00:00", 7, BODY.name, "2021-01-04", "2021-05-31")
    assert "7 lines" in found(gone).unknown[0]
    assert "2026-02-03" in found(gone).unknown[0]
    assert found(gone, first="2021-06-01").unknown == ()


def test_versions_that_are_still_there_are_run_again_and_others_are_not(tmp_path):
    text = (
        "from dataclasses import dataclass\nfrom strategies.momentum import Momentum\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Mine(Momentum):\n    pass\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Renamed(Mine):\n    pass\n"
    )
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "edited.py").write_text(
        text.replace("Mine(Momentum):\n    pass", "Mine(Momentum):\n    cut = 0")
    )
    mine = strategy_class(f"{tmp_path}/mine.py:Mine", {})
    base = adapt(mine())
    here, there = source_of(mine), source_of(strategy_class(f"{tmp_path}/edited.py:Mine", {}))

    def seen(name: str, source: str, path: str, **parameters: Any) -> Seen:
        return Seen(key_of_set(source, name, parameters), name, source, path, parameters)

    asked = [
        seen("Mine", here, "", lookback=5),
        seen("Renamed", here, "", lookback=6),
        seen("Mine", module_of(mine), "", lookback=12),  # as records of before know it
        seen("Mine", there, f"{tmp_path}/edited.py:Mine", lookback=7),
        seen("Mine", there, f"{tmp_path}/gone.py:Mine", lookback=8),
        seen("Mine", "0123", f"{tmp_path}/mine.py:Mine", lookback=9),  # as it was before it was edited
        seen("Mine", here, "", lookforward=10),  # a parameter that it does not have
        seen("Momentum", source_of(Momentum), "", lookback=11),
    ]
    made = again(asked, base, family_of(base), {"momentum": Momentum})
    assert [each.parameters["lookback"] for each in made.values()] == [5, 6, 12, 7, 11]


# --- copies, and what cannot be run again -----------------------------------------------------------------


def test_kinds_are_the_best_of_each_group_best_first():
    a, b = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    returns = np.column_stack([a, b, 2.0 * a, a + 0.1 * b])  # a + 0.1 b and a are correlated by 0.995
    by_level = kinds(returns, np.array([0.1, 0.3, 0.2, 0.4]))
    assert by_level[0.9].tolist() == [3, 1]
    assert by_level[0.5].tolist() == [3, 1]
    assert kinds(returns, np.array([0.1, math.nan, 0.2, 0.1]))[0.9].tolist() == [2]


def null_search(copies: int, seed: int = 3) -> Evidence:
    """Return thirty trials without skill on ten years, and copies of the best."""
    random = np.random.default_rng(seed)
    returns = 0.01 * random.standard_normal((2520, 30))
    best = int(np.argmax(returns.mean(axis=0) / returns.std(axis=0)))
    noise = 0.0002 * random.standard_normal((2520, copies))
    returns = np.hstack([returns, returns[:, [best]] + noise])
    count = returns.shape[1]
    return Evidence(returns, np.zeros(2520), best, 252.0, TrialLog(count, count), seed=seed)


@pytest.mark.parametrize("copies", [2, 60, 600])
def test_copies_of_the_winner_do_not_lower_the_bar(copies):
    alone, beside = (luck(each, sample_of(each), LINES) for each in (null_search(0), null_search(copies)))
    assert beside.expected_maximum >= 0.99 * alone.expected_maximum
    assert beside.deflated <= alone.deflated + 0.01


def test_equal_trials_have_no_spread_and_do_not_pass():
    random = np.random.default_rng(1)
    one = 0.001 + 0.01 * random.standard_normal((2520, 1))
    given = Evidence(np.repeat(one, 3, axis=1), np.zeros(2520), 0, 252.0, TrialLog(3, 3))
    told = report(given, resamples=FEW)
    assert "equal Sharpe ratios" in told.blocks.luck.reasons["deflated"]
    assert told.verdict.word != "supported"


def test_ratios_are_in_excess_of_what_cash_yields():
    given = null_search(0)
    cash = np.full(len(given.returns), 0.0001)
    plain, excess = sample_of(given), sample_of(replace(given, cash=cash))
    of = given.returns[:, plain.selected]
    assert excess.ratios[excess.selected] == pytest.approx((of.mean() - 0.0001) / of.std(ddof=1))
    assert np.allclose(excess.account, of, rtol=0.0, atol=1e-15)
    assert plain.account is plain.chosen or np.array_equal(plain.account, of)
    # What is held against a benchmark is a difference, from which cash cancels.
    one, two = (skill(given, each, LINES, FEW) for each in (plain, excess))
    assert two.spa == pytest.approx(one.spa)
    blocks = [selected(given, each, FEW) for each in (plain, excess)]
    assert blocks[1].in_sample < blocks[0].in_sample
    for name in ("growth", "volatility", "drawdown"):
        assert getattr(blocks[1], name) == pytest.approx(getattr(blocks[0], name))


def test_copies_that_all_survive_are_not_interchangeable_trials():
    random = np.random.default_rng(2)
    winner = 0.002 + 0.01 * random.standard_normal((1500, 1))
    idle = 0.01 * random.standard_normal((1500, 9)) - 0.0005
    near = winner + 0.0001 * random.standard_normal((1500, 30))
    returns = np.hstack([winner, idle, near])
    given = Evidence(returns, np.zeros(1500), 0, 252.0, TrialLog(40, 40))
    of = skill(given, sample_of(given), LINES, FEW)
    assert of.survivors == 31
    assert of.accepted == pytest.approx(1 / 10)  # one kind of ten
    lost = replace(given, log=TrialLog(130, 40, 90))
    assert skill(lost, sample_of(lost), LINES, FEW).accepted <= 1 / 100


def test_what_cannot_be_run_again_multiplies_the_p_value_and_rejects_nothing():
    random = np.random.default_rng(5)
    returns = 0.01 * random.standard_normal((1500, 10))
    returns[:, 0] += 0.0008
    given = Evidence(returns, np.zeros(1500), 0, 252.0, TrialLog(10, 10))
    assert given.log.penalty == 1.0
    more = replace(given, log=TrialLog(40, 10, 30))
    assert more.log.penalty == 4.0
    before, after = (skill(each, sample_of(each), LINES, FEW) for each in (given, more))
    assert after.measured == before.spa
    assert after.spa == pytest.approx(min(4.0 * before.spa, 1.0))
    # 0.3 would reject; measured, it was 0.06.
    found = judge(evidence(), good(skill__spa=0.3, skill__measured=0.06), LINES)
    assert found.word == "unproven"


def test_the_harder_of_benchmark_and_equal_weight_counts():
    random = np.random.default_rng(6)
    market = 0.01 * random.standard_normal(1500)
    returns = market[:, None] + 0.002 * random.standard_normal((1500, 5))
    returns[:, 0] += 0.0001
    weak = Evidence(
        returns, market - 0.002, 0, 252.0, TrialLog(5, 5), benchmark_name="weak", equal_weight=market
    )
    of = skill(weak, sample_of(weak), LINES, FEW)
    assert (of.benchmark, of.other) == ("equal weight", "weak")
    assert of.other_spa == pytest.approx(0.005)  # nothing of 199 reaches it
    only = replace(weak, benchmark=market, equal_weight=None)
    assert of.spa == skill(only, sample_of(only), LINES, FEW).spa > of.other_spa


# --- the first word ---------------------------------------------------------------------------------------


def before(*words: str, again: bool = False) -> Evidence:
    lines = [
        Earlier(f"2026-01-0{day}T00:00:00", "s", word, "both", "X", 0, *PERIOD, again=again)
        for day, word in enumerate(words, start=1)
    ]
    return dataclasses.replace(evidence(), before=tuple(lines))


@pytest.mark.parametrize(
    ("earlier_words", "changes", "word", "alone"),
    [
        (("rejected",), {}, "rejected", "supported"),
        (("unproven",), {}, "unproven", "supported"),
        (("unproven", "rejected"), {}, "rejected", "supported"),
        (("supported",), {}, "supported", "supported"),
        (("supported",), {"skill__spa": 0.1}, "unproven", "unproven"),
        (("unproven",), {"skill__spa": 0.9}, "rejected", "rejected"),
        (("withheld",), {}, "supported", "supported"),
        (("rejected",), {"selected__sessions": 59}, "withheld", "withheld"),
    ],
)
def test_a_later_judgement_only_hardens_the_word(earlier_words, changes, word, alone):
    told = judge(before(*earlier_words), good(**changes), LINES)
    assert (told.word, told.alone, told.number) == (word, alone, len(earlier_words) + 1)
    if word != alone:
        assert f"the first, of 2026-01-01, said {earlier_words[0]}" in told.reasons[0]


def test_judgements_as_evenings_go_by_are_one_line():
    asked = {"study": "s-1", "splits": "both", "benchmark": "X", "seed": 0}
    question = {**asked, "first": PERIOD[0], "last": "2021-07-01"}
    nights = [judged(n, "unproven", last=f"2021-06-{27 + n}") for n in (1, 2, 3)]
    found = earlier([*nights, judged(4, "rejected"), judged(5, "unproven", seed=1)], question)
    assert [(each.word, each.times, each.last) for each in found] == [
        ("unproven", 3, "2021-06-30"),
        ("rejected", 1, "2021-06-30"),
        ("unproven", 1, "2021-06-30"),
    ]
    given = replace(null_search(0), before=found)
    told = report(given, resamples=FEW)
    assert told.verdict.number == 6
    assert history(told)[0].startswith("judged before, 2026-01-01, 3 times: unproven")
    assert len(history(told)) == 3


@pytest.mark.slow
def test_two_that_judge_at_once_know_of_each_other(panel, empty, tmp_path, monkeypatch):
    searched = tune(Momentum(), panel, ["lookback=5,6"], out=tmp_path, splits="none", end=date(2021, 6, 30))
    family = family_of(searched.search.evaluate.base)
    (before,) = [line for line in empty.read().lines if isinstance(line, Judgement)]

    def slow(*given: Any, **more: Any) -> Any:
        told = judge_study(*given, **more)
        other = replace(before, judgement="other", word="rejected", splits="cpcv", source=family.source)
        empty.note(other)
        # As good as any other: withheld, it would bind nobody.
        return replace(told, verdict=replace(told.verdict, word="supported"))

    monkeypatch.setattr("engine.commands.study.judge_study", slow)
    told = searched.search.judge(searched, splits="none").report
    assert told is not None
    assert [each.word for each in told.evidence.before if not each.again] == ["rejected"]
    assert told.verdict.number == 2


def test_two_trials_are_not_interchangeable_and_five_may_be():
    few, enough = (replace(skill_of(n), accepted=0.9) for n in (4, 5))
    given = null_search(0)
    sample = sample_of(given)
    assert not selection(given, sample, LINES, few).interchangeable
    assert selection(given, sample, LINES, enough).interchangeable


def skill_of(tested: int) -> Any:
    given = null_search(0)
    return replace(skill(given, sample_of(given), LINES, FEW), tested=tested)


def test_a_history_bears_as_many_trials_as_their_length_allows():
    assert trials_borne(5.0, 1.0) == max(n for n in range(1, 100) if minimum_backtest_length(n) <= 5.0) == 45
    assert trials_borne(0.0, 1.0) == 1


def test_what_is_asked_again_binds_and_is_no_other_judgement():
    assert judge(before("supported", again=True), good(), LINES) == judge(evidence(), good(), LINES)
    assert judge(before("rejected", again=True), good(), LINES).word == "rejected"
    question = {
        "study": "s-1",
        "splits": "both",
        "benchmark": "X",
        "seed": 0,
        "first": PERIOD[0],
        "last": PERIOD[1],
    }
    lines = [judged(1, "unproven"), judged(2, "unproven"), judged(3, "rejected", splits="none")]
    assert [(each.word, each.again) for each in earlier(lines, question)] == [
        ("unproven", True),
        ("rejected", False),
    ]


def test_a_record_that_is_not_whole_withholds_the_word():
    told = judge(dataclasses.replace(evidence(), unknown=("2 lines are damaged",)), good(), LINES)
    assert told.word == "withheld"
    assert "2 lines are damaged" in told.reasons[0]


# --- sessions that came since -----------------------------------------------------------------------------


def test_what_is_withheld_shows_no_number():
    given = replace(since(0.001), unknown=("the record in /x: it cannot be read",))
    told = report(given, resamples=FEW)
    assert told.since is not None
    page, text = str(verdict_head(told, "A search") + verdict_section(told)), render(told)
    for shown in (page, text):
        assert WITHHELD in shown
        assert "/x: it cannot be read" in shown
        assert "SPA" not in shown
        assert "Sharpe" not in shown
    found = document(told)
    assert (found["blocks"], found["warnings"], found["since"], found["notes"]) == ({}, [], None, [WITHHELD])
    assert "SPA" in render(report(since(0.001), resamples=FEW))


def since(mean: float, sessions: int = 250, **changes: Any) -> Evidence:
    random = np.random.default_rng(7)
    swing = 0.01 * random.standard_normal(sessions)
    returns = mean + swing - swing.mean()
    flat = 0.002 * random.standard_normal(sessions)
    made = Since(PERIOD[0], PERIOD[1], sessions, {"lookback": 5}, returns, flat, flat)
    return dataclasses.replace(null_search(0), since=replace(made, **changes))


def word_since(given: Evidence) -> str | None:
    told = report(given, resamples=FEW).since
    assert told is not None
    return told.word


@pytest.mark.slow
def test_new_sessions_are_judged_by_what_was_chosen_first():
    assert word_since(since(0.003)) == "supported"
    assert word_since(since(0.0003)) == "unproven"
    assert word_since(since(-0.001)) == "rejected"
    # 0.005 of 199 resamples, times eleven looks
    assert word_since(since(0.003, looks=11)) == "unproven"
    assert word_since(since(0.003, sessions=59)) is None
    assert word_since(since(0.003, returns=None, reason="gone")) is None


def test_sessions_that_were_looked_at_before_the_first_judgement_are_not_new():
    lines = (
        look(1, GRID, last="2021-05-31"),
        judged(2, "withheld", last="2021-04-30"),
        judged(3, "unproven", last="2021-04-30"),
        look(4, GRID),
    )
    assert found(*lines).seen_until == "2021-05-31"
    assert found(look(1, GRID)).seen_until == ""
    # What another strategy was measured on tells which way the market went.
    other = look(1, GRID, strategy="Other", source="xyz", last="2021-06-15")
    assert found(other, judged(2, "unproven", last="2021-04-30")).seen_until == "2021-06-15"


def test_looks_at_relatives_are_looks_at_the_family_in_both_directions():
    child = look(1, ParameterSets.single({"a": 1}), strategy="Child", source="c", bases=("Mine",))
    parent = look(2, ParameterSets.single({"a": 2}), strategy="Parent", source="p")
    sibling = look(3, ParameterSets.single({"a": 3}), strategy="Sibling", source="s", bases=("Parent",))
    stranger = look(4, ParameterSets.single({"a": 4}), strategy="Stranger", source="x", bases=("Else",))
    contents = Contents((child, parent, sibling, stranger), {BODY.name: BODY}, 0)
    seen = on_record(contents, BODY, *PERIOD, Family("Mine", "abc", ("Parent",)))
    assert [each.strategy for each in seen.sets] == ["Child", "Parent", "Sibling"]


# --- through the doors ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo(), ("157001.SZ", "157002.SZ", "157003.SZ"), end=date(2021, 12, 31))


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    return Record()


def log_of(panel: Panel, out: Path, *words: str, strategy: Any = None, **more: Any) -> TrialLog:
    searched = tune(strategy or Momentum(), panel, list(words), out=out, splits="none", **more)
    assert searched.report is not None
    return searched.report.evidence.log


def test_every_way_of_looking_counts_whatever_the_folder(panel, empty, tmp_path):
    sweep(Momentum(top=1), panel, {"lookback": [10, 20, 30]})
    run(Momentum(lookback=40, top=1), panel)
    compare([Momentum(lookback=41, top=1), ShareInflow(top=1)], panel)
    audit(Momentum(lookback=42, top=1), panel, only=["warm_up"])
    factor(Momentum(lookback=43, top=1), panel, horizons=(1,))
    signal(Momentum(lookback=44, top=1), panel, Demo())
    # Seven others, two of its own, the default; a neighbour of the best among its own.
    assert log_of(panel, tmp_path / "a", "lookback=5,6") == TrialLog(11, 2, 0, 2)
    # One of these was tried, under another folder: two new ones.
    assert log_of(panel, tmp_path / "b", "lookback=6,7,8") == TrialLog(13, 3, 0, 3)


def test_a_default_that_needs_more_history_waits_in_cash(panel, empty, tmp_path):
    start = panel.days[10].item()
    told = tune(Momentum(), panel, ["lookback=5,6"], out=tmp_path, splits="none", start=start).report
    assert told is not None
    assert told.evidence.default is not None
    waits = told.evidence.returns.column(told.evidence.default)
    assert np.isfinite(waits).all()
    # Twenty closes are known after row 19, ten rows from the first.
    assert not waits[:9].any()
    assert waits[12:].any()


def test_an_account_in_cash_alone_has_no_excess_in_the_verdict(panel, empty, tmp_path):
    costs = {"cash_rate": 0.02}
    words = ["lookback=5,6"]
    # Nothing has a momentum above 1000 %: all of it stays in cash.
    told = tune(Momentum(threshold=10.0), panel, words, out=tmp_path, splits="none", costs=costs).report
    assert told is not None
    cash = told.evidence.cash
    assert cash is not None
    assert cash[0] == 0.0
    assert cash[1:].min() == pytest.approx(0.02 / 365)
    excess = sample_of(told.evidence).chosen
    assert np.abs(excess).max() < 1e-6  # of the money's cents
    assert told.evidence.header["ratios and tests"] == "in excess of what cash yields"


def test_terms_that_were_tried_are_counted_through_the_doors(panel, empty, tmp_path):
    for rate in (0.0, 0.0005, 0.001):
        run(Momentum(lookback=5), panel, costs={"commission_rate": rate})
    run(Momentum(lookback=5), panel, end=date(2021, 11, 30))
    run(Momentum(lookback=5), panel, start=date(2021, 3, 1))
    some = load_panel(Demo(), panel.symbols[:2], end=date(2021, 12, 31))
    run(Momentum(lookback=5), some)
    log = log_of(panel, tmp_path, "lookback=5,6")
    # Three costs, none of which is the usual one; a start, some funds; the usual terms count as the first.
    assert (log.total, log.variants) == (3, 5)


def test_a_search_of_a_part_counts_for_a_blend_of_it_and_the_other_way(panel, empty, tmp_path):
    sweep(Momentum(top=1), panel, {"lookback": [10, 20, 30]})
    words = ["first=momentum:lookback=10", "top=1,2"]
    # Three of the part, which run again; two, the default parameters, and no part that is not there.
    assert log_of(panel, tmp_path / "a", *words, strategy=Blend(second="")) == TrialLog(6, 2, 0, 2)
    run(ShareInflow(lookback=7), panel)
    # The three, the two blends, and two new ones; share_inflow is no part of these.
    assert log_of(panel, tmp_path / "b", "lookback=10,40", "top=1").total == 3 + 2 + 2


HIDDEN = [10]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hiding(Momentum):
    """Momentum over a number that is no parameter."""

    def scores(self, known: Any) -> Any:
        return Momentum(lookback=HIDDEN[0]).scores(known)


@pytest.mark.parametrize("method", [{}, {"method": "random", "trials": 3}])
def test_a_search_that_is_begun_again_elsewhere_and_stopped_takes_no_set_off_the_record(
    panel, empty, tmp_path, monkeypatch, method
):
    def sets() -> list[int]:
        (line,) = [line for line in empty.read().lines if isinstance(line, Look)]
        assert line.planned == 0
        return sorted(each["lookback"] for each in line.sets)

    def stopped(study: StudyWriter, trials: Any) -> None:
        append(study, trials[:1])
        raise KeyboardInterrupt

    append = StudyWriter.append
    monkeypatch.setattr("engine.commands.looks.now", lambda: f"2026-01-01T00:00:{next(seconds):02}+00:00")
    seconds = iter(range(9))
    words = (Momentum(), panel, ["lookback=5,6,7"])
    tune(*words, out=tmp_path / "one", splits="none", **method)
    noted = [line for line in empty.read().lines if isinstance(line, Look)]
    assert sets() == [5, 6, 7]
    monkeypatch.setattr(StudyWriter, "append", stopped)
    with pytest.raises(KeyboardInterrupt):
        tune(*words, out=tmp_path / "two", splits="none", **method)
    assert sets() == [5, 6, 7]
    assert noted[0].at != empty.read().lines[0].at


def test_a_number_that_was_changed_behind_the_parameters_is_counted(panel, empty, tmp_path):
    for HIDDEN[0] in (5, 10, 15, 10):
        run(Hiding(top=1), panel)
    told = tune(Hiding(), panel, ["top=1,2"], out=tmp_path, splits="none").report
    assert told is not None
    # Those of the search, the default parameters, and two results that the first set gave besides.
    assert (told.evidence.log.total, told.evidence.log.lost) == (5, 2)
    assert any("besides its parameters" in each for each in told.evidence.exclusions)


@pytest.mark.parametrize(("method", "noted"), [({}, (3, 0)), ({"method": "random", "trials": 2}, (0, 2))])
def test_a_search_is_on_record_before_its_first_set(panel, empty, tmp_path, monkeypatch, method, noted):
    def killed(*_: Any, **__: Any) -> None:
        at_once = [line for line in empty.read().lines if isinstance(line, Look)]
        assert [(len(line.sets), line.planned) for line in at_once] == [noted]
        raise SystemError

    with monkeypatch.context() as patched:
        patched.setattr("engine.commands.tune.search_on", killed)
        # as a kill -9 leaves it
        patched.setattr("engine.commands.search_looks.SearchLooks._note", lambda *_: None)
        with pytest.raises(SystemError):
            tune(Momentum(), panel, ["lookback=5,6,7"], out=tmp_path, splits="none", **method)
    told = tune(Momentum(), panel, ["lookback=5,6,7"], out=tmp_path, splits="none", resume=True, **method)
    (line,) = [line for line in empty.read().lines if isinstance(line, Look)]
    assert (len(line.sets), line.planned) == (len(told.study.trials), 0)
    assert told.report is not None
    assert told.report.evidence.log.lost == 0


GONE_ON = {
    "where it was": ("study", (3, 0), (3, 0)),
    "in another folder": (None, (3, 0), (1, 2)),
    "from an older copy": ("copy", (3, 0), (2, 1)),
    "that does not say how far it came": ("silent", (5, 0), (3, 2)),
}


@pytest.mark.parametrize("case", GONE_ON)
@pytest.mark.parametrize("method", ["grid", "random"])
@pytest.mark.parametrize("later", [0, 1])
def test_a_search_that_was_killed_gone_on_with_and_stopped_counts_what_it_came_to(
    panel, empty, tmp_path, monkeypatch, later, method, case
):
    where, of_grid, of_draws = GONE_ON[case]
    more = {} if method == "grid" else {"method": "random", "trials": 5}
    out = tmp_path / "out"

    def until(trials: int, error: type[BaseException]) -> None:
        """Search as far as so many trials."""

        def search(*words: Any, progress: Any, **named: Any) -> Any:
            def told(state: Any) -> None:
                progress(state)
                if state.done == 2 and not (tmp_path / "copy").exists():
                    shutil.copytree(out, tmp_path / "copy")
                if state.done == trials:
                    raise error

            return search_on(*words, progress=told, pace=Pace(1, 0), **named)

        with monkeypatch.context() as patch:
            patch.setattr("engine.commands.tune.search_on", search)
            if error is SystemError:  # as a kill -9 leaves it
                patch.setattr("engine.commands.search_looks.SearchLooks._note", lambda *_: None)
                patch.setattr("engine.record.reached.Reached.end", lambda *_: None)
            with pytest.raises(error):
                tune(Momentum(), panel, ["lookback=5,6,7,8,9"], out=out, splits="none", resume=True, **more)

    at = [0]
    monkeypatch.setattr("engine.commands.looks.now", lambda: f"2026-01-01T00:00:{at[0]:02}+00:00")

    def noted() -> tuple[int, int]:
        (line,) = [line for line in empty.read().lines if isinstance(line, Look)]
        return len(line.sets), line.planned

    until(3, SystemError)
    assert noted() == ((5, 0) if method == "grid" else (0, 5))
    if where is None:
        out = tmp_path / "other"
    elif where == "copy":
        shutil.rmtree(out)
        (tmp_path / "copy").rename(out)
        (tmp_path / "copy").mkdir()
    elif where == "silent":
        for file in empty.places[0].parent.glob("*.reached"):
            file.unlink()
    at[0] += later
    # At the first word of how far it is: what the study has, or one new set.
    until(1 if where is None else 2 if where == "copy" else 3, KeyboardInterrupt)
    assert noted() == (of_grid if method == "grid" else of_draws)
    assert not [*empty.places[0].parent.glob("*.reached")]


@pytest.mark.parametrize("method", [{}, {"method": "random", "trials": 2}])
def test_a_search_that_is_stopped_before_its_first_set_has_looked_at_none(
    panel, empty, tmp_path, monkeypatch, method
):
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.record.reached.Reached.note", stopped)
    with pytest.raises(KeyboardInterrupt):
        tune(Momentum(), panel, ["lookback=5,6,7"], out=tmp_path, splits="none", **method)
    (line,) = [line for line in empty.read().lines if isinstance(line, Look)]
    assert (len(line.sets), [*line.sets], line.planned, line.begun) == (0, [], 0, False)


def test_another_market_of_the_same_name_starts_at_nothing(panel, empty, tmp_path):
    sweep(Momentum(), panel, {"lookback": [10, 20, 30]})
    other = load_panel(Demo(seed=1), panel.symbols, end=date(2021, 12, 31))
    assert other.name == panel.name
    assert log_of(other, tmp_path, "lookback=5,6").total == 3


def test_a_record_that_was_deleted_withholds_the_word(panel, empty, tmp_path):
    searched = tune(Momentum(), panel, ["lookback=5,6"], out=tmp_path / "r", splits="none")
    assert searched.report is not None
    assert searched.report.evidence.unknown == ()
    empty.places[0].unlink()
    told = searched.search.judge(searched, splits="none").report
    assert told is not None
    assert "Is there any skill" not in render(told)
    assert document(told)["blocks"] == {}
    assert "2 trials of this study are not on record" in told.evidence.unknown[0]
    assert told.verdict.word == "withheld"


@pytest.mark.slow
def test_the_order_of_looks_changes_no_bit(panel, tmp_path, monkeypatch):
    documents = []
    for name, lookbacks in (("a", (10, 20, 30)), ("b", (30, 10, 20))):
        monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / name / "state"))
        for lookback in lookbacks:
            run(Momentum(lookback=lookback), panel)
        told = tune(Momentum(), panel, ["lookback=5,6"], out=tmp_path / name, splits="none").document()
        documents.append(told["judgement"])
    assert documents[0] == documents[1]


@pytest.mark.slow
def test_a_small_second_search_does_not_launder_the_first(empty, tmp_path):
    source = Demo(seed=24, flow_effect=0.0)
    market = load_panel(source, benchmark=source.default_benchmark)

    def word(fixed: dict[str, Any], *words: str) -> str:
        told = tune(ShareInflow(**fixed), market, list(words), out=tmp_path).report
        assert told is not None
        return told.verdict.word

    assert word({}, "lookback=5:40:5", "top=1,2,3") in ("unproven", "rejected")
    assert word({"lookback": 30, "top": 1}, "coverage=0.79,0.8") in ("unproven", "rejected")


@pytest.mark.slow
def test_sizes_of_splits_turn_a_number_and_no_word(empty, tmp_path):
    """Out of sample a choice without skill loses money, or with other windows does not; the word stays."""
    market = load_panel(Demo(seed=4, flow_effect=0.0), ("157001.SZ", "157002.SZ", "157003.SZ", "157004.SZ"))
    searched = tune(Momentum(top=1), market, ["lookback=5,10,20,40,60"], out=tmp_path, splits="walkforward")
    larger = searched.search.judge(searched, splits="walkforward", sizes=SplitSizes(750, 250)).report
    assert searched.report is not None
    assert larger is not None
    reports = searched.report, larger
    lost, won = (each.blocks.selected.out_of_sample for each in reports)
    assert lost < 0.0 < won
    assert [(each.verdict.word, each.verdict.number) for each in reports] == [
        ("rejected", 1),
        ("rejected", 2),
    ]
    # Were nothing else against the search, the sizes alone would have softened the word.
    near = [replace(each.blocks, skill=replace(each.blocks.skill, spa=0.1, measured=0.1)) for each in reports]
    alone = [judge(replace(larger.evidence, before=()), each, LINES).word for each in near]
    assert alone == ["rejected", "unproven"]
    assert judge(larger.evidence, near[1], LINES).word == "rejected"


@pytest.mark.slow
def test_a_looked_at_grid_alone_keeps_a_search_of_copies_from_support(empty, tmp_path):
    """As above, without a first judgement: the sets of the sweep alone are in the way."""
    source = Demo(seed=24, flow_effect=0.0)
    market = load_panel(source, benchmark=source.default_benchmark)
    sweep(ShareInflow(), market, {"lookback": [*range(5, 41, 5)], "top": [1, 2, 3]})
    told = tune(ShareInflow(lookback=30, top=1), market, ["coverage=0.79,0.8"], out=tmp_path).report
    assert told is not None
    assert told.verdict.number == 1
    assert told.verdict.word in ("unproven", "rejected")
