"""What a strategy may be, how it is loaded, and the check that it cannot see ahead."""
