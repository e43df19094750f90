"""Arithmetic that gives the same bits everywhere, and the one door to compiled code."""
