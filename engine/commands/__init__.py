"""One function a command: what the command line and a notebook do alike.

Each module has the function that a notebook calls on a strategy and a panel, the same on a :class:`Job`,
which is what a command line opens from its words, and the object that both return: it prints nothing, has its
document for ``--json``, and knows how to save itself. The command line parses, calls and prints.
"""
