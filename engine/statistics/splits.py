"""Splits of sessions into training and test rows: walk-forward, and combinatorial with purge and embargo.

Walk-forward simulates a user who tunes on the past and trades on; it is the one to report. The combinatorial
splits train on rows after the test too, which no trader can, but give several complete out-of-sample paths:
right for the stability of parameters, wrong as a simulation.

Rows are session numbers from 0. What is impossible is a UsageError that names the shortest history.
Source: López de Prado (2018), chapters 7, 11 and 12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from data.errors import UsageError
from engine.statistics.estimate import Integers, check_at_least

MOST_SPLITS = 100_000


@dataclass(frozen=True)
class Split:
    """Rows to train on, and the rows of each test block, all ascending."""

    train: Integers
    tests: tuple[Integers, ...]


@dataclass(frozen=True)
class WalkForward:
    """Windows that move forward by one test block: train, gap, test.

    Parameters
    ----------
    train_size, test_size : int
        Rows, at least 1.
    purged_size : int
        Rows left out between training and test; at least as many as a training label looks ahead.
    expand : bool
        Train on all rows from the first, instead of the latest ``train_size``.
    reduce_test : bool
        Keep a last test block that is shorter, instead of leaving its rows out.
    """

    train_size: int
    test_size: int
    purged_size: int = 0
    expand: bool = False
    reduce_test: bool = False

    def __post_init__(self) -> None:
        check_at_least("train_size", self.train_size, 1)
        check_at_least("test_size", self.test_size, 1)
        check_at_least("purged_size", self.purged_size, 0)

    def split(self, n_observations: int) -> list[Split]:
        """Return the splits of a history of ``n_observations`` rows, in time; UsageError if not one fits."""
        before = self.train_size + self.purged_size
        needed = before + (1 if self.reduce_test else self.test_size)
        _check_history(n_observations, needed)
        splits = []
        for test_from in range(before, n_observations, self.test_size):
            test_to = min(test_from + self.test_size, n_observations)
            if test_to - test_from < self.test_size and not self.reduce_test:
                break
            train_from = 0 if self.expand else test_from - before
            train = np.arange(train_from, test_from - self.purged_size)
            splits.append(Split(train, (np.arange(test_from, test_to),)))
        return splits


@dataclass(frozen=True)
class CombinatorialPurged:
    """Every choice of ``n_test_folds`` of ``n_folds`` contiguous folds as test, in lexicographic order.

    Parameters
    ----------
    n_folds, n_test_folds : int
        At least 2 folds, fewer test folds than folds. A fold has T // n_folds rows, the last also the rest.
    purged_size : int
        Rows left out of training before and after each run of test rows; adjacent test folds are one run.
    embargo_size : int
        Rows left out after each run in addition; at least one rebalance interval.
    """

    n_folds: int
    n_test_folds: int
    purged_size: int
    embargo_size: int

    def __post_init__(self) -> None:
        check_at_least("n_folds", self.n_folds, 2)
        check_at_least("n_test_folds", self.n_test_folds, 1)
        check_at_least("purged_size", self.purged_size, 0)
        check_at_least("embargo_size", self.embargo_size, 0)
        if self.n_test_folds >= self.n_folds:
            raise UsageError(
                "no fold is left to train on",
                received=f"{self.n_test_folds} test folds of {self.n_folds}",
                limit=f"at most {self.n_folds - 1}",
            )
        if self.n_splits > MOST_SPLITS:
            raise UsageError(
                "too many splits", received=self.n_splits, limit=MOST_SPLITS, hint="Take fewer folds."
            )

    @property
    def n_splits(self) -> int:
        """Number of choices, ``C(n_folds, n_test_folds)``."""
        return math.comb(self.n_folds, self.n_test_folds)

    @property
    def n_paths(self) -> int:
        """Number of complete out-of-sample paths, each fold being tested that often."""
        return math.comb(self.n_folds - 1, self.n_test_folds - 1)

    def test_folds(self) -> list[tuple[int, ...]]:
        """Return the test folds of each split, ascending, in the order of ``Split.tests``."""
        return list(combinations(range(self.n_folds), self.n_test_folds))

    def path_ids(self) -> Integers:
        """Return (n_paths, n_folds): the split that a path takes a fold from; path *p* takes the *p*-th."""
        tested = np.zeros((self.n_splits, self.n_folds), dtype=np.bool_)
        for number, folds in enumerate(self.test_folds()):
            tested[number, list(folds)] = True
        return np.stack([np.flatnonzero(tested[:, fold]) for fold in range(self.n_folds)], axis=1)

    def split(self, n_observations: int) -> list[Split]:
        """Return the splits of a history of ``n_observations`` rows.

        UsageError unless a fold is longer than purge and embargo together by two rows, and every split has
        rows to train on.
        """
        _check_history(n_observations, self.n_folds * (self.purged_size + self.embargo_size + 2))
        size = n_observations // self.n_folds
        bounds = [*(size * fold for fold in range(self.n_folds)), n_observations]
        splits = []
        for folds in self.test_folds():
            out = np.zeros(n_observations, dtype=np.bool_)
            for fold in folds:
                low, high = bounds[fold], bounds[fold + 1]
                # what this takes from an adjacent test fold is test anyway
                out[max(low - self.purged_size, 0) : high + self.purged_size + self.embargo_size] = True
            tests = tuple(np.arange(bounds[fold], bounds[fold + 1]) for fold in folds)
            if out.all():
                raise UsageError(
                    "purge and embargo leave nothing to train on",
                    received=f"test folds {', '.join(map(str, folds))} of {self.n_folds}",
                    hint="Take fewer test folds, a smaller purge or embargo, or a longer history.",
                )
            splits.append(Split(np.flatnonzero(~out), tests))
        return splits


def _check_history(n_observations: int, needed: int) -> None:
    if n_observations < needed:
        raise UsageError(
            "the history is too short for a single split",
            received=f"{n_observations} rows",
            limit=f"at least {needed}",
            hint="Take smaller windows, fewer folds, or a longer history.",
        )
