"""Web APIs: the objects of a CRM, exchange rates, or any API that gives JSON page by page."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from lakehouse_api.model import SET, Model, rules
from lakehouse_api.quantities import Duration
from lakehouse_api.secrets import Credentials, SecretUse, uses_of

# No user, no query, no fragment, no dot segments, no escapes: what the settings allow is what is called.
_SEGMENT: Final = r"[A-Za-z0-9_~!$'(),=:@;+-][A-Za-z0-9._~!$'(),=:@;+-]*"
HTTPS: Final = rf"^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{{1,5}})?(/{_SEGMENT})*/?$"
FIELD: Final = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
_SLASHES_BEFORE_HOST: Final = 2
_POINTER: Final = r"^(/([^~/]|~[01])*)*$"
_Parameter = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.$\[\]-]+$")]
_Pointer = Annotated[str, Field(max_length=255, pattern=_POINTER)]


class Flavor(StrEnum):
    """Whose API it is, and so how it is asked for rows."""

    SALESFORCE = "salesforce"
    HUBSPOT = "hubspot"
    ECB = "ecb"
    GENERIC = "generic"

    @property
    def is_crm(self) -> bool:
        """Tell whether it has objects, and keeps those that were deleted."""
        return self in {Flavor.SALESFORCE, Flavor.HUBSPOT}


class Deleted(StrEnum):
    """What happens with records that were deleted in the CRM."""

    INCLUDE = "Include"
    OMIT = "Omit"


class PageStyle(StrEnum):
    """How an API says where its next page is."""

    CURSOR = "Cursor"
    LINK = "Link"
    OFFSET = "Offset"
    PAGE = "Page"


class Pagination(Model):
    """How the pages of a generic API follow each other."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("self.style == 'Link' || has(self.parameter)", "pagination needs parameter, unless its style is Link"),
            ("self.style != 'Cursor' || has(self.next)", "pagination of style Cursor needs next"),
            ("has(self.size) == has(self.sizeParameter)", "pagination: size and sizeParameter need each other"),
        )
    )

    style: PageStyle
    parameter: Annotated[
        _Parameter | None, Field(description="Query parameter with the cursor, the offset or the number of the page.")
    ] = None
    next: Annotated[
        _Pointer | None,
        Field(
            description="JSON Pointer to the next page's cursor or link; of style Link absent: the header Link says it."
        ),
    ] = None
    first_page: Annotated[int, Field(ge=0, le=1, description="The number of the first page, of style Page.")] = 1
    size_parameter: _Parameter | None = None
    size: Annotated[int | None, Field(ge=1, le=10_000, description="How many records a page is asked to have.")] = None


class WindowParameters(Model):
    """Query parameters by which a generic API is asked for what changed in a range of time, written in RFC 3339."""

    after: _Parameter
    until: _Parameter | None = None


class ClientCredentials(Model):
    """OAuth 2.0 client credentials. The Secret has the keys clientId and clientSecret."""

    token_url: Annotated[str, Field(max_length=1024, pattern=HTTPS)]
    scopes: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]],
        Field(max_length=20, json_schema_extra=SET),
    ] = []


class Auth(Model):
    """How a job gets the token that it shows."""

    oauth2_client_credentials: ClientCredentials


_CRM: Final = "(self.flavor in ['salesforce', 'hubspot'])"
_GENERIC: Final = "self.flavor == 'generic'"
_CHECKS: Final = (
    (f"{_CRM} == has(self.object)", "object is needed for salesforce and hubspot, and only there"),
    (f"{_CRM} || !has(self.deleted)", "deleted is for salesforce and hubspot"),
    (
        f"{_GENERIC} || !(has(self.records) || has(self.pagination) || has(self.window))",
        "records, pagination and window are for generic: the other flavors know their API",
    ),
    (f"!{_CRM} || !has(self.parameters)", "parameters are for ecb and generic"),
    ("self.flavor != 'ecb' || !has(self.fields)", "ecb always gives date, base, currency and rate: remove fields"),
)
# A plan is kept without credentials, and must be readable: only admission asks for them.
_AUTH_NEEDS: Final = ("!has(self.auth) || has(self.credentials)", "auth needs credentials: name the client's Secret")


