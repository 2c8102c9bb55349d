"""Which target a run has."""

from lakehouse_api.target import TargetMode
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.targets.append import Append
from lakehouse_jobs.ingest.targets.merge import AppendAndMerge, MergeInto
from lakehouse_jobs.ingest.targets.overwrite import Replace
from lakehouse_jobs.ingest.targets.target import Target


def open_target(at: Surroundings) -> Target:
    """Open the target of the run; nothing is read or written yet."""
    target = at.run.job.target
    match target.mode:
        case TargetMode.OVERWRITE:
            return Replace(at)
        case TargetMode.MERGE if target.merge:
            return MergeInto(at, target.merge)
        case TargetMode.APPEND if target.merge and target.into_uri:
            return AppendAndMerge(at, target.merge, target.into_uri)
        case TargetMode.APPEND:
            return Append(at)
        case TargetMode.MERGE:
            raise spec_wrong(
                "RunInvalid", "mode Merge without keys: operator and Spark image are of different versions."
            )
