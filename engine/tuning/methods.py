"""Names of the methods of search, and what they do where nothing is said; imports nothing."""

METHODS = ("grid", "random", "tpe", "nsga2", "cmaes")
WITH_OPTUNA = ("tpe", "nsga2", "cmaes")
DEFAULT_TRIALS = 200
# Sets that optuna proposes before it hears of their outcomes.
DEFAULT_BATCH = 20
