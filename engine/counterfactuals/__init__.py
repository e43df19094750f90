"""The run once more with one thing changed: another phase of its cycle, funds drawn by lot, a rule less."""
