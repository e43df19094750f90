"""Standard streams that are closed, full, or of a code page: the work is kept, and nothing is a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import run_backtest

PROGRAM = f'"{sys.executable}" "{Path(run_backtest.__file__)}"'
RUN = "run momentum --set top=1 --end 2021-01-29 --symbols 157001.SZ,157002.SZ --no-report"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")


def shell(line: str, cwd: Path, **variables: str) -> tuple[int, bytes, str]:
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, cwd=cwd, timeout=120, env={**os.environ, **variables}
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_a_closed_stream_costs_what_it_would_have_shown_and_nothing_else(closed, tmp_path):
    code, printed, complained = shell(f"{PROGRAM} {RUN} {closed}", tmp_path)
    assert code == 0
    assert "Traceback" not in complained
    assert (printed != b"") == (">&-" not in closed.split())
    (run,) = (tmp_path / "results").iterdir()
    assert (
        (run / "equity.csv").read_text().startswith("day,equity")
    )  # no line that was printed went into a file


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_stream_is_no_bug_and_the_run_is_kept(tmp_path):
    code, _, complained = shell(f"{PROGRAM} {RUN} --json > /dev/full", tmp_path)
    assert code == 2
    assert complained.splitlines()[-1] == (
        "error: standard output takes nothing more: No space left on device. What the command made is kept."
    )
    assert len([*(tmp_path / "results").iterdir()]) == 1
    assert shell(f"{PROGRAM} {RUN} 2> /dev/full", tmp_path)[0] == 0


@pytest.mark.parametrize("encoding", ["gbk", pytest.param("cp1252", marks=pytest.mark.slow)])
def test_a_code_page_gets_escapes_for_what_it_lacks(encoding, tmp_path):
    line = f"{PROGRAM} brief 157001.SZ --json"
    code, printed, complained = shell(line, tmp_path, PYTHONIOENCODING=encoding)
    assert code == 0
    assert "Traceback" not in complained
    assert json.loads(printed.decode(encoding))["symbol"] == "157001.SZ"
    code, printed, complained = shell(f"{PROGRAM} {RUN}", tmp_path, PYTHONIOENCODING=f"{encoding}:strict")
    assert code == 0
    assert printed.decode(encoding).startswith("momentum")
