"""The official test suite of JSON Schema 2020-12, from the source distribution of the pinned validator."""

import json
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lakehouse_dev.locks import exclusive
from lakehouse_dev.paths import cache_file
from lakehouse_dev.progress import say
from tests.spark.verdicts import Case

COMPILED = (
    *("type", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "required", "properties", "additionalProperties"),
    *("optional/format/date", "optional/format/date-time", "optional/format/email", "optional/format/uuid"),
)
"""Files of the suite for the keywords that have a native expression."""


def suite_cases() -> list[Case]:
    """Give each schema of those files as the contract of one column, with its instances as that column's value.

    Schemas that describe a row themselves (they name properties) are taken as they are too.
    """
    folder = _suite() / "tests" / "draft2020-12"
    groups = [group for name in COMPILED for group in json.loads((folder / f"{name}.json").read_text())]
    return [case for group in groups for case in _cases(group) if _usable(case)]


def _cases(group: dict[str, Any]) -> list[Case]:
    schema, instances = _without_dialect(group["schema"]), [each["data"] for each in group["tests"]]
    column = {"properties": {"v": _typed(schema, instances)}}
    rows = [json.dumps({"v": instance}) for instance in instances]
    cases = [Case(schema={"properties": {"v": schema}}, rows=rows), Case(schema=column, rows=rows)]
    if isinstance(schema, dict) and schema.get("properties"):
        cases.append(Case(schema=schema, rows=[json.dumps(instance) for instance in instances]))
    return cases


def _without_dialect(schema: Any) -> Any:
    """Leave out `$schema`, which every schema of the suite carries and a column's does not."""
    return {key: value for key, value in schema.items() if key != "$schema"} if isinstance(schema, dict) else schema


def _typed(schema: Any, instances: list[Any]) -> Any:
    """Add the type that most instances of a suite's schema have, so that the native expressions are put to the test."""
    if not isinstance(schema, dict) or "type" in schema:
        return schema
    kinds = {str: "string", bool: "boolean", int: "number", float: "number"}
    named = [kinds.get(type(instance)) for instance in instances]
    likely = max((kind for kind in named if kind), key=named.count, default=None)
    return schema | {"type": likely} if likely else schema


def _usable(case: Case) -> bool:
    try:
        return bool(case.contract)
    except ValueError:
        return False


def _suite() -> Path:
    pinned = version("jsonschema")
    target = cache_file("json-schema-suite", pinned)
    with exclusive(target.with_suffix(".lock"), what="the JSON Schema test suite"):
        if not target.exists():
            say(f"JSON Schema test suite: downloading jsonschema {pinned} as source from PyPI (1 MB, about 15 s)")
            _download(pinned, target)
    return target


def _download(pinned: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        arguments = ["download", "--no-deps", "--no-binary", "jsonschema", "--dest", scratch, f"jsonschema=={pinned}"]
        subprocess.run([_python_with_pip(), "-m", "pip", "--quiet", *arguments], check=True)
        unpacked = Path(scratch) / "unpacked"
        with tarfile.open(next(Path(scratch).glob("*.tar.gz"))) as archive:
            archive.extractall(unpacked, filter="data")
        next(unpacked.glob("*/json")).rename(target)


def _python_with_pip() -> str:
    """Environments made by uv have no pip; the interpreter they were made from does."""
    return str(Path(sys.base_prefix) / "bin" / "python3")
