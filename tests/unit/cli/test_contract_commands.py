"""`kubectl lakehouse contract` as it is typed: what it prints, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner, Result

from lakehouse_operator.cli.main import lakehouse
from lakehouse_operator.core.contracts import version_of
from tests import gen

OLD: dict[str, Any] = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}}}
NARROW: dict[str, Any] = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["a"]}}}
WIDE: dict[str, Any] = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b", "c"]}}}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder with files of contracts."""
    for name, document in {"old": OLD, "narrow": NARROW, "wide": WIDE}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(lakehouse, ["contract", *arguments], input=stdin)

    return run


def test_a_compatible_contract_ends_with_0(run: Run) -> None:
    result = run("check", "old.json", "wide.json")

    assert result.exit_code == 0
    assert f"wide: {version_of(OLD)} -> {version_of(WIDE)} is compatible under Backward" in result.stdout
    assert "EnumValuesAdded" in result.stdout


def test_a_breaking_contract_ends_with_1_and_shows_a_row(run: Run) -> None:
    result = run("check", "old.json", "narrow.json")

    assert result.exit_code == 1
    assert "BREAKING (rows) under Backward" in result.stdout
    assert '{"kind": "b"}' in result.stdout
    assert f"spec.acceptBreaking: {version_of(NARROW)}" in result.stdout


def test_the_mode_decides_what_breaks(run: Run) -> None:
    assert run("check", "old.json", "wide.json", "--mode", "full").exit_code == 1
    assert run("check", "old.json", "narrow.json", "--mode", "None").exit_code == 0


def test_without_a_mode_the_new_contract_says_which(run: Run) -> None:
    manifest = gen.contract_body(schema=WIDE, compatibility="Full")

    result = run("check", "old.json", "-", stdin=yaml.safe_dump(manifest))

    assert result.exit_code == 1
    assert "crm-accounts" in result.stdout
    assert "under Full" in result.stdout


def test_of_a_contract_from_a_cluster_the_accepted_version_is_the_old_one(run: Run) -> None:
    manifest = gen.contract_body(schema=NARROW)
    manifest["status"] = {"accepted": {"version": version_of(OLD), "schema": OLD, "acceptedAt": "now"}}

    result = run("check", "-", "narrow.json", stdin=json.dumps(manifest))

    assert result.exit_code == 1


def test_json_has_everything(run: Run) -> None:
    document = json.loads(run("check", "old.json", "narrow.json", "-o", "json").stdout)

    assert document["outcome"] == "Breaking"
    assert document["broken"] == ["rows"]
    assert document["example"]["row"] == {"kind": "b"}
    assert document["new"] == version_of(NARROW)
    assert document["changes"][0]["kind"] == "EnumValuesRemoved"


def test_junit_has_one_test_for_each_promise(run: Run) -> None:
    suite = ET.fromstring(run("check", "old.json", "wide.json", "--mode", "full", "-o", "junit").stdout)

    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    [failure] = suite.findall("testcase/failure")
    assert failure.get("message") == '/kind: "c" is allowed as well'
    assert '{"kind": "c"}' in str(failure.text)


