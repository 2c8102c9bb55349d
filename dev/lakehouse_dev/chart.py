"""Generating what the chart copies: its CRDs, and the schema of its values, which holds the settings' model.

Run `python -m lakehouse_dev.chart` to write them, with --check to fail on a difference.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from lakehouse_api.kinds import KINDS
from lakehouse_dev import paths
from lakehouse_dev.chart_values import Values
from lakehouse_dev.crds import rendered

CHART = paths.REPOSITORY / "charts" / "lakehouse-operator"
_DROPPED = ("title", "default")  # the defaults of a chart are its values.yaml


class _Schema(GenerateJsonSchema):
    """JSON Schema without titles: helm prints the path of a wrong value anyway."""

    @override
    def generate(self, schema: Any, mode: Any = "validation") -> dict[str, Any]:
        document = super().generate(schema, mode)
        _relax(document["$defs"])
        return {"$schema": "http://json-schema.org/draft-07/schema#", **_shaped(document)}


def _relax(definitions: dict[str, Any]) -> None:
    """Let values leave out what the templates fill in, or ask for with a sentence of their own."""
    for name in ("Config", "SparkConfig", "LakeConfig", "Image", "OperatorImage"):
        definitions[name].pop("required")


def _shaped(node: Any, *, names: bool = False) -> Any:
    """Drop titles and defaults; under `names`, keys are the names of values."""
    if isinstance(node, list):
        return [_shaped(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = node if names else {key: value for key, value in node.items() if key not in _DROPPED}
    return {key: _shaped(value, names=key in ("properties", "$defs")) for key, value in kept.items()}


def files() -> dict[Path, str]:
    """Give each generated file of the chart with its text."""
    schema = Values.model_json_schema(by_alias=True, schema_generator=_Schema)
    crds = {CHART / "files" / "crds" / f"{kind.plural}.yaml": rendered(kind) for kind in KINDS}
    return {**crds, CHART / "values.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"}


def main() -> None:
    """Write the files, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    check = parser.parse_args().check
    stale = {path: text for path, text in files().items() if not path.exists() or path.read_text() != text}
    if check and stale:
        sys.exit(f"out of date, run make generate: {', '.join(str(path.relative_to(CHART)) for path in stale)}")
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(paths.REPOSITORY)}")


if __name__ == "__main__":
    main()
