"""Reading contracts: a DataContract's manifest, a bare JSON Schema, an Open Data Contract Standard document."""

import json
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft201909Validator

from lakehouse_api.data_contract import Compatibility
from lakehouse_api.kinds import API_VERSION, DATA_CONTRACT, GROUP
from lakehouse_operator.cli.errors import InputError
from lakehouse_operator.core.contracts import in_force, schema_violation
from lakehouse_operator.core.odcs_export import Contract
from lakehouse_operator.core.odcs_import import ImportRefusedError, from_odcs

STANDARD_INPUT = "-"


def read_contract(source: str, *, accepted: bool = False) -> Contract:
    """Read a contract that can be enforced; of one from a cluster the accepted version, if that is asked for.

    Raises:
        InputError: it cannot be read, is no contract, or could not be enforced.
    """
    document = read_document(source)
    contract = _contract(source, document, accepted=accepted)
    if (violation := schema_violation(contract.schema)) is not None:
        raise InputError(f"{_named(source)}: {violation.message}")
    return contract


def read_document(source: str) -> dict[str, Any]:
    """Read the one document of a file that is a contract; other resources beside it are passed over."""
    text = _text(source)
    try:
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        raise InputError(f"{_named(source)}: neither YAML nor JSON: {_line(error)}") from error
    found = [one for one in documents if isinstance(one, dict) and _is_contract(one)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(str((one.get("metadata") or {}).get("name", "?")) for one in found)
        raise InputError(f"{_named(source)}: holds {len(found)} contracts ({names}); give each a file of its own")
    raise InputError(
        f"{_named(source)}: holds no contract: neither a {DATA_CONTRACT.kind} of {API_VERSION}, nor a JSON Schema of a "
        "row (type: object with properties), nor a document of the Open Data Contract Standard"
    )


def is_odcs(document: Mapping[str, Any]) -> bool:
    """Tell a document of the Open Data Contract Standard, whose kind has the name of ours."""
    return document.get("kind") == "DataContract" and not str(document.get("apiVersion", "")).startswith(GROUP)


def read_odcs(source: str) -> dict[str, Any]:
    """Read a document of the Open Data Contract Standard and check it with the standard's own schema."""
    document = read_document(source)
    if not is_odcs(document):
        raise InputError(f"{_named(source)}: no document of the Open Data Contract Standard (kind: DataContract, v3)")
    _require_standard(source, document)
    return document


def _require_standard(source: str, document: Mapping[str, Any]) -> None:
    schema, version = odcs_schema(), document.get("apiVersion")
    known = [one for one in schema["properties"]["apiVersion"]["enum"] if one.startswith("v3.")]
    if version not in known:
        raise InputError(
            f"{_named(source)}: apiVersion {version} of ODCS is not read here; there is {', '.join(known)}"
        )
    plain = json.loads(json.dumps(document, default=str))  # YAML's dates are texts in JSON
    errors = sorted(Draft201909Validator(schema).iter_errors(plain), key=lambda error: error.json_path)
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more problems)" if errors[1:] else ""
        raise InputError(f"{_named(source)}: not valid ODCS at {first.json_path}: {first.message}{more}")


def odcs_schema() -> dict[str, Any]:
    """Give the JSON Schema of the standard, as its own package has it."""
    text = (files("open_data_contract_standard") / "schema.json").read_text()
    schema: dict[str, Any] = json.loads(text)
    return schema


def _text(source: str) -> str:
    try:
        if source == STANDARD_INPUT:
            return sys.stdin.read()
        return Path(source).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{_named(source)}: cannot be read: {reason}") from error


def _named(source: str) -> str:
    return "standard input" if source == STANDARD_INPUT else source


def _line(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())


def _is_contract(document: Mapping[str, Any]) -> bool:
    if "apiVersion" in document or "kind" in document:
        return document.get("kind") == DATA_CONTRACT.kind
    return document.get("type") == "object" and isinstance(document.get("properties"), Mapping)


def _contract(source: str, document: Mapping[str, Any], *, accepted: bool) -> Contract:
    if is_odcs(document):
        _require_standard(source, document)
        try:
            document, _ = from_odcs(document)
        except ImportRefusedError as error:
            raise InputError(f"{_named(source)}: {error}") from error
    if "kind" not in document:
        name = Path(source).name.removesuffix(".json").removesuffix(".schema").replace("_", "-")
        return Contract(name=name if source != STANDARD_INPUT else "contract", schema=document)
    return _of_manifest(source, document, accepted=accepted)


def _of_manifest(source: str, manifest: Mapping[str, Any], *, accepted: bool) -> Contract:
    spec = manifest.get("spec") or {}
    schema = in_force(manifest) if accepted else spec.get("schema")
    if not isinstance(schema, Mapping):
        raise InputError(f"{_named(source)}: the {DATA_CONTRACT.kind} has no spec.schema")
    mode = spec.get("compatibility")
    if mode is not None and mode not in set(Compatibility):
        raise InputError(f"{_named(source)}: spec.compatibility {mode!r} is none of {', '.join(Compatibility)}")
    name = str((manifest.get("metadata") or {}).get("name", "contract"))
    return Contract(name=name, schema=schema, owner=str(spec.get("owner", "")), compatibility=mode)
