"""Paper accounts: books that go on day by day, and a file of them that only grows."""
