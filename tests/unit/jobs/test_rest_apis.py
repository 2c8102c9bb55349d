"""Each flavor of API, as it is really asked over TLS: windows, pages, deleted records, times and numbers."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.run import ContractSnapshot
from lakehouse_api.sources.rest import RestSource
from lakehouse_dev.web.crm import FIRST_CHANGE
from lakehouse_dev.web.faults import Spoil
from lakehouse_jobs.contract.schema import Contract, read_contract
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.rest.api import Record, Window
from lakehouse_jobs.ingest.sources.rest.client import Client
from lakehouse_jobs.ingest.sources.rest.ecb import Ecb
from lakehouse_jobs.ingest.sources.rest.extraction import distinct
from lakehouse_jobs.ingest.sources.rest.generic import Generic
from lakehouse_jobs.ingest.sources.rest.hubspot import HubSpot
from lakehouse_jobs.ingest.sources.rest.salesforce import Salesforce
from lakehouse_jobs.ingest.sources.rest.tokens import tokens_of
from tests.web_apis import Apis, rest, trust, web_apis

CONTACT = {"Id": "Id", "LastName": "LastName", "SystemModstamp": "SystemModstamp", "IsDeleted": "IsDeleted"}
PERSON = {
    "Id": "id",
    "LastName": "lastname",
    "OptedOut": "hs_email_optout",
    "SystemModstamp": "lastmodifieddate",
    "IsDeleted": "archived",
}
HOUR = timedelta(hours=1)


@pytest.fixture
def apis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apis]:
    with web_apis(tmp_path) as apis:
        trust(monkeypatch, apis)
        yield apis


def contract(**types: Any) -> Contract:
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in types.items()}}
    return read_contract(ContractSnapshot(name="c", version="v", schema_=schema))


def client(source: RestSource) -> Client:
    return Client(tokens_of(source, SourceCredentials()))


def salesforce(apis: Apis, **more: Any) -> Salesforce:
    source = rest(apis.salesforce(**more))
    return Salesforce(source, client(source), CONTACT)


def hubspot(apis: Apis, **more: Any) -> HubSpot:
    source = rest(apis.hubspot(**more))
    types = {"Id": "string", "LastName": "string", "OptedOut": "boolean", "SystemModstamp": "string"}
    return HubSpot(source, client(source), PERSON, contract(**types, IsDeleted="boolean"))


def generic(apis: Apis, style: str, **more: Any) -> Generic:
    source = rest(apis.source("generic", f"/records/{style.lower()}", **more))
    return Generic(source, client(source))


def rows(api: Any, window: Window) -> list[dict[str, Any]]:
    found = [record for page in distinct(api.pages(window), "here") for record in page]
    return [json.loads(record.row) for record in found if window.holds(record)]


def window(cursor: str, after: datetime | None = None, until: datetime = FIRST_CHANGE + HOUR) -> Window:
    return Window(cursor=cursor, after=after, until=until)


@pytest.mark.parametrize("page", [1, 7, 99, 100, 2000])
def test_salesforce_gives_every_record_once_whatever_the_size_of_its_pages(apis: Apis, page: int) -> None:
    apis.world.salesforce.page = page

    found = rows(salesforce(apis), window("SystemModstamp"))

    assert sorted(row["Id"] for row in found) == sorted(each["Id"] for each in apis.world.crm.objects["contacts"])


def test_salesforce_gives_deleted_records_unless_they_are_to_be_left_out(apis: Apis) -> None:
    deleted = apis.world.crm.counts("contacts").deleted

    with_them = rows(salesforce(apis), window("SystemModstamp"))
    without = rows(salesforce(apis, deleted="Omit"), window("SystemModstamp"))

    assert deleted
    assert sum(row["IsDeleted"] for row in with_them) == deleted
    assert len(without) == len(with_them) - deleted


def test_the_times_of_salesforce_become_rfc_3339(apis: Apis) -> None:
    assert rows(salesforce(apis), window("SystemModstamp"))[0]["SystemModstamp"] == "2025-03-01T00:00:00.000Z"


@pytest.mark.parametrize("make", [salesforce, hubspot], ids=["salesforce", "hubspot"])
def test_two_windows_that_meet_in_the_middle_of_a_second_share_no_record_and_lose_none(apis: Apis, make: Any) -> None:
    cursor = "SystemModstamp" if make is salesforce else "lastmodifieddate"
    for place, record in enumerate(apis.world.crm.objects["contacts"]):
        record["SystemModstamp"] += timedelta(milliseconds=place % 1000)
    middle = FIRST_CHANGE + timedelta(minutes=5)

    first = rows(make(apis), window(cursor, until=middle))
    second = rows(make(apis), window(cursor, after=middle))

    assert first
    assert second
    assert len({row["Id"] for row in first + second}) == len(first) + len(second) == apis.world.crm.size


def test_a_window_with_nothing_in_it_is_seen_without_reading_pages(apis: Apis) -> None:
    empty = window("SystemModstamp", after=FIRST_CHANGE + HOUR, until=FIRST_CHANGE + 2 * HOUR)

    assert not salesforce(apis).has_records(empty)
    assert salesforce(apis).has_records(window("SystemModstamp"))
    assert apis.world.faults.requests == 2


def test_hubspot_gives_more_than_one_search_can(apis: Apis) -> None:
    apis.world.hubspot.cap = 100
    apis.world.crm.change(FIRST_CHANGE + HOUR, added=150)

    found = rows(hubspot(apis), Window())

    assert len({row["Id"] for row in found}) == len(found) == len(apis.world.crm.objects["contacts"])


def test_a_record_that_changes_while_hubspot_is_read_costs_no_other_record(apis: Apis) -> None:
    apis.world.crm.change(FIRST_CHANGE + HOUR, added=250)
    apis.world.crm.objects["contacts"].sort(key=lambda each: each["IsDeleted"])
    everything = window("lastmodifieddate", until=FIRST_CHANGE + timedelta(days=99))
    api = hubspot(apis, deleted="Omit")
    pages = api.pages(everything)
    first = next(pages)
    moved = apis.world.crm.objects["contacts"][:3]
    for record in moved:
        record["SystemModstamp"] = FIRST_CHANGE + timedelta(days=200)

    found = first + [record for page in pages for record in page]

    living = [each for each in apis.world.crm.objects["contacts"] if not each["IsDeleted"]]
    assert len({record.row for record in found}) == len(found) == len(living)


def test_hubspot_gives_booleans_where_the_contract_wants_them_and_texts_where_not(apis: Apis) -> None:
    row = rows(hubspot(apis), window("lastmodifieddate"))[0]

    assert (row["OptedOut"], row["IsDeleted"]) in {(True, False), (False, False)}
    assert isinstance(row["Id"], str)


def test_an_archived_record_of_hubspot_has_the_time_of_its_end(apis: Apis) -> None:
    found = rows(hubspot(apis), window("lastmodifieddate"))

    ended = [row for row in found if row["IsDeleted"]]
    assert len(ended) == apis.world.crm.counts("contacts").deleted
    assert all(row["SystemModstamp"].startswith("2025-03-01T") for row in ended)


DAY = datetime(2025, 6, 30, tzinfo=UTC)


def ecb(apis: Apis, path: str, **more: Any) -> Ecb:
    source = rest(apis.source("ecb", path, **more))
    return Ecb(source, client(source))


FORMATS = pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/stats/eurofxref/eurofxref-hist.xml", {}),
        ("/service/data/EXR/D..EUR.SP00.A", {}),
        ("/service/data/EXR/D..EUR.SP00.A", {"parameters": {"format": "csvdata"}}),
    ],
    ids=["xml", "sdmx-json", "csv"],
)


@FORMATS
def test_the_rates_are_the_published_texts_in_every_format(apis: Apis, path: str, more: dict[str, Any]) -> None:
    apis.world.ecb.corrected[date(2025, 6, 30), "USD"] = "1.1700000000000000001"
    api = ecb(apis, path, **more)
    asked = Window(cursor="date", after=DAY - timedelta(days=3), until=DAY)

    found = [record.row for page in api.pages(asked) for record in page]
    last = [row for row in found if '"2025-06-30"' in row]

    assert len(last) == 5
    assert '{"date":"2025-06-30","base":"EUR","currency":"USD","rate":1.1700000000000000001}' in last
    assert api.horizon(datetime(2026, 1, 1, tzinfo=UTC)) == DAY


@FORMATS
def test_the_days_of_a_window_are_the_business_days_in_it(apis: Apis, path: str, more: dict[str, Any]) -> None:
    asked = Window(cursor="date", after=datetime(2025, 4, 16, tzinfo=UTC), until=datetime(2025, 4, 23, tzinfo=UTC))

    found = rows(ecb(apis, path, **more), asked)

    assert {row["date"] for row in found} == {"2025-04-17", "2025-04-22", "2025-04-23"}


def test_a_range_without_rates_is_not_an_error(apis: Apis) -> None:
    asked = Window(cursor="date", after=DAY, until=DAY + timedelta(days=30))

    assert rows(ecb(apis, "/service/data/EXR/D.USD.EUR.SP00.A"), asked) == []


def test_xml_that_would_expand_entities_is_refused(apis: Apis) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    apis.world.faults.plan(Spoil(change=lambda _: bomb), last=9)

    with pytest.raises(JobError) as caught:
        ecb(apis, "/stats/eurofxref/eurofxref-daily.xml").horizon(DAY)

    assert caught.value.reason == "SourceMalformed"


STYLES = {
    "Cursor": {"style": "Cursor", "parameter": "cursor", "next": "/meta/next"},
    "Link": {"style": "Link"},
    "Offset": {"style": "Offset", "parameter": "offset", "sizeParameter": "limit", "size": 4},
    "Page": {"style": "Page", "parameter": "page"},
}


def records(count: int) -> list[str]:
    return [f'{{"id": {n}, "updated": "2025-03-01T00:00:{n:02}Z", "price": {n}.10}}' for n in range(count)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 3, 4, 12, 13])
def test_a_generic_api_gives_every_record_as_it_is_written(apis: Apis, style: str, count: int) -> None:
    apis.world.records.texts = records(count)
    pointer = {"records": "/data/items"} if style == "Cursor" else {}

    api = generic(apis, style, pagination=STYLES[style], **pointer)
    found = [record.row for page in api.pages(Window()) for record in page]

    assert found == records(count)


def test_a_window_of_a_generic_api_is_asked_for_and_then_checked(apis: Apis) -> None:
    apis.world.records.texts = records(10)
    api = generic(apis, "Page", pagination=STYLES["Page"], window={"after": "since"})
    bound = datetime(2025, 3, 1, 0, 0, 4, tzinfo=UTC)
    asked = Window(cursor="updated", after=bound, until=bound + timedelta(seconds=3))

    assert [row["id"] for row in rows(api, asked)] == [5, 6, 7], "the API's own bound is inclusive"


def test_renamed_fields_leave_the_others_as_they_are(apis: Apis) -> None:
    apis.world.records.texts = ['{"id": 1.0, "who": {"name": "Ada"}, "x": [1,  2]}', "7"]
    api = generic(apis, "Page", pagination=STYLES["Page"], fields={"Name": "who.name"})

    [page, _] = list(api.pages(Window()))

    assert [record.row for record in page] == ['{"id":1.0,"x":[1,  2],"Name":"Ada"}', "7"]


def test_a_next_page_on_another_host_is_never_asked_for(apis: Apis) -> None:
    apis.world.records.texts = records(5)
    apis.world.records.elsewhere = "https://evil.example/records"

    with pytest.raises(JobError) as caught:
        list(generic(apis, "Link", pagination=STYLES["Link"]).pages(Window()))

    assert caught.value.reason == "SourceRefused"
    assert "evil.example" in caught.value.message


def page_of(*numbers: int) -> list[Record]:
    return [Record(cursor=None, row=str(number)) for number in numbers]


def test_a_record_that_moved_to_the_next_page_is_given_once() -> None:
    pages = [page_of(1, 2, 3), page_of(3, 4), [], page_of(4, 5)]

    assert [[each.row for each in page] for page in distinct(pages, "here")] == [["1", "2", "3"], ["4"], [], ["5"]]


@pytest.mark.parametrize("pages", [[(1, 2), (1, 2)], [(1, 2), (3,), (1, 2)]], ids=["at once", "later"])
def test_a_page_that_comes_again_ends_the_reading(pages: list[tuple[int, ...]]) -> None:
    with pytest.raises(JobError) as caught:
        list(distinct([page_of(*page) for page in pages], "here"))

    assert caught.value.reason == "SourceRepeats"
