"""`make demo-sources`: a database, a topic and web APIs beside the demo, and the examples that read them.

What every source holds is counted where it is made, defects included, so the demo knows what each table must have.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from lakehouse_dev import kafka_events, paths, warehouse
from lakehouse_dev.cluster import kafka, services, web
from lakehouse_dev.cluster import warehouse as database
from lakehouse_dev.cluster.choice import choose
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.demo import CLUSTER, LAKE, NAMESPACE
from lakehouse_dev.errors import DevError
from lakehouse_dev.following import follow
from lakehouse_dev.progress import Timings
from lakehouse_dev.tables import Lake
from lakehouse_dev.web.crm import Crm
from lakehouse_dev.web.ecb import CURRENCIES, Ecb


@dataclass(frozen=True, kw_only=True)
class Example:
    """A pipeline of `examples/`, and how many rows of what its source holds its contract accepts and refuses."""

    name: str
    accepted: int
    refused: int = 0

    @property
    def table(self) -> str:
        """Name the table that it fills."""
        return f"bronze.{self.name.replace('-', '_')}"

    @property
    def file(self) -> str:
        """Give the path of its file."""
        return str(paths.REPOSITORY / "examples" / f"{self.name.replace('-', '_')}_pipeline.yaml")


def examples() -> tuple[Example, ...]:
    """Give the examples beside the CRM accounts, which the demo itself runs."""
    crm, events = Crm(), kafka_events.events()
    orders, behavior = warehouse.ORDER_COUNTS, warehouse.EVENT_COUNTS
    contacts, opportunities = crm.counts("contacts"), crm.counts("opportunities")
    return (
        Example(name="crm-contacts", accepted=contacts.accepted, refused=contacts.refused),
        Example(name="crm-opportunities", accepted=opportunities.accepted, refused=opportunities.refused),
        Example(name="snowflake-orders", accepted=orders.accepted, refused=orders.refused),
        Example(name="redshift-behavior", accepted=behavior.accepted, refused=behavior.refused),
        Example(name="kafka-events", accepted=events.accepted, refused=events.refused),
        Example(name="fx-rates", accepted=len(Ecb().days) * len(CURRENCIES)),
    )


def deploy(cluster: Provider, *namespaces: str) -> None:
    """Start every source, and give namespaces the Secrets that open them."""
    for source in (database, web, kafka):
        source.deploy(cluster, *namespaces)


def wrong_counts(lake: Lake, several: Sequence[Example]) -> Iterator[str]:
    """Say which tables have not what they must have."""
    for one in several:
        for table, want in ((one.table, one.accepted), (f"{one.table}__quarantine", one.refused)):
            have = lake.count(table) if want else 0
            if have != want:
                yield f"{table} has {have} rows, not {want}"


def run(cluster: Provider) -> None:
    """Start the sources in the demo's cluster, apply the examples, wait for them and check their tables."""
    if not cluster.status().running:
        raise DevError("the demo does not run: `make demo` starts it")
    timings = Timings()
    with timings.step("sources"):
        deploy(cluster, NAMESPACE)
    with timings.step("pipelines ready"):
        for one in examples():
            services.kubectl(cluster.kubeconfig, "apply", f"--filename={one.file}")
        for one in examples():
            follow(cluster.kubeconfig, NAMESPACE, one.name)
    wrong = list(wrong_counts(Lake(endpoint=cluster.status().s3["east"], uri=LAKE), examples()))
    if wrong:
        raise DevError(f"the tables are not what the sources hold: {'; '.join(wrong)}")
    click.echo(f"\n$ kubectl --namespace {NAMESPACE} get ingestpipelines,datacontracts")
    click.echo(services.kubectl(cluster.kubeconfig, "--namespace", NAMESPACE, "get", "ingestpipelines,datacontracts"))


@click.command()
@click.option("--provider", envvar="CLUSTER", default="auto", help="kind, native or auto.")
def main(provider: str) -> None:
    """Add all sources to the running demo and run every example."""
    try:
        run(choose(provider, CLUSTER))
    except DevError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
