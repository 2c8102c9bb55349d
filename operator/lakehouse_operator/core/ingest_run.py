"""One batch of an IngestPipeline as a Spark application: run.json and the Secrets it needs."""

from collections.abc import Mapping
from typing import Any

from lakehouse_api.annotations import REREAD
from lakehouse_api.ingest_pipeline import IngestPipelineSpec
from lakehouse_api.kinds import INGEST_PIPELINE
from lakehouse_api.run import ContractSnapshot, IngestJob, IngestTarget, RunSpec
from lakehouse_operator.core.application import Application
from lakehouse_operator.core.backfill import range_of
from lakehouse_operator.core.catalog import registration_of
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.contracts import version_of
from lakehouse_operator.core.driver_pod import build_launch
from lakehouse_operator.core.lineage import lineage_key, lineage_of
from lakehouse_operator.core.plan import Launch
from lakehouse_operator.core.quarantine import request_of
from lakehouse_operator.core.scene import Scene, Start
from lakehouse_operator.core.secrets import from_aws, from_secrets, own_credentials, secret_uses
from lakehouse_operator.core.sources import buckets_read
from lakehouse_operator.core.stores import stores_of, table_uri


def ingest_launch(
    scene: Scene, spec: IngestPipelineSpec, start: Start, schema: Mapping[str, Any], config: Config
) -> Launch:
    """Give what an attempt to run a batch is created from; `schema` is the contract's that it pins."""
    run = _run(scene, spec, start, schema, config)
    return build_launch(
        Application(
            resource=scene.resource,
            start=start,
            run=run,
            spec_hash=scene.spec_hash,
            spark=spec.spark,
            config=config.spark,
            timeout=spec.timeout,
            secrets=(*from_secrets(secret_uses(spec, config)), *lineage_key(config)),
        )
    )


def _run(scene: Scene, spec: IngestPipelineSpec, start: Start, schema: Mapping[str, Any], config: Config) -> RunSpec:
    resource = scene.resource
    request = request_of(resource.annotations) if start.slot.tends else None
    backfill, target = range_of(scene, start.slot), _target(spec, config)
    return RunSpec(
        id=start.run_id,
        kind=resource.kind,
        namespace=resource.namespace,
        name=resource.name,
        uid=resource.uid,
        slot=start.slot.text,
        attempt=start.attempt,
        report_uri=f"{config.lake.uri.rstrip('/')}/_runs/{resource.namespace}/{INGEST_PIPELINE.plural}/{resource.name}",
        stores=stores_of((config.lake.uri, *buckets_read(spec.source)), own_credentials(spec.source), config),
        aws_secrets=from_aws(secret_uses(spec, config), config),
        catalog=registration_of(target, config),
        lineage=lineage_of(scene, config),
        job=IngestJob(
            source=spec.source,
            incremental=spec.incremental,
            contract=_contract(spec, schema),
            drift=spec.contract.drift,
            expectations=spec.contract.expectations,
            references={
                one.reference.table: table_uri(config, one.reference.table)
                for one in spec.contract.expectations
                if one.reference
            },
            target=target,
            reread=None if request or backfill else resource.annotations.get(REREAD),
            quarantine=request,
            backfill=backfill,
        ),
    )


def _contract(spec: IngestPipelineSpec, schema: Mapping[str, Any]) -> ContractSnapshot:
    return ContractSnapshot(name=spec.contract.ref or "inline", version=version_of(schema), schema_=dict(schema))


def _target(spec: IngestPipelineSpec, config: Config) -> IngestTarget:
    target = spec.target
    uri = table_uri(config, target.table)
    return IngestTarget(
        table=target.table,
        uri=uri,
        quarantine_uri=f"{uri}__quarantine",
        mode=target.mode,
        merge=target.merge,
        into_uri=table_uri(config, target.merge.into) if target.merge and target.merge.into else None,
        overwrite=target.overwrite,
        partition_by=target.partition_by,
        properties=target.properties,
    )
