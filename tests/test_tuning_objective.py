"""Objectives, constraints, ranking and Pareto fronts, by pencil and against plain definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UsageError
from engine.tuning.objective import Goal, Leaderboard, Objective, Trial, pareto, ranked
from engine.tuning.outcome import Outcome


def goal(*objectives: str, constraints=()) -> Goal:
    return Goal.from_words(objectives, constraints)


def trials(*rows: dict[str, float | None] | str) -> list[Trial]:
    """Return trials of these metrics, or of this reason to fail, numbered from 0."""
    return [
        Trial(number, {"top": number}, Outcome({}, row) if isinstance(row, str) else Outcome(row))
        for number, row in enumerate(rows)
    ]


def numbers(found: list[Trial]) -> list[int]:
    return [trial.number for trial in found]


@pytest.mark.parametrize(
    ("word", "objective"),
    [
        ("sharpe_ratio", Objective("sharpe_ratio", maximize=True)),
        ("max_drawdown", Objective("max_drawdown", maximize=True)),  # a negative number
        ("turnover", Objective("turnover", maximize=False)),
        ("annual_volatility", Objective("annual_volatility", maximize=False)),
        ("costs", Objective("costs", maximize=False)),
        ("cost_share", Objective("cost_share", maximize=False)),
        ("kurtosis", Objective("kurtosis", maximize=False)),
        ("rejections", Objective("rejections", maximize=False)),
        ("beta:max", Objective("beta", maximize=True)),
        ("beta:min", Objective("beta", maximize=False)),
        ("-beta", Objective("beta", maximize=False)),
        ("-sharpe_ratio", Objective("sharpe_ratio", maximize=False)),
        ("-turnover", Objective("turnover", maximize=False)),
        ("turnover:max", Objective("turnover", maximize=True)),
        ("sharpe_ratio:min", Objective("sharpe_ratio", maximize=False)),
    ],
)
def test_words_of_objectives_have_a_direction(word, objective):
    assert goal(word).objectives == (objective,)
    assert goal(str(objective)).objectives == (objective,)


@pytest.mark.parametrize(
    ("words", "constraints", "says"),
    [
        (["sharp_ratio"], [], "Did you mean `sharpe_ratio`"),
        (["turnover:up"], [], "limit: turnover:min, turnover:max"),
        (["-turnover:min"], [], "no such direction"),
        (["beta"], [], "limit: beta:min, beta:max"),
        (["exposure"], [], "`exposure` has no direction of its own"),
        (["sharpe_ratio", "fills"], [], "limit: fills:min, fills:max"),
        (["turnover", "turnover:max"], [], "given twice"),
        ([], ["max_drawdwn > -0.25"], "Did you mean `max_drawdown`"),
        ([], ["max_drawdown"[:3]], "--constraint"),
    ],
)
def test_wrong_objectives_and_constraints_are_refused(words, constraints, says):
    with pytest.raises(UsageError) as error:
        goal(*words, constraints=constraints)
    assert says in str(error.value)


def test_ranking_is_feasible_first_then_by_value_then_by_number():
    tried = trials(
        {"sharpe_ratio": 1.0, "max_drawdown": -0.1},
        {"sharpe_ratio": 3.0, "max_drawdown": -0.5},  # misses the constraint
        {"sharpe_ratio": None, "max_drawdown": -0.1},
        "it raised",
        {"sharpe_ratio": 2.0, "max_drawdown": -0.1},
        {"sharpe_ratio": 1.0, "max_drawdown": -0.2},
        {"sharpe_ratio": 5.0, "max_drawdown": None},  # undefined: meets no constraint
        {"max_drawdown": -0.1},
    )
    sought = goal("sharpe_ratio", constraints=["max_drawdown > -0.25"])
    assert numbers(ranked(tried, sought)) == [4, 0, 5, 6, 1, 2, 7]
    assert numbers(ranked(reversed(tried), sought)) == [4, 0, 5, 6, 1, 2, 7]
    assert numbers(ranked(tried, goal("-sharpe_ratio"))) == [0, 5, 4, 1, 6, 2, 7]
    assert [sought.feasible(trial.outcome) for trial in tried] == [1, 0, 0, 0, 1, 1, 0, 0]


def test_the_pareto_front_by_pencil():
    tried = trials(
        {"sharpe_ratio": 1.0, "turnover": 1.0},
        {"sharpe_ratio": 2.0, "turnover": 4.0},
        {"sharpe_ratio": 1.5, "turnover": 5.0},  # 1 is better in both
        {"sharpe_ratio": 2.0, "turnover": 6.0},  # 1 is as good, and turns over less
        {"sharpe_ratio": 1.0, "turnover": 1.0},  # 0 again
        {"sharpe_ratio": 1.5, "turnover": 2.0},
        {"sharpe_ratio": 9.0, "turnover": None},
        "it raised",
    )
    sought = goal("sharpe_ratio", "turnover")
    assert numbers(pareto(tried, sought)) == [1, 5, 0]
    assert numbers(ranked(tried, sought)) == [1, 5, 0, 3, 2, 4, 6]
    limited = goal("sharpe_ratio", "turnover", constraints=["turnover < 3"])
    assert numbers(pareto(tried, limited)) == [5, 0]


NUMBER = st.none() | st.integers(-3, 3).map(float)
ROW = st.just("it raised") | st.fixed_dictionaries(
    {"sharpe_ratio": NUMBER, "turnover": NUMBER, "max_drawdown": NUMBER}
)


@given(
    st.lists(ROW, max_size=25),
    st.sampled_from([["sharpe_ratio"], ["sharpe_ratio", "turnover"], ["turnover", "max_drawdown"]]),
    st.sampled_from([[], ["max_drawdown > -2"], ["max_drawdown > -2 and turnover <= 2"]]),
    st.integers(1, 6),
)
def test_board_and_front_equal_their_definitions(rows, words, constraints, kept):
    tried, sought = trials(*rows), goal(*words, constraints=constraints)
    leaderboard = Leaderboard(sought, kept)
    for trial in tried:
        leaderboard.add(trial)
    gains = {t.number: sought.gains(t.outcome) for t in tried if sought.feasible(t.outcome)}
    front = {
        number
        for number, mine in gains.items()
        if not any(
            all(a >= b for a, b in zip(other, mine, strict=True)) and (other != mine or earlier < number)
            for earlier, other in gains.items()
            if earlier != number
        )
    }
    everything = ranked(tried, sought)
    assert set(numbers(pareto(tried, sought))) == front
    assert numbers(leaderboard.ranked) == numbers(everything[:kept])
    assert numbers(leaderboard.front) == numbers(pareto(tried, sought))
    assert (leaderboard.best.number if leaderboard.best else None) == (
        everything[0].number if gains else None
    )
    assert (leaderboard.trials, leaderboard.feasible) == (len(tried), len(gains))
    assert leaderboard.failures == len(tried) - len(everything) == rows.count("it raised")
