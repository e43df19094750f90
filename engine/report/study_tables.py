"""Tables and sentences of a study's page: readable without a script, in print, and by a screen reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from data.words import NOT_AVAILABLE, count, number, percent
from engine.metrics.declared import label_of, unit_of
from engine.metrics.metric import is_percent
from engine.report import html
from engine.report.html import Safe, join, table, tag
from engine.report.sections import unit_name
from engine.tuning.axes import Axis, text_of, words_of
from engine.tuning.landscape import Importance
from engine.tuning.neighbours import PLATEAU, Neighbourhood, Place, relative
from engine.tuning.objective import Objective, Trial
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.study import Study

ROWS = 20  # of the ranked table and of the Pareto front
LISTED = 12  # of the reasons of failures
LONGEST = 300  # letters of a reason
# Beside objectives and constrained metrics, where a study has them.
ALSO_SHOWN = ("sharpe_ratio", "annual_return", "annual_volatility", "max_drawdown", "turnover")


def shown(metric: str, value: float | None) -> str:
    """Return the value of a metric with its unit, where that is a sign."""
    unit = unit_of(metric)
    if is_percent(unit):
        return percent(value)
    return number(value, 0 if unit in ("money", "count") else 3)


def heading(metric: str, objective: Objective | None = None) -> Safe:
    """Return the head of a metric's column: what it is called, its unit, and what is sought of it."""
    unit = unit_name(unit_of(metric), "money").removeprefix("%").strip()
    aim = [] if objective is None else ["maximised" if objective.maximize else "minimised"]
    below = ", ".join(([unit] if unit else []) + aim)
    return tag("th", label_of(metric), tag("small", below) if below else "")


def columns_of(study: Study) -> list[tuple[str, Objective | None]]:
    """Return the metrics that tables show: objectives, constrained ones, and a few that say much."""
    goal = study.goal
    found: dict[str, Objective | None] = {each.metric: each for each in goal.objectives}
    known = {name for trial in study.ranked[:ROWS] for name in trial.outcome.metrics}
    for name in (*goal.metrics, *ALSO_SHOWN):
        if name in known:
            found.setdefault(name, None)
    return list(found.items())


def trial_table(study: Study, axes: Sequence[Axis], trials: Sequence[Trial], *, front: bool = False) -> Safe:
    """Return trials as rows: rank, number, parameters, metrics, and what is to know of them."""
    goal, columns = study.goal, columns_of(study)
    on_front = {trial.number for trial in study.pareto} if len(goal.objectives) > 1 and not front else set()
    remarks = bool(on_front) or bool(goal.constraints)
    head: list[object] = [tag("th", "Rank" if not front else ""), tag("th", "Trial")]
    head += [tag("th", axis.name) for axis in axes]
    head += [heading(metric, objective) for metric, objective in columns]
    rows: list[list[object]] = []
    for rank, trial in enumerate(trials, start=1):
        row: list[object] = [str(rank), str(trial.number)]
        row += [axis.text(trial.parameters[axis.name]) for axis in axes]
        row += [shown(metric, trial.outcome.metrics.get(metric)) for metric, _ in columns]
        if remarks:
            words = ["Pareto front"] if trial.number in on_front else []
            words += [] if goal.obeys(trial.outcome) else ["misses a constraint"]
            row.append(tag("td", ", ".join(words), class_="text"))
        rows.append(row)
    return table(
        [*head, tag("th", "", class_="text")] if remarks else head, rows, class_="compact trials", sort=True
    )


