"""Where plans and the results of batches are kept: beside the table, `_ingest/<namespace>/<name>/`.

The table itself says which batches count: its Delta `txn` of this pipeline is the number of the last committed one.
Plans are found from that number alone, so no folder is ever listed.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lakehouse_api.run import RunSpec
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.storage import Storage, folder


@dataclass(frozen=True, kw_only=True)
class Books:
    """The plans and results of one pipeline."""

    storage: Storage
    uri: str
    _read: dict[int, Plan] = field(default_factory=dict, repr=False)
    """Plans never change, so each is read once."""

    @classmethod
    def of(cls, storage: Storage, run: RunSpec) -> "Books":
        """Find the books of a run's pipeline."""
        return cls(storage=storage, uri=f"{folder(run.job.target.uri)}/_ingest/{run.namespace}/{run.name}")

    def plan(self, batch: int) -> Plan | None:
        """Read a plan."""
        if batch not in self._read:
            text = self.storage.read(f"{self.uri}/{batch}.json")
            if text is None:
                return None
            self._read[batch] = Plan.model_validate_json(text)
        return self._read[batch]

    def freeze(self, plan: Plan) -> Plan:
        """Create a plan; if another driver was faster, its plan is the one that counts."""
        settled = self.storage.create(f"{self.uri}/{plan.batch}.json", _text(plan))
        return Plan.model_validate_json(settled)

    def outcome(self, batch: int) -> BatchOutcome | None:
        """Read the result of a committed batch."""
        text = self.storage.read(f"{self.uri}/{batch}.result.json")
        return None if text is None else BatchOutcome.model_validate_json(text)

    def record(self, outcome: BatchOutcome) -> BatchOutcome:
        """Keep the result of a committed batch, so that a retry reports the same one."""
        settled = self.storage.create(f"{self.uri}/{outcome.batch}.result.json", _text(outcome))
        return BatchOutcome.model_validate_json(settled)

    def committed_plans(self, committed: int) -> list[Plan]:
        """Read the plans of committed batches, oldest first, back to one that says all that was read before it.

        Raise WatermarkLost when one of them is missing.
        """
        plans: list[Plan] = []
        batch = committed
        while batch and not (plans and plans[-1].work.complete):
            plan = self.plan(batch)
            if plan is None:
                raise self._plans_lost(batch, committed)
            plans.append(plan)
            batch = plan.previous
        return plans[::-1]

    def chain(self, after: int, committed: int) -> list[Plan]:
        """Read the plans of committed batches above one, newest first; raise WatermarkLost when one is missing."""
        plans: list[Plan] = []
        batch = committed
        while batch > after:
            plan = self.plan(batch)
            if plan is None:
                raise self._plans_lost(batch, committed)
            plans.append(plan)
            batch = plan.previous
        return plans

    def open_plans(self, committed: int) -> list[Plan]:
        """Read the plans after the last committed batch: the last one is to be executed, the others were given up.

        Raise WatermarkLost when one of them was committed, to a table that has since been dropped or set back.
        """
        plans: list[Plan] = []
        while plan := self.plan(committed + 1 + len(plans)):
            plans.append(plan)
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda plan: self.outcome(plan.batch), plans))
        if any(outcomes):
            raise self._table_behind(committed, max(outcome.batch for outcome in outcomes if outcome))
        return plans

    def _plans_lost(self, batch: int, committed: int) -> JobError:
        return spec_wrong(
            "WatermarkLost",
            f"the table has batches up to {committed} of this pipeline, but {self.uri}/{batch}.json is gone, so it is "
            "unknown what was read. Restore that folder, or, to read everything again, drop the table and what is left "
            "of the folder.",
        )

    def _table_behind(self, committed: int, known: int) -> JobError:
        return spec_wrong(
            "WatermarkLost",
            f"batches up to {known} were committed, but the table has {committed or 'none'} of them: it was dropped or "
            f"set back. Restore the table; or delete the objects of batches above {committed} in {self.uri}/, and "
            "what they read is read again.",
        )


def _text(document: Plan | BatchOutcome) -> str:
    return document.model_dump_json(by_alias=True, exclude_none=True, indent=1)
