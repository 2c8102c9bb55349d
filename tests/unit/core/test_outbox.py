"""Who is told what, and when again if it was not taken."""

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from lakehouse_api.notify import Channel
from lakehouse_operator.core.channels import channel_id
from lakehouse_operator.core.instants import parse_time
from lakehouse_operator.core.notices import Failure
from lakehouse_operator.core.promises import Kept
from tests.promised import SLACK, WEBHOOK, Told, reasons, types

REFUSED = Failure(reason="ReceiverUnavailable", message="it answered HTTP 503")
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alerts"
SLACK_ID, WEBHOOK_ID = (channel_id(Channel.model_validate(one)) for one in (SLACK, WEBHOOK))


def _breached(told: Told) -> Kept:
    return told.after(hours=3)


def _recover(told: Told) -> Kept:
    told.succeed(rowsRead=0)
    return told.look()


def test_what_was_taken_is_in_the_status() -> None:
    told = Told(notify=[SLACK, WEBHOOK])

    told.deliver(_breached(told))

    assert told.breaches[0].notified == [SLACK_ID, WEBHOOK_ID]


def test_as_long_as_the_status_does_not_have_it_the_same_is_said_under_the_same_id() -> None:
    told = Told()
    first = _breached(told)

    again = told.after(minutes=1)

    assert again.notices == first.notices


def test_what_was_not_taken_is_tried_again_later_and_later() -> None:
    told = Told()
    kept = _breached(told)
    waits = []
    for attempt in range(1, 12):
        kept = told.look(told.delivered(kept.notices[0], REFUSED))
        assert told.known is not None
        [wait] = told.known.undelivered
        assert (wait.attempts, wait.reason, kept.notices) == (attempt, "ReceiverUnavailable", ())
        assert kept.due == parse_time(wait.not_before)
        waits.append(kept.due - told.now)
        told.now = kept.due
        kept = told.look()

    longest = [min(timedelta(seconds=30) * 2**attempt, timedelta(minutes=30)) for attempt in range(11)]
    assert all(bound / 2 - timedelta(seconds=1) <= wait <= bound for wait, bound in zip(waits, longest, strict=True))


def test_only_the_first_failure_of_a_message_is_an_event() -> None:
    told = Told()
    kept = _breached(told)
    events = []
    for _ in range(4):
        kept = told.look(told.delivered(kept.notices[0], REFUSED))
        events += reasons(kept)
        kept = told.after(hours=1)

    assert events == ["NotificationUndelivered"]


def test_a_delivery_that_is_reported_twice_counts_once() -> None:
    told = Told()
    delivery = told.delivered(_breached(told).notices[0], REFUSED)
    told.look(delivery)
    once = told.known

    kept = told.look(delivery)

    assert (told.known, reasons(kept)) == (once, [])


def test_a_late_failure_takes_nothing_back() -> None:
    told = Told()
    kept = _breached(told)
    told.deliver(kept)

    told.look(told.delivered(kept.notices[0], REFUSED))

    assert told.known is not None
    assert told.known.undelivered == []


def test_the_receiver_is_left_alone_for_as_long_as_it_asks() -> None:
    told = Told()
    busy = Failure(reason="ReceiverUnavailable", message="it answered HTTP 429", wait_seconds=600)

    kept = told.look(told.delivered(_breached(told).notices[0], busy))

    assert kept.due == told.now + timedelta(minutes=10)


def test_a_receiver_that_asks_for_a_year_gets_half_an_hour() -> None:
    told = Told()
    busy = Failure(reason="ReceiverUnavailable", message="it answered HTTP 429", wait_seconds=365 * 86400)

    kept = told.look(told.delivered(_breached(told).notices[0], busy))

    assert kept.due == told.now + timedelta(minutes=30)


def test_a_withdrawn_promise_does_not_make_anybody_try_at_once_again() -> None:
    told = Told()
    told.look(told.delivered(_breached(told).notices[0], REFUSED))
    told.sla = None

    assert told.look().notices == ()


def test_one_channel_that_takes_nothing_holds_up_no_other() -> None:
    told = Told(notify=[SLACK, WEBHOOK])
    slack, webhook = _breached(told).notices
    told.look(told.delivered(slack, REFUSED), told.delivered(webhook))

    kept = _recover(told)

    assert [(notice.channel_id, notice.message.document["type"]) for notice in kept.notices] == [
        (WEBHOOK_ID, "lakehouse.sla.recovered")
    ]
    assert told.breaches[0].notified == [WEBHOOK_ID]


def test_a_breach_that_nobody_took_before_it_was_over_is_told_first_and_its_end_after() -> None:
    told = Told()
    kept = _breached(told)
    told.look(told.delivered(kept.notices[0], REFUSED))
    _recover(told)

    breached = told.after(minutes=1)
    recovered = told.deliver(breached)

    assert (types(breached), types(recovered)) == (["lakehouse.sla.breached"], ["lakehouse.sla.recovered"])


def test_a_channel_that_was_corrected_is_told_what_the_wrong_one_did_not_take() -> None:
    told = Told(notify=[SLACK])
    told.look(told.delivered(_breached(told).notices[0], Failure(reason="SecretMissing", message="no such Secret")))
    told.notify = [{"slack": {"secretRef": {"name": "slack", "key": "webhook"}}}]

    kept = told.look()

    assert types(kept) == ["lakehouse.sla.breached"]
    assert told.known is not None
    assert told.known.undelivered == []