class RestSource(Model):
    """Records of a web API."""

    model_config = ConfigDict(json_schema_extra=rules(*_CHECKS, _AUTH_NEEDS))

    url: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=HTTPS,
            description="Such as https://acme.my.salesforce.com/services/data/v62.0 or https://api.hubapi.com.",
        ),
    ]
    flavor: Flavor
    object: Annotated[
        str | None,
        Field(
            max_length=128,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
            description="Name of the CRM's object, such as Contact (salesforce) or contacts (hubspot).",
        ),
    ] = None
    fields: Annotated[
        dict[str, Annotated[str, Field(max_length=255, pattern=FIELD)]] | None,
        Field(
            max_length=200,
            description="Field of the source by property of the contract, where their names differ; "
            "dots lead into objects.",
        ),
    ] = None
    deleted: Annotated[
        Deleted | None, Field(description="Records deleted in the CRM; absent: they are read as well.")
    ] = None
    lag: Annotated[
        Duration,
        Field(
            ge=timedelta(seconds=1),
            description="Changes younger than this wait for the next batch: others of that time may show later.",
        ),
    ] = timedelta(minutes=1)
    records: Annotated[
        _Pointer | None, Field(description="JSON Pointer to a page's array of records; absent: the page is the array.")
    ] = None
    pagination: Annotated[Pagination | None, Field(description="Absent: there is one page.")] = None
    window: Annotated[
        WindowParameters | None, Field(description="Absent: every batch reads all pages and keeps what is new.")
    ] = None
    parameters: Annotated[
        dict[str, Annotated[str, Field(max_length=255)]] | None,
        Field(max_length=20, description="More query parameters of every request."),
    ] = None
    auth: Annotated[
        Auth | None, Field(description="Absent: the Secret's key token is shown, or nothing without credentials.")
    ] = None
    credentials: Credentials | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        generic = (self.records, self.pagination, self.window)
        sound = (
            self.flavor.is_crm == (self.object is not None),
            self.flavor.is_crm or self.deleted is None,
            self.flavor is Flavor.GENERIC or generic == (None, None, None),
            not self.flavor.is_crm or self.parameters is None,
            self.flavor is not Flavor.ECB or self.fields is None,
        )
        problems = [message for (_, message), fine in zip(_CHECKS, sound, strict=True) if not fine]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def with_deleted(self) -> bool:
        """Tell whether records that were deleted in the CRM are read."""
        return self.flavor.is_crm and self.deleted is not Deleted.OMIT

    @property
    def identity(self) -> tuple[str, ...]:
        """Name what is read: with another name it is other records, of which nothing was read yet.

        A CRM's records are the same in every version of its API.
        """
        where = self.url.split("/")[2] if self.flavor.is_crm else self.url
        return (self.flavor, where, self.object or "")

    @property
    def label(self) -> str:
        """Say in a column of `kubectl get` what is read."""
        return f"rest/{self.flavor}"

    @property
    def addresses(self) -> Mapping[str, str]:
        """Give, by field, every address that the namespace must be allowed to use. The host's name ends in a slash."""
        url = self.url if self.url.count("/") > _SLASHES_BEFORE_HOST else f"{self.url}/"
        if self.auth is None:
            return {"url": url}
        token_url = self.auth.oauth2_client_credentials.token_url
        return {"url": url, "auth.oauth2ClientCredentials.tokenUrl": token_url}

    @property
    def secret_uses(self) -> tuple[SecretUse, ...]:
        """Give the keys of the Secret: those of a client, or a token."""
        return uses_of(self.credentials, ("clientId", "clientSecret") if self.auth else ("token",))


def is_field(name: str) -> bool:
    """Tell whether a name can be asked for as a field."""
    return re.fullmatch(FIELD, name) is not None
