"""The arithmetic of a trade, written once and used by every engine: numbers in, numbers out."""
