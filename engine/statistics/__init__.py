"""Statistics of returns and of searches: functions of arrays, each with its source; none knows a run."""
