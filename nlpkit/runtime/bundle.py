"""A bundle: the folder that holds everything a model needs, checked before it is trusted.

bundle.json   what it is: task, labels, window, precisions, hashes, training data, scores
tokenizer.json  model.onnx, model.int8.onnx or model.fp16.onnx    golden.jsonl  README.md
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlpkit import tasks
from nlpkit.errors import DeviceError, ModelError, NlpkitError, UsageError, near_match
from nlpkit.runtime import device as devices
from nlpkit.runtime.model import Model
from nlpkit.runtime.session import EMBEDDING, LOGITS, budget_of, run_of
from nlpkit.tasks import Task
from nlpkit.text.windows import Encoder, read_encoder

if TYPE_CHECKING:
    import onnxruntime

    from nlpkit.chain import Pipeline
    from nlpkit.text.words import WordEncoder

FORMAT = 1
LARGEST_MANIFEST = 1 << 24  # bytes; ours have 54 kB
LONGEST_WINDOW = 1 << 20
MANIFEST = "bundle.json"
NEEDED = (
    "name",
    "languages",
    "parameters",
    "score",
    "scores",
    "task",
    "architecture",
    "window",
    "overlap",
    "temperature",
    "precisions",
    "files",
)
# The key that points an ONNX tensor at another file (TensorProto, field 13), however it is encoded.
EXTERNAL_DATA = b"location"


@dataclass(frozen=True)
class Bundle:
    """A bundle's folder and its manifest; the files are read when asked for."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    def checked(self, file: str) -> Path:
        """Return a file's path. Raises ModelError when it is not the file that was hashed."""
        path = self.folder / file
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as problem:
            raise ModelError(f"{path}: {problem.strerror}; install it again") from None
        if digest != self.manifest["files"].get(file):
            raise ModelError(
                f"{path}: not the file that bundle.json names (its hash differs); "
                "install or export the model again"
            )
        return path

    def precision(self, wanted: str, device: str) -> str:
        """Return the precision to load. Raises UsageError when the bundle does not have it."""
        there = self.manifest["precisions"]
        if wanted == "auto":
            if device == "cuda" and "fp16" in there:
                return "fp16"
            return str(self.manifest.get("cpu_precision", "fp32"))
        if wanted not in there:
            raise UsageError(
                f"{self.name} has no precision {wanted!r}.{near_match(wanted, there)} "
                f"It has: {', '.join(there)}"
            )
        return wanted


