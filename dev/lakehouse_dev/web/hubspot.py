"""HubSpot's CRM API, as far as a reader needs it: searches with their limits, and the listing of what was archived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from lakehouse_dev.web.crm import Crm, Record
from lakehouse_dev.web.oauth import Authority

CAP: Final = 10_000
LARGEST_PAGE: Final = 100
_FIRST_ID: Final = 51_000
OBJECTS: Final = {"contacts": "contacts", "deals": "opportunities"}
PROPERTIES: Final[Mapping[str, Mapping[str, str]]] = {
    "contacts": {
        "salesforcecontactid": "Id",
        "salesforceaccountid": "AccountId",
        "firstname": "FirstName",
        "lastname": "LastName",
        "jobtitle": "Title",
        "department": "Department",
        "email": "Email",
        "phone": "Phone",
        "mobilephone": "MobilePhone",
        "date_of_birth": "Birthdate",
        "address": "MailingStreet",
        "zip": "MailingPostalCode",
        "city": "MailingCity",
        "country": "MailingCountry",
        "lead_source": "LeadSource",
        "hs_email_optout": "HasOptedOutOfEmail",
        "salesforceownerid": "OwnerId",
        "createdate": "CreatedDate",
        "lastmodifieddate": "SystemModstamp",
    },
    "deals": {
        "hs_salesforceopportunityid": "Id",
        "dealname": "Name",
        "amount": "Amount",
        "hs_deal_stage_probability": "Probability",
        "createdate": "CreatedDate",
        "hs_lastmodifieddate": "SystemModstamp",
    },
}
"""Property by object, and what it holds of a record; `hs_object_id` is there beside them."""

Document = dict[str, Any]


@dataclass(kw_only=True)
class HubSpot:
    """One portal. A search ends after `cap` results."""

    crm: Crm
    authority: Authority
    cap: int = CAP

    def add_routes(self, app: web.Application) -> None:
        """Serve searches and listings below /crm/v3/objects."""
        app.router.add_post("/crm/v3/objects/{object}/search", self._search)
        app.router.add_get("/crm/v3/objects/{object}", self._list)

    async def _search(self, request: web.Request) -> web.Response:
        name = request.match_info["object"]
        if refusal := self._refusal(request):
            return refusal
        asked: Document = await request.json()
        start, size = int(asked.get("after", 0)), int(asked.get("limit", 10))
        if start + size > self.cap or size > LARGEST_PAGE:
            return _error(400, "VALIDATION_ERROR", f"a search gives at most {self.cap} results, {LARGEST_PAGE} a page")
        groups = [group["filters"] for group in asked.get("filterGroups", [])]
        found = [each for each in self._records(name) if not each[1]["IsDeleted"] and _meets(name, each, groups)]
        for sort in reversed(asked.get("sorts", [])):
            found.sort(
                key=lambda each: _value(name, each, sort["propertyName"]), reverse=sort["direction"] == "DESCENDING"
            )
        page = [_document(name, each, asked.get("properties", [])) for each in found[start : start + size]]
        paging = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(found) else {}
        return web.json_response({"total": len(found), "results": page, **paging})

    async def _list(self, request: web.Request) -> web.Response:
        name = request.match_info["object"]
        if refusal := self._refusal(request):
            return refusal
        size, after = int(request.query.get("limit", 10)), int(request.query.get("after", 0))
        archived = request.query.get("archived") == "true"
        found = [each for each in self._records(name) if each[1]["IsDeleted"] == archived and each[0] > after]
        properties = request.query.get("properties", "").split(",")
        page = [_document(name, each, properties) for each in found[:size]]
        paging = {"paging": {"next": {"after": str(found[size - 1][0])}}} if len(found) > size else {}
        return web.json_response({"results": page, **paging})

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.authority.takes(request):
            return _error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired")
        if request.match_info["object"] not in OBJECTS:
            return _error(400, "VALIDATION_ERROR", f"Unable to infer object type from: {request.match_info['object']}")
        return None

    def _records(self, name: str) -> list[tuple[int, Record]]:
        return list(enumerate(self.crm.objects[OBJECTS[name]], _FIRST_ID))


def _meets(name: str, record: tuple[int, Record], groups: list[list[Document]]) -> bool:
    return not groups or any(all(_holds(name, record, each) for each in group) for group in groups)


def _holds(name: str, record: tuple[int, Record], condition: Document) -> bool:
    value, bound = _value(name, record, condition["propertyName"]), int(condition["value"])
    number = round(value.timestamp() * 1000) if isinstance(value, datetime) else value
    return bool({"GT": number > bound, "LTE": number <= bound}[condition["operator"]])


def _value(name: str, record: tuple[int, Record], property_name: str) -> Any:
    return record[0] if property_name == "hs_object_id" else record[1][PROPERTIES[name][property_name]]


def _document(name: str, record: tuple[int, Record], asked: list[str]) -> Document:
    """Write a record; all properties are texts, those that do not exist are left out, empty ones are null."""
    number, fields = record
    known = {each: fields[PROPERTIES[name][each]] for each in asked if each in PROPERTIES[name]}
    at = _text(fields["SystemModstamp"])
    deleted = {"archivedAt": at} if fields["IsDeleted"] else {}
    return {
        "id": str(number),
        "properties": {"hs_object_id": str(number), **{each: _text(value) for each, value in known.items()}},
        "createdAt": _text(fields["CreatedDate"]),
        "updatedAt": at,
        "archived": fields["IsDeleted"],
        **deleted,
    }


def _text(value: Any) -> str | None:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


def _error(status: int, category: str, message: str) -> web.Response:
    return web.json_response({"status": "error", "message": message, "category": category}, status=status)
