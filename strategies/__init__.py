"""Strategies, one idea a file: ``STRATEGIES`` is the table of names, ``new_strategy`` starts another."""

from __future__ import annotations

from strategies.baselines import BuyHold, EqualWeight, RandomChoice
from strategies.blend import Blend
from strategies.compute_cycle import ComputeCycle
from strategies.dual_momentum import DualMomentum
from strategies.event import Event
from strategies.flow_blend import FlowBlend
from strategies.flow_reversal import FlowReversal
from strategies.index_leader import IndexLeader
from strategies.leveraged_flow import LeveragedFlow
from strategies.liquidity_leader import LiquidityLeader
from strategies.momentum import Momentum
from strategies.new import new_strategy
from strategies.optical_tilt import OpticalTilt
from strategies.premium_reversal import PremiumReversal
from strategies.record_high import RecordHigh
from strategies.resonance import Resonance
from strategies.rotation import Rotation
from strategies.share_inflow import ShareInflow
from strategies.unexpected_flow import UnexpectedFlow
from strategies.weights_file import WeightsFile

STRATEGIES: dict[str, type[Rotation] | type[WeightsFile]] = {
    "share_inflow": ShareInflow,
    "leveraged_flow": LeveragedFlow,
    "flow_blend": FlowBlend,
    "unexpected_flow": UnexpectedFlow,
    "flow_reversal": FlowReversal,
    "premium_reversal": PremiumReversal,
    "record_high": RecordHigh,
    "event": Event,
    "index_leader": IndexLeader,
    "liquidity_leader": LiquidityLeader,
    "optical_tilt": OpticalTilt,
    "compute_cycle": ComputeCycle,
    "resonance": Resonance,
    "blend": Blend,
    "momentum": Momentum,
    "dual_momentum": DualMomentum,
    "equal_weight": EqualWeight,
    "buy_hold": BuyHold,
    "random": RandomChoice,
    "weights": WeightsFile,
}

# By these names the command line knows them, and so do results of a notebook, which has the classes alone.
# No class declares the attribute: the record knows strategies by their code, which stays as it is.
for _name, _class in STRATEGIES.items():
    setattr(_class, "catalogued", _name)  # noqa: B010

__all__ = ["STRATEGIES", "Rotation", "WeightsFile", "new_strategy"]
