"""Statistics of returns and of searches: functions of arrays, each with its paper, none of which knows a run."""
