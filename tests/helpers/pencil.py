"""Small markets of a week for cases that a pencil can check, and what became of them."""

from __future__ import annotations

from datetime import date

from tests.oracle import Bar, Costs, Decision, Scenario

MON, TUE, WED, THU, FRI = (date(2024, 1, day) for day in (8, 9, 10, 11, 12))
SAT = date(2024, 1, 13)
NEXT_MON, NEXT_TUE = date(2024, 1, 15), date(2024, 1, 16)
WEEK = (MON, TUE, WED, THU, FRI)
A, B, C = "510001.SH", "510002.SH", "510003.SH"
FREE = Costs(
    commission_rate=0.0,
    commission_min=0.0,
    commission_tick=0.0,
    slippage_rate=0.0,
    participation_rate=0.0,
)


def flat(price, volume=1_000_000):
    return Bar(price, price, price, price, volume, price * volume)


def bars(*prices, days=WEEK, volume=1_000_000):
    """One bar a day; None is a day without a bar."""
    each = {day: flat(p, volume) if isinstance(p, float) else p for day, p in zip(days, prices, strict=False)}
    return {day: bar for day, bar in each.items() if bar is not None}


def market(*funds, weights, days=WEEK, cash=10_000.0, costs=FREE, **more):
    """Decide the weights of each day, bought in the order of their weight."""
    decisions = {day: Decision.by_weight(of_day) for day, of_day in weights.items()}
    return Scenario(days=days, funds=funds, decisions=decisions, cash=cash, costs=costs, **more)


def on(outcome, day):
    return next(session for session in outcome.sessions if session.day == day)


def traded(outcome):
    return [(fill.day, fill.symbol, fill.shares, fill.price) for fill in outcome.fills]
