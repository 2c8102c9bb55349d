"""A CRD's schema as strict JSON Schema: what the API server refuses at apply with strict field validation."""

from typing import Any

OPEN = "x-kubernetes-preserve-unknown-fields"


def strict(node: dict[str, Any]) -> dict[str, Any]:
    """Close every object that names its fields."""
    closed = {key: value for key, value in node.items() if not key.startswith("x-kubernetes-")}
    if "properties" in node:
        closed["properties"] = {name: strict(value) for name, value in node["properties"].items()}
        closed["additionalProperties"] = bool(node.get(OPEN))
    if isinstance(node.get("additionalProperties"), dict):
        closed["additionalProperties"] = strict(node["additionalProperties"])
    if "items" in node:
        closed["items"] = strict(node["items"])
    return closed


def resource_schema(crd: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of one kind's objects."""
    schema = strict(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return schema
