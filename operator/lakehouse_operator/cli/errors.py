"""How the plugin ends when it cannot answer."""

import click


class InputError(click.ClickException):
    """The input is wrong, or the cluster cannot be asked: nothing was found out."""

    exit_code = 2
