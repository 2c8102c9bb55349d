"""The history of a contract, from its status."""

import json
from collections.abc import Mapping
from typing import Any

from lakehouse_api.data_contract import DataContractStatus
from lakehouse_operator.cli.reports import columns


def history_json(manifest: Mapping[str, Any]) -> str:
    """Give versions and consumers, for programs."""
    status = _status(manifest).document()
    told = {key: status[key] for key in ("versions", "consumers") if key in status}
    return json.dumps({"accepted": status.get("accepted", {}).get("version"), **told}, indent=2, ensure_ascii=False)


def history_table(manifest: Mapping[str, Any]) -> str:
    """Give one line for each version, the newest first, and the pipelines with the version each last ran."""
    status = _status(manifest)
    if not status.versions:
        return "The operator has not looked at this contract yet."
    accepted = status.accepted.version if status.accepted else None
    rows = [
        ("*" if one.version == accepted else "", one.version, one.time, one.verdict, "; ".join(one.changes))
        for one in status.versions
    ]
    table = columns(("", "VERSION", "TIME", "VERDICT", "CHANGES"), rows)
    return f"{table}\n\n* in force\n\n{_consumers(status)}"


def _consumers(status: DataContractStatus) -> str:
    if not status.consumers:
        return "No pipeline uses it."
    return columns(("USED BY", "LAST RAN WITH"), [(one.name, one.version or "-") for one in status.consumers])


def _status(manifest: Mapping[str, Any]) -> DataContractStatus:
    return DataContractStatus.model_validate(manifest.get("status") or {}, extra="ignore")
