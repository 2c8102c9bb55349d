"""`python -m entrypoint`: replaces itself by what the arguments ask for."""

import os
import sys
from typing import NoReturn

from entrypoint.command import command_line
from entrypoint.errors import UnusableError

BAD_SPECIFICATION = 64
NOT_FOUND = 127


def main() -> None:
    """Run the command; a pod that cannot work ends with a code that the operator does not retry."""
    environment = dict(os.environ)
    try:
        command = command_line(sys.argv[1:], environment)
    except UnusableError as error:
        fail(str(error), BAD_SPECIFICATION)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606  # no shell is wanted: the JVM takes our place
    except FileNotFoundError:
        fail(f"no program {command[0]}; give `driver`, `executor` or a program of the image", NOT_FOUND)


def fail(message: str, code: int) -> NoReturn:
    """Say why and end."""
    sys.stderr.write(f"entrypoint: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
