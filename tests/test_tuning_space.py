"""Words of --param and --where: what they mean, what is refused, how sets are counted and ordered."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import UsageError
from data.expression import parse_condition
from tests.helpers.tuning import FIELDS, space_of


def values_of(word: str) -> list[object]:
    (dimension,) = space_of(word).dimensions
    return [dimension.value(index) for index in range(dimension.count)]


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("lookback=3:6", [3, 4, 5, 6]),
        ("lookback=5:20:5", [5, 10, 15, 20]),
        ("lookback=5:21:5", [5, 10, 15, 20]),
        ("lookback=4:4", [4]),
        ("threshold=0:1:0.25", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("threshold=0:0.3:0.1", [0.0, 0.1, 0.2, 0.3]),
        ("threshold=-0.2:0.1:0.1", [-0.2, -0.1, 0.0, 0.1]),
        ("threshold=none,0.5", [None, 0.5]),
        ("top=1,2,3", [1, 2, 3]),
        ("top=4", [4]),
        ("rebalance=5,weekly", [5, "weekly"]),
        ("rebalance=2:4", [2, 3, 4]),
        ("excess_of_momentum", [False, True]),
        ("excess_of_momentum=true,false", [True, False]),
        ("weighting=equal,score", ["equal", "score"]),
        (" cap = 0.1, 0.2 ", [0.1, 0.2]),
    ],
)
def test_words_become_values_of_the_type_of_their_field(word, values):
    found = values_of(word)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_a_range_of_numbers_without_step_is_any_number_between():
    (cap,) = space_of("cap=0.1:1").dimensions
    assert (cap.count, cap.at(0.0), cap.at(0.5), cap.at(1.0)) == (None, 0.1, 0.55, 1.0)


def test_a_range_of_a_logarithm_is_even_over_orders_of_magnitude():
    (weight,) = space_of("margin_weight=0.01:10:log").dimensions
    assert weight.at(0.0) == pytest.approx(0.01, rel=1e-12)
    assert weight.at(1 / 3) == pytest.approx(0.1, rel=1e-12)
    assert weight.at(1.0) == 10.0


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("lokback=3:20", "Did you mean `lookback`?"),
        ("lookback", "needs values"),
        ("lookback=20:3", "Write lookback=3:20"),
        ("lookback=3:20:0", "the step gives nothing"),
        ("lookback=3:20:-1", "the step gives nothing"),
        ("lookback=3:20:18", "limit: above 0, at most 17"),
        ("lookback=3:20:1:1", "is not a range"),
        ("lookback=3:x", "not a range of numbers; received x"),
        ("lookback=3:inf", "not a range of numbers; received inf"),
        ("lookback=3:", "not a range of numbers"),
        ("lookback=1.5:3", "takes whole numbers"),
        ("lookback=1:10:log", "List them"),
        ("lookback=", "has an empty value"),
        ("lookback=1,,2", "has an empty value"),
        ("lookback=0:5", "is out of bounds; received 0; limit: 1 to 1000"),
        ("lookback=5:1001", "is out of bounds; received 1001"),
        ("lookback=5,2000", "is out of bounds; received 2000"),
        ("lookback=5,5", "has a value twice; received 5"),
        ("lookback=half", "must be a whole number; received 'half'"),
        ("cap=nan,0.5", "must be a number; received 'nan'"),
        ("cap=0.1:0.3:1e-40", "step is too small"),
        ("margin_weight=0:10:log", "begins above 0"),
        ("margin_weight=3:3:log", "begins above 0"),
        ("rebalance=5,daily", "limit: 1 to 1000, weekly, monthly, once"),
        ("weighting=equal,best", "limit: equal, score"),
        ("excess_of_momentum=maybe", "must be true or false"),
        ("threshold=1e400:2", "not a range of numbers"),
    ],
)
def test_what_is_no_range_or_value_is_refused_with_the_reason(word, says):
    with pytest.raises(UsageError) as error:
        space_of(word)
    assert says in str(error.value)
    assert word.partition("=")[0] in str(error.value)


def test_a_parameter_is_searched_once_and_not_set_as_well():
    with pytest.raises(UsageError, match="given twice"):
        space_of("top=1", "top=2")
    with pytest.raises(UsageError, match="both set and searched"):
        space_of("top=1", given=["top"])
    with pytest.raises(UsageError, match="nothing to search over"):
        space_of()


@given(st.integers(-500, 500), st.integers(1, 60), st.integers(1, 40), st.integers(0, 4))
def test_decimal_grids_hold_exactly_the_decimals(low, step, count, places):
    def text(number: int) -> str:
        sign, digits = "-" * (number < 0), str(abs(number)).rjust(places + 1, "0")
        return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)

    numbers = [low + step * index for index in range(count + 1)]
    word = f"threshold={text(low)}:{text(numbers[-1])}:{text(step)}"
    assert values_of(word) == [float(text(number)) for number in numbers]
    # Its own way of writing itself means the same.
    assert values_of(str(space_of(word).dimensions[0])) == values_of(word)


# --- conditions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("top <= 5", {"top": 5}, True),
        ("top <= 5", {"top": 6}, False),
        ("1 < top < 5", {"top": 5}, False),
        ("lookback < z_window", {"lookback": 3, "z_window": 4}, True),
        ("lookback * 2 - 1 >= z_window / 2", {"lookback": 3, "z_window": 10}, True),
        ("-top < -2", {"top": 3}, True),
        ("not top == 3", {"top": 3}, False),
        ("top == 3 and lookback == 1", {"top": 3, "lookback": 2}, False),
        ("top == 3 or lookback == 1", {"top": 3, "lookback": 2}, True),
        ("weighting == 'equal'", {"weighting": "equal"}, True),
        ('weighting != "equal"', {"weighting": "equal"}, False),
        ("excess_of_momentum", {"excess_of_momentum": True}, True),
        ("excess_of_momentum == false", {"excess_of_momentum": False}, True),
        ("threshold == none", {"threshold": None}, True),
        # What has no order gives no answer, and no answer is not yes, nor is its opposite.
        ("threshold > 0", {"threshold": None}, False),
        ("not threshold > 0", {"threshold": None}, False),
        ("threshold > 0 or top == 1", {"threshold": None, "top": 1}, True),
        ("not (threshold > 0 and top == 1)", {"threshold": None, "top": 2}, True),
        ("rebalance <= 5", {"rebalance": "weekly"}, False),
        ("rebalance + 1 <= 5", {"rebalance": "weekly"}, False),
        ("1 / top > 0", {"top": 0}, False),
    ],
)
def test_conditions_hold_as_a_pencil_says(text, values, holds):
    condition = parse_condition(text, [field.name for field in FIELDS], "--where")
    assert condition.holds(values) is holds
    assert condition.names == values.keys()
    assert (condition.violation(values) > 0) is not holds


def test_a_distance_beyond_all_floats_is_a_number():
    condition = parse_condition(f"top > {'9' * 400} or top * {'9' * 400} < 1", ["top"], "--where")
    assert condition.violation({"top": 3}) == 1e300
    assert condition.violation({"top": -3}) == -1e300


def test_a_violation_is_the_distance():
    known = ["max_drawdown", "turnover"]
    one = parse_condition("max_drawdown > -0.25", known, "--constraint")
    assert one.violation({"max_drawdown": -0.75}) == 0.5
    assert one.violation({"max_drawdown": -0.125}) == -0.125
    assert 0 < one.violation({"max_drawdown": -0.25}) < 1e-9
    both = parse_condition("max_drawdown > -0.25 and turnover <= 4", known, "--constraint")
    assert both.violation({"max_drawdown": -0.75, "turnover": 7.0}) == 3.0
    either = parse_condition("max_drawdown > -0.25 or turnover <= 4", known, "--constraint")
    assert either.violation({"max_drawdown": -0.75, "turnover": 7.0}) == 0.5
    assert one.violation({"max_drawdown": None}) == 1e9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tops <= 5", "Did you mean `top`?"),
        ("weighting == equal", "in quotes: 'equal'"),
        ("__import__('os').system('true')", "may not contain this"),
        ("(lambda: 1)() == 1", "may not contain this"),
        ("top.real == 1", "may not contain this"),
        ("top ** 9 > 1", "may not contain this"),
        ("top in (1, 2)", "may not contain this"),
        ("[1 for top in '']", "may not contain this"),
        ("top := 5", "is not a condition"),
        ("top = 5", "is not a condition"),
        ("", "is not a condition"),
        ("top <=", "is not a condition"),
        ("top + 1", "is neither true nor false"),
        ("5", "is neither true nor false"),
        ("b'a' == 1", "may not contain this"),
        ("1j == 1", "may not contain this"),
        ("(" * 300 + "top" + ")" * 300 + " == 1", "is not a condition"),
        ("not " * 1000 + "top == 1", "too long"),
        ("top == 1\0", "is not a condition"),
    ],
)
def test_what_is_no_condition_is_refused(text, says):
    with pytest.raises(UsageError) as error:
        space_of("top=1,2", where=[text])
    assert says in str(error.value)
    assert "--where" in str(error.value)


# --- sets ---------------------------------------------------------------------------------------------


def test_sets_come_in_order_with_the_parameters_of_rotation_fastest():
    space = space_of("top=1,2", "lookback=3:4", "excess_of_momentum")
    assert [tuple(each.values()) for each in space.sets()] == [
        (top, lookback, switch) for lookback, switch, top in itertools.product((3, 4), (False, True), (1, 2))
    ]
    assert list(next(space.sets())) == ["top", "lookback", "excess_of_momentum"]


def test_a_condition_may_name_what_is_not_searched():
    assert space_of("lookback=58:62", where=["lookback < z_window"]).size == 2  # z_window is 60


def test_conditions_that_leave_nothing_are_refused():
    space = space_of("lookback=3:5", where=["lookback > 5"])
    assert space.size == 0
    with pytest.raises(UsageError, match="--where leaves no set; received lookback > 5"):
        space.require_sets()


WORDS = (
    "lookback=1:6",
    "z_window=2:12:2",
    "top=0,2,5",
    "rebalance=5,weekly",
    "threshold=none,0.25",
    "excess_of_momentum",
)
CONDITIONS = (
    "lookback < z_window",
    "top <= 2 or rebalance == 'weekly'",
    "threshold > 0",
    "excess_of_momentum or lookback > 3",
    "z_window != 4",
    "cap == 1",
    "cap > 1",
)


@given(
    st.lists(st.sampled_from(WORDS), min_size=1, unique=True),
    st.lists(st.sampled_from(CONDITIONS), unique=True, max_size=3),
)
def test_size_is_the_number_of_sets_and_all_are_different(words, where):
    space = space_of(*words, where=where)
    sets = list(space.sets())
    assert space.size == len(sets)
    assert len({tuple(each.items()) for each in sets}) == len(sets)
    everything = [space.set_at(index) for index in range(space.product)]
    assert sets == [each for each in everything if space.allows(each)]


def test_a_large_space_is_counted_without_going_through_it():
    space = space_of("lookback=1:1000", "z_window=2:1000", "top=1:9", where=["top <= 3"])
    assert (space.product, space.exact, space.size) == (8_991_000, True, 2_997_000)
    larger = space_of("lookback=1:1000", "z_window=2:1000", "top=1:99", where=["top <= 3"])
    assert (larger.product, larger.exact, larger.size) == (98_901_000, False, 98_901_000)
    assert space_of("cap=0.1:1", "top=1:9").size is None
