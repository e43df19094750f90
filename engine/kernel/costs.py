"""What a trade costs: slippage, impact, commission, fees. Scalar kernels: numbers in, numbers out.

Both engines call these functions, so that the algebra is exactly the same; they use nothing that a compiler
of numerical Python does not know.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from data.errors import UsageError, check_choice
from data.facts.symbols import MARKET_CODES
from data.numeric.arithmetic import round_half_up

# Of interest: simple, on calendar days.
DAYS_PER_YEAR = 365.0

# The most that a cost can be, and its unit; what is not here is a fraction. No commission is rounded to
# coarser than that; beyond the others arithmetic itself would break.
_HIGHEST = {
    "commission_min": (1e9, " of money"),
    "commission_tick": (100.0, " of money"),
    "impact": (1e3, ""),
}
_FINEST_TICK = 1e-6

# What a broker charges, which each market can have of its own: ``us.commission_min``.
COMMISSION = ("commission_rate", "commission_min", "commission_tick")
_OF_MARKETS = tuple(f"{code.lower()}.{name}" for code in MARKET_CODES for name in COMMISSION)


@dataclass(frozen=True)
class Costs:
    """Costs of trading and yield of cash; every rate is a fraction.

    Parameters
    ----------
    commission_rate, commission_min, commission_tick
        Commission of an order: max(minimum, rate * notional), rounded half up to the tick (0: not rounded).
    slippage_rate
        Fills are this fraction worse than the price of the fill point.
    participation_rate
        Share of the session's volume that an order may take; 0 is no cap.
    impact
        Coefficient of the square-root law: impact * daily volatility * sqrt(shares / volume) is added to
        the slippage rate. 0 is none.
    cash_rate
        Yearly yield of idle cash (``interest``).
    fx_fee_rate
        What changing money costs, of the notional of an order for a fund of another currency.
    by_market
        Commission of the funds of one market, by name, as ``("us.commission_min", 1.0)``; what is not there
        is as for all.

    Amounts of money are in the currency of the run; those of one market are in that market's.
    """

    commission_rate: float = 0.00025
    commission_min: float = 5.0
    commission_tick: float = 0.01
    slippage_rate: float = 0.0005
    participation_rate: float = 0.1
    impact: float = 0.0
    cash_rate: float = 0.0
    fx_fee_rate: float = 0.0
    by_market: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_market", tuple(sorted(self.by_market)))
        for name, value in self._named():
            highest, unit = _HIGHEST.get(name.rpartition(".")[2], (1.0, ", a fraction"))
            if isinstance(value, bool) or not (isinstance(value, int | float) and 0.0 <= value <= highest):
                raise UsageError(
                    f"cost `{name}` is out of bounds", received=value, limit=f"0 to {highest:,g}{unit}"
                )
        for prefix in ("", *(f"{code.lower()}." for code in MARKET_CODES)):
            _rate, least, tick = (self._charged(prefix, name) for name in COMMISSION)
            if 0.0 < tick < _FINEST_TICK:
                raise UsageError(
                    f"cost `{prefix}commission_tick` is too fine",
                    received=tick,
                    limit=f"0, or {_FINEST_TICK:g}",
                )
            if tick > 0.0 < least and round_half_up(least, tick) == 0.0:
                raise UsageError(
                    f"cost `{prefix}commission_tick` rounds the minimum commission to nothing",
                    received=f"a tick of {tick:g} and a minimum of {least:g}",
                    hint=f"Set a finer tick, or {prefix}commission_min=0.",
                )

    def to_dict(self) -> dict[str, float]:
        """Return the costs by name; those that came later only where they are set."""
        return {name: value for name, value in self._named() if value or name != "fx_fee_rate"}

    def of_market(self, code: str, name: str) -> float | None:
        """Return a cost of COMMISSION that the market ``code`` (CN, US) has of its own, or None."""
        return dict(self.by_market).get(f"{code.lower()}.{name}")

    def times(self, factor: float, names: Iterable[str]) -> Costs:
        """Return the costs with those in ``names`` multiplied, of all markets; a fraction at most 1."""
        wanted = set(names)
        return self.from_values(
            (name, min(value * factor, 1.0) if kind not in _HIGHEST else value * factor)
            if (kind := name.rpartition(".")[2]) in wanted
            else (name, value)
            for name, value in self._named()
        )

    def _named(self) -> Iterator[tuple[str, float]]:
        """Return all costs by name, those of single markets last."""
        yield from ((name, getattr(self, name)) for name in _common())
        yield from self.by_market

    def _charged(self, prefix: str, name: str) -> float:
        common: float = getattr(self, name)
        return dict(self.by_market).get(prefix + name, common)

    @classmethod
    def from_values(cls, values: Iterable[tuple[str, float]]) -> Costs:
        """Return costs of pairs of a name, known to be one, and its value."""
        given = dict(values)
        own = tuple((name, given.pop(name)) for name in _OF_MARKETS if name in given)
        return cls(**given, by_market=own)

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Costs:
        """Return costs from names and values, as typed or as numbers; those of a market may be a table of it.

        Unknown names answer with close matches.
        """
        known = [*_common(), *_OF_MARKETS]
        values: dict[str, float] = {}
        for name, word in _flat(words):
            check_choice("cost", name, known)
            try:
                values[name] = float(str(word))
            except ValueError:
                raise UsageError(f"cost `{name}` is not a number", received=word) from None
        return cls.from_values(values.items())


def _flat(words: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return names and values, ``{"us": {"commission_min": 1}}`` as ``us.commission_min``."""
    for name, value in words.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{own}", each) for own, each in value.items())
        else:
            yield name, value


def _common() -> list[str]:
    """Return the names of the costs that a run has for all funds."""
    return [each.name for each in fields(Costs) if each.name != "by_market"]


def commission(notional: float, rate: float, minimum: float, tick: float) -> float:
    """Return the commission of one order: max(minimum, rate * notional), rounded half up to ``tick``."""
    charged = max(minimum, rate * notional)
    return round_half_up(charged, tick) if tick > 0.0 else charged


def adverse_rate(
    slippage_rate: float, impact: float, volatility: float, shares: float, volume: float
) -> float:
    """Return the fraction by which a fill is worse than the market: slippage plus square-root impact.

    The square-root law: Almgren, Thum, Hauptmann and Li, Direct Estimation of Equity Market Impact (2005)
    and many since; volatility per day, shares relative to the volume of the same session.
    """
    if impact == 0.0:
        return slippage_rate
    return slippage_rate + impact * volatility * math.sqrt(shares / volume)


def interest(cash: float, cash_rate: float, nights: int) -> float:
    """Return what ``cash`` yields over so many nights."""
    return cash * cash_rate * nights / DAYS_PER_YEAR
