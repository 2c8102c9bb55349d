"""Contracts as the operator sees them: is the schema one that can be enforced, and which version is it."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lakehouse_api.enforceable import problems_of
from lakehouse_operator.core.names import document_hash
from lakehouse_operator.core.standing import Violation

VERSION_LENGTH = 12
LARGEST_SCHEMA = 256 * 1024
"""Characters of JSON; a contract's object holds two schemas, and an API server takes no more than 1.5 MB of it."""


def version_of(schema: Mapping[str, Any]) -> str:
    """Give the version of a schema: the first digits of the SHA-256 of its canonical form."""
    return document_hash(schema, length=VERSION_LENGTH)


def in_force(contract: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Give the schema of a DataContract that pipelines use: the accepted one, before there is any that of its spec."""
    body = contract or {}
    accepted = (body.get("status") or {}).get("accepted") or {}
    schema = accepted.get("schema") or body.get("spec", {}).get("schema")
    return schema if isinstance(schema, Mapping) else None


def schema_violation(schema: Mapping[str, Any]) -> Violation | None:
    """Say what keeps a schema from being enforced, if anything does."""
    return _violation_of(json.dumps(schema))


@lru_cache(maxsize=256)  # a contract of twenty columns takes longer to check than all other decisions together
def _violation_of(text: str) -> Violation | None:
    if len(text) > LARGEST_SCHEMA:
        message = f"the schema has {len(text)} characters of JSON; more than {LARGEST_SCHEMA} do not fit into a status"
        return Violation(reason="ContractInvalid", message=message)
    schema = json.loads(text)
    problems = problems_of(schema)
    if not problems and schema.get("type") != "object":
        problems = ["it must describe one row: type: object, with the row's properties"]
    return Violation(reason="ContractInvalid", message=f"the schema: {'; '.join(problems)}") if problems else None
