"""A result: everything that one run produced, and its folder on disk.

Reports, metrics and comparisons read only this. The folder is written under a temporary name and renamed,
so that it is either whole or absent; the same run gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.facts.symbols import account_currency
from engine.statistics.paths import simple_returns

Floats = NDArray[np.float64]

FILL_COLUMNS = (
    "day",
    "symbol",
    "shares",
    "price",
    "notional",
    "commission",
    "fee",
    "slippage",
    "reference",
)
REJECTION_COLUMNS = ("day", "symbol", "shares", "reason")
MERGE_COLUMNS = ("day", "symbol", "shares", "successor", "received", "cash")
EXIT_COLUMNS = ("day", "symbol", "reason")


def as_frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return recorded rows as a frame with the columns and types of a result."""
    texts = dict.fromkeys(("symbol", "reason", "successor"), "str")
    counts = dict.fromkeys(("shares", "received"), "int64")
    types: Mapping[str, Any] = {"day": "datetime64[us]", **texts, **counts}
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype=types.get(name, "float64"))
            for name, values in zip(columns, by_column, strict=True)
        }
    )


@dataclass(frozen=True)
class Context:
    """What is known beside the numbers of a run, for its page.

    Attributes
    ----------
    names, families : mappings
        Symbol -> the fund's name, and the family of the index that it tracks; a fund without one is absent.
    splits : tuple of (day, symbol, ratio)
        New shares for one, from the open of that day on.
    halts : tuple of (first day, last day, symbol)
        Listed, and not traded, on all sessions from the first to the last.
    renames : tuple of (day, symbol, former symbol)
        The fund has its symbol from that day on; its rows before are those of the former one.
    judged : str
        The word of the last search that chose these parameters on these data; empty where none did.
    judged_by : str
        That search and its period, in words.
    themes : mapping
        Symbol -> (first day that could know it, share of the constituents' weight by theme), in order of
        days; of funds whose index has dated weights. What has no theme is ``other``.
    rejection_costs : mapping
        What each reason of a rejection cost a year, a fraction (``engine.counterfactuals.rules``); None where
        it is not known. Empty where nothing was rejected.
    luck_beaten : float, optional
        Share of the random rotations of ``Result.luck_band`` that ended below the run.
    """

    names: Mapping[str, str]
    families: Mapping[str, str]
    splits: tuple[tuple[str, str, float], ...] = ()
    halts: tuple[tuple[str, str, str], ...] = ()
    renames: tuple[tuple[str, str, str], ...] = ()
    judged: str = ""
    judged_by: str = ""
    themes: Mapping[str, tuple[tuple[str, Mapping[str, float]], ...]] = field(default_factory=dict)
    rejection_costs: Mapping[str, float | None] = field(default_factory=dict)
    luck_beaten: float | None = None


