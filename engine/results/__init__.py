"""Results on disk: the folder of a run, how it is found again, how two differ, and its trades."""
