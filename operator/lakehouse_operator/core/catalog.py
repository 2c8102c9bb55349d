"""Where the tables of a pipeline stand in the catalogue, and whether they do."""

from collections.abc import Iterable, Iterator

from lakehouse_api.catalog import CatalogResult, CatalogTable, Registration
from lakehouse_api.run import IngestTarget
from lakehouse_api.status import Condition, Outcome, RunStatus
from lakehouse_operator.core.conditions import Judgement, registered
from lakehouse_operator.core.config import Config, GlueConfig
from lakehouse_operator.core.plan import Event, EventType


def registration_of(target: IngestTarget, config: Config) -> Registration | None:
    """Give what a run has to register; None where the environment has no catalogue."""
    if config.catalog is None:
        return None
    glue = config.catalog.glue
    return Registration(
        region=glue.region,
        endpoint=glue.endpoint,
        catalog_id=glue.catalog_id,
        tables=list(_tables(target, glue)),
    )


def standing_of(status: RunStatus) -> list[Judgement]:
    """Judge by the newest run that succeeded; nothing where that run knew no catalogue."""
    done = (record for record in (status.last_run, *status.history) if record)
    newest = next((record for record in done if record.outcome is Outcome.SUCCEEDED), None)
    return [_judged(newest.catalog)] if newest and newest.catalog else []


def news_of(known: Iterable[Condition], judged: Iterable[Judgement]) -> tuple[Event, ...]:
    """Tell, once for each reason, that the catalogue does not follow."""
    told = {(one.type, one.status, one.reason) for one in known}
    new = (one for one in judged if one.status == "False" and (one.type, one.status, one.reason) not in told)
    return tuple(Event(type=EventType.WARNING, reason=one.reason, message=one.message) for one in new)


def _judged(result: CatalogResult) -> Judgement:
    status = "True" if result.registered else "False"
    return registered(status, result.reason, result.message or "the catalogue tells of the tables as they are")


def _tables(target: IngestTarget, glue: GlueConfig) -> Iterator[CatalogTable]:
    yield _table(target.table, target.uri, glue)
    if target.merge and target.merge.into and target.into_uri:
        yield _table(target.merge.into, target.into_uri, glue)
    if glue.quarantine:
        yield _table(f"{target.table}__quarantine", target.quarantine_uri, glue, described=False)


def _table(logical: str, uri: str, glue: GlueConfig, *, described: bool = True) -> CatalogTable:
    schema, _, name = logical.partition(".")
    return CatalogTable(
        uri=uri,
        database=f"{glue.database_prefix}{glue.databases.get(schema, schema)}",
        database_uri=uri.rpartition("/")[0],
        name=name,
        described=described,
    )
