"""Options of the readers: which a user may give, and what is fixed because the counts of rows depend on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lakehouse_api.sources.files import FileFormat, FilesSource
from lakehouse_jobs.failures import spec_wrong

ALLOWED: Final[Mapping[FileFormat, frozenset[str]]] = {
    FileFormat.CSV: frozenset({"header", "delimiter", "sep", "quote", "escape", "encoding", "nullValue"}),
    FileFormat.JSON: frozenset(),
    FileFormat.NDJSON: frozenset(),
    FileFormat.PARQUET: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class CsvDialect:
    """How a CSV file is written. The defaults are RFC 4180's: comma, double quote, a quote doubled inside quotes."""

    delimiter: str
    quote: str
    escape: str
    encoding: str
    null_value: str

    def reader_options(self) -> dict[str, str]:
        """Give the options of Spark's reader.

        Every record is one row, whatever is wrong with it, and none is split: line breaks inside quotes are data.
        """
        return {
            "header": "true",
            "multiLine": "true",
            "mode": "PERMISSIVE",
            "columnNameOfCorruptRecord": "broken",
            "columnPruning": "false",
            "recursiveFileLookup": "true",
            "sep": self.delimiter,
            "quote": self.quote,
            "escape": self.escape,
            "encoding": self.encoding,
            "nullValue": self.null_value,
            "maxColumns": "20000",
        }


def check_options(source: FilesSource) -> None:
    """Raise OptionRefused for an option that the reader of the format does not have or that is fixed."""
    allowed = ALLOWED[source.format]
    unknown = sorted(set(source.options) - allowed)
    if unknown:
        takes = ", ".join(sorted(allowed)) or "none"
        raise spec_wrong(
            "OptionRefused",
            f"source.files.options: {', '.join(unknown)} cannot be set for {source.format}; it takes: {takes}.",
        )
    if source.options.get("header", "true").lower() != "true":
        raise spec_wrong(
            "OptionRefused",
            "source.files.options.header must be true: columns are found by name, so files need a header.",
        )
    for name in ("delimiter", "sep", "quote"):
        if len(source.options.get(name, ",")) != 1:
            raise spec_wrong("OptionRefused", f"source.files.options.{name} must be one character.")


def csv_dialect(options: Mapping[str, str]) -> CsvDialect:
    """Read the dialect from a source's options."""
    quote = options.get("quote", '"')
    return CsvDialect(
        delimiter=options.get("delimiter", options.get("sep", ",")),
        quote=quote,
        escape=options.get("escape", quote),
        encoding=options.get("encoding", "UTF-8"),
        null_value=options.get("nullValue", ""),
    )
