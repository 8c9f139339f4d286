"""The contestants of cuda_speed.py, torch and ONNX Runtime, and their timing in alternation."""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import nlpkit  # noqa: F401 - before onnxruntime: turns off its telemetry

# isort: split

import numpy as np
import onnxruntime
import torch

from nlpkit.heads.graph import Graph
from nlpkit.runtime.graphs import LOGITS, MAIN, Signature
from nlpkit.runtime.session import BoundRun, SessionRun, filled

LEAST, WARM = 3, 3  # fewest calls of a contestant in a round; calls to warm it up
clock = time.perf_counter
Feeds = Mapping[str, np.ndarray]


class Call(Protocol):
    """A `nlpkit.runtime.graphs.Run` of a network with one graph."""

    def __call__(
        self, graph: str, feeds: Feeds, outputs: Sequence[str]
    ) -> dict[str, np.ndarray]: ...


class Apart:
    """A call in three parts, copies in, kernels, copies out; `parts` has the seconds of each call.

    It returns the logits only, for any `outputs`.
    """

    def __init__(self, signature: Signature) -> None:
        self.signatures = {MAIN: signature}
        self.parts: list[tuple[float, float, float]] = []

    def __call__(self, graph: str, feeds: Feeds, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        times = [clock()]
        held = self.put(feeds)
        times.append(clock())
        made = self.run(held)
        times.append(clock())
        logits = self.get(made)
        times.append(clock())
        self.parts.append((times[1] - times[0], times[2] - times[1], times[3] - times[2]))
        return {LOGITS: logits[: len(feeds["ids"])]}

    def put(self, feeds: Feeds) -> Any: ...
    def run(self, held: Any) -> Any: ...
    def get(self, made: Any) -> Any: ...


class OrtApart(Apart):
    """A session whose inputs and output stay on the device."""

    def __init__(
        self, session: onnxruntime.InferenceSession, signature: Signature, kind: str
    ) -> None:
        super().__init__(signature)
        self.session, self.kind = session, kind

    def put(self, feeds: Feeds) -> Any:
        binding = self.session.io_binding()
        for name, array in filled(feeds).items():
            value = onnxruntime.OrtValue.ortvalue_from_numpy(array, self.kind, 0)
            binding.bind_ortvalue_input(name, value)
        binding.bind_output(LOGITS, self.kind, 0)
        return binding

    def run(self, binding: Any) -> Any:
        self.session.run_with_iobinding(binding)  # returns when the kernels are done
        return binding

    def get(self, binding: Any) -> np.ndarray:
        logits: np.ndarray = binding.copy_outputs_to_cpu()[0]
        return logits


class Torch(Apart):
    """A graph's torch module, which returns a tuple of the outputs."""

    def __init__(self, module: Any, signature: Signature, kind: str) -> None:
        super().__init__(signature)
        self.module, self.kind = module, kind
        self.place = [*signature.outputs].index(LOGITS)

    def put(self, feeds: Feeds) -> Any:
        names = self.signatures[MAIN].inputs
        return [torch.from_numpy(feeds[name]).to(self.kind) for name in names]

    @torch.inference_mode()
    def run(self, held: Any) -> Any:
        outputs = self.module(*held)
        if self.kind == "cuda":
            torch.cuda.synchronize()
        return outputs[self.place]

    def get(self, made: Any) -> np.ndarray:
        logits: np.ndarray = made.float().cpu().numpy()
        return logits


def placed(model: bytes, session: onnxruntime.InferenceSession, feeds: Feeds) -> dict[str, int]:
    """Return the number of nodes, by operator, that ran on the CPU instead of the session's device.

    Each costs a synchronisation and a copy: CUDA lacks some operators for some types.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        providers = session.get_providers()
        profiled = onnxruntime.InferenceSession(model, options, providers=providers)
        profiled.run([LOGITS], dict(feeds))
        events = json.loads(Path(profiled.end_profiling()).read_text(encoding="utf-8"))
    nodes = [event["args"] for event in events if event.get("cat") == "Node"]
    on_cpu = [args["op_name"] for args in nodes if args.get("provider") not in (None, providers[0])]
    copies = [args["op_name"] for args in nodes if args.get("op_name", "").startswith("Memcpy")]
    return dict(Counter(on_cpu + copies))


def contestants(
    graph: Graph,
    signature: Signature,
    made: dict[str, onnxruntime.InferenceSession],
    kind: str,
    static: bool,
) -> dict[str, Call]:
    """Return the contestants by name; the first is the reference of the comparison.

    `made` has a session of the exported graph for each precision, of the same `signature`.
    """
    whole = copy.deepcopy(graph.module).eval().to(kind)
    calls: dict[str, Call] = {}
    for precision, each in (("fp32", whole), ("fp16", copy.deepcopy(whole).half())):
        compiled = torch.compile(each, dynamic=True)
        calls[f"torch eager {precision}"] = Torch(each, signature, kind)
        calls[f"torch compile {precision}"] = Torch(compiled, signature, kind)
        if static:
            fixed = torch.compile(each, dynamic=False, mode="reduce-overhead")
            calls[f"torch static {precision}"] = Torch(fixed, signature, kind)
    for precision, session in made.items():
        one = {MAIN: session}, {MAIN: signature}
        calls[f"ort plain {precision}"] = SessionRun(*one)
        calls[f"ort bound {precision}"] = BoundRun(*one)
        calls[f"ort apart {precision}"] = OrtApart(session, signature, kind)
    return calls


def measured(
    callers: dict[str, Call], feeds: Feeds, rounds: int, seconds: float
) -> list[dict[str, Any]]:
    """Return one row for each contestant on one shape; a failed one has "failed", the reason."""
    rows: dict[str, dict[str, Any]] = {}
    answers: dict[str, np.ndarray] = {}
    for name, call in callers.items():
        rows[name] = {"name": name, "batch": len(feeds["ids"]), "length": feeds["ids"].shape[1]}
        start = clock()
        try:
            answers[name] = [call(MAIN, feeds, (LOGITS,))[LOGITS] for _ in range(WARM)][-1]
        except Exception as problem:  # report it and continue with the others
            rows[name]["failed"] = f"{type(problem).__name__}: {str(problem).splitlines()[0][:160]}"
        rows[name]["warm_s"] = clock() - start  # includes compilation
        getattr(call, "parts", []).clear()
    if not answers:
        return list(rows.values())
    times: dict[str, list[list[float]]] = {name: [] for name in answers}
    for _ in range(rounds):
        for name, each in times.items():
            each.append(list(_calls(callers[name], feeds, seconds)))
    reference = next(iter(answers.values()))
    first = [median(calls) for calls in next(iter(times.values()))]
    for name, each in times.items():
        p50, p99 = np.quantile(np.concatenate(each), [0.5, 0.99]).tolist()
        rows[name] |= {"p50_ms": p50 * 1e3, "p99_ms": p99 * 1e3, "calls": sum(map(len, each))}
        rows[name]["docs_per_second"] = len(feeds["ids"]) / p50
        ratios = (one / median(calls) for one, calls in zip(first, each, strict=True))
        rows[name]["times_eager"] = median(ratios)
        rows[name]["difference"] = float(np.abs(answers[name] - reference).max())
        if parts := getattr(callers[name], "parts", None):
            rows[name]["parts_ms"] = (np.median(parts, axis=0) * 1e3).tolist()
    return list(rows.values())


def _calls(call: Call, feeds: Feeds, seconds: float) -> Iterator[float]:
    done, end = 0, clock() + seconds
    while done < LEAST or clock() < end:
        start = clock()
        call(MAIN, feeds, (LOGITS,))
        yield clock() - start
        done += 1
