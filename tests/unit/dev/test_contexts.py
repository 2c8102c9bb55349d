"""An image is named after everything that goes into it, and after nothing else."""

from pathlib import Path

import pytest

from lakehouse_dev import contexts


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    (directory / "package" / "__pycache__").mkdir(parents=True)
    (directory / "package" / "module.py").write_text("x = 1\n")
    (directory / "package" / "__pycache__" / "module.pyc").write_text("compiled")
    (directory / "Dockerfile").write_text("FROM scratch\n")
    return directory


def tag(source: Path, **build_args: str) -> str:
    context = {"app": source / "package"}
    return contexts.content_hash(context, dockerfile=source / "Dockerfile", build_args=build_args)


def test_the_name_does_not_depend_on_where_the_files_lie_or_when_they_were_written(source: Path) -> None:
    before = tag(source)
    moved = source.rename(source.with_name("elsewhere"))
    (moved / "package" / "module.py").touch()

    assert tag(moved) == before


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("package/module.py", "x = 2\n", id="a changed byte"),
        pytest.param("package/added.py", "", id="an added file"),
        pytest.param("Dockerfile", "FROM other\n", id="another instruction"),
    ],
)
def test_the_name_changes_with(source: Path, file: str, content: str) -> None:
    before = tag(source)
    (source / file).write_text(content)

    assert tag(source) != before


def test_the_name_changes_with_an_executable_bit(source: Path) -> None:
    before = tag(source)
    (source / "package" / "module.py").chmod(0o755)

    assert tag(source) != before


def test_the_name_changes_with_a_build_argument(source: Path) -> None:
    assert tag(source, BASE="a") != tag(source, BASE="b")


def test_caches_of_python_neither_count_nor_reach_the_build(source: Path, tmp_path: Path) -> None:
    before = tag(source)
    (source / "package" / "__pycache__" / "more.pyc").write_text("compiled")
    staged = tmp_path / "staged"
    contexts.stage({"app": source / "package"}, staged)

    assert tag(source) == before
    assert [str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file()] == ["app/module.py"]
