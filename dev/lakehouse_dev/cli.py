"""Command line of the development tools: `python -m lakehouse_dev`."""

import click

from lakehouse_dev import base_images, service_images, tools
from lakehouse_dev.cluster.choice import DEFAULT_NAME, PROVIDERS, choose
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.cluster.report import as_json, table, usage
from lakehouse_dev.errors import DevError
from lakehouse_dev.operator_image import operator_image
from lakehouse_dev.spark_image import spark_image

_TOOLS = {tool.name: tool for tool in tools.ALL}
_IMAGES = {
    "spark-base": lambda: base_images.base_image(base_images.SPARK),
    "python-base": lambda: base_images.base_image(base_images.PYTHON),
    "pause": service_images.pause,
    "coredns": service_images.coredns,
    "seaweedfs": service_images.seaweedfs,
    "operator": operator_image,
    "spark": spark_image,
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Cluster, images and tools for developing the Lakehouse Operator."""


@cli.command("tools")
@click.argument("names", nargs=-1, type=click.Choice(list(_TOOLS)))
def build_tools(names: tuple[str, ...]) -> None:
    """Build the Go programs NAMES (all but kwok if none is given) and print where they are."""
    for name in names or [tool.name for tool in tools.ALL if tool != tools.KWOK]:
        click.echo(tools.directory(_TOOLS[name]))


@cli.command("images")
@click.argument("names", nargs=-1, type=click.Choice(list(_IMAGES)))
def build_images(names: tuple[str, ...]) -> None:
    """Build the images NAMES (all if none is given) and print their names."""
    for name in names or list(_IMAGES):
        click.echo(_IMAGES[name]().name)


@cli.group()
@click.option(
    "--provider", type=click.Choice([*PROVIDERS, "auto"]), envvar="CLUSTER", default="auto", show_default=True
)
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="Name of the cluster; several can run at once.")
@click.pass_context
def cluster(context: click.Context, provider: str, name: str) -> None:
    """Start, end and look at a dev cluster."""
    context.obj = choose(provider, name)


@cluster.command()
@click.pass_obj
def up(provider: Provider) -> None:
    """Start the cluster and tell how to use it."""
    provider.up()
    click.echo(usage(provider.status()))


@cluster.command()
@click.option("--purge", is_flag=True, help="Also remove the images kept for the next start.")
@click.pass_obj
def down(provider: Provider, *, purge: bool) -> None:
    """End the cluster and remove everything it made."""
    provider.down(purge=purge)


@cluster.command()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def status(provider: Provider, output: str) -> None:
    """Show how the cluster is."""
    click.echo((as_json if output == "json" else table)(provider.status()))


def main() -> None:
    """Run the command line; what the machine lacks is an error message, not a traceback."""
    try:
        cli()
    except DevError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(1) from error
