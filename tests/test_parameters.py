"""Parameters of strategies: types, bounds, and the fields that every rotation shares."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from data.errors import UsageError
from strategies import STRATEGIES, new_strategy
from strategies.baselines import BuyHold, EqualWeight
from strategies.momentum import Momentum
from strategies.parameters import check_parameters, param


@dataclass(frozen=True)
class Example:
    count: int = param(5, low=1, high=10, unit="sessions", help="how many")
    rate: float = param(0.5, low=0.0)
    most: float | None = param(None, high=1.0)
    way: str = param("up", choices=("up", "down"))
    every: int | str = param(3, low=1, choices=("week", "month"))
    sign: int = param(1, choices=(1, -1))
    loud: bool = param(False)
    other: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_parameters(self)


def test_defaults_pass():
    assert Example() == Example(count=5, every=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "parameter `count` of Example is out of bounds; received 0; limit: 1 to 10 sessions."),
        ({"count": 11}, "received 11; limit: 1 to 10 sessions"),
        ({"rate": -0.1}, "parameter `rate` of Example is out of bounds; received -0.1; limit: at least 0."),
        ({"most": 1.5}, "received 1.5; limit: at most 1"),
        ({"count": 2.5}, "parameter `count` of Example must be a whole number; received 2.5"),
        ({"count": "5"}, "must be a whole number; received '5'"),
        ({"count": True}, "must be a whole number; received True"),
        ({"count": None}, "must be a whole number; received None"),
        ({"rate": float("nan")}, "must be a finite number; received nan"),
        ({"rate": float("inf")}, "must be a finite number; received inf"),
        ({"most": "much"}, "must be a finite number or none; received 'much'"),
        (
            {"way": "upp"},
            "parameter `way` of Example is not one of its choices; received 'upp'; limit: up, down",
        ),
        ({"way": 1}, "must be text; received 1"),
        ({"every": 0}, "out of bounds; received 0; limit: at least 1"),
        ({"every": "year"}, "received 'year'; limit: at least 1, week, month"),
        ({"every": "0"}, "out of bounds; received 0"),
        ({"sign": 2}, "not one of its choices; received 2; limit: 1, -1"),
        ({"loud": 1}, "must be true or false; received 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_limit(changes, message):
    with pytest.raises(UsageError, match=message):
        Example(**changes)


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"count": np.int64(7)}, 7),
        ({"count": 7.0}, 7),
        ({"rate": 1}, 1.0),
        ({"rate": np.float32(0.25)}, 0.25),
        ({"every": "20"}, 20),
        ({"every": "week"}, "week"),
        ({"loud": np.bool_(True)}, True),
        ({"other": (1, 2)}, (1, 2)),
    ],
)
def test_values_are_brought_to_their_declared_type(changes, value):
    (name,) = changes
    found = getattr(Example(**changes), name)
    assert found == value
    assert type(found) is type(value)


def test_equal_parameters_make_equal_strategies():
    assert Momentum(rebalance="5", lookback=np.int64(60)) == Momentum(rebalance=5, lookback=60.0)
    assert hash(Momentum()) == hash(Momentum())


def test_a_strategy_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Momentum().lookback = 3


@pytest.mark.parametrize(
    "changes",
    [
        {"top": -1},
        {"rebalance": 0},
        {"phase": 5},
        {"phase": -1},
        {"rebalance": "weekly", "phase": 1},
        {"rebalance": "once", "phase": 1},
        {"tranches": 6},
        {"tranches": 0},
        {"rebalance": "monthly", "tranches": 2},
        {"rebalance": "daily"},
        {"weighting": "softmax"},
        {"cap": 0.0},
        {"cap": 1.01},
        {"hysteresis": -1},
        {"threshold": float("nan")},
        {"otherwise": "000001"},
    ],
)
def test_fields_of_rotation_have_limits(changes):
    with pytest.raises(UsageError):
        Momentum(**changes)


def test_hysteresis_needs_a_number_of_funds():
    with pytest.raises(UsageError, match="needs `top`"):
        EqualWeight(hysteresis=2)


def test_the_alternative_is_written_in_full():
    assert Momentum(otherwise="511880").otherwise == "511880.SH"
    assert Momentum(otherwise="Cash").otherwise == "cash"
    assert BuyHold(symbol="159363").symbol == "159363.SZ"


def test_a_redeclared_default_keeps_its_bounds():
    assert EqualWeight().top == 0
    with pytest.raises(UsageError, match="`top` of EqualWeight is out of bounds; received -1; limit: 0 to"):
        EqualWeight(top=-1)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_parameter_says_what_it_is(name):
    for field in dataclasses.fields(STRATEGIES[name]):
        assert field.metadata["help"], field.name


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_number_but_a_threshold_has_bounds_or_choices(name):
    for field in dataclasses.fields(STRATEGIES[name]):
        if type(field.default) in (int, float) and field.name != "threshold":
            assert field.metadata["choices"] or None not in (field.metadata["low"], field.metadata["high"])


@pytest.mark.parametrize("name", ["my_flow", "my-flow", "MyFlow", "myFlow"])
def test_a_new_strategy_is_a_module_that_loads(name, monkeypatch):
    file, class_name, source = new_strategy(name)
    assert (file, class_name) == (Path("my_flow.py"), "MyFlow")
    assert "emplate" not in source.replace("A template:", "")
    assert "etflow run my_flow.py:MyFlow" in source
    module = ModuleType("my_flow")
    monkeypatch.setitem(sys.modules, "my_flow", module)
    exec(compile(source, file, "exec"), module.__dict__)
    assert module.MyFlow(lookback=5).warmup == 6


def test_a_new_strategy_says_how_to_run_it_from_where_it_was_asked_for():
    file, _, source = new_strategy("my_flow", Path("ideas") / "2025")
    assert file == Path("ideas/2025/my_flow.py")
    assert source.count("etflow run ideas/2025/my_flow.py:MyFlow") == 2


@pytest.mark.parametrize("name", ["", "3m", "a b", "../x", "class", "x_", "é"])
def test_a_new_strategy_needs_a_name_that_python_takes(name):
    with pytest.raises(UsageError, match="name of a Python module; received"):
        new_strategy(name)


def test_a_class_variable_set_without_its_annotation_is_no_parameter():
    @dataclass(frozen=True, kw_only=True)
    class Patient(Momentum):
        cash_without_score = False
        top: int = 2

    assert Patient.cash_without_score is False
    assert Patient().top == 2
    assert "cash_without_score" not in {each.name for each in dataclasses.fields(Patient)}
