"""What the CRM holds: contacts and opportunities, the same for the same seed, and what happens to them later.

Record `n` of an object follows from the seed and `n` alone. Some records break their contract on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from lakehouse_dev.web.record_id import record_id

FIRST_CHANGE: Final = datetime(2025, 3, 1, tzinfo=UTC)

DEFECT_EVERY: Final = 250
DELETED_EVERY: Final = 40
_SAME_SECOND: Final = 7
"""So many records in a row were changed in the same second."""

_NAMES: Final = ("Ada", "Björn", "Chloé", "Dmitri", "Ėva", "Fatma", "Grace", "Håkon", "Inês", "Jūratė")
_FAMILIES: Final = ("Lovelace", "Åkesson", "O'Neil", "Núñez", "Weiß", "Łukasik", "Smith", "山田", "de la Cruz", "Öz")
_STAGES: Final = ("Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Won", "Closed Lost")

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many records there are, how many of them were deleted, and how many their contract refuses."""

    records: int
    deleted: int
    refused: int

    @property
    def accepted(self) -> int:
        """Give how many records the contract accepts."""
        return self.records - self.refused


@dataclass(kw_only=True)
class Crm:
    """A CRM with `size` records of each object. Times are `datetime`; each API writes them in its own way."""

    size: int = 1_000
    seed: int = 20_261_124
    wave: int = 0
    objects: dict[str, list[Record]] = field(init=False)

    def __post_init__(self) -> None:
        self.objects = {name: [make(self.seed, n) for n in range(self.size)] for name, make in MAKERS.items()}

    def counts(self, name: str) -> Counts:
        """Count the records of an object as they are now."""
        records = self.objects[name]
        return Counts(
            records=len(records),
            deleted=sum(each["IsDeleted"] for each in records),
            refused=sum(each["_defect"] for each in records),
        )

    def change(self, at: datetime, *, changed: int = 30, added: int = 20, deleted: int = 5) -> None:
        """Let the next wave happen: records are changed, deleted and added, some of them in the same second.

        The last of these seconds is `at`.
        """
        self.wave += 1
        first = at - timedelta(seconds=(changed + deleted + added - 1) // _SAME_SECOND)
        for name, records in self.objects.items():
            alive = [each for each in records if not each["IsDeleted"]]
            touched = alive[self.wave : self.wave + changed + deleted]
            for place, record in enumerate(touched):
                _touch(record, first, place)
                record["IsDeleted"] = place >= changed
            fresh = [MAKERS[name](self.seed, number) for number in range(len(records), len(records) + added)]
            for place, record in enumerate(fresh):
                _touch(record, first, len(touched) + place)
                records.append({**record, "IsDeleted": False})


def _touch(record: Record, first: datetime, place: int) -> None:
    at = first + timedelta(seconds=place // _SAME_SECOND)
    record |= {"LastModifiedDate": at, "SystemModstamp": at}


def _stamps(n: int) -> Record:
    at = FIRST_CHANGE + timedelta(seconds=n // _SAME_SECOND * 60)
    deleted = n % DELETED_EVERY == DELETED_EVERY - 1
    return {
        "CreatedDate": at - timedelta(days=90),
        "LastModifiedDate": at,
        "SystemModstamp": at,
        "IsDeleted": deleted,
        "_defect": n % DEFECT_EVERY == DEFECT_EVERY - 1,
    }


def _contact(seed: int, n: int) -> Record:
    random = Random(seed * 1_000_003 + n)
    first, last = random.choice(_NAMES), random.choice(_FAMILIES)
    stamps = _stamps(n)
    return {
        "Id": record_id("003", n),
        "AccountId": record_id("001", random.randrange(400)),
        "FirstName": random.choice((first, None)),
        "LastName": last,
        "Title": random.choice(("CTO", 'Head of "Quality"', "Buyer\nEMEA", None)),
        "Department": random.choice(("IT", "Einkauf", None)),
        "Email": "not an address" if stamps["_defect"] else f"contact{n}@example.com",
        "Phone": f"+49 30 {random.randrange(10**6, 10**7)}",
        "MobilePhone": None,
        "Birthdate": f"{random.randrange(1950, 2005)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
        "MailingStreet": f"{random.randrange(1, 300)} Main Street",
        "MailingPostalCode": f"{random.randrange(10000, 99999)}",
        "MailingCity": random.choice(("Köln", "Łódź", "São Paulo")),
        "MailingCountry": random.choice(("Germany", "Poland", "Brazil")),
        "LeadSource": random.choice(("Web", "Fair", None)),
        "HasOptedOutOfEmail": random.random() < 0.1,  # noqa: PLR2004 (one in ten)
        "OwnerId": record_id("005", random.randrange(50)),
        **stamps,
    }


def _opportunity(seed: int, n: int) -> Record:
    random = Random(seed * 1_000_033 + n)
    stage, stamps = random.choice(_STAGES), _stamps(n)
    closed = stage.startswith("Closed")
    return {
        "Id": record_id("006", n),
        "AccountId": record_id("001", random.randrange(400)),
        "Name": f"Deal {n}",
        "StageName": stage,
        "Amount": "-1.00" if stamps["_defect"] else f"{random.randrange(10**7)}.{random.randrange(100):02}",
        "CurrencyIsoCode": random.choice(("EUR", "USD", "JPY")),
        "Probability": str(random.randrange(101)),
        "CloseDate": f"2025-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
        "Type": random.choice(("New", "Renewal", None)),
        "LeadSource": None,
        "ForecastCategory": random.choice(("Pipeline", "BestCase", "Omitted", None)),
        "IsClosed": closed,
        "IsWon": stage == "Closed Won",
        "OwnerId": record_id("005", random.randrange(50)),
        **stamps,
    }


MAKERS: Final[dict[str, Callable[[int, int], Record]]] = {"contacts": _contact, "opportunities": _opportunity}
NUMBERS: Final = frozenset({"Amount", "Probability"})
"""Fields whose texts are numbers: an API that writes JSON numbers writes them as they stand."""
