"""`kubectl lakehouse contract`: compare, check, translate, look up."""

import json
from collections.abc import Callable
from typing import Any

import click
import yaml

from lakehouse_api.data_contract import Compatibility
from lakehouse_operator.cli import reports
from lakehouse_operator.cli.cluster import get_contract
from lakehouse_operator.cli.documents import STANDARD_INPUT, read_contract, read_odcs
from lakehouse_operator.cli.errors import InputError
from lakehouse_operator.cli.history import history_json, history_table
from lakehouse_operator.core.compatibility import compare
from lakehouse_operator.core.compatibility_changes import changes_of
from lakehouse_operator.core.compatibility_verdict import Outcome
from lakehouse_operator.core.contracts import version_of
from lakehouse_operator.core.odcs import Notes
from lakehouse_operator.core.odcs_export import Contract, to_odcs
from lakehouse_operator.core.odcs_import import ImportRefusedError, from_odcs

_REPORTS = {"table": reports.as_table, "json": reports.as_json, "junit": reports.as_junit}
_MODES = {mode.lower(): mode for mode in Compatibility}


def _output(*formats: str) -> Callable[[Any], Any]:
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print it."
    )


@click.group()
def contract() -> None:
    """Check and translate data contracts.

    A contract is a file with a DataContract manifest (other resources beside it are passed over), a bare JSON Schema of
    a row, or a document of the Open Data Contract Standard v3. `-` is the standard input.
    """


@contract.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--mode",
    type=click.Choice(sorted(_MODES), case_sensitive=False),
    help="What must be kept. Default: spec.compatibility of NEW, else backward.",
)
@_output(*_REPORTS)
@click.pass_context
def check(context: click.Context, old: str, new: str, mode: str | None, output: str) -> None:
    """Tell whether NEW can take the place of OLD, with a row that shows it if not.

    OLD may come from a cluster: what counts is then the version that its pipelines use.

    Ends with 0 if it is compatible, 1 if it breaks or is not proven to be compatible, 2 if the input is wrong.
    """
    before, after = _read_both(old, new)
    declared = Compatibility(after.compatibility) if after.compatibility else Compatibility.BACKWARD
    verdict = compare(before.schema, after.schema, _MODES[mode.lower()] if mode else declared)
    click.echo(_REPORTS[output](before, after, verdict))
    context.exit(0 if verdict.outcome is Outcome.COMPATIBLE else 1)


def _read_both(old: str, new: str) -> tuple[Contract, Contract]:
    if old == new == STANDARD_INPUT:
        raise InputError("only one of OLD and NEW can be the standard input")
    return read_contract(old, accepted=True), read_contract(new)


@contract.command()
@click.argument("old")
@click.argument("new")
@_output("table", "json")
def diff(old: str, new: str, output: str) -> None:
    """List every change from OLD to NEW, whatever it breaks."""
    before, after = _read_both(old, new)
    changes = changes_of(before.schema, after.schema)
    if output == "json":
        click.echo(json.dumps([change.document() for change in changes], indent=2, ensure_ascii=False))
    else:
        click.echo(reports.changes_table(changes) if changes else "The contracts say the same.")


@contract.command()
@click.argument("sources", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def lint(context: click.Context, sources: tuple[str, ...]) -> None:
    """Tell whether contracts can be enforced, and which versions they are.

    Ends with 1 if one cannot.
    """
    bad = False
    for source in sources:
        try:
            found = read_contract(source)
        except InputError as error:
            click.echo(error.message, err=True)
            bad = True
        else:
            click.echo(f"{source}: {found.name} {version_of(found.schema)} can be enforced")
    context.exit(1 if bad else 0)


@contract.command()
@click.argument("source", metavar="FILE")
@click.option("--odcs", "form", flag_value="odcs", help="As a document of the Open Data Contract Standard v3.1.")
@click.option("--jsonschema", "form", flag_value="jsonschema", help="As the bare JSON Schema.")
def export(source: str, form: str | None) -> None:
    """Write a contract in another form.

    What the form has no words for is told on the standard error; ODCS keeps it under customProperties.
    """
    found = read_contract(source)
    if form == "jsonschema":
        click.echo(json.dumps(found.schema, indent=2, ensure_ascii=False))
        return
    if form != "odcs":
        raise InputError("say into which form: --odcs or --jsonschema")
    document, notes = to_odcs(found)
    _print(document, notes)


@contract.command("import")
@click.argument("source", metavar="FILE.odcs.yaml")
@click.option("--table", help="Which table of the document, if it has several.")
def import_(source: str, table: str | None) -> None:
    """Make a DataContract manifest of an Open Data Contract Standard document (v3).

    What a DataContract has no place for is told on the standard error.
    """
    try:
        manifest, notes = from_odcs(read_odcs(source), table)
    except ImportRefusedError as error:
        raise InputError(f"{source}: {error}") from error
    _print(manifest, notes)


def _print(document: dict[str, Any], notes: Notes) -> None:
    click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120), nl=False)
    for note in notes:
        click.echo(f"note: {note}", err=True)


@contract.command()
@click.argument("name")
@click.option("-n", "--namespace", help="Default: that of the context.")
@click.option("--context", "cluster", help="The context of the kubeconfig.")
@_output("table", "json")
def history(name: str, namespace: str | None, cluster: str | None, output: str) -> None:
    """Show the versions of a DataContract in the cluster, the verdicts on them, and who uses it."""
    manifest = get_contract(name, namespace=namespace, context=cluster)
    click.echo(history_json(manifest) if output == "json" else history_table(manifest))
