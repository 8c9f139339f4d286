"""The entry point of `nlpkit` and `python -m nlpkit`."""

import gc
import io
import os
import signal
import sys
from types import FrameType

# New objects between two garbage collections: a start creates fewer, and streaming makes no cycles.
OBJECTS = 100_000


def main() -> None:
    """Run the command line."""
    gc.set_threshold(OBJECTS)
    heeds = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeds:  # no traceback from these imports; the app has a message of its own
        signal.signal(signal.SIGINT, leave)
    from nlpkit.cli.app import app
    from nlpkit.language.spacy_rules import LEAN

    if heeds:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text is UTF-8 in any locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    for name in ("SIGTERM", "SIGHUP"):  # unwind, so that temporary files are removed
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, leave)
    os.environ[LEAN] = "1"  # worker processes inherit it
    try:
        app(prog_name="nlpkit")
    except SystemExit as ended:
        if ended.code == 130:  # a second Ctrl-C must not interrupt the exit
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if ended.code is None or isinstance(ended.code, int):
            end_at_once(ended.code or 0)
        raise


def end_at_once(code: int) -> None:
    """Exit without Python's cleanup if only ONNX Runtime was used, or under torchrun.

    All output is written and closed by now. The cleanup takes 40 ms, a sixth of a short command, to
    free memory that the system frees anyway. torch and Ray need it, except for processes of
    torchrun: they have left their group, and gloo's threads have aborted one during the cleanup.
    """
    alone = "onnxruntime" in sys.modules and not {"torch", "ray"} & sys.modules.keys()
    if alone or os.environ.get("WORLD_SIZE", "1") != "1":
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)


def leave(number: int, frame: FrameType | None) -> None:
    """Exit with 128 plus the signal's number, as shells report a signal."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
