"""The command ``semcom``: a door that stands outside of our packages, as one may be hidden."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, unless something of the user's stands in for a package of ours."""
    try:
        import semcom  # refuses what hides channels

        semcom.check_not_hidden("experiments")
    except ImportError as error:
        sys.exit(f"Error: {error}")
    from experiments.cli.main import main as command

    command()
