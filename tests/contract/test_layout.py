"""The folder `operator/` is a source root and must never hide the standard library's module of that name."""

import operator
import subprocess
import sys

from lakehouse_dev import paths


def test_the_source_root_is_not_a_package() -> None:
    assert not (paths.REPOSITORY / "operator" / "__init__.py").exists()


def test_the_module_named_operator_is_the_one_of_the_standard_library() -> None:
    assert operator.__file__ is not None
    assert not operator.__file__.startswith(str(paths.REPOSITORY / "operator"))


def test_a_process_started_in_the_repository_finds_the_standard_library_too() -> None:
    code = "import operator, lakehouse_api; print(operator.itemgetter(0)('a'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=paths.REPOSITORY, capture_output=True, text=True, check=True
    )

    assert done.stdout == "a\n"
