"""What must hold of a fact table that nobody knew: a program for a copy of the tree that declares ``mood``.

``python -m tests.helpers.made_up_table FOLDER`` asserts it, and prints the fingerprint of the market without
its rows. The table has a ratio, ``mood``, and a count, ``votes``, for each fund and session.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.checks import run_checks
from data.facts.calendars import calendar_for
from data.importing import import_files
from data.load import load_panel
from data.scenarios.noise import PARTS, with_noise
from data.scenarios.perturb import cut, delayed, in_other_money, split_from_the_start
from data.scenarios.placebo import Placebo
from data.store.store import Store
from engine.audits import Audited, audit
from strategies.rotation import Rotation, where_listed
from tests.helpers.small_market import bars_of

FUNDS = ("159363.SZ", "159819.SZ", "515980.SH", "588790.SH")
DAYS = calendar_for("cn_etf").sessions(date(2025, 2, 5), date(2025, 8, 20))
SHAPE = (len(DAYS), len(FUNDS))


@dataclass(frozen=True, kw_only=True)
class Merry(Rotation):
    """Holds the two funds of the best mood."""

    top: int = 2

    @property
    def warmup(self) -> int:
        return 1

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, known.mood)


@dataclass(frozen=True, kw_only=True)
class Clairvoyant(Merry):
    """Knows tomorrow's mood."""

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, np.vstack([known.mood[1:], known.mood[-1:]]))


def market(folder: Path, mood: np.ndarray | None, votes: np.ndarray | None = None) -> Store:
    """Return a new store of drawn bars, and of the table as a file of the user's."""
    rng = np.random.default_rng(1)
    closes = np.round(np.exp(np.cumsum(rng.normal(0.0, 0.01, SHAPE), axis=0)), 3)
    store = Store(folder)
    bars = [bars_of(fund, closes[:, column].tolist(), DAYS) for column, fund in enumerate(FUNDS)]
    store.append({"bars": pd.concat(bars, ignore_index=True)})
    if mood is not None:
        days, funds = np.repeat(DAYS.astype(str), len(FUNDS)), np.tile(FUNDS, len(DAYS))
        rows = pd.DataFrame({"day": days, "symbol": funds, "mood": mood.ravel()})
        rows["votes"] = 1000.0 if votes is None else votes.ravel()
        file = folder.with_suffix(".csv")
        rows.dropna().to_csv(file, index=False)
        report = import_files([file], store)
        assert [(each.table, each.map) for each in report.imported] == [("mood", "tidy-mood")]
    return store


def equal(found: Any, expected: Any) -> None:
    """Assert that two arrays agree to the last bit."""
    np.testing.assert_array_equal(found, expected)


def main(folder: Path) -> None:
    """Assert everything, room by room."""
    rng = np.random.default_rng(2)
    mood = np.round(rng.normal(0.0, 0.01, SHAPE), 6)
    votes = np.round(rng.uniform(1e3, 1e4, SHAPE))
    store = market(folder / "with", mood, votes)
    panel, without = load_panel(store), load_panel(market(folder / "without", None))

    # The known face: the session before, or as late as the user says; nothing where the data have none.
    equal(panel.known.mood[1:], mood[:-1])
    equal(load_panel(store, lags={"mood": 2}).known.mood[3:], mood[:-3])
    assert np.isnan(without.known.mood).all()
    equal(panel.known.session_of("mood")[1:, 0], np.arange(len(DAYS) - 1))

    # The fingerprint.
    again = load_panel(market(folder / "again", mood, votes)).fingerprint
    sevenfold = load_panel(market(folder / "sevenfold", 7 * mood, votes)).fingerprint
    more = load_panel(market(folder / "more", mood, votes + 1)).fingerprint
    assert again == panel.fingerprint
    assert len({panel.fingerprint, without.fingerprint, sevenfold, more}) == 4

    # Altered markets.
    given, row = panel.ingredients, 60
    early = cut(given, row).build()
    equal(early.known.mood, panel.known.mood[: row + 1])
    assert np.isnan(early.ingredients.facts.grids["mood"].columns["votes"][row]).all()
    equal(delayed(given, 2).build().known.mood[3:], mood[:-3])
    assert "mood" in PARTS
    noisy = with_noise(given, row, 1, ["mood"]).build().known
    equal(noisy.mood[: row + 1], panel.known.mood[: row + 1])
    assert (noisy.mood[row + 2 :] != panel.known.mood[row + 2 :]).mean() > 0.9
    equal(noisy.close, panel.known.close)
    rich = in_other_money(given, 4.0).facts.grids["mood"].columns
    equal(rich["mood"], mood)
    equal(rich["votes"], votes)
    split = split_from_the_start(given, {FUNDS[1]: 2}).facts.grids["mood"].columns
    equal(split["mood"], mood)
    equal(split["votes"], votes * [1, 2, 1, 1])

    # Placebo data: a fund's own in another order; another fund's on the same days.
    placebo = Placebo.of(panel)
    shuffled = placebo.in_time(np.random.default_rng(1)).facts.grids["mood"].columns["mood"]
    equal(np.sort(shuffled, axis=0), np.sort(mood, axis=0))
    assert (shuffled != mood).mean() > 0.5
    exchanged = placebo.between_funds(np.random.default_rng(1)).facts.grids["mood"].columns["mood"]
    equal(np.sort(exchanged, axis=1), np.sort(mood, axis=1))
    assert (exchanged != mood).all()

    # Audits.
    opinions = {each.name: each for each in audit(Audited(Merry(), panel, draws=5))}
    assert [opinions[gate].passed for gate in ("look_ahead", "warm_up", "order_and_scale")] == [True] * 3
    assert "do not" not in opinions["lag_sensitivity"].sentence
    assert opinions["placebo"].details["draws"] == 5
    (caught,) = audit(Audited(Clairvoyant(), panel), ["look_ahead"])
    assert caught.passed is False
    assert caught.details["columns"] == ["mood"]

    # What `data check` and `data show` say.
    assert not [each for each in run_checks(store) if each.table == "mood"]
    spoilt, counted = mood.copy(), votes.copy()
    spoilt[20:24, 0], counted[20:24, 0] = mood[20, 0], votes[20, 0]
    spoilt[30, 1], spoilt[40, 2] = np.nan, 0.7
    found = run_checks(market(folder / "spoilt", spoilt, counted))
    assert sorted((each.check, each.symbol, each.count) for each in found if each.table == "mood") == [
        ("frozen-series", FUNDS[0], 3),
        ("implausible-value", FUNDS[2], 1),
        ("missing-session", FUNDS[1], 1),
    ]
    shown = said("data", "show", "--data", str(store.folder), "--json")
    (line,) = (each for each in json.loads(shown)["coverage"] if each["table"] == "mood")
    assert (line["series"], line["rows"]) == (len(FUNDS), mood.size)
    print(without.fingerprint)


def said(*words: str) -> str:
    """Return what the command line prints."""
    import run_backtest
    from engine.cli.main import main as command

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert command(run_backtest.load_catalogue, list(words)) == 0
    return out.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
