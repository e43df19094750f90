"""Spoilt inputs, by the million: whatever comes through a door is taken, rightly, or refused in words."""
