"""Measure lines of text to labels by nlpkit's engine, in all and by stage; for cuda_speed.py."""

from __future__ import annotations

import io
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, TextIO

import numpy as np

from nlpkit.records.answered import Answered, write
from nlpkit.records.reading import Reading, documents
from nlpkit.runtime import stream
from nlpkit.runtime.graphs import BATCH, TIME, Signature
from nlpkit.runtime.model import Model

WORDS = """
o a um uma este aquela meu nossa produto livro filme hotel pedido loja comida bateria tela
atendimento entrega prazo preço quarto capítulo chegou quebrou funciona atrasou recomendo
adorei odiei gostei não muito pouco nunca sempre bem mal ótimo péssimo lindo horrível caro
barato rápido lento ontem hoje amanhã com sem para porque mas e que kkkk !!! @loja :)
"""
clock = time.perf_counter
PARTS = ("copies in", "kernels", "copies out")


def synthetic(count: int = 200_000) -> list[str]:
    """Return short synthetic sentences. Real ones have more different words and encode slower."""
    words, rng = WORDS.split(), random.Random(0)
    return [
        f"{' '.join(rng.choices(words, k=rng.randint(4, 24)))} {number}" for number in range(count)
    ]


@contextmanager
def chunked(size: int) -> Iterator[None]:
    """Fix the engine's chunks to `size` documents instead of adapting them to their speed."""
    original = stream.CHUNK_CHARACTERS, stream.Shelf.pace
    stream.CHUNK_CHARACTERS = size * 1024
    stream.Shelf.pace = lambda *args: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        stream.CHUNK_CHARACTERS, stream.Shelf.pace = original  # type: ignore[method-assign]


def lines_to_labels(
    models: Mapping[str, Model],
    apart: Mapping[str, Any],
    texts: Sequence[str],
    *,
    chunks: Sequence[int],
    rounds: int,
) -> dict[str, Any]:
    """Return documents a second of each precision and chunk size, and the seconds of each stage.

    `apart` has for each precision a run whose `parts` are the seconds of copies and kernels.
    """
    texts = [text for text in texts if text]
    first = next(iter(models.values()))
    systems: dict[str, Model] = dict(models)
    systems["no network"] = replace(first, run=Nothing(first.run.signatures))
    speeds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.txt"
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        for number in range(rounds + 1):  # round 0 fills caches and arenas and is not counted
            for size in chunks:
                for name, model in systems.items():
                    start = clock()
                    whole(model, path, size)
                    if number:
                        key = f"{name}, chunks of {size}"
                        speeds.setdefault(key, []).append(len(texts) / (clock() - start))
        stages = [
            {"precision": name, "chunk": size} | staged(replace(model, run=apart[name]), path, size)
            for name, model in models.items()
            for size in chunks
        ]
    return {"documents": len(texts), "speeds": speeds, "stages": stages}


class Nothing:
    """A `nlpkit.runtime.graphs.Run` without a network, which returns zeros of the right shape."""

    def __init__(self, signatures: Mapping[str, Signature]) -> None:
        self.signatures = signatures

    def __call__(
        self, graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        sizes: dict[str | int, Any] = dict(zip((BATCH, TIME), feeds["mask"].shape, strict=True))
        every = self.signatures[graph].outputs
        shapes = {name: [sizes.get(axis, axis) for axis in every[name]] for name in outputs}
        return {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}


def whole(model: Model, path: Path, size: int) -> None:
    """Label a file in the way of `nlpkit sentiment FILE -o OUTPUT`."""
    with chunked(size), path.with_suffix(".tsv").open("w", encoding="utf-8") as out:
        read = documents(Reading(inputs=[str(path)], format="lines"))
        answers = stream.answer(model, read, out.flush, limit=size)
        written(model, (Answered(*each) for each in answers), out)


def written(model: Model, answers: Iterator[Answered], out: TextIO) -> None:
    """Write answers in the way of `nlpkit sentiment` for plain lines."""
    write(answers, out, "tsv", kind=model.task.answers, into=None, plain=True)


def staged(model: Model, path: Path, size: int) -> dict[str, Any]:
    """Run the stages one after another on one thread; return their seconds and the batches' sizes.

    The sum exceeds the time of `whole`, in which stages overlap.
    """
    run: Any = model.run
    run.parts.clear()
    sizes: list[tuple[int, int, int]] = []

    def counted(graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]) -> Any:
        sizes.append((*feeds["mask"].shape, int(feeds["mask"].sum())))
        return run(graph, feeds, outputs)

    model = replace(model, run=counted)
    spent: dict[str, float] = {}
    read = _timed(
        spent, "reading", lambda: list(documents(Reading(inputs=[str(path)], format="lines")))
    )
    for start in range(0, len(read), size):
        chunk = read[start : start + size]
        texts = [text for _, text in chunk]
        windows = _timed(spent, "encoding", lambda texts=texts: model.encode(texts))
        predicted = _timed(
            spent, "answering", lambda texts=texts, windows=windows: model.answer(texts, windows)
        )
        answers = [Answered(*pair, one) for pair, one in zip(chunk, predicted, strict=True)]
        _timed(
            spent,
            "writing",
            lambda answers=answers: written(model, iter(answers), io.StringIO()),
        )
    inside = dict(zip(PARTS, np.sum(run.parts, axis=0).tolist(), strict=True))
    spent["batching and decoding"] = spent.pop("answering") - sum(inside.values())
    rows, widths, tokens = np.array(sizes).T
    padded = int((rows * widths).sum())
    return {
        "seconds": spent | inside,
        "batches": len(sizes),
        "rows_a_batch": float(rows.mean()),
        "tokens": int(tokens.sum()),
        "padding": 1 - int(tokens.sum()) / padded,
    }


def _timed(spent: dict[str, float], stage: str, work: Callable[[], Any]) -> Any:
    start = clock()
    result = work()
    spent[stage] = spent.get(stage, 0.0) + clock() - start
    return result


def table(name: str, report: dict[str, Any]) -> str:
    count = report["documents"]
    lines = [f"### {name}: {count:,} lines to labels", "", "| | docs/s |", "|---|--:|"]
    lines += [f"| {key} | {median(each):,.0f} |" for key, each in report["speeds"].items()]
    order = ("reading", "encoding", *PARTS, "batching and decoding", "writing")
    lines += ["", "Microseconds a document, one stage after another on one thread:", ""]
    lines += [f"| | {' | '.join(order)} | sum | rows a batch | padding |"]
    lines += ["|---|" + "--:|" * (len(order) + 3)]
    for entry in report["stages"]:
        each = [entry["seconds"][stage] / count * 1e6 for stage in order]
        lines.append(
            f"| {entry['precision']}, chunks of {entry['chunk']} | "
            + " | ".join(f"{value:.2f}" for value in [*each, sum(each)])
            + f" | {entry['rows_a_batch']:.0f} | {entry['padding']:.1%} |"
        )
    return "\n".join([*lines, ""])
