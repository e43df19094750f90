"""The demo market: a seeded synthetic market on which everything runs offline, and whose truth is known.

Twenty made-up funds follow four made-up AI indices over five years of real sessions of the Shanghai
calendar; index ``DEMO-ALL`` holds all their stocks. Funds, regimes and planted events are listed by date in
``data.demo.plan``; how prices and flows arise is told in ``data.demo.world`` and the modules it names.

**The planted flow effect.** With N the published units and K the split ratio that their count of session
*t* has absorbed, the standardised net inflow of a fund is ::

    z[t] = clip((N[t] - floor(N[t-1] * K[t])) / floor(N[t-1] * K[t]) / 0.006, -3, 3)

and 0 on the fund's first session (0.006 is about the standard deviation of relative unit changes). The fund's
NAV return of session *t* is then ::

    r[t] = noise[t] + flow_effect * 0.001 * (z[t-1] + z[t-2] + z[t-3] + z[t-4] + z[t-5]) / 5

clipped to 98 % of its price limit: one standardised unit of net inflow adds ``flow_effect * 0.001``, that
is 10 basis points, to the expected return of the five sessions after it together, an equal part to each.
``noise`` and the unit counts do not depend on ``flow_effect``: with 0 the same draws give a market in which
flows predict nothing, though they still chase the returns of the five sessions before them. At 1, over many
seeds, holding the five funds with the largest five-session flow, changed every five sessions, gains about
0.9 of Sharpe ratio over equal weight before costs, and about 0.6 with flows of twenty sessions; the mean rank
correlation of five-session flow with the next five sessions' return is about 0.14.

Nothing else is predictable but the market's drift, which follows the growth of ``capex``. Margin balances are
a placebo. A premium of some basis points comes and goes between NAV and close; ``premium=True`` has it as a
table, which the market does without by itself, so that what was run on it stays what it was.

**Conventions.** NAV and units of a split's record day are on the new basis, prices of that day on the old one
(the exchanges' practice). NAV starts three sessions before listing, units on the listing day. Only rows that
were published late carry ``known_at``; the others follow the availability table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.demo import cache
from data.demo.plan import BROAD_INDEX, FIRST_DAY, FLOW_SIZE, LAST_DAY
from data.errors import UsageError
from data.store.spans import Span, measured
from data.store.tables import table as table_called

LARGEST_EFFECT = 10.0

_MEMORY: dict[tuple[int, float], dict[str, pd.DataFrame]] = {}


class Demo:
    """The synthetic market as a data source; equal arguments give equal tables, on any day and machine.

    Parameters
    ----------
    seed : int
        Not negative; draws the noise. Funds, regimes and planted events are the same for every seed.
    flow_effect : float
        Multiple of the planted effect of flows on later returns (see the module); 0 switches it off.
    premium : bool
        Whether there is a table ``premium`` too; all other tables are the same.

    Tables are kept in memory, and as Parquet in the user's cache folder (``ETFLOW_CACHE``, else the XDG one);
    a cache that cannot be read or written is ignored.
    """

    name: str = "demo"
    synthetic: bool = True
    default_benchmark: str | None = BROAD_INDEX

    def __init__(self, seed: int = 20250820, flow_effect: float = 1.0, *, premium: bool = False) -> None:
        if seed < 0:
            raise UsageError("`seed` of the demo market is negative", received=seed, limit="0 or more")
        if not (math.isfinite(flow_effect) and abs(flow_effect) <= LARGEST_EFFECT):
            raise UsageError(
                "`flow_effect` of the demo market is out of bounds",
                received=flow_effect,
                limit=f"-{LARGEST_EFFECT:g} to {LARGEST_EFFECT:g}",
                hint="1 is the usual effect, 0 switches it off.",
            )
        self.seed = int(seed)
        self.flow_effect = float(flow_effect) + 0.0
        self.premium = premium

    @property
    def digest(self) -> str | None:
        """What names the rows of all tables: the generator, by its source, and what it is given.

        None of a class that is made from this one, whose tables may be others.
        """
        return f"demo {cache.version()} {self._key} {self.premium}" if type(self) is Demo else None

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a table, or its rows whose first key (symbol, index or series) is among ``symbols``.

        UsageError if there is no such table. The frame is the caller's own.
        """
        schema = table_called(table)
        key, frame = schema.key[0], self._table(table)
        if table == "premium" and not self.premium:
            return schema.empty()
        if symbols is None:
            return frame.copy()
        return frame[frame[key].isin(list(symbols))].reset_index(drop=True)

    def spans(self, table: str) -> dict[str, Span]:
        """Return the series of a table with their days."""
        schema = table_called(table)
        absent = table == "premium" and not self.premium
        return measured(schema, schema.empty() if absent else self._table(table))

    def known_flow_effect(self) -> float:
        """Return what one standardised unit of net inflow adds to the return of the next five sessions."""
        return self.flow_effect * FLOW_SIZE

    def _table(self, name: str) -> pd.DataFrame:
        memory = _MEMORY.setdefault((self.seed, self.flow_effect), {})
        if name not in memory:
            frame = cache.load(self._key, name)
            if frame is None:
                memory.update(self._generate())
                cache.save(self._key, memory)
            else:
                memory[name] = frame
        return memory[name]

    @property
    def _key(self) -> str:
        return f"{self.seed}-{self.flow_effect!r}"

    def _generate(self) -> dict[str, pd.DataFrame]:
        from data.demo.frames import build_tables
        from data.facts.calendars import calendar_for

        days = calendar_for("cn_etf").sessions(FIRST_DAY, LAST_DAY)
        return build_tables(self.seed, self.flow_effect, np.asarray(days, dtype="datetime64[D]"))
