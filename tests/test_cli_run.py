"""`run` and `compare` at the command line: spec files, data with errors, what is written and printed."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from tests.helpers.cli import SMALL, etflow

# --- run ----------------------------------------------------------------------------------------------


def test_json_is_one_document_and_everything_else_goes_to_stderr(tmp_path):
    words = ("run", "momentum", *SMALL, "--json", "--set", "top=2", "-v")
    code, printed, _ = etflow(*words, cwd=tmp_path)
    assert code == 0
    document = json.loads(printed, parse_constant=pytest.fail)
    assert list(document)[:9] == [
        "run_id",
        "folder",
        "strategy",
        "parameters",
        "engine",
        "data",
        "metrics",
        "reasons",
        "counts",
    ]
    assert document["strategy"] == "momentum"
    assert document["parameters"]["top"] == 2
    assert document["data"]["synthetic"] is True
    assert document["data"]["last_day"] == "2021-06-30"
    assert document["data"]["symbols"] == ["157001.SZ", "157011.SZ", "586011.SH"]
    assert "SYNTHETIC" in document["notice"]
    assert document["counts"]["fills"] > 0
    assert set(document["seconds"]) == {"data", "checks", "panel", "simulation", "metrics", "report"}
    assert document["metrics"]["max_drawdown"] < 0
    folder = tmp_path / document["folder"]
    assert folder.name == document["run_id"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {**document["metrics"], "reasons": document["reasons"]} == metrics
    assert sorted(path.name for path in folder.iterdir()) == [
        "SHA256SUMS",
        "equity.csv",
        "fills.csv",
        "manifest.json",
        "marks.csv",
        "metrics.json",
        "positions.csv",
        "rejections.csv",
        "weights.csv",
    ]


def test_the_table_says_what_ran_and_where_it_lies(here, tmp_path):
    code, printed, complained = here("run", "equal_weight", *SMALL)
    assert code == 0
    assert complained == ""
    lines = printed.splitlines()
    assert re.fullmatch(r"equal_weight-[0-9a-f]{8} on demo", lines[0])
    assert " to 2021-06-30: " in lines[1]
    assert lines[2].startswith("SYNTHETIC")
    assert lines[3] == "benchmark: DEMO-ALL"
    header = next(line for line in lines if "Benchmark" in line)
    assert header.split() == ["equal_weight", "Benchmark", "Equal", "weight,", "no", "cost", "unit"]
    assert {line.rindex("  ") for line in lines if line.endswith(("% a year", " unit"))} == {
        header.rindex("  ")
    }
    assert lines[-1] == f"results     results/{lines[0].split()[0]}"
    assert "\x1b" not in printed


def test_quiet_prints_only_the_folder(here):
    code, printed, complained = here("run", "equal_weight", *SMALL, "-q")
    assert code == 0
    assert re.fullmatch(r"results/equal_weight-[0-9a-f]{8}\n", printed)
    assert complained == ""


def test_a_spec_file_says_the_same_as_options_and_options_override_it(here, tmp_path):
    (tmp_path / "run.toml").write_text(
        'strategy = "momentum"\nend = 2021-06-30\nsymbols = ["157001.SZ", "157011.SZ"]\n'
        "[parameters]\ntop = 1\nlookback = 40\n[costs]\nimpact = 0.5\n"
    )
    common = ("--no-report", "--json")
    _, by_file, _ = here("run", "--spec", "run.toml", *common)
    options = ("--end", "2021-06-30", "--symbols", "157001.SZ,157011.SZ", "--set", "top=1")
    _, by_options, _ = here(
        "run", "momentum", *options, "--set", "lookback=40", "--cost", "impact=0.5", *common
    )
    assert json.loads(by_file)["run_id"] == json.loads(by_options)["run_id"]
    _, other, _ = here("run", "--spec", "run.toml", "--set", "lookback=20", "--universe", "ai_cn", *common)
    assert other == ""  # the universe has no fund in the demo
    _, other, _ = here("run", "--spec", "run.toml", "--set", "lookback=20", "--symbols", "157001.SZ", *common)
    document = json.loads(other)
    assert document["parameters"]["lookback"] == 20
    assert document["parameters"]["top"] == 1
    assert document["data"]["symbols"] == ["157001.SZ"]


SEARCH = """
strategy = "momentum"
symbols = ["157001.SZ", "157011.SZ"]
end = 2021-06-30
[parameters]
rebalance = 10
top = 2
[tune]
param = { lookback = "20:40:20", top = [1, 2] }
where = ["top <= 2"]
objective = ["annual_return"]
[audit]
only = ["order_and_scale"]
[compare]
strategies = ["momentum:top=1", "equal_weight"]
"""


@pytest.mark.slow
def test_a_spec_file_holds_a_search_an_audit_and_a_comparison(here, tmp_path):
    (tmp_path / "all.toml").write_text(SEARCH)
    said = ("--symbols", "157001.SZ,157011.SZ", "--end", "2021-06-30", "--set", "rebalance=10")
    words = ("--param", "lookback=20:40:20", "--param", "top=1,2", "--where", "top <= 2")
    common = ("--no-verdict", "--no-report", "--json")
    assert here("tune", "all.toml", "--out", "file", *common)[0] == 0
    typed = (*said, *words, "--objective", "annual_return", *common)
    assert here("tune", "momentum", *typed, "--out", "typed")[0] == 0
    (study,) = (tmp_path / "file").glob("*/study.jsonl")
    (other,) = (tmp_path / "typed").glob("*/study.jsonl")
    assert study.read_bytes() == other.read_bytes()
    # What was written is a spec file again: of the search, and of a run.
    assert here("tune", study, "--out", "again", *common)[0] == 0
    assert (tmp_path / "again" / study.parent.name / "study.jsonl").read_bytes() == study.read_bytes()
    first = json.loads(here("run", "all.toml", "--no-report", "--json")[1])
    manifest = tmp_path / "results" / first["run_id"] / "manifest.json"
    before = manifest.read_bytes()
    assert json.loads(here("run", manifest, "--no-report", "--json")[1])["run_id"] == first["run_id"]
    assert manifest.read_bytes() == before
    # What is typed overrides the file, of the searched parameters each by its name.
    assert (
        here("tune", "all.toml", "--param", "top=1", "--objective", "turnover:min", "--out", "o", *common)[0]
        == 0
    )
    header = json.loads(next((tmp_path / "o").glob("*/study.jsonl")).read_text().splitlines()[0])
    assert (header["space"], header["objectives"]) == (["lookback=20:40:20", "top=1"], ["turnover:min"])
    audited = json.loads(here("audit", "all.toml", "--no-report", "--json")[1])
    assert [each["name"] for each in audited["audits"]] == ["order_and_scale"]
    compared = json.loads(here("compare", "all.toml", "--no-report", "--json")[1])
    assert [each["strategy"] for each in compared["runs"]] == ["momentum", "equal_weight"]
    assert compared["runs"][0]["parameters"]["top"] == 1


@pytest.mark.parametrize(
    ("command", "content", "message"),
    [
        ("tune", "[tun]\nwhere = []", "unknown setting `tun`. Did you mean `tune`"),
        ("tune", '[tune]\nparm = { top = "1:2" }', r"\[tune\]: unknown option `parm`. Did you mean `param`"),
        ("tune", "[tune]\nparam = 3", "`param` must be a table of names and values; received 3"),
        ("tune", '[tune]\ntrials = "x"', "`trials` must be a whole number; received 'x'"),
        ("tune", '[tune]\nparam = { top = [1] }\nsplits = "no"', r"`splits` cannot be that; received 'no'"),
        ("tune", "[tune]\nparam = { top = [1] }\nfolds = -4", r"`folds` cannot be that; received -4"),
        ("audit", "[audit]\ndraws = 0", r"`draws` cannot be that; received 0"),
        ("audit", '[audit]\nonly = ["lookahead"]', "unknown audit `lookahead`.*`look_ahead`"),
        ("compare", "[compare]\nstrategies = []", "name strategies or runs to compare"),
    ],
)
def test_what_a_spec_file_cannot_say_of_a_command_is_refused(here, tmp_path, command, content, message):
    (tmp_path / "all.toml").write_text(f'strategy = "momentum"\n{content}\n')
    code, printed, complained = here(command, "all.toml")
    assert (code, printed) == (2, "")
    assert re.search(message, complained), complained
    assert [path.name for path in tmp_path.iterdir()] == ["all.toml"]


def test_what_is_no_spec_file(here, tmp_path):
    (tmp_path / "all.toml").write_text('strategy = "momentum"')
    assert "limit: a TOML file, manifest.json of a run" in here("run", "other.json")[2]
    assert "there are two spec files" in here("run", "all.toml", "--spec", "all.toml")[2]
    assert "there are two spec files" in here("compare", "all.toml", "b.toml")[2]


@pytest.mark.slow
def test_the_manifest_of_somebody_else_runs_no_file_that_was_never_run_by_its_name(here, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom strategies.momentum import Momentum\n\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Mine(Momentum):\n    pass\n"
    )
    run = json.loads(here("run", "mine.py:Mine", *SMALL, "--json")[1])
    manifest = tmp_path / "results" / run["run_id"] / "manifest.json"
    assert here("run", manifest, "--no-report", "--quiet")[0] == 0
    with (tmp_path / "mine.py").open("a") as file:
        file.write("# changed\n")
    code, _, complained = here("run", manifest, "--no-report")
    assert code == 2
    assert "you have not run yet" in complained
    assert "run the strategy by its name once" in complained


def test_parameters_of_a_spec_file_go_with_its_strategy(here, tmp_path):
    (tmp_path / "run.toml").write_text('strategy = "momentum"\n[parameters]\nlookback = 40\n')
    same = json.loads(here("run", "momentum", "--spec", "run.toml", *SMALL, "--json")[1])
    assert same["parameters"]["lookback"] == 40
    other = json.loads(here("run", "equal_weight", "--spec", "run.toml", *SMALL, "--json")[1])
    assert other["strategy"] == "equal_weight"


def test_same_run_same_id_whether_a_default_is_spelled_out(here):
    common = (*SMALL, "--json")
    ids = {
        json.loads(here("run", "momentum", *words, *common)[1])["run_id"]
        for words in ((), ("--set", "top=3"), ("--cash", "1e6"))
    }
    assert len(ids) == 1


def test_data_with_errors_stop_a_run_and_allow_goes_on(here, tmp_path):
    bars = (tmp_path / "bars.csv").open("w")
    with bars:
        bars.write("symbol,day,open,high,low,close,volume,amount\n")
        for number, day in enumerate(sessions(60)):
            price = 2.0 if number < 40 else 1.0  # halves from one day to the next, and no split is recorded
            bars.write(f"159995.SZ,{day},{price},{price},{price},{price},1000000,{price * 1e6}\n")
    assert here("data", "import", "bars.csv", "--data", "store")[0] == 0
    words = ("run", "momentum", "--data", "store", "--no-report", "--json", "--set", "lookback=5")
    code, _, complained = here(*words)
    assert code == 3
    assert "failed the check `unrecorded-split`: bars 159995.SZ" in complained
    assert "--allow unrecorded-split" in complained
    code, printed, complained = here(*words, "--allow", "unrecorded-split")
    assert code == 0, complained
    assert "went on over errors in its data: 1, the first: error: unrecorded-split" in complained
    manifest = json.loads((tmp_path / json.loads(printed)["folder"] / "manifest.json").read_text())
    assert manifest["spec"]["allow"] == ["unrecorded-split"]
    assert "unrecorded-split" in manifest["allowed"][0]
    assert here("data", "check", "--data", "store")[0] == 3
    assert here("data", "check", "--data", "store", "--allow", "all")[0] == 0


def suggested(complained: str) -> list[str]:
    """Return the options that a message suggests, as one would copy them."""
    found = re.search(r"`(--allow [^`]*)`", complained)
    assert found, complained
    return found[1].split()


def test_all_failed_checks_are_named_and_what_is_suggested_goes_on(here, tmp_path):
    """A price that halves; and a close ten times too high, which comes after the account began."""
    for name, first, last in (("bars.csv", 0, 50), ("later.csv", 50, 60)):
        with (tmp_path / name).open("w") as bars:
            bars.write("symbol,day,open,high,low,close,volume,amount\n")
            for number, day in [*enumerate(sessions(60))][first:last]:
                price = 2.0 if number < 40 else 1.0
                close = 10.0 if number == 55 else price
                bars.write(f"159995.SZ,{day},{price},{close},{price},{close},1000000,{price * 1e6}\n")
    assert here("data", "import", "bars.csv", "--data", "store")[0] == 0
    words = ("momentum", "--data", "store", "--set", "lookback=5")
    here("run", *words, "--no-report", "--allow", "unrecorded-split")
    here("account", "new", "desk", *words, "--start", sessions(60)[45], "--allow", "unrecorded-split")
    assert here("account", "step", "desk")[0] == 0
    here("data", "import", "later.csv", "--data", "store")
    failed = ("amount-scale", "lots-for-shares", "price-spike", "unrecorded-split")
    options = [word for name in failed for word in ("--allow", name)]
    for given in (("account", "step", "desk"), ("account", "diff", "desk"), ("runs", "reproduce", "last")):
        code, _, complained = here(*given)
        assert (code, suggested(complained)) == (3, options)
        code, _, complained = here(*given, *options)
        # A run without an end is another one on longer data.
        assert (code, "does not reproduce" in complained) == ((5, True) if "last" in given else (0, False))
    for given in (("run", *words, "--no-report"), ("data", "check", "--data", "store")):
        code, _, complained = here(*given)
        assert code == 3
        assert all(name in complained.partition(".")[0] for name in failed)
        assert suggested(complained) == options
        # Of what is allowed already nothing is lost.
        assert suggested(here(*given, "--allow", "unrecorded-split")[2]) == options
        assert here(*given, *options)[0] == 0


def sessions(count: int) -> list[str]:
    from datetime import date

    from data.facts.calendars import calendar_for

    return [str(day) for day in calendar_for("cn_etf").sessions(date(2024, 3, 1), date(2024, 12, 31))[:count]]


# --- compare ------------------------------------------------------------------------------------------


def test_strategies_with_settings_of_their_own_are_compared_from_the_same_day(here):
    words = ("momentum:lookback=60,top=2", "equal_weight", *SMALL)
    code, printed, complained = here("compare", *words, "--json")
    assert code == 0, complained
    first, second = json.loads(printed)["runs"]
    assert first["parameters"]["lookback"] == 60
    assert first["counts"]["sessions"] == second["counts"]["sessions"]
    code, printed, complained = here("compare", first["run_id"], second["run_id"], "--no-report")
    assert code == 0
    assert complained == ""
    header = next(line for line in printed.splitlines() if "Benchmark" in line)
    assert header.split()[:2] == [first["run_id"], second["run_id"]]
    assert "SYNTHETIC" in printed


def test_runs_of_different_periods_are_compared_over_the_sessions_that_both_have(here, tmp_path):
    common = ("--symbols", "157001.SZ,157011.SZ,586011.SH", "--no-report", "--quiet")
    assert here("run", "equal_weight", "--end", "2021-03-31", *common)[0] == 0
    later = ("--start", "2021-02-01", "--end", "2021-06-30", "--benchmark", "equal_weight")
    assert here("run", "buy_hold", *later, *common)[0] == 0
    code, printed, complained = here("compare", "last~1", "last", "--no-report", "--json")
    assert code == 0, complained
    one, other = json.loads(printed)["runs"]
    days = pd.read_csv(next(tmp_path.glob("results/buy_hold-*")) / "equity.csv", index_col="day")
    shared = days[days.index <= "2021-03-31"]
    period = {"first_day": "2021-02-01", "last_day": "2021-03-31", "sessions": len(shared)}
    assert one["period"] == other["period"] == period
    assert one["counts"]["sessions"] == len(shared)
    total = shared["equity"].iloc[-1] / 1e6 - 1.0
    assert other["metrics"]["cum_returns_final"] == pytest.approx(total)
    assert other["alone"]["metrics"]["cum_returns_final"] == pytest.approx(
        days["equity"].iloc[-1] / 1e6 - 1.0
    )
    assert (one["alone"]["last_day"], other["alone"]["last_day"]) == ("2021-03-31", "2021-06-30")
    assert (one["benchmark"], other["benchmark"]) == ("DEMO-ALL", "equal_weight")
    code, printed, complained = here("compare", "last~1", "last", "--no-report")
    assert f"compared over the {len(shared)} sessions that all have" in complained
    assert f"On 2021-02-01 {other['run_id']} earns from the fill point on" in complained
    assert f"2021-02-01 to 2021-03-31: {len(shared)} sessions, 3 funds in common" in printed
    assert f"benchmark of {other['run_id']}: equal weight\n" in printed
    assert "Over its own period, standing alone" in printed


@pytest.mark.slow
def test_reports_are_written_again_and_compared_on_a_page(here, tmp_path):
    for strategy in ("share_inflow", "momentum"):
        assert (
            here("run", strategy, "--end", "2021-06-30", "--symbols", "157001.SZ,157011.SZ,586011.SH")[0] == 0
        )
    (folder,) = tmp_path.glob("results/momentum-*")
    sheet = (folder / "tearsheet.html").read_bytes()
    (folder / "tearsheet.html").unlink()
    code, printed, complained = here("report", "last")
    assert code == 0, complained
    assert printed == f"{folder.relative_to(tmp_path)}/tearsheet.html\n"
    assert (folder / "tearsheet.html").read_bytes() == sheet
    code, _, complained = here("run", strategy, "--pdf", "--no-report")
    assert code == 2
    assert "--pdf prints the tear sheet, which --no-report leaves out" in complained
    code, printed, complained = here("compare", "last~1", "last", "--json")
    assert code == 0, complained
    page = (tmp_path / json.loads(printed)["page"]).read_text(encoding="utf-8")
    assert "SYNTHETIC" in page
    without_scripts = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert re.search(r"https?:", without_scripts) is None
