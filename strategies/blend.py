"""Combine strategies without code: a blend of their scores, or a vote, where a condition allows.

``first``, ``second`` and ``third`` name strategies, each with its own settings:
``share_inflow:lookback=5``. Weak signals from different sources are wrong together less often than each
alone (Grinold, Kahn 2000; DeMiguel, Garlappi, Uppal 2009 on why weights should be simple). Formula, for a
session *d*, on what was public before its open::

    scaled_i = z-score of the scores of part i over the funds of the session    (scale=zscore)
               rank over them, from -1 to 1                                     (scale=rank)
               the score itself                                                 (scale=none)
    score    = sum_i weight_i * scaled_i / sum_i |weight_i|                      (combine=mean)
    votes    = share of the weights of parts that have the fund among their first ``top``, above their own
               ``threshold``; of the same share, the higher mean rank first      (combine=vote)

A fund needs a score of every part for a mean, and of one for a vote. ``when`` is a condition in the words
of ``etflow event --words``, for each fund and session: "return_120 > 0" is a trend filter, "premium < 0.01"
keeps out of dear funds, "market_margin_growth_20 > 0" is a regime. Where it does not hold, or cannot be
told, the fund is not eligible, and what is not held is cash. ``{lookback}`` in a part or in ``when`` is
replaced by the parameter of that name, so that a search can vary it. What would make it fail: parts that
are the same bet under two names.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from data.errors import UsageError, did_you_mean
from strategies.cross_section import row_ranks, row_zscores
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.words import answers, is_endless, parse_event, reach

if TYPE_CHECKING:
    from data.panel.known import Known

# A mean rank, from -1 to 1, never outweighs the smallest difference of votes.
TIE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Blend(Rotation):
    """Hold the funds that several strategies agree on, where a condition holds.

    UsageError for a part that is no strategy with scores, for settings that it does not have, and where all
    weights are 0.
    """

    cash_without_score: ClassVar[bool] = True

    first: str = param("share_inflow", help="a strategy and its settings, as share_inflow:lookback=5")
    second: str = param("momentum", help="another; empty = none")
    third: str = param("", help="another; empty = none")
    first_weight: float = param(1.0, low=-10.0, high=10.0, help="weight of the first")
    second_weight: float = param(1.0, low=-10.0, high=10.0, help="weight of the second")
    third_weight: float = param(1.0, low=-10.0, high=10.0, help="weight of the third")
    scale: str = param("zscore", choices=("zscore", "rank", "none"), help="what is done to scores before")
    combine: str = param(
        "mean", choices=("mean", "vote"), help="mean of scores, or how many parts select a fund"
    )
    when: str = param("", help="condition in words of `etflow event --words`; empty = always")
    lookback: int = param(20, low=1, high=1000, unit="sessions", help="what {lookback} stands for")

    def __post_init__(self) -> None:
        """Make the parts, so that what is wrong with them is said before anything runs."""
        super().__post_init__()
        if not any(weight for weight, _ in self.parts):
            raise UsageError("all weights of Blend are 0", hint="Give at least one part a weight.")
        if self.combine == "vote" and min(weight for weight, _ in self.parts) < 0.0:
            raise UsageError("a vote has no negative weights", hint="Use combine=mean to go against a part.")
        if self.when:
            parse_event(self._filled(self.when))

    @cached_property
    def parts(self) -> tuple[tuple[float, Rotation], ...]:
        """The weight of each part, and the part."""
        named = (
            (self.first, self.first_weight),
            (self.second, self.second_weight),
            (self.third, self.third_weight),
        )
        found = tuple((weight, make_part(self._filled(text))) for text, weight in named if text.strip())
        if not found:
            raise UsageError("Blend has no part", hint="Name one with --set first=share_inflow:lookback=5.")
        return found

    @property
    def made_of(self) -> tuple[type[Rotation], ...]:
        """The classes of the parts: what was looked at of them was looked at of the blend."""
        return tuple(type(part) for _, part in self.parts)

    @property
    def warmup(self) -> int:
        """The longest of the parts and of the condition."""
        condition = reach(self._filled(self.when)) + 1 if self.when else 0
        return max(condition, *(part.warmup for _, part in self.parts))

    @property
    def history(self) -> str | None:
        """``all`` where a part, or the condition, depends on all sessions since the first; else none."""
        endless = bool(self.when) and is_endless(self._filled(self.when))
        return "all" if endless or any(getattr(part, "history", None) for _, part in self.parts) else None

    def scores(self, known: Known) -> Floats:
        """Return the mean of the scaled scores, or the share of votes, where the condition holds."""
        given = [(weight, part, where_listed(known, part.scores(known))) for weight, part in self.parts]
        total = math.fsum(abs(weight) for weight, _ in self.parts)
        score = np.zeros(known.listed.shape)
        if self.combine == "mean":
            for weight, _, scores in given:
                score = score + weight / total * self._scaled(scores)
        else:
            ranks, known_to = np.zeros(score.shape), np.zeros(score.shape)
            for weight, part, scores in given:
                score = score + weight / total * _selected(part, scores, known.symbols)
                known_to += np.isfinite(scores)
                ranks += np.nan_to_num(row_ranks(scores))
            score = np.where(known_to > 0, score + TIE * ranks / np.maximum(known_to, 1), np.nan)
        if self.when:
            score = np.where(answers(known, self._filled(self.when)) == 1.0, score, np.nan)
        return where_listed(known, score)

    def _scaled(self, scores: Floats) -> Floats:
        if self.scale == "zscore":
            return row_zscores(scores)
        return row_ranks(scores) if self.scale == "rank" else scores

    def _filled(self, text: str) -> str:
        return text.replace("{lookback}", str(self.lookback))


def _selected(part: Rotation, scores: Floats, symbols: Sequence[str]) -> Floats:
    """Return (D, S) 1 where a part would select the fund, among its first ``top``, ties by symbol; else 0."""
    qualified = np.where(np.isfinite(scores), scores, -np.inf)
    if part.threshold is not None:
        qualified = np.where(qualified > part.threshold, qualified, -np.inf)
    by_symbol = np.argsort(np.array(symbols))
    order = by_symbol[np.argsort(-qualified[:, by_symbol], axis=1, kind="stable")]
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    return np.where(np.isfinite(qualified) & (place < (part.top or order.shape[1])), 1.0, 0.0)


def make_part(text: str) -> Rotation:
    """Return the strategy that ``NAME:parameter=value,...`` means; UsageError where it has no scores."""
    from strategies import STRATEGIES

    name, _, settings = text.strip().partition(":")
    if name not in STRATEGIES:
        raise UsageError(f"unknown strategy `{name}` in a blend", hint=did_you_mean(name, STRATEGIES))
    strategy: Any = STRATEGIES[name]
    if strategy is Blend or not hasattr(strategy, "scores"):
        raise UsageError(
            f"`{name}` cannot be a part of a blend", limit="built-in strategies with scores, and no blend"
        )
    parameters = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        known = strategy.__dataclass_fields__
        if not equals or key.strip() not in known:
            raise UsageError(
                f"`{name}` has no such setting", received=setting, hint=did_you_mean(key.strip(), known)
            )
        parameters[key.strip()] = _value(value.strip())
    made: Rotation = strategy(**parameters)
    return made


def _value(text: str) -> object:
    """Return the number, true, false or none that a text says; else the text."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return found if isinstance(found, int | float) else text
