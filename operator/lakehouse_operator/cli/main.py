"""The plugin's entry: kubectl finds the program `kubectl-lakehouse` on the PATH."""

import click

from lakehouse_operator.cli.backfill import backfill
from lakehouse_operator.cli.contract import contract
from lakehouse_operator.cli.quarantine import quarantine


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lakehouse-operator", prog_name="kubectl lakehouse")
def lakehouse() -> None:
    """Work with the Lakehouse Operator's contracts, quarantines and backfills.

    Exit codes: 0 all is well, 1 the answer is no, 2 the input or the command is wrong.
    """


lakehouse.add_command(contract)
lakehouse.add_command(quarantine)
lakehouse.add_command(backfill)


def main() -> None:
    """Run the plugin."""
    lakehouse(prog_name="kubectl lakehouse")


if __name__ == "__main__":
    main()
