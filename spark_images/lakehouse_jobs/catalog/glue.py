"""The Glue Data Catalog: looking at an entry, and carrying out a step.

Nobody waits for the catalogue: a call is repeated a few times in seconds, then the next run does it.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from lakehouse_api.catalog import CatalogTable, Glue
from lakehouse_jobs.aws.clients import DENIED, NO_IDENTITY, client
from lakehouse_jobs.catalog.entry import Create, Document, Entry, Keep, Refuse, Update, place, step_for

UNAVAILABLE: Final = "CatalogUnavailable"

LOOKS: Final = 5
"""How often an entry is looked at anew because somebody else changed it in between."""

_LOG: Final = logging.getLogger(__name__)
_RACES: Final = ("ConcurrentModificationException", "AlreadyExistsException", "EntityNotFoundException")
_REFUSED: Final = ("InvalidInputException", "ResourceNumberLimitExceededException", "ValidationException")


class CatalogError(Exception):
    """The catalogue does not tell of a table as it is; the message says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class DataCatalog:
    """One Glue Data Catalog."""

    def __init__(self, glue: Glue) -> None:
        with _explained("the catalogue"):
            self._client = client("glue", region=glue.region, endpoint=glue.endpoint)
        self._in = {"CatalogId": glue.catalog_id} if glue.catalog_id else {}

    def follow(self, table: CatalogTable, entry: Entry) -> None:
        """Make the entry of a table what it is to be; nothing is written if it is already.

        Raises:
            CatalogError: it is not, and why.
        """
        told = f"{table.database}.{table.name}"
        with _explained(told):
            for _ in range(LOOKS):
                if self._followed(table, entry):
                    return
        raise CatalogError(
            reason="CatalogConflict",
            message=f"{told} was changed by somebody else each of {LOOKS} times. The next run tries again.",
        )

    def _followed(self, table: CatalogTable, entry: Entry) -> bool:
        """Look and act once; tell whether the entry is as it is to be."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 (loaded by the jobs that need it)

        try:
            self._act(table, entry)
        except ClientError as error:
            if _code(error) not in _RACES:
                raise
            _LOG.info("%s.%s changed meanwhile: %s", table.database, table.name, _code(error))
            return False
        return True

    def _act(self, table: CatalogTable, entry: Entry) -> None:
        told = f"{table.database}.{table.name}"
        step = step_for(entry, self._found(table))
        match step:
            case Keep():
                _LOG.info("the catalogue has %s as it is", told)
            case Refuse(why=why):
                raise CatalogError(
                    reason="CatalogTaken",
                    message=f"{told} is not this table: it {why}, and this table lies in {entry.location}. Remove it, "
                    "or give it or the table another name.",
                )
            case Create(table=document):
                self._require_database(table)
                self._client.create_table(DatabaseName=table.database, TableInput=document, **self._in)
                _LOG.info("the catalogue has %s now", told)
            case Update(table=document, version=version, changes=changes):
                self._update(table.database, document, version)
                _LOG.info("the catalogue follows %s: %s", told, ", ".join(changes))

    def _update(self, database: str, document: Document, version: str | None) -> None:
        """Replace an entry if it is still the one that was looked at; older versions of it are not kept."""
        at = {"VersionId": version} if version else {}
        self._client.update_table(DatabaseName=database, TableInput=document, SkipArchive=True, **at, **self._in)

    def _found(self, table: CatalogTable) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._client.get_table(DatabaseName=table.database, Name=table.name, **self._in)[
                "Table"
            ]
        except self._client.exceptions.EntityNotFoundException:
            return None
        return found

    def _require_database(self, table: CatalogTable) -> None:
        """Make the database unless it exists; one that does belongs to whoever made it."""
        try:
            self._client.get_database(Name=table.database, **self._in)
        except self._client.exceptions.EntityNotFoundException:
            database = {"Name": table.database, "LocationUri": place(table.database_uri)}
            self._client.create_database(DatabaseInput=database, **self._in)


@contextmanager
def _explained(told: str) -> Iterator[None]:
    from botocore import exceptions  # noqa: PLC0415 (loaded by the jobs that need it)

    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(told, error) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise CatalogError(reason="CatalogDenied", message=f"{told}: {NO_IDENTITY}") from error
    except exceptions.ParamValidationError as error:
        raise CatalogError(reason="CatalogRefused", message=f"{told}: {error}") from error
    except exceptions.BotoCoreError as error:
        raise CatalogError(
            reason=UNAVAILABLE,
            message=f"{told}: Glue gives no answer ({type(error).__name__}: {error}). Check settings.catalog.glue and "
            "the way there from the Pod; the next run tries again.",
        ) from error


def _refusal(told: str, error: Any) -> CatalogError:
    code = _code(error)
    said = " ".join(str(error.response["Error"].get("Message", "")).split()).rstrip(".")
    if code in DENIED:
        return CatalogError(
            reason="CatalogDenied",
            message=f"{told}: the job's role may not do this ({code}: {said}). Allow it in IAM and, where Lake "
            "Formation governs the database, there.",
        )
    if code in _REFUSED:
        return CatalogError(reason="CatalogRefused", message=f"{told}: Glue does not take it ({code}: {said}).")
    return CatalogError(reason=UNAVAILABLE, message=f"{told}: Glue answers {code}: {said}. The next run tries again.")


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])
