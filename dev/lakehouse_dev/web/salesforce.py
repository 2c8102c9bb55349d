"""Salesforce's REST API, as far as a reader needs it: SOQL over one object, pages behind a query locator."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from lakehouse_dev.web.crm import NUMBERS, Crm, Record
from lakehouse_dev.web.oauth import Authority

VERSION: Final = "v62.0"
PAGE: Final = 2_000
OBJECTS: Final = {"Contact": "contacts", "Opportunity": "opportunities"}
_SOQL: Final = re.compile(
    r"SELECT (?P<fields>[\w., ()]+?) FROM (?P<object>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY (?P<order>[\w, ]+))?"
)
_CONDITION: Final = re.compile(r"(?P<field>\w+) (?P<sign>>|<=) (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")


@dataclass(kw_only=True)
class Salesforce:
    """One organisation. `page` records are in a page at most."""

    crm: Crm
    authority: Authority
    page: int = PAGE
    _locators: dict[str, list[str]] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """Serve queries below /services/data."""
        base = f"/services/data/{VERSION}"
        app.router.add_get(f"{base}/query", self._query)
        app.router.add_get(f"{base}/queryAll", self._query)
        app.router.add_get(f"{base}/query/{{locator}}", self._more)

    async def _query(self, request: web.Request) -> web.Response:
        if not self.authority.takes(request):
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        found = _SOQL.fullmatch(request.query.get("q", ""))
        if found is None or found["object"] not in OBJECTS:
            return _error(400, "MALFORMED_QUERY", f"cannot be read: {request.query.get('q', '')}")
        records = self.crm.objects[OBJECTS[found["object"]]]
        fields = [name.strip() for name in found["fields"].split(",")]
        unknown = [name for name in fields if name != "COUNT()" and name not in records[0]]
        if unknown:
            return _error(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on entity '{found['object']}'")
        with_deleted = request.path.endswith("queryAll")
        chosen = [each for each in records if _meets(each, found["where"]) and (with_deleted or not each["IsDeleted"])]
        if fields == ["COUNT()"]:
            return web.json_response({"totalSize": len(chosen), "done": True, "records": []})
        order = [name.strip() for name in (found["order"] or "Id").split(",")]
        chosen.sort(key=lambda record: [record[name] for name in order])
        return self._answer([_text(each, fields, found["object"]) for each in chosen], start=0, total=len(chosen))

    async def _more(self, request: web.Request) -> web.Response:
        if not self.authority.takes(request):
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        name, _, start = request.match_info["locator"].partition("-")
        texts = self._locators.get(name)
        if texts is None or not start.isdecimal():
            return _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._answer(texts, start=int(start), total=len(texts), locator=name)

    def _answer(self, texts: list[str], *, start: int, total: int, locator: str = "") -> web.Response:
        end = start + self.page
        parts = [f'"totalSize": {total}', f'"done": {str(end >= total).lower()}']
        if end < total:
            name = locator or f"01g{len(self._locators):012}"
            self._locators[name] = texts
            parts.append(f'"nextRecordsUrl": "/services/data/{VERSION}/query/{name}-{end}"')
        records = ",\n".join(texts[start:end])
        parts.append(f'"records": [\n{records}\n]')
        return web.Response(text="{" + ", ".join(parts) + "}", content_type="application/json")


def _meets(record: Record, where: str | None) -> bool:
    for condition in (where or "").split(" AND ") if where else ():
        found = _CONDITION.fullmatch(condition)
        if found is None:
            raise web.HTTPBadRequest(text=f'[{{"errorCode": "MALFORMED_QUERY", "message": "{condition}"}}]')
        bound, value = datetime.fromisoformat(found["at"]), record[found["field"]]
        if not (value > bound if found["sign"] == ">" else value <= bound):
            return False
    return True


def _text(record: Record, fields: list[str], name: str) -> str:
    kind = {"type": name, "url": f"/services/data/{VERSION}/sobjects/{name}/{record['Id']}"}
    members = [f'"attributes": {json.dumps(kind)}', *(f'"{each}": {_value(each, record[each])}' for each in fields)]
    return "{" + ", ".join(members) + "}"


def _value(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return f'"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}+0000"'
    return value if name in NUMBERS and value is not None else json.dumps(value, ensure_ascii=False)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response([{"message": message, "errorCode": code}], status=status)