def cards(study: Study, on_record: int | None, *, best: bool) -> Safe:
    """Return the headline numbers: how many trials of which kind, and with ``best`` what the best reached."""
    failures = len(study.failures)
    feasible = sum(study.goal.feasible(trial.outcome) for trial in study.trials)
    made: list[tuple[str, str, str]] = []
    for objective in study.goal.objectives if best else ():
        first = study.best
        value = None if first is None else first.outcome.metrics.get(objective.metric)
        where = f"of the best, trial {first.number}" if first is not None else "no feasible trial"
        made.append((label_of(objective.metric), shown(objective.metric, value), where))
    made += [
        ("Trials", f"{len(study.trials):,}", f"by {study.header['method']}, seed {study.header['seed']}"),
        ("Feasible", f"{feasible:,}", "defined, and within constraints"),
        ("Failed", f"{failures:,}", "with their reasons below" if failures else "none"),
    ]
    if on_record is not None:
        made.append(("On record", f"{on_record:,}", f"ever looked at on {study.header['data']['name']}"))
    return html.cards(made)


def searched(study: Study) -> Safe:
    """Return what was searched, how, on what, under what assumptions."""
    header = study.header
    spec, data = header["spec"], header["data"]
    space = [(text.partition("=")[0], text.partition("=")[2]) for text in map(str, header["space"])]
    wanted = "all sets" if header["trials"] is None else count(int(header["trials"]), "trial")
    batch = "" if header["batch"] is None else f", {header['batch']} at once"
    search: list[tuple[object, object]] = [
        ("strategy", header["strategy"]),
        *((f"searched: {name}", values) for name, values in space),
        *((f"set: {name}", text_of(value)) for name, value in header["parameters"].items()),
        ("conditions on parameters", " and ".join(header["where"]) or "none"),
        ("method", f"{header['method']}, first asked for {wanted}{batch}"),
        *((f"sampler: {name}", text_of(value)) for name, value in header.get("sampler", {}).items()),
        ("seed", header["seed"]),
        ("objectives", ", ".join(header["objectives"])),
        ("constraints", " and ".join(header["constraints"]) or "none"),
        ("study", header["study_id"]),
    ]
    costs = {name: text_of(value) for name, value in spec.get("costs", {}).items()}
    market: list[tuple[object, object]] = [
        ("data", data["name"]),
        ("fingerprint of the data", data["fingerprint"]),
        ("data from, to", f"{data['first_day']} to {data['last_day']}"),
        ("funds", f"{len(data['symbols'])}: {', '.join(data['symbols'])}"),
        ("fills at", spec.get("fill", NOT_AVAILABLE)),
        ("cash", number(spec.get("cash"), 0)),
        ("reserve", text_of(spec.get("reserve", 0.0))),
        *costs.items(),
        ("versions", ", ".join(f"{name} {version}" for name, version in header["versions"].items())),
    ]
    tables = (("Search", search), ("Market and execution", market))
    return tag(
        "div",
        *(tag("div", table((title, ""), rows, text_columns=2, class_="wrap")) for title, rows in tables),
        class_="columns",
    )


def importance_table(axes: Sequence[Axis], found: Sequence[tuple[Objective, Importance | None]]) -> Safe:
    """Return shares of variance as bars, the largest first by the first objective."""
    known = [(objective, shares) for objective, shares in found if shares is not None]
    if not known:
        return tag("p", "The objective does not vary over the trials, or there are fewer than three.")
    order = sorted(range(len(axes)), key=lambda index: -known[0][1].shares[index])
    rows: list[list[object]] = [
        [axes[index].name, *(_bar(shares.shares[index]) for _, shares in known)] for index in order
    ]
    rows.append(["together, or unexplained", *(_bar(shares.rest, rest=True) for _, shares in known)])
    head = ("Parameter", *(tag("th", label_of(each.metric), class_="text") for each, _ in known))
    return table(head, rows, class_="bars")


def _bar(share: float, *, rest: bool = False) -> Safe:
    bar = tag("span", "", class_="bar rest" if rest else "bar", style=f"width:{share * 100:.1f}%")
    return tag("td", tag("span", bar, class_="track"), tag("span", percent(share, 1)), class_="text")


