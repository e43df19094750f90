"""Search over the parameters of a strategy: a space, a method, an evaluator, and a study that keeps every trial."""
