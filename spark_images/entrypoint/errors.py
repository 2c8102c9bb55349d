"""What ends the entry before anything is started."""


class UnusableError(Exception):
    """What the pod was given cannot work; the message says what, where and what to do."""
