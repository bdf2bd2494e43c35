"""Composition root: `ticketpulse` and `python -m streams`."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from streams.cli.app import app

        app()
    except KeyboardInterrupt:  # while modules are still being loaded
        sys.exit(130)


if __name__ == "__main__":
    main()
