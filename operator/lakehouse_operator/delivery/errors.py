"""Why a message was not taken. No text here repeats a URL, a key or an answer that could hold one."""

from lakehouse_operator.core.notices import Failure


class DeliveryError(Exception):
    """A channel did not take a message; another attempt may find the cause gone."""

    def __init__(self, reason: str, message: str, *, wait_seconds: float = 0) -> None:
        super().__init__(message)
        self.failure = Failure(reason=reason, message=message, wait_seconds=wait_seconds)
