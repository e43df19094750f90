"""Small inputs that once came out wrong: scripts beside the project, where they are there, say what is right.

Each has a test of its kind among the others, with an input that is written there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = ("03", "05", "06", "07", "08", "10", "12", "14", "15", "17", "35")


@pytest.mark.slow
@pytest.mark.parametrize("number", CASES)
def test_a_case_comes_out_right(root: Path, tmp_path: Path, number: str) -> None:
    found = sorted((root.parent / "shared" / "cases").glob(f"{number}-*.py"))
    if not found:
        pytest.skip("the cases are not here")
    places = {
        "ETFLOW_SOURCE": str(root),
        "ETFLOW_WORK": str(tmp_path),
        "ETFLOW_STATE": str(tmp_path / "state"),
    }
    done = subprocess.run(
        [sys.executable, str(found[0])],
        capture_output=True,
        text=True,
        env=os.environ | places,
        check=False,
        timeout=300,
    )
    assert done.stdout.endswith("RESULT right\n"), done.stdout[-3000:] + done.stderr[-1000:]
