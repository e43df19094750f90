"""The panel: day x symbol arrays, with a known face for strategies and a market face for engines."""
