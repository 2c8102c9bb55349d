"""The official test suite of JSON Schema 2020-12, from the source distribution of the pinned validator."""

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from lakehouse_api.run import ContractSnapshot
from lakehouse_dev.locks import exclusive
from lakehouse_dev.paths import cache_file
from lakehouse_dev.progress import say
from lakehouse_jobs.contract.schema import ContractError, read_contract
from tests.spark.verdicts import Case

FORMATS = ("date", "date-time", "email", "ipv4", "uuid")
"""Of the optional part: the formats that have a native expression. The required part has no format that is asserted."""

_OF_A_CONTRACT = 40
_OF_ROWS = ("additionalProperties", "allOf", "dependentRequired", "if-then-else", "not", "properties", "required")
_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}


@dataclass(frozen=True, kw_only=True)
class Group:
    """A schema of the suite with its instances and what is to be said of each."""

    file: str
    number: int
    name: str
    schema: Any
    instances: Sequence[Any]
    valid: Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The suite as contracts: each schema that a contract may hold is a property, its instances that property's values.

    A schema of several types is there once for each, so that the native expressions of all are put to the test. Schemas
    that describe a row themselves are contracts too. `refused` are the groups whose schemas no contract may hold.
    """

    cases: list[Case]
    refused: dict[str, str]


@cache
def groups() -> list[Group]:
    """Give all groups of the required part, and those of the formats."""
    folder = _suite() / "tests" / "draft2020-12"
    files = [*sorted(folder.glob("*.json")), *(folder / "optional" / "format" / f"{name}.json" for name in FORMATS)]
    return [
        Group(
            file=file.stem,
            number=number,
            name=f"{file.stem}: {group['description']}",
            schema=group["schema"],
            instances=[each["data"] for each in group["tests"]],
            valid=[each["valid"] for each in group["tests"]],
        )
        for file in files
        for number, group in enumerate(json.loads(file.read_text()))
    ]


def remotes() -> Mapping[str, Any]:
    """Give the suite's schemas that others refer to, by the address that they are referred to by."""
    folder = _suite() / "remotes"
    files = [file for file in folder.rglob("*.json") if "draft2020-12" in file.parts or file.parent == folder]
    return {f"http://localhost:1234/{file.relative_to(folder)}": json.loads(file.read_text()) for file in files}


def suite() -> Suite:
    """Give the whole of it in few contracts: each costs Spark a plan."""
    refused: dict[str, str] = {}
    properties: list[tuple[Any, dict[str, Any], Group]] = []
    rows = []
    for place, group in enumerate(groups()):
        held = [(schema, definitions) for schema, definitions in _held(place, group)]
        problem = _problem({"properties": {"v": held[0][0]}, "$defs": held[0][1]})
        if problem:
            refused[group.name] = problem
            continue
        properties += [(schema, definitions, group) for schema, definitions in held]
        if group.file in _OF_ROWS and _names_properties(group.schema) and not _problem(group.schema):
            rows.append(Case(schema=group.schema, rows=[json.dumps(each) for each in group.instances]))
    return Suite(cases=[*_contracts(properties), *rows], refused=refused)


def _names_properties(schema: Any) -> bool:
    return isinstance(schema, dict) and bool(schema.get("properties"))


def _contracts(properties: Sequence[tuple[Any, dict[str, Any], Group]]) -> Iterator[Case]:
    remaining = iter(properties)
    while batch := list(islice(remaining, _OF_A_CONTRACT)):
        named = [(f"v{place}", *each) for place, each in enumerate(batch)]
        definitions = {name: each for _, _, defined, _ in named for name, each in defined.items()}
        schema = {"properties": {name: schema for name, schema, _, _ in named}, "$defs": definitions}
        yield Case(
            schema=schema,
            rows=[json.dumps({name: each}) for name, _, _, group in named for each in group.instances],
        )


def _held(place: int, group: Group) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give the schema as a property's, with the definitions that go to the contract's top; then with each type."""
    schema, definitions = _moved(place, group.schema)
    yield schema, definitions
    if not isinstance(schema, dict) or "type" in schema or "$id" in schema:
        return
    kinds = {_TYPES[type(each)] for each in group.instances if each is not None}
    for kind in sorted(kinds):
        yield {**schema, "type": [kind, "null"]}, definitions
        if kind in {"object", "array"}:
            yield {**schema, "type": kind}, definitions


def _moved(place: int, schema: Any) -> tuple[Any, dict[str, Any]]:
    """Move a schema from the top of its document to within another, where its references mean the same."""
    text = json.dumps(schema)
    if not isinstance(schema, dict) or not any(word in text for word in ('"$ref"', '"$dynamicRef"', '"$id"')):
        return _without_dialect(schema), {}
    references = text.count('"$ref": "')
    if text.count('"$ref": "#/$defs/') == references and '"$id"' not in text and '"$dynamicRef"' not in text:
        moved = json.loads(text.replace('"$ref": "#/$defs/', f'"$ref": "#/$defs/g{place}/$defs/'))
        definitions = moved.pop("$defs", {})
        return _without_dialect(moved), {f"g{place}": {"$defs": definitions}}
    return {"$id": f"https://suite.invalid/{place}", **_without_dialect(schema)}, {}


def _without_dialect(schema: Any) -> Any:
    """Leave out `$schema`, which every schema of the suite carries and a column's does not."""
    return {key: value for key, value in schema.items() if key != "$schema"} if isinstance(schema, dict) else schema


def _problem(schema: dict[str, Any]) -> str:
    try:
        read_contract(ContractSnapshot(name="suite", version="1", schema_=schema))
    except ContractError as error:
        return str(error)
    return ""


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
