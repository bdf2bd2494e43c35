"""Composition root: `ticketpulse` and `python -m streams`."""


def main() -> None:
    """Run the command line."""
    from streams.cli.app import app

    app()


if __name__ == "__main__":
    main()
