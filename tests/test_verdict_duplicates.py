"""Which trials are nearly one, on swings with plain correlations: one, none, or the side of a triangle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.verdict import duplicates
from engine.verdict.duplicates import LEVELS, kinds

A = np.array([1.0, -1.0, 1.0, -1.0])
B = np.array([1.0, 1.0, -1.0, -1.0])  # not correlated with A


def between(correlation):
    """A trial that is correlated with A so much, and with B by the rest."""
    return correlation * A + math.sqrt(1.0 - correlation**2) * B


def everywhere(*columns):
    return {level: list(columns) for level in LEVELS}


def numbers(by_level):
    return {level: columns.tolist() for level, columns in by_level.items()}


def test_a_trial_is_of_the_kind_of_the_best_that_it_is_like():
    # The last is like the first, though the second came between.
    assert numbers(kinds(np.column_stack([A, B, A]), np.array([0.3, 0.2, 0.1]))) == everywhere(0, 1)
    assert kinds(np.column_stack([A, B, A]), np.array([0.1, 0.2, 0.3]))[0.9].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("correlation", "alike_above"),
    [
        (0.96, (0.95, 0.9, 0.8, 0.7, 0.5)),
        (0.6, (0.5,)),
        (0.9, (0.8, 0.7, 0.5)),  # on the line two are not alike, whatever the last bit of the product is
        (0.8, (0.7, 0.5)),
        (-0.96, ()),
    ],
)
def test_alike_is_a_correlation_above_the_level(correlation, alike_above):
    by_level = kinds(np.column_stack([A, between(correlation)]), np.array([0.2, 0.1]))
    assert tuple(level for level, columns in by_level.items() if len(columns) == 1) == alike_above


def test_what_trials_earn_on_average_does_not_make_them_alike():
    earning = np.column_stack([A + 50.0, B + 70.0, A * B + 80.0])
    assert numbers(kinds(earning, np.array([0.1, 0.2, 0.3]))) == everywhere(2, 1, 0)


def test_of_equals_the_first_column_leads_among_very_many_too():
    # Sorting is stable for a few by chance
    returns, ratios = np.zeros((2, 400)), np.tile([0.1, 0.2], 200)
    assert kinds(returns, ratios)[0.9].tolist() == [*range(1, 400, 2), *range(0, 400, 2)]


def test_two_sessions_tell_no_kinds_apart_and_three_do():
    ratios = np.array([0.2, 0.1])
    assert numbers(kinds(np.column_stack([A, A])[:2], ratios)) == everywhere(0, 1)
    assert numbers(kinds(np.column_stack([A, A])[:3], ratios)) == everywhere(0)
    nothing = kinds(np.column_stack([A, A]), np.array([math.nan, math.nan]))
    assert numbers(nothing) == everywhere()


def test_of_very_many_trials_an_even_part_by_rank_is_looked_at(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST", 3)
    returns = np.random.default_rng(1).normal(0.0, 0.01, (500, 6))
    # By rank 5, 3, 4, 0, 2, and the one without a ratio left out: the first, third and fifth of these.
    ratios = np.array([0.2, math.nan, 0.1, 0.4, 0.3, 0.5])
    assert numbers(kinds(returns, ratios)) == everywhere(5, 4, 2)
    assert kinds(returns[:, :3], ratios[:3])[0.9].tolist() == [0, 2]
