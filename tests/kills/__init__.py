"""Commands that are disturbed: killed, interrupted, on a full disk. ``python -m tests.kills --count N``.

A command is run undisturbed first, and the calls counted by which it changes files. Then it is run again from
the same beginning, and disturbed at one of those calls, or killed at a moment drawn at random. Whatever is
there then must be as before, or as after, whole; the same command again, or gone on with, must end in what an
undisturbed one leaves, without leftovers. ``beside`` runs another command at that call, which is to lose
nothing either. Processes are forked from one that has loaded what they need, but for the kind ``process``,
which kills an interpreter of its own, from its start on. A disturbance takes a second or two, so that it is
no part of continuous integration.
"""
