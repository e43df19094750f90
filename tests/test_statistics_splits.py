"""Splits: the worked examples, and what every split must satisfy whatever its sizes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from data.errors import UsageError
from engine.statistics.splits import CombinatorialPurged, WalkForward


def ranges(splits):
    """First and last row of training and of each test block; all blocks must be without gaps."""
    for split in splits:
        for rows in (split.train, *split.tests):
            assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))
    return [((s.train[0], s.train[-1]), *((t[0], t[-1]) for t in s.tests)) for s in splits]


def test_rolling_example():
    found = WalkForward(8, 4, purged_size=2).split(20)
    assert ranges(found) == [((0, 7), (10, 13)), ((4, 11), (14, 17))]


def test_expanding_example_with_a_short_last_block():
    found = WalkForward(8, 4, purged_size=2, expand=True, reduce_test=True).split(20)
    assert ranges(found) == [((0, 7), (10, 13)), ((0, 11), (14, 17)), ((0, 15), (18, 19))]


@given(
    st.integers(1, 30),
    st.integers(1, 15),
    st.integers(0, 5),
    st.booleans(),
    st.booleans(),
    st.integers(1, 120),
)
def test_walk_forward(train, test, purge, expand, reduce, rows):
    method = WalkForward(train, test, purge, expand, reduce)
    if rows < train + purge + (1 if reduce else test):
        with pytest.raises(UsageError, match="too short"):
            method.split(rows)
        return
    splits = method.split(rows)
    stitched = np.concatenate([split.tests[0] for split in splits])
    assert np.array_equal(stitched, train + purge + np.arange(len(stitched)))
    left = rows - train - purge - len(stitched)
    assert left == 0 if reduce else 0 <= left < test
    for split in splits:
        assert split.train[-1] + purge + 1 == split.tests[0][0]
        assert split.train[0] == 0 if expand else len(split.train) == train


@pytest.mark.parametrize(
    ("purge", "embargo", "expected"),
    [(1, 0, [[9, 10, 11], [5, 6], [0, 1, 2]]), (0, 1, [[9, 10, 11], [5, 6, 7], [0, 1, 2, 3]])],
)
def test_combinatorial_examples(purge, embargo, expected):
    found = CombinatorialPurged(3, 2, purge, embargo).split(12)
    assert [split.train.tolist() for split in found] == expected


def test_paths_of_four_and_six_folds():
    four = CombinatorialPurged(4, 2, 0, 0)
    assert four.path_ids().tolist() == [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]
    six = CombinatorialPurged(6, 2, 0, 0)
    assert (six.n_splits, six.n_paths, six.path_ids().shape) == (15, 5, (5, 6))
    assert len(six.split(60)) == 15


def test_the_rest_is_in_the_last_fold():
    found = CombinatorialPurged(3, 1, 0, 0).split(14)
    assert [len(split.tests[0]) for split in found] == [4, 4, 6]


sizes = st.tuples(
    st.integers(2, 7), st.integers(1, 4), st.integers(0, 3), st.integers(0, 4), st.integers(10, 90)
).filter(lambda each: each[1] < each[0] and each[4] // each[0] >= 2 * each[2] + each[3] + 2)


@given(sizes)
def test_combinatorial_against_intervals_that_overlap(chosen):
    folds, tested, purge, embargo, rows = chosen
    method = CombinatorialPurged(folds, tested, purge, embargo)
    splits = method.split(rows)
    times = np.zeros(rows, dtype=int)
    for split, picked in zip(splits, combinations(range(folds), tested), strict=True):
        test = np.concatenate(split.tests)
        times[test] += 1
        size = rows // folds
        fold_of = np.minimum(np.arange(rows) // size, folds - 1)
        assert set(fold_of[test].tolist()) == set(picked)
        # a training row is one whose interval of `purge` rows to either side meets no test row, and that
        # follows none within purge and embargo
        expected = [
            row
            for row in range(rows)
            if not any(row - purge - embargo <= t <= row + purge for t in test.tolist())
        ]
        assert split.train.tolist() == expected
    assert (times == method.n_paths).all()


@given(sizes)
def test_every_path_is_complete_and_every_test_is_used_once(chosen):
    folds, tested, purge, embargo, rows = chosen
    method = CombinatorialPurged(folds, tested, purge, embargo)
    paths, splits, test_folds = method.path_ids(), method.split(rows), method.test_folds()
    used = []
    for path in paths:
        pieces = []
        for fold, number in enumerate(path.tolist()):
            used.append((number, fold))
            pieces.append(splits[number].tests[test_folds[number].index(fold)])
        assert np.array_equal(np.concatenate(pieces), np.arange(rows))
    assert sorted(used) == sorted((n, fold) for n, each in enumerate(test_folds) for fold in each)


@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 6), st.integers(0, 6), st.integers(2, 40))
def test_a_split_has_rows_to_train_on_or_is_refused(folds, tested, purge, embargo, rows):
    assume(tested < folds)
    try:
        splits = CombinatorialPurged(folds, tested, purge, embargo).split(rows)
    except UsageError:
        return
    assert all(len(split.train) and all(len(t) for t in split.tests) for split in splits)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((1, 1, 0, 0), "n_folds is too small"),
        ((4, 0, 0, 0), "n_test_folds is too small"),
        ((4, 4, 0, 0), "no fold is left to train on"),
        ((4, 2, -1, 0), "purged_size is too small"),
        ((4, 2, 0, -1), "embargo_size is too small"),
        ((40, 20, 0, 0), "too many splits"),
    ],
)
def test_impossible_folds(arguments, says):
    with pytest.raises(UsageError, match=f"^{says}"):
        CombinatorialPurged(*arguments)


def test_folds_shorter_than_purge_and_embargo():
    with pytest.raises(UsageError, match="at least 20"):
        CombinatorialPurged(4, 2, 1, 2).split(19)
    assert len(CombinatorialPurged(4, 1, 1, 2).split(20)) == 4
    # the fold between two test runs is purged away from both sides
    with pytest.raises(UsageError, match="nothing to train on"):
        CombinatorialPurged(3, 2, 2, 0).split(12)


@pytest.mark.parametrize(
    ("arguments", "name"), [((0, 5), "train_size"), ((5, 0), "test_size"), ((5, 5, -1), "purged_size")]
)
def test_impossible_windows(arguments, name):
    with pytest.raises(UsageError, match=f"^{name} is too small"):
        WalkForward(*arguments)
