"""Search over the parameters of a strategy: a space, a method, an evaluator, a study that keeps every one."""
