"""Named entities: spans of a text with a type, as a tag for each word.

Each word is outside of all entities (O), or begins (B) or continues (I) one of a type. A word's
tag is read at its first token, so any architecture fits. Decoding by Viterbi cannot give an invalid
sequence. A gold answer is a list of BIO tags or of character spans (`nlpkit.language.bio`).

A file may lack types that others have. Its words that are outside of its own types may then have
any tag of the types that it lacks, so that it teaches nothing about them.

Legend: B batch, T time (tokens), W words, C tags = 1 + 2 * types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nlpkit.answers import Span
from nlpkit.answers.entities import Annotated, Entities
from nlpkit.errors import InputError
from nlpkit.language.bio import Mention, mentions, unnameable
from nlpkit.runtime import onepass, tags
from nlpkit.runtime.graphs import LOGITS
from nlpkit.runtime.lattice import Lattice, calibrated
from nlpkit.settings.declaration import setting
from nlpkit.tasks import Columns, Reads
from nlpkit.text.documents import whole_text
from nlpkit.text.simple import first_tokens, word_spans
from nlpkit.text.windows import Slide

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.runtime.model import Model
    from nlpkit.text import Tokenizer
    from nlpkit.text.windows import Windows

MOVES = "moves"
PLACES = 5  # decimal places of the stored scores of moves


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of the head and of the types."""

    types: tuple[str, ...] = setting((), "types to find, in this order; empty: all that are given")
    crf: bool = setting(True, "learn scores of tags in sequence; false only forbids invalid ones")
    dropout: float = setting(0.2, "dropout on the states", 0, 1, tune=(0.0, 0.5))


# Case tells names from words, and entities keep to words.
TOKENIZER = {"lowercase": False, "simple_words": True}


