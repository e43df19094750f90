"""Event studies: words by hand and against the brief, returns by hand, errors, what command and page say."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import run_backtest
from data.errors import StrategyError, UsageError, ValidationError
from data.facts.actions import Action
from data.load import load_panel
from data.numeric.shared import shared
from data.panel.panel import Panel
from data.source import open_source
from engine import brief, event, recorded
from engine.events import ALTERNATIVES, raw_rows, study_events
from engine.events.warnings import without_others
from engine.report.statements import of_event
from engine.spec import Conditions
from engine.statistics.events import FEWEST_SESSIONS, calendar_mean, event_mean, placebo
from strategies import STRATEGIES
from strategies.event import Event
from strategies.momentum import Momentum
from strategies.words import WORDS, answers, events, record, streak_of

ROOT = Path(run_backtest.__file__).parent
NAN = math.nan
A, B, C = "510001.SH", "510002.SH", "510003.SH"
DAYS = np.arange("2024-12-26", "2025-01-03", dtype="datetime64[D]")


def column(*values):
    return np.array(values, dtype=float)[:, None]


# --- Words --------------------------------------------------------------------------------------------


def test_a_streak_grows_with_every_change_above_zero_and_ends_with_another():
    changes = column(1, 2, 0, 5, 5, -1, 3)
    np.testing.assert_array_equal(
        streak_of(changes, np.zeros((7, 1), dtype=bool)), column(1, 2, 0, 1, 2, 0, 1)
    )


def test_a_change_that_covers_sessions_without_a_number_begins_a_streak_anew():
    changes = column(1, 1, NAN, 1, 1)
    np.testing.assert_array_equal(streak_of(changes, np.zeros((5, 1), dtype=bool)), column(1, 2, 2, 1, 2))


def test_a_halt_neither_ends_a_streak_nor_adds_to_it():
    changes = column(1, 0, NAN, 1)
    halted = np.array([[False], [True], [True], [False]])
    np.testing.assert_array_equal(streak_of(changes, halted), column(1, 1, 1, 2))


def test_a_streak_to_which_nothing_was_added_for_ten_sessions_is_not_known():
    changes = column(1, *[NAN] * 10, 1)
    found = streak_of(changes, np.zeros((12, 1), dtype=bool))[:, 0]
    np.testing.assert_array_equal(found, [1] * 10 + [NAN, 1])


def test_a_streak_before_the_first_change_is_not_known():
    assert np.isnan(streak_of(column(NAN, 1), np.zeros((2, 1), dtype=bool))[0, 0])


def test_a_record_is_the_highest_of_all_or_of_a_window_and_needs_twenty_values():
    level = column(*[1.0] * 19, 0.5, 1.0, 0.9, 1.1)
    found = record(level, 0)[:, 0]
    assert np.isnan(found[:19]).all()
    np.testing.assert_array_equal(found[19:], [0, 1, 0, 1])
    np.testing.assert_array_equal(record(column(3, 1, 2, 1), 2)[:, 0], [NAN, 0, 1, 0])


def test_an_event_begins_where_the_condition_is_known_to_hold_and_was_known_not_to():
    close = np.array([[NAN, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [2.0, 2.0]])
    known = SimpleNamespace(close=close, listed=np.ones((5, 2), dtype=bool))
    np.testing.assert_array_equal(answers(known, "close > 1.5"), [[NAN, 0], [1, 0], [1, 1], [0, 1], [1, 1]])
    np.testing.assert_array_equal(np.argwhere(events(known, "close > 1.5")), [[2, 1], [4, 0]])


def test_a_yes_or_no_word_stands_alone_and_what_is_not_known_stays_open():
    level = np.repeat(np.arange(1.0, 22.0)[:, None], 2, axis=1)
    level[20, 1] = 0.0
    known = SimpleNamespace(
        units_adjusted=level, close=level, listed=np.ones(level.shape, dtype=bool), margin_balance=level * NAN
    )
    np.testing.assert_array_equal(answers(known, "units_record")[-1], [1, 0])
    np.testing.assert_array_equal(answers(known, "not units_record")[-1], [0, 1])
    np.testing.assert_array_equal(answers(known, "units_record or margin_balance > 1")[-1], [1, NAN])
    np.testing.assert_array_equal(answers(known, "units_record and margin_balance > 1")[-1], [NAN, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inflow_streaks >= 5", "unknown name `inflow_streaks`.*inflow_streak"),
        ("1 < 2", "says nothing of a fund"),
        ("close", "`close` is a number, and neither true nor false"),
        ("units_record and not inflow_streak", "`inflow_streak` is a number.*inflow_streak > 0"),
        ("(close or units_record) and premium > 0", "`close` is a number"),
        ("net_inflow_0 > 1", "covers too few or too many sessions"),
        ("net_inflow_1001 > 1", "limit: 1 to 1000"),
        ("__import__('os')", "may not contain"),
        ("close >", "not a condition"),
    ],
)
def test_what_is_no_event_is_refused_with_what_helps(text, said):
    with pytest.raises(UsageError, match=said):
        Event(when=text)


def test_a_premium_has_close_and_nav_on_one_basis_around_a_split_and_of_one_session():
    panel = around_a_split(lags={})
    # NAV is that of after the split on its record day, the third session; on the fifth the fund is halted
    expected = column(NAN, 0.02, 0.0, 0.01, 0.05, 0.05, -0.02)
    np.testing.assert_allclose(panel.known.nav_premium, expected, rtol=0, atol=1e-12)
    (word,) = (each for each in WORDS if each.name == "premium")
    np.testing.assert_array_equal(word.values(panel.known, 0), panel.known.nav_premium)


def test_a_premium_is_known_with_its_nav_and_not_known_where_nav_is_not_above_zero():
    late = around_a_split(lags={"nav": 2}).known.nav_premium
    np.testing.assert_allclose(late, column(NAN, NAN, 0.02, 0.0, 0.01, 0.05, 0.05), rtol=0, atol=1e-12)
    nothing = around_a_split(lags={}, nav=[0.0, -1.0, *[NAN] * 5]).known.nav_premium
    assert np.isnan(nothing).all()


def around_a_split(lags, nav=(3.0, 1.0, 1.0, 1.0, 1.1, 1.0, 1.0)):
    """Return a fund that splits three for one: NAV on the second session, prices on the fourth."""
    close = column(3.06, 3.0, 3.03, 1.05, 1.05, 0.98, 1.0)
    volume = column(1e6, 1e6, 1e6, 1e6, 0, 1e6, 1e6)
    bars = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": volume}
    bars |= {"amount": volume * close}
    days = [each.item() for each in DAYS]
    split = Action(A, "split", days[3], record_day=days[1], ratio=3.0)
    return Panel.from_events(DAYS[:7], (A,), bars=bars, nav=column(*nav), actions=[split], lags=lags)


def test_the_spelling_of_a_condition_makes_no_other_event():
    assert Event(when=" inflow_streak>=5 ") == Event(when="inflow_streak >= 5")


def test_every_word_has_values_on_the_demo_market():
    panel = load_panel(open_source("demo"))
    for word in WORDS:
        values = word.values(panel.known, 5)
        assert values.shape == panel.known.listed.shape
        assert np.isfinite(values[-1]).any(), word.name


@pytest.mark.slow
def test_words_say_of_a_session_what_the_brief_said_the_evening_before():
    """What a brief takes from an earlier session, or calls "at least", is left out."""
    panel, source = load_panel(open_source("demo")), open_source("demo")
    words = {word.name: word for word in WORDS}
    compared: dict[str, int] = {}
    for row in (1150, 1180, 1205):
        for place, symbol in enumerate(panel.symbols[:6]):
            facts = {each.name: each for each in brief(source, symbol, panel.days[row].item()).brief.facts}
            for name, n, of_brief in SAME_AS_BRIEF:
                fact = facts[of_brief]
                if fact.value is None or fact.older or "at least" in fact.note:
                    continue
                found = words[name].values(panel.known, n)[row + 1, place]
                assert found == pytest.approx(float(fact.value), rel=1e-9), (symbol, row, name)
                compared[name] = compared.get(name, 0) + 1
    assert set(compared) == {name for name, *_ in SAME_AS_BRIEF}
    assert sum(compared.values()) > 80


# word, its sessions, the line of the brief
SAME_AS_BRIEF = (
    ("inflow_streak", 0, "inflow_streak"),
    ("inflow_sessions_{n}", 5, "inflow_sessions_5"),
    ("net_inflow_{n}", 5, "net_inflow_5_vwap"),
    ("net_inflow_{n}_ratio", 5, "net_inflow_5_ratio"),
    ("units", 0, "units"),
    ("units_record", 0, "units_record"),
    ("financing_streak", 0, "financing_streak"),
    ("net_financing_{n}", 4, "net_financing_4"),
    ("margin_balance", 0, "margin_balance"),
    ("margin_balance_record", 0, "margin_balance_record"),
    ("price_record", 0, "price_record"),
    ("adtv_{n}", 20, "adtv_20"),
    ("adtv_{n}_rank", 20, "adtv_20_rank"),
)


# --- Statistics ---------------------------------------------------------------------------------------


def test_the_error_of_a_mean_adds_up_sessions_and_their_overlap():
    """The formula of Driscoll and Kraay with loops: every pair of events within 2 (h - 1) sessions."""
    rows = np.array([0, 0, 1, 3, 4, 6, 8, 9, 11, 12, 14, 20])
    values = np.array([0.01, 0.03, -0.02, 0.05, 0.0, 0.02, -0.01, 0.04, 0.03, -0.03, 0.02, 0.01])
    horizon, count, days = 3, len(rows), len(set(rows.tolist()))
    deviations = values - values.mean()
    total = sum(
        max(0.0, 1 - abs(int(s) - int(t)) / 5) * x * y
        for s, x in zip(rows, deviations, strict=True)
        for t, y in zip(rows, deviations, strict=True)
    )
    expected = values.mean() / math.sqrt(days / (days - 1) * total / count**2)
    found = event_mean(values, rows, horizon)
    assert found.t_statistic.value == pytest.approx(expected, rel=1e-12)
    assert (found.events, found.sessions) == (12, 11)
    assert found.mean == pytest.approx(0.15 / 12)
    assert found.hit_rate == pytest.approx(8 / 12)


def test_with_one_event_a_session_and_no_overlap_it_is_the_t_of_the_mean():
    values = np.array([0.01, 0.02, -0.01, 0.03, 0.0, 0.01, 0.02, -0.02, 0.01, 0.02, 0.05])
    t = values.mean() / (values.std(ddof=1) / math.sqrt(11))
    assert event_mean(values, np.arange(11) * 3, 1).t_statistic.value == pytest.approx(t, rel=1e-12)


def test_events_on_few_sessions_have_no_error_however_many_they_are():
    values = np.linspace(-0.01, 0.03, 90)
    rows = np.repeat(np.arange(FEWEST_SESSIONS - 1), 10)
    found = event_mean(values, rows, 1)
    assert found.mean == pytest.approx(0.01)
    assert math.isnan(found.t_statistic.value)
    assert "9 sessions only" in str(found.t_statistic.reason)


def test_without_events_there_is_a_reason_and_no_number():
    found = event_mean(np.array([NAN]), np.array([3]), 5)
    assert (found.events, found.t_statistic.reason) == (0, "no event")
    assert math.isnan(found.mean)


def test_copies_of_an_event_in_other_funds_do_not_make_it_surer():
    rows = np.arange(0, 60, 3)
    values = np.random.default_rng(3).normal(0.01, 0.02, len(rows))
    once = event_mean(values, rows, 1).t_statistic.value
    often = event_mean(np.repeat(values, 15), np.repeat(rows, 15), 1).t_statistic.value
    assert often == pytest.approx(once, rel=1e-12)


def test_a_placebo_counts_the_moves_that_are_as_far_out():
    returns = np.zeros((40, 2))
    returns[[5, 9], [0, 1]] = 1.0
    found = placebo(returns, np.array([5, 9]), np.array([0, 1]), 1)
    assert found.moves == 39
    assert found.p.value == pytest.approx(1 / 40)
    assert found.mean.value == 0.0
    level = placebo(np.full((40, 2), 0.02), np.array([5, 9]), np.array([0, 1]), 1)
    assert level.p.value == 1.0


def test_a_placebo_leaves_out_moves_that_overlap_and_those_without_half_the_events():
    returns = np.arange(50.0)[:, None] + np.zeros((50, 1))
    assert placebo(returns, np.array([3]), np.array([0]), 10).moves == 50 - 2 * 10 + 1
    returns[10:] = NAN
    assert math.isnan(placebo(returns, np.array([3]), np.array([0]), 1).p.value)


def test_the_calendar_mean_is_over_sessions_that_hold_something():
    mean, t, sessions = calendar_mean(np.array([NAN, 0.01, 0.03, NAN, 0.02]))
    assert (mean.value, sessions) == (pytest.approx(0.02), 3)
    assert math.isfinite(t.value)
    assert calendar_mean(np.array([NAN]))[0].reason == "no session with a fund that had an event"


def test_chance_is_called_unlikely_about_as_often_as_it_should_be():
    """No effect, common shocks, clustered events: placebo and t reject about one in twenty."""
    random = np.random.default_rng(7)
    by_t, by_placebo = 0, 0
    for _ in range(100):
        steps = random.normal(0, 0.01, (405, 8)) + random.normal(0, 0.01, (405, 1))
        value = np.vstack([np.zeros(8), np.cumsum(steps, axis=0)])
        returns = value[5:405] - value[:400]
        rows, columns = np.nonzero(random.normal(size=(400, 8)) + 1.5 * random.normal(size=(400, 1)) > 3.0)
        by_t += abs(event_mean(returns[rows, columns], rows, 5).t_statistic.value) > 1.96
        by_placebo += placebo(returns, rows, columns, 5).p.value < 0.05
    assert by_t <= 15
    assert by_placebo <= 12


# --- The study ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """Events at places that are given, as ``row,column;row,column``."""

    places: str = "1,0"
    warmup: int = 1
    rebalance: int | str = 1

    def events(self, known):
        found = np.zeros(known.listed.shape, dtype=bool)
        for place in self.places.split(";"):
            row, column_ = map(int, place.split(","))
            if row < len(found):
                found[row, column_] = True
        return found

    def answers(self, known):
        return self.events(known).astype(float)

    def scores(self, known):
        return np.where(self.events(known), 1.0, 0.0)


def panel_of(opens, families=("F", "F", "G"), volume=None):
    opens = np.array(opens, dtype=float)
    volume = np.full(opens.shape, 1e6) if volume is None else np.array(volume, dtype=float)
    bars = dict.fromkeys(("open", "high", "low", "close"), opens)
    bars |= {"volume": volume, "amount": volume * opens}
    panel = Panel.from_events(DAYS[: len(opens)], (A, B, C)[: opens.shape[1]], bars=bars)
    given = panel.ingredients
    return replace(given, listings=replace(given.listings, families=families)).build()


OPENS = [[10, 10, 10], [10, 10, 10], [11, 10, 9], [11, 12, 9], [12, 12, 9], [12, 12, 18]]


def test_an_event_is_followed_by_returns_from_the_open_of_its_session():
    found = study_events(Given("1,0;3,1"), panel_of(OPENS), horizons=(1, 2))
    assert found.events == 2
    # A: 10 -> 11 -> 11; B: 12 -> 12 -> 12
    assert found.raw[1].mean == pytest.approx(0.1 / 2)
    assert found.raw[2].mean == pytest.approx(0.1 / 2)
    # the family of A is B, that of B is A: 10 % - 0 %; 0 % - 12/11 + 1
    assert found.at(1, "family").abnormal.mean == pytest.approx((0.1 + 1 - 12 / 11) / 2)
    # all others: of A B and C, 10 % - (0 - 10 %) / 2; of B A and C, 0 - (1/11 + 0) / 2
    assert found.at(1, "equal_weight").abnormal.mean == pytest.approx((0.15 - 1 / 22) / 2)


def test_a_condition_that_never_holds_says_between_which_values_its_words_lie():
    panel = panel_of(OPENS)
    found = study_events(
        STRATEGIES["event"](when="close > 40 and return_1 > 0", hold=1), panel, horizons=(1,)
    )
    # closes are known a session later: 9 to 12; B gained 20 %, A 10 % and 1/11, C lost 10 % and none was more
    said = "it never begins to hold; in this period the data have"
    assert found.warnings[0] == f"{said} close from 9 to 12, return_1 from -0.1 to 0.2"
    days = [each.item() for each in panel.days]
    # up to session 3 the 20 % of B, from the third close to the fourth, are not known
    part = Conditions(start=days[2], end=days[3])
    found = study_events(STRATEGIES["event"](when="return_1 > 5", hold=1), panel, part, horizons=(1,))
    assert found.warnings[0] == f"{said} return_1 from -0.1 to 0.1"
    held = study_events(STRATEGIES["event"](when="close > 11", hold=1), panel, horizons=(1,))
    assert not any("never begins" in each for each in held.warnings)
    always = study_events(STRATEGIES["event"](when="close > 0", hold=1), panel, horizons=(1,))
    assert always.warnings[0] == "it holds in this period, and was never seen to begin"


def test_funds_whose_family_is_not_known_are_no_family():
    found = study_events(Given("1,0;1,2"), panel_of(OPENS, families=("F", None, None)), horizons=(1,))
    assert found.at(1, "family").abnormal.events == 0
    assert found.families == {"F": 1, "no family": 1}
    # A: 10 % - (0 - 10 %) / 2; C: -10 % - (10 % + 0) / 2
    assert found.at(1, "equal_weight").abnormal.mean == pytest.approx(0.0)


def test_a_fund_that_is_alone_in_its_family_has_nothing_to_be_held_against_there():
    found = study_events(Given("1,2"), panel_of(OPENS), horizons=(1,))
    assert found.at(1, "family").abnormal.events == 0
    assert found.at(1, "equal_weight").abnormal.mean == pytest.approx(-0.1 - 0.05)
    assert "nothing to hold events against: other funds of its index family" in found.warnings
    assert found.measured == ("equal_weight",)


def test_an_alternative_is_warned_of_once_with_the_horizons_at_which_it_lacks():
    def lacking(*events):
        family = [
            SimpleNamespace(sessions=sessions, alternative="family", abnormal=SimpleNamespace(events=each))
            for sessions, each in zip((1, 5, 20), events, strict=True)
        ]
        raw = {sessions: SimpleNamespace(events=each) for sessions, each in ((1, 9), (5, 7), (20, 4))}
        return list(without_others(family, raw))

    family = "other funds of its index family"
    assert lacking(0, 0, 0) == [f"nothing to hold events against: {family}"]
    assert lacking(9, 3, 1) == [f"nothing to hold most events against at 5 and 20 sessions: {family}"]
    assert lacking(5, 4, 1) == [f"nothing to hold most events against at 20 sessions: {family}"]
    assert lacking(4, 3, 1) == [f"nothing to hold most events against: {family}"]
    assert lacking(5, 4, 2) == []


@pytest.mark.parametrize(
    ("places", "family", "others", "warned"),
    [
        # A and B are a family, C is another
        ("1,0;1,1;1,2", 1.0, 1.0, ["100% of what", "leaves 0% of a difference", "100% of what"]),
        ("1,0;1,1", 1.0, 0.5, ["100% of what they are held against (other funds of its index family)"]),
        ("1,0;1,1;2,1", 2 / 3, 1 / 3, ["67% of what", "leaves 33% of a difference"]),
        ("1,0;2,1;3,2", 0.0, 0.0, []),
    ],
)
def test_events_that_come_to_most_funds_at_once_are_warned_of(places, family, others, warned):
    found = study_events(Given(places), panel_of(OPENS), horizons=(1,))
    assert found.shared == {"family": pytest.approx(family), "equal_weight": pytest.approx(others)}
    said = " ".join(each for each in found.warnings if "at once" in each)
    assert all(each in said for each in warned)
    assert ("at once" in said) == bool(warned)
    if others == 1.0:  # which is why
        assert found.at(1, "equal_weight").abnormal.mean == pytest.approx(0.0, abs=1e-15)


def test_a_fund_that_could_not_be_bought_is_none_of_those_that_have_the_event_at_once():
    volume = np.full((6, 3), 1e6)
    volume[1, 1] = 0
    found = study_events(Given("1,0;1,1"), panel_of(OPENS, volume=volume), horizons=(1,))
    assert found.shared == {"family": 0.0, "equal_weight": 0.0}


def test_of_what_all_funds_have_at_once_nothing_is_told():
    panel = load_panel(open_source("demo"))
    found = study_events(Event(when="market_return_5 > 0.02"), panel, horizons=(5,))
    word, said = of_event(found)
    assert (word, said) == (
        "Cannot be told",
        "what followed: 100% of all others, on average, have the event on the same session.",
    )


def test_answers_are_computed_once():
    calls = []

    @shared
    def told(known, text):
        calls.append(id(known))
        return np.zeros(known.listed.shape)

    @dataclass(frozen=True)
    class Never(Given):
        def answers(self, known):
            return told(known, "never")

        def events(self, known):
            return told(known, "never") > 0.0

    panel = panel_of(OPENS)
    assert event(Never(), panel, horizons=(1,)).study.events == 0
    assert calls.count(id(panel.known)) == 1


def test_an_event_that_cannot_be_bought_or_has_no_horizon_is_left_out():
    volume = np.full((6, 3), 1e6)
    volume[1, 0] = 0
    found = study_events(Given("1,0;3,1;5,1"), panel_of(OPENS, volume=volume), horizons=(1,))
    assert (found.events, found.blocked, found.raw[1].events) == (3, 1, 1)


def sections_of(found, folder):
    page = (found.save(folder) / "event.html").read_text(encoding="utf-8")
    page = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    return re.findall(r'<section id="(\w+)"', page), page


def test_where_nothing_could_be_bought_there_is_a_sentence_and_no_table(tmp_path):
    volume = np.full((6, 3), 1e6)
    volume[1, 0] = 0
    found = event(Given("1,0;5,1"), panel_of(OPENS, volume=volume), horizons=(1, 2))
    assert (found.study.events, found.study.held, found.study.measured) == (2, False, ())
    said = "no event that could be bought and held as long as asked; nothing to measure"
    assert found.study.warnings == (said,)
    sections, page = sections_of(found, tmp_path)
    assert sections == ["summary", "dates", "method"]
    assert "what followed: no event could be bought and held as long as asked." in page
    assert "n/a" not in page


def test_events_that_nothing_can_be_held_against_have_returns_of_their_own(tmp_path):
    found = event(Given("1,0;3,0"), panel_of([row[:1] for row in OPENS], families=("F",)), horizons=(1, 2))
    assert (found.study.held, found.study.measured) == (True, ())
    sections, page = sections_of(found, tmp_path)
    assert sections == ["summary", "horizons", "dates", "method"]
    assert "what followed: there is no other fund to hold an event against." in page
    assert "After an event of Given" in page
    # 10 -> 11 and 11 -> 12
    assert found.study.raw[1].mean == pytest.approx((0.1 + 1 / 11) / 2)
    assert "<td>9.55%</td>" in page
    # The terminal has the same rows.
    assert raw_rows(found.study)[0][:3] == ("1", "2", "9.55%")


def test_only_some_horizons_may_be_held():
    found = study_events(Given("3,0"), panel_of(OPENS), horizons=(1, 2, 5, 9))
    assert found.warnings[:2] == (
        "no event could be held for 5 and 9 sessions",
        "only 1 event at 2 sessions; a mean of so few says little",
    )


def test_the_terminal_has_no_table_of_what_measured_nothing(here):
    words = ("event", "inflow_streak >= 3", "--no-report", "--start", "2025-08-18", "--end", "2025-08-20")
    code, printed, complained = here(*words, "--horizons", "30")
    assert code == 0
    assert "2 events on 1 session" in printed
    assert "n/a" not in printed
    assert "sessions  " not in printed
    assert complained == (
        "warning: no event that could be bought and held as long as asked; nothing to measure\n"
    )
    code, printed, _ = here("event", "inflow_streak >= 3", "--no-report", "--symbols", "157001.SZ")
    assert code == 0
    assert printed.count("sessions  ") == 1
    assert "less others" not in printed


def test_the_portfolio_by_calendar_holds_funds_for_a_horizon_after_each_event():
    found = study_events(Given("1,0;2,0"), panel_of(OPENS), horizons=(2,))
    each = found.at(2, "equal_weight")
    # sessions 1, 2, 3: A less the mean of B and C
    daily = [0.1 - (0 - 0.1) / 2, 0 - (0.2 + 0) / 2, 1 / 11 - (0 + 0) / 2]
    assert each.calendar_sessions == 3
    assert each.calendar.value == pytest.approx(sum(daily) / 3)


def test_the_fan_shows_the_way_to_the_event_and_the_way_from_it():
    found = study_events(Given("3,1"), panel_of(OPENS), horizons=(2,))
    fan = dict(zip(found.fan_sessions.tolist(), found.fan["equal_weight"][:, 0], strict=True))
    assert set(fan) == {*range(-20, 0), 1, 2}
    # up to the event: B 10 -> 12, A 11 -> 11, C 9 -> 9; two sessions A 10 -> 11, C 10 -> 9
    assert fan[-1] == pytest.approx(0.2)
    assert fan[-2] == pytest.approx(0.2 - (0.1 - 0.1) / 2)
    assert fan[1] == pytest.approx(0 - (1 / 11 + 0) / 2)
    assert math.isnan(fan[-20])


def test_what_comes_later_changes_nothing():
    panel = load_panel(open_source("demo"))
    short = load_panel(open_source("demo"), end=panel.days[900].item())
    strategy = Event(when="inflow_streak >= 3")
    whole = study_events(strategy, panel, Conditions.of(end=panel.days[880].item()), horizons=(5,))
    cut = study_events(strategy, short, Conditions.of(end=short.days[880].item()), horizons=(5,))
    np.testing.assert_array_equal(whole.happened, cut.happened)
    one, other = (each.at(5, "family").abnormal for each in (whole, cut))
    assert (one.mean, one.events, one.t_statistic) == (other.mean, other.events, other.t_statistic)


def test_a_condition_that_can_seldom_be_told_is_warned_of():
    @dataclass(frozen=True)
    class Seldom(Given):
        def answers(self, known):
            return np.where(np.arange(len(known.days))[:, None] < 2, 0.0, NAN) + np.zeros(3)

    seldom = study_events(Seldom(), panel_of(OPENS), horizons=(1,))
    assert seldom.told == pytest.approx(1 / 5)  # one of the five sessions after the warm-up
    assert any("can be told on 20.0%" in each for each in seldom.warnings)
    assert study_events(Event(), load_panel(open_source("demo"))).told > 0.9


def test_a_strategy_that_peeks_is_refused():
    @dataclass(frozen=True)
    class Peeks(Given):
        def scores(self, known):
            return np.where(np.arange(len(known.days))[:, None] < len(known.days) - 3, known.close, 0.0)

    with pytest.raises(ValidationError, match="looks ahead"):
        study_events(Peeks(), panel_of(OPENS))


def test_a_strategy_without_events_says_which_have_them():
    with pytest.raises(StrategyError, match="no events that could be studied"):
        study_events(Momentum(), load_panel(open_source("demo")))


def test_the_planted_effect_of_flows_is_found():
    strategy = Event(when="net_inflow_20_ratio > 0.1")
    with_effect = event(strategy, load_panel(open_source("demo")), horizons=(20,)).study
    assert with_effect.at(20, "equal_weight").placebo.p.value < 0.02
    assert with_effect.at(20, "equal_weight").abnormal.t_statistic.value > 2.0


def test_a_study_is_a_look_on_the_record_by_its_condition():
    source = open_source("demo")
    panel = load_panel(source)
    before = len(recorded(source).lines)
    event(Event(when="premium > 0.001"), panel, horizons=(1,))
    event(Event(when="premium > 0.002"), panel, horizons=(1,))
    assert len(recorded(source).lines) == before + 2


# --- Command and page ---------------------------------------------------------------------------------


def etflow(*words, cwd):
    command = [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False)


@pytest.mark.slow
def test_the_command_prints_and_keeps_what_the_call_returns(tmp_path):
    done = etflow(
        "event", "inflow_streak >= 5 and not price_record", "--horizons", "1,10", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    found = event(
        Event(when="inflow_streak >= 5 and not price_record"),
        load_panel(open_source("demo")),
        horizons=(1, 10),
    )
    kept = json.loads((tmp_path / printed["folder"] / "event.json").read_text(encoding="utf-8"))
    assert kept["horizons"] == printed["horizons"]
    assert printed["event_id"] == found.name
    assert printed["events"] == found.study.events == len(printed["dates"])
    assert printed["horizons"][1]["abnormal"]["family"]["mean"] == found.study.at(10, "family").abnormal.mean
    assert set(printed["horizons"][0]["abnormal"]) == set(ALTERNATIVES)
    page = (tmp_path / printed["folder"] / "event.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "After inflow_streak" in page


@pytest.mark.slow
def test_a_page_without_events_says_why_and_has_no_empty_sections(tmp_path):
    done = etflow(
        *("event", "inflow_streak >= 5000", "--horizons", "1,10", "--json"),
        *("--start", "2025-01-02", "--end", "2025-03-31"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / json.loads(done.stdout)["folder"] / "event.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)"', page) == ["summary", "method"]
    assert "Cannot be told</b> what followed: there was no event." in page
    assert "n/a" not in re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)


def test_the_command_refuses_an_unknown_word_and_no_word(tmp_path):
    wrong = etflow("event", "inflow_strek >= 5", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "unknown name `inflow_strek`" in wrong.stderr
    assert "inflow_streak" in wrong.stderr
    assert etflow("event", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "results").exists()
    listed = etflow("event", "--words", cwd=tmp_path)
    assert all(word.name in listed.stdout for word in WORDS)


@pytest.mark.slow
def test_an_event_that_never_happened_says_so_and_prints_no_number(tmp_path):
    done = etflow("event", "inflow_streak >= 500", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / done.stdout.strip()
    found = json.loads((folder / "event.json").read_text(encoding="utf-8"))
    assert found["events"] == 0
    assert found["horizons"][0]["raw"]["mean"] is None
    assert found["horizons"][0]["raw"]["reason"] == "no event"
