"""What can go wrong between the operator and the API server.

ClusterError
├── NotFoundError      the object, or its namespace, is not there
├── ConflictError      the object exists already, or has changed since it was read
├── ForbiddenError     no rights, or an admission rule (quota, LimitRange, Pod Security, webhook) said no
├── RejectedError      the object is not valid, or the request makes no sense
└── UnavailableError   no answer, too many requests, or a fault of the server: the same call may work later
"""

from collections.abc import Mapping
from typing import Any, Self


class ClusterError(Exception):
    """An answer of the API server that is not the one hoped for."""

    def __init__(self, message: str, *, code: int = 0, reason: str = "", causes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.causes = causes

    @property
    def namespace_ends(self) -> bool:
        """Tell whether the namespace is being deleted, so that nothing can be made in it any more."""
        return "NamespaceTerminating" in self.causes


class NotFoundError(ClusterError):
    """The object, or its namespace, is not there."""


class ConflictError(ClusterError):
    """The object exists already, or has changed since it was read."""

    @property
    def exists(self) -> bool:
        """Tell whether an object of that name was there before."""
        return self.reason == "AlreadyExists"


class ForbiddenError(ClusterError):
    """No rights, or an admission rule said no."""


class RejectedError(ClusterError):
    """The object is not valid, or the request makes no sense."""


class UnavailableError(ClusterError):
    """No answer, too many requests, or a fault of the server."""

    retry_after: float | None = None
    """Seconds that the server asked to wait."""

    @classmethod
    def without_answer(cls, call: str, error: BaseException) -> Self:
        """Tell that a call got no answer at all."""
        return cls(f"{call}: no answer from the API server ({type(error).__name__}: {error})")


_BY_CODE: dict[int, type[ClusterError]] = {
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: UnavailableError,  # a continue token, or a version, that etcd has compacted: list anew
    429: UnavailableError,
}
_SERVER_FAULT = 500


def error_of(call: str, code: int, status: Mapping[str, Any], retry_after: str | None = None) -> ClusterError:
    """Turn an answer of the API server into an error; `call` is what was asked, such as `POST /api/v1/pods`."""
    kind = _BY_CODE.get(code) or (UnavailableError if code >= _SERVER_FAULT else RejectedError)
    details = status.get("details") or {}
    error = kind(
        status.get("message") or f"{call}: HTTP {code}",
        code=code,
        reason=status.get("reason") or "",
        causes=tuple(cause.get("reason") or "" for cause in details.get("causes") or ()),
    )
    if isinstance(error, UnavailableError) and retry_after and retry_after.isdecimal():
        error.retry_after = float(retry_after)
    return error
