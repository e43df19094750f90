"""The page docs/real-data.md, command by command, and what must come out on real data."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.load import load_panel
from data.store.store import Store

ETFLOW = [sys.executable, str(Path(__file__).resolve().parents[1] / "run_backtest.py")]
RAW_WITH_ERRORS = {
    "raw-eastmoney": ("adjusted-prices", ("159801.SZ", "512480.SH", "512760.SH", "588760.SH", "588790.SH")),
    "raw-crawl": ("unrecorded-split", ("159363.SZ, 2025-07-21",)),
    "raw-pair": ("unrecorded-split", ("159567.SZ",)),
    "raw-tushare": ("unrecorded-split", ("515980.SH, 2025-09-30", "515880.SH, 2026-02-03", "512480.SH")),
}

pytestmark = pytest.mark.slow


def commands(root: Path) -> list[list[str]]:
    """Return the commands of the page, as words."""
    page = (root / "docs" / "real-data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


@pytest.fixture(scope="module")
def page(
    root: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """Run every command of the page in an empty folder; return the folder and what each command did."""
    folder = tmp_path_factory.mktemp("real")
    done = {}
    for words in commands(root):
        assert words[0] == "etflow"
        call = [word.replace("$MARKET_DATA", str(shared)) for word in words[1:]]
        faster = ["--no-report"] if call[0] == "run" else []
        done[" ".join(words[1:])] = subprocess.run(
            [*ETFLOW, *call, *faster], cwd=folder, capture_output=True, text=True, env=os.environ, check=False
        )
    return folder, done


def test_every_command_ends_as_the_page_says(page: tuple[Path, dict[str, object]]) -> None:
    for command, done in page[1].items():
        expected = 0
        if command.startswith("data check") or "shares-dirty" in command:
            expected = 3
        assert done.returncode == expected, f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("store", "finds"), RAW_WITH_ERRORS.items())
def test_what_is_wrong_with_raw_files_is_found(
    page: tuple[Path, dict[str, object]], store: str, finds: tuple[str, tuple[str, ...]]
) -> None:
    check, places = finds
    done = page[1][f"data check --data {store}"]
    assert check in done.stderr
    for place in places:
        assert re.search(rf"error: {check}: \w+ {place}", done.stdout), f"{place}\n{done.stdout}"


def test_no_nav_is_taken_for_one_of_another_session(page: tuple[Path, dict[str, object]]) -> None:
    said = {command: each.stdout for command, each in page[1].items() if command.startswith("data check")}
    assert len(said) >= 5
    assert [command for command, text in said.items() if "nav-shifted" in text] == []


def test_a_crawl_whose_lots_become_shares_is_found(page: tuple[Path, dict[str, object]]) -> None:
    said = page[1]["data check --data raw-crawl"].stdout
    assert re.search(r"error: lots-for-shares: bars 159363.SZ, 2025-10-30", said)


def test_counts_that_are_dates_are_refused(page: tuple[Path, dict[str, object]]) -> None:
    folder, done = page
    said = next(each.stderr for command, each in done.items() if "shares-dirty" in command)
    assert "date read as a number" in said
    assert not (folder / "raw-dirty").exists()


def test_all_rows_are_imported(page: tuple[Path, dict[str, object]]) -> None:
    store = Store(page[0] / "china")
    rows = {table: len(store.read(table)) for table in store.tables}
    assert rows == {"bars": 68450, "units": 19669, "margin": 3373, "index_bars": 24445, "actions": 19}


def test_runs_cover_the_period_and_the_funds(page: tuple[Path, dict[str, object]]) -> None:
    manifests = [json.loads(path.read_text()) for path in (page[0] / "results").glob("*/manifest.json")]
    assert sorted(each["strategy"] for each in manifests) == [
        "equal_weight", "flow_blend", "momentum", "share_inflow",
    ]  # fmt: skip
    for each in manifests:
        assert each["data"]["synthetic"] is False
        last = "2026-04-23" if each["strategy"] == "momentum" else "2025-07-04"
        assert each["data"]["last_day"] == last
        assert len(each["data"]["symbols"]) == (7 if each["strategy"] == "momentum" else 6)


def test_splits_leave_no_trace_in_returns_or_flows(page: tuple[Path, dict[str, object]]) -> None:
    panel = load_panel(Store(page[0] / "china"), ["159363", "515980", "515880", "512480"])
    close = panel.known.adjusted_close
    returns = close[1:] / close[:-1] - 1.0
    # The limit of 159363 is 20 %, of the others 10 %; a tick more for the rounding of a limit price.
    assert np.nanmax(np.abs(returns[:, 0])) < 0.201
    assert np.nanmax(np.abs(returns[:, 1:])) < 0.1015
    moves = dict(zip(panel.symbols, np.isfinite(panel.known.units).any(axis=0), strict=True))
    assert moves["515980.SH"], "weekly counts of 515980 lie on both sides of its split"
    ratio = panel.known.flow("vwap") / panel.known.aum
    assert np.nanmax(np.abs(ratio)) < 0.5, "a split that is not taken out shows as a flow of 100 %"


def test_splits_of_funds_with_daily_counts_leave_no_trace_in_flows(
    page: tuple[Path, dict[str, object]],
) -> None:
    """159851 and 512100 have no bars on file; 515050 and 159995 split after theirs end: counts alone."""
    store = Store(page[0] / "china")
    for symbol, day in (
        ("515050.SH", "2026-05-12"),
        ("159995.SZ", "2026-07-06"),
        ("159851.SZ", "2025-07-11"),
    ):
        counts = store.read("units", [symbol]).set_index("day")["units"]
        before = counts.shift(1)
        ratio = store.read("actions", [symbol])["ratio"].iloc[-1]
        organic = counts[day] / (before[day] * ratio) - 1.0
        assert abs(organic) < 0.05, f"{symbol} switched on {day}"
