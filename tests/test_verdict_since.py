"""What sessions after the first judgement say: too few, of no account, and the lines of each word."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from engine.statistics.sharpe import moments, probabilistic_sharpe
from engine.statistics.superiority import superiority
from engine.verdict.evidence import Since
from engine.verdict.reasons import block_length
from engine.verdict.since import NewSessions, new_sessions
from engine.verdict.thresholds import Resamples, Thresholds
from tests.helpers.evidence import LINES, evidence, levels

FEW = Resamples(superiority=199)
SET = {"lookback": 5}
NOISE = np.random.default_rng(7).normal(0.0, 0.01, 250)
NOISE -= NOISE.mean()
FLAT = np.random.default_rng(8).normal(0.0, 0.002, 250)
STRONG, HARDLY, WEAK = 0.003 + NOISE, 0.0006 + NOISE, 0.0001 + NOISE


def told(
    returns: Any = STRONG,
    lines: Thresholds = LINES,
    counts: Resamples = FEW,
    per_year: float = 252.0,
    **changes: Any,
) -> NewSessions:
    since = Since("2025-01-02", "2025-12-31", 250, SET, returns, FLAT, FLAT)
    given = dataclasses.replace(
        evidence(levels(2, 1), seed=3, since=dataclasses.replace(since, **changes)),
        sessions_per_year=per_year,
    )
    found = new_sessions(given, lines, counts)
    assert found is not None
    return found


def p_value(returns: np.ndarray, index: np.ndarray, resamples: int = 199) -> float:
    apart = (returns - index)[np.isfinite(returns - index)]
    block = block_length(apart).value
    return superiority(apart[:, None], block=block, seed=3, resamples=resamples).p_value


def test_without_such_sessions_nothing_is_said() -> None:
    given = evidence(levels(2, 1))
    assert new_sessions(given, LINES, FEW) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sessions": 59}, "59 sessions, fewer than 60"),
        ({"sessions": 250, "returns": None, "reason": "the strategy is gone"}, "the strategy is gone"),
    ],
)
def test_what_cannot_be_judged_is_named_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    sessions = changes["sessions"]
    assert told(**changes) == NewSessions(
        "2025-01-02", "2025-12-31", sessions, SET, None, None, None, None, reason
    )


def test_as_many_sessions_as_it_takes_are_judged() -> None:
    assert told(lines=dataclasses.replace(LINES, observations=250)).word == "supported"
    assert told(lines=dataclasses.replace(LINES, observations=251)).word is None


def test_its_numbers_are_those_of_the_set_alone() -> None:
    found = told(HARDLY)
    assert (found.first, found.last, found.sessions, found.parameters) == (
        "2025-01-02",
        "2025-12-31",
        250,
        SET,
    )
    ratio = HARDLY.mean() / HARDLY.std(ddof=1) * math.sqrt(252.0)
    probable = probabilistic_sharpe(moments(HARDLY)).value
    p = p_value(HARDLY, FLAT)
    assert found.sharpe == pytest.approx(ratio)
    assert (found.p_value, found.probabilistic) == (p, probable)
    assert found.reason == f"Sharpe ratio {ratio:.4f}, SPA p {p:.4f}, PSR {probable:.4f}"


def test_the_harder_of_benchmark_and_equal_weight_counts() -> None:
    rising = FLAT + 0.0005
    easy, hard = p_value(HARDLY, FLAT), p_value(HARDLY, rising)
    assert easy < hard
    assert told(HARDLY, benchmark=rising).p_value == told(HARDLY, equal_weight=rising).p_value == hard


@pytest.mark.parametrize("name", ["benchmark", "equal_weight"])
def test_an_unknown_index_supports_nothing(name: str) -> None:
    found = told(**{name: np.full(250, np.nan)})
    assert (found.word, found.p_value) == ("unproven", None)
    assert ", SPA p n/a, PSR 1.0000" in found.reason


def test_over_a_gap_of_an_index_the_account_is_compounded() -> None:
    gaps = FLAT.copy()
    gaps[[100, 101, 249]] = np.nan  # what is known on session 102 is the return of three
    gaps[102] = 0.3
    own = np.r_[HARDLY[:100], np.prod(1.0 + HARDLY[100:103]) - 1.0, HARDLY[103:249]]
    expected = p_value(own, gaps[np.isfinite(gaps)])
    assert p_value(HARDLY, FLAT) < expected
    assert told(HARDLY, benchmark=gaps).p_value == expected


def test_by_default_there_are_a_thousand_resamples() -> None:
    assert told(HARDLY, counts=Resamples()).p_value == p_value(HARDLY, FLAT, 1000)


def test_every_look_costs() -> None:
    # None of 199 resamples comes near: p is 1/200. Ten looks make it 0.05, which is on the line.
    assert told().p_value == 0.005
    found = told(looks=10)
    assert (found.p_value, found.word) == (0.05, "supported")
    assert ", SPA p 0.0500 (times 10 looks), PSR" in found.reason
    assert told(looks=11).word == "unproven"
    assert "(times 2 looks)" in told(looks=2).reason
    assert "looks" not in told(looks=1).reason
    assert told(looks=1000).p_value == 1.0


def test_support_takes_a_ratio_that_is_probably_above_zero() -> None:
    lenient = dataclasses.replace(LINES, superiority=1.0)
    probable = told(HARDLY).probabilistic
    assert probable is not None
    assert 0.5 < probable < 0.95
    assert told(HARDLY, lenient).word == "unproven"
    assert told(HARDLY, dataclasses.replace(lenient, deflated=probable)).word == "supported"
    assert told(HARDLY, dataclasses.replace(LINES, deflated=probable)).word == "unproven"


def test_only_a_long_time_without_superiority_rejects() -> None:
    # A year of 250 sessions, and lines of one year: just long enough.
    year = dataclasses.replace(LINES, years=1.0)
    p = told(WEAK).p_value
    assert p is not None
    assert p > 0.2
    assert told(WEAK, year, per_year=250.0).word == "rejected"
    assert told(WEAK, year, per_year=251.0).word == "unproven"
    assert told(HARDLY, year, per_year=250.0, looks=1).word == "unproven"
    on_the_line = dataclasses.replace(year, rejected_superiority=p)
    assert told(WEAK, on_the_line, per_year=250.0).word == "unproven"


def test_a_loss_rejects_however_short() -> None:
    assert told(-WEAK).word == "rejected"
    assert told(WEAK).word == "unproven"


def test_the_ratio_that_rejects_is_annual() -> None:
    # 0.0001 a session with a deviation of a hundredth is about 0.16 a year.
    assert 0.1 < told(WEAK).sharpe < 0.2
    assert told(WEAK, dataclasses.replace(LINES, rejected_sharpe=0.2)).word == "rejected"
    assert told(WEAK, dataclasses.replace(LINES, rejected_sharpe=0.1)).word == "unproven"
    annual = told(WEAK).sharpe
    assert told(WEAK, dataclasses.replace(LINES, rejected_sharpe=annual)).word == "rejected"


def test_an_account_that_does_not_move_is_undefined() -> None:
    found = told(np.zeros(250))
    assert (found.sharpe, found.probabilistic) == (None, None)
    assert found.reason.startswith("Sharpe ratio n/a, SPA p ")
    assert found.reason.endswith(", PSR n/a")
    assert found.word == "unproven"
