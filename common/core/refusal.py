"""The one root of all that goes wrong because of what was asked, not because of a bug."""


class Refusal(Exception):
    """What was asked cannot be done; the message is a sentence: what, where, what to do.

    A page shows the message, a command ends with it and status 1, a job keeps it as its failure.
    """


class Conflict(Refusal):
    """What was asked rests on something that has changed since; nothing was written."""
