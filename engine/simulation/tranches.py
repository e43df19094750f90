"""Tranches of an account that is kept session by session: whose session it is, and what each sleeve has.

Whatever happens to the account happens to its sleeves (``engine.simulation.sleeves``). An account that is not
divided has none of them, and nothing that is told here does anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.kernel.fills import Filled
from engine.kernel.targets import ALL
from engine.simulation.ledger import MONEY_TOLERANCE, InvariantError
from engine.simulation.sleeves import (
    begin_session,
    blank_sleeves,
    collect_sleeves,
    divide_account,
    earn_interest,
    equity_of_sleeve,
    merge_sleeves,
    move_due,
    pay_sleeves,
    settled,
    split_sleeves,
)


class Tranches:
    """The sleeves of an account over ``funds``, with room for as many ``receivables`` as it may ever have.

    ``among`` and ``sleeve`` are of the session: into how many sleeves its decision divides the account, and
    whose it is, ``ALL`` for the whole account, which ``divides`` at the close.
    """

    def __init__(self, funds: int, receivables: int) -> None:
        self._funds, self._receivables = funds, receivables
        self._room(0)
        self.among, self.sleeve, self.divides = 1, ALL, False

    def _room(self, count: int) -> None:
        self._count = count
        self._sleeves = blank_sleeves(count, self._funds, self._receivables)

    def begin(self) -> None:
        """Begin a session, which is nobody's until something is decided."""
        self.among, self.sleeve, self.divides = 1, ALL, False
        begin_session(self._sleeves, self._count)

    def decide(self, among: int, sleeve: int) -> None:
        """Make it the session of one sleeve, or of ``ALL``: so many share the account from its close on."""
        self.among, self.sleeve, self.divides = among, sleeve, sleeve == ALL

    @property
    def together(self) -> int:
        """How many sleeves trade as one, each in whole lots: all on a session of ``ALL``."""
        return self.among if self.sleeve == ALL else 1

    def split(self, column: int, ratio: float) -> None:
        """Split the shares of a fund."""
        split_sleeves(self._sleeves, self._count, column, ratio)

    def merge(self, column: int, into: int, ratio: float) -> None:
        """Give shares of the successor; the old ones stay until they are paid."""
        merge_sleeves(self._sleeves, self._count, column, into, ratio)

    def pay(self, column: int, each: float, place: int, *, ends: bool) -> None:
        """Pay ``each`` a share: at once (``place`` -1), or as part of the receivable ``place``."""
        pay_sleeves(self._sleeves, self._count, column, each, place, ends)

    def collect(self, place: int) -> None:
        """Turn the parts of a receivable into cash."""
        collect_sleeves(self._sleeves, self._count, place)

    def move(self, place: int, left: int) -> None:
        """Move the parts of a receivable to where the account has it now."""
        move_due(self._sleeves, self._count, place, left)

    def earn(self, rate: float, nights: int) -> None:
        """Credit interest on the cash held overnight."""
        earn_interest(self._sleeves, self._count, rate, nights)

    def shares(self, sleeve: int) -> list[int]:
        """Return what a sleeve has of each fund."""
        held: list[int] = self._sleeves.shares[sleeve].tolist()
        return held

    def equity(
        self, sleeve: int, holding: Sequence[int], reference: Sequence[float], receivables: int
    ) -> float:
        """Return the equity of a sleeve at reference prices, its parts of so many receivables included.

        ``holding`` are the columns that the account holds.
        """
        return equity_of_sleeve(self._sleeves, sleeve, holding, reference, receivables)

    def at_hand(self, sleeve: int, cash: float) -> float:
        """Return what an order of a sleeve may spend of the account's ``cash``."""
        return cash if sleeve == ALL else min(cash, float(self._sleeves.cash[sleeve]))

    def settle(self, sleeve: int, column: int, cash: float, filled: Filled) -> float:
        """Book a fill of a sleeve; return what it leaves of the account's ``cash``."""
        if sleeve == ALL:
            return filled.cash
        self._sleeves.cash[sleeve] = settled(float(self._sleeves.cash[sleeve]), filled)
        self._sleeves.shares[sleeve, column] += filled.shares
        return settled(cash, filled)

    def divide(self, cash: float, shares: list[int], lots: Sequence[int], due: list[float]) -> None:
        """Divide the account anew among the sleeves that share it from now on."""
        self._room(self.among if self.among > 1 else 0)
        divide_account(self._sleeves, self._count, cash, shares, lots, due, len(due))

    def require(
        self, cash: float, shares: list[int], receivables: int, receivable: float, equity: float
    ) -> None:
        """Raise InvariantError unless the books of the sleeves add up to the account's."""
        if not self._count:
            return
        sleeves = self._sleeves
        if sleeves.shares.sum(axis=0).tolist() != shares or sleeves.cash.min() < 0.0:
            raise InvariantError(f"shares or cash of the sleeves are not the account's: {sleeves}")
        gap = abs(sleeves.cash.sum() + sleeves.due[:receivables].sum() - cash - receivable)
        if gap > MONEY_TOLERANCE * (cash + receivable + equity):
            raise InvariantError(f"money of the sleeves is {gap} off the account's")
