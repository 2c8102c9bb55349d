"""A CRM's bulk export of accounts, the same for the same seed, with the mess of reality and the exact count of it.

    python -m lakehouse_dev.crm_export --rows 100000 --directory /tmp/accounts

Every defect hits its own rows, so the counts add up. Some of the mess is valid and must not cost a row: quoted line
breaks, a byte order mark, moved and extra columns, ids that occur twice, numbers written in unusual ways.
"""

import argparse
import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from lakehouse_dev.web.record_id import record_id

COLUMNS: Final = (
    "Id",
    "Name",
    "Type",
    "Industry",
    "AnnualRevenue",
    "CurrencyIsoCode",
    "NumberOfEmployees",
    "Phone",
    "Website",
    "BillingStreet",
    "BillingCity",
    "BillingCountry",
    "Email__c",
    "OwnerId",
    "CreatedDate",
    "LastModifiedDate",
    "SystemModstamp",
    "LastActivityDate",
    "IsDeleted",
)
EXTRA_COLUMNS: Final = ("LegacyId__c", "Rating")
FEWEST_ROWS: Final = 400
_FEWEST_FILES: Final = 5
_TYPES: Final = ("Prospect", "Customer - Direct", "Customer - Channel", "Partner", "Other")
_INDUSTRIES: Final = ("Banking", "Chemicals", "Energy", "Healthcare", "Retail", "Technology", "")
_PLACES: Final = (("Köln", "Germany"), ("Łódź", "Poland"), ("São Paulo", "Brazil"), ("東京", "Japan"), ("Leeds", "UK"))
_WORDS: Final = ("Acme", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Grünwald", "Hæken", "Ibis", "Juniper")
_FORMS: Final = ("Ltd", "GmbH", "S.A.", "Inc", "& Sons", 'of "Quality"', "Group, Holding")

Row = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A kind of mess: what it does to a row, in how many of 10,000 rows, and how the contract names it."""

    spoil: Callable[[Row, Random], None]
    per_10000: int
    refusal: str | None


def _set(column: str, *values: str) -> Callable[[Row, Random], None]:
    return lambda row, random: row.update({column: random.choice(values)})


def _break_street(row: Row, random: Random) -> None:
    row["BillingStreet"] = f'Building {random.randrange(99)},\nfloor {random.randrange(20)}\r\n"rear"'


DEFECTS: Final[Mapping[str, Defect]] = {
    "missingId": Defect(spoil=_set("Id", ""), per_10000=25, refusal="/Id required"),
    "malformedId": Defect(spoil=_set("Id", "001-NOT-AN-ID", "9"), per_10000=10, refusal="/Id pattern"),
    "badEmail": Defect(
        spoil=_set("Email__c", "unknown", "n/a", "me(at)home.org"), per_10000=60, refusal="/Email__c format"
    ),
    "textAsRevenue": Defect(
        spoil=_set("AnnualRevenue", "n/a", "1.200,50", "$5"), per_10000=30, refusal="/AnnualRevenue type"
    ),
    "negativeRevenue": Defect(
        spoil=_set("AnnualRevenue", "-1", "-0.01"), per_10000=10, refusal="/AnnualRevenue minimum"
    ),
    "fractionOfEmployees": Defect(
        spoil=_set("NumberOfEmployees", "12.5", "many"), per_10000=15, refusal="/NumberOfEmployees type"
    ),
    "unknownType": Defect(spoil=_set("Type", "Competitor", "prospect"), per_10000=10, refusal="/Type enum"),
    "badDate": Defect(
        spoil=_set("CreatedDate", "2025-02-30T10:00:00.000Z", "31/12/2024 10:00"),
        per_10000=10,
        refusal="/CreatedDate format",
    ),
    "unusualNumber": Defect(spoil=_set("NumberOfEmployees", "1e3", "250.0"), per_10000=10, refusal=None),
    "lowerCaseTime": Defect(spoil=_set("CreatedDate", "2024-05-01t08:15:30z"), per_10000=5, refusal=None),
    "quotedLineBreak": Defect(spoil=_break_street, per_10000=200, refusal=None),
}


@dataclass(frozen=True, kw_only=True)
class CrmExport:
    """The files by name, and their counts: records, records per defect, refusals by JSON Pointer and keyword."""

    files: Mapping[str, bytes]
    rows: int
    defects: Mapping[str, int]
    refusals: Mapping[str, int]

    @property
    def refused(self) -> int:
        """Give how many records the contract refuses."""
        return sum(self.refusals.values())

    @property
    def accepted(self) -> int:
        """Give how many records the contract accepts."""
        return self.rows - self.refused

    def counts(self) -> dict[str, object]:
        """Give all counts as one document."""
        numbers = {"rows": self.rows, "accepted": self.accepted, "refused": self.refused}
        return {**numbers, "refusals": dict(self.refusals), "defects": dict(self.defects)}


def crm_export(*, rows: int = 100_000, files: int = 8, seed: int = 20_261_124) -> CrmExport:
    """Make an export of `rows` records in `files` files; at least FEWEST_ROWS, so that every defect occurs."""
    if rows < FEWEST_ROWS or files < _FEWEST_FILES:
        raise ValueError(f"an export with every defect needs {FEWEST_ROWS} rows and {_FEWEST_FILES} files at least")
    random = Random(seed)
    records = [_account(number, random) for number in range(rows)]
    defects = _spoil(records, random)
    texts = {f"accounts-{number + 1:02}.csv": _file(number, files, records, random) for number in range(files)}
    refusals = {defect.refusal: defects[name] for name, defect in DEFECTS.items() if defect.refusal}
    return CrmExport(
        files=texts,
        rows=rows,
        defects={**defects, "truncatedLastRecord": 1},
        refusals={**refusals, "Malformed": 1},
    )


def _account(number: int, random: Random) -> Row:
    city, country = random.choice(_PLACES)
    day = f"{random.randrange(2015, 2026)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}"
    name = f"{random.choice(_WORDS)} {random.choice(_WORDS)} {random.choice(_FORMS)}"
    site = f"www.{name.split(maxsplit=1)[0].lower()}{number}.example"
    values = (
        record_id("001", number),
        name,
        random.choice(_TYPES),
        random.choice(_INDUSTRIES),
        random.choice(("", str(random.randrange(10**9)), f"{random.randrange(10**9)}.{random.randrange(100):02}")),
        random.choice(("EUR", "USD", "JPY")),
        random.choice(("", str(random.randrange(50_000)))),
        f"+49 {random.randrange(100, 999)} {random.randrange(10**6, 10**7)}",
        site,
        f"{random.choice(_WORDS)} Street {random.randrange(1, 300)}",
        city,
        country,
        random.choice(("", f"office@{site}")),
        record_id("005", random.randrange(200)),
        f"{day}T{random.randrange(24):02}:{random.randrange(60):02}:00.000Z",
        f"{day}T23:{random.randrange(60):02}:10.000Z",
        f"{day}T23:59:{random.randrange(60):02}.000Z",
        random.choice(("", day)),
        random.choice(("false", "false", "false", "true")),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _spoil(records: Sequence[Row], random: Random) -> dict[str, int]:
    """Spoil records, each at most once; never the last one, which will be truncated."""
    untouched = list(range(len(records) - 1))
    random.shuffle(untouched)
    counts = {}
    for name, defect in DEFECTS.items():
        counts[name] = max(1, len(records) * defect.per_10000 // 10_000)
        for _ in range(counts[name]):
            defect.spoil(records[untouched.pop()], random)
    counts["repeatedId"] = max(1, len(records) // 1000)
    for _ in range(counts["repeatedId"]):
        records[untouched.pop()]["Id"] = records[untouched[0]]["Id"]
    return counts


def _file(number: int, files: int, records: Sequence[Row], random: Random) -> bytes:
    """Write one file: the second has a BOM, the third moves columns, the fourth has more, the last is cut off."""
    share = -(-len(records) // files)
    part = [dict(record) for record in records[number * share : (number + 1) * share]]
    columns = list(COLUMNS)
    if number == 1:
        return b"\xef\xbb\xbf" + _csv(columns, part)
    if number == 2:  # noqa: PLR2004 (the file that moves columns)
        random.shuffle(columns)
    if number == 3:  # noqa: PLR2004 (the file with more columns)
        columns[5:5] = EXTRA_COLUMNS
        for record in part:
            record.update(LegacyId__c=str(random.randrange(10**6)), Rating=random.choice(("Hot", "Cold", "")))
    data = _csv(columns, part)
    return _truncated(data) if number == files - 1 else data


def _truncated(data: bytes) -> bytes:
    """Cut the last record off after some of its cells, as an upload that broke would."""
    start = data.rstrip(b"\n").rindex(b"\n") + 1
    return data[: start + data[start:].index(b",") + 4]


def _csv(columns: Sequence[str], records: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def main() -> None:
    """Write the files into a directory and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--seed", type=int, default=20_261_124)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    export = crm_export(rows=arguments.rows, files=arguments.files, seed=arguments.seed)
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name, data in export.files.items():
        (arguments.directory / name).write_bytes(data)
    print(json.dumps(export.counts(), indent=2))


if __name__ == "__main__":
    main()
