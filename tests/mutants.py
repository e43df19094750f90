"""Mutation testing: change the code a little, and see its tests fail. ``python -m tests.mutants ROOM``.

mutmut makes the mutants, in a copy of the tree under build/mutants/ROOM. Started again, it goes on where it
was interrupted, and tries again what has changed and what survived. Prints the mutants that survived, and the
share of each module that was killed; tests/mutants.md says why some live. On one process a room takes minutes
to hours, so that it is no part of continuous integration.

What is compiled runs as Python here: machine code that is kept would not know of the change. mutmut leaves
out what is outside of functions, and properties; we leave out the words of error messages, and any line that
begins with words.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERDICT = "blocks", "duplicates", "returns", "rules", "selection", "since", "skill", "text", "words"
# The modules of each room, and the tests that are meant to kill: quick ones, through the closest door.
ROOMS = {
    "kernel": (["engine/kernel/*.py"], ["kernel", "rotation"]),
    "flows": (["data/panel/flows.py"], ["flows"]),
    "metrics": (["engine/metrics/*.py"], ["metrics"]),
    "statistics": (["engine/statistics/*.py"], ["metrics", "statistics_*"]),
    "verdict": (["engine/verdict/*.py"], [f"verdict_{name}" for name in VERDICT]),
}
COPIED = ("data", "docs", "engine", "strategies", "tests")
OPTIONS = ["-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
MESSAGES = [r'^ +f?"', r"\b(received|limit|hint)=", r"raise \w+"]
# What mutmut keeps of a mutant: the exit code of pytest, or its own for one that no test runs.
SURVIVED, UNTESTED = 0, 33


def main(room: str, *functions: str) -> None:
    """Try the mutants of a room, or of those of its functions whose dotted names match."""
    folder = ROOT / "build" / "mutants" / room
    prepare(folder, room)
    if not functions:  # mutmut tries again what it is given by name
        forget(folder)
    mutmut(folder, "run", "--max-children", "1", *functions)
    for _, codes in outcomes(folder):
        for name, code in codes.items():
            if code in (SURVIVED, UNTESTED):
                mutmut(folder, "show", name)
    report(folder)


def prepare(folder: Path, room: str) -> None:
    """Copy what tests need, and say there what to mutate and what to run.

    What mutmut knows of which test runs which function is forgotten: it does not see that a test has changed.
    """
    modules, tests = ROOMS[room]
    for name in COPIED:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run_backtest.py", folder)
    settings = {
        "source_paths": ["data", "engine", "strategies"],
        "only_mutate": modules,
        "also_copy": ["docs", "run_backtest.py"],
        "pytest_add_cli_args": OPTIONS,
        "pytest_add_cli_args_test_selection": [
            f"tests/{path.name}"
            for name in tests
            for path in sorted((ROOT / "tests").glob(f"test_{name}.py"))
        ],
        "do_not_mutate_patterns": MESSAGES,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text("\n".join([text, "[tool.mutmut]", *lines, ""]), "utf-8")
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Let what survived be tried again, by the tests as they are now."""
    for path in (folder / "mutants").rglob("*.py.meta"):
        kept = json.loads(path.read_text("utf-8"))
        codes = kept["exit_code_by_key"]
        codes.update({name: None for name, code in codes.items() if code in (SURVIVED, UNTESTED)})
        path.write_text(json.dumps(kept), "utf-8")


def mutmut(folder: Path, *words: str) -> None:
    """Run a command of mutmut in ``folder``."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-m", "mutmut", *words], cwd=folder, env=environment, check=True)


def outcomes(folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield each module in order, with the codes of its mutants by name, as far as they were tried."""
    for path in sorted((folder / "mutants").rglob("*.py.meta")):
        codes = json.loads(path.read_text("utf-8"))["exit_code_by_key"]
        tried = {name: code for name, code in codes.items() if code is not None}
        if tried:
            yield str(path.relative_to(folder / "mutants")).removesuffix(".meta"), tried


def report(folder: Path) -> None:
    """Print how many mutants of each module were killed; a test that never ends kills too."""
    print(f"{'module':<36}{'mutants':>8}{'survived':>10}{'untested':>10}{'killed':>8}")
    for module, codes in outcomes(folder):
        survived, untested = (list(codes.values()).count(code) for code in (SURVIVED, UNTESTED))
        killed = 1 - (survived + untested) / len(codes)
        print(f"{module:<36}{len(codes):>8}{survived:>10}{untested:>10}{killed:>8.1%}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ROOMS:
        sys.exit(f"Usage: python -m tests.mutants ROOM [FUNCTION ...]; rooms: {', '.join(ROOMS)}")
    main(*sys.argv[1:])
