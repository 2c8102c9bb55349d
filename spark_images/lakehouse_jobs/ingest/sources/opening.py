"""Which package reads which kind of source: one line each."""

from lakehouse_api.sources.files import FilesSource
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.sources.files.source import Files


def open_source(at: Surroundings) -> Source:
    """Open the source that a run names."""
    match at.run.job.source.chosen:
        case FilesSource() as files:
            return Files(files, at)
