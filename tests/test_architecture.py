"""Rooms and doors: imports go one way, each outside library has one door, and start-up pays for nothing.

``python -m tests.test_architecture`` prints rooms, arrows between them, and cycles.
"""

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

# A room is a package, or a module that stands alone beside packages. What each imports of the others, imports
# within functions and for types included; every room imports only what stands above it, so that there is no
# cycle. ``run_backtest.py`` may import everything.
ROOMS: dict[str, str] = {
    "data.atomic": "",
    "data.choices": "",
    "data.days": "",
    "data.errors": "",
    "data.expression": "data.errors",
    "data.parsing": "",
    "data.rows": "data.errors data.parsing",
    "data.folders": "",
    "data.words": "",
    "data.numeric": "data.folders",
    "data.facts": "data.choices data.errors data.atomic data.folders data.parsing",
    "engine.choices": "",
    "engine.installed": "",
    "engine.on_demand": "",
    "engine.kernel": "data.errors data.facts data.numeric",
    "engine.statistics": "data.errors data.numeric engine.on_demand",
    "engine.result": "data.facts engine.statistics",
    "engine.metrics": "data.numeric engine.on_demand engine.statistics engine.result",
    "engine.results": "data.atomic data.errors data.parsing engine.statistics engine.result engine.metrics",
    "engine.record": "data.atomic data.errors data.folders data.parsing",
    "engine.verdict": "data.errors data.numeric engine.statistics",
    "engine.comparisons": "data.words engine.statistics engine.result",
    "data.former_names": "",
    "data": "data.former_names",
    "data.synthetic": "",
    "data.store": "data.errors data.atomic data.parsing data.synthetic",
    "data.demo": "data.errors data.atomic data.folders data.numeric data.facts data.synthetic data.store",
    "data.source": "data.errors data.facts data.store data.demo",
    "data.panel": "data.choices data.errors data.numeric data.facts data.store",
    "data.checks": (
        "data.errors data.atomic data.folders data.words data.facts data.store data.source data.panel"
    ),
    "data.importing": "data.errors data.parsing data.words data.facts data.store",
    "data.providers": "data.errors data.atomic data.folders data.facts data.store data.importing",
    "data.scenarios": "data.facts data.store data.panel",
    "strategies": (
        "data.choices data.days data.errors data.expression data.rows data.numeric data.facts data.panel"
    ),
    "engine.strategy": "data.errors data.folders data.words engine.kernel data.panel",
    "engine.spec": (
        "data.days data.errors data.facts engine.choices engine.installed engine.kernel data.panel "
        "engine.strategy"
    ),
    "engine.simulation": (
        "data.errors data.numeric data.facts engine.kernel engine.result data.panel engine.strategy "
        "engine.spec"
    ),
    "engine.sweeps": (
        "data.errors data.numeric engine.kernel engine.statistics engine.metrics data.panel "
        "engine.strategy engine.spec engine.simulation"
    ),
    "engine.counterfactuals": (
        "data.errors data.numeric engine.kernel engine.statistics engine.result data.panel engine.strategy "
        "engine.spec engine.simulation engine.sweeps"
    ),
    "engine.factors": (
        "data.errors engine.choices engine.kernel engine.statistics engine.results data.panel "
        "engine.strategy engine.spec engine.simulation"
    ),
    "engine.events": (
        "data.errors data.words engine.statistics engine.results data.panel engine.strategy engine.spec "
        "engine.simulation engine.factors"
    ),
    "engine.audits": (
        "data.errors data.folders data.words data.facts engine.kernel engine.statistics data.panel "
        "data.scenarios engine.strategy engine.spec engine.simulation engine.sweeps"
    ),
    "data.filled": "data.facts data.store data.source",
    "data.load": "data.errors data.facts data.source data.panel data.filled",
    "engine.pipeline": (
        "data.errors data.words engine.result engine.results data.synthetic data.source data.panel "
        "data.checks engine.strategy engine.spec engine.simulation data.load"
    ),
    "engine.tuning": (
        "data.days data.errors data.expression data.parsing data.words data.numeric engine.kernel "
        "engine.statistics engine.result engine.metrics engine.results engine.record engine.verdict "
        "data.synthetic data.source data.panel engine.strategy engine.spec engine.simulation engine.sweeps "
        "engine.pipeline"
    ),
    "engine.orders": (
        "data.days data.errors data.parsing data.words data.rows data.numeric data.facts data.store "
        "engine.kernel data.source data.panel engine.strategy engine.spec engine.simulation data.load"
    ),
    "engine.accounts": (
        "data.days data.errors data.parsing engine.kernel engine.result engine.record data.panel "
        "engine.strategy engine.spec engine.simulation"
    ),
    "engine.briefs": (
        "data.choices data.errors data.rows data.words data.facts data.source data.panel data.filled "
        "data.load engine.orders"
    ),
    "engine.report": (
        "data.errors data.atomic data.words data.facts engine.on_demand engine.kernel engine.statistics "
        "engine.result engine.metrics engine.results engine.verdict engine.comparisons data.synthetic "
        "engine.factors engine.events engine.tuning engine.briefs"
    ),
    "engine.commands": (
        "data.errors data.expression data.atomic data.checks data.facts data.folders data.numeric "
        "data.words engine.installed engine.choices engine.kernel engine.result engine.metrics "
        "engine.results engine.record engine.verdict engine.comparisons data.synthetic data.store "
        "data.source data.panel engine.strategy engine.spec engine.simulation engine.sweeps "
        "engine.counterfactuals engine.factors engine.events engine.audits data.load engine.pipeline "
        "engine.tuning engine.orders engine.accounts engine.briefs engine.report"
    ),
    "engine": (
        "engine.installed engine.choices engine.kernel engine.statistics engine.result engine.metrics "
        "engine.results engine.verdict engine.comparisons data.synthetic engine.strategy engine.spec "
        "engine.simulation engine.sweeps engine.factors engine.events engine.audits engine.pipeline "
        "engine.tuning engine.orders engine.accounts engine.briefs engine.commands"
    ),
    "engine.cli": (
        "data.choices data.days data.errors data.atomic data.words data.facts data.synthetic "
        "data.store data.demo data.source data.panel data.checks data.importing data.providers "
        "data.load engine"
    ),
}