def read_manifest(folder: Path) -> Bundle:
    """Read and check bundle.json and the folder's contents, but load no model.

    Raises:
        ModelError: the folder is not a bundle that this version trusts.
    """
    path = folder / MANIFEST
    if path.exists() and not (path.is_file() and path.stat().st_size < LARGEST_MANIFEST):
        raise ModelError(f"{path}: not a file of a size that a manifest has; install it again")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ModelError(f"{folder / MANIFEST}: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise ModelError(f"{folder / MANIFEST}: damaged ({problem}); install it again") from None
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if version != FORMAT:
        raise ModelError(
            f"{folder}: bundle format {version!r} is not one that this nlpkit reads ({FORMAT}); "
            "upgrade nlpkit or export the model again"
        )
    if lacking := [key for key in NEEDED if key not in manifest]:
        raise ModelError(f"{folder / MANIFEST}: lacks {', '.join(lacking)}; export the model again")
    if not _is_sound(manifest):
        raise ModelError(
            f"{folder / MANIFEST}: holds values that cannot be; export the model again"
        )
    _check_files(folder, manifest)
    return Bundle(folder, manifest)


def _is_sound(manifest: dict[str, Any]) -> bool:
    """Tell whether what loading relies on has the types and ranges it must have."""
    try:
        window, overlap = manifest["window"], manifest["overlap"]
        return (
            _are_labels(manifest["task"]["labels"])
            and isinstance(manifest["name"], str)
            and isinstance(manifest["parameters"], int)
            and all(isinstance(item, str) for item in manifest["languages"])
            and isinstance(manifest["scores"]["dev"][manifest["score"]], float)
            and all(isinstance(hash, str) for hash in manifest["files"].values())
            and all(isinstance(entry["file"], str) for entry in manifest["precisions"].values())
            and manifest.get("cpu_precision", "fp32") in manifest["precisions"]
            and type(window) is type(overlap) is int
            and 0 <= overlap < window < LONGEST_WINDOW
            and type(manifest["temperature"]) is float
            and 1e-3 < manifest["temperature"] < 1e3
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _are_labels(labels: Any) -> bool:
    """Tell whether labels are a list of distinct texts."""
    texts = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    return texts and len(set(labels)) == len(labels) > 1


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    listed = manifest["files"]
    for name in listed:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ModelError(f"{folder / MANIFEST}: names {name!r}, which is outside the bundle")
    present = {path.name for path in folder.iterdir()}
    if missing := sorted(set(listed) - present):
        raise ModelError(f"{folder}: {', '.join(missing)} is missing; install the model again")
    if extra := sorted(present - set(listed) - {MANIFEST}):
        raise ModelError(
            f"{folder}: {', '.join(extra)} does not belong to the bundle; remove it and try again"
        )
    used = [entry["file"] for entry in manifest["precisions"].values()]
    if unknown := [name for name in [*used, "tokenizer.json"] if name not in listed]:
        raise ModelError(f"{folder / MANIFEST}: {unknown[0]!r} has no hash; export the model again")


def open_bundle(folder: Path, *, device: str = "auto", precision: str = "auto") -> Model:
    """Load a bundle, ready to answer.

    Raises:
        ModelError: it is damaged, tampered with, or refers to files outside its folder.
        DeviceError: the device does not really work here.
        UsageError: there is no such device or precision.
    """
    bundle = read_manifest(folder)
    manifest = bundle.manifest
    session, size = _session(bundle, device, precision)
    task = _task(bundle)
    tokenizer = bundle.checked("tokenizer.json").read_bytes()
    encoder = _encoder(bundle, tokenizer)
    provider = session.get_providers()[0].removesuffix("ExecutionProvider")
    return Model(
        name=bundle.name,
        task=task,
        encoder=encoder,
        run=run_of(session),
        steps=_steps(bundle),
        embedder=run_of(session, EMBEDDING) if len(session.get_outputs()) > 1 else None,
        temperature=manifest["temperature"],
        provider=provider,
        file_bytes=size + len(tokenizer),
        budget=budget_of(session),
    )


def _session(
    bundle: Bundle, device: str, precision: str
) -> tuple[onnxruntime.InferenceSession, int]:
    """Start the first device of those to try that runs, with the precision that suits it.

    Only that file is read and hashed, for the others would cost every start; returns its bytes.
    """
    *others, last = devices.candidates(device)
    for kind, index in others:
        with contextlib.suppress(DeviceError):
            return _start(bundle, kind, index, precision)
    return _start(bundle, *last, precision)


def _start(
    bundle: Bundle, kind: str, index: int, precision: str
) -> tuple[onnxruntime.InferenceSession, int]:
    entry = bundle.manifest["precisions"][bundle.precision(precision, kind)]
    path = bundle.checked(entry["file"])
    if _keeps_data_elsewhere(path):
        raise ModelError(f"{path}: keeps weights in another file, which is not allowed")
    try:
        session = devices.session(str(path), kind, index, int(entry.get("one_thread", False)))
    except NlpkitError:
        raise
    except Exception as problem:  # ONNX Runtime's errors share no class but Exception
        reason = str(problem).splitlines()[0][:200]
        raise ModelError(f"{path}: ONNX Runtime can't load it ({reason})") from None
    inputs = [item.name for item in session.get_inputs()]
    outputs = {item.name: item.shape[-1] for item in session.get_outputs()}
    width = outputs.get(LOGITS)
    labels = bundle.manifest["task"].get("labels", [])
    known = outputs.keys() <= {LOGITS, EMBEDDING}
    if inputs != ["ids", "mask"] or width != len(labels) or not known:
        raise ModelError(
            f"{path}: takes {', '.join(inputs)} and gives {width} numbers, "
            f"where {len(labels)} labels over ids, mask were announced"
        )
    return session, path.stat().st_size


def _keeps_data_elsewhere(path: Path) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(EXTERNAL_DATA) >= 0


def _steps(bundle: Bundle) -> Pipeline | None:
    steps = bundle.manifest.get("steps")
    if not steps:
        return None
    from nlpkit.chain import pipeline

    try:
        return pipeline(*steps)
    except (UsageError, TypeError) as problem:
        raise ModelError(
            f"{bundle.folder / MANIFEST}: its steps can't be rebuilt ({problem})"
        ) from None


def _task(bundle: Bundle) -> Task:
    try:
        return tasks.build(bundle.manifest["task"])
    except (UsageError, KeyError, TypeError, ValueError) as problem:
        raise ModelError(
            f"{bundle.folder / MANIFEST}: its task can't be rebuilt ({problem})"
        ) from None


def _encoder(bundle: Bundle, tokenizer: bytes) -> Encoder | WordEncoder:
    manifest = bundle.manifest
    try:
        return read_encoder(
            tokenizer.decode("utf-8"),
            window=manifest["window"],
            overlap=manifest["overlap"],
        )
    except Exception as problem:  # tokenizers raises bare Exception
        raise ModelError(f"{bundle.folder}: its tokenizer can't be read ({problem})") from None
