"""Floors and doors: imports go one way, each outside library has one door, and start-up pays for nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import run_backtest

ROOT = Path(run_backtest.__file__).parent

# Which floors a floor may import; run_backtest.py may import all of them.
ALLOWED = {
    "data": {"data"},
    "strategies": {"data", "strategies"},
    "engine": {"data", "engine"},
}

# Outside libraries, and the only modules (or packages, with a slash) that may import them.
DOORS = {
    "backtrader": {"engine/simulation/reference.py"},
    "pyfolio": {"engine/report/"},
    "matplotlib": {"engine/report/"},
    "seaborn": set(),
    "empyrical": {"engine/metrics.py", "engine/report/"},
    "scipy": {"engine/statistics/"},
    "statsmodels": {"engine/statistics/"},
    "arch": {"engine/statistics/"},
    "numba": {"data/numeric/compiled.py"},
    "optuna": {"engine/tuning/samplers.py"},
    "distributed": {"engine/tuning/cluster.py"},
    "exchange_calendars": {"data/facts/calendars.py"},
    "pyarrow": {"data/store/store.py", "data/importing/"},
    "akshare": {"data/providers/akshare.py"},
    "tushare": {"data/providers/tushare.py"},
    "yfinance": {"data/providers/yfinance.py"},
    "click": {"engine/cli/"},
    "numpy": {"data/", "engine/", "strategies/"},
    "pandas": {"data/", "engine/"},
}


def modules() -> list[Path]:
    return sorted(path for floor in ALLOWED for path in (ROOT / floor).rglob("*.py"))


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("floor", ALLOWED)
def test_floors_import_in_one_direction(floor):
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in sorted((ROOT / floor).rglob("*.py"))
        for module in imported_by(path)
        if module.partition(".")[0] in {*ALLOWED, "run_backtest", "tests"} - ALLOWED[floor]
    ]
    assert wrong == []


def test_every_outside_library_has_one_door():
    wrong = []
    for path in modules():
        for module in imported_by(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top in ALLOWED:
                continue
            doors = DOORS.get(top)
            assert doors is not None, f"{name_of(path)} imports {top}, which no table of doors knows"
            if not any(name_of(path).startswith(door) for door in doors):
                wrong.append(f"{name_of(path)} imports {module}")
    assert wrong == []


def test_nothing_but_the_entry_point_imports_the_command_line():
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in modules()
        if not name_of(path).startswith("engine/cli/")
        for module in imported_by(path)
        if module.startswith("engine.cli")
    ]
    assert wrong == []


def test_kernel_imports_no_other_part_of_the_engine():
    wrong = [
        f"{name_of(path)} imports {module}"
        for path in (ROOT / "engine" / "kernel").glob("*.py")
        for module in imported_by(path)
        if module.startswith("engine") and not module.startswith("engine.kernel")
    ]
    assert wrong == []


def test_errors_need_nothing_but_the_standard_library():
    outside = [
        module
        for module in imported_by(ROOT / "data" / "errors.py")
        if module.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert outside == []


def loaded_by(*words: str, cwd: Path) -> set[str]:
    """Return the top-level names of the modules that a command of the command line leaves imported."""
    script = (
        "import contextlib, io, json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import run_backtest\n"
        "from engine.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    code = main(run_backtest.load_catalogue, sys.argv[2:])\n"
        "print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        timeout=120,
    )
    code, names = json.loads(done.stdout)
    assert code == 0, done.stderr
    return set(names)


def test_help_imports_nothing_heavy(tmp_path):
    heavy = {"pandas", "numpy", "backtrader", "matplotlib", "pyfolio", "exchange_calendars", "strategies"}
    for words in (("--help",), ("run", "--help"), ("data", "import", "--help"), ("--version",)):
        assert loaded_by(*words, cwd=tmp_path) & heavy == set(), words


def test_strategies_are_listed_without_pandas(tmp_path):
    heavy = {"pandas", "backtrader", "matplotlib", "pyfolio", "exchange_calendars"}
    assert loaded_by("strategies", "list", cwd=tmp_path) & heavy == set()


def test_a_run_without_report_imports_no_pyfolio(tmp_path):
    words = ("run", "equal_weight", "--no-report", "--end", "2021-03-31", "--symbols", "157001.SZ")
    assert loaded_by(*words, cwd=tmp_path) & {"pyfolio", "matplotlib", "seaborn", "IPython"} == set()
