#!/bin/sh
# One sampler draws parameters jointly for one objective and one by one for two, and does not say so.
#
# optuna 5.0.0, `TPESampler()` with everything left to its defaults:
#
# - with one objective `multivariate` is on: a set is drawn from the joint distribution of its parameters;
# - with two it is off: each parameter is drawn by itself, as in every search of optuna 4, whatever the objectives.
#
# A search that adds an objective, or an upgrade, thus changes its method without a change of code. Besides, a
# constraint of NaN (a metric that is undefined for one set) ends the whole search with a ValueError, where a missing
# objective is a failed trial.
#
# Fails if any of the three changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check optuna==5.0.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
space = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in ("x", "y")}


def drawn_jointly(objectives):
    study = optuna.create_study(
        directions=["maximize"] * objectives, sampler=optuna.samplers.TPESampler(seed=0)
    )
    for _ in range(12):
        trial = study.ask(space)
        study.tell(trial, [trial.params["x"]] * objectives)
    frozen = study.trials[-1]
    return sorted(study.sampler.infer_relative_search_space(study, frozen))


one, two = drawn_jointly(1), drawn_jointly(2)
print(f"drawn jointly: with one objective {one}, with two {two}")
study = optuna.create_study()
try:
    study.ask(space).set_constraint("0", math.nan)
    refused = False
except ValueError as error:
    refused = True
    print(f"a constraint of NaN: ValueError: {error}")
assert (one, two, refused) == (["x", "y"], [], True)
PYTHON
