"""What pages say first: the words, and the numbers at which they change."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from engine.report.statements import NOT_TOLD, of_brief, of_comparison, of_event, of_ranking, of_score


def estimate(value: float, reason: str | None = None) -> Any:
    return SimpleNamespace(value=value, reason=reason)


def compared(p: float, better: tuple[int, ...], best: int | None = 1, reason: str | None = None) -> Any:
    test = SimpleNamespace(
        against="benchmark",
        p_value=estimate(p, reason),
        best=best,
        better=better,
        runs=2,
        winners=lambda names: ", ".join(names[place] for place in better),
    )
    return SimpleNamespace(best=(SimpleNamespace(against="first", best=None, better=()), test))


def test_a_comparison_says_who_is_better_than_the_benchmark_or_that_nobody_is() -> None:
    names = ["momentum", "share_inflow"]
    assert of_comparison(compared(0.021, (1,)), names, "DEMO-ALL") == (
        "Better than the benchmark",
        "share_inflow, significant at 5% against DEMO-ALL: p 0.021 after a look at 2 runs (SPA).",
    )
    assert of_comparison(compared(0.4, ()), names, "DEMO-ALL") == (
        "No better than the benchmark",
        "Mean returns against DEMO-ALL: p 0.400 after a look at 2 runs (SPA). "
        "share_inflow comes closest, by t.",
    )
    untold = compared(math.nan, (), best=None, reason="returns do not vary")
    word, said = of_comparison(untold, names, "DEMO-ALL")
    assert (word, "returns do not vary" in said) == (NOT_TOLD, True)
    assert of_comparison(None, names, "DEMO-ALL") == ("", "")


def flowed(value: float | None, share: float | None) -> Any:
    facts = (
        SimpleNamespace(name="net_inflow_5_vwap", value=value, note="a to b; 1 without", reason="no units"),
        SimpleNamespace(name="net_inflow_20_vwap", value=9e9, note="", reason=""),
    )

    class Made:
        fund = SimpleNamespace(currency="CNY")

        def __getitem__(self, name: str) -> float | None:
            assert name == "net_inflow_5_ratio"
            return share

    made = Made()
    made.facts = facts  # type: ignore[attr-defined]
    return made


def test_a_brief_says_whether_money_came_or_went() -> None:
    assert of_brief(flowed(-59_202_565.94, -0.0123)) == (
        "Outflow",
        "59.20 m CNY over a to b, net, at VWAP, 1.23% of its AUM before.",
    )
    assert of_brief(flowed(2.5e9, None)) == ("Inflow", "2.50 bn CNY over a to b, net, at VWAP.")
    assert of_brief(flowed(0.0, 0.0))[0] == "No flow"
    assert of_brief(flowed(None, None)) == (NOT_TOLD, "whether money came or went: no units.")


def test_a_ranking_says_who_is_first() -> None:
    value = SimpleNamespace(unit="money", value=3.1e8)
    row = SimpleNamespace(rank=1, symbol="159363.SZ", name="A", facts=(value,))
    made = SimpleNamespace(rows=(row,), columns=("adtv_20",), by="adtv_20")
    assert of_ranking(made, "Turnover") == ("159363.SZ A first", "Turnover: 310.00 m CNY.")
    made.rows = ()
    assert of_ranking(made, "Turnover") == (NOT_TOLD, "which fund is first: none has adtv_20 of that day.")


def studied(*values: tuple[int, float, float]) -> Any:
    measures = {
        sessions: SimpleNamespace(
            sessions=sessions,
            abnormal=SimpleNamespace(mean=mean),
            placebo=SimpleNamespace(p=estimate(p, "9 other dates only, 20 are needed")),
        )
        for sessions, mean, p in values
    }
    return SimpleNamespace(
        horizons=tuple(measures),
        at=lambda sessions, _: measures[sessions],
        events=len(measures),
        held=True,
        measured=("equal_weight",),
        shared={"equal_weight": 0.1},
    )


# 0.016 of three horizons is 0.048, and 0.017 is 0.051.
@pytest.mark.parametrize(
    ("p", "adjusted", "word"),
    [(0.016, "0.048", "More than chance"), (0.017, "0.051", "No more than chance")],
)
def test_an_event_is_judged_by_its_smallest_p_times_the_number_of_horizons(
    p: float, adjusted: str, word: str
) -> None:
    found = studied((1, 0.001, 0.5), (5, -0.012, p), (20, 0.002, 0.3))
    assert of_event(found) == (
        word,
        f"1.20% less than all others after 5 sessions: placebo p {adjusted}, which is {p} times 3 horizons.",
    )


def test_an_event_of_which_nothing_is_known_says_so() -> None:
    assert of_event(studied((1, math.nan, math.nan)))[0] == NOT_TOLD
    assert of_event(studied()) == (NOT_TOLD, "what followed: there was no event.")
    few = studied((1, 0.02, math.nan))
    assert of_event(few) == (NOT_TOLD, "what is chance: 9 other dates only, 20 are needed.")
    assert of_event(studied((1, math.nan, math.nan), (5, 0.01, 0.04)))[0] == "More than chance"  # of one


@pytest.mark.parametrize(
    ("t", "word"),
    [(2.0, "Foretells returns"), (1.99, "Foretells nothing"), (-2.0, "Foretells the reverse")],
)
def test_a_score_is_judged_by_its_robust_t_statistic(t: float, word: str) -> None:
    ic = SimpleNamespace(mean=0.034, robust_t_statistic=estimate(t), reason=None)
    found: Any = SimpleNamespace(main=SimpleNamespace(sessions=5, ic=ic))
    assert of_score(found) == (
        word,
        f"5 sessions ahead: rank IC 0.034 with a t statistic of {t:.2f}; beyond ±2 chance is unlikely.",
    )


def test_a_score_without_a_statistic_says_why() -> None:
    ic = SimpleNamespace(mean=math.nan, robust_t_statistic=estimate(math.nan), reason="too few funds")
    found: Any = SimpleNamespace(main=SimpleNamespace(sessions=5, ic=ic))
    assert of_score(found) == (NOT_TOLD, "what it foretells: too few funds.")
