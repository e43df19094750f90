"""From scores to target weights a second time: plain Python, for a reader with a pencil.

Written from the parameters that `etflow strategies show` lists, `docs/user-guide.md` ("Strategies") and
`docs/assumptions.md`, never from the engines, and imports nothing of theirs. What it decides is what
`tests/oracle.py` trades.

One decision, and the function that does each step (of tranches, each sleeve by itself: `in_turn`):

 1. Is this session a decision session?                                               `decision_days`
 2. Which funds qualify: listed, with a score, above the threshold; the best first.   `ranking`
 3. Which of them are chosen: those that stay, then the best of the others.           `chosen_of`
 4. What each is worth, at most the cap; what is left over stays in cash.             `weights_of`
 5. Where nothing qualifies: cash, or the one fund that was named.                    `rotate`
 6. Between decisions: what a stop sells, and what stays out until the next one.      `with_exits`
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from tests.oracle import Decision, Fund, Quote, Scenario, Terms, add, history

Number = float | Fraction
STILL = 1e-12  # a lower volatility is a rounding error


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
    phase: int = 0  # sessions from the first decision to the next one; 0: a whole cycle
    tranches: int = 1  # sleeves that take turns
    core: tuple[str, ...] = ()  # held at all times, in equal parts
    core_weight: float = 0.5


@dataclass(frozen=True)
class Stops:
    """When a fund is sold between decisions; 0 is never."""

    stop_loss: float = 0.0
    trailing_stop: float = 0.0
    time_stop: int = 0


@dataclass
class Position:
    """A fund as decisions have it, in prices of today's shares."""

    since: int
    entry: float | None  # None: it could not be bought
    peak: float = 0.0
    out: str = ""  # the stop that sold it


@dataclass(frozen=True)
class Morning:
    """What is known of the funds before the open of a session."""

    listed: Collection[str]
    scores: Mapping[str, float]  # absent or not finite: none
    volatilities: Mapping[str, float]  # absent or zero: none; for inverse_volatility alone
    priced: Collection[str] = ()  # whose price is known; for a core alone


def rotate(
    rules: Rules, days: Sequence[date], mornings: Mapping[date, Morning], number: type[Number] = float
) -> dict[date, Decision]:
    """Return the decisions of a run over these sessions, in floats from left to right, or in fractions."""
    if rules.tranches > 1:
        return in_turn(rules, days, mornings, number)
    decisions: dict[date, Decision] = {}
    chosen: list[str] = []
    for day in decision_days(days, rules.rebalance, rules.phase):
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
        bought = [name for name in bought if weights.get(name, 0) > 0]
        if rules.core:
            weights, bought = beside_the_core(weights, bought, morning, rules, number)
        decisions[day] = Decision(weights, tuple(bought))
    return decisions


def beside_the_core(
    weights: dict[str, Number], bought: list[str], morning: Morning, rules: Rules, number: type[Number]
) -> tuple[dict[str, Number], list[str]]:
    """Return weights and order of buying with the core: its equal parts first, the rest scaled down."""
    core = [name for name in sorted(rules.core) if name in morning.listed and name in morning.priced]
    part = number(rules.core_weight)
    found = {name: (1 - part) * weight for name, weight in weights.items()}
    for name in core:
        found[name] = found.get(name, number(0)) + part / len(core)
    return found, [*core, *(name for name in bought if name not in core)]


def in_turn(
    rules: Rules, days: Sequence[date], mornings: Mapping[date, Morning], number: type[Number]
) -> dict[date, Decision]:
    """Return the decisions of all sleeves; on the first day all decide, and alike."""
    found: dict[date, Decision] = {}
    for sleeve in range(rules.tranches):
        phase = 0
        if isinstance(rules.rebalance, int):
            phase = (
                rules.phase + math.floor(Fraction(sleeve * rules.rebalance, rules.tranches))
            ) % rules.rebalance
        for day, decision in rotate(replace(rules, phase=phase, tranches=1), days, mornings, number).items():
            if day == days[0]:
                found[day] = replace(decision, tranches=rules.tranches)
            else:
                assert day not in found, "two sleeves decide on one session"
                found[day] = replace(decision, tranches=rules.tranches, sleeve=sleeve)
    return dict(sorted(found.items()))


