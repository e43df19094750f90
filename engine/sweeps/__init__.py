"""Many parameter sets of one strategy, measured in a fraction of a millisecond each."""
