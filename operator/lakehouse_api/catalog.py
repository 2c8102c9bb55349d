"""The catalogue in which query engines find the tables: the Glue Data Catalog."""

from typing import Annotated

from pydantic import Field

from lakehouse_api.model import Model

MESSAGE_LENGTH = 400
"""A result must fit into a termination message beside everything else."""


class Glue(Model):
    """How a job reaches a Glue Data Catalog, under its own role."""

    region: Annotated[str | None, Field(description="Absent: that of the job's Pod.")] = None
    endpoint: Annotated[str | None, Field(description="URL of the service, such as a VPC endpoint's; absent: AWS.")] = (
        None
    )
    catalog_id: Annotated[
        str | None, Field(pattern=r"^[0-9]{12}$", description="Account that owns the catalogue; absent: the job's own.")
    ] = None


class CatalogTable(Model):
    """A Delta table and its place in the catalogue."""

    uri: str
    database: str
    database_uri: str
    name: str
    described: Annotated[bool, Field(description="Whether the contract describes its columns.")] = True


class Registration(Glue):
    """The tables of a run, as they are to be found in the catalogue. Those that do not exist yet are left out."""

    tables: list[CatalogTable]


class CatalogResult(Model):
    """Whether the catalogue tells of the tables as they are."""

    registered: bool
    reason: Annotated[str, Field(max_length=64, description="CamelCase.")]
    message: Annotated[str, Field(max_length=MESSAGE_LENGTH)] = ""
