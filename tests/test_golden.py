"""Golden runs: the real command line on the demo market against what the oracle wrote down."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.golden import strategies
from tests.golden.make import FOLDER, RESERVE, RUNS, digest, scenario, text_of
from tests.oracle import Fill, Outcome, Rejection, Session, simulate


def command_line(name: str, folder: Path, root: Path) -> Outcome:
    end, fill, costs, reserve = RUNS[name]
    words = [f"--cost={cost}={value}" for cost, value in costs.items()]
    words += [] if reserve == RESERVE else [f"--reserve={reserve}"]
    file = FOLDER / f"{name}.csv"
    subprocess.run(
        [
            sys.executable, str(root / "run_backtest.py"), "run", "weights", f"--set=file={file}",
            f"--symbols={','.join(sorted({row['symbol'] for row in rows(file)}))}",
            f"--end={end}", f"--fill={fill}", *words, "--no-report", f"--out={folder}",
        ],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    (run,) = folder.glob("weights-*")
    return Outcome(
        sessions=tuple(
            Session(
                date.fromisoformat(row["day"]), float(row["cash"]), float(row["receivable"]),
                float(row["equity"]), float(row["interest"]), {}, {}, {}, {},
            )
            for row in rows(run / "equity.csv")
        ),
        fills=tuple(
            Fill(
                date.fromisoformat(row["day"]), row["symbol"], int(row["shares"]),
                *(float(row[each]) for each in list(Fill.__dataclass_fields__)[3:]),
            )
            for row in rows(run / "fills.csv")
        ),
        rejections=tuple(
            Rejection(date.fromisoformat(row["day"]), row["symbol"], int(row["shares"]), row["reason"])
            for row in rows(run / "rejections.csv")
        ),
    )  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", RUNS)
def test_the_command_line_gives_the_golden_run(name: str, tmp_path: Path, root: Path) -> None:
    expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert text_of(command_line(name, tmp_path, root)) == expected


@pytest.mark.parametrize("name", RUNS)
def test_golden_runs_are_what_the_oracle_says(name: str) -> None:
    assert text_of(simulate(scenario(name))) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_golden_runs_meet_what_was_planted() -> None:
    """A split, a merge, a halt, both kinds of limit, a dividend on its way, a liquidation, a cap."""
    texts = "".join((FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in RUNS)
    for reason in ("halted", "limit_up", "participation", "not_listed"):
        assert reason in texts


def test_the_strategies_give_their_golden_numbers() -> None:
    assert strategies.text() == strategies.FILE.read_text(encoding="utf-8")


def test_a_golden_number_changes_with_an_entry_under_results_change(root: Path) -> None:
    """The newest entry under the heading says which golden runs it left, so that none changes unsaid."""
    log = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = log.partition("### Results change\n")[2].strip().split("\n- ")[0]
    assert f"(golden runs {digest()})" in " ".join(newest.split()), (
        "golden texts differ from those of the newest entry under *Results change* in CHANGELOG.md: "
        f"say there what changed and why, and end the entry with (golden runs {digest()})"
    )
