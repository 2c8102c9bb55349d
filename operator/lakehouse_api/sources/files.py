"""Files of an object store."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lakehouse_api.model import Model, rules
from lakehouse_api.secrets import Credentials, SecretUse

# Hadoop would expand the characters of a glob and fold dot segments: both could lead out of what a namespace may read.
FOLDER = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^*?{}\[\]\\\s]*$"
_DOTS = r"self.matches('/\\.\\.?(/|$)')"


class FileFormat(StrEnum):
    """Format of the files of a source."""

    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"


class FilesSource(Model):
    """Files under one folder of an object store; each is read once."""

    uri: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=FOLDER,
            description="Folder, such as s3://landing/crm/accounts/. Its sub-folders are read as well.",
            json_schema_extra=rules((f"!{_DOTS}", "source.files.uri may not hold . or .. as a part of its path")),
        ),
    ]
    format: FileFormat
    options: Annotated[
        dict[str, Annotated[str, Field(max_length=256)]],
        Field(max_length=20, description="Options of the reader, such as header, delimiter, quote, encoding."),
    ] = {}
    credentials: Credentials | None = None

    @property
    def label(self) -> str:
        """Say in a column of `kubectl get` what is read."""
        return f"files/{self.format}"

    @property
    def addresses(self) -> Mapping[str, str]:
        """Give, by field, every address that the namespace must be allowed to use."""
        return {"uri": self.uri}

    @property
    def secret_uses(self) -> tuple[SecretUse, ...]:
        """Give none: a bucket's credentials reach the job as those of a store."""
        return ()
