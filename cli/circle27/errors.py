"""Errors that a user of the command line can act on."""


class CircleError(Exception):
    """One sentence for the user: what is wrong and what to do next. Shown without a traceback; exit status 1."""