def decision_days(days: Sequence[date], rebalance: int | str, phase: int = 0) -> list[date]:
    """The first session and every so many from the phase on, or the first session of each week or month."""
    if rebalance == "once":
        return list(days[:1])
    if isinstance(rebalance, int):
        return [day for number, day in enumerate(days) if number == 0 or number % rebalance == phase]
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
    """Return the weights by symbol. A slot that nobody fills stays in cash, as does what is capped."""
    slots = rules.top or len(chosen)
    if rules.weighting == "score":
        parts = above_the_floor([number(morning.scores[symbol]) for symbol in chosen], rules, number)
    elif rules.weighting == "inverse_volatility":
        volatilities = [number(morning.volatilities.get(symbol, 0.0)) for symbol in chosen]
        parts = inverse(volatilities, number)
    else:
        parts = [number(1)] * len(chosen)
    total = sum_of(parts, number)
    if total == 0 or rules.weighting == "equal":
        weights = [number(1) / slots] * len(chosen)
    else:
        weights = [part / total * (number(len(chosen)) / slots) for part in parts]
    cap = number(rules.cap)
    return {symbol: min(weight, cap) for symbol, weight in zip(chosen, weights, strict=True)}


def above_the_floor(scores: list[Number], rules: Rules, number: type[Number]) -> list[Number]:
    """Return by how much scores exceed the threshold; without one, the lowest of them, if it is negative.

    In 4096ths: which changes no bit of a proportion, and keeps the sum of the largest floats finite.
    """
    floor = min(*scores, number(0)) if rules.threshold is None else number(rules.threshold)
    return [score / 4096 - floor / 4096 for score in scores]


def inverse(volatilities: list[Number], number: type[Number]) -> list[Number]:
    """Return one over each volatility; a fund that has none counts as the mean of the others."""
    known = [each for each in volatilities if each > STILL]
    if not known:
        return [number(0)] * len(volatilities)
    mean = sum_of(known, number) / len(known)
    return [1 / (each if each > STILL else mean) for each in volatilities]


def sum_of(parts: list[Number], number: type[Number]) -> Number:
    """Add from the best fund on."""
    return sum(parts, number(0)) if number is Fraction else add(parts)


def volatilities_of(fund: Fund, days: Sequence[date], usual: Terms) -> dict[date, float]:
    """Return the sample deviation of the last 20 total returns known before each open; 0 for fewer than two.

    From close to close, dividends and splits included. A session without a trade returns nothing, until
    after ten of them the price is unknown.
    """
    quotes = history(fund, tuple(days), usual)
    returns: list[float | None] = []  # of the sessions before; None where it is unknown
    volatilities: dict[date, float] = {}
    close: float | None = None  # the last one, on the basis of the shares of today
    quiet = 0  # sessions since
    mark: float | None = None
    for day in days:
        recent = [each for each in returns[-20:] if each is not None]
        volatilities[day] = deviation(recent) if len(recent) > 1 else 0.0
        quote = quotes[day]
        traded = quote.traded and quote.listed
        if close is not None and mark is not None:
            for action in quote.due:
                if action.kind == "dividend" and mark > action.cash:
                    close *= (mark - action.cash) / mark
                elif action.kind == "split":
                    close /= action.ratio
        quiet += 1
        if close is None or quiet > (10 if traded else 9):
            returns.append(None)
        else:
            returns.append(quote.bar.close / close - 1 if traded else 0.0)
        if traded:
            close, quiet = quote.bar.close, 0
        mark = quote.mark
    return volatilities


