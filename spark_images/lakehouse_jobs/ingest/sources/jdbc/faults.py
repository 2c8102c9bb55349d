"""What a database's refusal means for the job: its SQLSTATE or its own number, wherever the driver met it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from py4j.protocol import Py4JJavaError

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError

_LENGTH: Final = 400
_LINKS: Final = 20
_EXCEPTIONS: Final = re.compile(
    r"(?:org\.postgresql\.util\.PSQL|com\.amazon\.redshift\.util\.Redshift|java\.sql\.SQL\w*|\w*\.Snowflake\w*)"
    r"Exception: (?P<message>[^\n]+)"
)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What a driver threw: SQLSTATE, the database's own number, and its words."""

    state: str
    number: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A reason, what to do, and whether it may pass."""

    reason: str
    advice: str
    code: ExitCode


MISSING: Final = Meaning(
    reason="SourceMissing",
    advice="Create it, or correct source.jdbc.",
    code=ExitCode.SPEC_WRONG,
)
COLUMN: Final = Meaning(
    reason="ColumnMissing", advice="Correct the name in source.jdbc or incremental.", code=ExitCode.SPEC_WRONG
)
DENIED: Final = Meaning(
    reason="AccessDenied",
    advice="Check the Secret named as credentials and what its user may read; the next attempt uses it as it is then.",
    code=ExitCode.UNAVAILABLE,
)
QUERY: Final = Meaning(reason="QueryRefused", advice="Correct source.jdbc.query.", code=ExitCode.SPEC_WRONG)
SLOW: Final = Meaning(
    reason="SourceTimedOut",
    advice="Raise the statement timeout of the user, add an index on the cursor, or read in more partitions.",
    code=ExitCode.UNAVAILABLE,
)
AWAY: Final = Meaning(
    reason="SourceUnavailable",
    advice="Check that the database runs and can be reached from the Pod; the run is tried again.",
    code=ExitCode.UNAVAILABLE,
)

_NUMBERS: Final = {
    **dict.fromkeys((390100, 390144, 390195, 390318), DENIED),  # Snowflake: wrong password, token, network policy
    **dict.fromkeys((2003, 2043), MISSING),  # Snowflake: does not exist or not authorized
    904: COLUMN,
    1003: QUERY,
    604: SLOW,
    630: SLOW,
}
_STATES: Final = {
    "42P01": MISSING,
    "42S02": MISSING,
    "3F000": MISSING,
    "3D000": MISSING,
    "42703": COLUMN,
    "42501": DENIED,
    "28P01": DENIED,
    "57014": SLOW,
}
_CLASSES: Final = {"28": DENIED, "42": QUERY, "22": QUERY, "0A": QUERY, "21": QUERY}


def meaning(refusal: Refusal) -> Meaning:
    """Tell what a refusal means; what has no meaning of its own may pass."""
    return _NUMBERS.get(refusal.number) or _STATES.get(refusal.state) or _CLASSES.get(refusal.state[:2]) or AWAY


def fault(error: Exception, where: str) -> JobError | None:
    """Make a failure of the job from an error of a driver; None if it is none."""
    if isinstance(error, JobError):
        return error
    found = next(refusals(error), None)
    if found is None:
        return None
    meant = meaning(found)
    words = " ".join(found.message.split())[:_LENGTH].rstrip(".")
    return JobError(meant.reason, f"{where}: {words}. {meant.advice}", meant.code)


def refusals(error: BaseException) -> Iterator[Refusal]:
    """Find what drivers threw among the causes, outermost first; of an executor's error only words may be left."""
    throwable = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    told = str(error)
    for _ in range(_LINKS):
        if throwable is None:
            break
        if _is_sql(throwable):
            yield Refusal(
                state=throwable.getSQLState() or "", number=throwable.getErrorCode(), message=_message(throwable)
            )
        throwable = throwable.getCause()
    for words in _EXCEPTIONS.finditer(told):
        yield Refusal(state=_state_told(words["message"]), number=0, message=words["message"])


def _is_sql(throwable: Any) -> bool:
    kind = throwable.getClass()
    while kind is not None:
        if kind.getName() == "java.sql.SQLException":
            return True
        kind = kind.getSuperclass()
    return False


def _message(throwable: Any) -> str:
    return str(throwable.getMessage() or "")


def _state_told(message: str) -> str:
    return "57014" if "canceling statement due to" in message else ""
