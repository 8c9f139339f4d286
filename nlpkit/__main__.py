"""`python -m nlpkit` and the `nlpkit` entry point."""

import io
import signal
import sys
from types import FrameType

from nlpkit.cli._app import app
from nlpkit.steps import _spacy


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whatever the locale says, text is UTF-8
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    for name in ("SIGTERM", "SIGHUP"):  # leave by unwinding, so that no part file is left behind
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)
    _spacy.LEAN = True
    app(prog_name="nlpkit")


def leave(number: int, frame: FrameType | None) -> None:
    """End as the shell reports a signal: 128 and its number."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
