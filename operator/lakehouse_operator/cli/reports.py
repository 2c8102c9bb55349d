"""Verdicts as people, programs and CI systems read them."""

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from lakehouse_operator.core.compatibility_verdict import PROMISES, Change, Outcome, Promise, Verdict
from lakehouse_operator.core.contracts import version_of
from lakehouse_operator.core.odcs_export import Contract

_PROMISED = {
    Promise.ROWS: "a row that was valid stays valid",
    Promise.COLUMNS: "columns stay, with their types, units and keys",
    Promise.VALUES: "nobody meets values that were ruled out",
}


def as_table(old: Contract, new: Contract, verdict: Verdict) -> str:
    """Give the verdict, the changes one by one, and the example."""
    before, after = version_of(old.schema), version_of(new.schema)
    blocks = [f"{new.name}: {before} -> {after} is {_word(verdict)} under {verdict.mode}"]
    if verdict.changes:
        blocks.append(changes_table(verdict.changes))
    if verdict.outcome is not Outcome.COMPATIBLE:
        blocks += [_example(verdict), f"To take it up all the same, set spec.acceptBreaking: {after}"]
    return "\n\n".join(block for block in blocks if block)


def _word(verdict: Verdict) -> str:
    if verdict.outcome is Outcome.BREAKING:
        return f"BREAKING ({', '.join(verdict.broken)})"
    unproven = f"NOT PROVEN compatible ({', '.join(verdict.unproven)})"
    return "compatible" if verdict.outcome is Outcome.COMPATIBLE else unproven


def changes_table(changes: Sequence[Change]) -> str:
    """Give one line for each change."""
    rows = [(one.path or "/", one.kind, one.direction, ", ".join(one.breaks), one.explanation) for one in changes]
    return columns(("PATH", "CHANGE", "DIRECTION", "MAY BREAK", "WHAT"), rows)


def columns(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out a table."""
    table = [head, *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def _example(verdict: Verdict) -> str:
    if verdict.example is None:
        return ""
    row = json.dumps(verdict.example.row, ensure_ascii=False)
    ends = "is valid now and would be refused" if verdict.example.promise is Promise.ROWS else "would become valid"
    return "\n".join([f"For example, this row {ends}:", f"  {row}", *(f"  {one}" for one in verdict.example.reasons)])


def as_json(old: Contract, new: Contract, verdict: Verdict) -> str:
    """Give everything, for programs."""
    document: dict[str, Any] = {"name": new.name, "old": version_of(old.schema), "new": version_of(new.schema)}
    return json.dumps({**document, **verdict.document()}, indent=2, ensure_ascii=False)


def as_junit(old: Contract, new: Contract, verdict: Verdict) -> str:
    """Give a test suite with one test for each promise of the mode."""
    promises = [promise for promise in Promise if promise in PROMISES[verdict.mode]]
    bad = {*verdict.broken, *verdict.unproven}
    suite = ET.Element("testsuite", name=f"contract {new.name}", tests=str(len(promises)), failures=str(len(bad)))
    for promise in promises:
        case = ET.SubElement(suite, "testcase", classname=f"contract.{new.name}", name=_PROMISED[promise])
        if promise in bad:
            failure = ET.SubElement(case, "failure", type=promise, message=_failure(verdict, promise))
            failure.text = as_table(old, new, verdict)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _failure(verdict: Verdict, promise: Promise) -> str:
    told = [f"{one.path or '/'}: {one.explanation}" for one in verdict.changes if promise in one.breaks]
    return "; ".join(told) or "it could not be proven"
