"""How a job fails: one exception that carries the reason, what to do, and whether trying again can help.

JobError
├── ExpectationsFailed
└── raised as it is by the job's own checks; `failure_of` makes one from what Spark, Hadoop or S3 throw
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException

from lakehouse_api.enforcement import ExpectationResult
from lakehouse_api.run import ExitCode

MESSAGE_LIMIT = 900
MISSING = "Missing"
"""Becomes SourceMissing or TargetMissing."""


class JobError(Exception):
    """The job cannot end well; `code` decides whether another attempt is made."""

    def __init__(self, reason: str, message: str, code: ExitCode) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.code = code


def spec_wrong(reason: str, message: str) -> JobError:
    """Fail because a person must change the resource, the contract or the table."""
    return JobError(reason, message, ExitCode.SPEC_WRONG)


def data_refused(message: str) -> JobError:
    """Fail because a file as a whole cannot be read as what it should be."""
    return JobError("DataRefused", message, ExitCode.DATA_REFUSED)


def said(error: PySparkException, *, limit: int = 300) -> str:
    """Give what Spark says of a query in one line, without its own stack."""
    return " ".join(str(error).split("JVM stacktrace")[0].split())[:limit].rstrip(".")


def drift_detected(message: str) -> JobError:
    """Fail because the source changed its shape, and the pipeline's policy wants no such batch."""
    return JobError("DriftDetected", message, ExitCode.DATA_REFUSED)


class ExpectationsFailed(JobError):  # noqa: N818 (the reason's own word)
    """The batch violates an expectation that must not be violated; `results` has all that were checked."""

    def __init__(self, message: str, results: Sequence[ExpectationResult]) -> None:
        super().__init__("ExpectationFailed", message, ExitCode.DATA_REFUSED)
        self.results = tuple(results)


def unavailable(reason: str, message: str) -> JobError:
    """Fail because of something that may pass by itself."""
    return JobError(reason, message, ExitCode.UNAVAILABLE)


@dataclass(frozen=True, kw_only=True)
class JavaError:
    """One throwable of a chain of causes, and the class that threw it."""

    type: str
    message: str
    thrown_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What a throwable's type, message or origin means for the job; the first sign found in the chain decides."""

    reason: str
    code: ExitCode
    advice: str
    types: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def shows_in(self, error: JavaError) -> bool:
        """Tell whether the throwable carries this sign."""
        of_type = error.type.rpartition(".")[2] in self.types
        # an error of an executor arrives as text: the names of its types are all that is left of its causes
        told = (*(f"{name}: " for name in self.types), *self.words)
        return of_type or any(word in error.message or word in error.thrown_by for word in told)