def test_what_cannot_be_proven_ends_with_1(run: Run) -> None:
    old = {
        "type": "object",
        "properties": {"a": {}},
        "anyOf": [{"$dynamicRef": "#x"}],
        "$defs": {"x": {"$dynamicAnchor": "x"}},
    }
    new = {**old, "not": {"properties": {"a": {"type": "string", "pattern": "^(?=a)(?!b)z"}}, "required": ["a"]}}
    Path("a.json").write_text(json.dumps(old))
    Path("b.json").write_text(json.dumps(new))

    result = run("check", "a.json", "b.json")

    assert result.exit_code == 1
    assert "NOT PROVEN compatible (rows)" in result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(": {", "neither YAML nor JSON", id="no YAML"),
        pytest.param("a: 1", "holds no contract", id="no contract"),
        pytest.param("- 1", "holds no contract", id="a list"),
        pytest.param("", "holds no contract", id="nothing"),
        pytest.param(json.dumps({**OLD, "required": "kind"}), "not a valid JSON Schema", id="no schema"),
        pytest.param(
            json.dumps({"type": "object", "properties": {"a": {"format": "colour"}}}), "'colour'", id="no such format"
        ),
        pytest.param(yaml.safe_dump_all([gen.contract_body("a"), gen.contract_body("b")]), "a, b", id="two contracts"),
        pytest.param(yaml.safe_dump(gen.contract_body(schema=7)), "no spec.schema", id="a contract without a schema"),
        pytest.param(
            yaml.safe_dump(gen.contract_body(compatibility="Sideways")), "'Sideways' is none of", id="no such mode"
        ),
        pytest.param("{apiVersion: v2.2.2, kind: DataContract}", "v2.2.2 of ODCS is not read", id="an old standard"),
        pytest.param("{apiVersion: v3.1.0, kind: DataContract}", "not valid ODCS at $", id="wrong by the standard"),
    ],
)
def test_wrong_input_ends_with_2_and_says_what_is_wrong(run: Run, text: str, message: str) -> None:
    result = run("check", "old.json", "-", stdin=text)

    assert result.exit_code == 2
    assert message in result.stderr
    assert "standard input" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("check", "none.json", "old.json"), "none.json: cannot be read: No such file", id="no file"),
        pytest.param(("check", "-", "-"), "only one of OLD and NEW", id="one input for two"),
        pytest.param(("check", "old.json"), "Missing argument 'NEW'", id="one contract"),
        pytest.param(("export", "old.json"), "--odcs or --jsonschema", id="no form"),
        pytest.param(("import", "old.json"), "no document of the Open Data Contract Standard", id="another document"),
        pytest.param(("lint",), "Missing argument", id="nothing to lint"),
    ],
)
def test_a_wrong_command_ends_with_2(run: Run, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr


def test_bytes_that_are_no_text_are_wrong_input(run: Run) -> None:
    Path("bytes.json").write_bytes(b"\xff\xfe")

    assert "not UTF-8" in run("check", "bytes.json", "old.json").stderr


def test_diff_lists_changes_and_judges_nothing(run: Run) -> None:
    assert "EnumValuesRemoved" in (result := run("diff", "old.json", "narrow.json")).stdout
    assert result.exit_code == 0
    assert run("diff", "old.json", "old.json").stdout == "The contracts say the same.\n"
    assert json.loads(run("diff", "old.json", "narrow.json", "-o", "json").stdout)[0]["direction"] == "tightens"


def test_lint_tells_the_version_of_good_contracts_and_ends_with_1_if_one_is_bad(run: Run) -> None:
    Path("bad.json").write_text(json.dumps({**OLD, "properties": {"a": {}, "A": {}}}))

    result = run("lint", "old.json", "bad.json")

    assert result.exit_code == 1
    assert f"old.json: old {version_of(OLD)} can be enforced" in result.stdout
    assert "bad.json: the schema: 2 properties differ from 'a' only by case" in result.stderr


def test_export_and_import_are_each_others_way_back(run: Run) -> None:
    manifest = gen.contract_body(schema={**OLD, "$schema": gen.SCHEMA["$schema"], "minProperties": 1})
    exported = run("export", "-", "--odcs", stdin=yaml.safe_dump(manifest))
    assert "note: the contract: `minProperties` has no word in ODCS" in exported.stderr
    Path("x.odcs.yaml").write_text(exported.stdout)

    imported = run("import", "x.odcs.yaml")

    assert yaml.safe_load(imported.stdout)["spec"] == {
        "owner": "crm-team",
        "schema": {
            **manifest["spec"]["schema"],
            "properties": {"kind": {"type": "string", "enum": ["a", "b"]}},
        },
    }
    assert run("check", "x.odcs.yaml", "-", stdin=imported.stdout).exit_code == 0


def test_export_can_give_the_bare_schema(run: Run) -> None:
    assert json.loads(run("export", "old.json", "--jsonschema").stdout) == OLD


def _kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program named kubectl on the PATH; what a real one answers is tested against a real API server."""
    program = folder / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_a_refusal_of_the_cluster_is_passed_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _kubectl(tmp_path, monkeypatch, "echo 'Error from server (Forbidden): no' >&2; exit 1")

    result = run("history", "accounts", "-n", "lakehouse")

    assert result.exit_code == 2
    assert "DataContract 'accounts': Error from server (Forbidden): no" in result.stderr


def test_without_kubectl_it_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    assert "kubectl is not on the PATH" in run("history", "accounts").stderr


def test_a_contract_that_nobody_has_looked_at_has_no_history(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kubectl(tmp_path, monkeypatch, "echo '{}'")

    assert run("history", "accounts").stdout == "The operator has not looked at this contract yet.\n"
