"""What is wrong with the data is said by whatever runs on them: first, holdings whose bars ended."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import run_backtest
from data.facts.calendars import calendar_for
from data.load import load_panel
from data.source import open_source
from engine import audit, run
from engine.cli.main import main
from engine.simulation.stale import is_over, stale_holdings
from strategies.baselines import BuyHold

GONE, LIVE = "159819.SZ", "159995.SZ"
DAYS = [day.item() for day in calendar_for("cn_etf").sessions(date(2024, 3, 1), date(2024, 6, 30))[:60]]
ENDS = 20  # sessions that GONE has bars of


@pytest.fixture
def here(here, tmp_path):
    """Call the command line in an empty folder, with a store of two funds, of which one ends."""
    import_bars(tmp_path / "store", {GONE: range(ENDS), LIVE: range(60)})
    return here


def import_bars(store, funds, delisted="") -> None:
    """Make a store of bars at 1.0 (GONE) and 1.0, 1.01, 1.02 … (LIVE), on the sessions that are named."""
    lines = ["symbol,day,open,high,low,close,volume,amount"]
    for symbol, numbers in funds.items():
        for number in numbers:
            price = 1.0 + (0.01 * number if symbol == LIVE else 0.0)
            # Prices that are whole cents to the last one would be rounded ones.
            cells = f"{price:.3f},{price + 0.001:.3f},{price:.3f},{price:.3f}"
            lines.append(f"{symbol},{DAYS[number]},{cells},{10**8 + number},{price * (10**8 + number):.2f}")
    file = store.with_name("bars.csv")
    file.write_text("\n".join(lines) + "\n")
    assert main(run_backtest.load_catalogue, ["data", "import", str(file), "--data", str(store), "-q"]) == 0


def panel_of(store):
    return load_panel(open_source(str(store)))


def test_a_holding_whose_bars_ended_is_named_with_its_share_of_equity(here, tmp_path):
    panel = panel_of(tmp_path / "store")
    free = {"slippage_rate": 0, "commission_rate": 0}
    (found,) = stale_holdings(run(BuyHold(), panel, costs=free, reserve=0.0), panel)
    assert (found.symbol, found.first, found.last, found.sessions) == (GONE, DAYS[ENDS], DAYS[-1], 60 - ENDS)
    assert found.ended
    # Half of the money went into each at the second open (1.0 and 1.01); at session 20 LIVE is worth 1.2.
    assert found.share == pytest.approx(1.0 / (1.0 + 1.2 / 1.01), abs=2e-4)


def test_ten_sessions_without_a_bar_are_a_halt_and_eleven_are_not(here, tmp_path):
    for missing, expected in ((10, 0), (11, 1)):
        store = tmp_path / f"store-{missing}"
        import_bars(store, {GONE: [n for n in range(60) if not 20 <= n < 20 + missing], LIVE: range(60)})
        panel = panel_of(store)
        found = stale_holdings(run(BuyHold(), panel), panel)
        assert len(found) == expected
        assert not is_over(panel).any()
    assert (found[0].first, found[0].last, found[0].ended) == (DAYS[20], DAYS[30], False)
    assert "there were no bars of it" in str(found[0])


def test_equal_weight_leaves_out_a_fund_after_its_last_bar(here, tmp_path):
    result = run(BuyHold(), panel_of(tmp_path / "store"))
    levels = 1.0 + 0.01 * np.arange(60)
    live = levels[1:] / levels[:-1] - 1.0
    expected = np.where(np.arange(1, 60) < ENDS, live / 2, live)  # GONE earns nothing, while it is there
    assert result.equal_weight_return[1:] == pytest.approx(expected[1:], abs=1e-12)


def test_a_fund_halted_at_the_end_of_the_data_is_still_in_equal_weight(here, tmp_path):
    import_bars(tmp_path / "halted", {GONE: range(50), LIVE: range(60)})
    result = run(BuyHold(), panel_of(tmp_path / "halted"))
    assert result.equal_weight_return[-1] == pytest.approx((1.59 / 1.58 - 1.0) / 2, abs=1e-12)


def test_a_run_says_it_on_the_terminal_in_the_manifest_and_on_the_first_screen_of_its_page(here, tmp_path):
    code, printed, complained = here("run", "buy_hold", "--data", "store", "--json")
    assert code == 0
    assert f"warning: data: stale-holding: {GONE} was held for 40 sessions at its last price" in complained
    assert "warning: data: lost-members: bars SZ" in complained
    assert "etflow data check --data store" in complained
    folder = tmp_path / json.loads(printed)["folder"]
    warnings = json.loads((folder / "manifest.json").read_text())["data_warnings"]
    assert json.loads(printed)["data_warnings"] == warnings
    assert [text.partition(":")[0] for text in warnings] == ["stale-holding", "lost-members"]
    page = (folder / "tearsheet.html").read_text()
    header = page[page.index("<header>") : page.index("</header>")]
    assert "2 warnings about the data" in header
    assert warnings[0] in re.sub("<[^>]*>", "", header)
    assert here("run", "buy_hold", "--data", "store", "--quiet")[2] == ""


def test_what_lies_outside_the_funds_and_days_of_a_run_is_not_said(here):
    alone = here("run", "buy_hold", "--data", "store", "--symbols", LIVE, "--no-report")
    before = here("run", "buy_hold", "--data", "store", "--end", str(DAYS[15]), "--no-report")
    for code, _, complained in (alone, before):
        assert code == 0
        assert "warning: data" not in complained


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "buy_hold", "equal_weight", "--no-report"),
        ("signal", "buy_hold", "--allow-stale"),
        ("factor", "momentum", "--set", "lookback=5", "--horizons", "1", "--no-report"),
        ("audit", "momentum", "--set", "lookback=5", "--only", "look_ahead"),
        ("tune", "momentum", "--param", "lookback=3,5", "--no-verdict", "--no-report"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_that_measures_says_it_too(here, words):
    code, printed, complained = here(*words, "--data", "store", "--json")
    assert code == 0, complained
    assert complained.count("lost-members: bars SZ") == 1
    document = json.loads(printed)
    said = document["runs"][0]["data_warnings"] if words[0] == "compare" else document["data_warnings"]
    assert any("lost-members" in text for text in said)


def test_flows_of_bars_without_an_amount_are_valued_at_the_close_and_a_run_says_so(here, tmp_path):
    days = [str(day) for day in DAYS]
    bars = ["symbol,day,open,high,low,close,volume"]
    bars += [f"{GONE},{day},1,1.01,1,{1 + number % 2 / 100},{10**8}" for number, day in enumerate(days)]
    counts = [
        "symbol,day,units",
        *(f"{GONE},{day},{10**9 + number * 10**6}" for number, day in enumerate(days)),
    ]
    for name, lines in (("bars", bars), ("units", counts)):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
        assert here("data", "import", f"{name}.csv", "--data", "closes", "-q")[0] == 0
    run_it = ("run", "share_inflow", "--data", "closes", "--set", "lookback=5", "--no-report")
    said = (
        f"data: no VWAP: bars of {GONE} have no amount of money, so that their flows are valued at the close"
    )
    assert said in here(*run_it)[2]
    assert "no VWAP" not in here(*run_it, "--set", "valuation=close")[2]


def test_a_window_shorter_than_the_time_between_counts_is_named_with_the_one_to_set(here, tmp_path):
    days = [str(day) for day in DAYS]
    bars = ["symbol,day,open,high,low,close,volume,amount"]
    bars += [f"{GONE},{day},1,1.01,1,{1 + number % 2 / 100},1e8,1e8" for number, day in enumerate(days)]
    counts = ["symbol,day,units"]
    counts += [f"{GONE},{day},{10**9 + number * 10**6}" for number, day in enumerate(days[::5])]
    for name, lines in (("bars", bars), ("units", counts)):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
        assert here("data", "import", f"{name}.csv", "--data", "weekly", "-q")[0] == 0
    run_it = ("run", "share_inflow", "--data", "weekly", "--set", "rebalance=1", "--no-report", "--json")
    code, printed, complained = here(*run_it, "--set", "lookback=2")
    assert code == 0, complained
    said = next(line for line in complained.splitlines() if "seldom" in line)
    assert f"seldom: units of {GONE} are counted weekly: 5 sessions apart in the middle" in said
    assert "a window of 2 is less. Use --set lookback=5 or more" in said
    manifest = json.loads((Path(json.loads(printed)["folder"]) / "manifest.json").read_text())
    assert said.removeprefix("warning: data: ") in manifest["data_warnings"]
    assert "seldom" not in here(*run_it, "--set", "lookback=5")[2]
    # A strategy of prices has nothing to do with counts.
    assert (
        "seldom" not in here("run", "momentum", "--data", "weekly", "--set", "lookback=2", "--no-report")[2]
    )


# --- survivorship ----------------------------------------------------------------------------------------


def test_survivorship_is_the_run_on_the_funds_that_are_left_less_the_run_on_all(here, tmp_path):
    panel = panel_of(tmp_path / "store")
    opinion = audit(BuyHold(), panel, only=["survivorship"])["survivorship"]
    alone = load_panel(open_source(str(tmp_path / "store")), [LIVE])
    every, left = (run(BuyHold(), each).metrics["annual_return"] for each in (panel, alone))
    assert opinion.passed is None
    assert opinion.details["gone"] == [GONE]
    assert opinion.details["annual_return"] == pytest.approx({"all": every, "survivors": left}, rel=1e-9)
    assert opinion.details["basis_points"] == pytest.approx((left - every) * 1e4, rel=1e-9)
    assert f"by leaving out {GONE}." in opinion.sentence


def test_survivorship_of_a_named_universe_goes_beyond_the_data(here, tmp_path):
    funds = tmp_path / "funds.csv"
    funds.write_text(
        "symbol,family,listed,delisted\n"
        f"{GONE},CHINEXT_AI,2024-01-02,{DAYS[ENDS]}\n{LIVE},CHINEXT_AI,2024-01-02,\n"
        f"159011.SZ,CHINEXT_AI,2024-01-02,{DAYS[40]}\n159012.SZ,CHINEXT_AI,{DAYS[30]},\n"
        "159013.SZ,CHINEXT_AI,2023-01-02,2024-01-05\n"
    )
    assert here("data", "import", str(funds), "--data", "store")[0] == 0
    code, said, _ = here(
        *("audit", "buy_hold", "--data", "store", "--universe", "chinext_ai", "--only", "survivorship"),
        "--json",
    )
    assert code == 0
    (opinion,) = json.loads(said)["audits"]
    # The fund that had gone by the first day is in no count. What ships lists its funds from 2024-12 on.
    assert opinion["details"]["universe"] == {
        "first": {"day": str(DAYS[0]), "listed": 3, "in_data": 2},
        "last": {"day": str(DAYS[59]), "listed": 2, "in_data": 1},
        "absent": ["159011.SZ", "159012.SZ"],
        "not_updated": [],
    }
    assert f"2 of the 3 that were listed on {DAYS[0]}" in opinion["sentence"]
    assert "159011.SZ, 159012.SZ are not in the data" in opinion["sentence"]
    code, said, _ = here(
        *("data", "universe", "chinext_ai", "--as-of", str(DAYS[10]), "--data", "store", "--json")
    )
    listed = {each["symbol"]: each["last_bar"] for each in json.loads(said)["funds"]}
    assert listed == {GONE: str(DAYS[ENDS - 1]), LIVE: str(DAYS[59]), "159011.SZ": None}


def test_a_fund_that_is_still_listed_has_not_ended_with_its_bars(here, tmp_path):
    funds = tmp_path / "funds.csv"
    funds.write_text(f"symbol,family,listed\n{GONE},CHINEXT_AI,2024-01-02\n{LIVE},CHINEXT_AI,2024-01-02\n")
    assert here("data", "import", str(funds), "--data", "store")[0] == 0
    words = ("audit", "buy_hold", "--data", "store", "--only", "survivorship", "--json")
    (opinion,) = json.loads(here(*words, "--universe", "chinext_ai")[1])["audits"]
    assert opinion["details"]["gone"] == []
    assert opinion["details"]["universe"]["not_updated"] == [GONE]
    assert opinion["details"]["universe"]["last"] == {"day": str(DAYS[59]), "listed": 2, "in_data": 1}
    assert f"Bars of {GONE} end while the funds are listed." in opinion["sentence"]


def test_survivorship_says_where_it_cannot_be_told(here, tmp_path):
    store = tmp_path / "store"
    source = open_source(str(store))
    whole = audit(BuyHold(), load_panel(source, [LIVE]), only=["survivorship"])["survivorship"]
    assert whole.details == {"gone": []}
    assert whole.sentence.startswith("No fund of the data ended before the last session.")
    bound = audit(BuyHold(symbol=GONE), load_panel(source), only=["survivorship"])["survivorship"]
    assert "cannot run: parameter `symbol` of BuyHold" in bound.sentence


def test_a_comparison_says_whose_holding_it_is_and_once_what_all_share(here, tmp_path):
    code, printed, complained = here(
        "compare", "buy_hold", "buy_hold:symbol=159995", "--data", "store", "--json"
    )
    assert code == 0
    assert f"warning: data: buy_hold: stale-holding: {GONE} was held" in complained
    assert complained.count("lost-members") == 1
    page = (tmp_path / json.loads(printed)["page"]).read_text()
    header = page[page.index("<header>") : page.index("</header>")]
    assert f"buy_hold: stale-holding: {GONE}" in header
    assert header.count("lost-members") == 1
