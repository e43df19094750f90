"""Names of methods of search and of what evaluates sets, and their settings; imports nothing of ours."""

from __future__ import annotations

from typing import Any

METHODS = ("grid", "random", "tpe", "nsga2", "cmaes")
# Threads of this process, or workers of a dask cluster.
EXECUTORS = ("local", "dask")
WITH_OPTUNA = ("tpe", "nsga2", "cmaes")
# What is ranked of a set that is run on every phase of its cycle.
PHASES = ("mean", "median", "worst")
DEFAULT_TRIALS = 200
# Sets that optuna proposes before it hears of their outcomes.
DEFAULT_BATCH = 20


def sampler_settings(method: str, objectives: int, batch: int) -> dict[str, Any]:
    """Return all that a sampler of optuna is made with but for its seed; empty for other methods.

    Everything that decides which sets are proposed is said, also where it is optuna's default: that may
    change from one version to the next, and did (4 drew parameters one by one, 5 draws them together where
    there is one objective).
    """
    if method == "tpe":
        return {
            "multivariate": objectives == 1,  # parameters drawn together; with several objectives one by one
            "n_startup_trials": 10,
            "n_ei_candidates": 24,
            "constant_liar": True,  # sets of a batch keep away from each other
        }
    if method == "nsga2":
        # A batch is a generation: of optuna's own 50, two hundred trials would be four.
        return {
            "population_size": max(batch, 2),
            "crossover": "simulated binary",
            "crossover_prob": 0.9,
            "swapping_prob": 0.5,
            "mutation": "polynomial",
            "mutation_prob": None,  # one parameter in each set, on average
        }
    if method == "cmaes":
        return {"n_startup_trials": 1, "use_separable_cma": False, "with_margin": False, "lr_adapt": False}
    return {}
