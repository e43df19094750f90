"""Words and sentences of a verdict on blocks written by hand: the numbers in them, and which word stays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.verdict.evidence import Earlier, Since, WalkForwardOutcome
from engine.verdict.thresholds import Thresholds
from engine.verdict.verdict import Verdict, judge, report, with_before
from engine.verdict.warnings import Caution, warned
from tests.helpers.evidence import FEW, LINES, SWING, UNIT, YEAR, levels, random_returns
from tests.helpers.evidence import evidence as trials
from tests.test_verdict_rules import NAN, evidence, fired, good

# --- warnings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "detail"),
    [
        ("luck", {"luck__deflated": 0.9}, "DSR 0.9000, below 0.95"),
        ("skill", {"skill__spa": 0.06}, "SPA p 0.0600, above 0.05"),
        ("length", {"luck__years": 2.25}, "2.25 years, MinBTL 2.50"),
        (
            "selection",
            {"selection__overfitting": 0.51},
            "PBO 0.510, probability of loss 0.050: PBO above 0.5",
        ),
        (
            "selection",
            {"selection__overfitting": 0.21, "selection__loss": 0.31},
            "PBO 0.210, probability of loss 0.310: PBO above 0.2 with a probability of loss above 0.3",
        ),
        ("degradation", {"selected__out_over_in": 0.4}, "OOS/IS 0.400, below 0.5"),
        (
            "peak",
            {"plateau__neighbours_share": 0.5},
            "median SR of the neighbours is 50.0% of the selected one, below 70%",
        ),
        (
            "peak",
            {"plateau__neighbours_share": NAN, "plateau__neighbours_median": -0.25},
            "median SR of the neighbours is -0.25, that of the selected 1.50",
        ),
        (
            "autocorrelation",
            {"assumptions__autocorrelation": 0.25, "assumptions__corrected": 1.2},
            "ρ₁ 0.250, beyond ±0.040; corrected SR 1.20",
        ),
        (
            "autocorrelation",
            {"assumptions__autocorrelation": 0.25, "assumptions__corrected": NAN},
            "ρ₁ 0.250, beyond ±0.040",
        ),
        (
            "short",
            {"selected__sessions": 59, "selected__block": 20.0},
            "59 sessions, fewer than 60; 59 sessions are 0.23 years, fewer than 3; "
            "59 sessions in blocks of 20, fewer than 4 blocks",
        ),
        (
            "short",
            {"skill__sessions": 126},
            "126 sessions with a benchmark are 0.50 years, fewer than 3",
        ),
        (
            "short",  # nothing at all is too short, with or without a benchmark
            {"selected__sessions": 0, "skill__sessions": 0},
            "0 sessions, fewer than 60; 0 sessions are 0.00 years, fewer than 3; "
            "0 sessions in blocks of 5, fewer than 4 blocks",
        ),
        (
            "look-ahead",
            {"luck__largest": 1.2, "luck__deflated": 1.0, "selected__in_sample": 3.1},
            "a trial with a Sharpe ratio of 1.20 per session in size, above 1; "
            "DSR 1.000 with an annual SR of 3.10",
        ),
    ],
)
def test_the_numbers_that_a_warning_is_about(name, changes, detail):
    assert fired(good(**changes))[name].detail == detail


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"total": 0}, "no trial is on record"),
        ({"total": 9, "columns": 10}, "9 trials on record, fewer than the 10 of this search"),
        ({"total": 10, "grid_size": 12}, "10 trials on record, fewer than the 12 of this search"),
    ],
)
def test_how_many_trials_are_missing(given, detail):
    assert fired(good(), evidence(**given))["log"].detail == detail


def test_what_of_the_record_is_not_known_is_listed():
    given = dataclasses.replace(evidence(), unknown=("2 lines are damaged", "a file is gone"))
    caution = Caution(
        "record", "What was looked at before cannot be known.", "2 lines are damaged; a file is gone"
    )
    assert warned(given, good(), LINES).warnings == (caution,)
    told = judge(given, good(), LINES)
    sentence = "What was looked at before cannot be known. Here: 2 lines are damaged; a file is gone."
    assert (told.word, told.reasons) == ("withheld", (sentence,))


def test_neighbours_of_next_to_nothing_are_no_peak():
    flat = {"plateau__neighbours_share": NAN, "plateau__neighbours_median": 0.0}
    assert "peak" in fired(good(**flat, selected__in_sample=0.1))
    assert "peak" not in fired(good(**flat, selected__in_sample=0.099))
    # Neighbours that earn are judged by their share alone.
    assert "peak" not in fired(good(plateau__neighbours_median=0.9))


def test_overstated_is_a_loss_in_size_only():
    for ratio, text in ((0.5, "SR; see"), (-0.5, "SR in size; see")):
        blocks = good(assumptions__autocorrelation=0.25, selected__in_sample=ratio)
        assert f"overstates {text} corrected value." in fired(blocks)["autocorrelation"].text


# --- the word ---------------------------------------------------------------------------------------------


def test_the_reasons_of_support_in_their_order():
    assert judge(evidence(), good(), LINES) == Verdict(
        "supported",
        (
            "SPA p 0.0100 is at most 0.05.",
            "DSR 0.9700 is at least 0.95.",
            "PBO 0.100 is at most 0.2.",
            "10.00 years are at least the 2.50 that 10 trials need.",
        ),
        "supported",
        1,
    )


def test_the_reasons_of_what_is_unproven_are_what_failed():
    bad = {"skill__spa": 0.1, "luck__deflated": 0.5, "selection__overfitting": 0.3, "luck__years": 2.0}
    assert judge(evidence(), good(**bad), LINES).reasons == (
        "SPA p 0.1000 is above 0.05.",
        "DSR 0.5000 is below 0.95.",
        "PBO 0.300 is above 0.2.",
        "2.00 years are below the 2.50 that 10 trials need.",
    )


def test_both_reasons_of_a_rejection():
    told = judge(evidence(), good(skill__spa=0.25, selected__out_of_sample=-0.5), LINES)
    assert told.reasons == (
        "SPA p 0.2500 is above 0.2: the search does not come near to beating index.",
        "The Sharpe ratio out of sample, -0.50, is not above 0.",
    )


def test_one_trial_was_not_selected():
    told = judge(evidence(), good(luck__trials=1, selection__overfitting=NAN), LINES)
    assert "PBO does not apply: nothing was selected from one trial." in told.reasons


def test_what_cannot_be_run_again_rejects_nothing():
    # The p-value of 0.06, five times for those that are lost.
    assert judge(evidence(), good(skill__spa=0.3, skill__measured=0.06), LINES).word == "unproven"
    assert judge(evidence(), good(skill__spa=0.9, skill__measured=0.3), LINES).word == "rejected"


def earlier(*words, again=False):
    return tuple(
        Earlier(f"2026-01-0{day}T09:30:00", "s", word, "both", "X", 0, "2020-01-02", "2024-12-31", again)
        for day, word in enumerate(words, start=1)
    )


def after(*lines):
    return dataclasses.replace(evidence(), before=lines)


HARDER = " By itself this one says {}; a later one can only harden the word."


@pytest.mark.parametrize(
    ("words", "changes", "word", "alone", "said"),
    [
        (
            ("rejected",),
            {},
            "rejected",
            "supported",
            "Judgement 2 of these sessions; the first, of 2026-01-01, said rejected."
            + HARDER.format("supported"),
        ),
        (
            ("unproven", "rejected"),
            {},
            "rejected",
            "supported",
            "Judgement 3 of these sessions; the first, of 2026-01-01, said unproven."
            + HARDER.format("supported"),
        ),
        (
            ("supported",),
            {},
            "supported",
            "supported",
            "Judgement 2 of these sessions; the first, of 2026-01-01, said supported.",
        ),
        (
            ("withheld", "unproven"),  # the first that said anything
            {"skill__spa": 0.9},
            "rejected",
            "rejected",
            "Judgement 3 of these sessions; the first, of 2026-01-02, said unproven.",
        ),
        (("withheld",), {}, "supported", "supported", None),
        (("rejected",), {"selected__sessions": 59}, "withheld", "withheld", None),
    ],
)
def test_the_first_judgement_stays(words, changes, word, alone, said):
    told = judge(after(*earlier(*words)), good(**changes), LINES)
    by_itself = judge(evidence(), good(**changes), LINES).reasons
    expected = by_itself if said is None else (said, *by_itself)
    assert told == Verdict(word, expected, alone, len(words) + 1)


def test_the_same_question_again_is_no_other_judgement():
    again = earlier("supported", again=True)
    assert judge(after(*again), good(), LINES) == judge(evidence(), good(), LINES)
    # It binds, however, and is the first of these sessions still.
    told = judge(after(*earlier("rejected", again=True)), good(), LINES)
    assert (told.word, told.alone, told.number) == ("rejected", "supported", 1)
    assert told.reasons[0] == (
        "Judgement 1 of these sessions; the first, of 2026-01-01, said rejected." + HARDER.format("supported")
    )


def test_judgements_in_the_same_words_all_count():
    often, once = earlier("unproven", "unproven")
    often = dataclasses.replace(often, times=3, until="2026-01-05T10:00:00")
    told = judge(after(often, once), good(), LINES)
    assert told.number == 5
    assert told.reasons[0].startswith(
        "Judgement 5 of these sessions; the first, of 2026-01-01, said unproven."
    )


# --- the page as a whole ----------------------------------------------------------------------------------


def test_a_page_is_of_what_was_given():
    returns = random_returns(columns=3)
    returns[:, 2] = np.nan
    returns[7, 1] = np.nan
    given = trials(returns, benchmark=np.zeros(300), seed=3)
    told = report(given, resamples=FEW)
    assert told.evidence is given
    assert told.thresholds == Thresholds()
    assert told.blocks.skill.resamples == 200
    assert told.verdict.word == "withheld"
    assert "299 sessions are 1.19 years, fewer than 3" in told.verdict.reasons[0]
    assert {"short", "luck"} <= {each.name for each in told.warned.warnings}
    assert told.notes[:2] == (
        "failed trials, which count as trials and are in no test: 1",
        "sessions left out because a trial has no return: 1",
    )
    assert told.since is None
    # What the search lost before it came to a column counts too.
    told = report(dataclasses.replace(given, failed=90), resamples=FEW)
    assert told.notes[0] == "failed trials, which count as trials and are in no test: 90"


def test_new_sessions_are_on_the_page():
    swing = random_returns(rows=250, columns=1)[:, 0]
    swing += 0.003 - swing.mean()
    flat = np.random.default_rng(8).normal(0.0, 0.002, 250)
    since = Since("2025-01-02", "2025-12-31", 250, {"lookback": 5}, swing, flat, flat)
    told = report(trials(levels(2, 1), since=since), resamples=FEW).since
    assert told is not None
    assert (told.word, told.p_value) == ("supported", pytest.approx(1.0 / 201.0))
    strict = Thresholds(observations=251)
    told = report(trials(levels(2, 1), since=since), strict, resamples=FEW).since
    assert told is not None
    assert told.reason == "250 sessions, fewer than 251"


def test_lines_that_are_set_reach_every_block():
    # An annual ratio of a half, in sample, of the neighbour, and in training.
    rows = 0.001 * np.column_stack([SWING + 0.5 / YEAR / UNIT] * 2)
    splits = WalkForwardOutcome(rows[:, 0], np.array([0.5 / YEAR]))
    given = trials(rows, neighbours=(1,), walk_forward=splits)
    blocks = report(given, resamples=FEW).blocks
    assert (blocks.plateau.neighbours_share, blocks.selected.out_over_in) == pytest.approx((1.0, 1.0))
    strict = Thresholds(least_sharpe=0.6)
    told = report(given, strict, resamples=FEW)
    assert told.thresholds is strict
    why = "the Sharpe ratio of the selected trial is below 0.6"
    assert told.blocks.plateau.reasons["neighbours_share"] == why
    assert told.blocks.selected.reasons["out_over_in"] == "the Sharpe ratio in training is below 0.6"


def test_a_page_beside_judgements_that_came_meanwhile():
    page = report(trials(levels(2, 1)), resamples=FEW)
    page = dataclasses.replace(page, evidence=evidence(), blocks=good())
    beside = with_before(page, earlier("rejected"))
    assert beside.evidence.before == earlier("rejected")
    assert beside.verdict == judge(after(*earlier("rejected")), good(), LINES)
    assert beside.verdict.word == "rejected"
    assert (beside.blocks, beside.warned, beside.notes) == (page.blocks, page.warned, page.notes)
