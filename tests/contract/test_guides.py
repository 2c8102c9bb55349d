"""No command stands in a how-to guide that no test runs: which test follows which page is read from the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guides import HOW_TO, SHELL, SQL, blocks_of

TESTS = Path(__file__).parents[1]
PAGES = sorted(path.name for path in HOW_TO.glob("*.md"))
RUNNERS = {"follow": SHELL, "queries": SQL}
LOOKED_AT = {"yaml", "json", "python", "text"}

NOT_RUN = {
    "ingest-snowflake.md": ["no Snowflake account is at hand"],
}
"""Why blocks are run by nobody, by page: each reason must be one that a reader would accept."""


def _followed(tree: ast.AST) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Give runner, page and headings of each call in a test, also of one that another thread makes."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = [getattr(part, "attr", getattr(part, "id", "")) for part in (call.func, *call.args[:1])]
        words = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        for runner in RUNNERS.keys() & set(named):
            if words:
                yield runner, words[0], tuple(words[1:])


CALLS = [call for file in sorted(TESTS.rglob("test_*.py")) for call in _followed(ast.parse(file.read_text()))]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_guide_is_run_by_a_test(page: str) -> None:
    blocks = [block for block in blocks_of(page) if not block.not_run]
    missing = [
        f"{block.heading}: {block.text}"
        for runner, languages in RUNNERS.items()
        for block in blocks
        if block.language in languages and not _is_followed(runner, page, block.heading)
    ]

    assert missing == []


def _is_followed(runner: str, page: str, heading: str) -> bool:
    return any(call[:2] == (runner, page) and (not call[2] or heading in call[2]) for call in CALLS)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_guide_is_to_be_run_or_to_be_looked_at(page: str) -> None:
    assert {block.language for block in blocks_of(page)} <= {*SHELL, *SQL, *LOOKED_AT}
    assert (HOW_TO / page).read_text().count("\n```") == 2 * len(list(blocks_of(page))), "a block is not closed"


@pytest.mark.parametrize("page", PAGES)
def test_what_nobody_runs_is_known_with_its_reason(page: str) -> None:
    assert [block.not_run for block in blocks_of(page) if block.not_run] == NOT_RUN.get(page, [])


def test_tests_follow_pages_and_headings_that_exist() -> None:
    places = {(page, heading) for page in PAGES for heading in {"", *(block.heading for block in blocks_of(page))}}

    assert [call for call in CALLS if not {(call[1], heading) for heading in call[2] or ("",)} <= places] == []
