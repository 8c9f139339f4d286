"""Run nlpkit in a process that kills itself and its workers after a number of function calls.

The moment is counted in calls of nlpkit's functions, not in seconds, so that it does not depend on
the load of the machine. As a script, this file runs the command line until call number
$NLPKIT_LAST_CALL. A run that ends earlier writes its number of calls to $NLPKIT_CALLS.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCES = str(Path(__file__).parents[1] / "nlpkit")
NEVER = 0


def calls(folder: Path, command: list[str]) -> int:
    """Run a command to its end and return the number of calls in its main process."""
    assert _run(NEVER, folder, command) == 0
    return int((folder / "calls").read_text())


def kill_until_it_ends(
    command: list[str], whole: int, folder: Path, *, seed: int, most: int
) -> int:
    """Run a command repeatedly, killed at random calls, until it ends; return the number of kills.

    `whole` is the number of calls of an uninterrupted run. After `most` kills, the command runs to
    its end.
    """
    rng = random.Random(seed)
    for kills in range(most):
        code = _run(rng.randint(1, whole * 3 // 5), folder, command)
        if code == 0:
            return kills
        assert code == -signal.SIGKILL
    assert _run(NEVER, folder, command) == 0
    return most


def _run(last: int, folder: Path, command: list[str]) -> int:
    told = {"PYTHONPATH": str(Path(SOURCES).parent), "OMP_NUM_THREADS": "1"}
    told |= {"NLPKIT_LAST_CALL": str(last), "NLPKIT_CALLS": str(folder / "calls")}
    return subprocess.run(
        [sys.executable, __file__, *command],
        env=os.environ | told,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    ).returncode


class Counter:
    """Counts calls of nlpkit's functions in one thread and kills the session at the last one.

    A trace function: `sys.settrace` calls it for Python calls only, `sys.setprofile` also for
    returns and for calls of C functions. It returns None, so that lines are not traced.
    """

    def __init__(self, last: int) -> None:
        self.last, self.seen = last, 0

    def __call__(self, frame: Any, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(SOURCES):
            self.seen += 1
            if self.seen == self.last:
                os.killpg(0, signal.SIGKILL)


if __name__ in ("__main__", "__mp_main__"):  # the second name is that of workers, which count too
    if sys.argv[1:2] == ["train"]:  # before calls are counted, which would slow the import down
        import torch  # noqa: F401
    counter = Counter(int(os.environ["NLPKIT_LAST_CALL"]))
    sys.settrace(counter)

if __name__ == "__main__":
    from nlpkit.cli.app import app

    try:
        app(prog_name="nlpkit")
    finally:
        sys.settrace(None)
        Path(os.environ["NLPKIT_CALLS"]).write_text(str(counter.seen))
