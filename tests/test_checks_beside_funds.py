"""Index levels beside the funds that track them: one series that turns into another of the same index."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.checks import run_checks
from data.facts.calendars import calendar_for
from data.source import Readable
from tests.helpers.small_market import Source

INDEX, FUNDS = "930713", ("159819.SZ", "515070.SH")
DAYS = pd.DatetimeIndex(
    calendar_for("cn_etf").sessions(pd.Timestamp("2024-01-02").date(), pd.Timestamp("2024-04-30").date())[:60]
)
SESSION = np.arange(60)
WAVE = 1.0 + 0.03 * np.sin(SESSION / 7.0)
# By how much a fund's close is off its index: a tenth of a percent, up and down.
OFF = 1.0 + 0.001 * np.where(SESSION % 2, 1.0, -1.0)


def market(level: np.ndarray, **closes: np.ndarray) -> Readable:
    bars = []
    for symbol in FUNDS:
        close = closes.get(f"F{symbol[:6]}", WAVE * OFF)
        if close is not None:
            prices = dict.fromkeys(("open", "high", "low", "close"), np.round(close, 3))
            bars.append(pd.DataFrame({"symbol": symbol, "day": DAYS, "volume": 1e7, **prices}))
    levels = pd.DataFrame({"index": INDEX, "day": DAYS, "close": 4000.0 * level})
    return Source({"bars": pd.concat(bars), "index_bars": levels})


def shifts(source: Readable) -> list[tuple[str, pd.Timestamp, str]]:
    found = [each for each in run_checks(source) if each.check == "index-shift"]
    assert all(each.severity == "warning" and each.symbol == INDEX for each in found)
    return [(each.first, each.message, each.hint) for each in found]


def from_session(first: int, factor: float, until: int = 60) -> np.ndarray:
    return np.where((first <= SESSION) & (until > SESSION), factor, 1.0)


def test_a_series_that_turns_into_total_return_and_back_is_told_twice():
    told = shifts(market(WAVE * from_session(20, 1.05, 40)))
    assert [day for day, _, _ in told] == [DAYS[20].date(), DAYS[40].date()]
    one, other = (message for _, message, _ in told)
    assert one.startswith("+5.") or one.startswith("+4.9")
    assert "against 2 funds (159819.SZ, 515070.SH), from one row to the next and for good" in one
    assert other.startswith("-4.")
    assert all("total return" in hint and "dividend of the fund" not in hint for _, _, hint in told)


@pytest.mark.parametrize("factor", [1.025, 0.975, 1.15])
def test_shifts_of_two_and_a_half_percent_and_more_are_told(factor):
    ((day, message, _),) = shifts(market(WAVE * from_session(30, factor)))
    assert day == DAYS[30].date()
    assert message.startswith(f"{factor - 1:+.1%}"[:3])


def test_what_is_no_other_series_is_not_told():
    premium = WAVE * OFF * from_session(30, 1.08, 34)
    still = {
        "nothing": market(WAVE),
        "a premium of both that is gone again": market(WAVE, F159819=premium, F515070=premium),
        "one fund alone": market(WAVE, F159819=WAVE * OFF * from_session(30, 0.97)),
        "a shift of a percent and a half": market(WAVE * from_session(30, 1.015)),
        "nine rows from the end": market(WAVE * from_session(51, 1.05)),
        "larger than index-jump": market(WAVE * from_session(30, 1.3)),
        "among others as large": market(WAVE * np.where(SESSION % 4 < 2, 1.03, 1.0) * from_session(30, 1.05)),
    }
    assert {name: shifts(source) for name, source in still.items()} == {name: [] for name in still}


def test_one_fund_alone_may_have_paid_a_dividend():
    ((day, _, hint),) = shifts(market(WAVE, F159819=None, F515070=WAVE * OFF * from_session(30, 0.97)))
    assert day == DAYS[30].date()
    assert hint.endswith("It may also be a dividend of the fund that is not recorded.")


def test_a_dividend_that_is_recorded_is_none_of_the_index():
    source = market(WAVE, F159819=None, F515070=WAVE * OFF - 0.03 * (SESSION >= 30))
    action = {"symbol": "515070.SH", "kind": "dividend", "ex_day": DAYS[30], "cash": 0.03}
    source.tables["actions"] = pd.DataFrame([action])
    assert shifts(Source(dict(source.tables))) == []


@pytest.mark.slow
def test_no_index_on_file_shifts_and_one_that_is_planted_does(shared):
    folder = shared / "tidy-cn"
    tables = {
        name: pd.read_csv(folder / f"{name}.csv.gz", dtype={"index": str}) for name in ("bars", "index_bars")
    }
    tables["actions"] = pd.read_csv(folder / "actions.csv")
    assert not [each for each in run_checks(Source(tables)) if each.check == "index-shift"]
    levels = tables["index_bars"]
    later = (levels["index"] == INDEX) & (levels["day"] >= "2023-05-15")
    levels.loc[later, ["open", "high", "low", "close"]] *= 1.04
    (found,) = [each for each in run_checks(Source(tables)) if each.check == "index-shift"]
    assert (found.symbol, str(found.first)) == (INDEX, "2023-05-15")
