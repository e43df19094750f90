"""The band of phases on the tear sheet: what it lies between, where there is none, and where it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import Demo
from data.load import load_panel
from data.panel.panel import Panel
from engine import Conditions, Run, run
from engine.counterfactuals import phase_band as module
from engine.counterfactuals.phase_band import phase_band
from engine.strategy.adapters import adapt
from strategies.baselines import BuyHold
from strategies.momentum import Momentum
from tests.helpers import biased


@pytest.fixture(scope="module")
def panel() -> Panel:
    return load_panel(Demo())


def band_of(strategy: Any, panel: Panel, **conditions: Any) -> Any:
    first = adapt(strategy).first_session(panel)
    return phase_band(adapt(strategy), panel, first, len(panel.days) - 1, Conditions(**conditions))


def test_the_band_lies_between_the_runs_of_all_phases(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "loaded", lambda: False)
    monkeypatch.setattr(module, "must_compile", lambda: True)
    strategy = Momentum(rebalance=4, top=2, phase=1)
    equity = np.array(
        [run(replace(strategy, phase=phase), panel, engine="batch", cash=3e6).equity for phase in range(4)]
    )
    band = band_of(strategy, panel, cash=3e6)
    np.testing.assert_array_equal(band, [equity.min(axis=0), equity.max(axis=0)])
    assert (band[0] < band[1]).mean() > 0.9


@pytest.mark.slow
def test_machine_code_draws_the_same_band(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "loaded", lambda: False)
    monkeypatch.setattr(module, "must_compile", lambda: True)
    strategy = Momentum(rebalance=6, tranches=2)
    in_python = band_of(strategy, panel)
    monkeypatch.setattr(module, "loaded", lambda: True)
    np.testing.assert_array_equal(band_of(strategy, panel), in_python)


@pytest.mark.parametrize(
    "strategy",
    [
        BuyHold(),
        Momentum(rebalance="monthly"),
        Momentum(rebalance=1),
        Momentum(rebalance=3, tranches=3),
        biased.HonestDecider(),
    ],
    ids=repr,
)
def test_without_a_cycle_there_is_no_band(panel: Panel, strategy: Any) -> None:
    assert band_of(strategy, panel) is None


def test_the_band_is_kept_with_the_tear_sheet_and_not_without(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def band(strategy: Any, _panel: Any, first: int, last: int, *_: Any) -> Any:
        asked.append(strategy.name)
        return np.vstack([np.full(last - first + 1, 0.9e6), np.full(last - first + 1, 1.3e6)])

    def page(shown: Run, path: Path, *, pyfolio: bool) -> None:
        path.write_text(str(shown.phase_band[0, 0]))

    monkeypatch.setattr(module, "phase_band", band)
    monkeypatch.setattr(Run, "_write_page", page)
    made = run(Momentum(top=1), panel, start=panel.days[-100].item(), engine="batch")
    folder = made.save(tmp_path / "without", report=False)
    assert (asked, (folder / "phases.csv").exists(), Run.load(folder).phase_band) == ([], False, None)
    folder = made.save(tmp_path, report=True)
    assert asked == ["momentum"]
    assert (folder / "tearsheet.html").read_text() == "900000.0"
    again = Run.load(folder)
    assert again.phase_band is not None
    assert again.phase_band[:, -1].tolist() == [0.9e6, 1.3e6]
    made.save(tmp_path, report=False)  # the same numbers: what belongs to the page stays with it
    assert (folder / "phases.csv").exists()
    assert made.phase_band is None
