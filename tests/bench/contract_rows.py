"""Rows of CRM accounts as NDJSON for the benchmark: valid ones, and some that are not."""

import json
from random import Random
from typing import Any

from lakehouse_dev import paths

CONTRACT: dict[str, Any] = json.loads((paths.REPOSITORY / "schemas" / "crm_accounts.schema.json").read_text())
_TYPES = CONTRACT["properties"]["Type"]["enum"]
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def file_of_rows(rows: int, seed: int, bad_every: int) -> str:
    """Write so many rows; every so manieth has a type that no account has."""
    chance = Random(seed)
    lines = []
    for number in range(rows):
        row = _row(chance)
        if bad_every and number % bad_every == 0:
            row["Type"] = "Unheard of"
        lines.append(json.dumps(row))
    return "".join(f"{line}\n" for line in lines)


def _row(chance: Random) -> dict[str, Any]:
    word = "".join(chance.choices(_LETTERS, k=12))
    day = f"20{chance.randint(10, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    moment = f"{day}T{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:07.123Z"
    return {
        "Id": f"001{word}",
        "Name": f"{word} Ltd.",
        "Type": chance.choice(_TYPES),
        "Industry": "Shipping & Logistics",
        "AnnualRevenue": chance.randint(0, 10**9) / 100,
        "CurrencyIsoCode": "EUR",
        "NumberOfEmployees": chance.randint(0, 10**5),
        "Phone": f"+49 30 {chance.randint(10**5, 10**7)}",
        "Website": f"https://{word.lower()}.example",
        "BillingStreet": f"Long Road {chance.randint(1, 200)}",
        "BillingCity": "Berlin",
        "BillingCountry": "Germany",
        "Email__c": f"info@{word.lower()}.example",
        "OwnerId": f"005{word}",
        "CreatedDate": moment,
        "LastModifiedDate": moment,
        "SystemModstamp": moment,
        "LastActivityDate": day,
        "IsDeleted": chance.random() < 0.02,
    }
