"""Messages of a Kafka topic."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from lakehouse_api.model import Model, rules
from lakehouse_api.secrets import Credentials, SecretUse, uses_of

_SERVER: Final = r"([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}"
_SASL: Final = "SASL_"


class MessageFormat(StrEnum):
    """What the value of a message is."""

    JSON = "json"
    AVRO = "avro"


class StartingOffsets(StrEnum):
    """Where the first batch begins."""

    EARLIEST = "earliest"
    LATEST = "latest"


class SecurityProtocol(StrEnum):
    """Whether the connection is encrypted (SSL) and whether one logs in (SASL)."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class Mechanism(StrEnum):
    """How one logs in."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class Tombstones(StrEnum):
    """What becomes of messages without a value."""

    QUARANTINE = "Quarantine"
    IGNORE = "Ignore"


class LostOffsets(StrEnum):
    """What happens when the topic no longer has messages that were not read yet."""

    FAIL = "Fail"
    SKIP = "Skip"


class Security(Model):
    """How the brokers are reached."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                f"has(self.mechanism) == self.protocol.startsWith('{_SASL}')",
                "source.kafka.security.mechanism belongs to SASL_PLAINTEXT and SASL_SSL, and they need it",
            )
        )
    )

    protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    mechanism: Mechanism | None = None

    @model_validator(mode="after")
    def _mechanism_with_sasl(self) -> Self:
        if (self.mechanism is not None) != self.protocol.startswith(_SASL):
            raise ValueError("mechanism belongs to the protocols SASL_PLAINTEXT and SASL_SSL, and they need it")
        return self


class SchemaRegistry(Model):
    """A registry with Confluent's API, which gives the Avro schema that a message names."""

    url: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$",
            description="Without user and password, such as https://registry.example.com.",
        ),
    ]
    credentials: Annotated[
        Credentials | None, Field(description="A Secret with registryUsername and registryPassword.")
    ] = None


class KafkaSource(Model):
    """Messages of one topic; each is read once."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.schemaRegistry) == (self.format == 'avro')",
                "source.kafka.schemaRegistry belongs to format avro, which needs it",
            ),
            (
                f"!self.security.protocol.startsWith('{_SASL}') || has(self.credentials)",
                "source.kafka.credentials must name a Secret with username and password for a SASL protocol",
            ),
        )
    )

    bootstrap_servers: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=f"^{_SERVER}(,{_SERVER}){{0,15}}$",
            description="Brokers to ask first, such as kafka-1.example.com:9092,kafka-2.example.com:9092.",
        ),
    ]
    topic: Annotated[
        str,
        Field(
            max_length=249,
            pattern=r"^[A-Za-z0-9._-]+$",
            json_schema_extra=rules(("self != '.' && self != '..'", "source.kafka.topic may not be . or ..")),
        ),
    ]
    format: MessageFormat
    starting_offsets: Annotated[
        StartingOffsets, Field(description="Of the first batch; later ones begin where the one before ended.")
    ] = StartingOffsets.EARLIEST
    max_offsets_per_batch: Annotated[
        int | None,
        Field(ge=1, description="A backlog is read in batches of at most so many offsets, one batch per run."),
    ] = None
    tombstones: Annotated[Tombstones, Field(description="Messages without a value.")] = Tombstones.QUARANTINE
    lost_offsets: Annotated[
        LostOffsets,
        Field(
            description="When the topic dropped messages before they were read, or was created anew. Skip goes on with "
            "what there is; the run says what is missing."
        ),
    ] = LostOffsets.FAIL
    schema_registry: SchemaRegistry | None = None
    security: Security = Security()
    credentials: Annotated[Credentials | None, Field(description="A Secret with username and password.")] = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.schema_registry is not None) != (self.format is MessageFormat.AVRO):
            raise ValueError("schemaRegistry belongs to format avro, which needs it")
        return self

    @property
    def label(self) -> str:
        """Say in a column of `kubectl get` what is read."""
        return f"kafka/{self.format}"

    @property
    def servers(self) -> tuple[str, ...]:
        """Give each of the brokers to ask first."""
        return tuple(self.bootstrap_servers.split(","))

    @property
    def addresses(self) -> Mapping[str, str]:
        """Give, by field, every address that the namespace must be allowed to use."""
        brokers = {f"bootstrapServers[{n}]": f"kafka://{server}/{self.topic}" for n, server in enumerate(self.servers)}
        return brokers | ({"schemaRegistry.url": self.schema_registry.url} if self.schema_registry else {})

    @property
    def secret_uses(self) -> tuple[SecretUse, ...]:
        """Give the keys of the Secrets for the brokers and for the registry."""
        registry = self.schema_registry.credentials if self.schema_registry else None
        return (
            *uses_of(self.credentials, ("username", "password")),
            *uses_of(registry, ("registryUsername", "registryPassword")),
        )
