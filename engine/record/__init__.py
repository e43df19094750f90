"""The record: whatever looked at a body of data, and what was judged, in files that only ever grow."""
