"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Examples are the same on every machine and day; `make fuzz` draws others.
settings.register_profile(
    "same",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("others", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")

# A shell that starts a job in the background lets it ignore Ctrl-C, and all processes below it inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep tests and the commands that they run away from the caches, records and fact files of the user."""
    base = tmp_path_factory.getbasetemp()
    # Processes that test side by side compile once.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["ETFLOW_CACHE"] = str(shared / "cache")
    os.environ["ETFLOW_STATE"] = str(tmp_path_factory.mktemp("state"))
    for file in ("CALENDAR", "RULES", "THEMES"):
        os.environ.pop(f"ETFLOW_{file}", None)


@pytest.fixture(autouse=True, scope="module")
def own_record(own_folders: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what the tests of one module look at from the verdicts of another's."""
    os.environ["ETFLOW_STATE"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def here(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line within this process, in an empty folder: the same code, without the start-up.

    It returns the exit code, what is on standard output, and what is on standard error.
    """
    import run_backtest
    from engine.cli.main import main

    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(run_backtest.load_catalogue, [str(word) for word in words])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(params=["batch", "oracle", "reference"])
def simulate_with(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return each implementation of a session in turn: what it makes of a scenario of the oracle."""
    from tests.helpers.scenarios import IMPLEMENTATIONS

    return IMPLEMENTATIONS[request.param]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real market data, or skip the test where there is none."""
    folder = ROOT.parent / "shared" / "market-data"
    if not folder.is_dir():
        pytest.skip("real market data are not here")
    return folder
