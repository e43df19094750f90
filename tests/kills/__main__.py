"""Disturb commands, and print what was found: ``python -m tests.kills``; see ``tests.kills``."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests import kills
from tests.kills.commands import COMMANDS, IMPORT, PAIRS, RUN
from tests.kills.files import make_files, make_more_files
from tests.kills.processes import ROOT, VENDORS, apart, ended, forked, said
from tests.kills.trials import KILLS, KINDS, try_command

CODE = ("run_backtest.py", "data", "engine", "strategies")
MADE = "made"
# An interpreter of its own takes seconds to start.
FEWER = {"process": 10}
LONG = 4


def state_of_code() -> str:
    """Return a digest of all that is under test."""
    digest = hashlib.sha256()
    for name in CODE:
        top = ROOT / name
        for path in sorted(top.rglob("*.py") if top.is_dir() else [top]):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def prepared(scratch: Path) -> None:
    """Make the beginning of all: files to import, and folders of the user."""
    from data.folders import cache_folder

    base = scratch / "base"
    for name in ("cache", "state", "home", "tmp"):
        (base / name).mkdir(parents=True)
    (scratch / MADE).mkdir()
    compiled = (cache_folder() or scratch) / "compiled"
    compiled.mkdir(parents=True, exist_ok=True)
    (base / "cache" / "compiled").symlink_to(compiled)
    make_files(base / "files")
    make_more_files(base / "files")
    box = scratch / "box"
    os.environ.update(
        ETFLOW_CACHE=str(box / "cache"),
        ETFLOW_STATE=str(box / "state"),
        HOME=str(box / "home"),
        TMPDIR=str(box / "tmp"),
        TUSHARE_TOKEN="token",
    )
    os.environ.pop("ETFLOW_CALENDAR", None)
    sys.path.insert(1, str(VENDORS))
    tempfile.tempdir = None
    load()
    apart(lambda: {"": warmed(scratch)})


def load() -> None:
    """Load what all commands need, once; what one of them needs besides, its own process loads."""
    for name in ("run_backtest", "data.load", "engine.cli.main"):
        importlib.import_module(name)


def warmed(scratch: Path) -> None:
    """Fill the cache with what takes long to compute."""
    shutil.copytree(scratch / "base", scratch / "box", symlinks=True)
    for words in (IMPORT, RUN):
        if code := ended(forked(scratch / "box", words)):
            raise RuntimeError(f"{words}: exit {code}\n{said(scratch / 'box')}")
    shutil.rmtree(scratch / "base" / "cache")
    shutil.move(scratch / "box" / "cache", scratch / "base" / "cache")
    shutil.rmtree(scratch / "box")


def kinds_of(words: str, count: int) -> list[tuple[str, int]]:
    """Return the kinds of disturbance and how many of each: ``kill,random=5``."""
    found = []
    for word in words.split(","):
        kind, _, own = word.partition("=")
        if kind not in KINDS:
            sys.exit(f"{kind} is no kind of disturbance: {', '.join(KINDS)}")
        found.append((kind, int(own) if own else -(-count // FEWER.get(kind, 1))))
    return found


def main() -> None:
    """Try commands, and print what was found."""
    parser = argparse.ArgumentParser(description=kills.__doc__)
    parser.add_argument("--count", type=int, default=20, help="disturbances of a kind and command")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--kinds", default=",".join(KINDS), help="which; with a count of its own: process=3")
    parser.add_argument("--only", default="", help="commands whose names have this")
    options = parser.parse_args()
    kinds = kinds_of(options.kinds, options.count)
    scratch = Path(tempfile.mkdtemp(prefix="kills-"))
    code = state_of_code()
    total: dict[str, int] = {}
    found = 0
    print(f"the code {code}", flush=True)
    try:
        prepared(scratch)
        for command in (*COMMANDS, *PAIRS):
            part = LONG if command.long else 1
            mine = [
                (kind, -(-count // part))
                for kind, count in kinds
                if (kind == "beside") == bool(command.other)
            ]
            if not mine or not any(each in command.name for each in options.only.split(",")):
                continue
            seed = f"{options.seed} {command.name}"
            result = apart(partial(try_command, command, scratch, mine, seed))
            counts = result.get("counts", {})
            for kind, number in counts.items():
                total[kind] = total.get(kind, 0) + number
            told = ", ".join(f"{kind} {number}" for kind, number in counts.items())
            print(
                f"{command.name:<24}{result.get('calls', 0):>5} calls {result.get('seconds', 0):>6.2f} s"
                f"  {told}; {len(result.get('found', [1]))} found; took {result.get('took', 0):.0f} s",
                flush=True,
            )
            for text in result.get("found", ["nothing came back"]):
                print(f"    {text}", flush=True)
            found += len(result.get("found", [1]))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if state_of_code() != code:
        print("    the code changed meanwhile")
        found += 1
    killed = sum(total.get(kind, 0) for kind in KILLS)
    print(f"{sum(total.values())} disturbances ({total}), {killed} of them kills, {found} found")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
