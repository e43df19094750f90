"""What a setting of a run or of a judgement can be; imports nothing, so that options can list it."""

ENGINES = ("reference", "batch")
# The price of a session at which orders fill.
FILLS = ("open", "vwap", "close")
# Tests out of sample.
SPLITS = ("both", "walkforward", "cpcv", "none")