@dataclass(frozen=True)
class Result:
    """Everything that a run produced, by session and by symbol.

    Attributes
    ----------
    manifest : dict
        The spec of the run, versions, data name and fingerprint (JSON types only); see ``engine.spec``.
    days : datetime64[D] (D,)
        Sessions of the run, from the first decision on.
    symbols : tuple of str (S,)
        In symbol order; the columns of all (D, S) arrays.
    equity, cash, receivable : (D,)
        Money at the close of each session; equity = cash + receivable + sum of shares * mark, exactly.
    shares : int64 (D, S)
        Held at the close.
    mark : (D, S)
        Closing price; of a halted fund the last close, adjusted for splits since; NaN while not listed.
    interest, dividend : (D,)
        Money credited in the session for idle cash; money that became receivable.
    benchmark_return : (D,)
        Of the benchmark, over the interval of the run: on the first session from the fill point on. NaN where
        it has no level; after a gap, of the whole gap (``engine.simulation.alternatives``).
    equal_weight_return : (D,)
        Mean total return of the funds that were listed and traded, at no cost: the naive alternative, over
        the same interval.
    decision_days : datetime64[D] (K,)
        Sessions before whose open weights were decided.
    weights, scores : (K, S)
        Target weights; scores they came from, NaN where a fund had none.
    decision_flows : (K, S)
        Net money known to have entered each fund over the last 20 sessions, relative to its AUM; NaN unknown.
    fills : DataFrame
        ``FILL_COLUMNS``: shares signed; price executed; notional, commission, fee (taxes and levies) and
        slippage (cost of slippage and impact) in money, all >= 0; reference: the exchange's reference price.
    rejections : DataFrame
        ``REJECTION_COLUMNS``: shares signed, that did not trade; reason as in ``engine.kernel.fills``.
    merges : DataFrame
        ``MERGE_COLUMNS``: shares of a fund that became those of its successor before the open of a day; whole
        shares received, and money for the fraction.
    exits : DataFrame
        ``EXIT_COLUMNS``: the session on which a stop of the strategy sold a fund, or first tried to; reason:
        the parameter, as ``stop_loss``.
    initial_cash : float
    sessions_per_year : float
        Of the exchange, the mean of the calendar years that the run touches; annualises every statistic.
    phase_band : (2, D), optional
        Lowest and highest equity at each close over all phases of the strategy's cycle, for the tear sheet;
        None where it has none, or no tear sheet was asked for.
    luck_band : (2, D), optional
        Equity that 5 % and 95 % of random rotations are below at each close: funds drawn by lot, everything
        else as in the run (``engine.counterfactuals.luck``). For the tear sheet.
    context : Context, optional
        For the tear sheet; None where none was asked for.
    """

    manifest: Mapping[str, Any]
    days: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    equity: Floats
    cash: Floats
    receivable: Floats
    shares: NDArray[np.int64]
    mark: Floats
    interest: Floats
    dividend: Floats
    benchmark_return: Floats
    equal_weight_return: Floats
    decision_days: NDArray[np.datetime64]
    weights: Floats
    scores: Floats
    decision_flows: Floats
    fills: pd.DataFrame
    rejections: pd.DataFrame
    initial_cash: float
    sessions_per_year: float
    phase_band: Floats | None = None
    luck_band: Floats | None = None
    merges: pd.DataFrame = field(default_factory=lambda: as_frame([], MERGE_COLUMNS))
    exits: pd.DataFrame = field(default_factory=lambda: as_frame([], EXIT_COLUMNS))
    context: Context | None = None

    @property
    def name(self) -> str:
        """The run's id, or the strategy's name while it has none."""
        return str(self.manifest.get("run_id") or self.manifest["strategy"])

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """What there is to know of the data before the run is believed, in words; most important first."""
        return tuple(self.manifest.get("data_warnings", ()))

    @property
    def synthetic(self) -> bool:
        """Whether the market was made up."""
        return bool(self.manifest["data"]["synthetic"])

    @property
    def currency(self) -> str:
        """The currency of the account; "money" where funds do not tell."""
        return account_currency(self.symbols, self.manifest["data"].get("currency"))

    @property
    def account_remark(self) -> str:
        """In which currency the account is and on which sessions; empty where funds leave no question."""
        data = self.manifest["data"]
        if not data.get("currency"):
            return ""
        sessions = f"Sessions are {data['sessions']}. " if data.get("sessions") else ""
        return f"{sessions}The account, its prices and its costs are in {data['currency']}."

    @property
    def benchmark(self) -> str:
        """What to call the benchmark; equal weight says whether it is there for want of another."""
        if not self.against_equal_weight:
            return str(self.manifest.get("benchmark") or "none")
        chosen = self.manifest.get("spec", {}).get("benchmark")
        return "equal weight" if chosen else "equal weight, because none was named"

    @property
    def against_equal_weight(self) -> bool:
        """Whether the benchmark is equal weight, which stands beside a run in any case."""
        return self.manifest.get("benchmark") == "equal_weight"

    @property
    def benchmark_remark(self) -> str:
        """On which sessions the benchmark is known, and both totals over them; empty where it is on all."""
        return str(self.manifest.get("benchmark_known", {}).get("text", ""))

    @property
    def returns(self) -> Floats:
        """Simple returns of equity, session on session; the first one is on the initial cash."""
        return simple_returns(self.equity, self.initial_cash)

    @property
    def scored_remark(self) -> str:
        """How many funds ever had a score at a decision; empty where all had one, or where none has."""
        scored = int((~np.isnan(self.scores)).any(axis=0).sum())
        return f"{scored:,} of them with a score" if 0 < scored < len(self.symbols) else ""

    @property
    def values(self) -> Floats:
        """Money in each fund at the close, (D, S); zero where nothing is held."""
        return np.where(self.shares > 0, self.shares * self.mark, 0.0)

    @property
    def held_weights(self) -> Floats:
        """Share of equity in each fund at the close, (D, S); the rest is cash and receivables."""
        return self.values / self.equity[:, None]
