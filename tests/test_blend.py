"""Composition without code, by hand: scales, weights, votes, conditions; and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from data.errors import UsageError
from data.load import load_panel
from data.source import open_source
from engine import run, sweep
from strategies import STRATEGIES
from strategies.blend import Blend, make_part
from strategies.cross_section import row_ranks, row_zscores
from strategies.flow_blend import FlowBlend
from strategies.momentum import Momentum
from strategies.resonance import Resonance

NAN = np.nan


@pytest.fixture(scope="module")
def panel():
    return load_panel(open_source("demo"))


def test_ranks_go_from_minus_one_to_one_and_ties_share():
    np.testing.assert_array_equal(
        row_ranks(np.array([[5.0, 1.0, NAN, 3.0], [2.0, 2.0, 7.0, NAN], [NAN, 4.0, NAN, NAN]])),
        [[1, -1, NAN, 0], [-0.5, -0.5, 1, NAN], [NAN, 0, NAN, NAN]],
    )


def test_z_scores_are_over_the_funds_of_a_row_and_need_three():
    np.testing.assert_allclose(
        row_zscores(np.array([[1.0, 2.0, 3.0, NAN], [1.0, 2.0, NAN, NAN], [4.0, 4.0, 4.0, NAN]])),
        [[-1, 0, 1, NAN], [NAN] * 4, [0, 0, 0, NAN]],
    )


class Part:
    """A part with scores that are given."""

    def __init__(self, scores, top=1, threshold=None):
        self.given, self.top, self.threshold, self.warmup = np.array(scores), top, threshold, 1

    def scores(self, known):
        return self.given


def blended(parts, **parameters):
    """Return the scores of a blend whose parts are given, as (weight, part)."""
    strategy = Blend(**parameters)
    strategy.__dict__["parts"] = tuple(parts)
    shape = np.shape(parts[0][1].given)
    known = SimpleNamespace(
        listed=np.ones(shape, dtype=bool), adjusted_close=np.ones(shape), symbols=("C", "A", "B")[: shape[1]]
    )
    return strategy.scores(known)


def test_a_mean_weighs_scaled_scores_and_needs_all_of_them():
    one, two = Part([[1.0, 2.0, 3.0]]), Part([[30.0, 10.0, NAN]])
    np.testing.assert_allclose(
        blended([(3.0, one), (-1.0, two)], scale="rank"), [[(3 * -1 - 1 * 1) / 4, (0 + 1) / 4, NAN]]
    )
    np.testing.assert_allclose(blended([(1.0, one), (1.0, two)], scale="none"), [[15.5, 6.0, NAN]])


def test_a_vote_counts_parts_that_would_select_the_fund_ties_by_symbol_then_by_rank():
    # columns C, A, B: the first part takes A (a tie with C goes to the first symbol), the second takes B
    one, two = Part([[5.0, 5.0, 1.0]]), Part([[2.0, 1.0, 3.0]], threshold=2.5)
    found = blended([(1.0, one), (1.0, two)], combine="vote")
    ranks = np.array([[(0.5 + 0.0) / 2, (0.5 - 1.0) / 2, (-1.0 + 1.0) / 2]])
    np.testing.assert_allclose(found, np.array([[0.0, 0.5, 0.5]]) + 1e-6 * ranks, rtol=1e-12)


def test_a_vote_above_nobodys_threshold_is_for_nobody():
    found = blended([(1.0, Part([[5.0, 6.0, NAN]], threshold=9.0))], combine="vote")
    np.testing.assert_array_equal(np.round(found, 5), [[0, 0, NAN]])


def test_one_part_alone_unscaled_is_that_strategy(panel):
    alone = Blend(first="momentum:lookback=15,skip=2", second="", scale="none").scores(panel.known)
    np.testing.assert_array_equal(alone, Momentum(lookback=15, skip=2).scores(panel.known))


@pytest.mark.slow
def test_resonance_is_flow_blend_under_two_conditions_and_gives_the_same_numbers(panel):
    strategy = Resonance(z_window=30, growth_lookback=200, strength_lookback=40)
    blend = Blend(
        first="flow_blend:z_window=30",
        second="",
        scale="none",
        when="capex_growth_200 > 0 and family_lead_40 >= 0",
        threshold=0.0,
        top=strategy.top,
        rebalance=strategy.rebalance,
    )
    np.testing.assert_array_equal(blend.scores(panel.known), strategy.scores(panel.known))
    start = panel.days[300].item()
    one, other = run(blend, panel, start=start), run(strategy, panel, start=start)
    np.testing.assert_array_equal(one.equity, other.equity)


def test_a_condition_that_does_not_hold_or_cannot_be_told_keeps_a_fund_out(panel):
    free = Blend(first="momentum", second="").scores(panel.known)
    kept = Blend(first="momentum", second="", when="return_5 > 0").scores(panel.known)
    close = panel.known.adjusted_close
    before = np.vstack([np.full((5, close.shape[1]), NAN), close[:-5]])
    with np.errstate(invalid="ignore"):
        rising = close / before - 1.0 > 0
    np.testing.assert_array_equal(kept, np.where(rising, free, NAN))
    assert np.isnan(kept[-1]).any()
    assert np.isfinite(kept).any()


def test_lookback_stands_in_parts_and_condition_so_that_a_search_varies_it(panel):
    text = {"first": "momentum:lookback={lookback}", "second": "", "when": "return_{lookback} > 0"}
    np.testing.assert_array_equal(
        Blend(lookback=8, **text).scores(panel.known),
        Blend(first="momentum:lookback=8", second="", when="return_8 > 0").scores(panel.known),
    )
    assert Blend(lookback=40, **text).warmup == Momentum(lookback=40).warmup
    found = sweep(Blend(**text), panel, {"lookback": [8, 40], "first_weight": [1.0]})
    alone = run(Blend(lookback=8, **text), panel, start=found.attrs.get("first", panel.days[43].item()))
    assert found.shape[0] == 2
    assert found["cum_returns_final"].nunique() == 2
    assert len(alone.equity) > 0


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"first": "momentums"}, "unknown strategy `momentums` in a blend.*momentum"),
        ({"first": "weights"}, "cannot be a part of a blend"),
        ({"first": "blend"}, "cannot be a part of a blend"),
        ({"first": "momentum:lookbak=5"}, "no such setting; received lookbak=5.*lookback"),
        ({"first": "momentum:lookback"}, "no such setting"),
        ({"first": "momentum:lookback=0"}, "out of bounds"),
        ({"first": "", "second": ""}, "has no part"),
        ({"first_weight": 0.0, "second_weight": 0.0}, "all weights of Blend are 0"),
        ({"combine": "vote", "first_weight": -1.0}, "no negative weights"),
        ({"when": "momentum > 0"}, "unknown name `momentum`"),
    ],
)
def test_what_cannot_be_blended_is_refused_with_what_helps(parameters, said):
    with pytest.raises(UsageError, match=said):
        Blend(**parameters)


def test_settings_of_a_part_are_numbers_words_and_none():
    assert make_part("flow_blend:z_window=30,threshold=none,valuation=nav") == FlowBlend(
        z_window=30, threshold=None, valuation="nav"
    )
    assert make_part("share_inflow:excess_of_momentum=true").excess_of_momentum is True


def test_every_strategy_with_scores_can_be_a_part():
    for name, strategy in STRATEGIES.items():
        if name not in ("blend", "weights"):
            assert isinstance(make_part(name), strategy)
