"""What README and guide show is run: the tour on the demo market, the notebook snippet, the strategies."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page that are in a language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


def etflow(root: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, str(root / "run_backtest.py"), *words]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, env=os.environ, check=False)


def test_the_tour_of_the_readme(root: Path, tmp_path: Path) -> None:
    (tour,) = (block for block in blocks(root / "README.md", "") if "etflow compare" in block)
    commands = [shlex.split(line, comments=True)[1:] for line in tour.splitlines() if line]
    assert len(commands) > 8
    for words in commands:
        if "mydata" in words or "FOLDER" in words:
            named = 2 if words[0] in ("data", "account") else 1
            shown = etflow(root, tmp_path, *words[:named], "--help")
            for option in (word for word in words if word.startswith("--")):
                assert option in shown.stdout, words
            continue
        faster = ["--no-report"] if words[0] in ("run", "compare") else []
        done = etflow(root, tmp_path, *words, *faster)
        assert done.returncode == 0, f"{words}\n{done.stderr}"


def python(root: Path, folder: Path, code: str) -> str:
    """Run code as a notebook would, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_snippet_of_the_readme(root: Path, tmp_path: Path) -> None:
    (snippet,) = blocks(root / "README.md", "python")
    assert "participation" in python(root, tmp_path, snippet)
    assert [path.name for path in tmp_path.glob("results/*/tearsheet.html")] == ["tearsheet.html"]


def test_the_page_on_python_runs_from_top_to_bottom(root: Path, tmp_path: Path) -> None:
    printed = python(root, tmp_path, "\n".join(blocks(root / "docs" / "python.md", "python")))
    assert "('159363.SZ',) 2025-08-20" in printed
    results = tmp_path / "results"
    assert (results / "audit.json").is_file()
    assert len([*results.glob("compare-*.html")]) == 1
    assert len([*results.glob("*/study.html")]) == 1
    assert [*results.glob("share_inflow-*/tearsheet.html")] or [*results.glob("ShareInflow-*/tearsheet.html")]


def test_the_strategies_of_the_guide(root: Path, tmp_path: Path) -> None:
    own = [block for block in blocks(root / "docs" / "user-guide.md", "python") if "class " in block]
    assert len(own) == 2
    for number, block in enumerate(own):
        file = tmp_path / f"own{number}.py"
        file.write_text(block)
        done = etflow(root, tmp_path, "run", str(file), "--no-report", "--json")
        assert done.returncode == 0, done.stderr
        assert '"fills": 0' not in done.stdout


def test_the_spec_file_of_the_guide_is_one(root: Path, tmp_path: Path) -> None:
    from engine.commands.spec_file import TABLES, SpecFile
    from engine.spec import Spec

    (text,) = (block for block in blocks(root / "docs" / "user-guide.md", "toml") if "strategy =" in block)
    file = tmp_path / "run.toml"
    file.write_text(text)
    assert Spec.from_dict(SpecFile.read(file).settings).parameters == {"lookback": 10, "top": 1}
    (tables,) = (block for block in blocks(root / "docs" / "user-guide.md", "toml") if "[tune]" in block)
    file.write_text(text + tables)
    assert SpecFile.read(file).tables.keys() == TABLES.keys()


def test_the_map_of_the_guide_is_one(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "user-guide.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"  ```toml\n(.*?)  ```", page, re.DOTALL)
    (tmp_path / "map.toml").write_text(text)
    (tmp_path / "bars.csv").write_text(
        "Ticker,Date,O,H,L,C,Lots,Turnover\n159363,20/08/2025,0.70,0.731,0.69,0.729,5230000,37180\n"
    )
    done = etflow(root, tmp_path, "data", "import", "bars.csv", "--map", "map.toml", "--data", "store")
    assert done.returncode == 0, done.stderr
    from data.store.store import Store

    row = Store(tmp_path / "store").read("bars").iloc[0]
    assert (row["volume"], row["amount"]) == (523_000_000.0, 371_800_000.0)
    assert str(row["day"].date()) == "2025-08-20"


def test_the_evening(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the page is typed, one after another, but for those that need a store of the reader's."""
    import run_backtest
    from engine.cli.main import main

    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks(root / "docs" / "evening.md", "") for line in block.splitlines()]
    typed = [line for line in lines if "store" not in line.split()]
    assert len(typed) > 12
    for line in typed:
        words, _, file = line.partition(" > ")
        name, *given = shlex.split(words, comments=True)
        if name == "cp":
            (tmp_path / given[1]).write_bytes((tmp_path / given[0]).read_bytes())
            continue
        capsys.readouterr()
        assert main(run_backtest.load_catalogue, given) == 0, f"{line}\n{capsys.readouterr().err}"
        if file:
            (tmp_path / file).write_text(capsys.readouterr().out, encoding="utf-8")
