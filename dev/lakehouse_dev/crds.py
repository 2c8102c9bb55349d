"""Generating crds/ from the models: structural schemas with defaults, CEL rules, columns, names.

Run `python -m lakehouse_dev.crds` to write them, with --check to fail on a difference.
"""

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from lakehouse_api.kinds import GROUP, KINDS, VERSION, Column, Kind
from lakehouse_api.model import Model
from lakehouse_api.quantities import format_duration

CRDS = Path(__file__).resolve().parents[2] / "crds"
_DROPPED = {"title", "$defs", "additionalProperties"}


class _Schema(GenerateJsonSchema):
    """JSON Schema whose defaults are written as users write them: 1h, not PT1H."""

    @override
    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return dft.document() if isinstance(dft, Model) else super().encode_default(dft)


def crd(kind: Kind) -> dict[str, Any]:
    """Give the CustomResourceDefinition of a kind."""
    singular = kind.kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": singular,
                "shortNames": [kind.short, *kind.aliases],
                "categories": ["lakehouse"],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": _schema(kind)},
    }


def _schema(kind: Kind) -> dict[str, Any]:
    return {
        "type": "object",
        "description": kind.spec.__doc__,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            # An object nobody has looked at yet must not pass for one whose generation was observed.
            "status": {**_without_defaults(structural(kind.status)), "default": {"observedGeneration": -1}},
        },
    }


def _column(column: Column) -> dict[str, Any]:
    described = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**described, **({"priority": column.priority} if column.priority else {})}


def structural(model: type[Model]) -> dict[str, Any]:
    """Turn the JSON Schema of a model into the structural form that CRDs take.

    References are put in place, an optional field is one that may be absent (never null), free maps keep their limit.
    """
    schema = model.model_json_schema(by_alias=True, schema_generator=_Schema)
    definitions = schema.get("$defs", {})
    shaped: dict[str, Any] = _shape(schema, definitions)
    return shaped


def _shape(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_shape(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    node = _resolved(node, definitions)
    shaped = {key: _shape(value, definitions) for key, value in node.items() if key not in (*_DROPPED, "properties")}
    if shaped.get("default", 0) is None:
        del shaped["default"]
    if "const" in shaped:
        shaped["enum"] = [shaped.pop("const")]
    return {**shaped, **_members(node, definitions)}


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Put references in place and read `X or null` as X."""
    choices = [one for one in node.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        node = {**choices[0], **{key: value for key, value in node.items() if key != "anyOf"}}
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[1]]
        return _resolved({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    return node


def _without_defaults(node: Any) -> Any:
    """The status says what is; a default there would say something nobody decided."""
    if isinstance(node, list):
        return [_without_defaults(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_defaults(value) for key, value in node.items() if key != "default"}


def _members(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if "properties" in node:
        members["properties"] = {name: _shape(value, definitions) for name, value in node["properties"].items()}
    extra = node.get("additionalProperties")
    if isinstance(extra, dict):
        members["additionalProperties"] = _shape(extra, definitions)
    return members


def rendered(kind: Kind) -> str:
    """Give the file of a kind as it is committed."""
    text = yaml.safe_dump(crd(kind), sort_keys=False, width=120, allow_unicode=True)
    return f"# Generated from operator/lakehouse_api by `make generate`; edit the models instead.\n{text}"


def main() -> None:
    """Write crds/, or with --check say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    check = parser.parse_args().check
    files = {CRDS / f"{kind.plural}.yaml": rendered(kind) for kind in KINDS}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        sys.exit(f"out of date, run make generate: {', '.join(path.name for path in stale)}")
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path])
        print(f"wrote {path.relative_to(CRDS.parent)}")


if __name__ == "__main__":
    main()
