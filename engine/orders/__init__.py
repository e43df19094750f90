"""What to hold at the next open, as orders."""
