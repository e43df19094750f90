"""A wheel built from the project holds all that is needed, and works in an empty environment elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MADE = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__")
MADE_AT_THE_TOP = {"results", "build", "dist"}
FLOORS = ("data", "engine", "strategies")


def call(*words: object, cwd: Path, **options) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("wheel")

    def not_the_project(folder: str, names: list[str]) -> set[str]:
        top = MADE_AT_THE_TOP & set(names) if Path(folder) == root else set()
        return top | MADE(folder, names)

    shutil.copytree(root, place / "source", ignore=not_the_project)
    call(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        place,
        ".",
        cwd=place / "source",
    )
    (found,) = place.glob("*.whl")
    return found


def test_the_wheel_holds_every_file_of_the_floors_and_the_licence(root, wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(root).as_posix()
        for floor in FLOORS
        for path in (root / floor).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(ours - inside) == []
    assert "run_backtest.py" in inside
    assert any(name.endswith("/LICENSE") for name in inside)
    assert not [name for name in inside if name.startswith(("tests/", "docs/", "benchmarks/"))]


def test_it_runs_in_an_empty_environment_outside_the_checkout(root, wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    constraints = root / "constraints.txt"
    call(binaries / "python", "-m", "pip", "install", "--quiet", "-c", constraints, wheel, cwd=elsewhere)
    call(binaries / "python", "-m", "pip", "check", cwd=elsewhere)
    document = json.loads(call(binaries / "etflow", "run", "share_inflow", "--json", cwd=elsewhere))
    folder = elsewhere / document["folder"]
    number = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert call(binaries / "etflow", "--version", cwd=elsewhere).strip() == f"etflow {number}"
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["versions"]["etflow"] == number
    assert "SYNTHETIC" in (folder / "tearsheet.html").read_text(encoding="utf-8")
    call(binaries / "etflow", "runs", "reproduce", "last", cwd=elsewhere)
    call(binaries / "etflow", "strategies", "new", "my_idea", cwd=elsewhere)
    call(binaries / "etflow", "run", "my_idea.py:MyIdea", "--no-report", cwd=elsewhere)
    listed = json.loads(call(binaries / "etflow", "data", "import", "--list", "--json", cwd=elsewhere))
    assert "eastmoney-daily" in [each["name"] for each in listed]
