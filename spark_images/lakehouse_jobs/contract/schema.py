"""A contract as the engine sees it: the columns that its properties become."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lakehouse_api.columns import ColumnKind, Field, field_of
from lakehouse_api.enforceable import problems_of
from lakehouse_api.references import written_out
from lakehouse_api.run import ContractSnapshot


class ContractError(ValueError):
    """The contract cannot be enforced; the text names every problem found."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A contract that can be enforced. `root` is the row as a struct of its fields, with references written out."""

    name: str
    version: str
    schema: dict[str, Any]
    root: Field

    @property
    def fields(self) -> tuple[Field, ...]:
        """Give the columns, in the order of the contract."""
        return self.root.members

    @cached_property
    def document(self) -> str:
        """Give the schema as JSON, in which form it travels to the workers."""
        return json.dumps(self.schema)

    @property
    def names(self) -> frozenset[str]:
        """Give the names of the properties."""
        return frozenset(field.name for field in self.fields)

    @property
    def keys(self) -> tuple[str, ...]:
        """Name the properties that tell one row from another; none where the contract does not say."""
        return tuple(self.schema.get("x-keys", ()))


def read_contract(snapshot: ContractSnapshot) -> Contract:
    """Turn a run's contract into columns, or raise ContractError that names all its problems."""
    problems = problems_of(snapshot.schema_)
    if problems:
        raise ContractError(f"contract {snapshot.name} {snapshot.version}: {'; '.join(problems)}")
    schema = {key: value for key, value in written_out(snapshot.schema_).items() if key not in {"$schema", "$id"}}
    members = (field_of(name, each) for name, each in schema["properties"].items())
    root = Field(
        name="",
        schema=schema,
        types=frozenset({"object"}),
        kind=ColumnKind.STRUCT,
        ddl="struct",
        members=tuple(members),
    )
    return Contract(name=snapshot.name, version=snapshot.version, schema=snapshot.schema_, root=root)
