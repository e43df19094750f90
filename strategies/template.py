"""Hold the funds with the highest risk-adjusted return. A template: change the idea, keep the shape.

Run it            etflow run THIS_FILE.py:Template
With parameters   etflow run THIS_FILE.py:Template --set lookback=40 --set top=2
Hold it against   etflow compare THIS_FILE.py:Template momentum equal_weight

Formula, for a session *d*, on what was public before its open, with ``n = lookback``::

    score[d] = mean(r[d-n+1 .. d]) / std(r[d-n+1 .. d])        r = daily total return of the fund
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.windows import change, rolling_mean, rolling_std

if TYPE_CHECKING:
    from data.panel.known import Known


# A strategy is a frozen dataclass: its fields are its parameters. Fields that every rotation has, and that
# you can redeclare with another default as `top` here, or set on the command line:
#   top, rebalance, threshold, weighting, cap, hysteresis, otherwise, phase, tranches,
#   stop_loss, trailing_stop, time_stop, core, core_weight
@dataclass(frozen=True, kw_only=True)
class Template(Rotation):
    """Hold the funds with the highest ratio of mean to standard deviation of daily returns."""

    lookback: int = param(
        20, low=2, high=1000, unit="sessions", help="window over which returns are measured"
    )
    top: int = 2

    @property
    def warmup(self) -> int:
        """Sessions before a decision that its scores depend on: n returns need n + 1 prices."""
        return self.lookback + 1

    def scores(self, known: Known) -> Floats:
        """Return (sessions, funds), higher is better, NaN where a fund is not eligible.

        Row d may use rows up to d of `known`: they were public before the open of session d. Among others
        there are (NaN where not known):

            known.adjusted_close            total-return price         known.close, .volume, .amount
            known.flow("vwap")              net inflow, money          known.units_adjusted, .aum, .nav
            known.premium                   close over value, less one known.nav_premium, over NAV
            known.margin_balance            financing balance          known.net_financing
            known.market_margin             of the whole market, (D,)  known.index("930713")
            known.listed                    whether it is listed       known.days, known.symbols
        """
        returns = change(known.adjusted_close, 1)
        spread = rolling_std(returns, self.lookback)
        spread[spread <= 0] = float("nan")
        return where_listed(known, rolling_mean(returns, self.lookback) / spread)
