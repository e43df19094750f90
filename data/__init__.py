"""Everything known about the market; knows nothing of strategies or engines."""
