"""Specs that the API server let through and that still cannot be understood."""

from pydantic import ValidationError

from lakehouse_operator.core.standing import Violation


def invalid_spec(error: ValidationError) -> Violation:
    """Say which field is wrong and how; the first one is enough to act upon."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return Violation(reason="InvalidSpec", message=f"spec.{where}: {first['msg']}")
