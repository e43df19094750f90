"""A few thousand spoilt inputs through every door; ``make abuse`` brings a million (``tests.fuzz``)."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from tests.fuzz.door import Ready
from tests.fuzz.doors import DOORS

# Over all doors; of each at least some.
COUNT, LEAST = 2_000, 8


@pytest.fixture(params=DOORS, scope="module")
def door(request, tmp_path_factory):
    found = DOORS[request.param]
    return Ready(request.param, *found.prepare(tmp_path_factory.mktemp(request.param)), found.spoil)


@pytest.mark.slow
def test_what_is_spoilt_is_valid(door):
    with warnings.catch_warnings(action="ignore"):
        step = 1 + len(door.examples) // LEAST
        ended = Counter(door.open(name, door.examples[name]) for name in [*door.examples][::step])
    assert ended[True] >= ended[False]


@pytest.mark.slow
def test_a_spoilt_input_is_taken_rightly_or_refused_in_words(door):
    whole = sum(each.share for each in DOORS.values())
    with warnings.catch_warnings(action="ignore"):
        for number in range(1, LEAST + COUNT * DOORS[door.name].share // whole):
            try:
                door.attempt(number)
            except BaseException as error:
                raise AssertionError(f"python -m tests.fuzz --door {door.name} --seed {number}") from error
