"""A job: what an engine is given besides the inputs, and the errors that engines share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from nlpkit import zoo
from nlpkit.batch.events import Listener
from nlpkit.batch.manifest import Report
from nlpkit.batch.outcome import Outcome
from nlpkit.batch.plan import Item, Settings
from nlpkit.errors import GateError, InputError, NoSpace

CROWD = 8  # most workers for each core: more is a typing error


@dataclass(frozen=True)
class Job:
    """What an engine has to know besides the inputs; it reads the report and does not change it."""

    folder: Path
    settings: Settings
    workers: int
    key: str  # the manifest's, which parts belong to
    report: Report
    max_rejects: int | None
    listener: Listener

    def rejects_left(self) -> int | None:
        """Return how many bad records the inputs that have not ended may have; None: any number."""
        if self.max_rejects is None:
            return None
        return self.max_rejects - self.report.count("rejects")


# Makes the outputs of items, in any order, and yields each item with its outcome.
Engine = Callable[[list[Item], Job], Generator[tuple[Item, Outcome]]]


def fingerprint(model: str) -> str:
    """Return the hash of a model's manifest, which tells it from others of its name.

    Raises:
        ModelError: there is no such model.
    """
    if model in zoo.RULES:
        return model
    return hashlib.sha256((zoo.find_bundle(model) / "bundle.json").read_bytes()).hexdigest()


def failed(item: Item, problem: InputError | NoSpace | OSError) -> Outcome:
    """Return the outcome of an input that has no output."""
    reason = str(as_input_error(problem, item) if isinstance(problem, OSError) else problem)
    if not reason.startswith(str(item.path)):  # it names the output, or a record of it
        reason = f"{item.path}: {reason}"
    return Outcome(input={"path": str(item.path)}, problem=reason)


def as_input_error(problem: OSError, item: Item) -> InputError:
    """Return a problem with a file as an error that does not stop the other files."""
    return InputError(f"{problem.filename or item.path}: {problem.strerror or problem}")


def too_many(item: Item, job: Job, reason: str) -> GateError:
    """Return the error of an input that brings more bad records than allowed."""
    return GateError(
        f"{item.path}: with it there are more than {job.max_rejects} bad records, such as "
        f"{reason}; fix them, or raise --max-rejects and go on with --resume"
    )