# Outside libraries, and the only modules (or packages, with a slash) that may import them.
DOORS = {
    "backtrader": {f"engine/simulation/{name}.py" for name in ("reference", "broker", "feeds", "working")},
    "pyfolio": {"engine/report/"},
    "matplotlib": {"engine/report/"},
    "seaborn": set(),
    "empyrical": {"engine/metrics/empyrical.py", "engine/report/"},
    "scipy": {"engine/statistics/"},
    "arch": {"engine/statistics/"},
    "numba": {"data/numeric/compiled.py"},
    "packaging": {"engine/commands/doctor.py"},
    "optuna": {"engine/tuning/samplers.py"},
    "distributed": {"engine/tuning/dask_client.py"},
    "exchange_calendars": {"data/facts/calendars.py"},
    "pyarrow": {"data/store/", "data/importing/"},
    "python_calamine": {"data/importing/workbooks.py"},
    "xlrd": {"data/importing/workbooks.py"},
    "akshare": {"data/providers/akshare.py"},
    "requests": {"data/providers/eastmoney.py"},
    "tushare": {"data/providers/tushare.py"},
    "yfinance": {"data/providers/yfinance.py"},
    "click": {"engine/cli/"},
    "numpy": {"data/", "engine/", "strategies/"},
    "pandas": {"data/", "engine/"},
}


FLOORS = ("data", "strategies", "engine")


def modules() -> list[Path]:
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            module = node.module or ""
            yield module
            for each in node.names:  # a room may be imported from its floor
                if (ROOT / module.replace(".", "/") / each.name).is_dir():
                    yield f"{module}.{each.name}"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(module: str) -> str:
    """Return the room of a module of ours: ``engine.tuning.space`` is in ``engine.tuning``."""
    floor, _, rest = module.partition(".")
    if floor == "strategies" or not rest:
        return floor
    return f"{floor}.{rest.partition('.')[0]}"


def arrows() -> dict[str, set[str]]:
    """Return which rooms each room imports."""
    found: dict[str, set[str]] = {}
    for path in modules():
        own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        found.setdefault(own, set())
        for module in imported_by(path):
            if module.partition(".")[0] in (*FLOORS, "run_backtest", "tests"):
                found[own] |= {room_of(module)} - {own}
    return found


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Return the rooms that remain when rooms without arrows to remaining ones are taken away."""
    left = {room: targets & graph.keys() for room, targets in graph.items()}
    while free := [room for room, targets in left.items() if not targets & left.keys()]:
        for room in free:
            del left[room]
    return sorted(left)


def test_every_room_imports_what_the_table_says_and_nothing_else():
    declared = {room: set(targets.split()) for room, targets in ROOMS.items()}
    assert arrows() == declared


def test_rooms_import_only_rooms_that_stand_above_them():
    seen: set[str] = set()
    for room, targets in ROOMS.items():
        assert set(targets.split()) <= seen, room
        seen.add(room)
    assert cycles(arrows()) == []


def test_a_cycle_is_seen():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}
    assert cycles(graph) == ["a", "b", "c"]


def test_every_outside_library_has_one_door():
    wrong = []
    for path in modules():
        for module in imported_by(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top in FLOORS:
                continue
            doors = DOORS.get(top)
            assert doors is not None, f"{name_of(path)} imports {top}, which no table of doors knows"
            if not any(name_of(path).startswith(door) for door in doors):
                wrong.append(f"{name_of(path)} imports {module}")
    assert wrong == []


def test_errors_need_nothing_but_the_standard_library():
    outside = [
        module
        for module in imported_by(ROOT / "data" / "errors.py")
        if module.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert outside == []


def loaded_by(*words: str, cwd: Path) -> set[str]:
    """Return what a command leaves imported: modules by their top level, and our rooms."""
    script = (
        "import contextlib, io, json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import run_backtest\n"
        "from engine.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    code = main(run_backtest.load_catalogue, sys.argv[2:])\n"
        "names = {'.'.join(name.split('.')[:size]) for name in sys.modules for size in (1, 2)}\n"
        "print(json.dumps([code, sorted(names)]))\n"
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


def test_a_run_without_report_imports_no_pyfolio_and_no_search(tmp_path):
    words = ("run", "equal_weight", "--no-report", "--end", "2021-03-31", "--symbols", "157001.SZ")
    heavy = {"pyfolio", "matplotlib", "seaborn", "IPython", "engine.sweeps", "engine.verdict"}
    assert loaded_by(*words, cwd=tmp_path) & heavy == set()


@pytest.mark.slow
def test_the_figures_of_pyfolio_import_nothing_for_factor_models_and_notebooks(tmp_path):
    words = ("run", "equal_weight", "--pyfolio", "--end", "2021-03-31", "--symbols", "157001.SZ")
    loaded = loaded_by(*words, cwd=tmp_path)
    assert "pyfolio" in loaded
    assert loaded & {"sklearn", "IPython"} == set()


if __name__ == "__main__":
    graph = arrows()
    for room, targets in graph.items():
        print(room, "->", " ".join(sorted(targets)))
    print(f"{len(graph)} rooms, {sum(map(len, graph.values()))} arrows, in cycles: {cycles(graph) or 'none'}")
