"""`python -m nlpkit` and the `nlpkit` entry point."""

from nlpkit.cli._app import app


def main() -> None:
    """Run the command line."""
    app(prog_name="nlpkit")


if __name__ == "__main__":
    main()
