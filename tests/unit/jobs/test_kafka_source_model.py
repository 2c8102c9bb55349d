"""What a Kafka source may say, and which addresses and secrets that names."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.kafka.cluster import client_options

PLAIN: dict[str, Any] = {"bootstrapServers": "a:9092,[::1]:9093", "topic": "events", "format": "json"}
REGISTRY = {"url": "https://registry.example.com", "credentials": {"secretRef": {"name": "registry"}}}
SASL = {"security": {"protocol": "SASL_SSL", "mechanism": "PLAIN"}, "credentials": {"secretRef": {"name": "kafka"}}}


def test_every_broker_and_the_registry_is_an_address_to_be_allowed() -> None:
    source = KafkaSource.model_validate(PLAIN | {"format": "avro", "schemaRegistry": REGISTRY})

    assert source.addresses == {
        "bootstrapServers[0]": "kafka://a:9092/events",
        "bootstrapServers[1]": "kafka://[::1]:9093/events",
        "schemaRegistry.url": "https://registry.example.com",
    }


def test_brokers_and_registry_have_secrets_of_their_own() -> None:
    source = KafkaSource.model_validate(PLAIN | SASL | {"format": "avro", "schemaRegistry": REGISTRY})

    assert [
        (use.credentials.secret_ref and use.credentials.secret_ref.name, use.variable) for use in source.secret_uses
    ] == [
        ("kafka", "LAKEHOUSE_SOURCE_USERNAME"),
        ("kafka", "LAKEHOUSE_SOURCE_PASSWORD"),
        ("registry", "LAKEHOUSE_SOURCE_REGISTRY_USERNAME"),
        ("registry", "LAKEHOUSE_SOURCE_REGISTRY_PASSWORD"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"bootstrapServers": "a"}, id="no port"),
        pytest.param({"bootstrapServers": "a:9092;b:9092"}, id="servers not split by commas"),
        pytest.param({"topic": "a/b"}, id="a topic that cannot be"),
        pytest.param({"format": "avro"}, id="Avro without a registry"),
        pytest.param({"schemaRegistry": REGISTRY}, id="a registry without Avro"),
        pytest.param({"format": "avro", "schemaRegistry": {"url": "https://u:p@registry"}}, id="a password in a URL"),
        pytest.param({"security": {"protocol": "SASL_SSL"}}, id="SASL without a mechanism"),
        pytest.param({"security": {"protocol": "SSL", "mechanism": "PLAIN"}}, id="a mechanism without SASL"),
        pytest.param({"maxOffsetsPerBatch": 0}, id="batches of nothing"),
    ],
)
def test_a_source_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KafkaSource.model_validate(PLAIN | wrong)


def test_a_login_keeps_quotes_and_backslashes_of_the_password() -> None:
    credentials = SourceCredentials({"LAKEHOUSE_SOURCE_USERNAME": "ann", "LAKEHOUSE_SOURCE_PASSWORD": 'a"b\\c;'})

    options = client_options(KafkaSource.model_validate(PLAIN | SASL), credentials)

    assert options["sasl.jaas.config"].endswith(' required username="ann" password="a\\"b\\\\c;";')


def test_a_secret_without_a_password_is_said_to_lack_it() -> None:
    credentials = SourceCredentials({"LAKEHOUSE_SOURCE_USERNAME": "ann"})

    with pytest.raises(JobError, match=r"CredentialsMissing.*'password'"):
        client_options(KafkaSource.model_validate(PLAIN | SASL), credentials)
