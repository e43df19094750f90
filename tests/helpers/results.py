"""Results made by hand: from returns alone, and from a small market with a split, a dividend and an end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from engine.result import FILL_COLUMNS, REJECTION_COLUMNS, Result

MANIFEST = {
    "run_id": "handmade-1",
    "strategy": "handmade",
    "parameters": {"window": 20, "top": 2},
    "engine": "reference",
    "spec": {
        "symbols": [],
        "fill": "open",
        "cash": 1e6,
        "costs": {"commission_rate": 0.00025, "commission_min": 5.0},
        "allow": ["stale-series"],
    },
    "data": {"name": "handmade", "synthetic": True, "fingerprint": "0123", "symbols": ["A"]},
    "benchmark": "930713",
}


def sessions(count: int, start: str = "2023-01-03") -> np.ndarray:
    """Weekdays without every 19th, so that they are as irregular as an exchange's."""
    days = pd.bdate_range(start, periods=count + count // 18 + 1)
    kept = [day for number, day in enumerate(days) if number % 19 != 17]
    return np.array(kept[:count], dtype="datetime64[D]")


def from_returns(returns: Any, benchmark: Any = None, equal_weight: Any = None, **changes: Any) -> Result:
    """A result of a run that made these returns on 100 of capital and traded nothing."""
    returns = np.asarray(returns, dtype=float)
    count = len(returns)
    unknown = np.full(count, np.nan)
    equity = 100.0 * np.cumprod(1.0 + returns)
    values: dict[str, Any] = {
        "manifest": MANIFEST,
        "days": sessions(count),
        "symbols": ("159363.SZ",),
        "equity": equity,
        "cash": equity,
        "receivable": np.zeros(count),
        "shares": np.zeros((count, 1), dtype=np.int64),
        "mark": np.ones((count, 1)),
        "interest": np.zeros(count),
        "dividend": np.zeros(count),
        "benchmark_return": unknown if benchmark is None else np.asarray(benchmark, dtype=float),
        "equal_weight_return": unknown if equal_weight is None else np.asarray(equal_weight, dtype=float),
        "decision_days": np.array([], dtype="datetime64[D]"),
        "weights": np.zeros((0, 1)),
        "scores": np.zeros((0, 1)),
        "decision_flows": np.zeros((0, 1)),
        "fills": fills(),
        "rejections": rejections(),
        "initial_cash": 100.0,
        "sessions_per_year": 252.0,
    }
    return Result(**(values | changes))


def fills(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Fills from rows of (day, symbol, shares, price, commission, fee, slippage)."""
    table = pd.DataFrame(
        [
            (day, symbol, shares, price, abs(shares) * price, commission, fee, slippage, price)
            for day, symbol, shares, price, commission, fee, slippage in rows
        ],
        columns=list(FILL_COLUMNS),
    )
    return table.astype({"day": "datetime64[us]"})


def rejections(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rejections from rows of (day, symbol, shares, reason)."""
    return pd.DataFrame(list(rows), columns=list(REJECTION_COLUMNS)).astype({"day": "datetime64[us]"})


def one_fund(marks: list[float], shares: list[int], *trades: tuple[Any, ...], **changes: Any) -> Result:
    """A result with one fund; trades are (row, shares, price, commission). The rest is cash, from 10,000."""
    count = len(marks)
    days = sessions(count)
    spent = np.zeros(count)
    for row, bought, price, commission in trades:
        spent[row] += bought * price + commission
    cash = 10_000.0 - np.cumsum(spent) + np.cumsum(changes.pop("paid", np.zeros(count)))
    held = np.array(shares, dtype=np.int64)[:, None]
    mark = np.array(marks, dtype=float)[:, None]
    return from_returns(
        np.zeros(count),
        days=days,
        equity=cash + np.where(held > 0, held * mark, 0.0).sum(axis=1),
        cash=cash,
        shares=held,
        mark=mark,
        fills=fills(
            *(
                (days[row], "159363.SZ", bought, price, commission, 0.0, 0.0)
                for row, bought, price, commission in trades
            )
        ),
        initial_cash=10_000.0,
        **changes,
    )


def rotation(
    count: int = 170, funds: int = 4, top: int = 2, *, synthetic: bool = True, seed: int = 3
) -> Result:
    """A run that buys the best of the last 20 sessions every fifth, with all that a market does to it.

    The first fund splits two for one, the second pays a dividend that arrives three sessions later, the last
    is liquidated at its last mark; some orders are rejected.
    """
    random = np.random.default_rng(seed)
    days = sessions(count)
    symbols = tuple(f"{159000 + 37 * number}.SZ" for number in range(funds))
    market = random.normal(0.0006, 0.012, count)
    returns = market[:, None] * random.uniform(0.8, 1.3, funds) + random.normal(0.0, 0.009, (count, funds))
    split, ex, end = count // 3, count // 2, count - count // 5
    ratio = np.ones((count, funds))
    ratio[split, 0] = 2.0
    mark = np.round(random.uniform(0.8, 2.0, funds) * np.cumprod((1.0 + returns) / ratio, axis=0), 3)
    mark[end:, -1] = np.nan

    held, cash, receivable, payable = np.zeros(funds, dtype=np.int64), 1e6, 0.0, {}
    books: dict[str, list[Any]] = {
        name: [] for name in ("equity", "cash", "receivable", "shares", "dividend")
    }
    decided: dict[str, list[Any]] = {name: [] for name in ("days", "weights", "scores", "flows")}
    traded: list[tuple[Any, ...]] = []
    refused: list[tuple[Any, ...]] = []
    for row, day in enumerate(days):
        before = mark[row - 1] / ratio[row] if row else mark[row]
        held = (held * ratio[row]).astype(np.int64)
        dividend = float(held[1]) * 0.01 if row == ex else 0.0
        receivable += dividend
        payable[row + 3] = dividend
        cash += payable.get(row, 0.0)
        receivable -= payable.get(row, 0.0)
        if row == end:
            cash += float(held[-1] * before[-1])
            held[-1] = 0
        if row % 5 == 0:
            recent = returns[max(0, row - 20) : row].sum(axis=0) + random.normal(0.0, 0.02, funds)
            scores = np.where(np.isnan(mark[row]), np.nan, recent)
            order = [int(column) for column in np.argsort(-np.nan_to_num(scores, nan=-9.0))]
            chosen = [column for column in order if np.isfinite(scores[column])][:top]
            weights = np.zeros(funds)
            weights[chosen] = 1.0 / top
            for name, value in zip(decided, (day, weights, scores, 0.3 * scores), strict=True):
                decided[name].append(value)
            price = np.nan_to_num(before)
            equity = cash + receivable + float((held * price).sum())
            lots = np.array(
                [
                    0 if not p else int((0.98 * w * equity / p - h) / 100)
                    for w, p, h in zip(weights, price, held, strict=True)
                ]
            )
            orders = np.where(weights > 0.0, lots * 100, -held)
            for column in sorted(range(funds), key=lambda column: (orders[column] > 0, column)):
                shares = int(orders[column])
                if shares == 0 or np.isnan(mark[row, column]):
                    continue
                if random.random() < 0.08:
                    reason = "halted" if random.random() < 0.5 else "limit_up" if shares > 0 else "limit_down"
                    refused.append((day, symbols[column], shares, reason))
                    continue
                side = 1 if shares > 0 else -1
                paid = float(price[column]) * (1.0 + 0.0005 * side)
                commission = round(max(5.0, 0.00025 * abs(shares) * paid), 2)
                if shares > 0 and shares * paid + commission > cash:
                    refused.append((day, symbols[column], shares, "cash"))
                    continue
                cash -= shares * paid + commission
                held[column] += shares
                slippage = 0.0005 * float(price[column]) * abs(shares)
                traded.append((day, symbols[column], shares, paid, commission, 0.0, slippage))
        worth = float(np.where(held > 0, held * np.nan_to_num(mark[row]), 0.0).sum())
        for name, value in zip(
            books, (cash + receivable + worth, cash, receivable, held.copy(), dividend), strict=True
        ):
            books[name].append(value)
    benchmark = market.copy()
    benchmark[0] = np.nan
    data = MANIFEST["data"] | {"synthetic": synthetic, "symbols": list(symbols)}  # type: ignore[operator]
    return Result(
        manifest=MANIFEST | {"data": data},
        days=days,
        symbols=symbols,
        equity=np.array(books["equity"]),
        cash=np.array(books["cash"]),
        receivable=np.array(books["receivable"]),
        shares=np.array(books["shares"]),
        mark=mark,
        interest=np.zeros(count),
        dividend=np.array(books["dividend"]),
        benchmark_return=benchmark,
        equal_weight_return=returns.mean(axis=1),
        decision_days=np.array(decided["days"], dtype="datetime64[D]"),
        weights=np.array(decided["weights"]),
        scores=np.array(decided["scores"]),
        decision_flows=np.array(decided["flows"]),
        fills=fills(*traded),
        rejections=rejections(*refused),
        initial_cash=1e6,
        sessions_per_year=242.6,
    )
