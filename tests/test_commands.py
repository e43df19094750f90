"""A notebook does what the command line does: the same numbers, the same documents, the same files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import run_backtest
from data.demo import Demo
from data.errors import UsageError
from data.load import load_panel
from data.panel.panel import Panel
from engine import Run, audit, brief, compare, factor, plain, recorded, run, signal, sweep, tune, validate
from engine.cli.main import main
from engine.commands.looks import body_of_panel
from engine.record.lines import Judgement
from engine.record.record import Record
from engine.report.audit_page import write_audit
from engine.results.layout import EXACT_FILES
from engine.strategy.adapters import adapt
from engine.tuning.families import family_of
from strategies import STRATEGIES
from strategies.momentum import Momentum
from strategies.rotation import Rotation
from strategies.share_inflow import ShareInflow

ETFLOW = [sys.executable, str(Path(__file__).resolve().parents[1] / "run_backtest.py")]
SYMBOLS = ("157001.SZ", "157002.SZ", "157003.SZ")
END = date(2021, 12, 31)
ON = ("--symbols", ",".join(SYMBOLS), "--end", str(END))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo(), SYMBOLS, end=END)


def etflow(*words: str, cwd: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*ETFLOW, *words, "--json"], cwd=cwd, capture_output=True, text=True, check=True, timeout=300
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.slow
def test_a_run_is_saved_as_the_command_saves_it(panel: Panel, tmp_path: Path) -> None:
    made = run(ShareInflow(top=1), panel, benchmark="DEMO-ALL")
    folder = made.save(tmp_path, report=False)
    by_command = etflow("run", "share_inflow", "--set", "top=1", "--no-report", *ON, cwd=tmp_path)
    ours = made.document(folder)
    for name in ("metrics", "reasons", "counts", "parameters", "data"):
        assert ours[name] == by_command[name], name
    for name in set(EXACT_FILES) - {"manifest.json"}:
        assert (folder / name).read_bytes() == (tmp_path / by_command["folder"] / name).read_bytes(), name
    again = Run.load(folder)
    assert again.equity.tolist() == made.equity.tolist()
    assert again.metrics.values == made.metrics.values
    assert again.document(folder) == ours


def test_a_run_is_saved_with_its_tear_sheet(panel: Panel, tmp_path: Path) -> None:
    page = run(Momentum(lookback=20, top=1), panel).save(tmp_path) / "tearsheet.html"
    assert "SYNTHETIC" in page.read_text(encoding="utf-8")


def test_a_run_is_what_a_notebook_likes(panel: Panel, tmp_path: Path) -> None:
    made = run(ShareInflow(top=1), panel, benchmark="DEMO-ALL")
    table = made.to_pandas()
    assert table.index.name == "day"
    assert table["equity"].tolist() == made.equity.tolist()
    peak = table["equity"].cummax().clip(lower=made.initial_cash)
    assert table["drawdown"].tolist() == pytest.approx((table["equity"] / peak - 1.0).tolist(), abs=1e-12)
    page = made.report(tmp_path / "sheet.html")
    assert page.read_bytes() == (made.save(tmp_path) / "tearsheet.html").read_bytes()
    shown = made._repr_html_()
    assert "<b>share_inflow</b>" in shown
    assert made.name.startswith("share_inflow-")
    assert "SYNTHETIC" in shown
    assert f"<td>{made.metrics['sharpe_ratio']:.2f}</td>" in shown
    titles = [axes.get_title(loc="left") for axes in made.plot().axes]
    assert titles[:2] == ["Growth of one unit of money", "Drawdown"]
    with pytest.raises(UsageError, match="cannot write results to"):
        made.report(tmp_path / "none" / "sheet.html")


def test_a_strategy_that_ships_is_called_as_the_command_line_calls_it_and_is_on_record_by_its_class() -> None:
    class Mine(ShareInflow):
        """A derived one is another."""

    names = {kind: (adapt(kind()).name, family_of(adapt(kind())).name) for kind in (ShareInflow, Mine)}
    assert names == {ShareInflow: ("share_inflow", "ShareInflow"), Mine: ("Mine", "Mine")}
    assert {adapt(STRATEGIES[name]()).name for name in ("random", "equal_weight")} == {
        "random",
        "equal_weight",
    }


def test_a_page_says_what_befell_the_funds_and_what_was_said_of_the_search(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    chosen = ShareInflow(top=1)
    made = run(chosen, panel, engine="batch")
    first, last = str(made.days[0]), str(made.days[-1])

    def judged(number: int, word: str, **parameters: Any) -> None:
        line = Judgement(
            judgement=str(number),
            at=f"2026-01-0{number}T00:00:00+00:00",
            study=f"study-{number}",
            strategy="ShareInflow",
            body=body_of_panel(panel).name,
            first=first,
            last=last,
            word=word,
            splits="",
            benchmark="",
            seed=0,
            parameters=vars(chosen) | parameters,
        )
        Record().note(line, body_of_panel(panel))

    before = made.save(tmp_path)
    context = Run.load(before).context
    assert context is not None
    assert (context.judged, context.judged_by) == ("", "")
    assert [split for split in context.splits if split[1] == "157001.SZ"] == [
        ("2021-11-22", "157001.SZ", 2.0)
    ]
    assert ("2021-03-16", "2021-03-16", "157002.SZ") in context.halts
    judged(1, "rejected")
    judged(2, "unproven")
    judged(3, "supported", top=2)  # of another set
    after = Run.load(made.save(tmp_path)).context
    assert after is not None
    assert (after.judged, after.judged_by) == ("unproven", f"study study-2, {first} to {last}")
    assert '<b class="word unproven">' in (before / "tearsheet.html").read_text(encoding="utf-8")
    assert Run.load(made.save(tmp_path, report=False)).context == after


@pytest.mark.slow
def test_a_comparison_writes_its_runs_and_its_page(panel: Panel, tmp_path: Path) -> None:
    found = compare({"a": Momentum(lookback=20, top=1), "b": ShareInflow(top=1)}, panel, benchmark="DEMO-ALL")
    page = found.save(tmp_path)
    assert page == tmp_path / f"{found.name}.html"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted(
        each.name for each in found.results.values()
    )
    words = ("compare", "momentum:lookback=20,top=1", "share_inflow:top=1", "--no-report", *ON)
    by_command = etflow(*words, cwd=tmp_path)
    ours = found.document({}, page, {})
    assert [each["metrics"] for each in ours["runs"]] == [each["metrics"] for each in by_command["runs"]]
    for name in ("low", "high", "p_hac", "sharpe_difference"):
        ((value,), (expected,)) = (
            [each[name] for each in significance["differences"]]
            for significance in (ours["significance"], by_command["significance"])
        )
        assert value == expected, name


@pytest.mark.slow
def test_an_audit_says_what_the_command_says_and_can_be_saved(panel: Panel, tmp_path: Path) -> None:
    only = ("warm_up", "luck_band")
    found = audit(ShareInflow(top=1), panel, only=only, draws=5, catalogue=STRATEGIES, benchmark="DEMO-ALL")
    words = ("audit", "share_inflow", "--set", "top=1", "--only", ",".join(only), "--draws", "5", *ON)
    by_command = etflow(*words, cwd=tmp_path)
    assert [plain(each) for each in found.document()["audits"]] == by_command["audits"]
    assert found.passed is by_command["passed"] is True
    assert found["warm_up"].passed
    made = run(ShareInflow(top=1), panel)
    period = str(made.days[0]), str(made.days[-1]), len(made.days)
    assert tuple(by_command[name] for name in ("first_day", "last_day", "sessions")) == period
    saved = json.loads(found.save(tmp_path).read_text(encoding="utf-8"))
    assert saved["audits"] == by_command["audits"]
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert '<b class="word passed">passed</b> 1 gate, none was missed.' in page
    assert '<b class="answer passed">passed</b></td><td class="text">' + found["warm_up"].sentence in page
    low, middle, high = (f"{each:.2f}" for each in found["luck_band"].details["sharpe_ratio"]["quantiles"])
    assert f"<td>{low}</td><td>{middle}</td><td>{high}</td>" in page


def test_an_audit_lies_with_its_run_whichever_came_first(panel: Panel, tmp_path: Path) -> None:
    chosen = ShareInflow(top=1)
    found, made = audit(chosen, panel, only=["warm_up"]), run(chosen, panel)
    assert found.name == made.name
    found.save(tmp_path / found.name)
    assert made.save(tmp_path, report=False) == tmp_path / found.name
    names = {path.name for path in (tmp_path / found.name).iterdir()}
    assert {"audit.json", "audit.html", "manifest.json"} <= names
    made.save(tmp_path, report=False)
    assert {path.name for path in (tmp_path / found.name).iterdir()} == names


def test_an_audit_that_missed_a_gate_says_so_first(tmp_path: Path) -> None:
    missed = {"name": "look_ahead", "passed": False, "sentence": "It sees <tomorrow>.", "details": {}}
    asked = {"name": "placebo", "passed": None, "sentence": "Not asked.", "details": {}}
    data = {
        "name": "d",
        "synthetic": False,
        "first_day": "2020-01-02",
        "last_day": "2020-12-31",
        "symbols": [],
    }
    document = {"strategy": "mine", "parameters": {}, "data": data, "seed": 0, "data_warnings": []}
    document |= {"first_day": "2020-03-02", "last_day": "2020-12-30", "sessions": 203}
    write_audit(document | {"audits": [missed, asked]}, tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    header = page[page.index("<header>") : page.index("</header>")]
    assert '<b class="word failed">failed</b> Missed: look_ahead.' in header
    text = re.sub("<[^>]+>", "", header)
    assert "2020-03-02 to 2020-12-30 · 203 sessions · 0 funds" in text  # the run
    assert "data d, 2020-01-02 to 2020-12-31" in text
    assert "It sees &lt;tomorrow&gt;." in page
    assert "charts-data" not in page
    later = {
        "lags": [0, 1],
        "sharpe_ratio": [1.0, 0.5],
        "annual_return": [0.2, 0.1],
        "first_day": "2020-03-02",
    }
    told = asked | {"name": "lag_sensitivity", "details": later}
    write_audit(document | {"audits": [told]}, tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "All from 2020-03-02 on, when the slowest can decide" in page
    assert "no gate asked</b> What was asked informs, and passes nothing." in page


@pytest.mark.slow
def test_diagnostics_of_a_score_are_those_of_the_command(panel: Panel, tmp_path: Path) -> None:
    found = factor(Momentum(lookback=20), panel, horizons=(1, 5))
    folder = found.save(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["factor.html", "factor.json"]
    words = ("factor", "momentum", "--set", "lookback=20", "--horizons", "1,5", "--no-report", *ON)
    by_command = etflow(*words, cwd=tmp_path)
    assert plain(found.document())["horizons"] == by_command["horizons"]


@pytest.mark.slow
def test_orders_before_the_next_open_are_those_of_the_command(panel: Panel, tmp_path: Path) -> None:
    found = signal(Momentum(lookback=20, top=1), panel, Demo(), cash=50_000.0)
    folder = found.save(tmp_path)
    assert json.loads((folder / "signal.json").read_text(encoding="utf-8")) == plain(found.document())
    page = (folder / "signal.html").read_text(encoding="utf-8")
    (order,) = found.signal.orders
    (sent,) = found.orders()
    value = f"1 purchase for {sent['limit_price'] * sent['shares']:,.0f} CNY, at limit prices."
    assert f'<b class="word 1-order">1 order</b> {value}' in page
    assert "<span>Cash, CNY</span><b>50,000</b>" in page
    assert page.index("<h1>") < page.index(f"{order.symbol}<small>SYNTHETIC ")
    assert f"<td>{order.order_shares:+,}</td>" in page
    assert page.index("SYNTHETIC: this market is made up") < page.index("<h1>")
    words = ("signal", "momentum", "--set", "lookback=20", "--set", "top=1", "--cash", "50000", *ON)
    by_command = etflow(*words, cwd=tmp_path)
    ours = plain(found.document())
    for name in ("day", "orders", "funds", "equity", "data", "parameters", "costs"):
        assert ours[name] == by_command[name], name


@pytest.mark.slow
def test_a_brief_is_that_of_the_command(tmp_path: Path) -> None:
    found = brief(Demo(), "157001", date(2024, 3, 15), strategies=STRATEGIES)
    assert plain(found.document()) == etflow("brief", "157001", "--on", "2024-03-15", cwd=tmp_path)


def test_a_search_is_judged_again_and_draws_its_page(panel: Panel, tmp_path: Path) -> None:
    tuned = tune(Momentum(), panel, ["lookback=10,20", "top=1,2"], splits="none", out=tmp_path)
    page = tuned.save()
    assert page is not None
    assert "lookback" in page.read_text(encoding="utf-8")
    assert json.loads((tuned.study.folder / "verdict.json").read_text())["verdict"]["word"] == "withheld"
    assert tuned.document()["judgement"]["verdict"]["word"] == "withheld"
    # The judgement ran the default set and neighbours beside the four: one number for all who ask.
    assert tuned.report is not None
    assert tuned.document()["counts"]["on_record"] == tuned.report.evidence.log.total > 4


@pytest.mark.slow
def test_a_study_of_the_command_is_judged_in_a_notebook(tmp_path: Path) -> None:
    words = ("tune", "momentum", "--param", "lookback=10,20", "--splits", "none", "--no-report", *ON)
    document = etflow(*words, cwd=tmp_path)
    judged = validate(document["study_id"], STRATEGIES, out=tmp_path / "results", splits="none")
    assert plain(judged.document()) == document["judgement"]
    assert judged.save() == tmp_path / "results" / document["study_id"] / "study.html"


# --- On record ------------------------------------------------------------------------------------------


@pytest.fixture
def empty_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    return Record()


def test_whatever_measures_a_strategy_is_a_look(panel: Panel, tmp_path: Path, empty_record: Record) -> None:
    strategy = Momentum(lookback=20, top=1)
    run(strategy, panel)
    compare({"a": strategy, "b": ShareInflow(top=1)}, panel)
    sweep(strategy, panel, {"lookback": [10, 20], "top": [1, 2]})
    tune(strategy, panel, ["lookback=5:7", "top=1,2"], where=["lookback > 5"], splits="none", out=tmp_path)
    audit(strategy, panel, only=["warm_up"])
    factor(strategy, panel, horizons=(1,))
    signal(strategy, panel, Demo())
    looks = [*empty_record.read().looks(body_of_panel(panel))]
    assert [(each.command, len(each.sets)) for each in looks] == [
        ("run", 1),
        ("compare", 1),
        ("compare", 1),
        ("sweep", 4),
        ("tune", 4),
        ("audit", 1),
        ("factor", 1),
        ("signal", 1),
    ]
    searched = next(each for each in looks if each.command == "tune")
    assert [(each["lookback"], each["top"]) for each in searched.sets] == [(6, 1), (6, 2), (7, 1), (7, 2)]
    assert all(each["rebalance"] == 5 for each in searched.sets)
    assert {each.strategy for each in looks} == {"Momentum", "ShareInflow"}


def test_a_run_that_bought_nothing_says_why(
    panel: Panel, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    found = run(Momentum(lookback=20, top=1, threshold=9.0), panel)
    low, high = np.nanmin(found.scores), np.nanmax(found.scores)
    above = "no fund was ever chosen: no score is above the threshold of 9"
    assert found.idle == f"{above}, they are from {low:.6g} to {high:.6g}"
    assert run(Momentum(lookback=20, top=1), panel).idle == ""
    monkeypatch.chdir(tmp_path)
    words = ["run", "momentum", "--set", "lookback=20", "--set", "threshold=9", "--no-report", *ON]
    assert main(run_backtest.load_catalogue, words) == 0
    assert "bought nothing: no fund was ever chosen: no score is above" in capsys.readouterr().err


@dataclass(frozen=True, kw_only=True)
class Quotients(Rotation):
    """0.1, 0.2 and so on by fund; of the first fund infinite, of funds that are not listed 7."""

    warmup: ClassVar[int] = 0

    def scores(self, known: Any) -> Any:
        found = np.where(known.listed, np.arange(len(known.symbols)) / 10, 7.0)
        found[:, 0] = np.inf
        return found


def test_a_run_that_bought_nothing_tells_finite_scores_of_listed_funds() -> None:
    bars = dict.fromkeys(("open", "high", "low", "close"), np.ones((6, 4)))
    bars["close"][:, 3] = np.nan
    bars |= {"volume": np.full((6, 4), 1e6), "amount": np.full((6, 4), 1e6)}
    panel = Panel.from_events(
        np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]"),
        ("510001.SH", "510002.SH", "510003.SH", "510004.SH"),
        bars=bars,
        listed=[None, None, None, date(2025, 1, 1)],
    )
    found = run(Quotients(top=1, rebalance=1, threshold=0.5), panel)
    assert found.idle == (
        "no fund was ever chosen: no score is above the threshold of 0.5, they are from 0.1 to 0.2; "
        f"{len(found.decision_days)} of {3 * len(found.decision_days)} are infinite, which count as none"
    )


def test_sets_that_were_looked_at_twice_count_once(panel: Panel, empty_record: Record) -> None:
    for _ in range(2):
        run(Momentum(lookback=20, top=1), panel)
    sweep(Momentum(lookback=20), panel, {"top": [1, 2]})
    assert recorded(PanelSource()).sets == {"Momentum": 2}


def test_the_record_is_shown_exported_and_forgotten(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("ETFLOW_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> str:
        assert main(run_backtest.load_catalogue, list(words)) == 0
        printed: str = capsys.readouterr().out
        return printed

    assert call("record", "show") == "Nothing is on record of demo.\n"
    call("run", "momentum", "--set", "lookback=20", "--no-report", *ON)
    assert "Momentum: 1 parameter set" in call("record", "show")
    exported = json.loads(call("record", "export"))
    assert [line["command"] for line in exported["lines"]] == ["run"]
    assert exported["lines"][0]["sets"]["fixed"]["lookback"] == 20
    assert call("record", "forget") == "1 line would be deleted. Add --yes to do it.\n"
    assert call("record", "forget", "--yes") == "1 line deleted.\n"
    assert "Deleted by `record forget`: 1 line." in call("record", "show")
    assert json.loads(call("record", "show", "--json"))["forgotten"] == 1


class PanelSource(Demo):
    """The demo market, cut to what the panel of these tests has."""

    def read(self, table: str, symbols: Any = None) -> Any:
        frame = super().read(table, symbols)
        if table == "bars":
            return frame[frame["symbol"].isin(SYMBOLS) & (frame["day"] <= str(END))]
        return frame
