"""What data lack and etflow ships: filled in as a panel is loaded, named, never over what the user has."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.facts.calendars import calendar_for
from data.filled import Filled
from data.load import load_panel
from data.panel.panel import Panel
from data.store.store import Store
from engine.briefs.brief import make_brief
from engine.spec import data_block
from strategies.compute_cycle import ComputeCycle
from strategies.optical_tilt import OpticalTilt


def a_store(tmp_path: Path, **tables: pd.DataFrame) -> Store:
    store = Store(tmp_path / "store")
    store.append(tables)
    return store


def weights(days: list[str], constituents: list[str], themes: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "index": "970070",
            "day": pd.to_datetime(days),
            "constituent": constituents,
            "weight": 0.1,
            "theme": themes,
        }
    )


def test_a_file_of_weights_without_tags_gets_those_that_hold_on_its_day(tmp_path: Path):
    days = ["2025-06-30", "2025-06-30", "2025-07-31", "2025-07-31", "2025-08-29", "2025-08-29"]
    codes = ["300308.SZ", "300502", "300502", "300999", "300308", "300502"]
    store = a_store(tmp_path, index_weights=weights(days, codes, [None] * 4 + ["lasers", None]))
    source = Filled(store)
    frame = source.read("index_weights")
    found = {(f"{row.day:%m-%d}", row.constituent): row.theme for row in frame.itertuples()}
    assert {key: theme for key, theme in found.items() if isinstance(theme, str)} == {
        ("06-30", "300308.SZ"): "optical",
        ("07-31", "300502"): "optical",  # from 2025-07-08 on, so not in June
        ("08-29", "300308"): "lasers",  # its file has tags of its own
    }
    assert source.used == {"themes": "constituents tagged optical"}
    pd.testing.assert_frame_equal(
        frame.drop(columns="theme"), store.read("index_weights").drop(columns="theme")
    )


def test_weights_of_companies_that_have_no_theme_stay_as_they_are(tmp_path: Path):
    store = a_store(tmp_path, index_weights=weights(["2021-12-31"] * 2, ["300308", "600000"], [None] * 2))
    source = Filled(store)
    pd.testing.assert_frame_equal(source.read("index_weights"), store.read("index_weights"))
    assert source.used == {}


def test_data_without_weights_have_none(tmp_path: Path):
    store = a_store(tmp_path, macro=pd.DataFrame({"series": "x", "period": ["2025-03-31"], "value": 1.0}))
    source = Filled(store)
    assert source.read("index_weights").empty
    assert source.used == {}


def test_capex_comes_beside_other_series_and_never_beside_a_series_of_that_name(tmp_path: Path):
    rows = pd.DataFrame(
        {"series": "rate", "period": pd.to_datetime(["2025-03-31"]), "value": 1.0, "known_at": pd.NaT}
    )
    store = a_store(tmp_path, macro=rows)
    source = Filled(store)
    found = source.read("macro")
    assert list(found["series"]) == ["capex"] * 14 + ["rate"]
    row = found[(found["series"] == "capex") & (found["period"] == "2025-03-31")].iloc[0]
    assert (row["value"], f"{row['known_at']:%Y-%m-%d}") == (71_902.0, "2025-05-02")
    assert found.dtypes.to_dict() == store.read("macro").dtypes.to_dict()
    assert source.used == {"capex": "14 quarters through 2026-06-30, filed by 2026-07-31"}

    store.append({"macro": rows.assign(series="capex")})
    source = Filled(store)
    assert list(source.read("macro")["series"]) == ["capex", "rate"]
    assert source.used == {}


def test_a_market_that_is_made_up_is_left_as_it_is(tmp_path: Path):
    class MadeUp:
        name, synthetic, default_benchmark = "made up", True, None

        def read(self, table: str, symbols: object = None) -> pd.DataFrame:
            return pd.DataFrame({"series": ["other"]})

    source = Filled(MadeUp())
    assert list(source.read("macro")["series"]) == ["other"]
    assert source.used == {}


# ---- a panel ----------------------------------------------------------------------------------------------

SESSIONS = calendar_for("cn_etf").sessions(date(2025, 4, 28), date(2025, 8, 15))


def bars(symbol: str) -> pd.DataFrame:
    close = 1.0 + 0.001 * np.arange(len(SESSIONS))
    return pd.DataFrame(
        {
            "symbol": symbol,
            "day": SESSIONS,
            **dict.fromkeys(("open", "high", "low", "close"), close),
            "volume": 1e6,
            "amount": 1e6 * close,
        }
    )


def market(tmp_path: Path, **tables: pd.DataFrame) -> Store:
    """Two funds, one of the ChiNext AI index, whose weights of July have no tags."""
    july = weights(["2025-07-31"] * 5, ["300308", "300502", "300394", "300442", "300999"], [None] * 5)
    july["weight"] = [0.16, 0.15, 0.05, 0.04, 0.60]
    prices = pd.concat([bars("159363.SZ"), bars("512480.SH")])
    return a_store(tmp_path, bars=prices, index_weights=july.drop(columns="theme"), **tables)


def on(panel: Panel, day: str) -> int:
    return int(np.flatnonzero(panel.days == np.datetime64(day))[0])


def test_optical_tilt_runs_on_weights_without_tags(tmp_path: Path):
    panel = load_panel(market(tmp_path))
    scores = OpticalTilt().scores(panel.known)
    usable = on(panel, "2025-08-07")  # five sessions after the file of 07-31
    assert np.isnan(scores[:usable]).all()
    np.testing.assert_allclose(scores[usable:, 0], 0.16 + 0.15 + 0.05, rtol=1e-15)
    assert np.isnan(scores[:, 1]).all()
    assert panel.filled["themes"] == "constituents tagged optical"


def test_a_brief_weighs_the_theme_and_says_that_it_may_be_more(tmp_path: Path):
    made = make_brief(market(tmp_path), "159363.SZ", date(2025, 8, 8))
    fact = next(fact for fact in made.facts if fact.name == "theme_weight")
    assert fact.value == pytest.approx(0.36)
    assert "at least" in fact.note


def test_capex_is_known_at_the_first_open_after_the_last_of_four_has_filed(tmp_path: Path):
    panel = load_panel(market(tmp_path))
    capex = panel.known.macro("capex")
    # Amazon filed on 2025-05-02, when Shanghai was closed until the 6th, and on 2025-08-01, a Friday.
    before, after = on(panel, "2025-05-06"), on(panel, "2025-08-04")
    assert {*capex[:before]} == {72_339.0}
    assert {*capex[before:after]} == {71_902.0}
    assert {*capex[after:]} == {88_246.0}
    scores = ComputeCycle(growth_lookback=1, lookback=1).scores(panel.known)
    assert np.flatnonzero(np.isfinite(scores[:, 0])).tolist() == [after]


def test_what_is_filled_in_is_in_the_fingerprint_and_what_the_user_has_is_not_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = market(tmp_path)
    shipped = load_panel(store)
    mine = tmp_path / "mine.csv"
    mine.write_text("code,theme,from_day\n300442,optical,2025-01-01\n")
    monkeypatch.setenv("ETFLOW_THEMES", str(mine))
    extended = load_panel(store)
    assert extended.fingerprint != shipped.fingerprint
    assert OpticalTilt().scores(extended.known)[-1, 0] == pytest.approx(0.40)
    day = pd.to_datetime(["2025-06-30"])
    store.append({"macro": pd.DataFrame({"series": "capex", "period": day, "value": 1.0, "known_at": day})})
    own = load_panel(store)
    assert set(own.filled) == {"themes"}
    assert {*own.known.macro("capex")[-5:]} == {1.0}


def test_documents_say_what_was_filled_in(tmp_path: Path):
    assert data_block(load_panel(market(tmp_path)))["filled"] == {
        "capex": "14 quarters through 2026-06-30, filed by 2026-07-31",
        "themes": "constituents tagged optical",
    }