KAFKA_SIGNS = (
    Sign(
        reason=MISSING,
        code=ExitCode.SPEC_WRONG,
        advice="Create the topic, or correct source.kafka.topic.",
        types=("UnknownTopicOrPartitionException", "InvalidTopicException"),
    ),
    Sign(
        reason="AccessDenied",
        code=ExitCode.UNAVAILABLE,
        advice="Check the Secret named as credentials, source.kafka.security, and what its user may read; the next "
        "attempt uses them as they are then.",
        types=("SaslAuthenticationException", "TopicAuthorizationException", "ClusterAuthorizationException"),
    ),
    Sign(
        reason="SourceUntrusted",
        code=ExitCode.UNAVAILABLE,
        advice="Correct source.kafka.bootstrapServers or security.protocol, or let the settings name the authority "
        "(settings.spark.caBundleConfigMap).",
        types=("SslAuthenticationException",),
    ),
    Sign(
        reason="SourceChanged",
        code=ExitCode.UNAVAILABLE,
        advice="Nothing was committed; the next attempt plans anew and says what is missing.",
        types=("OffsetOutOfRangeException",),
        words=("KAFKA_DATA_LOSS",),
    ),
    Sign(
        reason="SourceUnavailable",
        code=ExitCode.UNAVAILABLE,
        advice="Check that the brokers run, can be reached from the Pod under the names they give, and speak "
        "source.kafka.security.protocol; the run is tried again.",
        words=("org.apache.kafka.common.errors.TimeoutException", "No resolvable bootstrap urls"),
    ),
)
SIGNS = (
    *KAFKA_SIGNS,
    Sign(
        reason="StoreUnsafe",
        code=ExitCode.SPEC_WRONG,
        advice="Use a store that honours conditional writes.",
        words=("ignores `If-None-Match",),
    ),
    Sign(
        reason=MISSING,
        code=ExitCode.SPEC_WRONG,
        advice="Create the bucket or correct its name.",
        types=("UnknownStoreException", "NoSuchBucketException"),
        words=("NoSuchBucket",),
    ),
    Sign(
        reason="AccessDenied",
        code=ExitCode.UNAVAILABLE,
        advice="Check the Secret named as credentials and what its key may do; the next attempt uses it as it is then.",
        types=("AccessDeniedException", "NoAuthWithAWSException", "CredentialInitializationException"),
        words=("InvalidAccessKeyId", "SignatureDoesNotMatch", "Status Code: 403"),
    ),
    Sign(
        reason="SourceChanged",
        code=ExitCode.UNAVAILABLE,
        advice="A file changed or vanished while it was read; nothing was committed, the next attempt plans anew.",
        types=("RemoteFileChangedException", "FileNotFoundException"),
        words=("FILE_NOT_EXIST",),
    ),
    Sign(
        reason="DataRefused",
        code=ExitCode.DATA_REFUSED,
        advice="Remove or replace the file, or correct source.files.format and options.",
        types=("ZipException", "ZstdIOException", "MalformedInputException"),
        words=(
            "is not a Parquet file",
            "CANNOT_READ_FILE_FOOTER",
            "CANNOT_MERGE_SCHEMAS",
            "incorrect header check",
            "not a gzip file",
            "gzip stream CRC failure",
            "stored gzip size",
            "Unexpected end of input stream",
            "invalid stored block lengths",
            "invalid block type",
            "CBZip2InputStream",  # it reads beyond its arrays
        ),
    ),
    Sign(
        reason="StoreUnavailable",
        code=ExitCode.UNAVAILABLE,
        advice="Check that the endpoint can be reached from the Pod; the run is tried again.",
        types=(
            "ConnectException",
            "NoRouteToHostException",
            "UnknownHostException",
            "SocketTimeoutException",
            "SocketException",
            "ConnectTimeoutException",
            "ConnectionPoolTimeoutException",
            "HttpHostConnectException",
            "NoHttpResponseException",
            "AWSApiCallTimeoutException",
            "ApiCallTimeoutException",
            "AWSServiceThrottledException",
            "AWSStatus500Exception",
            "SdkClientException",
            "AWSClientIOException",
        ),
        words=("Status Code: 503", "Status Code: 500"),
    ),
)


ONLY_OF_SOURCES = frozenset({"SourceChanged", "DataRefused"})
SIGNS_OF_TARGETS = tuple(sign for sign in SIGNS if sign.reason not in ONLY_OF_SOURCES)


def failure_of(error: Exception, *, where: str, side: Literal["Source", "Target"]) -> JobError:
    """Classify what went wrong while doing `where`; what carries no known sign is tried again."""
    if isinstance(error, JobError):
        return error
    chain = list(causes(error))
    for sign in SIGNS if side == "Source" else SIGNS_OF_TARGETS:
        found = next((cause for cause in chain if sign.shows_in(cause)), None)
        if found:
            reason = f"{side}Missing" if sign.reason == MISSING else sign.reason
            return JobError(reason, _sentence(where, found, chain, sign.advice), sign.code)
    cause = chain[-1] if chain else JavaError(type=type(error).__name__, message=str(error))
    return unavailable("Unexpected", _sentence(where, cause, chain, "The driver's log has the whole story."))


def causes(error: BaseException) -> Iterator[JavaError]:
    """Walk the Java causes of an error that py4j or PySpark raised, outermost first."""
    throwable = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    for _ in range(20):
        if throwable is None:
            return
        frames = throwable.getStackTrace()
        thrown_by = frames[0].getClassName() if len(frames) else ""
        yield JavaError(type=throwable.getClass().getName(), message=_message(throwable), thrown_by=thrown_by)
        throwable = throwable.getCause()


def _message(throwable: Any) -> str:
    try:
        return str(throwable.getMessage() or "")
    except Py4JError:
        return ""


def _sentence(where: str, cause: JavaError, chain: list[JavaError], advice: str) -> str:
    file = next((name for name in map(_file_named, chain) if name), "")
    named = f" ({file})" if file and file not in cause.message else ""
    detail = " ".join(cause.message.split())[: MESSAGE_LIMIT - 400]
    return f"{where}{named}: {cause.type.rpartition('.')[2]}: {detail.rstrip('.')}. {advice}"


def _file_named(cause: JavaError) -> str:
    _, found, rest = cause.message.partition("Encountered error while reading file ")
    return rest.split(". ")[0].split()[0].rstrip(".") if found and rest else ""
