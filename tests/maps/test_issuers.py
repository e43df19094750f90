"""Units and NAV as issuers of American funds publish them, which make flows."""

from __future__ import annotations

import pandas as pd
import pytest

from data.checks import run_checks
from data.errors import DataError
from data.importing import import_files
from data.load import load_panel
from tests.helpers.maps import rows

PROSHARES = (
    "Date,ProShares Name,Ticker,NAV,Prior NAV,NAV Change (%),NAV Change ($),Shares Outstanding (000),"
    "Assets Under Management"
)


def test_proshares_own_file_newest_first_in_thousands(take, store):
    report = take(
        "USD-historical_nav.csv",
        PROSHARES,
        "03/05/2026,Ultra Semiconductors,USD,53.6845,53.3486,0.63,0.3359,31540,1693209130.00",
        "03/04/2026,Ultra Semiconductors,USD,53.3486,52.0,2.59,1.3486,31660,1689016676.00",
        # Reverse splits since have made none of what were shares then.
        "09/02/2010,Ultra Semiconductors,USD,9212800.0,9212800.0,0,0,0,99.00",
    )
    assert [(each.map, each.table, each.rows) for each in report.imported] == [
        ("proshares-nav", "units", 2),
        ("proshares-nav", "nav", 3),
    ]
    assert rows(store, "units") == [
        {"symbol": "USD.US", "day": "2026-03-04", "units": 31_660_000.0, "source": "proshares"},
        {"symbol": "USD.US", "day": "2026-03-05", "units": 31_540_000.0, "source": "proshares"},
    ]
    assert rows(store, "nav")[-1]["nav"] == 53.6845
    assert rows(store, "nav")[-1]["net_assets"] == 1_693_209_130.0


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("AIQ_nav.csv", ("Date,NAV,Shares Outstanding", '08/20/2025,43.31,"98,560,000"')),
        ("all.csv", ("Fund Ticker,NAV Date,Fund,NAV,Shares Outstanding", "AIQ,8/20/2025,AI,43.31,98560000")),
    ],
)
def test_an_american_issuers_units_and_nav(take, store, name, lines):
    assert {each.map for each in take(name, *lines).imported} == {"issuer-shares"}
    (units,), (nav,) = rows(store, "units"), rows(store, "nav")
    assert (units["symbol"], units["day"], units["units"]) == ("AIQ.US", "2025-08-20", 98_560_000.0)
    assert (nav["symbol"], nav["nav"]) == ("AIQ.US", 43.31)


def test_prices_of_tiingo_are_as_traded_with_splits_and_dividends(take, store):
    rest = "226,228,223,225,3000000"
    report = take(
        "SOXX.csv",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        f"2024-03-06T00:00:00.000Z,680.0,685.0,670.0,675.0,1000000,{rest},0.0,1.0",
        f"2024-03-07T00:00:00.000Z,229.0,230.0,227.0,228.0,3000000,{rest},0.0,3.0",
        f"2024-03-25T00:00:00.000Z,224.0,226.0,223.0,225.0,3000000,{rest},0.31,1.0",
    )
    assert {each.map for each in report.imported} == {"tiingo"}
    assert [bar["close"] for bar in rows(store, "bars")] == [680.0, 229.0, 224.0]
    dividend, split = rows(store, "actions")
    assert (dividend["kind"], dividend["ex_day"], dividend["cash"]) == ("dividend", "2024-03-25", 0.31)
    assert (split["kind"], split["ex_day"], split["ratio"]) == ("split", "2024-03-07", 3.0)


def test_what_a_fund_holds_is_no_count_of_its_units(take):
    lines = (
        "Global X Artificial Intelligence & Technology ETF",
        "Fund Holdings Data as of 08/20/2025",
        "% of Net Assets,Ticker,Name,SEDOL,Market Price ($),Shares Held,Market Value ($)",
        '3.5,NVDA,NVIDIA CORP,2379504,175.4,100000,"17,540,000.00"',
    )
    with pytest.raises(DataError, match=r"lists what a fund holds.*`issuer-shares`"):
        take("aiq_full-holdings_20250820.csv", *lines)


def test_bars_with_english_headers_are_known_if_an_amount_can_tell_lots_from_shares(take, store):
    head, cells = "date,{},open,high,low,close,volume", "2025-08-20,{},0.7,0.731,0.69,0.729,523000000"
    report = take("a.csv", head.format("vt_symbol") + ",amount", cells.format("159363.SZSE") + ",371800000")
    assert report.imported[0].map == "english-bars"
    assert "does not say whether prices are adjusted" in report.imported[0].notes[0]
    assert rows(store, "bars")[0]["symbol"] == "159363.SZ"
    with pytest.raises(DataError, match=r"or volume is in lots.*`tidy-bars`"):
        take("b.csv", head.format("code"), cells.format("159363"))
    # What the hint asks for works.
    take("c.csv", head.format("symbol").replace("date", "day"), cells.format("515980"))
    assert [row["symbol"] for row in rows(store, "bars")] == ["159363.SZ", "515980.SH"]


