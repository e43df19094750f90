"""Pages of results, each one file that needs nothing else; and any of them on paper."""
