"""Fills that their session cannot have given are told by name, with its range; those that it can are not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from data.facts.actions import Action
from data.panel.panel import Panel
from engine.orders.doubtful import DOUBTS, doubtful
from engine.orders.formats import Row

FUND, SPLITTER, HALTED, ABROAD = "157001.SZ", "157003.SZ", "157005.SZ", "BOTZ.US"
DAY = date(2025, 8, 20)
NONE = np.nan


def session() -> Panel:
    """Return two sessions; the second of each fund by hand, at 7 yuan for a dollar.

    Limits are 10 % of 1.000, of 2.000 halved by a split, and none in New York.
    """
    return Panel.from_events(
        ["2025-08-19", "2025-08-20"],
        [FUND, SPLITTER, HALTED, ABROAD],
        bars={
            "open": [[1.000, 2.000, 3.000, 50.00], [1.050, 1.000, NONE, 50.20]],
            "high": [[1.000, 2.000, 3.000, 50.00], [1.080, 1.030, NONE, 50.50]],
            "low": [[1.000, 2.000, 3.000, 50.00], [1.020, 0.990, NONE, 49.50]],
            "close": [[1.000, 2.000, 3.000, 50.00], [1.060, 1.010, NONE, 50.00]],
            "volume": [[1e6, 1e6, 1e6, 1e6], [1e6, 1e6, NONE, 1e6]],
        },
        actions=[Action(SPLITTER, "split", DAY, date(2025, 8, 19), ratio=2.0)],
        price_limit=[0.1, 0.1, 0.1, None],
        fx={"USDCNY": [7.0, 7.0]},
        currency="CNY",
    )


def told(symbol: str, price: float, shares: int = 100) -> list[tuple[Any, ...]]:
    found = doubtful([Row("row 1", None, None, symbol, shares, price, None)], session())
    return [(each.why, each.low, each.high) for each in found]


@pytest.mark.parametrize(
    ("symbol", "price"),
    [
        (FUND, 1.080),
        (FUND, 1.020),
        (FUND, 1.060),  # the closing auction, and what trades at the close after hours
        (FUND, 1.0421),  # an average
        (FUND, 1.0804),  # of a bar that is written to the tick
        (SPLITTER, 1.030),
        (ABROAD, 50.50),
    ],
)
def test_what_the_session_can_have_given_is_not_doubted(symbol, price):
    assert told(symbol, price) == told(symbol, price, -100) == []


@pytest.mark.parametrize(
    ("symbol", "price", "why", "low", "high"),
    [
        (FUND, 1.081, "beyond_range", 1.020, 1.080),
        (FUND, 1.019, "beyond_range", 1.020, 1.080),
        (FUND, 1.100, "beyond_range", 1.020, 1.080),  # at the limit, which it never reached
        (FUND, 1.101, "beyond_limits", 0.900, 1.100),
        (FUND, 0.899, "beyond_limits", 0.900, 1.100),
        (FUND, 10.50, "beyond_limits", 0.900, 1.100),
        (SPLITTER, 2.010, "beyond_limits", 0.900, 1.100),  # on the basis of the day before
        (HALTED, 3.000, "not_traded", None, None),
        (ABROAD, 50.51, "beyond_range", 49.50, 50.50),
        (ABROAD, 351.4, "beyond_range", 49.50, 50.50),  # in yuan
    ],
)
def test_what_it_cannot_have_given_is_named_with_its_range(symbol, price, why, low, high):
    for shares in (100, -100):
        ((name, *ends),) = told(symbol, price, shares)
        assert (name, ends) == (why, pytest.approx([low, high]) if low else [None, None])
    assert why in DOUBTS


def test_the_command_tells_of_a_digit_too_many_and_counts_it_as_it_stands(here, tmp_path):
    words = ("momentum", "--symbols", ",".join((FUND, SPLITTER, HALTED)), "--cash", "20000")
    _, printed, _ = here("signal", *words, "--end", "2025-08-18", "--format", "generic", "--set", "top=1")
    (tmp_path / "orders.csv").write_text(printed)
    header, first, *_ = printed.splitlines()
    order = dict(zip(header.split(","), first.split(","), strict=False))
    fills = f"id,symbol,side,shares,price\n{order['id']},{order['symbol']},buy,100,"
    (tmp_path / "fills.csv").write_text(f"{fills}{10 * float(order['price'])}\n")
    reconcile = ("signal", "reconcile", "orders.csv", "fills.csv", *words, "--set", "top=1")
    code, printed, complained = here(*reconcile)
    assert code == 0
    assert f"beyond_limits: fills.csv: row 1: {order['symbol']} at " in complained
    assert "the price limits on 2025-08-19. Look whether price, fund and day are right" in complained
    document = json.loads(here(*reconcile, "--json")[1])
    (doubt,) = document["doubtful"]
    assert (doubt["why"], doubt["day"], doubt["symbol"]) == ("beyond_limits", "2025-08-19", order["symbol"])
    assert document["funds"][0]["price"] == doubt["price"] > doubt["high"] > doubt["low"]
