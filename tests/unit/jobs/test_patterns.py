"""Which expressions are written for Java, and which are left alone."""

import pytest

from lakehouse_jobs.contract.patterns import to_java


@pytest.mark.parametrize(
    ("pattern", "java"),
    [
        ("^a", r"\A\x{61}"),
        ("a$", r"\x{61}(?=\n?\z)"),
        ("a.c", r"\x{61}[^\n]\x{63}"),
        ("[]-]", r"[\x{5D}\x{2D}]"),
        ("(a|bc)+?", r"(?:(?:(?:\x{61}|\x{62}\x{63}))){1,}?"),
        (r"\d{2,3}", r"[0-9]{2,3}"),
    ],
)
def test_an_expression_is_written_anew_from_what_it_means(pattern: str, java: str) -> None:
    assert to_java(pattern) == java


@pytest.mark.parametrize(
    "pattern", [r"\ba", r"[^\w]", r"\D", "(?i)a", "(?=a)", r"(a)\1", "a{1001}", "(?P<n>a)(?(n)b)", "(", "(?>a)"]
)
def test_what_java_reads_otherwise_has_no_counterpart(pattern: str) -> None:
    assert to_java(pattern) is None
