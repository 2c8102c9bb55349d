"""The ECB's reference rates in its own formats: the XML files, and the data API's SDMX-JSON and CSV."""

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from aiohttp import web

CURRENCIES: Final = {"USD": (1.05, 4), "JPY": (163.0, 2), "GBP": (0.83, 5), "CHF": (0.94, 4), "IDR": (17350.0, 2)}
"""About what one euro is worth, and with how many decimals it is published."""

FIRST_DAY: Final = date(2025, 1, 2)
HOLIDAYS: Final = frozenset({date(2025, 4, 18), date(2025, 4, 21), date(2025, 5, 1)})
_FRIDAY: Final = 4
_DIMENSIONS: Final = (
    ("FREQ", "D"),
    ("CURRENCY", ""),
    ("CURRENCY_DENOM", "EUR"),
    ("EXR_TYPE", "SP00"),
    ("EXR_SUFFIX", "A"),
)


@dataclass(kw_only=True)
class Ecb:
    """Rates of business days, from FIRST_DAY to `last`; `corrected` replaces what was published."""

    last: date = date(2025, 6, 30)
    seed: int = 20_261_124
    corrected: dict[tuple[date, str], str] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """Serve files below /stats/eurofxref and data below /service/data."""
        for name, days in {"daily": 1, "hist-90d": 62, "hist": 10**6}.items():
            app.router.add_get(f"/stats/eurofxref/eurofxref-{name}.xml", self._file(days))
        app.router.add_get("/service/data/EXR/{key}", self._data)

    @property
    def days(self) -> list[date]:
        """Give the days that have rates, oldest first."""
        every = (FIRST_DAY + timedelta(days=number) for number in range((self.last - FIRST_DAY).days + 1))
        return [day for day in every if day.weekday() <= _FRIDAY and day not in HOLIDAYS]

    def publish(self, days: int = 1) -> None:
        """Let so many more days pass."""
        self.last += timedelta(days=days)

    def rate(self, day: date, currency: str) -> str:
        """Give a rate as it is published."""
        about, decimals = CURRENCIES[currency]
        move = Random(f"{self.seed} {day} {currency}").uniform(-0.03, 0.03)
        return self.corrected.get((day, currency), f"{about * (1 + move):.{decimals}f}")

    def _file(self, days: int) -> Any:
        async def answer(_: web.Request) -> web.Response:
            cubes = "".join(
                f"<Cube time='{day}'>"
                + "".join(f"<Cube currency='{each}' rate='{self.rate(day, each)}'/>" for each in CURRENCIES)
                + "</Cube>\n"
                for day in self.days[-days:][::-1]
            )
            return web.Response(text=_ENVELOPE.format(cubes=cubes), content_type="text/xml")

        return answer

    async def _data(self, request: web.Request) -> web.Response:
        asked, parts = request.query, request.match_info["key"].split(".")
        if len(parts) != len(_DIMENSIONS):
            return web.Response(status=400, text="Invalid key")
        days = [day for day in self.days if asked.get("startPeriod", "") <= str(day) <= asked.get("endPeriod", "9")]
        days = days[-int(asked.get("lastNObservations", len(days) or 1)) :]
        currencies = [each for each in CURRENCIES if not parts[1] or each in parts[1].split("+")]
        if not days or not currencies:
            return web.Response(status=404, text="No results found.")
        if asked.get("format") == "csvdata":
            return web.Response(text=self._csv(days, currencies), content_type="text/csv")
        return web.Response(text=self._sdmx_json(days, currencies), content_type="application/json")

    def _csv(self, days: list[date], currencies: list[str]) -> str:
        text = io.StringIO()
        names = [name for name, _ in _DIMENSIONS]
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(["KEY", *names, "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "DECIMALS", "TITLE"])
        for each in currencies:
            key = [value or each for _, value in _DIMENSIONS]
            for day in days:
                tail = [str(day), self.rate(day, each), "A", str(CURRENCIES[each][1]), f"{each}/Euro, spot"]
                writer.writerow([f"EXR.{'.'.join(key)}", *key, *tail])
        return text.getvalue()

    def _sdmx_json(self, days: list[date], currencies: list[str]) -> str:
        dimensions = [
            {"id": name, "name": name.title(), "values": [{"id": each} for each in ([value] if value else currencies)]}
            for name, value in _DIMENSIONS
        ]
        observed = {"id": "TIME_PERIOD", "role": "time", "values": [{"id": str(day), "name": str(day)} for day in days]}
        structure = {"name": "Exchange Rates", "dimensions": {"series": dimensions, "observation": [observed]}}
        series = (f'"0:{place}:0:0:0": {self._series(days, each)}' for place, each in enumerate(currencies))
        header = {"id": "lakehouse-dev", "test": True, "sender": {"id": "ECB"}}
        data = f'[{{"action": "Replace", "series": {{{", ".join(series)}}}}}]'
        return f'{{"header": {json.dumps(header)}, "dataSets": {data}, "structure": {json.dumps(structure)}}}'

    def _series(self, days: list[date], currency: str) -> str:
        """Write the observations of one currency: numbers stand as they were published."""
        texts = (f'"{place}": [{self.rate(day, currency)}, 0, 0, null, null]' for place, day in enumerate(days))
        return f'{{"attributes": [0, null, 0], "observations": {{{", ".join(texts)}}}}}'


_ENVELOPE: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube>
{cubes}</Cube></gesmes:Envelope>
"""
