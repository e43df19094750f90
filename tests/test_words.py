"""Numbers as people read them, and one way to write a percentage: ``12.34%`` on terminals and pages alike."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import run_backtest
from data.words import percent

ROOT = Path(run_backtest.__file__).parent
WRITERS = ("data", "strategies", "engine", "docs", "benchmarks")
# A number and a space before the sign; of an f-string, what follows the number.
SPACED = re.compile(r"(^|[0-9}]) %(?![A-Za-z(])")
# What is on file stays: `runs reproduce` compares the text in a manifest.
AS_IT_WAS = {"engine/simulation/alternatives.py"}


def written(source: str) -> Iterator[str]:
    """Yield the texts of a module, but for docstrings."""
    tree = ast.parse(source)
    notes = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in notes:
            yield each.value


def test_a_percentage_has_no_space_before_its_sign():
    assert percent(0.12345) == "12.35%"
    assert percent(12.345678, 1) == "1,234.6%"
    assert percent(-0.00001) == "0.00%"
    assert percent(None) == percent(float("nan")) == "n/a"


def test_a_space_is_seen():
    source = '"""At 5 %."""\nx = f"{5:.1f} % of all"\ny = "95 % interval"\nz = "%d %b", "5%, 95%"\n'
    assert [each for each in written(source) if SPACED.search(each)] == ["95 % interval", " % of all"]


def test_every_text_writes_percentages_the_same_way():
    spaced = {
        path.relative_to(ROOT).as_posix()
        for folder in WRITERS
        for path in (ROOT / folder).rglob("*.py")
        for text in written(path.read_text(encoding="utf-8"))
        if SPACED.search(text)
    }
    assert spaced == AS_IT_WAS
