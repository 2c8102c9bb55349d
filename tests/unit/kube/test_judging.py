"""Versions are compared outside the operator's process, which a schema cannot hold up."""

import asyncio

from lakehouse_api.data_contract import Compatibility
from lakehouse_operator.core.compatibility_verdict import Outcome, Promise
from lakehouse_operator.core.data_contract import Question
from lakehouse_operator.kube.judging import judge


def question(old: dict[str, object], new: dict[str, object]) -> Question:
    row = {"type": "object"}
    mode = Compatibility.BACKWARD
    return Question(old={**row, "properties": {"a": old}}, new={**row, "properties": {"a": new}}, mode=mode)


async def test_a_change_is_judged_one_at_a_time() -> None:
    asked = question({"type": "string"}, {"type": "string", "maxLength": 3})

    first, second = await asyncio.gather(judge(asked), judge(asked))

    assert first is not None
    assert first.outcome is Outcome.BREAKING
    assert second is None


async def test_a_pattern_that_backtracks_for_years_is_given_up() -> None:
    slow = question({"enum": ["a" * 60 + "!"]}, {"type": "string", "pattern": "^(a+)+$"})

    verdict = await judge(slow, cpu_seconds=2)

    assert verdict is not None
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.unproven == (Promise.COLUMNS, Promise.ROWS)
    assert "2 s" in verdict.summary
