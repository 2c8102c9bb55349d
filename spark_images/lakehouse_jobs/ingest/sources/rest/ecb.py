"""Reference rates as the European Central Bank publishes them: its XML files, and its data API as JSON or CSV.

Whatever the format, a row has `date`, `base`, `currency` and `rate`, the rate being the text that was published.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lakehouse_api.sources.rest import RestSource
from lakehouse_jobs.ingest.sources.rest.api import EARLIEST, Record, Window, json_of, moment
from lakehouse_jobs.ingest.sources.rest.client import Answer, Client, Request, malformed
from lakehouse_jobs.ingest.sources.rest.json_text import is_literal, joined, plain

CURSOR: Final = "date"
COLUMNS: Final = frozenset({"date", "base", "currency", "rate"})
_CUBE: Final = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_CSV_COLUMNS: Final = frozenset({"CURRENCY_DENOM", "CURRENCY", "TIME_PERIOD", "OBS_VALUE"})
_NO_VALUE: Final = frozenset({"", "NaN"})
_DAY: Final = timedelta(days=1)
_FOUND_OR_NOT: Final = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND})


class Ecb:
    """One file or one query of the data API."""

    dated = True

    def __init__(self, source: RestSource, client: Client) -> None:
        self._url = source.url
        self._is_file = source.url.endswith(".xml")
        self._parameters = ({} if self._is_file else {"format": "jsondata"}) | (source.parameters or {})
        self._client = client

    def horizon(self, until: datetime) -> datetime:
        """Give the last day that has rates, as far as days go: today's come in the afternoon."""
        newest = {} if self._is_file else {"lastNObservations": "1"}
        days = [moment(record.cursor) for record in self._rates(newest) if record.cursor]
        published = [day for day in days if day is not None and day <= until + _DAY]
        return max(published, default=EARLIEST)

    def has_records(self, window: Window) -> bool:
        """Tell whether there are days that were not read: the horizon is one."""
        return window.until is None or window.until > window.since

    def pages(self, window: Window) -> Iterator[list[Record]]:
        """Read all rates at once."""
        asked = {}
        if not self._is_file and window.after:
            asked["startPeriod"] = f"{window.after + _DAY:%Y-%m-%d}"
        if not self._is_file and window.until:
            asked["endPeriod"] = f"{window.until:%Y-%m-%d}"
        yield self._rates(asked)

    def _rates(self, asked: dict[str, str]) -> list[Record]:
        accepted = frozenset({HTTPStatus.OK}) if self._is_file else _FOUND_OR_NOT  # not found: no rates in that range
        request = Request(url=self._url, parameters={**self._parameters, **asked}, accepted=accepted)
        return self._client.send(request, self._read)

    def _read(self, answer: Answer) -> list[Record]:
        if answer.status == HTTPStatus.NOT_FOUND:
            return []
        text = answer.text.lstrip("\ufeff \r\n\t")
        read = {"<": _of_xml, "{": _of_sdmx_json}.get(text[:1], _of_csv)
        try:
            return read(answer, self._url)
        except (ParseError, DefusedXmlException, csv.Error, LookupError, ValueError, TypeError) as error:
            raise malformed(self._url, f"no rates can be found in it ({type(error).__name__}: {error})") from error


def _rate(date: str, base: str, currency: str, rate: str) -> Record:
    """Make a row; a rate that is no number stays a text, which the contract refuses."""
    texts = {"date": json.dumps(date), "base": json.dumps(base), "currency": json.dumps(currency)}
    number = rate if is_literal(rate) else json.dumps(rate)
    return Record(cursor=date, row=joined({**texts, "rate": number}))


def _of_xml(answer: Answer, _url: str) -> list[Record]:
    root = fromstring(answer.body, forbid_dtd=True)
    days = [cube for cube in root.iter(_CUBE) if "time" in cube.attrib]
    if not days:
        raise ValueError("it has no day")
    return [
        _rate(day.attrib["time"], "EUR", cube.attrib["currency"], cube.attrib["rate"])
        for day in days
        for cube in day.iter(_CUBE)
        if "currency" in cube.attrib
    ]


def _of_csv(answer: Answer, _url: str) -> list[Record]:
    rows = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""), strict=True)
    if not set(rows.fieldnames or ()) >= _CSV_COLUMNS:
        raise ValueError("its header is not that of csvdata")
    return [
        _rate(row["TIME_PERIOD"], row["CURRENCY_DENOM"], row["CURRENCY"], row["OBS_VALUE"])
        for row in rows
        if row["OBS_VALUE"] not in _NO_VALUE
    ]


def _of_sdmx_json(answer: Answer, url: str) -> list[Record]:
    message = plain(json_of(answer, url))
    dimensions = message["structure"]["dimensions"]
    series = [(each["id"], [value["id"] for value in each["values"]]) for each in dimensions["series"]]
    days = [value["id"] for value in dimensions["observation"][0]["values"]]
    return [
        _rate(days[int(day)], *_currencies(series, key), rate=str(values[0]))
        for data in message["dataSets"]
        for key, one in data["series"].items()
        for day, values in one["observations"].items()
        if values[0] is not None and str(values[0]) not in _NO_VALUE
    ]


def _currencies(series: list[tuple[str, list[str]]], key: str) -> tuple[str, str]:
    """Read which currencies a series is about: its key holds, by dimension, the place of the value."""
    found = {name: values[int(place)] for (name, values), place in zip(series, key.split(":"), strict=True)}
    return found["CURRENCY_DENOM"], found["CURRENCY"]