def test_a_channel_named_twice_is_told_once() -> None:
    told = Told(notify=[WEBHOOK, WEBHOOK])

    assert len(_breached(told).notices) == 1


def test_without_channels_a_breach_is_forgotten_when_it_is_over() -> None:
    told = Told(notify=[])
    assert _breached(told).notices == ()

    kept = _recover(told)

    assert (told.breaches, reasons(kept)) == ([], ["SLARecovered"])


def test_a_channel_that_takes_nothing_for_three_days_is_given_up_for_this_message_only() -> None:
    told = Told()
    kept = _breached(told)
    told.look(told.delivered(kept.notices[0], REFUSED))
    _recover(told)

    kept = told.after(days=3, hours=1)

    assert reasons(kept)[-1] == "NotificationGivenUp"
    assert types(kept)[0] == "lakehouse.sla.recovered"


def test_an_operator_that_was_away_for_a_week_tells_all_the_same() -> None:
    told = Told()

    kept = told.after(days=7)

    assert types(kept) == ["lakehouse.sla.breached"]
    assert types(told.after(days=7)) == ["lakehouse.sla.breached"]


def test_a_status_holds_no_more_breaches_than_it_may() -> None:
    told = Told()
    for _ in range(30):
        _breached(told)
        _recover(told)

    assert len(told.breaches) == 20
    assert told.breaches[0].since < told.breaches[-1].since


def test_messages_in_a_row_have_ids_of_their_own() -> None:
    told = Told()
    ids = []
    for _ in range(3):
        for step in (_breached, _recover):
            kept = step(told)
            ids += [notice.message.id for notice in kept.notices]
            told.deliver(kept)

    assert len(ids) == len(set(ids)) == 6


def test_a_message_says_what_who_since_when_and_what_to_do() -> None:
    told = Told(settings={"notifications": {"environment": "prod-eu", "allowedHosts": ["*"]}})

    message = _breached(told).notices[0].message

    assert json.loads(message.body) == {
        "type": "lakehouse.sla.breached",
        "timestamp": "2026-11-24T00:00:30Z",
        "data": {
            "environment": "prod-eu",
            "kind": "IngestPipeline",
            "namespace": "lakehouse",
            "name": "crm-accounts",
            "uid": "6d0c5c1e-2f7c-4c5f-9c39-0a4b7d3c1e55",
            "promise": "freshness",
            "limit": "2h",
            "reason": "FreshnessExceeded",
            "since": "2026-11-24T00:00:30Z",
            "message": "FreshnessExceeded since 2026-11-24T00:00:30Z: nothing has shown the table to be up to date "
            "within the last 2h (spec.sla.freshness)",
            "command": "kubectl -n lakehouse describe ingestpipeline crm-accounts",
        },
    }
    assert message.text.startswith("*IngestPipeline lakehouse/crm-accounts of prod-eu* breaks its SLA: Freshness")


def test_a_message_of_recovery_says_how_long_it_took() -> None:
    told = Told()
    told.deliver(_breached(told))

    document = json.loads(_recover(told).notices[0].message.body)

    assert (document["timestamp"], document["data"]["until"]) == ("2026-11-24T01:00:30Z", "2026-11-24T01:00:30Z")


REFUSALS = {
    "a host that is not listed": ({"webhook": {"url": "https://evil.example/"}}, "allowedHosts"),
    "a URL without TLS": ({"webhook": {"url": "http://alerts.example.com/"}}, "https"),
    "a user in the URL": ({"webhook": {"url": "https://a:b@alerts.example.com/"}}, "password"),
    "a listed host as the user of another": ({"webhook": {"url": "https://alerts.example.com@evil.example/"}}, "user"),
    "no host": ({"webhook": {"url": "https:///hook"}}, "https"),
    "a port that is none": ({"webhook": {"url": "https://alerts.example.com:99999/"}}, "not one"),
    "a topic of somebody else": ({"sns": {"topicArn": TOPIC}}, "settings.tenancy"),
}


@pytest.mark.parametrize(("channel", "because"), REFUSALS.values(), ids=REFUSALS)
def test_a_channel_that_the_settings_refuse_is_told_of_before_it_is_needed(
    channel: dict[str, object], because: str
) -> None:
    told = Told(notify=[channel])

    [event] = told.look().events

    assert event.reason == "NotificationRefused"
    assert because in event.message


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({}, id="no channel"),
        pytest.param({**SLACK, **WEBHOOK}, id="two in one"),
        pytest.param({"webhook": {}}, id="a webhook without a URL"),
        pytest.param({"webhook": {"url": "https://a", "secretRef": {"name": "a", "key": "b"}}}, id="a URL twice"),
        pytest.param({"webhook": {"url": "ftp://a"}}, id="another protocol"),
        pytest.param({"slack": {"url": "https://hooks.slack.com/x"}}, id="Slack's URL in the open"),
        pytest.param({"sns": {"topicArn": "alerts"}}, id="a topic without an ARN"),
        pytest.param({"slack": {"secretRef": {"name": "../x", "key": "url"}}}, id="a name that is a path"),
    ],
)
def test_a_channel_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Channel.model_validate(wrong)
