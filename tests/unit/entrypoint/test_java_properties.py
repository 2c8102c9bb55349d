"""Java properties files are read as Java reads them, and as the operator writes them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoint import java_properties
from entrypoint.errors import UnusableError
from lakehouse_operator.core.spark_conf import to_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a=1\nb:2\nc 3\nd = 4\n", {"a": "1", "b": "2", "c": "3", "d": "4"}, id="separators"),
        pytest.param("# no\n! no\n\n  a=1", {"a": "1"}, id="comments and empty lines"),
        pytest.param("a=k8s://https://host", {"a": "k8s://https://host"}, id="separators inside a value"),
        pytest.param(r"a\=b\:c=1", {"a=b:c": "1"}, id="separators escaped in a key"),
        pytest.param("a=1,\\\n    2", {"a": "1,2"}, id="a line that goes on"),
        pytest.param("a=1\\\\\nb=2", {"a": "1\\", "b": "2"}, id="a backslash that ends a value"),
        pytest.param(r"a=\u00e9\tx", {"a": "é\tx"}, id="escapes"),
        pytest.param("a", {"a": ""}, id="a key alone"),
    ],
)
def test_a_file_is_read_as_java_does(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    file = tmp_path / "spark.properties"
    file.write_text(text)
    assert java_properties.read(file) == expected


@given(
    st.dictionaries(
        st.from_regex(r"\Aspark\.[a-zA-Z.=: #!\\-]{1,20}\Z"),
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs", "Cs")), max_size=30),
        max_size=5,
    )
)
def test_what_the_operator_writes_is_read_back(conf: dict[str, str]) -> None:
    lines = java_properties.logical_lines(to_text(conf))
    assert dict(map(java_properties.split_property, lines)) == conf


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "spark.properties"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnusableError, match=r"spark\.properties"):
        java_properties.read(file)
