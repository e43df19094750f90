"""Strategies that ask for what nobody gave them."""

from __future__ import annotations

import os
import random
import socket
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from data.demo import Demo
from data.load import load_panel
from strategies.rotation import where_listed
from strategies.windows import change
from tests.helpers.honest import Honest, Macro

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Impure(Honest):
    """Momentum times something from elsewhere."""

    def factor(self) -> float:
        raise NotImplementedError

    def scores(self, known: Any) -> np.ndarray:
        return where_listed(known, self.factor() * change(known.adjusted_close, 20))


class Clock(Impure):
    def factor(self) -> float:
        return 1.0 if time.time() > 0.0 else -1.0


class Today(Impure):
    def factor(self) -> float:
        return 1.0 + date.today().day + 0.0 * datetime.now().year


class NumpyToday(Impure):
    def factor(self) -> float:
        return float(np.datetime64("today").astype(int))


class Hash(Impure):
    def factor(self) -> float:
        return 1.0 + hash("etflow") % 1000


class Chance(Impure):
    def factor(self) -> float:
        return random.random()


class Generator(Impure):
    def factor(self) -> float:
        return float(np.random.default_rng().random())


class Environment(Impure):
    def factor(self) -> float:
        return float(os.environ.get("MY_FACTOR", "1"))


class Undeclared(Impure):
    def factor(self) -> float:
        return 1.0 + 0.0 * len((HERE / "macro.csv").read_text(encoding="utf-8"))


class Network(Impure):
    def factor(self) -> float:
        with socket.socket() as line:
            return 1.0 + 0.0 * line.connect_ex(("127.0.0.1", 9))


class Market(Impure):
    def factor(self) -> float:
        return 1.0 + 0.0 * len(load_panel(Demo()).days)


class Honestly(Impure):
    """Watches how long it takes, and draws with a seed: neither is impure."""

    def factor(self) -> float:
        started = time.perf_counter()
        return 1.0 + float(np.random.default_rng(1).random()) + 0.0 * (time.perf_counter() - started)


@dataclass(frozen=True)
class ByLot:
    """Decides by lot, before each open."""

    def decide(self, past: Any, held: Any) -> dict[str, float]:
        return {past.symbols[0]: random.random()}


@dataclass(frozen=True, kw_only=True)
class EarlyMacro(Macro):
    """Reads the row of its file that is dated after the session."""

    inputs: ClassVar[tuple[str, ...]] = ("macro.csv",)

    def scores(self, known: Any) -> np.ndarray:
        rows = (HERE / "macro.csv").read_text(encoding="utf-8").split()[1:]
        days = np.array([row.split(",")[0] for row in rows], dtype="datetime64[D]")
        values = np.array([*(float(row.split(",")[1]) for row in rows), np.nan])
        coming = values[np.searchsorted(days, known.days)]
        return where_listed(known, coming[:, None] * change(known.adjusted_close, 20))
