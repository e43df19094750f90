"""Facts are a mapping: whatever goes over them goes over a table that three places declare."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data.load import load_panel
from data.store.schema import Table
from data.store.store import Store
from data.store.tables import FACT_TABLES, TABLES

# The three places, as CONTRIBUTING.md names them: the row of the schema, ...
SCHEMA = """
    Table(
        "mood",
        ("symbol", "day"),
        _columns(
            _SYMBOL,
            _DAY,
            Column("mood", scale="ratio", usual=(-0.5, 0.5)),
            Column("votes", sign="nonnegative", scale="count"),
        ),
        measures=("mood", "votes"),
        rows_on="bars",
        repeats=2,
    ),
)
TABLES:"""
# ... when it is public, ...
AVAILABILITY = """
[[lag]]
table = "mood"
applies_to = "default"
from = 1990-01-01
normal = 1
strict = 1
source = "made up"
"""
# ... and how strategies call it.
KNOWN = '''
    @cached_property
    def mood(self) -> Floats:
        """How people feel about a fund."""
        return self._published.latest("mood")

    # Indices and macro series.
'''


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_a_table_that_is_declared_in_three_places_goes_everywhere(root: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("data", "engine", "strategies", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "vendor", "vendors")
        shutil.copytree(root / name, tree / name, ignore=ignored)
    shutil.copy(root / "run_backtest.py", tree)
    replaced(tree / "data" / "store" / "tables.py", "\n)\nTABLES:", SCHEMA)
    replaced(tree / "data" / "panel" / "known.py", "\n    # Indices and macro series.\n", KNOWN)
    with (tree / "data" / "facts" / "availability.toml").open("a", encoding="utf-8") as file:
        file.write(AVAILABILITY)
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.made_up_table", str(tmp_path / "stores")],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Data without rows of it are what they are without the table.
    assert done.stdout.strip() == load_panel(Store(tmp_path / "stores" / "without")).fingerprint


@pytest.mark.parametrize("table", FACT_TABLES, ids=lambda table: table.name)
def test_what_a_fact_table_says_of_itself_is_about_its_columns(table: Table) -> None:
    assert len(table.key) == 2
    for column in table.measured:
        assert column.kind == "number"
        low, high = column.possible
        assert low <= column.usual[0] < column.usual[1] <= high or column.usual == (
            -float("inf"),
            float("inf"),
        )
    assert table.markets is None or table.key[0] == "symbol"
    assert table.rows_on is None or "day" in table.key
    assert TABLES[table.name] is table
