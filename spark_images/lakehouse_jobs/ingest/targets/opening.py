"""Which target a run has."""

from lakehouse_api.target import TargetMode
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.targets.append import Append
from lakehouse_jobs.ingest.targets.overwrite import Replace
from lakehouse_jobs.ingest.targets.target import Target


def open_target(at: Surroundings) -> Target:
    """Open the target of the run; nothing is read or written yet."""
    match at.run.job.target.mode:
        case TargetMode.APPEND:
            return Append(at)
        case TargetMode.OVERWRITE:
            return Replace(at)
