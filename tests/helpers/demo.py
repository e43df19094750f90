"""What the tests of the synthetic market share: its tables, read independently of its generator."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import data.demo
from data.demo import Demo
from data.demo.plan import DIVIDENDS, FUNDS, SPLITS
from data.store.tables import TABLES

PLANS = {fund.symbol: fund for fund in FUNDS}
SPLIT_RATIOS = {(split.symbol, split.record_day): split.ratio for split in SPLITS}


@contextmanager
def own_cache(folder: Path) -> Iterator[Path]:
    """Keep the user's cache, and what this process remembers, out of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETFLOW_CACHE", str(folder))
        patch.setattr(data.demo, "_MEMORY", {})
        yield folder


def wide(frame: pd.DataFrame, column: str, key: str = "symbol") -> pd.DataFrame:
    return frame.pivot_table(index="day", columns=key, values=column, dropna=False)


def rows_of(frame: pd.DataFrame, symbol: str) -> pd.DataFrame:
    return frame[frame["symbol"] == symbol].set_index("day")


def half_up(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.001"), ROUND_HALF_UP)


def decimal(price: float) -> Decimal:
    return Decimal(str(price))


def fingerprint(source: Demo) -> str:
    """Digest of every bit of every table."""
    digest = hashlib.sha256()
    for name in sorted(TABLES):
        frame = source.read(name)
        for column in TABLES[name].columns:
            values = frame[column.name]
            if column.kind == "text":
                digest.update("\n".join(values.fillna("")).encode())
            else:
                kind = "<f8" if column.kind == "number" else "<M8[us]"
                digest.update(values.to_numpy().astype(kind).tobytes())
    return digest.hexdigest()[:16]


def planted_flows(source: Demo) -> pd.DataFrame:
    """z by the formula in the docstring of data.demo, from the published tables alone."""
    units = wide(source.read("units"), "units")
    before = units.shift(1)
    for (symbol, record_day), ratio in SPLIT_RATIOS.items():
        cell = pd.Timestamp(record_day), symbol
        before.loc[cell] = math.floor(before.loc[cell] * ratio)
    return ((units - before) / before / 0.006).clip(-3, 3)


def nav_returns(source: Demo) -> pd.DataFrame:
    nav = wide(source.read("nav"), "nav")
    before = nav.shift(1)
    for (symbol, record_day), ratio in SPLIT_RATIOS.items():
        before.loc[pd.Timestamp(record_day), symbol] /= ratio
    for each in DIVIDENDS:
        before.loc[pd.Timestamp(each.ex_day), each.symbol] -= each.cash
    return nav / before - 1


def rank_correlations(source: Demo) -> np.ndarray:
    """Spearman correlation of five-session flow with the next five sessions' return, every fifth session."""
    signal = planted_flows(source).rolling(5, min_periods=5).sum()
    future = nav_returns(source).rolling(5, min_periods=5).sum().shift(-5)
    sampled = slice(10, None, 5)
    signal, future = signal.iloc[sampled], future.iloc[sampled].reindex(columns=signal.columns)
    both = signal.notna() & future.notna()
    ranks = signal.where(both).rank(axis=1), future.where(both).rank(axis=1)
    return ranks[0].corrwith(ranks[1], axis=1).dropna().to_numpy()


def t_statistic(values: np.ndarray) -> float:
    return float(values.mean() / values.std(ddof=1) * math.sqrt(len(values)))
