"""``python -m course``: until the environment exists, only the standard library is imported."""

from __future__ import annotations

import sys

import course.exercises  # noqa: F401  makes the banks known to the commands
from course.workbook import bootstrap, cli


def main() -> int:
    """Answer help and mistakes at once; then enter the environment and run the command there."""
    arguments = sys.argv[1:]
    command = cli.parse(arguments)
    if hasattr(command, "first"):  # what need not, or should not, wait for packages
        bootstrap.require_version()
        arguments = command.first(command)
    bootstrap.enter(arguments)
    return command.run(command)


if __name__ == "__main__":
    sys.exit(main())
