"""What a person asks to be done with quarantined rows, by an annotation beside a run-now token of its own."""

from collections.abc import Mapping

from pydantic import ValidationError

from lakehouse_api.annotations import QUARANTINE
from lakehouse_api.quarantine import QuarantineRequest
from lakehouse_operator.core.scene import Scene
from lakehouse_operator.core.slots import Slot
from lakehouse_operator.core.standing import Violation


def request_of(annotations: Mapping[str, str]) -> QuarantineRequest | None:
    """Read the request; raise ValidationError if it is none."""
    text = annotations.get(QUARANTINE)
    return QuarantineRequest.model_validate_json(text) if text else None


def request_violation(scene: Scene) -> Violation | None:
    """Tell what is wrong with a request that a run is about to carry out; an old one harms nobody."""
    retried = scene.status.retry.slot if scene.status.retry else None
    asked = Slot.run_now(scene.run_now).text if scene.run_now else retried
    if asked is None or not Slot(text=asked).tends:
        return None
    try:
        request = request_of(scene.resource.annotations)
    except ValidationError as error:
        problem = error.errors()[0]
        return _invalid(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".lstrip(": "))
    return None if request else _invalid("it is missing")


def _invalid(problem: str) -> Violation:
    return Violation(
        reason="QuarantineRequestInvalid",
        message=f"the annotation {QUARANTINE} cannot be used: {problem}. Ask with `kubectl lakehouse quarantine`, or "
        "set lakehouse.dev/run-now to another value to forget it.",
    )
