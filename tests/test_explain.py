"""A change of return between two runs, taken apart: revised data, parameters, costs, all else."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise

import pandas as pd
import pytest

from data.demo import Demo
from data.load import load_panel
from data.store.store import Store
from data.store.vintage import Vintage
from engine import run
from engine.kernel.costs import Costs
from strategies import STRATEGIES

SYMBOLS = ("157001.SZ", "157003.SZ", "157005.SZ", "586031.SH")
BEGIN, END = date(2025, 5, 6), date(2025, 7, 31)
REVISED = ("157003.SZ", "2025-07-31")  # held at the end


@pytest.fixture
def store(tmp_path):
    """Return a store of four funds, as it is before any revision."""
    tables = {}
    for name in ("bars", "units", "nav", "actions", "funds"):
        frame = Demo().read(name, SYMBOLS)
        tables[name] = frame[frame["day"] >= "2025-01-02"] if "day" in frame else frame
    made = Store(tmp_path / "own")
    made.append(tables)
    return made


def revise(store: Store, to: str, on: date) -> pd.DataFrame:
    """Move one close to the high or the low of its session; return the rows of bars as they were."""
    before = store.read("bars")
    row = before[(before["symbol"] == REVISED[0]) & (before["day"] == REVISED[1])]
    store.append({"bars": row.assign(close=row[to])}, accept_revision=True, on=on)
    return before


def earned(tmp_path, top: int = 1, **conditions) -> float:
    panel = load_panel(Store(tmp_path / "own"), SYMBOLS, end=END)
    strategy = STRATEGIES["momentum"](lookback=10, top=top)
    result = run(strategy, panel, start=BEGIN, **conditions)
    return float(result.equity[-1] / result.initial_cash - 1.0)


def test_revisions_are_undone_one_by_one(store):
    first = revise(store, "high", date(2025, 9, 1))
    second = revise(store, "low", date(2025, 9, 2))
    revisions = store.revisions()
    assert len(revisions) == 2
    pd.testing.assert_frame_equal(Vintage(store, revisions).read("bars"), first)
    pd.testing.assert_frame_equal(Vintage(store, revisions.tail(1)).read("bars"), second)
    pd.testing.assert_frame_equal(Vintage(store, revisions.tail(0)).read("bars"), store.read("bars"))


@pytest.mark.slow
def test_a_change_of_return_is_taken_apart(here, tmp_path, store):
    words = ("--data", "own", "--start", BEGIN, "--end", END, "--allow", "all", "--no-report", "-q")
    settings = ("momentum", "--set", "lookback=10", "--set")
    code, first, complained = here("run", *settings, "top=1", *words)
    assert code == 0, complained
    returns = [earned(tmp_path)]
    revise(store, "high", date(2025, 9, 1))
    returns.append(earned(tmp_path))
    revise(store, "low", date(2025, 9, 2))
    free = Costs(commission_rate=0.0, commission_min=0.0)
    steps = [{}, {"top": 2}, {"top": 2, "costs": free}, {"top": 2, "costs": free, "cash": 50_000.0}]
    returns += [earned(tmp_path, **step) for step in steps]
    changed = ("--cost", "commission_rate=0", "--cost", "commission_min=0", "--cash", "50000")
    code, second, complained = here("run", *settings, "top=2", *words, *changed)
    assert code == 0, complained
    code, printed, complained = here("runs", "diff", first.strip(), second.strip(), "--explain", "--json")
    assert code == 0, complained
    found = json.loads(printed)
    points = [(after - before) * 1e4 for before, after in pairwise(returns)]
    assert found["notes"] == []
    assert found["causes"]["code"] == found["causes"]["remainder"] == 0.0
    assert [each["basis_points"] for each in found["revisions"]] == pytest.approx(points[:2])
    assert found["causes"]["data"] == pytest.approx(points[0] + points[1])
    assert found["causes"]["data"] != 0.0
    told = [found["causes"][name] for name in ("parameters", "costs", "conditions")]
    assert told == pytest.approx(points[2:])
    assert found["whole"] == pytest.approx((returns[-1] - returns[0]) * 1e4)
    assert found["whole"] == pytest.approx(sum(found["causes"].values()))
    assert [each["day"] for each in found["revisions"]] == ["2025-09-01", "2025-09-02"]
    (value,) = found["revisions"][0]["values"]
    assert (value["table"], value["key"], value["column"]) == ("bars", " ".join(REVISED), "close")
    said = here("runs", "diff", first.strip(), second.strip(), "--explain")[1]
    assert "revised on 2025-09-02" in said
    assert "SYNTHETIC" in said
    assert "in basis points (bp) of the initial capital" in said

    # From the later to the earlier run the revisions are undone, the last of them first.
    back = json.loads(here("runs", "diff", second.strip(), first.strip(), "--explain", "--json")[1])
    assert [each["day"] for each in back["revisions"]] == ["2025-09-02", "2025-09-01"]
    assert back["causes"]["data"] == pytest.approx(sum(each["basis_points"] for each in back["revisions"]))
    assert back["causes"]["data"] != 0.0
    assert back["whole"] == pytest.approx(-found["whole"])


@pytest.mark.slow
def test_what_cannot_be_run_again_is_said(here, tmp_path, store):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nimport numpy as np\n\n\n@dataclass(frozen=True)\nclass Mine:\n"
        '    """All into the first."""\n\n    def target_weights(self, known):\n'
        "        weights = np.zeros(known.close.shape)\n        weights[:, 0] = 1.0\n"
        "        weights[0] = np.nan\n        return weights\n"
    )
    words = ("--data", "own", "--start", BEGIN, "--allow", "all", "--no-report", "-q")
    first = here("run", "mine.py:Mine", *words, "--end", END)[1].strip()
    second = here("run", "equal_weight", *words, "--end", "2025-07-30")[1].strip()
    before = store.read("bars")
    row = before[before["symbol"] == SYMBOLS[0]].head(1)
    store.append({"bars": row.assign(day=pd.Timestamp("2024-12-31"))})  # an earlier row, which no note undoes
    found = json.loads(here("runs", "diff", first, second, "--explain", "--json")[1])
    assert found["causes"]["code"] is None
    assert all("cannot be had again" in each for each in found["notes"])
    told = [each for each in found["causes"].values() if each is not None]
    assert found["whole"] == pytest.approx(sum(told))
    (tmp_path / "mine.py").unlink()
    found = json.loads(here("runs", "diff", first, second, "--explain", "--json")[1])
    assert any("mine.py is gone" in each for each in found["notes"])
    assert any("cannot be run again" in each for each in found["notes"])
    assert found["causes"] == dict.fromkeys(found["causes"]) | {"remainder": pytest.approx(found["whole"])}


def test_a_series_with_a_space_in_its_name_is_undone_too(tmp_path):
    store = Store(tmp_path / "macro")
    names, quarter = ["optical capex", "optical"], pd.Timestamp("2025-06-30")
    rows = pd.DataFrame({"series": names, "period": quarter, "value": 1.0, "source": "mine"})
    store.append({"macro": rows})
    before = store.read("macro")
    store.append({"macro": rows.assign(value=[2.0, 1.0])}, accept_revision=True, on=date(2025, 9, 1))
    assert store.read("macro")["value"].tolist() != before["value"].tolist()
    pd.testing.assert_frame_equal(Vintage(store, store.revisions()).read("macro"), before)
