"""Golden runs; see make.py."""
