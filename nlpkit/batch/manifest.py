"""Read and write manifest.json: the settings of a batch and the outcome of each input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nlpkit import records
from nlpkit.batch.outcome import Outcome, input_of
from nlpkit.batch.parts import remove_unfinished
from nlpkit.batch.plan import MANIFEST, Item, Settings
from nlpkit.errors import NoSpace, UsageError, quoted
from nlpkit.version import __version__

FORMAT = 1


@dataclass
class Report:
    """The outcomes of a batch: output name -> outcome of its input."""

    files: dict[str, Outcome] = field(default_factory=dict)

    def count(self, name: Literal["records", "rejects", "truncated"]) -> int:
        """Return the sum of a count over all inputs."""
        return sum(getattr(outcome, name) for outcome in self.files.values())

    @property
    def replaced(self) -> list[str]:
        """The inputs' own columns that answers took the place of."""
        outcomes = self.files.values()
        return list(dict.fromkeys(name for each in outcomes for name in each.replaced or ()))

    @property
    def failed(self) -> list[str]:
        """The names of the outputs whose inputs failed."""
        return [name for name, outcome in self.files.items() if outcome.problem is not None]


@dataclass(frozen=True)
class Manifest:
    """The manifest of a batch: its folder, settings, model fingerprint and report."""

    folder: Path
    settings: Settings
    model: str
    report: Report = field(default_factory=Report)

    @property
    def key(self) -> str:
        """The settings and the model as text: only parts written under it can be resumed."""
        return json.dumps({"settings": asdict(self.settings), "model": self.model})

    def write(self) -> None:
        """Write manifest.json atomically.

        Raises:
            NoSpace: the disk is full.
        """
        content = {
            "format": FORMAT,
            "nlpkit": __version__,
            "settings": asdict(self.settings),
            "model": self.model,
            "files": {name: outcome.to_dict() for name, outcome in self.report.files.items()},
        }
        with records.write_output(self.folder / MANIFEST) as out:
            out.write(json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def write_if_possible(self) -> None:
        """Write manifest.json unless the disk is full; --resume repeats the inputs it lacks."""
        with suppress(NoSpace):
            self.write()


def open_manifest(folder: Path, settings: Settings, model: str, *, resume: bool) -> Manifest:
    """Create the manifest of a folder; with `resume`, continue the existing one.

    Failed inputs are left out of a resumed report, so that they run again.

    Raises:
        UsageError: the folder holds other files, a damaged manifest, a batch while `resume` is
            False, or a batch with other settings or another model.
    """
    manifest = Manifest(folder, settings, model)
    remove_unfinished(folder / MANIFEST)
    try:
        earlier = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise UsageError(
                f"{quoted(folder)}: holds files that are not a batch's; name a new folder"
            ) from None
        manifest.write()
        return manifest
    except (OSError, ValueError, RecursionError) as problem:
        raise UsageError(f"{folder / MANIFEST}: damaged ({problem}); name a new folder") from None
    try:
        report = _report(earlier)
    except ValueError:
        raise UsageError(f"{folder / MANIFEST}: damaged; name a new folder") from None
    if not resume:
        raise UsageError(
            f"{quoted(folder)}: holds a batch; continue it with --resume, or name a new folder"
        )
    _check(manifest, earlier)
    manifest.report.files.update(report.files)
    return manifest


def _report(manifest: Any) -> Report:
    """Return the successful outcomes of a manifest's JSON.

    Raises:
        ValueError: a field is missing or has the wrong type.
    """
    if not isinstance(manifest, Mapping) or "model" not in manifest:
        raise ValueError("no table with a model")
    settings, files = manifest.get("settings"), manifest.get("files")
    if not isinstance(settings, Mapping) or not isinstance(files, Mapping):
        raise ValueError("no settings, or no files")
    outcomes = {name: Outcome.from_dict(table) for name, table in files.items()}
    return Report({name: each for name, each in outcomes.items() if each.problem is None})


def _check(manifest: Manifest, earlier: Mapping[str, Any]) -> None:
    """Raise UsageError if a batch was started with other settings or another model."""
    for key, value in asdict(manifest.settings).items():
        begun = earlier["settings"].get(key)
        if begun != value:
            raise UsageError(
                f"{manifest.folder}: the batch was begun with {key} = {begun!r}, not {value!r}; "
                "resume it with the same options, or name a new folder"
            )
    if earlier["model"] != manifest.model:
        raise UsageError(
            f"{manifest.folder}: the batch was begun with another model {manifest.settings.model}; "
            "name a new folder"
        )


def is_done(outcome: Outcome, item: Item, folder: Path) -> bool:
    """Return whether the output of an input is complete and the input has not changed since."""
    output = folder / item.output
    if not output.exists() or output.stat().st_size != outcome.bytes:
        return False
    with suppress(OSError):
        return outcome.input == input_of(item)
    return False
