"""`make demo`: a cluster, two S3 stores, the operator by its chart, the CRM example, the bronze table printed.

A second run meets what the first one left and adds nothing.
"""

import hashlib
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.exceptions import ClientError

from lakehouse_dev import paths, s3, tools
from lakehouse_dev.cluster import services
from lakehouse_dev.cluster.choice import choose
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.crm_export import CrmExport, crm_export
from lakehouse_dev.errors import DevError
from lakehouse_dev.following import follow
from lakehouse_dev.installation import Installation, make_tenant
from lakehouse_dev.operator_image import operator_image
from lakehouse_dev.progress import Timings, say
from lakehouse_dev.spark_image import spark_image
from lakehouse_dev.tables import Lake

CLUSTER = "demo"
NAMESPACE = "lakehouse"
PIPELINE = "crm-accounts"
TABLE = "bronze.crm_accounts"
MERGED = "silver.crm_accounts"
EXAMPLE = paths.REPOSITORY / "examples" / "crm_accounts_pipeline.yaml"
FOLDER = "crm/accounts/"
LAKE = "s3://lake/warehouse"
_COLUMNS = '"Id", "Name", "Type", "AnnualRevenue", "BillingCity", "CreatedDate", "_ingest_batch"'
_INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Demo:
    """One run of the demo in its cluster."""

    cluster: Provider
    timings: Timings

    def run(self) -> None:
        """Do everything, from the images to the printed table."""
        with self.timings.step("images"):
            operator, spark = operator_image(), spark_image()
        with self.timings.step("cluster"):
            self.cluster.up()
            for image in (operator, spark):
                self.cluster.load_image(image)
        with self.timings.step("CRM export uploaded"):
            export = crm_export()
            upload(s3.client(self.endpoint), export)
        with self.timings.step("operator installed by helm"):
            make_tenant(self.kubeconfig, NAMESPACE)
            Installation(kubeconfig=self.kubeconfig).install(operator=operator, spark=spark)
        with self.timings.step("pipeline ready"):
            self.kubectl("apply", f"--filename={EXAMPLE}")
            status = follow(self.kubeconfig, NAMESPACE, PIPELINE)
        self.show(export, status)

    def show(self, export: CrmExport, status: Mapping[str, Any]) -> None:
        """Print what there is now, after checking it against the export."""
        lake = Lake(endpoint=self.endpoint, uri=LAKE)
        check(export, status, lake)
        click.echo(f"\n$ kubectl --namespace {NAMESPACE} get ingestpipelines")
        click.echo(self.kubectl("--namespace", NAMESPACE, "get", "ingestpipelines"))
        rows = lake.drawn(TABLE, f'SELECT {_COLUMNS} FROM t ORDER BY "Id" LIMIT 8')
        click.echo(f"the first rows of {TABLE}, {export.accepted} in all:\n{rows}")
        click.echo(f"{lake.count(MERGED)} accounts, each in its newest state, are in {MERGED}.")
        click.echo(f"{export.refused} refused rows are in {TABLE}__quarantine, with their reasons.\n")
        click.echo(self.next_steps())

    def next_steps(self) -> str:
        """Say how to look further and how to remove everything."""
        return "\n".join(
            [
                "look further:",
                f"  export KUBECONFIG={self.kubeconfig} PATH={tools.directory(tools.KUBERNETES)}:$PATH",
                f"  kubectl --namespace {NAMESPACE} describe ingestpipeline {PIPELINE}",
                f"  kubectl --namespace {NAMESPACE} annotate ingestpipeline {PIPELINE} --overwrite \\",
                '    lakehouse.dev/run-now="$(date +%s)"      # finds no new files and adds nothing',
                "remove it: make demo-down",
            ]
        )

    def explain(self) -> str:
        """Gather what tells why the demo failed."""
        one = ("--namespace", NAMESPACE)
        drivers = ("logs", "--selector=spark-role=driver", "--tail=40", "--prefix")
        asked: tuple[Callable[[], str], ...] = (
            lambda: self.kubectl(*one, "describe", "ingestpipeline", PIPELINE),
            lambda: self.kubectl(*one, "get", "pods", "--output=wide"),
            lambda: self.kubectl(*one, *drivers),
            Installation(kubeconfig=self.kubeconfig).log,
        )
        return "\n".join(map(_attempt, asked))

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the demo's cluster."""
        return services.kubectl(self.kubeconfig, *arguments)

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.cluster.kubeconfig

    @property
    def endpoint(self) -> str:
        """Return the S3 store of region east as seen from this machine."""
        return self.cluster.status().s3["east"]


def upload(client: Any, export: CrmExport) -> None:
    """Put the export's files into the landing zone, leaving alone those that are there."""
    for name, data in export.files.items():
        if _etag(client, FOLDER + name) != hashlib.md5(data, usedforsecurity=False).hexdigest():
            client.put_object(Bucket="landing", Key=FOLDER + name, Body=data)


def _etag(client: Any, key: str) -> str | None:
    try:
        return str(client.head_object(Bucket="landing", Key=key)["ETag"]).strip('"')
    except ClientError:
        return None


def check(export: CrmExport, status: Mapping[str, Any], lake: Lake) -> None:
    """Compare what the run told and what the tables hold with the export, whose every defect was counted."""
    runs = [run["metrics"] for run in status.get("history", ()) if run.get("metrics", {}).get("rowsRead")]
    found = {
        f"rows of {TABLE}": (lake.count(TABLE), export.accepted),
        f"rows of {TABLE}__quarantine": (lake.count(f"{TABLE}__quarantine"), export.refused),
        f"rows of {MERGED}": (lake.count(MERGED), lake.count(TABLE, of='DISTINCT "Id"')),
    }
    if runs:  # it falls out of the history when many have followed
        found["rows written, as the run tells"] = (runs[-1]["rowsWritten"], export.accepted)
        found["rows quarantined, as the run tells"] = (runs[-1]["rowsQuarantined"], export.refused)
    wrong = [f"{what}: {have}, not {want}" for what, (have, want) in found.items() if have != want]
    if wrong:
        raise DevError(f"the counts are not those of the export: {'; '.join(wrong)}")


def _attempt(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except DevError as error:
        return str(error)


def _fail(demo: Demo, error: DevError) -> NoReturn:
    if demo.cluster.status().running:
        click.echo(demo.explain(), err=True)
        click.echo(f"\nlook yourself: export KUBECONFIG={demo.kubeconfig}; try again: make demo", err=True)
    click.echo(f"error: {error}", err=True)
    sys.exit(1)


@click.command()
@click.option("--provider", envvar="CLUSTER", default="auto", help="kind, native or auto.")
@click.option("--down", is_flag=True, help="Remove the demo's cluster and its data.")
def main(provider: str, *, down: bool) -> None:
    """Run the demo; it ends by itself and leaves its cluster running."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the same as Ctrl-C
    demo = Demo(cluster=choose(provider, CLUSTER), timings=Timings())
    try:
        demo.cluster.down() if down else demo.run()
    except DevError as error:
        _fail(demo, error)
    except KeyboardInterrupt:
        say("\ninterrupted; what was started goes on. `make demo` takes it up again, `make demo-down` removes it")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
