"""Scripts that know modules by the names from before there were rooms go on running."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import run_backtest
from data.former_names import FORMER

ROOT = Path(run_backtest.__file__).parent


@pytest.mark.parametrize("name", FORMER)
def test_a_former_name_has_what_the_module_has_now(name):
    with pytest.warns(DeprecationWarning, match=f"{name} is {FORMER[name]} now"):
        found = importlib.import_module(name)
    now = importlib.import_module(FORMER[name])
    public = {each: value for each, value in vars(now).items() if not each.startswith("__")}
    assert public
    assert {each: vars(found)[each] for each in public} == public
    del sys.modules[name]


def test_names_of_rooms_and_none_that_never_was():
    script = (
        "from data.store import Store; from data.panel import Panel\n"
        "from data.cells import read_numbers\n"
        "for name in ('data.nothing', 'data.store.nothing'):\n"
        "    try: __import__(name)\n"
        "    except ModuleNotFoundError as error: print(error.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["data.nothing", "data.store.nothing"]
