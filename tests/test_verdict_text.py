"""The page of a verdict on blocks written by hand: its lines, what is undefined, and the document."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.verdict.evidence import Earlier, Evidence, TrialLog, WalkForwardOutcome, Window
from engine.verdict.since import NewSessions
from engine.verdict.text import WITHHELD, _Shown, document, history, render, written
from engine.verdict.verdict import Report, Verdict
from engine.verdict.warnings import Caution, Warned
from tests.helpers.evidence import LINES
from tests.test_verdict_rules import NAN, good

NOTHING = Warned((), ())
EARLIER = Earlier("2026-01-02T09:30:00", "s-1", "unproven", "both", "an index", 7, "2020-01-02", "2024-12-31")
SINCE = NewSessions(
    "2025-01-02", "2025-06-30", 120, {"lookback": 5, "top": 2}, 1.25, 0.04, None, "supported", "SPA p 0.0400"
)


def page(blocks=None, warned=NOTHING, notes=(), since=None, word="unproven", variants=0, **more):
    given = Evidence(
        returns=np.zeros((5, 4)),
        benchmark=None,
        selected=0,
        sessions_per_year=252.0,
        log=TrialLog(12, 4, lost=3, grid_size=4, variants=variants),
        seed=7,
        **more,
    )
    return Report(
        evidence=given,
        thresholds=LINES,
        blocks=blocks or good(),
        warned=warned,
        verdict=Verdict(word, ("One.", "Two."), "supported", 2),
        notes=notes,
        since=since,
    )


# --- text -------------------------------------------------------------------------------------------------


def test_the_page_from_the_top():
    warned = Warned(
        (Caution("skill", "No skill.", "SPA p 0.1"), Caution("log", "No log.", "none")),
        (("peak", "no neighbours"), ("length", "no years")),
    )
    told = page(
        good(selected__parameters={"lookback": 20}),
        warned,
        notes=("failed trials: 1", "sessions left out: 2"),
        since=SINCE,
        before=(EARLIER,),
        header={"strategy": "flow_blend", "costs": "0.01%"},
    )
    lines = render(told).split("\n")
    assert lines[:22] == [
        "Verdict: unproven",
        "  - One.",
        "  - Two.",
        "  judged before, 2026-01-02: unproven (s-1, 2020-01-02 to 2024-12-31, splits both, "
        "against an index, seed 7)",
        "  120 sessions since, 2025-01-02 to 2025-06-30, with what was chosen first: "
        "supported (SPA p 0.0400; lookback=5, top=2)",
        "",
        "WARNING  No skill. (SPA p 0.1)",
        "WARNING  No log. (none)",
        "not checked: peak (no neighbours)",
        "not checked: length (no years)",
        "",
        "strategy                      flow_blend",
        "costs                         0.01%",
        "trials on record              12 (this study 4, cannot be run again 3)",
        "seed                          7",
        "",
        "1 Selected",
        "  lookback                    20",
        "  in sample                   2,520 sessions, 10.00 years",
        "  Sharpe ratio in sample      1.50 ± 0.30 (HAC), BCa 95% 0.90 to 2.10",
        "  Sharpe ratio out of sample  1.00 ± 0.40 (HAC), BCa 95% 0.20 to 1.80",
        "  OOS/IS                      0.62 (mean in training 1.60; 1,000 sessions stitched)",
    ]
    assert lines[-11:] == [
        "",
        "6 Assumptions",
        "  ρ₁                          0.010, two standard errors 0.040",
        "  SR, η-corrected             1.50",
        "  skewness, kurtosis          -0.20, 4.00 (normal: 0, 3)",
        "  best month                  10.0% of the whole profit",
        "  data left out               none",
        "",
        "note: failed trials: 1",
        "note: sessions left out: 2",
        "",
    ]
    assert lines.count("  lookback                    20") == 1


def test_no_minus_stands_in_front_of_a_zero():
    style = "{:+.2f} {:.1%} {:,}"
    assert style.format(*map(_Shown, (-0.001, -0.0001, 0))) == "+0.00 0.0% 0"
    assert style.format(*map(_Shown, (-0.005001, -0.0006, 12870))) == "-0.01 -0.1% 12,870"


def test_without_warnings_or_notes_there_is_no_gap_for_them():
    lines = render(page()).split("\n")
    assert lines[:7] == [
        "Verdict: unproven",
        "  - One.",
        "  - Two.",
        "",
        "trials on record              12 (this study 4, cannot be run again 3)",
        "seed                          7",
        "",
    ]
    assert lines[-2:] == ["  data left out               none", ""]


def test_looks_on_other_terms_stand_beside_the_trials():
    lines = render(page(variants=9)).split("\n")
    told = "12 (this study 4, cannot be run again 3), and 9 more on other terms"
    assert f"trials on record              {told}" in lines


def test_numbers_are_withheld_with_the_word():
    warned = Warned((Caution("skill", "No skill.", "SPA p 0.1"),), (("peak", "no neighbours"),))
    told = page(warned=warned, notes=("failed trials: 1",), since=SINCE, word="withheld", before=(EARLIER,))
    assert render(told).split("\n") == [
        "Verdict: withheld",
        "  - One.",
        "  - Two.",
        "  judged before, 2026-01-02: unproven (s-1, 2020-01-02 to 2024-12-31, splits both, "
        "against an index, seed 7)",
        "",
        WITHHELD,
        "",
        "trials on record              12 (this study 4, cannot be run again 3)",
        "seed                          7",
        "",
    ]
    left = document(told)
    assert (left["verdict"]["word"], left["verdict"]["reasons"]) == ("withheld", ["One.", "Two."])
    assert (left["warnings"], left["unchecked"], left["since"], left["blocks"]) == ([], [], None, {})
    assert left["notes"] == [WITHHELD]
    assert len(left["before"]) == 1


@pytest.mark.parametrize(
    "warned",
    [Warned((Caution("skill", "No skill.", "SPA p 0.1"),), ()), Warned((), (("peak", "no neighbours"),))],
)
def test_either_kind_of_warning_has_its_own_paragraph(warned):
    paragraphs = render(page(warned=warned)).split("\n\n")
    assert paragraphs[1] in ("WARNING  No skill. (SPA p 0.1)", "not checked: peak (no neighbours)")
    assert paragraphs[2].startswith("trials on record")


def test_what_was_asked_before_in_the_same_words_is_not_told_again():
    again = dataclasses.replace(EARLIER, again=True)
    rejected = dataclasses.replace(EARLIER, word="rejected", at="2026-03-04T00:00:00")
    told = history(page(before=(again, rejected)))
    assert [line[:36] for line in told] == ["judged before, 2026-03-04: rejected "]


@pytest.mark.parametrize(
    ("until", "times", "when"),
    [
        ("2026-02-03T10:00:00", 4, "2026-01-02 to 2026-02-03, 4 times"),
        ("2026-01-02T10:00:00", 2, "2026-01-02, 2 times"),
        ("2026-01-02T09:30:00", 1, "2026-01-02"),
    ],
)
def test_judgements_in_the_same_words_are_one_line(until, times, when):
    often = dataclasses.replace(EARLIER, until=until, times=times)
    (line,) = history(page(before=(often,)))
    assert line.startswith(f"judged before, {when}: unproven (s-1, ")


def test_new_sessions_that_were_not_judged_say_why():
    since = dataclasses.replace(SINCE, sessions=59, word=None, reason="59 sessions, fewer than 60")
    assert history(page(since=since)) == [
        "59 sessions since, 2025-01-02 to 2025-06-30, with what was chosen first: "
        "not judged (59 sessions, fewer than 60; lookback=5, top=2)"
    ]
    assert history(page()) == []


def lines_of(block, **changes):
    return dict(written(page(good(**changes)), block))


def test_a_line_of_which_nothing_is_defined_is_its_reason():
    shown = lines_of("assumptions", assumptions__corrected=NAN)
    assert shown["SR, η-corrected"] == "n/a [no corrected]"
    shown = lines_of("plateau", plateau__beating=NAN)
    assert shown["trials above the benchmark"] == "n/a [no beating]"
    shown = lines_of("luck", luck__expected_maximum=NAN, luck__spread=NAN)
    assert shown["SR0"] == "n/a [no expected_maximum; no spread]"


def test_a_line_of_which_a_part_is_defined_has_both():
    shown = lines_of("selected", selected__in_sample_low=NAN, selected__in_sample_high=NAN)
    assert shown["Sharpe ratio in sample"] == (
        "1.50 ± 0.30 (HAC), BCa 95% n/a to n/a [no in_sample_low; no in_sample_high]"
    )
    shown = lines_of("luck", luck__track_record_years=NAN)
    assert shown["MinTRL"] == "n/a years, available 10.00 [no track_record_years]"
    # A count beside it is no number that would be missed.
    shown = lines_of("selection", selection__overfitting=NAN)
    assert shown["PBO"] == "n/a [no overfitting]"


def test_one_reason_of_several_numbers_is_told_once():
    why = dict.fromkeys(("path_median", "path_low", "path_high", "path_loss"), "splits were not run")
    blocks = good()
    blocks = dataclasses.replace(blocks, selection=dataclasses.replace(blocks.selection, reasons=why))
    assert dict(written(page(blocks), "selection"))["CPCV path SR"] == "n/a [splits were not run]"


def test_yes_no_and_lists_are_words():
    assert lines_of("selection")["interchangeable"] == "no"
    assert lines_of("selection", selection__interchangeable=True)["interchangeable"] == "yes"
    shown = lines_of("assumptions", assumptions__exclusions=("no flows", "no margin"))
    assert shown["data left out"] == "no flows; no margin"
    assert lines_of("assumptions")["data left out"] == "none"


# --- document ---------------------------------------------------------------------------------------------


def test_the_document_of_a_page():
    warned = Warned((Caution("skill", "No skill.", "SPA p 0.1"),), (("peak", "no neighbours"),))
    again = dataclasses.replace(EARLIER, again=True)
    told = document(
        page(
            good(luck__deflated=NAN, assumptions__exclusions=("no flows",)),
            warned,
            notes=("failed trials: 1",),
            since=SINCE,
            before=(again, EARLIER),
            header={"strategy": "flow_blend", "funds": 3},
        )
    )
    assert set(told) == {
        "verdict",
        "before",
        "since",
        "warnings",
        "unchecked",
        "header",
        "blocks",
        "windows",
        "notes",
        "thresholds",
    }
    assert told["verdict"] == {
        "word": "unproven",
        "reasons": ["One.", "Two."],
        "alone": "supported",
        "number": 2,
    }
    (before,) = told["before"]
    assert (before["at"], before["word"], before["study"]) == ("2026-01-02T09:30:00", "unproven", "s-1")
    assert (before["first"], before["last"], before["seed"]) == ("2020-01-02", "2024-12-31", 7)
    assert before["again"] is False
    assert told["since"] == {
        "first": "2025-01-02",
        "last": "2025-06-30",
        "sessions": 120,
        "parameters": {"lookback": 5, "top": 2},
        "sharpe": 1.25,
        "p_value": 0.04,
        "probabilistic": None,
        "word": "supported",
        "reason": "SPA p 0.0400",
    }
    assert told["warnings"] == [{"name": "skill", "text": "No skill.", "detail": "SPA p 0.1"}]
    assert told["unchecked"] == [{"name": "peak", "reason": "no neighbours"}]
    header = told["header"]
    assert (header["strategy"], header["funds"]) == ("flow_blend", "3")
    assert (header["sessions_per_year"], header["seed"]) == (252.0, 7)
    assert (header["trials"]["total"], header["trials"]["study"], header["trials"]["lost"]) == (12, 4, 3)
    assert set(header) == {"strategy", "funds", "trials", "sessions_per_year", "seed"}
    assert list(told["blocks"]) == ["selected", "skill", "luck", "selection", "plateau", "assumptions"]
    luck = told["blocks"]["luck"]
    assert (luck["deflated"], luck["reasons"], luck["spread"]) == (None, {"deflated": "no deflated"}, 0.3)
    assert "notes" not in luck
    assert told["blocks"]["assumptions"]["exclusions"] == ["no flows"]
    assert told["notes"] == ["failed trials: 1"]
    assert told["thresholds"] == dataclasses.asdict(LINES)
    assert document(page())["since"] is None


def test_windows_have_days_and_annual_ratios():
    days = np.datetime64("2024-01-01") + np.arange(5)
    windows = (
        Window(0, 1, 2, 3, {"top": np.int64(2)}, 0.25),
        Window(1, 2, 3, 4, {"top": np.int64(3)}, NAN),
    )
    walk = WalkForwardOutcome(np.zeros(3), np.array([0.5, NAN]), windows)
    told = page(walk_forward=walk, days=days)
    annual = math.sqrt(252.0)
    assert document(told)["windows"] == [
        {
            "train_first": "2024-01-01",
            "train_last": "2024-01-02",
            "first": "2024-01-03",
            "last": "2024-01-04",
            "parameters": {"top": 2},
            "in_sample": 0.5 * annual,
            "out_of_sample": 0.25 * annual,
        },
        {
            "train_first": "2024-01-02",
            "train_last": "2024-01-03",
            "first": "2024-01-04",
            "last": "2024-01-05",
            "parameters": {"top": 3},
            "in_sample": None,
            "out_of_sample": None,
        },
    ]
    assert document(dataclasses.replace(told, verdict=Verdict("withheld", ())))["windows"] == []
    assert document(page())["windows"] == document(page(days=days))["windows"] == []
    assert document(page(walk_forward=walk))["windows"] == []


def test_parameters_of_any_kind_are_plain_in_the_document():
    odd = {
        "threshold": -math.inf,
        "unknown": math.nan,
        "half": np.float64(0.5),
        "top": np.int64(3),
        "wide": np.bool_(True),
        "symbols": ("a", ["b", np.int64(1)]),
        "cap": None,
        "on": True,
        "deep": {1: np.float64(math.inf)},
        "day": np.datetime64("2024-01-02"),
        "name": "x",
    }
    shown = document(page(good(selected__parameters=odd)))["blocks"]["selected"]["parameters"]
    assert shown == {
        "threshold": "-inf",
        "unknown": "nan",
        "half": 0.5,
        "top": 3,
        "wide": True,
        "symbols": ["a", ["b", 1]],
        "cap": None,
        "on": True,
        "deep": {"1": "inf"},
        "day": "2024-01-02",
        "name": "x",
    }
    assert type(shown["wide"]) is bool
    assert type(shown["top"]) is int
    assert type(shown["half"]) is float
