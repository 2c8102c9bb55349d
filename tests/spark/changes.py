"""Changes of things as CSV files, and the targets that merge them."""

from typing import Any

from tests.spark.lake import Lake, lines

CONTRACT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "seq": {"type": "integer"},
        "op": {"type": "string"},
    },
}
HEADER = "id,name,seq,op"
MERGE: dict[str, Any] = {"keys": ["id"], "sequenceBy": ["seq"], "deletes": {"when": "op = 'd'"}}
SILVER = "silver/people"


def put(lake: Lake, name: str, *changes: str) -> None:
    lake.put({f"{name}.csv": lines(HEADER, *changes)})


def merged(**merge: Any) -> dict[str, Any]:
    return {"contract": CONTRACT, "target": {"mode": "Merge", "merge": MERGE | merge}}


def kept_and_merged(lake: Lake, **merge: Any) -> dict[str, Any]:
    into = {"merge": MERGE | merge | {"into": "silver.people"}, "intoUri": lake.uri(SILVER)}
    return {"contract": CONTRACT, "target": into}


def state(lake: Lake, table: str = "bronze/people") -> list[tuple[str, str | None, int, bool]]:
    rows = lake.table(table).select("id", "name", "_sequence", "_deleted").collect()
    return sorted((row.id, row.name, row._sequence, row._deleted) for row in rows)
