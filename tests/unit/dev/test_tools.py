"""A Go program is built anew exactly when something it is made of has changed."""

from pathlib import Path

import pytest

from lakehouse_dev.tools import ALL, Tool


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "program").mkdir()
    (tmp_path / "other").mkdir()
    for file in ("go.mod", "go.sum", "program/main.go", "other/main.go"):
        (tmp_path / file).write_text(file)
    return tmp_path


def tool(module: Path, package: str = "./program") -> Tool:
    return Tool(name="program", package=package, module=module, usual_duration="seconds")


@pytest.mark.parametrize("file", ["go.mod", "go.sum", "program/main.go"])
def test_the_key_changes_with(module: Path, file: str) -> None:
    before = tool(module).key("go1.26")
    (module / file).write_text("changed")

    assert tool(module).key("go1.26") != before


def test_the_key_changes_with_the_go_version(module: Path) -> None:
    assert tool(module).key("go1.26") != tool(module).key("go1.27")


def test_the_key_does_not_change_with_another_program_of_the_module(module: Path) -> None:
    before = tool(module).key("go1.26")
    (module / "other" / "main.go").write_text("changed")

    assert tool(module).key("go1.26") == before


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_every_tool_is_pinned_by_a_module_of_the_project(each: Tool) -> None:
    assert all(source.is_file() for source in each.sources())
