"""The events of the demo are refused for the reasons that they were spoilt for, and for no others."""

import json
from collections import Counter

from lakehouse_api.run import ContractSnapshot
from lakehouse_dev import paths
from lakehouse_dev.kafka_events import DEFECTS, events
from lakehouse_jobs.contract.exact import judge_json
from lakehouse_jobs.contract.schema import read_contract


def test_each_defect_costs_the_message_it_hits_and_no_other() -> None:
    schema = json.loads((paths.REPOSITORY / "schemas" / "kafka_events.schema.json").read_text())
    contract = read_contract(ContractSnapshot.model_validate({"name": "events", "version": "1", "schema": schema}))
    made = events()
    verdicts = [judge_json(contract, each.value).reasons for each in made.messages if each.value is not None]

    found = Counter(f"{reasons[0].path} {reasons[0].keyword}" for reasons in verdicts if reasons)

    assert found + Counter({" Tombstone": made.refusals[" Tombstone"]}) == Counter(made.refusals)
    assert made.accepted == len(made.messages) - made.refused
    assert len(made.refusals) > len(DEFECTS) / 2


def test_the_same_events_are_made_every_time() -> None:
    assert events(100) == events(100)
