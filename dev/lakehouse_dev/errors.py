"""What the development tools raise when the machine, not the code, is the problem."""


class DevError(Exception):
    """A failure whose message tells what happened, where, and what to do; shown without a traceback."""
