"""Freeze what the command line says and writes: ``python -m tests.golden.freeze TREE FOLDER``.

Runs a battery of commands of the tree TREE, each in a folder of its own under FOLDER, and keeps there what
each printed, its exit code and every file that it wrote. Two trees behave alike where `diff -r` finds
nothing; ``make unchanged BASE=REVISION`` holds the working tree against a revision. What may differ between
two runs of one tree is taken out: times, and hashes of a strategy's source, whose import lines may move.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

STRATEGIES = (
    *("share_inflow", "leveraged_flow", "flow_blend", "record_high", "index_leader", "liquidity_leader"),
    *("optical_tilt", "compute_cycle", "resonance", "momentum", "dual_momentum", "equal_weight", "buy_hold"),
    "random",
)
HELP = (
    *("", "run", "compare", "tune", "validate", "audit", "factor", "signal", "brief", "report"),
    *("data", "data import", "data fetch", "data update", "data check", "data show", "data demo"),
    *("strategies", "strategies list", "strategies show", "strategies new"),
    *("runs", "runs list", "runs show", "runs diff", "runs reproduce", "data universe"),
)
PUBLIC = ("engine", "engine.result", "engine.metrics", "data.load", "data.demo", "data.errors", "strategies")
# What commands are given: files beside this one.
INPUTS = tuple(Path(__file__).with_name(name) for name in ("statements.csv", "funds.csv"))
SHORT = "--start 2022-01-04 --end 2023-06-30"
# Checksums follow from what is compared, and from what is volatile in it.
VOLATILE = re.compile(r'("(?:seconds|at|follows|crc32)": ?)(\{[^{}]*\}|[0-9.e-]+|"[^"]*")')
SOURCE = re.compile(r'("strategies\.\w+": ?")[0-9a-f]{16}')


def battery() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each case, and its commands in order; each begins in an empty folder."""
    for words in HELP:
        yield f"help {words}".strip(), [f"{words} --help"]
    yield "strategies", ["strategies list --json", *(f"strategies show {name} --json" for name in STRATEGIES)]
    for name in STRATEGIES:
        yield f"run {name}", [f"run {name} --json --no-report"]
    yield "run page", [f"run share_inflow --json {SHORT}", "runs list --json", "runs reproduce last"]
    yield "run vwap", [f"run momentum --json --fill vwap --cost impact=0.5 --engine batch {SHORT}"]
    yield "run text", [f"run flow_blend --no-report {SHORT}"]
    yield "compare", [f"compare share_inflow momentum:lookback=30 equal_weight --json {SHORT}"]
    yield "compare text", [f"compare share_inflow momentum --no-report {SHORT}"]
    search = "tune share_inflow --param lookback=5:30:5 --param top=1,2"
    yield "tune grid", [f"{search} --json", "runs show STUDY --json"]
    yield "tune text", [f"{search} {SHORT} --train-size 120 --test-size 40"]
    yield "tune tpe", ["tune momentum --param lookback=5:90 --method tpe --trials 30 --json --no-verdict"]
    yield "tune random", ["tune flow_blend --param lookback=3:9 --method random --trials 9 --json"]
    yield "holdout", [f"{search} --holdout 2024-01-02: --json", "validate STUDY --open-holdout --json"]
    for name in ("share_inflow", "resonance", "equal_weight"):
        yield f"audit {name}", [f"audit {name} --draws 20 --json {SHORT}"]
    yield "audit text", [f"audit momentum --draws 10 {SHORT}"]
    yield "factor", ["factor share_inflow --json"]
    yield "factor text", [f"factor leveraged_flow --no-report {SHORT}"]
    yield "signal", ["signal share_inflow --json", "signal momentum"]
    yield "brief", ["brief 157001.SZ --on 2024-03-15 --json", "brief 157001.SZ --on 2024-03-15"]
    yield "brief page", ["brief 157001.SZ --on 2024-03-15 --page"]
    yield "brief verify", ["brief --verify statements.csv", "brief --verify statements.csv --json"]
    ranking = "brief --universe chinext_ai --on 2024-03-15 --data made"
    yield (
        "brief universe",
        [
            "data demo --seed 3 --data made",
            "data import funds.csv --data made --accept-revision",
            ranking,
            f"{ranking} --json",
            "data universe chinext_ai --as-of 2024-03-15 --data made --json",
        ],
    )
    yield "data", ["data check --json", "data show --json", "data show"]
    yield (
        "store",
        [
            "data demo --seed 3 --data made",
            "data show --data made --json",
            "data check --data made --json",
            f"run share_inflow --data made --json {SHORT}",
            f"run leveraged_flow --data made --availability strict --lag units=2 --json --no-report {SHORT}",
            f"tune momentum --data made --param lookback=5:60:5 --json {SHORT}",
            f"audit record_high --data made --draws 10 --json {SHORT}",
        ],
    )
    yield "wrong", ["run no_such", "run share_inflow --set top=-1", "run share_inflow --start 2031-01-01"]
    yield "names", [f"NAMES {' '.join(PUBLIC)}"]


def freeze(tree: Path, folder: Path, name: str, commands: list[str]) -> None:
    """Run the commands of one case in ``folder``/``name``, and keep what they said beside what they wrote."""
    place = folder / name.replace(" ", "-")
    place.mkdir(parents=True)
    for file in INPUTS:
        if any(file.name in command.split() for command in commands):
            shutil.copy(file, place)
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "100", "NO_COLOR": "1"}
    environment.pop("COVERAGE_PROCESS_START", None)
    for number, command in enumerate(commands):
        words = command.split()
        if words[0] == "NAMES":
            words = [sys.executable, "-c", _NAMES, *words[1:]]
        else:
            if "STUDY" in words:
                studies = sorted(path.parent.name for path in place.glob("results/*/study.jsonl"))
                words[words.index("STUDY")] = studies[0] if studies else "none"
            words = [sys.executable, str(tree / "run_backtest.py"), *words]
        done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False)
        said = f"{command}\nexit {done.returncode}\n--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
        (place / f"said-{number}.txt").write_text(said.replace(str(tree), "TREE"), encoding="utf-8")
    for path in (*place.rglob("SHA256SUMS"), *place.rglob("*.jsonl.last")):
        path.unlink()
    for path in place.rglob("*"):
        if path.suffix in (".txt", ".json", ".jsonl", ".html") and path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(SOURCE.sub(r"\1-", VOLATILE.sub(r"\1-", text)), encoding="utf-8")


_NAMES = """
import importlib, json, sys
for module in map(importlib.import_module, sys.argv[1:]):
    names = getattr(module, "__all__", None) or [n for n, v in vars(module).items() if not n.startswith("_")
        and getattr(v, "__module__", module.__name__) == module.__name__ and callable(v)]
    print(module.__name__, json.dumps(sorted(names)))
"""


def main() -> None:
    """Run the whole battery, or the cases whose names the third argument begins."""
    tree, folder = (Path(word).resolve() for word in sys.argv[1:3])
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        cases = [each for each in battery() if each[0].startswith(only)]
        for _ in pool.map(lambda each: freeze(tree, folder, *each), cases):
            pass
    print(f"{len(cases)} cases of {tree.name} in {folder}")


if __name__ == "__main__":
    main()
