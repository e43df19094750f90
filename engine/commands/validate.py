"""``validate``: judge a study by what all its trials did, and open its hold-out, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import UsageError
from engine.commands.seals import open_seal
from engine.commands.study import Judgement, judge
from engine.pipeline import Watch
from engine.tuning.holdout import open_holdout as open_now
from engine.tuning.holdout import opened
from engine.tuning.judge import SplitSizes
from engine.tuning.reopen import reopen


def validate(
    study: str | Path,
    catalogue: Mapping[str, type[Any]],
    *,
    out: str | Path = "results",
    data: str | None = None,
    splits: str = "both",
    sizes: SplitSizes | None = None,
    open_holdout: bool = False,
    allow: Sequence[str] = (),
    trust: bool = False,
    watch: Watch | None = None,
) -> Judgement:
    """Return the judgement of a study, an id under ``out`` or a folder; it is written beside the study.

    ``catalogue`` are strategies by name (``strategies.STRATEGIES``), among which that of the study is;
    ``data`` says where its data are now, ``allow`` which checks of them may fail besides. With
    ``open_holdout`` the best trial also runs on the sessions that the search kept shut, which is written down
    and works once; UsageError while the record is not whole, and, unless ``trust``, where the strategy is in
    a file that this user has never run by its name.
    :meth:`Judgement.save` draws the page.
    """
    watch = watch or Watch()
    again = reopen(str(study), Path(out), catalogue, watch, data, allow=allow, trust=trust)
    report = judge(
        again.study,
        again.evaluate,
        again.space,
        splits=splits,
        sizes=sizes,
        catalogue=catalogue,
        announce=watch.announce,
    )
    if open_holdout and report.evidence.unknown:
        raise UsageError(
            "the hold-out stays shut: who looked at these data before cannot be known",
            received="; ".join(report.evidence.unknown),
            hint="See to that, then open it: it opens once.",
        )
    if open_holdout:
        open_now(again, catalogue, Path(out), watch, open_seal)
    return Judgement(again.study, report, opened(again.study.folder), again.evaluate, again.space)
