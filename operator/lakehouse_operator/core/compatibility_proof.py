"""Is every instance of one schema an instance of another: proven by set arithmetic, or refuted by an instance.

`jsonschema-rs` subtracts the sets; it is another implementation, and its arithmetic is young. So no refutation counts
before `jsonschema`, by which contracts are defined, has called the instance valid and invalid, and no proof counts
while a search finds an instance against it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError
from jsonschema_rs.canonical import CanonicalizationError, Satisfiability

from lakehouse_api.references import registry
from lakehouse_operator.core.compatibility_members import Schema
from lakehouse_operator.core.compatibility_samples import samples


@dataclass(frozen=True, kw_only=True)
class Refutation:
    """An instance that one schema allows and the other refuses, for these reasons."""

    instance: Any
    reasons: tuple[str, ...]
    members: tuple[str, ...]
    """The members of the instance that the reasons are about."""


@dataclass(frozen=True, kw_only=True)
class Containment:
    """Whether one schema allows no more than another. Neither proven nor refuted: not known."""

    proven: bool
    refutation: Refutation | None = None


class UncheckableError(ValueError):
    """The validator cannot work with one of the schemas."""


def contained(inner: Schema, outer: Schema) -> Containment:
    """Find out whether all that `inner` allows `outer` allows too."""
    difference = _difference(inner, outer)
    try:
        refutation = next(_refutations(inner, outer, difference), None)
    except UncheckableError:
        return Containment(proven=False)
    empty = difference is False
    return Containment(proven=empty and refutation is None, refutation=refutation)


def _difference(inner: Schema, outer: Schema) -> Schema | None:
    """Give a schema of what `inner` allows and `outer` does not; False if nothing, None if not known."""
    try:
        left = jsonschema_rs.canonicalize(inner, draft=jsonschema_rs.Draft202012, validate_formats=True, offline=True)
        right = jsonschema_rs.canonicalize(outer, draft=jsonschema_rs.Draft202012, validate_formats=True, offline=True)
        found = left.subtract(right)
        return False if found.satisfiability() == Satisfiability.NO else found.to_json_schema()
    except (CanonicalizationError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return None


def _refutations(inner: Schema, outer: Schema, difference: Schema | None) -> Iterator[Refutation]:
    allows, refuses = _validator(inner), _validator(outer)
    guesses = samples(difference, difference) if isinstance(difference, Mapping) else iter(())
    for instance in chain(guesses, samples(inner, inner)):
        if _is_valid(allows, instance) and not _is_valid(refuses, instance):
            yield _refutation(instance, refuses)


def _validator(schema: Schema) -> Draft202012Validator:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(schema, format_checker=checker, registry=registry())


def _is_valid(validator: Draft202012Validator, instance: Any) -> bool:
    try:
        return bool(validator.is_valid(instance))
    except Exception as error:  # whatever a schema makes of the validator: loose references, endless ones, arithmetic
        raise UncheckableError(str(error)) from error


def _refutation(instance: Any, refuses: Draft202012Validator) -> Refutation:
    errors = sorted(refuses.iter_errors(instance), key=lambda error: (error.json_path, error.message))
    members = dict.fromkeys(str(error.absolute_path[0]) for error in errors if error.absolute_path)
    return Refutation(
        instance=json.loads(json.dumps(instance)),
        reasons=tuple(_reason(error) for error in errors),
        members=tuple(members),
    )


def _reason(error: ValidationError) -> str:
    where = "".join(f"/{part}" for part in error.absolute_path)
    return f"{where}: {error.message}" if where else error.message
