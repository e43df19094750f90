"""When a rotation decides: on which sessions, and in tranches which sleeve of the account."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from engine.kernel.targets import undivided

Integers = NDArray[np.int64]


def decision_rows(
    rebalance: int | str, days: NDArray[np.datetime64], first: int, last: int, phase: int = 0
) -> Integers:
    """Return the rows of the decision sessions from ``first`` to ``last``, both included.

    ``first`` is one of them. ``rebalance`` is a number of sessions, counted from ``phase`` sessions after
    ``first``; or ``weekly`` or ``monthly`` (the first session of each week or month after it), or ``once``.
    UsageError for a number below 1, and for a phase that such a rotation does not have.
    """
    rows = np.arange(first, last + 1, dtype=np.int64)
    require_phase(rebalance, phase)
    if rebalance == "once":
        return rows[:1]
    if rebalance in ("weekly", "monthly"):
        if rebalance == "weekly":
            # 1970-01-01 was a Thursday: shifted by three days, weeks begin on Monday.
            periods = (days[rows].astype("datetime64[D]").astype(np.int64) + 3) // 7
        else:
            periods = days[rows].astype("datetime64[M]").astype(np.int64)
        return rows[np.concatenate(([True], periods[1:] != periods[:-1]))]
    later = rows[phase :: int(rebalance)]
    return later if phase == 0 else np.concatenate((rows[:1], later))


def decision_turns(
    rebalance: int | str,
    days: NDArray[np.datetime64],
    first: int,
    last: int,
    phase: int = 0,
    tranches: int = 1,
) -> tuple[Integers, Integers]:
    """Return the rows of the decision sessions, (K,), and whose turn each is, (K, 2) as in ``Targets``.

    All sleeves decide as one account on ``first``, and each alone on the later sessions of its own phase.
    Errors are those of ``decision_rows`` and ``sleeve_phases``.
    """
    phases = sleeve_phases(rebalance, phase, tranches)
    later = [decision_rows(rebalance, days, first, last, each)[1:] for each in phases]
    rows = np.concatenate([np.array([first], dtype=np.int64), *later])
    turns = undivided(len(rows))
    if tranches > 1:
        turns[:, 0] = tranches
        turns[1:, 1] = np.repeat(np.arange(tranches), [len(each) for each in later])
    order = np.argsort(rows, kind="stable")
    return rows[order], turns[order]


def phases_of(rebalance: int | str) -> int | None:
    """Return how many phases a rotation has; None where its cycle is not a number of sessions."""
    return None if rebalance in ("weekly", "monthly", "once") else int(rebalance)


def sleeve_phases(rebalance: int | str, phase: int, tranches: int) -> tuple[int, ...]:
    """Return the phase of each sleeve, no two alike: spread evenly over the cycle, rounded down.

    With ``once`` there is no second decision, and all are 0. UsageError for more sleeves than phases.
    """
    require_phase(rebalance, phase)
    if tranches == 1:
        return (phase,)
    if rebalance == "once":
        return (0,) * tranches
    cycle = phases_of(rebalance)
    if cycle is None or not 1 <= tranches <= cycle:
        raise UsageError(
            "`tranches` needs as many sessions in `rebalance`",
            received=f"{tranches} tranches, rebalance {rebalance}",
            limit=f"1 to {cycle or 1}",
        )
    return tuple((phase + sleeve * cycle // tranches) % cycle for sleeve in range(tranches))


def distinct_phases(rebalance: int | str, tranches: int) -> int | None:
    """Return how many phases of a rotation differ: in tranches that divide its cycle, so many times fewer.

    None where its cycle is not a number of sessions.
    """
    cycle = phases_of(rebalance)
    if cycle is None:
        return None
    return cycle // tranches if cycle % tranches == 0 else cycle


def require_phase(rebalance: int | str, phase: int) -> None:
    """Raise UsageError unless a rotation has such a phase."""
    cycle = phases_of(rebalance)
    if cycle is not None and cycle < 1:
        raise UsageError("`rebalance` is out of bounds", received=rebalance, limit="1 session or more")
    if not 0 <= phase < (cycle or 1):
        raise UsageError(
            "`phase` is no session of the cycle",
            received=f"phase {phase}, rebalance {rebalance}",
            limit=f"0 to {(cycle or 1) - 1}",
        )
