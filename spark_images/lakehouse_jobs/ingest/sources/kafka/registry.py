"""The schema registry: the Avro schema behind each id that messages name, with the schemas it refers to."""

import ssl
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from lakehouse_jobs.failures import JobError, unavailable

_TIMEOUT_SECONDS: Final = 10
_TRIES: Final = 3
_UNKNOWN: Final = frozenset({40401, 40402, 40403})
_MOST_REFERENCES: Final = 200
_ACCEPT: Final = "application/vnd.schemaregistry.v1+json, application/json"


class SchemaRegistry:
    """A registry with Confluent's API; a context manager."""

    def __init__(self, url: str, *, user: str | None, password: str | None) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            auth=httpx.BasicAuth(user, password or "") if user else None,
            headers={"Accept": _ACCEPT},
            timeout=_TIMEOUT_SECONDS,
            transport=httpx.HTTPTransport(verify=ssl.create_default_context(), retries=_TRIES - 1),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def schemas(self, ids: Iterable[int]) -> dict[str, tuple[str, ...]]:
        """Give by id the texts of an Avro schema: those it refers to, in their order, and last itself.

        Ids that the registry does not know, or has another kind of schema for, are left out.
        """
        found = {str(each): self._schema(each) for each in sorted(ids)}
        return {each: texts for each, texts in found.items() if texts}

    def _schema(self, number: int) -> tuple[str, ...]:
        document = self._get(f"schemas/ids/{number}")
        if document is None or document.get("schemaType", "AVRO") != "AVRO":
            return ()
        texts: dict[tuple[str, int], str] = {}
        self._collect(document, texts)
        return (*texts.values(), self._text(document))

    def _collect(self, document: Mapping[str, Any], texts: dict[tuple[str, int], str]) -> None:
        """Gather what a schema refers to, the innermost first."""
        for each in document.get("references") or ():
            subject, version = str(each["subject"]), int(each["version"])
            if (subject, version) in texts:
                continue
            if len(texts) >= _MOST_REFERENCES:
                raise self._failed(f"a schema refers to more than {_MOST_REFERENCES} others")
            referred = self._get(f"subjects/{quote(subject, safe='')}/versions/{version}")
            if referred is None:
                raise self._failed(f"a schema refers to version {version} of {subject}, which it does not have")
            self._collect(referred, texts)
            texts[subject, version] = self._text(referred)

    def _text(self, document: Mapping[str, Any]) -> str:
        text = document.get("schema")
        if not isinstance(text, str):
            raise self._failed("an answer has no schema")
        return text

    def _get(self, path: str) -> dict[str, Any] | None:
        try:
            answer = self._http.get(f"{self._url}/{path}")
        except httpx.HTTPError as error:
            raise self._failed(str(error) or type(error).__name__) from error
        document = _json(answer)
        if answer.status_code == HTTPStatus.NOT_FOUND and document.get("error_code") in _UNKNOWN:
            return None
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise unavailable(
                "AccessDenied",
                f"the schema registry {self._url} answers {answer.status_code}. Check registryUsername and "
                "registryPassword in the Secret that schemaRegistry.credentials names.",
            )
        if answer.status_code != HTTPStatus.OK or not document:
            raise self._failed(f"{path} is answered with status {answer.status_code}, not with a schema")
        return document

    def _failed(self, told: str) -> JobError:
        return unavailable(
            "RegistryUnavailable",
            f"the schema registry {self._url}: {told}. Check source.kafka.schemaRegistry.url and that the registry "
            "runs; the run is tried again.",
        )


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
