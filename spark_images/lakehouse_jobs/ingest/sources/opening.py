"""Which package reads which kind of source: one line each."""

from lakehouse_api.sources.files import FilesSource
from lakehouse_api.sources.jdbc import JdbcSource
from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_api.sources.rest import RestSource
from lakehouse_jobs.ingest.backfill import Backfill
from lakehouse_jobs.ingest.source import RangedSource, Source, Surroundings
from lakehouse_jobs.ingest.sources.files.source import Files
from lakehouse_jobs.ingest.sources.jdbc.source import Jdbc
from lakehouse_jobs.ingest.sources.kafka.source import Kafka
from lakehouse_jobs.ingest.sources.rest.source import Rest
from lakehouse_jobs.quarantine.replay import Replay


def open_source(at: Surroundings) -> Source:
    """Open what a run reads: the quarantine if it is asked to replay it, else the source, or a range of it again."""
    source, job = _named(at), at.run.job
    if job.quarantine:
        return Replay(job.quarantine.rows, at, cells=source.cells)
    return Backfill(source, job.backfill, at) if job.backfill else source


def _named(at: Surroundings) -> RangedSource:
    match at.run.job.source.chosen:
        case FilesSource() as files:
            return Files(files, at)
        case JdbcSource() as jdbc:
            return Jdbc(jdbc, at)
        case KafkaSource() as kafka:
            return Kafka(kafka, at)
        case RestSource() as rest:
            return Rest(rest, at)
