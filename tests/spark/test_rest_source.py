"""Records of web APIs, over TLS, from a real Spark into a real store: each once, whatever happens in between."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.run import ExitCode, RunSpec
from lakehouse_dev.web.crm import Record
from lakehouse_dev.web.faults import CloseHalfway, Do, Fault, Refuse, Repeat, Spoil
from lakehouse_dev.web.hubspot import PROPERTIES
from lakehouse_dev.web.oauth import CLIENT_SECRET
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest import judging
from lakehouse_jobs.ingest.job import Ended, ingest
from lakehouse_jobs.ingest.landing import Landing
from tests.spark.lake import Lake
from tests.web_apis import Apis, trust, web_apis

pytestmark = pytest.mark.spark

SCHEMAS = Path(__file__).parents[2] / "schemas"
CONTACTS: dict[str, Any] = json.loads((SCHEMAS / "crm_contacts.schema.json").read_text())
OPPORTUNITIES: dict[str, Any] = json.loads((SCHEMAS / "crm_opportunities.schema.json").read_text())
RATES: dict[str, Any] = json.loads((SCHEMAS / "fx_rates.schema.json").read_text())
SMALL: dict[str, Any] = {
    "type": "object",
    "required": ["Id", "SystemModstamp"],
    "x-keys": ["Id"],
    "properties": {
        "Id": {"type": "string"},
        "LastName": {"type": ["string", "null"], "maxLength": 80},
        "SystemModstamp": {"type": "string", "format": "date-time"},
        "IsDeleted": {"type": "boolean"},
    },
}
BY_CHANGE: dict[str, Any] = {"incremental": {"cursor": "SystemModstamp"}}
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
BOOKS = "bronze/people/_ingest/crm/people"
SIZE = 60


LATER = NOW + timedelta(hours=1)


@dataclass(kw_only=True)
class Stage:
    lake: Lake
    apis: Apis
    skew: timedelta = timedelta()

    @property
    def contacts(self) -> list[Record]:
        return self.apis.world.crm.objects["contacts"]

    def ingest(
        self, slot: str = "1", attempt: int = 1, *, rest: dict[str, Any] | None = None, now: datetime = NOW, **job: Any
    ) -> Ended:
        """Run one ingest of contacts by their last change, unless told otherwise."""
        self.apis.world.clock = now + self.skew
        document = self.lake.document(slot, attempt, **{"contract": SMALL, **BY_CHANGE, **job})
        document["job"]["source"] = {"rest": rest or self.apis.salesforce()}
        return ingest(self.lake.spark, RunSpec.model_validate(document), f"{now:%Y-%m-%dT%H:%M:%SZ}")

    def failure(self, *arguments: Any, **job: Any) -> JobError:
        with pytest.raises(JobError) as caught:
            self.ingest(*arguments, **job)
        return caught.value


@pytest.fixture
def stage(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with web_apis(tmp_path, size=SIZE) as apis:
        trust(monkeypatch, apis)
        apis.world.salesforce.page = 20
        yield Stage(lake=lake, apis=apis)


def ids(stage: Stage) -> list[str]:
    return sorted(each["Id"] for each in stage.contacts)


def test_the_first_batch_reads_everything_and_the_next_only_what_changed(stage: Stage) -> None:
    first = stage.ingest("1")
    idle = stage.ingest("2", now=LATER)
    stage.apis.world.crm.change(NOW, changed=3, added=2, deleted=1)
    third = stage.ingest("3", now=LATER)

    assert [each.result.reason for each in (first, idle, third)] == ["Ingested", "NoNewRows", "Ingested"]
    assert first.result.metrics["rowsWritten"] == SIZE
    assert third.result.metrics["rowsWritten"] == 6
    assert third.result.metrics["newestInputTime"] == "2026-11-24T06:59:00Z"
    assert set(stage.lake.rows("Id")) == set(ids(stage))
    assert stage.lake.table().where("IsDeleted and _ingest_batch = 2").count() == 1
    numbers = [row for row, batch in stage.lake.rows("_ingest_row", "_ingest_batch") if batch == 1]
    assert numbers == [*range(1, SIZE + 1)]
    assert stage.lake.keys(f"{BOOKS}/landed") == [], "what was landed is deleted"


def test_the_contacts_of_hubspot_reach_the_same_table_as_those_of_salesforce(stage: Stage) -> None:
    renamed = {column: name for name, column in PROPERTIES["contacts"].items()}
    fields = {**renamed, "LastModifiedDate": "updatedAt", "IsDeleted": "archived"}
    hubspot = stage.apis.hubspot(fields=fields)

    ended = stage.ingest(rest=hubspot, contract=CONTACTS, incremental={"cursor": "lastmodifieddate"})

    counts = stage.apis.world.crm.counts("contacts")
    assert ended.result.metrics["rowsWritten"] == counts.accepted, ended.result.message
    found = {row["Id"]: row for row in stage.lake.table().collect()}
    texts = renamed.keys() - {"CreatedDate", "SystemModstamp"}
    for record in stage.contacts:
        row = found[record["Id"]].asDict()
        assert {name: row[name] and str(row[name]) for name in texts} == {
            name: record[name] and str(record[name]) for name in texts
        }
        assert row["IsDeleted"] == record["IsDeleted"]
        assert row["SystemModstamp"].replace(tzinfo=UTC) == record["SystemModstamp"]


def test_the_opportunities_of_salesforce_keep_their_amounts_to_the_cent(stage: Stage) -> None:
    records = stage.apis.world.crm.objects["opportunities"]
    records[0]["Amount"] = "9007199254740993.01"
    records[1]["Amount"] = "-0.01"

    ended = stage.ingest(rest=stage.apis.salesforce("Opportunity"), contract=OPPORTUNITIES)

    assert ended.result.metrics["rowsWritten"] == SIZE - 1, ended.result.message
    amounts = {row["Id"]: str(row["Amount"]) for row in stage.lake.table().collect()}
    assert amounts == {each["Id"]: each["Amount"] for each in records if each["Amount"] != "-0.01"}
    assert [reasons for _, reasons in stage.lake.refused()] == [[("/Amount", "minimum")]]


RATES_JOB: dict[str, Any] = {
    "contract": RATES,
    "incremental": {"cursor": "date", "lookback": "7d"},
    "target": {"mode": "Overwrite", "overwrite": {"by": ["date"]}},
}


def test_late_corrections_of_rates_replace_what_was_read(stage: Stage) -> None:
    ecb, source = stage.apis.world.ecb, stage.apis.source("ecb", "/stats/eurofxref/eurofxref-hist-90d.xml")
    days = len(ecb.days[-62:])
    first = stage.ingest("1", rest=source, **RATES_JOB)
    idle = stage.ingest("2", rest=source, **RATES_JOB)
    ecb.publish()
    ecb.corrected[date(2025, 6, 27), "USD"] = "1.99990001"
    second = stage.ingest("3", rest=source, **RATES_JOB)

    assert [each.result.reason for each in (first, idle, second)] == ["Ingested", "NoNewRows", "Ingested"]
    assert first.result.metrics["newestInputTime"] == "2025-06-30T00:00:00Z"
    rates = {(row["date"], row["currency"]): str(row["rate"]) for row in stage.lake.table().collect()}
    assert len(rates) == stage.lake.table().count() == 5 * (days + 1)
    assert rates[date(2025, 6, 27), "USD"] == "1.99990001"
    assert rates[date(2025, 7, 1), "JPY"].rstrip("0") == ecb.rate(date(2025, 7, 1), "JPY").rstrip("0")


def test_days_that_are_read_again_take_the_place_of_what_was_read(stage: Stage) -> None:
    ecb, source = stage.apis.world.ecb, stage.apis.source("ecb", "/stats/eurofxref/eurofxref-hist-90d.xml")
    job = {**RATES_JOB, "incremental": {"cursor": "date"}}
    stage.ingest("1", rest=source, **job)
    count = stage.lake.table().count()
    ecb.corrected[date(2025, 6, 20), "USD"] = ecb.corrected[date(2025, 6, 23), "USD"] = "1.99990001"

    ended = stage.ingest("backfill:a/1", rest=source, **job, backfill={"from": "2025-06-18", "until": "2025-06-21"})
    ecb.publish()
    ordinary = stage.ingest("2", rest=source, **job)

    assert (ended.result.metrics["rowsWritten"], ordinary.result.metrics["rowsWritten"]) == (15, 5)
    table = stage.lake.table()
    assert (table.count(), table.where("_ingest_batch = 2").count()) == (count + 5, 15)
    assert [row["date"] for row in table.where("rate = 1.99990001").collect()] == [date(2025, 6, 20)]


def test_a_range_of_contacts_adds_what_the_table_lacks(stage: Stage) -> None:
    stage.ingest("1")
    late = {**stage.contacts[0], "Id": "late"}
    stage.contacts.append(late)
    day = f"{late['SystemModstamp']:%Y-%m-%d}"

    ended = stage.ingest("backfill:a/1", backfill={"from": day, "until": "2027-01-01"})
    idle = stage.ingest("2")

    assert (ended.result.metrics["rowsRead"], idle.result.reason) == (1, "NoNewRows")
    assert sorted(stage.lake.rows("Id")) == ids(stage)


def test_late_rows_within_the_lookback_are_read_once(stage: Stage) -> None:
    job: dict[str, Any] = {"incremental": {"cursor": "SystemModstamp", "lookback": "1h"}}
    for record in stage.contacts:
        record["SystemModstamp"] = NOW - timedelta(minutes=10)
    stage.ingest("1", **job)
    late = {**stage.contacts[0], "Id": "late"}
    stage.contacts[1]["SystemModstamp"] = NOW - timedelta(minutes=5)
    stage.contacts.extend([late, {**late, "Id": "new", "SystemModstamp": NOW}])

    ended = stage.ingest("2", now=LATER, **job)

    assert ended.result.metrics["rowsWritten"] == 3, "the late one, the new one and the one that changed"
    assert len(stage.lake.rows("Id")) == SIZE + 3


def test_a_lookback_without_keys_is_refused(stage: Stage) -> None:
    contract = {name: value for name, value in SMALL.items() if name != "x-keys"}

    error = stage.failure(contract=contract, incremental={"cursor": "SystemModstamp", "lookback": "1h"})

    assert (error.reason, error.code) == ("KeysMissing", ExitCode.SPEC_WRONG)


def test_a_clock_behind_ours_and_a_record_dated_in_the_future_hide_no_other(stage: Stage) -> None:
    stage.skew = timedelta(hours=-2)
    stage.contacts[0]["SystemModstamp"] = datetime(2099, 1, 1, tzinfo=UTC)
    stage.contacts[1]["SystemModstamp"] = NOW - timedelta(minutes=90)
    stage.ingest("1")
    watermark = datetime.fromisoformat(stage.lake.read(f"{BOOKS}/1.json")["work"]["watermark"])
    assert watermark == NOW + stage.skew - timedelta(minutes=1)

    stage.skew = timedelta()
    stage.contacts[2]["SystemModstamp"] = NOW
    stage.ingest("2", now=LATER)

    found = stage.lake.rows("Id")
    assert stage.contacts[0]["Id"] not in found
    assert {each["Id"] for each in stage.contacts[1:]} == set(found)


def test_a_record_of_a_clock_ahead_of_ours_is_read_once_when_our_clock_is_there(stage: Stage) -> None:
    stage.skew = timedelta(hours=2)
    stage.contacts[0]["SystemModstamp"] = NOW + timedelta(minutes=90)

    first = stage.ingest("1")
    second = stage.ingest("2", now=NOW + timedelta(hours=3))

    assert [each.result.metrics["rowsWritten"] for each in (first, second)] == [SIZE - 1, 1]
    assert stage.lake.rows("Id") == ids(stage)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("place", "name", "landed"),
    [
        pytest.param(Landing, "finish", False, id="after the last page, before the marker"),
        pytest.param(batches, "judge", True, id="after the marker"),
        pytest.param(judging.Judged, "release", True, id="after the commit"),
    ],
)
def test_a_driver_that_dies_at_a_boundary_costs_no_record_and_doubles_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, place: object, name: str, *, landed: bool
) -> None:
    stage.contacts[0]["LastName"] = "x" * 99
    with monkeypatch.context() as patch:
        patch.setattr(place, name, _after_rows(getattr(place, name)) if name == "judge" else _die)
        with pytest.raises(KeyboardInterrupt):
            stage.ingest("1")
    stage.contacts[1]["SystemModstamp"] = NOW
    requests = stage.apis.world.faults.requests

    retry = stage.ingest("1", attempt=2)

    assert (stage.apis.world.faults.requests == requests) == landed, "what was landed is not asked for again"
    expected = SIZE - 1 if landed else SIZE - 2
    assert (retry.result.metrics["rowsWritten"], retry.result.metrics["rowsQuarantined"]) == (expected, 1)
    stage.ingest("2", now=LATER)
    assert len(set(stage.lake.rows("Id", "SystemModstamp"))) == len(stage.lake.rows("Id"))
    assert {each["Id"] for each in stage.contacts[1:]} == set(stage.lake.rows("Id"))
    assert len(stage.lake.refused()) == 1
    assert stage.lake.keys(f"{BOOKS}/landed") == []


def _after_rows(judge: Callable[..., Any]) -> Callable[..., Any]:
    def die(*arguments: Any) -> None:
        judge(*arguments)
        raise KeyboardInterrupt

    return die


TRAILING = Spoil(change=lambda body: body + b" and more")
PASSING: dict[str, tuple[Fault, str, str]] = {
    "a page that repeats": (Repeat(), "SourceRepeats", "a page that it had given before"),
    "a storm of 429": (Refuse(status=429), "SourceThrottled", "takes no more requests for now"),
    "a wait of an hour": (Refuse(status=429, headers={"Retry-After": "3600"}), "SourceThrottled", "no more requests"),
    "a server that closes halfway": (CloseHalfway(), "SourceUnavailable", "cannot be reached"),
    "an outage of the server": (Refuse(status=500, body="oh no"), "SourceUnavailable", "answers 500 oh no"),
    "JSON with something behind it": (TRAILING, "SourceMalformed", "does not answer with what it should"),
    "a page of HTML": (Spoil(change=lambda _: b"<html>"), "SourceMalformed", "does not answer with what it should"),
}


def test_what_goes_wrong_in_the_middle_costs_an_attempt_with_its_reason_but_no_record(stage: Stage) -> None:
    faults, told = stage.apis.world.faults, {}
    for attempt, (name, (fault, *_)) in enumerate(PASSING.items(), start=1):
        faults.plan(fault, first=3, last=99)
        error = stage.failure("1", attempt)
        told[name] = (error.reason, error.message, error.code)
        faults.clear()
        assert not [key for key in stage.lake.keys("bronze") if "_delta_log" in key], f"committed in spite of {name}"

    for name, (_, reason, words) in PASSING.items():
        assert (told[name][0], told[name][2]) == (reason, ExitCode.UNAVAILABLE), name
        assert words in told[name][1], name
    stage.ingest("1", attempt=len(PASSING) + 1)
    assert stage.lake.rows("Id") == ids(stage)


def test_a_token_that_expires_in_the_middle_is_renewed_and_if_there_is_no_other_the_next_attempt_has_one(
    stage: Stage,
) -> None:
    authority, faults = stage.apis.world.authority, stage.apis.world.faults

    def lock_out() -> None:
        authority.revoke_all()
        authority.lifetime = 0

    faults.plan(Do(action=lock_out), first=3)
    error = stage.failure("1")
    assert (error.reason, error.code) == ("AccessDenied", ExitCode.UNAVAILABLE)
    assert "Check the Secret" in error.message

    authority.lifetime = 3600
    faults.plan(Do(action=authority.revoke_all), first=3)
    granted = authority.granted
    stage.ingest("1", attempt=2)
    assert authority.granted == granted + 2, "one at the beginning, one in the middle"
    assert stage.lake.rows("Id") == ids(stage)


def test_a_record_with_bytes_that_are_no_text_goes_to_quarantine_alone(stage: Stage) -> None:
    stage.contacts[0]["LastName"] = "MARKER"
    stage.apis.world.faults.plan(Spoil(change=lambda body: body.replace(b"MARKER", b"M\xffR")), first=2, last=9)

    ended = stage.ingest()

    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (SIZE - 1, 1)
    assert "Encoding" in ended.result.message


def test_a_record_of_10_mb_goes_through_and_is_judged_like_any_other(stage: Stage) -> None:
    stage.contacts[0]["LastName"] = "x" * 10_000_000

    ended = stage.ingest()

    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (SIZE - 1, 1)
    [(row, reasons)] = stage.lake.refused()
    assert len(row) > 10_000_000
    assert reasons == [("/LastName", "maxLength")]


def test_a_field_that_the_api_does_not_have_is_told_in_its_own_words(stage: Stage) -> None:
    error = stage.failure(rest=stage.apis.salesforce(fields={"LastName": "Nachname"}))

    assert (error.reason, error.code) == ("SourceRefused", ExitCode.SPEC_WRONG)
    assert "No such column 'Nachname'" in error.message


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"incremental": {"cursor": "SystemModstamp; DROP"}}, "OptionRefused"),
        ({"contract": {"type": "object", "properties": {"a-b": {"type": "string"}}}}, "OptionRefused"),
        ({"contract": {**SMALL, "properties": {"Id": {"type": "string"}}}, "fields": {"x": "y"}}, "OptionRefused"),
    ],
    ids=["a cursor that is no field", "a property that is no field", "a field for no property"],
)
def test_what_cannot_be_asked_for_is_said_before_anything_is(
    stage: Stage, changes: dict[str, Any], reason: str
) -> None:
    job = {name: value for name, value in changes.items() if name != "fields"}
    fields = {"fields": changes["fields"]} if "fields" in changes else {}

    assert stage.failure(rest=stage.apis.salesforce(**fields), **job).reason == reason
    assert stage.apis.world.faults.requests == 0


def test_another_cursor_or_object_asks_for_a_decision_which_the_reread_annotation_is(stage: Stage) -> None:
    stage.ingest("1")

    by_other = stage.failure("2", incremental={"cursor": "CreatedDate"})
    of_other = stage.failure("2", rest=stage.apis.hubspot())
    again = stage.ingest("2", reread="all of it")

    assert {by_other.reason, of_other.reason} == {"WatermarkLost"}
    assert again.result.metrics["rowsWritten"] == SIZE
    assert stage.ingest("3", reread="all of it").result.reason == "NoNewRows"


def test_without_a_cursor_each_run_reads_all_records(stage: Stage) -> None:
    stage.apis.world.records.texts = [f'{{"id": {n}}}' for n in range(5)]
    contract = {"type": "object", "properties": {"id": {"type": "integer"}}}
    source = stage.apis.source("generic", "/records/page", pagination={"style": "Page", "parameter": "page"})

    for slot in ("1", "2"):
        stage.ingest(slot, rest=source, contract=contract, incremental=None)

    assert stage.lake.rows("id") == sorted([*range(5), *range(5)])


def test_the_secret_and_the_tokens_are_nowhere(
    stage: Stage, driver_log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage.apis.world.faults.plan(Refuse(status=403, body=f"{CLIENT_SECRET} lakehouse-dev-token-1"), first=2, last=99)

    with caplog.at_level(logging.DEBUG):
        error = stage.failure("1")
        stage.apis.world.faults.clear()
        stage.ingest("1", attempt=2)

    kept = "".join(stage.lake.text(key) for key in stage.lake.keys("bronze") if key.endswith(".json"))
    told = caplog.text + driver_log.read_text(errors="replace") + error.message + kept
    assert "/Contact: page 1" in told
    assert CLIENT_SECRET not in told
    assert "lakehouse-dev-token" not in told
