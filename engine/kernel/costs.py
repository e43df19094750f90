"""What a trade costs: slippage, impact, commission, fees. Scalar kernels: numbers in, numbers out.

Both engines call these functions, so that the algebra is exactly the same; they use nothing that a compiler
of numerical Python does not know.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from data.errors import UsageError, check_choice
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

    Amounts of money are in the currency of the run.
    """

    commission_rate: float = 0.00025
    commission_min: float = 5.0
    commission_tick: float = 0.01
    slippage_rate: float = 0.0005
    participation_rate: float = 0.1
    impact: float = 0.0
    cash_rate: float = 0.0
    fx_fee_rate: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            highest, unit = _HIGHEST.get(field.name, (1.0, ", a fraction"))
            if isinstance(value, bool) or not (isinstance(value, int | float) and 0.0 <= value <= highest):
                raise UsageError(
                    f"cost `{field.name}` is out of bounds", received=value, limit=f"0 to {highest:,g}{unit}"
                )
        tick, least = self.commission_tick, self.commission_min
        if 0.0 < tick < _FINEST_TICK:
            raise UsageError(
                "cost `commission_tick` is too fine", received=tick, limit=f"0, or {_FINEST_TICK:g}"
            )
        if tick > 0.0 < least and round_half_up(least, tick) == 0.0:
            raise UsageError(
                "cost `commission_tick` rounds the minimum commission to nothing",
                received=f"a tick of {tick:g} and a minimum of {least:g}",
                hint="Set a finer tick, or commission_min=0.",
            )

    def to_dict(self) -> dict[str, float]:
        """Return the costs by name; ``fx_fee_rate`` only where there is one, as it came later."""
        values = asdict(self)
        return values if self.fx_fee_rate else {k: v for k, v in values.items() if k != "fx_fee_rate"}

    @classmethod
    def from_words(cls, words: dict[str, str]) -> Costs:
        """Return costs from ``name=value`` pairs as typed; unknown names answer with close matches."""
        known = [field.name for field in fields(cls)]
        values: dict[str, float] = {}
        for name, word in words.items():
            check_choice("cost", name, known)
            try:
                values[name] = float(word)
            except ValueError:
                raise UsageError(f"cost `{name}` is not a number", received=word) from None
        return cls(**values)


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
