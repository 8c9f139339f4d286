"""Load a bundle, the folder of an exported model, and check every file before it is used.

bundle.json   the manifest: task, graphs, window, precisions, hashes, training data, scores
tokenizer.json  model.onnx, model.int8.onnx or model.fp16.onnx    golden.jsonl  README.md
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nlpkit import text
from nlpkit.errors import DeviceError, ModelError, NlpkitError, UsageError, quoted
from nlpkit.runtime import device as devices, manifest as manifests
from nlpkit.runtime.graphs import EMBEDDING, IDS, LOGITS, MASK, Signature
from nlpkit.runtime.manifest import Manifest
from nlpkit.runtime.model import Model, Steps
from nlpkit.runtime.session import budget_of, run_of

if TYPE_CHECKING:
    import onnxruntime

# The key by which an ONNX tensor refers to another file (TensorProto, field 13), in any encoding.
EXTERNAL_DATA = b"location"

BuildTask = Callable[[Mapping[str, Any]], Any]
BuildSteps = Callable[[tuple[Any, ...]], Steps]


class Bundle(NamedTuple):
    """The folder of a bundle and its manifest; other files are read when they are needed."""

    folder: Path
    manifest: Manifest

    @property
    def about(self) -> Path:
        """The path of bundle.json, for messages."""
        return self.folder / manifests.NAME

    def checked(self, file: str) -> Path:
        """Return the path of a file, after checking its hash.

        Raises:
            ModelError: the file is missing, or its SHA-256 is not the manifest's.
        """
        path = self.folder / file
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as problem:
            raise ModelError(f"{quoted(path)}: {problem.strerror}; install it again") from None
        if digest != self.manifest.files.get(file):
            raise ModelError(
                f"{quoted(path)}: not the file that bundle.json names (its hash differs); "
                "install or export the model again"
            )
        return path


def read_bundle(folder: Path) -> Bundle:
    """Read and check the manifest of a bundle.

    Raises:
        ModelError: as `manifest.read`.
    """
    return Bundle(folder, manifests.read(folder))


def task_of(bundle: Bundle, build: BuildTask) -> Any:
    """Build the task of a bundle.

    Raises:
        ModelError: the description of the task is damaged.
    """
    try:
        return build(bundle.manifest.task)
    except (UsageError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ModelError(f"{quoted(bundle.about)}: its task can't be rebuilt ({problem})") from None


def open_bundle(
    folder: Path,
    *,
    device: str,
    precision: str,
    threads: int,
    build_task: BuildTask,
    build_steps: BuildSteps,
) -> Model:
    """Load a bundle as a model.

    Raises:
        ModelError: the bundle is damaged, changed, or refers to files outside its folder.
        DeviceError: the device does not work here.
        UsageError: the device or the precision does not exist.
    """
    bundle = read_bundle(folder)
    manifest = bundle.manifest
    started = _start_first(bundle, device, precision, threads)
    task = task_of(bundle, build_task)
    _check_graphs(bundle, started, task.graphs)
    content = bundle.checked(manifest.tokenizer_file).read_bytes()
    return Model(
        name=manifest.name,
        task=task,
        tokenizer=_tokenizer(bundle, content),
        windows=task.windows(manifest.window, manifest.overlap),
        run=run_of(started.sessions, started.signatures),
        provider=started.provider,
        steps=_steps(bundle, build_steps) if manifest.steps else None,
        file_bytes=started.bytes + len(content),
        budget=budget_of(started.sessions),
    )


class Started(NamedTuple):
    """The sessions of a bundle's graphs in one precision, and the size of their files in bytes."""

    sessions: Mapping[str, onnxruntime.InferenceSession]
    signatures: Mapping[str, Signature]
    bytes: int

    @property
    def provider(self) -> str:
        """The name of the ONNX Runtime provider, such as CPU or CUDA."""
        first = next(iter(self.sessions.values()))
        return str(first.get_providers()[0]).removesuffix("ExecutionProvider")


def _start_first(bundle: Bundle, device: str, precision: str, threads: int) -> Started:
    """Start the sessions on the first device that works, in the precision for it.

    Only the files of that precision are read and hashed, to keep the start short.
    """
    *others, last = devices.candidates(device)
    for kind, index in others:
        with contextlib.suppress(DeviceError):
            return _start(bundle, kind, index, precision, threads)
    return _start(bundle, *last, precision, threads)


