"""`python -m nlpkit` and the `nlpkit` entry point."""

import gc
import io
import os
import signal
import sys
from types import FrameType

OBJECTS = 100_000  # new ones between two collections: a start makes fewer, a stream no cycles


def main() -> None:
    """Run the command line."""
    gc.set_threshold(OBJECTS)
    from nlpkit.cli.app import app
    from nlpkit.language.spacy_rules import LEAN

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text is UTF-8 in any locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    for name in ("SIGTERM", "SIGHUP"):  # leave by unwinding, so that no part file is left behind
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has SIGHUP
            signal.signal(number, leave)
    os.environ[LEAN] = "1"  # worker processes inherit it
    try:
        app(prog_name="nlpkit")
    except SystemExit as ended:
        if ended.code == 130:  # one more Ctrl-C must not interrupt the way out
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if ended.code is None or isinstance(ended.code, int):
            end_at_once(ended.code or 0)
        raise


def end_at_once(code: int) -> None:
    """End here if the networks ran on ONNX Runtime alone, all being written and closed.

    Python's own way out takes 40 ms then, a sixth of a short command, to free what the system frees
    anyway. torch and Ray have things to put away; but of the processes of torchrun, which have left
    their group by now, gloo's threads have aborted one on its way out.
    """
    alone = "onnxruntime" in sys.modules and not {"torch", "ray"} & sys.modules.keys()
    if alone or os.environ.get("WORLD_SIZE", "1") != "1":
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)


def leave(number: int, frame: FrameType | None) -> None:
    """End as the shell reports a signal: 128 and its number."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