def neighbour_table(study: Study, axes: Sequence[Axis], around: Neighbourhood) -> Safe:
    """Return the neighbours with their objective, beside the best."""
    best, objective = study.best, study.goal.objectives[0]
    if best is None:
        return Safe("")
    top = best.outcome.metrics[objective.metric]
    rows: list[list[object]] = [
        ["the best itself", str(best.number), *_measured(best.parameters, best.outcome, axes, objective, top)]
    ]
    for place in around.places:
        rows.append(_place(place, axes, objective, top))
    head = [
        tag("th", "Step", class_="text"),
        tag("th", "Trial"),
        *(tag("th", axis.name) for axis in axes),
        heading(objective.metric, objective),
        tag("th", "Relative to the best"),
    ]
    return table(head, rows, class_="compact")


def _place(place: Place, axes: Sequence[Axis], objective: Objective, top: float | None) -> list[object]:
    step = place.neighbour.step
    if place.outcome is None:
        return [step, "not tried", *[""] * len(axes), "", ""]
    number = "no trial" if place.number is None else str(place.number)
    return [step, number, *_measured(place.neighbour.parameters, place.outcome, axes, objective, top)]


def _measured(
    parameters: Parameters, outcome: Outcome, axes: Sequence[Axis], objective: Objective, top: float | None
) -> list[object]:
    value = outcome.metrics.get(objective.metric)
    share = None if value is None or top is None else relative(value, top, objective)
    words = "failed" if outcome.failure is not None else shown(objective.metric, value)
    return [*(axis.text(parameters[axis.name]) for axis in axes), words, percent(share, 0)]


def neighbour_lead(study: Study, axes: Sequence[Axis], around: Neighbourhood) -> str:
    """Return what a neighbour is, as far as it matters for this study."""
    within = ", within the conditions" if study.header["where"] else ""
    interval = any(axis.kind == "interval" for axis in axes)
    said = f"One step from the best in one parameter at a time{within}; "
    said += "a step of a range without steps is a twentieth of it; " if interval else ""
    said += "parameters without order have no steps."
    beside = any(each.number is None and each.outcome is not None for each in around.places)
    return said + (" Those that are no trials were run for the judgement." if beside else "")


def plateau_sentence(study: Study, around: Neighbourhood) -> Safe:
    """Return in words whether the best stands on a plateau or alone, and by which rule."""
    objective = study.goal.objectives[0]
    rule = f"isolated peak where the median of the neighbours is below {PLATEAU:.0%} of the best"
    median, worst = shown(objective.metric, around.median), shown(objective.metric, around.worst)
    known = "" if around.known == len(around.places) else f"; {around.known} of {len(around.places)} known"
    if around.word == "unknown":
        of_median = f" The median of the neighbours is {median}; the worst is {worst}{known}."
        said = tag("b", f"Not known: {around.reason}.")
        return tag("p", said, of_median if around.known else "", f" Rule: {rule}.")
    share = "which is no share of the best" if around.share is None else f"{around.share:.0%} of the best"
    title = "Isolated peak." if around.word == "isolated peak" else "Plateau."
    text = f" The median of the neighbours is {median}, {share}; the worst is {worst}{known}. Rule: {rule}."
    return tag("p", tag("b", title), text, class_=around.word.replace(" ", "-"))


def failure_table(study: Study) -> Safe:
    """Return the reasons of failures, the most frequent first, each with a set that has it."""
    reasons = [" ".join((trial.outcome.failure or "").split()) for trial in study.failures]
    first: dict[str, Trial] = {}
    for reason, trial in zip(reasons, study.failures, strict=True):
        first.setdefault(reason, trial)
    counts = sorted(Counter(reasons).items(), key=lambda each: (-each[1], first[each[0]].number))
    rows: list[tuple[Any, ...]] = [
        (f"{times:,}", f"{first[reason].number}: {words_of(first[reason].parameters)}", _cut(reason))
        for reason, times in counts[:LISTED]
    ]
    left = len(counts) - LISTED
    more = tag("p", f"and {count(left, 'other reason')}.", class_="note") if left > 0 else Safe("")
    return join(table(("Trials", "The first", "Reason"), rows, text_columns=3, class_="wrap failures"), more)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