def _start(bundle: Bundle, kind: str, index: int, precision: str, threads: int) -> Started:
    chosen = bundle.manifest.precision(precision, kind)
    alone = bool(bundle.manifest.precisions[chosen].get("one_thread", False))
    sessions, signatures, size = {}, {}, 0
    for name, graph in bundle.manifest.graphs.items():
        path = bundle.checked(graph.files[chosen])
        if _keeps_data_elsewhere(path):
            raise ModelError(f"{quoted(path)}: keeps weights in another file, which is not allowed")
        try:
            session = devices.session(str(path), kind, index, int(alone) or threads)
        except NlpkitError:
            raise
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0][:200]
            raise ModelError(f"{quoted(path)}: ONNX Runtime can't load it ({reason})") from None
        sessions[name] = session
        signatures[name] = _signature(session, graph.signature, path)
        size += path.stat().st_size
    return Started(sessions, signatures, size)


def _signature(
    session: onnxruntime.InferenceSession, told: Signature | None, path: Path
) -> Signature:
    """Return the signature of a session.

    Raises:
        ModelError: it differs from the signature in the manifest.
    """
    inputs = {item.name: item.shape for item in session.get_inputs()}
    outputs = {item.name: item.shape for item in session.get_outputs()}
    if told is None:  # format 1
        if [*inputs] != [IDS, MASK] or not {LOGITS} <= outputs.keys() <= {LOGITS, EMBEDDING}:
            raise ModelError(
                f"{quoted(path)}: takes {', '.join(inputs)} and gives "
                f"{', '.join(outputs)}, where a graph "
                f"from {IDS} and {MASK} to {LOGITS} was announced"
            )
        return Signature(*({n: tuple(axes) for n, axes in s.items()} for s in (inputs, outputs)))
    for real, said in ((inputs, told.inputs), (outputs, told.outputs)):
        if [*real] != [*said] or not all(_alike(real[name], said[name]) for name in said):
            raise ModelError(
                f"{quoted(path)}: takes {_shown(inputs)} and gives {_shown(outputs)}, where from "
                f"{_shown(told.inputs)} to {_shown(told.outputs)} was announced"
            )
    return told


def _alike(real: list[Any], said: tuple[str | int, ...]) -> bool:
    """Return whether a session's shape has the manifest's rank and fixed sizes."""
    pairs = zip(real, said, strict=False)
    return len(real) == len(said) and all(
        not isinstance(axis, int) or size == axis for size, axis in pairs
    )


def _shown(arrays: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}{list(axes)}" for name, axes in arrays.items())


def _check_graphs(
    bundle: Bundle, started: Started, wanted: Mapping[str, Mapping[str, int | None]]
) -> None:
    """Raise ModelError if the graphs lack an output that the task needs, or its width differs."""
    for graph, outputs in wanted.items():
        there = started.signatures.get(graph)
        for name, width in outputs.items():
            axes = there.outputs.get(name) if there else None
            if axes is None or (width is not None and axes[-1] != width):
                gives = f"gives {axes[-1]} numbers" if axes else "is not there"
                raise ModelError(
                    f"{quoted(bundle.about)}: {name} of the graph "
                    f"{graph!r} {gives}, where the task "
                    f"needs {width if width is not None else 'it'}; export the model again"
                )


def _keeps_data_elsewhere(path: Path) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(EXTERNAL_DATA) >= 0


def _steps(bundle: Bundle, build: BuildSteps) -> Steps:
    try:
        return build(bundle.manifest.steps)
    except (UsageError, TypeError) as problem:
        raise ModelError(
            f"{quoted(bundle.about)}: its steps can't be rebuilt ({problem})"
        ) from None


def _tokenizer(bundle: Bundle, content: bytes) -> text.Tokenizer:
    try:
        kind, languages = bundle.manifest.tokenizer_kind, bundle.manifest.languages
        return text.load(kind, content.decode("utf-8"), languages)
    except (UsageError, ValueError) as problem:
        raise ModelError(
            f"{quoted(bundle.folder)}: its tokenizer can't be read ({problem})"
        ) from None
