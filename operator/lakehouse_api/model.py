"""What every model shares: camelCase on the wire, unknown fields refused, values frozen."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A frozen value whose fields are snake_case here and camelCase in YAML and JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    def document(self) -> dict[str, Any]:
        """Give the JSON document users and the API server see: camelCase, absent instead of null."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def told(self) -> dict[str, Any]:
        """Give the same document without what equals its default: the form of a status."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


ATOMIC: Final[dict[str, Any]] = {"x-kubernetes-list-type": "atomic"}
"""Schema of a list that is replaced as a whole."""

SET: Final[dict[str, Any]] = {"x-kubernetes-list-type": "set"}
"""Schema of a list without doubles, to which several writers may add."""


def mapped_by(key: str) -> dict[str, Any]:
    """Give the schema of a list whose items are told apart by one of their fields."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def rules(*checks: tuple[str, str], **extra: Any) -> dict[str, Any]:
    """Give the schema keywords for CEL checks, each a pair of expression and the sentence a user reads."""
    validations = [{"rule": rule, "message": message} for rule, message in checks]
    return {"x-kubernetes-validations": validations, **extra}
