"""One account over the sessions of a panel: the reference engine, the batch engine, and their books."""
