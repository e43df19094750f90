"""From scores to target weights a second time: plain Python, for a reader with a pencil.

Written from the parameters that `etflow strategies show` lists, `docs/user-guide.md` ("Strategies") and
`docs/assumptions.md`, never from the engines, and imports nothing of theirs. What it decides is what
`tests/oracle.py` trades.

One decision, and the function that does each step:

 1. Is this session a decision session?                                               `decision_days`
 2. Which funds qualify: listed, with a score, above the threshold; the best first.   `ranking`
 3. Which of them are chosen: those that stay, then the best of the others.           `chosen_of`
 4. What each is worth, at most the cap; what is left over stays in cash.             `weights_of`
 5. Where nothing qualifies: cash, or the one fund that was named.                    `rotate`
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from statistics import median

from tests.oracle import Decision, add

Number = float | Fraction


@dataclass(frozen=True)
class Rules:
    """The parameters that all rotations share, with their defaults."""

    top: int = 3  # 0: all that qualify
    rebalance: int | str = 5  # sessions; or weekly, monthly, once
    threshold: float | None = None
    weighting: str = "equal"  # or score, or inverse_volatility
    cap: float = 1.0
    hysteresis: int = 0
    otherwise: str = "cash"  # or a symbol


@dataclass(frozen=True)
class Morning:
    """What is known of the funds before the open of a session."""

    listed: Collection[str]
    scores: Mapping[str, float]  # absent or not finite: none
    volatilities: Mapping[str, float]  # absent or not finite: none; asked for by inverse_volatility alone


def rotate(
    rules: Rules, days: Sequence[date], mornings: Mapping[date, Morning], number: type[Number] = float
) -> dict[date, Decision]:
    """Return the decisions of a run over these sessions, in floats from left to right, or in fractions."""
    decisions: dict[date, Decision] = {}
    chosen: list[str] = []
    for day in decision_days(days, rules.rebalance):
        morning = mornings[day]
        ranked = ranking(morning, rules.threshold)
        chosen = chosen_of(ranked, chosen, rules)
        if chosen:
            weights = weights_of(chosen, morning, rules, number)
        elif rules.otherwise in morning.listed:
            weights = {rules.otherwise: min(number(1), number(rules.cap))}
        else:
            weights = {}
        bought = [*chosen, rules.otherwise] if rules.otherwise not in chosen else chosen
        decisions[day] = Decision(weights, tuple(name for name in bought if weights.get(name, 0) > 0))
    return decisions


def decision_days(days: Sequence[date], rebalance: int | str) -> list[date]:
    """Every so many sessions from the first on, or the first session of each week or month."""
    if rebalance == "once":
        return list(days[:1])
    if isinstance(rebalance, int):
        return list(days[::rebalance])
    periods = [day.isocalendar()[:2] if rebalance == "weekly" else (day.year, day.month) for day in days]
    return [day for number, day in enumerate(days) if periods[number] not in periods[:number]]


def ranking(morning: Morning, threshold: float | None) -> list[str]:
    """Return the funds that qualify, the highest score first, equal scores in symbol order."""
    qualified = []
    for symbol in sorted(morning.listed):
        score = morning.scores.get(symbol, math.nan)
        if math.isfinite(score) and (threshold is None or score > threshold):
            qualified.append(symbol)
    return sorted(qualified, key=lambda symbol: -morning.scores[symbol])


def chosen_of(ranked: list[str], before: Collection[str], rules: Rules) -> list[str]:
    """Return the chosen, in rank order. One that was chosen before stays up to rank top + hysteresis."""
    if rules.top == 0:
        return ranked
    kept = [symbol for symbol in ranked[: rules.top + rules.hysteresis] if symbol in before]
    others = [symbol for symbol in ranked if symbol not in kept]
    taken = [*kept, *others][: rules.top]
    return [symbol for symbol in ranked if symbol in taken]


def weights_of(chosen: list[str], morning: Morning, rules: Rules, number: type[Number]) -> dict[str, Number]:
    """Return the weights in symbol order. A slot that nobody fills stays in cash, as does what is capped."""
    slots = rules.top or len(chosen)
    names = sorted(chosen)
    if rules.weighting == "equal":
        return {symbol: min(number(1) / slots, number(rules.cap)) for symbol in names}
    if rules.weighting == "score":
        parts = [max(number(morning.scores[symbol]), number(0)) for symbol in names]
    else:
        parts = [1 / number(each) for each in spread_of(names, morning)]
    total = sum(parts, number(0)) if number is Fraction else add(parts)
    if total == 0:
        return {}
    invested = number(len(chosen)) / slots
    return {
        symbol: min(invested * part / total, number(rules.cap))
        for symbol, part in zip(names, parts, strict=True)
    }


def spread_of(names: list[str], morning: Morning) -> list[float]:
    """Return the volatility of each; one that has none counts as the median of the others."""
    known = {
        symbol: morning.volatilities[symbol]
        for symbol in names
        if math.isfinite(morning.volatilities.get(symbol, math.nan)) and morning.volatilities[symbol] > 0
    }
    usual = median(known.values()) if known else 1.0
    return [known.get(symbol, usual) for symbol in names]
