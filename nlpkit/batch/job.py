"""The job that an engine runs, the type of engines, and the errors that engines share."""

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
from nlpkit.wording import plural

CROWD = 8  # most workers per core; a larger number is taken for a typing error


@dataclass(frozen=True)
class Job:
    """The settings of a batch for an engine, which reads the report but does not change it."""

    folder: Path
    settings: Settings
    workers: int
    key: str  # the manifest's key: only parts with this key are resumed
    report: Report
    max_rejects: int | None
    listener: Listener

    def rejects_left(self) -> int | None:
        """Return how many bad records the remaining inputs may have; None if there is no limit."""
        if self.max_rejects is None:
            return None
        return self.max_rejects - self.report.count("rejects")


# Writes the outputs of items, in any order, and yields each item with its outcome.
Engine = Callable[[list[Item], Job], Generator[tuple[Item, Outcome]]]


def fingerprint(model: str) -> str:
    """Return the SHA-256 of a model's bundle.json, which tells models of one name apart.

    The fingerprint of a rule-based model is its name.

    Raises:
        ModelError: the model does not exist.
    """
    if model in zoo.RULES:
        return model
    return hashlib.sha256((zoo.find_bundle(model) / "bundle.json").read_bytes()).hexdigest()


def failed(item: Item, problem: InputError | NoSpace | OSError) -> Outcome:
    """Return the outcome of an input that failed."""
    reason = str(as_input_error(problem, item) if isinstance(problem, OSError) else problem)
    if not reason.startswith(str(item.path)):  # it names the output, or a record of it
        reason = f"{item.path}: {reason}"
    return Outcome(input={"path": str(item.path)}, problem=reason)


def as_input_error(problem: OSError, item: Item) -> InputError:
    """Convert an OSError to an InputError, which fails one input and not the batch."""
    return InputError(f"{problem.filename or item.path}: {problem.strerror or problem}")


def too_many(item: Item, job: Job, reason: str) -> GateError:
    """Return the error for an input that exceeds --max-rejects."""
    most = plural(job.max_rejects or 0, "bad record")
    return GateError(
        f"{item.path}: the batch has more than {most}, the last is "
        f"{reason}; fix them, or raise --max-rejects and continue with --resume"
    )
