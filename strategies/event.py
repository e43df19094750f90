"""Hold the funds to which something has just happened: inflow on five sessions in a row, units at a record.

The press reports such events as news; whether they foretell anything is what ``etflow event`` measures, and
this strategy trades. Formula, for a session *d* and an event that begins where the condition ``when`` holds
and did not hold the session before::

    age[d]   = sessions since the fund's latest event                    0 = today
    score[d] = 1 - age[d] / hold          where age[d] < hold, else not eligible

on what was public before the open of *d*. The latest event ranks first. Literature: Chen, Xu, Zhao (2020)
on flows of Chinese ETFs; George, Hwang (2004, Journal of Finance) on records; Barber, Odean (2008, RFS) on
what attracts attention, which argues for the opposite sign. What would make it fail: news that is in the
price when it is read, and costs, since funds are held briefly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed
from strategies.words import WORDS, Word, answers, events, is_endless, parse_event, reach, spans

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class Event(Rotation):
    """Hold each fund for some sessions after an event, written as a condition; cash while there is none."""

    cash_without_score: ClassVar[bool] = True
    words: ClassVar[tuple[Word, ...]] = WORDS

    when: str = param("inflow_streak >= 5", help="the event, in words of `etflow event --words`")
    hold: int = param(
        20, low=1, high=1000, unit="sessions", help="sessions that a fund qualifies for after it"
    )

    def __post_init__(self) -> None:
        """Check all parameters; UsageError also where ``when`` is no condition."""
        super().__post_init__()
        condition, _ = parse_event(self.when)
        object.__setattr__(self, "when", condition.text)  # so that spelling makes no other event

    @property
    def warmup(self) -> int:
        """The longest window of the condition, and as long before as an event counts."""
        return reach(self.when) + self.hold + 1

    @property
    def history(self) -> str | None:
        """``all`` where the condition has a streak, or a record since listing; else none."""
        return "all" if is_endless(self.when) else None

    def answers(self, known: Known) -> Floats:
        """Return 1 where the condition holds, 0 where it does not, NaN where that cannot be told, (D, S)."""
        return answers(known, self.when)

    def events(self, known: Known) -> NDArray[np.bool_]:
        """Return where the condition begins to hold, (D, S)."""
        return events(known, self.when)

    def spans(self, known: Known, rows: slice) -> dict[str, tuple[float, float]]:
        """Return between which values each number of the condition lies on these rows."""
        return spans(known, self.when, rows)

    def scores(self, known: Known) -> Floats:
        """Return how fresh the latest event of each fund is, 1 to 1 / hold; NaN where there is none."""
        rows = np.arange(len(known.days))[:, None]
        latest = np.maximum.accumulate(np.where(self.events(known), rows, -self.hold), axis=0)
        age = rows - latest
        return where_listed(known, np.where(age < self.hold, 1.0 - age / self.hold, np.nan))