def deviation(returns: list[float]) -> float:
    mean = add(returns) / len(returns)
    return math.sqrt(add((value - mean) * (value - mean) for value in returns) / (len(returns) - 1))


def with_exits(scenario: Scenario, stops: Stops) -> dict[date, Decision]:
    """Return the decisions of a scenario, those on its sessions, and the exits between them."""
    first = scenario.days.index(scenario.first) if scenario.first else 1
    tapes = {fund.symbol: history(fund, scenario.days, scenario.terms) for fund in scenario.funds}
    positions: dict[str, Position] = {}
    closes: dict[str, tuple[float, int]] = {}  # the last one of each fund, and the number of its session
    found: dict[date, Decision] = {}
    for number, day in enumerate(scenario.days):
        decision = scenario.decisions.get(day) if number >= first else None
        for symbol, tape in tapes.items():
            factor = adjustment(tape[day], tape[scenario.days[number - 1]].mark if number else None)
            if symbol in closes:
                closes[symbol] = (closes[symbol][0] * factor, closes[symbol][1])
            if symbol in positions and positions[symbol].entry is not None:
                positions[symbol].entry *= factor
                positions[symbol].peak *= factor
        if decision is not None:
            positions = {symbol: each for symbol, each in positions.items() if not each.out}
        for symbol, position in positions.items():
            close, session = closes.get(symbol, (math.nan, number))
            # A price is known for ten sessions.
            position.out = position.out or stopped(
                position, close if number - session <= 10 else math.nan, number, stops
            )
        if decision is not None:
            chosen = [symbol for symbol, weight in decision.weights.items() if weight > 0]
            positions = {symbol: each for symbol, each in positions.items() if symbol in chosen}
            for symbol in chosen:
                if symbol not in positions or (positions[symbol].entry is None and not positions[symbol].out):
                    price = bought_at(scenario, tapes[symbol][day])
                    positions[symbol] = Position(number, price, price or 0.0)
            out = {symbol for symbol, each in positions.items() if each.out}
            found[day] = replace(
                decision,
                weights={symbol: each for symbol, each in decision.weights.items() if symbol not in out},
                rank=tuple(symbol for symbol in decision.rank if symbol not in out),
            )
        elif any(each.out for each in positions.values()):
            found[day] = Decision({}, (), only=tuple(symbol for symbol in positions if positions[symbol].out))
        for symbol, tape in tapes.items():
            if tape[day].traded and tape[day].listed:
                closes[symbol] = (tape[day].bar.close, number)
    return found


def adjustment(quote: Quote, mark: float | None) -> float:
    """Return what a price of yesterday is in the shares of today, dividends reinvested."""
    factor = 1.0
    for action in quote.due:
        if action.kind == "dividend" and mark is not None and mark > action.cash:
            factor *= (mark - action.cash) / mark
        elif action.kind == "split":
            factor /= action.ratio
    return factor


def stopped(position: Position, close: float, number: int, stops: Stops) -> str:
    """Return the stop that is reached before the open of a session; to a billionth of the price."""
    if position.entry is None:
        return ""
    position.peak = max(position.peak, close) if not math.isnan(close) else position.peak
    if stops.stop_loss and close <= position.entry * (1 - stops.stop_loss) * (1 + 1e-9):
        return "stop_loss"
    if stops.trailing_stop and close <= position.peak * (1 - stops.trailing_stop) * (1 + 1e-9):
        return "trailing_stop"
    if stops.time_stop and number - position.since >= stops.time_stop:
        return "time_stop"
    return ""


def bought_at(scenario: Scenario, quote: Quote) -> float | None:
    """Return the price of the fill point, if a purchase is possible there."""
    if not quote.traded or not quote.listed or quote.reference is None:
        return None
    bar = quote.bar
    price = {"open": bar.open, "vwap": bar.amount / bar.volume, "close": bar.close}[scenario.fill]
    best = bar.low if scenario.fill == "vwap" else price
    return None if best >= quote.up - quote.terms.tick / 2 else price
