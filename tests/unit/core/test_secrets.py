"""Which credentials a pipeline may name, and how they reach its job."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse_api.ingest_pipeline import IngestPipelineSpec
from lakehouse_api.secrets import Credentials
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.secrets import credentials_violation, from_aws, from_secrets, secret_uses
from tests import gen

JDBC = {"dialect": "postgres", "url": "jdbc:postgresql://db.example.com/shop", "table": "public.orders"}
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/shop-AbCdEf"


def spec(source: dict[str, Any], **changes: Any) -> IngestPipelineSpec:
    return IngestPipelineSpec.model_validate(gen.pipeline_body(source=source, **changes)["spec"])


def files(**credentials: Any) -> dict[str, Any]:
    return {"files": {"uri": "s3://landing/crm/", "format": "csv", "credentials": credentials}}


def config(*secrets: str, **changes: Any) -> Config:
    tenancy = [{"namespace": "lakehouse", "awsSecrets": list(secrets)}]
    return gen.config(tenancy=tenancy, secretsManager={"region": "eu-central-1"}, **changes)


@pytest.mark.parametrize("name", ["prod/shop", "prod/shop#db", ARN, f"{ARN}#db"])
def test_a_secret_of_aws_is_named_by_name_or_arn_and_perhaps_a_key(name: str) -> None:
    assert Credentials(aws_secret=name).aws_name == name.removesuffix("#db")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"awsSecret": "prod/shop", "secretRef": {"name": "shop"}},
        {"awsSecret": "prod/shop#"},
        {"awsSecret": "prod/shop#a#b"},
        {"awsSecret": "prod shop"},
        {"awsSecret": "arn:aws:s3:::bucket"},
    ],
)
def test_credentials_are_exactly_one_well_formed_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Credentials.model_validate(wrong)


def test_what_a_source_needs_is_read_by_the_job_and_nothing_of_it_by_the_kubelet() -> None:
    uses = secret_uses(spec({"jdbc": {**JDBC, "credentials": {"awsSecret": "prod/shop#db"}}}), config())

    assert [one.secret for one in from_secrets(uses)] == ["lake-s3"] * 3
    read = from_aws(uses, config())
    assert read is not None
    assert read.document() == {
        "region": "eu-central-1",
        "secrets": [
            {
                "name": "prod/shop",
                "key": "db",
                "required": [],
                "variables": {
                    "username": "LAKEHOUSE_SOURCE_USERNAME",
                    "password": "LAKEHOUSE_SOURCE_PASSWORD",
                    "privateKey": "LAKEHOUSE_SOURCE_PRIVATE_KEY",
                    "privateKeyPassphrase": "LAKEHOUSE_SOURCE_PRIVATE_KEY_PASSPHRASE",
                },
            }
        ],
    }


def test_the_keys_of_a_bucket_are_needed_before_the_job_begins() -> None:
    read = from_aws(secret_uses(spec(files(awsSecret="prod/landing")), config()), config())

    assert read is not None
    assert read.secrets[0].required == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert read.secrets[0].variables["AWS_ACCESS_KEY_ID"] == "LAKEHOUSE_S3_1_ACCESS_KEY_ID"


def test_without_a_secret_of_aws_the_job_reads_none() -> None:
    assert from_aws(secret_uses(spec(files(secretRef={"name": "landing-s3"})), config()), config()) is None


@pytest.mark.parametrize(
    ("named", "allowed", "refused"),
    [
        ("prod/shop", [], True),
        ("prod/shop", ["prod/shop"], False),
        ("prod/shop#db", ["prod/*"], False),
        ("prod/shop", ["dev/*"], True),
        (ARN, ["prod/*"], True),
        (ARN, ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/*"], False),
    ],
)
def test_a_namespace_names_only_the_secrets_that_the_settings_let_it(
    named: str,
    allowed: list[str],
    *,
    refused: bool,
) -> None:
    violation = credentials_violation(spec(files(awsSecret=named)), config(*allowed), "lakehouse")

    assert (violation is not None) == refused
    if violation:
        assert violation.reason == "NotAllowed"
        assert violation.message.startswith("spec.source.files.credentials.awsSecret: namespace lakehouse may not use")


def test_the_secret_of_a_registry_must_be_allowed_as_well() -> None:
    kafka = {
        "bootstrapServers": "kafka.example.com:9092",
        "topic": "events",
        "format": "avro",
        "schemaRegistry": {"url": "https://registry.example.com", "credentials": {"awsSecret": "prod/registry"}},
    }

    violation = credentials_violation(spec({"kafka": kafka}), config("prod/kafka"), "lakehouse")

    assert violation is not None
    assert "spec.source.kafka.schemaRegistry.credentials.awsSecret" in violation.message


@pytest.mark.parametrize("whose", ["the pipeline's", "the environment's"])
def test_executors_cannot_get_a_buckets_credentials_from_aws(whose: str) -> None:
    buckets = [{"bucket": "landing", "credentials": {"awsSecret": "prod/landing"}}] if "env" in whose else []
    source = files(awsSecret="prod/landing") if not buckets else {"files": {"uri": "s3://landing/", "format": "csv"}}

    given = config("prod/*", buckets=buckets)
    single, cluster = (spec(source, spark={"mode": mode}) for mode in ("Single", "Cluster"))

    assert credentials_violation(single, given, "lakehouse") is None
    violation = credentials_violation(cluster, given, "lakehouse")
    assert violation is not None
    assert violation.reason == "CredentialsUnsupported"


def test_executors_get_the_credentials_of_a_database_with_their_work() -> None:
    source = {"jdbc": {**JDBC, "credentials": {"awsSecret": "prod/shop"}}}

    assert credentials_violation(spec(source, spark={"mode": "Cluster"}), config("prod/shop"), "lakehouse") is None