class Task:
    """A tag for each word: O, then B and I of each type."""

    answers = Entities
    score = "span_f1"
    unit = "documents"
    columns = Columns("text", "entities")
    windows = Slide
    OFFSETS: ClassVar[bool] = True
    WRITES: ClassVar[bool] = False

    def __init__(
        self,
        config: Config,
        types: Sequence[str],
        moves: Sequence[Sequence[float]] | None = None,
        temperature: float = 1.0,
        links: bool = False,
    ) -> None:
        """Create a task of these types.

        `moves` scores each pair of tags in sequence; None is 0 for each. Scores of entities are
        probabilities at `temperature`. With `links`, links, addresses, @users and emoji may be
        parts of entities; they are never parts of names.

        Raises:
            ValueError: `moves` are not numbers of [tags, tags].
        """
        import numpy as np

        self.config, self.types, self.temperature = config, tuple(types), temperature
        self.shown, self.links = self.types, links
        width = tags.count(self.types)
        self.graphs = {"main": {LOGITS: width}}
        learned = np.zeros((width, width)) if moves is None else np.array(moves, dtype=np.float64)
        if learned.shape != (width, width):
            raise ValueError(f"moves are of shape {learned.shape}, not {(width, width)}")
        self.moves_CC = learned

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], config: Config) -> Self:
        """Build the task with the types of the rows, the most frequent first.

        Raises:
            InputError: the rows have no entity.
        """
        counts, linked = Counter[str](), Counter[str]()
        for row in rows:
            text = whole_text(row["document"])
            for each in cls.check(row):
                counts[each.type] += 1
                linked[each.type] += bool(unnameable(text, [each[:2]]))
        if not counts:
            raise InputError("the training files have no entity; check data.train and its label")
        if unknown := [kind for kind in config.types if kind not in counts]:
            raise InputError(
                f"task.types: no training file has {', '.join(unknown)}; "
                f"they have {', '.join(counts)}"
            )
        types = config.types or [kind for kind, _ in counts.most_common()]
        return cls(config, types, links=any(2 * linked[kind] > counts[kind] for kind in types))

    @staticmethod
    def check(fields: Mapping[str, Any]) -> list[Mention]:
        """Return the entities of a row. Raises InputError if it has no valid tags or spans."""
        return mentions(fields["label"], fields["document"], fields.get("names"))

    def gold(self, fields: Mapping[str, Any]) -> Annotated:
        """Return the entities of a row, without types that the task does not know.

        Raises:
            InputError: the row has no valid tags or spans.
        """
        text = whole_text(fields["document"])
        known = (each for each in self.check(fields) if each.type in self.types)
        return Annotated((Span(*each, text[each.start : each.end]) for each in known), text)

    def in_file(self, golds: Sequence[Annotated]) -> list[Annotated]:
        """Return the golds of a file as ones that judge no type that the file never has.

        A file without any entity judges all types: it has none of them.
        """
        seen = frozenset(span.label for gold in golds for span in gold.spans) or None
        return [Annotated(gold.spans, gold.document, seen) for gold in golds]

    def foreign(self, fields: Mapping[str, Any]) -> list[str]:
        """Return the types of a row's entities that are not of the task."""
        return [each.type for each in self.check(fields) if each.type not in self.types]

    def count(self, golds: Sequence[Annotated]) -> dict[str, int]:
        """Return the number of entities of each type."""
        return dict(Counter(span.label for gold in golds for span in gold.spans).most_common())

    def priors(self, golds: Sequence[Annotated], missing: float | None) -> dict[int, float]:
        """Return {index: 0} of the types that a file's golds never have.

        A file with `missing` = 1, or without any entity, teaches that it has none of these types.

        Raises:
            InputError: `missing` is between 0 and 1.
        """
        if missing not in (None, 0, 1):
            raise InputError(f"missing_labels = {missing}: entities take 0 or 1")
        seen = {span.label for gold in golds for span in gold.spans}
        if missing == 1 or not seen:
            return {}
        return {index: 0.0 for index, kind in enumerate(self.types) if kind not in seen}

    def prior_targets(self, priors: Sequence[Mapping[int, float]]) -> dict[str, Any]:
        """Return unknown_BC, True for the tags of types that a row's file never has."""
        import numpy as np

        unknown_BC = np.zeros((len(priors), tags.count(self.types)), dtype=bool)
        for row, kinds in enumerate(priors):
            for index in kinds:
                unknown_BC[row, [tags.begins(index), tags.continues(index)]] = True
        return {"unknown": unknown_BC}

    def head(self, encoder: Any, tokenizer: Tokenizer) -> Any:
        """Return the torch module with a layer of tags."""
        from nlpkit.heads.crf import CrfHead
        from nlpkit.heads.token import TokenHead

        head = CrfHead if self.config.crf else TokenHead
        return head(width=encoder.width, tags=tags.count(self.types), dropout=self.config.dropout)

    def targets(
        self, golds: Sequence[Annotated], reads: Reads, tokenizer: Tokenizer
    ) -> dict[str, Any]:
        """Return token_BW, the first token of each word, mask_BW, and allowed_BWC, the gold tag."""
        import numpy as np

        assert reads.offsets is not None  # the task has OFFSETS
        firsts = [
            first_tokens(gold.document, offsets)
            for gold, offsets in zip(golds, reads.offsets, strict=True)
        ]
        shape = len(golds), max(1, *map(len, firsts))
        token_BW, mask_BW = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
        allowed_BWC = np.zeros((*shape, tags.count(self.types)), dtype=bool)
        allowed_BWC[:, :, 0] = True
        for row, (gold, first) in enumerate(zip(golds, firsts, strict=True)):
            token_BW[row, : len(first)], mask_BW[row, : len(first)] = first, True
            starts = reads.offsets[row][first, 0].tolist()
            for word, tag in tags.of_words(gold.spans, starts, self.types):
                allowed_BWC[row, word] = False
                allowed_BWC[row, word, tag] = True
        return {"token": token_BW, "words": mask_BW, "allowed": allowed_BWC}

    def loss(self, outputs: Any, targets: Mapping[str, Any], smoothing: float) -> Any:
        """Return the loss of the words' tags; a CRF scores whole sequences."""
        import torch

        from nlpkit.heads.crf import partial_loss

        valid = map(torch.from_numpy, tags.constraints(tags.count(self.types)))
        return partial_loss(outputs[LOGITS], outputs.get(MOVES), targets, smoothing, *valid)

    def learn(self, head: Any) -> None:
        """Take over what decoding needs of a trained head: the scores of moves."""
        if self.config.crf:
            self.moves_CC = head.moves.detach().cpu().double().numpy().round(PLACES)

    def answer(
        self, model: Model, documents: Sequence[Any], windows: Windows
    ) -> list[Entities | None]:
        """Return the entities of each document; None for one without tokens."""
        return onepass.answers(self, model, documents, windows)

    def combine(self, outputs: onepass.Outputs, spans: Sequence[onepass.Span]) -> np.ndarray:
        """Join windows; the later one wins where it has more context."""
        return onepass.joined(outputs, spans)

    def decode(
        self, documents: Sequence[Any], outputs: onepass.Outputs, offsets: Any
    ) -> list[Entities]:
        """Return each document's entities, with the probability of each."""
        texts = list(map(whole_text, documents))
        lattice, words = self._lattice(texts, outputs, offsets)
        rows = zip(texts, words, lattice.runs, lattice.probabilities(self.temperature), strict=True)
        return [self.answers(tuple(self._spans(*row))) for row in rows]

    def _lattice(
        self, texts: Sequence[str], outputs: onepass.Outputs, offsets: Any
    ) -> tuple[Lattice, list[list[tuple[int, int]]]]:
        """Return the decoded words of the texts, and [start, end) of each word."""
        firsts = [first_tokens(text, each) for text, each in zip(texts, offsets, strict=True)]
        scores = [logits[first] for logits, first in zip(outputs, firsts, strict=True)]
        words = [word_spans(each, first) for each, first in zip(offsets, firsts, strict=True)]
        outside = [[] for _ in texts] if self.links else list(map(unnameable, texts, words))
        return Lattice(scores, self.moves_CC, outside), words

    def _spans(
        self,
        text: str,
        words: Sequence[tuple[int, int]],
        runs: Sequence[tags.Run],
        probabilities: Iterable[float],
    ) -> Iterator[Span]:
        for run, score in zip(runs, probabilities, strict=False):
            kind = self.types[run.kind]
            if kind in self.shown:
                start, end = words[run.first][0], words[run.last][1]
                yield Span(start, end, kind, text[start:end], score)

    def fit_temperature(
        self, golds: Sequence[Annotated], outputs: onepass.Outputs, offsets: Any, weights: Any
    ) -> float:
        """Return the temperature at which scores tell best which entities are right."""
        lattice, words = self._lattice([gold.document for gold in golds], outputs, offsets)
        right = []
        for gold, bounds, runs in zip(golds, words, lattice.runs, strict=True):
            spans, true = self._spans(gold.document, bounds, runs, repeat(0.0)), gold.keys()
            right.append([s[:3] in true if gold.judges(s.label) else None for s in spans])
        return calibrated(lattice, right, weights)

    def only(self, types: Sequence[str]) -> Task:
        """Return a copy of the task that finds these types only."""
        return self._with(shown=tuple(types))

    def at_temperature(self, temperature: float) -> Task:
        """Return a copy of the task with another temperature."""
        return self._with(temperature=temperature)

    def _with(self, **values: Any) -> Task:
        other = copy(self)
        vars(other).update(values)
        return other

    def describe(self) -> dict[str, Any]:
        """Return the values from which the task is rebuilt without its data."""
        moves = self.moves_CC.tolist() if self.config.crf else None
        return {
            "config": asdict(self.config) | {"types": list(self.config.types)},
            "types": list(self.types),
            "moves": moves,
            "temperature": self.temperature,
            "links": self.links,
        }
