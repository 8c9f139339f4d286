"""Load a bundle, the folder of an exported model, and check every file before it is used.

bundle.json   the manifest: task, graphs, window, precisions, hashes, training data, scores
tokenizer.json  model.onnx or model.PRECISION.onnx    golden.jsonl  README.md
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
from nlpkit.runtime.exposing import ATTENTION, exposed
from nlpkit.runtime.graphs import EMBEDDING, IDS, LOGITS, MASK, Signature
from nlpkit.runtime.manifest import Manifest
from nlpkit.runtime.model import Model, Steps
from nlpkit.runtime.session import budget_of, run_of
from nlpkit.runtime.widening import for_cuda

if TYPE_CHECKING:
    import onnxruntime

# The key with which an ONNX tensor refers to another file (TensorProto, field 13).
EXTERNAL_DATA = b"location"

BuildTask = Callable[[Mapping[str, Any]], Any]
BuildSteps = Callable[[tuple[Any, ...]], Steps]


class Bundle(NamedTuple):
    """The folder of a bundle and its manifest; its other files are read on demand."""

    folder: Path
    manifest: Manifest

    @property
    def about(self) -> Path:
        """The path of bundle.json, for messages."""
        return self.folder / manifests.NAME

    def checked(self, file: str) -> Path:
        """Return the path of a file, after checking its hash.

        Raises:
            ModelError: the file cannot be read, or its SHA-256 differs from the manifest's.
        """
        path = self.folder / file
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as problem:
            raise ModelError(
                f"{quoted(path)}: {problem.strerror}; install the model again"
            ) from None
        if digest != self.manifest.files.get(file):
            raise ModelError(
                f"{quoted(path)}: its SHA-256 differs from that in bundle.json; "
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
    """Build the task of a bundle; `build` is `nlpkit.tasks.build`.

    Raises:
        ModelError: the description of the task is damaged.
    """
    try:
        return build(bundle.manifest.task)
    except (UsageError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ModelError(
            f"{quoted(bundle.about)}: its task can't be rebuilt ({problem}); "
            "install or export the model again"
        ) from None


def open_bundle(
    bundle: Bundle,
    *,
    device: str,
    precision: str,
    threads: int,
    attention: bool,
    build_task: BuildTask,
    build_steps: BuildSteps,
) -> Model:
    """Load a bundle, which `read_bundle` returned, as a model.

    `build_task` and `build_steps` build its parts from their descriptions in the manifest.
    `threads` is the number of CPU threads; 0 uses every core. `attention` adds the outputs of
    `nlpkit.runtime.exposing` to the graphs.

    Raises:
        ModelError: the bundle is damaged, changed, or refers to files outside its folder.
        DeviceError: the device does not work on this machine.
        UsageError: the device or the precision does not exist.
    """
    manifest = bundle.manifest
    started = _start_first(bundle, device, precision, threads, attention)
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


def _start_first(
    bundle: Bundle, device: str, precision: str, threads: int, attention: bool
) -> Started:
    """Start the sessions on the first device that works, in the precision for that device.

    Only the files of that precision are read and hashed, which keeps the start short.
    """
    *others, last = devices.candidates(device)
    for kind, index in others:
        with contextlib.suppress(DeviceError):
            return _start(bundle, kind, index, precision, threads, attention)
    return _start(bundle, *last, precision, threads, attention)


def _start(
    bundle: Bundle, kind: str, index: int, precision: str, threads: int, attention: bool
) -> Started:
    """Start a session for each graph on one device.

    Raises:
        ModelError: a file is damaged, or refers to files outside the bundle.
        DeviceError: the device does not work on this machine.
        UsageError: the bundle does not have the precision.
    """
    chosen = bundle.manifest.precision(precision, kind)
    one_thread = bool(bundle.manifest.precisions[chosen].get("one_thread", False))
    sessions, signatures, size = {}, {}, 0
    for name, graph in bundle.manifest.graphs.items():
        path = bundle.checked(graph.files[chosen])
        if _has_external_data(path):
            raise ModelError(
                f"{quoted(path)}: keeps weights in another file; export the model again"
            )
        try:
            model = for_cuda(path) if kind == "cuda" else str(path)
            if attention:
                model = exposed(path.read_bytes() if isinstance(model, str) else model)
            session = devices.session(
                model, kind, index, int(one_thread) or threads, half=chosen == "fp16"
            )
        except NlpkitError:
            raise
        except Exception as problem:  # ONNX Runtime's errors share no class but Exception
            reason = str(problem).splitlines()[0][:200]
            raise ModelError(
                f"{quoted(path)}: ONNX Runtime can't load it ({reason}); "
                "install or export the model again"
            ) from None
        sessions[name] = session
        signatures[name] = _signature(session, graph.signature, path)
        size += path.stat().st_size
    return Started(sessions, signatures, size)


def _signature(
    session: onnxruntime.InferenceSession, declared: Signature | None, path: Path
) -> Signature:
    """Return the signature of a session; `declared` is that of the manifest, None in format 1.

    Raises:
        ModelError: the two differ, or the graph of a format 1 bundle is not ids, mask -> logits.
    """
    inputs = {item.name: item.shape for item in session.get_inputs()}
    every = {item.name: item.shape for item in session.get_outputs()}
    outputs = {name: axes for name, axes in every.items() if not name.startswith(ATTENTION)}
    if declared is None:
        if [*inputs] != [IDS, MASK] or not {LOGITS} <= outputs.keys() <= {LOGITS, EMBEDDING}:
            raise ModelError(
                f"{quoted(path)}: the graph maps {', '.join(inputs)} to {', '.join(outputs)}, "
                f"expected {IDS}, {MASK} to {LOGITS}; export the model again"
            )
        return Signature(*({n: tuple(axes) for n, axes in s.items()} for s in (inputs, every)))
    for actual, expected in ((inputs, declared.inputs), (outputs, declared.outputs)):
        if [*actual] != [*expected] or not all(
            _matches(actual[name], expected[name]) for name in expected
        ):
            raise ModelError(
                f"{quoted(path)}: the graph maps {_shown(inputs)} to {_shown(outputs)}, expected "
                f"{_shown(declared.inputs)} to {_shown(declared.outputs)}; export the model again"
            )
    added = {name: tuple(axes) for name, axes in every.items() if name not in outputs}
    return declared._replace(outputs={**declared.outputs, **added})


def _matches(actual: list[Any], expected: tuple[str | int, ...]) -> bool:
    """Return whether a session's axes have the manifest's rank and fixed sizes."""
    pairs = zip(actual, expected, strict=False)
    return len(actual) == len(expected) and all(
        not isinstance(axis, int) or size == axis for size, axis in pairs
    )


def _shown(arrays: Mapping[str, Any]) -> str:
    """Format arrays with their axes, such as ids['batch', 'time']."""
    return ", ".join(f"{name}{list(axes)}" for name, axes in arrays.items())


def _check_graphs(
    bundle: Bundle, started: Started, required: Mapping[str, Mapping[str, int | None]]
) -> None:
    """Raise ModelError if the graphs lack an output that the task needs, or its width differs."""
    for graph, outputs in required.items():
        signature = started.signatures.get(graph)
        if signature is None:
            raise ModelError(
                f"{quoted(bundle.about)}: the graph {graph!r} is missing, which the task needs; "
                "export the model again"
            )
        for name, width in outputs.items():
            axes = signature.outputs.get(name)
            if axes is None or (width is not None and axes[-1] != width):
                problem = f"has {axes[-1]} columns" if axes else "is missing"
                raise ModelError(
                    f"{quoted(bundle.about)}: the output {name} of the graph {graph!r} {problem}, "
                    f"the task needs {width if width is not None else 'it'}; export the model again"
                )


def _has_external_data(path: Path) -> bool:
    """Return whether an ONNX file refers to weights in another file."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(EXTERNAL_DATA) >= 0


def _steps(bundle: Bundle, build: BuildSteps) -> Steps:
    try:
        return build(bundle.manifest.steps)
    except (UsageError, TypeError) as problem:
        raise ModelError(
            f"{quoted(bundle.about)}: its steps can't be rebuilt ({problem}); "
            "install or export the model again"
        ) from None


def _tokenizer(bundle: Bundle, content: bytes) -> text.Tokenizer:
    try:
        kind, languages = bundle.manifest.tokenizer_kind, bundle.manifest.languages
        return text.load(kind, content.decode("utf-8"), languages)
    except (UsageError, ValueError) as problem:
        raise ModelError(
            f"{quoted(bundle.folder)}: its tokenizer can't be read ({problem}); "
            "install or export the model again"
        ) from None
