"""What comes from outside and is damaged or absurd: refused by name, with the right exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import run_backtest
from data import parsing
from data.errors import UsageError
from data.facts.dated import read_toml
from data.facts.notices import read_notice
from data.facts.themes import known_tags
from data.parsing import NUMBER, misfit, parse_json, parse_toml, read_bounded
from data.rows import read_rows
from engine.cli.main import main
from engine.orders.formats import FORMATS, read_file
from tests.helpers.tuning import goal_of_words, search_in, space_of

SMALL = ["--end", "2021-01-29", "--symbols", "157001.SZ,157002.SZ", "--no-report", "--quiet"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "[" * 65 + "]" * 65,
        '{"a":' * 65 + "1" + "}" * 65,
        "9" * 5000,
        '"\\ud800"',
        "nil",
        "",
        b"\xff",
    ],
)
def test_whatever_json_cannot_be_taken_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 (whichever it is)
        parse_json(text)


def test_json_keeps_numbers_that_a_column_can_hold():
    assert parse_json("[123456789012345678, 1234567890123456789, 0.1]") == [
        123456789012345678,
        1.2345678901234568e18,
        0.1,
    ]
    assert type(parse_json("1" + "0" * 18)) is float
    assert parse_json("[" * 64 + "]" * 64) != []
    assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a" + ".a" * 65 + " = 1", f"a = {'9' * 5000}", "a = "])
def test_whatever_toml_cannot_be_taken_is_a_value_error(text, tmp_path):
    with pytest.raises(ValueError):  # noqa: PT011 (whichever it is)
        parse_toml(text)
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UsageError, match="is not a TOML file"):
        read_toml(tmp_path / "a.toml")


def test_no_more_of_a_file_is_read_than_the_limit(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bounded(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="more than 4 bytes"):
        read_bounded(tmp_path / "a", 4)
    assert parsing.MOST_BYTES == 256 << 20


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device without an end")
def test_whatever_a_user_names_is_read_to_a_limit(monkeypatch):
    endless = Path("/dev/zero")
    monkeypatch.setenv("ETFLOW_THEMES", str(endless))
    for read in (
        lambda: read_rows(endless, "weights"),
        lambda: read_file(endless, "orders", FORMATS["fix"]),
        lambda: read_notice(endless),
        known_tags,
    ):
        with pytest.raises(UsageError, match=r"cannot read .*/dev/zero; received it has more than"):
            read()


def test_a_shape_names_the_first_place_that_differs():
    shape = {"name": str, "size": NUMBER, "many": [str], "inner?": {"yes": bool}}
    right = {"name": "a", "size": 1, "many": ["b"], "inner": {"yes": True}}
    assert misfit(right, shape) is None
    assert misfit({**right, "inner": None}, shape) is None
    assert misfit({**right, "size": True}, shape) == "size"
    assert misfit({**right, "size": float("inf")}, shape) == "size"
    assert misfit({**right, "many": ["b", 1]}, shape) == "many[1]"
    assert misfit({**right, "inner": {"yes": 1}}, shape) == "inner.yes"
    assert misfit({"name": "a"}, shape) == "size"
    assert misfit([], shape) == "the whole"


# --- through the command line -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--cash", "1e22"], "`cash` is out of bounds"),
        (["--cash", "inf"], "`cash` is out of bounds"),
        (["--cost", "commission_min=inf"], "`commission_min` is out of bounds"),
        (["--cost", "impact=inf"], "`impact` is out of bounds"),
        (["--cost", "commission_tick=1e300"], "`commission_tick` is out of bounds"),
        (["--cost", "commission_tick=1e-300"], "`commission_tick` is too fine"),
        (
            ["--cost", "commission_tick=1", "--cost", "commission_min=0.4"],
            "rounds the minimum commission to nothing",
        ),
        (["--lag", "units=1000000000000000000000"], "the shift of `units` is out of bounds"),
        (["--seed", "-1"], "`seed` is out of bounds"),
        (["--seed", "4294967296"], "`seed` is out of bounds"),
        (["--data", "x" * 300], "the system refuses a file"),
        (["--out", "x" * 300], "the system refuses a file"),
    ],
)
def test_numbers_and_names_that_cannot_be_are_wrong_usage(here, words, refusal):
    code, printed, complained = here("run", "momentum", *SMALL, *words)
    assert (code, printed) == (2, "")
    assert refusal in complained
    assert "Traceback" not in complained
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        f"cash = {'9' * 400}",
        f"costs = {{commission_min = {'9' * 400}}}",
        f"parameters = {{lookback = {'9' * 400}}}",
        f"parameters = {{threshold = {'9' * 400}}}",
        "parameters = {lookback" + ".a" * 2000 + " = 1}",
        "lags = {units = 1000000000000000000000}",
        'data = "a\\u0000b"',
        f'data = "{"x" * 300}"',
        f'strategy = "{"x" * 300}.py"',
        "strategy = 5",
    ],
)
def test_a_spec_that_cannot_be_is_wrong_usage(here, line):
    name = "" if line.startswith("strategy") else 'strategy = "momentum"\n'
    Path("a.toml").write_text(name + line)
    code, printed, complained = here("run", "--spec", "a.toml", "--no-report")
    assert (code, printed) == (2, "")
    assert "Traceback" not in complained
    assert len(complained) < 3000  # thousands of digits are not all quoted


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return a folder with a run and a study."""
    out = tmp_path_factory.mktemp("results")
    common = [*SMALL, "--out", str(out)]
    assert main(run_backtest.load_catalogue, ["run", "momentum", "--set", "top=1", *common]) == 0
    search_in(out, space_of("lookback=3:8"), goal_of_words("sharpe_ratio"), "grid")
    return out


