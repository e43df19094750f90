"""Purchases over two markets that are carried over to the session in which there is money for them.

The market that opens first trades first, and what the other sells pays in it on the next session: a purchase
that was cut for cash while the other sold waits, and is tried again there, once. Of one market nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from data.facts.actions import Event
from engine.kernel.sizing import split_shares
from engine.kernel.targets import ALL

Orders = list[tuple[int, int]]


class CarriedOver:
    """What of an account waits for the next session, as (column, shares), and what is tried in this one.

    ``opening`` has the place of each fund's market in the order of opening; empty where there is one market.
    """

    def __init__(self, opening: list[int]) -> None:
        self.opening = opening
        self.waiting: Orders = []
        self._sleeve = ALL  # whose purchases they are
        self._tried: dict[int, int] = {}
        self._sold_later = 0  # the place of the last market that sells in the session

    def begin(self, events: Sequence[Event]) -> None:
        """Begin a session: what waits follows the splits of its funds, and ends with them."""
        self._tried.clear()
        self._sold_later = 0
        for event in events:
            if event.kind != "dividend":
                ratio = event.ratio if event.kind == "split" else 0.0
                self.waiting = [
                    (column, split_shares(order, ratio) if column == event.column else order)
                    for column, order in self.waiting
                ]

    def first_of(
        self, orders: Orders, dropped: Callable[[int], bool], lot: Callable[[int], int], *, sleeve: int | None
    ) -> Orders:
        """Return the orders of the session market by market as they open, after those that waited for it.

        ``sleeve`` is whose holdings were decided anew, ``ALL`` for the account, None for nobody's: what it
        wanted before waits no longer. Nor does a purchase of a fund that is ordered now, or that is
        ``dropped``.
        """
        if not self.opening:
            return orders
        orders = sorted(orders, key=lambda order: self.opening[order[0]])
        self._sold_later = max((self.opening[column] for column, order in orders if order < 0), default=0)
        waiting, self.waiting = self.waiting, []
        if sleeve not in (ALL, self._sleeve):
            ordered = {column for column, _ in orders}
            self._tried = {
                column: shares // lot(column) * lot(column)
                for column, shares in waiting
                if column not in ordered and not dropped(column) and shares >= lot(column)
            }
        return [*self._tried.items(), *orders]

    def tried(self, column: int) -> bool:
        """Return whether what is ordered of a fund in this session waited for it."""
        return column in self._tried

    def sleeve_of(self, column: int, sleeve: int) -> int:
        """Return whose an order is: of what waited the sleeve that wanted it, else that of the session."""
        return self._sleeve if column in self._tried else sleeve

    def cut(self, column: int, shares: int, sleeve: int, *, divides: bool) -> None:
        """Let shares wait that a purchase had no cash for, if a market that opens later sells in the session.

        One of all sleeves, where the account ``divides`` at the close, does not wait, nor does one that has
        waited before.
        """
        if shares < 0 or not self._sold_later or column in self._tried:
            return
        if self.opening[column] < self._sold_later and not divides:
            self.waiting.append((column, shares))
            self._sleeve = sleeve
