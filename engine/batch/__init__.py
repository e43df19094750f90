"""The batch engine: many accounts at once, the same numbers as the reference engine to the last bit."""