def test_history_of_a_fund_of_proshares_with_the_ticker_in_the_name(take, store):
    lines = (
        "Date,NAV,Shares Outstanding,Total Net Assets",
        "Mar 04 2026,53.3486,31660000,1689016676",
    )
    assert take("USD_nav_shares_2026.csv", *lines).imported[0].map == "proshares-history"
    assert rows(store, "units")[0]["units"] == 31_660_000.0
    assert rows(store, "nav")[0] == {
        "symbol": "USD.US",
        "day": "2026-03-04",
        "nav": 53.3486,
        "net_assets": 1_689_016_676.0,
        "source": "proshares",
    }


@pytest.mark.parametrize(
    ("header", "assets"),
    [
        ("Net Assets", '"2,592,900,000"'),
        ("Net Assets ($mm)", '"2,592.9"'),
        ("Net Assets", '"$2,592.9MM"'),
    ],
)
@pytest.mark.parametrize(("shares", "wrong"), [("86,000,000", False), ("860,000,000", True)])
def test_published_net_assets_tell_a_count_of_one_fund_that_is_ten_times_too_large(
    take, store, header, assets, shares, wrong
):
    take("BOTZ.csv", f"Date,NAV,Shares Outstanding,{header}", f'08/20/2025,30.15,"{shares}",{assets}')
    assert rows(store, "nav")[0]["net_assets"] == 2_592_900_000.0
    found = [each for each in run_checks(store) if each.check == "net-assets"]
    assert [each.severity for each in found] == ["error"] * wrong
    assert all("860,000,000 x 30.15 against 2,592,900,000" in each.message for each in found)


def test_the_sheet_of_a_fund_of_ishares(take, store):
    lines = (
        "As Of,Index Level,NAV per Share,Ex-Dividends,Shares Outstanding",
        '"Nov 05, 2020","2,457.00",22.85,--,"603,600,000.00"',
        '"Nov 04, 2020","2,410.00",22.40,--,"601,000,000.00"',
    )
    assert take("SLV.csv", *lines).imported[0].map == "ishares-historical"
    assert [(row["symbol"], row["day"], row["units"]) for row in rows(store, "units")] == [
        ("SLV.US", "2020-11-04", 601_000_000.0),
        ("SLV.US", "2020-11-05", 603_600_000.0),
    ]
    assert rows(store, "nav")[1]["nav"] == 22.85
    # As iShares names it: no ticker there.
    with pytest.raises(DataError, match="`ishares-historical` lacks a file name that holds the symbol"):
        take("iShares-Silver-Trust_fund.csv", *lines)


def test_units_of_an_issuer_make_flows_of_an_american_fund(take, store):
    take(
        "USD-historical_nav.csv",
        PROSHARES,
        "03/06/2026,x,USD,50.0,54.0,0,0,31440,1572000000",
        "03/05/2026,x,USD,54.0,53.0,0,0,31540,1703160000",
        "03/04/2026,x,USD,53.0,52.0,0,0,31660,1677980000",
    )
    days = ("04", "05", "06", "09", "10", "11")
    take(
        "bars.csv",
        "symbol,day,open,high,low,close,volume,amount",
        *(f"USD.US,2026-03-{day},53,54,50,53,1000000,53000000" for day in days),
    )
    panel = load_panel(store)
    flow = dict(zip(days, panel.known.flow("nav")[:, 0], strict=True))
    # A count of session T is known at the open of T + 2: that of Thursday the 5th on Monday the 9th.
    assert flow["09"] == (31_540_000 - 31_660_000) * 54.0
    assert flow["10"] == (31_440_000 - 31_540_000) * 50.0


def test_units_on_the_basis_of_a_later_split_stop_a_run(take, store):
    """ProShares restates what was before a split; the recorded split tells, and a run does not start."""
    take(
        "TQQQ-historical_nav.csv",
        PROSHARES,
        "11/21/2025,x,TQQQ,50.3,50.2,0,0,660000,33198000000",
        "11/20/2025,x,TQQQ,50.2,50.1,0,0,650000,32630000000",
        "11/19/2025,x,TQQQ,50.1,50.0,0,0,640000,32064000000",
        "11/18/2025,x,TQQQ,50.0,49.9,0,0,630000,31500000000",
    )
    take("actions.csv", "symbol,kind,ex_day,ratio", "TQQQ.US,split,2025-11-20,2")
    take(
        "bars.csv",
        "symbol,day,open,high,low,close,volume",
        "TQQQ.US,2025-11-18,100,100,100,100,1000000",
        "TQQQ.US,2025-11-19,100.2,100.2,100.2,100.2,1000000",
        "TQQQ.US,2025-11-20,50.2,50.2,50.2,50.2,1000000",
        "TQQQ.US,2025-11-21,50.3,50.3,50.3,50.3,1000000",
    )
    assert "split-ratio" in {finding.check for finding in run_checks(store) if finding.severity == "error"}


def test_a_real_file_of_proshares(shared, store):
    """NAV times shares is what the file calls net assets."""
    path = shared / "us-etf" / "proshares-USD" / "USD_nav_shares_2026.csv"
    report = import_files([path], store)
    assert {each.table: each.rows for each in report.imported} == {"units": 123, "nav": 123}
    assert [each for each in run_checks(store) if each.check == "net-assets"] == []
    product = store.read("units")["units"] * store.read("nav")["nav"]
    assert store.read("nav")["net_assets"].tolist() == pytest.approx(product.tolist(), rel=1e-12)
    assert product.tolist() == pytest.approx(pd.read_csv(path)["Total Net Assets"].tolist(), rel=1e-12)
