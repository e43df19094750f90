"""Processes: forked from one that has loaded what they need, or begun with an interpreter of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VENDORS = ROOT / "tests" / "helpers" / "vendors"
PATIENCE = 180.0
HUNG = -99


def forked(box: Path, words: str, begin: Callable[[], object] = lambda: None) -> int:
    """Begin a command in a process of its own, and return its number; what it says goes into ``box.said``."""
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        os.chdir(box)
        said = os.open(box.with_suffix(".said"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        begin()
        import run_backtest
        from engine.cli.main import main

        code = main(run_backtest.load_catalogue, words.split())
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        if isinstance(error, SystemExit) and isinstance(error.code, int):
            code = error.code
        else:
            traceback.print_exc()
    finally:
        os._exit(code)


def interpreted(box: Path, words: str) -> int:
    """Begin a command as a user does, with an interpreter of its own, and return its number."""
    with box.with_suffix(".said").open("ab") as said:
        command = [sys.executable, str(ROOT / "run_backtest.py"), *words.split()]
        # The stand-ins of vendors too.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(VENDORS), str(ROOT)))}
        begun = subprocess.Popen(
            command, cwd=box, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        return begun.pid


def ended(number: int, patience: float = PATIENCE, *, kill: bool = True) -> int | None:
    """Wait for a process; return its exit code, that of a signal negative.

    Where its time is over, kill it and return HUNG, or, unless ``kill``, return None.
    """
    until = time.monotonic() + patience
    while True:
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            if not kill:
                return None
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            return HUNG
        time.sleep(0.002)


def killed_after(number: int, seconds: float) -> int | None:
    """Kill a process after some time, unless it has ended; return its exit code."""
    code = ended(number, seconds, kill=False)
    if code is None:
        os.kill(number, signal.SIGKILL)
        code = ended(number)
    return code


def said(box: Path) -> str:
    """Return what the last processes said, and forget it."""
    file = box.with_suffix(".said")
    text = file.read_text(errors="replace") if file.exists() else ""
    file.unlink(missing_ok=True)
    return text


def apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something in a process of its own, so that what it loads is in no other one."""
    reader, writer = os.pipe()
    number = os.fork()
    if number == 0:
        os.close(reader)
        result: dict[str, Any] = {}
        try:
            result = work()
        except BaseException:
            traceback.print_exc()
        finally:
            with os.fdopen(writer, "w") as file:
                json.dump(result, file)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    os.waitpid(number, 0)
    return dict(json.loads(text or "{}"))