def copied(made: Path) -> tuple[Path, Path]:
    """Copy the results into this folder; return those of the run and of the study."""
    folders = [path for path in sorted(made.iterdir()) if path.is_dir()]
    runs = [path for path in folders if "-study-" not in path.name]
    for path in [runs[0], *(path for path in folders if path not in runs)]:
        Path("results", path.name).mkdir(parents=True)
        for file in path.iterdir():
            Path("results", path.name, file.name).write_bytes(file.read_bytes())
    (study,) = Path("results").glob("*-study-*")
    (run,) = (path for path in Path("results").iterdir() if path != study)
    return run, study


def leaves(value, place=()):
    for name, inner in value.items():
        yield (*place, name)
        if isinstance(inner, dict):
            yield from leaves(inner, (*place, name))


WRONG = (None, [], {}, "x", 5, True, ["a", 1], 10**400)


def damaged(document, place, wrong):
    found = json.loads(json.dumps(document))
    inner = found
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = wrong
    return json.dumps(found)


def test_no_value_of_a_manifest_or_of_a_study_gives_a_traceback(here, made):
    run, study = copied(made)
    lines = (study / "study.jsonl").read_text().splitlines()
    header, trial = (json.loads(line) for line in lines[:2])
    asked = 0
    for file, document, before, after in (
        (run / "manifest.json", json.loads((run / "manifest.json").read_text()), [], []),
        (run / "metrics.json", json.loads((run / "metrics.json").read_text()), [], []),
        (study / "study.jsonl", header, [], lines[1:]),
        (study / "study.jsonl", trial, lines[:1], lines[2:]),
    ):
        whole = file.read_text()
        for number, place in enumerate(leaves(document)):
            wrong = WRONG[number % len(WRONG)]
            file.write_text("\n".join([*before, damaged(document, place, wrong), *after, ""]))
            code, _, complained = here("runs", "show", file.parent.name)
            assert code in (0, 2, 3), (place, wrong, complained)
            assert here("runs", "list")[0] == 0, (place, wrong)
            asked += 1
        file.write_text(whole)
    assert asked > 100


@pytest.mark.parametrize(
    "line", ["null", "[" * 5000, '{"a":' * 70 + "1" + "}" * 70, "9" * 5000, '{"number": 0}']
)
def test_a_damaged_study_is_named_and_the_others_are_listed(here, made, line):
    run, study = copied(made)
    path = study / "study.jsonl"
    path.write_text("\n".join([*path.read_text().splitlines()[:1], line, ""]))
    code, printed, complained = here("runs", "list", "--json")
    assert code == 0
    assert [each["run_id"] for each in json.loads(printed)] == [run.name]
    assert "line 2 is damaged" in complained
    assert here("runs", "show", study.name)[0] == 3


@pytest.mark.parametrize(
    ("file", "column", "change", "named"),
    [
        ("equity.csv", "equity", lambda number: 2 * number, "equity of"),
        ("equity.csv", "cash", lambda number: number + 1.0, "equity of"),
        ("positions.csv", "shares", lambda number: int(2 * number), "equity of"),
        ("fills.csv", "notional", lambda number: number / 2, "cash and receivables of"),
    ],
)
def test_books_that_do_not_balance_are_not_shown(here, made, file, column, change, named):
    run, _ = copied(made)
    header, *rows = [line.split(",") for line in (run / file).read_text().splitlines()]
    place = header.index(column)
    for row in rows:
        row[place] = str(change(float(row[place])))
    (run / file).write_text("\n".join(map(",".join, [header, *rows])) + "\n")
    (run / "SHA256SUMS").unlink()
    code, printed, complained = here("runs", "show", run.name)
    assert (code, printed) == (3, "")
    assert "do not balance on 20" in complained
    assert named in complained


def test_files_of_an_import_that_no_parser_takes_are_refused(here):
    for text in (
        "[" * 5000,
        '[{"day": ' + "9" * 5000 + "}]",
        '[{"day": "\\ud800", "units": 1}]',
        '{"klines": [null]}',
    ):
        Path("a.json").write_text(text)
        code, printed, complained = here("data", "import", "a.json", "--data", "store")
        assert (code, printed) == (3, ""), complained
        assert not Path("store").exists()
