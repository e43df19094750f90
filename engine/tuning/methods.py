"""Names of methods of search and of what evaluates sets, and their defaults; imports nothing."""

METHODS = ("grid", "random", "tpe", "nsga2", "cmaes")
# Threads of this process, or workers of a dask cluster.
EXECUTORS = ("local", "dask")
WITH_OPTUNA = ("tpe", "nsga2", "cmaes")
DEFAULT_TRIALS = 200
# Sets that optuna proposes before it hears of their outcomes.
DEFAULT_BATCH = 20
