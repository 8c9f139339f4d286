"""Components for spaCy pipelines: `nlp.add_pipe("nlpkit_entities")` and `"nlpkit_sentiment"`.

All settings of a component are in the pipeline's config, which `nlp.to_disk` writes and
`spacy.load` reads. The model itself is not saved: it is loaded by its name or path.

spaCy imports this module, by the entry points of the package, whenever it makes a pipeline of any
kind. So it imports nothing but spaCy at the top, and attributes are declared by a component that
sets them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span
from spacy.util import filter_spans, minibatch

from nlpkit.errors import ModelError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from spacy.training import Example

    from nlpkit.runtime.model import Model

DEFAULTS = {"pt": "entities-pt", "en": "entities-en"}  # models of entities by language
CHOOSING = {"types": [], "min_confidence": 0.0, "overwrite_ents": False}
LOADING = {"device": "auto", "precision": "auto", "threads": 0}  # options of `nlpkit.load`

# Models of a parent process. Their threads do not exist in this process, and to delete a model is
# to wait for its threads.
_inherited: list[Model] = []


@dataclass(frozen=True)
class Settings:
    """The settings of a component; `device`, `precision` and `threads` are those of `load`."""

    model: str
    min_confidence: float = 0.0
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    types: tuple[str, ...] = ()
    overwrite_ents: bool = False


class Component(Pipe):
    """A component that sends batches of texts to a model of nlpkit.

    `OWNER` is the class that it gives attributes, `ATTRIBUTES` their names and defaults.
    """

    OWNER: ClassVar[type[Doc] | type[Span]]
    ATTRIBUTES: ClassVar[Mapping[str, Any]]

    def __init__(self, name: str, settings: Settings) -> None:
        """Load the model.

        Raises:
            ModelError: the model does not exist, or its answers are of another kind.
            UsageError: a setting is wrong.
            DeviceError: the device does not work on this machine.
        """
        if not 0 <= settings.min_confidence <= 1:
            raise UsageError(
                f"{name}: min_confidence is {settings.min_confidence}; give a number from 0 to 1"
            )
        self.name, self.settings = name, settings
        self._model, self._process = self._load(), os.getpid()
        for attribute, default in self.ATTRIBUTES.items():
            if not self.OWNER.has_extension(attribute):
                self.OWNER.set_extension(attribute, default=default)

    def __reduce__(self) -> tuple[type[Self], tuple[str, Settings]]:
        """Pickle the settings: another process loads the model again."""
        return type(self), (self.name, self.settings)

    def _load(self) -> Model:
        from nlpkit import zoo

        chosen = self.settings
        return self.checked(
            zoo.load(
                chosen.model,
                device=chosen.device,
                precision=chosen.precision,
                threads=chosen.threads,
            )
        )

    @property
    def model(self) -> Model:
        """The model; a forked process, which has none of its threads, loads it again."""
        if self._process != os.getpid():
            _inherited.append(self._model)
            self._model, self._process = self._load(), os.getpid()
        return self._model

    def checked(self, model: Model) -> Model:
        """Return the model to ask. Raises as the constructor."""
        raise NotImplementedError

    def annotate(self, doc: Doc, answer: Any) -> None:
        """Write the model's answer, None for an empty text, to a document."""
        raise NotImplementedError

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a document and return it."""
        self._answer([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream of documents, a whole batch at a time."""
        handle_error = self.get_error_handler()
        for docs in minibatch(stream, batch_size):
            try:
                self._answer(docs)
            except Exception as problem:  # the handler of the pipeline decides what to do
                handle_error(self.name, self, docs, problem)
            else:
                yield from docs

    def _answer(self, docs: Sequence[Doc]) -> None:
        least = self.settings.min_confidence
        answers = self.model.predict([doc.text for doc in docs])
        for doc, answer in zip(docs, answers, strict=True):
            self.annotate(doc, answer.at_least(least) if answer and least else answer)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return nothing: the settings are in the pipeline's config."""
        return b""

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Read nothing, as `to_bytes`."""
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write nothing, as `to_bytes`."""

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Read nothing, as `to_bytes`."""
        return self


class EntitiesComponent(Component):
    """Sets `doc.ents`, and the score of each entity as `span._.nlpkit_score`."""

    OWNER, ATTRIBUTES = Span, MappingProxyType({"nlpkit_score": None})

    def checked(self, model: Model) -> Model:
        """Return a model that finds the types of the settings only."""
        from nlpkit.jobs.entities import only

        return only(model, self.settings.types, option=f"{self.name}: types")

    @property
    def labels(self) -> tuple[str, ...]:
        """The types that the component finds."""
        return tuple(self.model.task.shown)

    def annotate(self, doc: Doc, answer: Any) -> None:
        """Add entities, which grow to whole tokens; the longer of two that then overlap stays.

        Where an entity of an earlier component overlaps, the earlier one stays, or with
        `overwrite_ents` the new one.
        """
        scores: dict[Span, float | None] = {}
        for each in answer.spans if answer else ():
            span = doc.char_span(each.start, each.end, each.label, alignment_mode="expand")
            if span:
                scores.setdefault(span, each.score)
        earlier, found = list(doc.ents), filter_spans(scores)
        if self.settings.overwrite_ents:
            earlier = _apart(earlier, found)
        else:
            found = _apart(found, earlier)
        doc.ents = [*earlier, *found]
        for span in found:
            score = scores[span]
            span._.nlpkit_score = None if score is None else float(score)

    def score(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]:
        """Return precision, recall and F1 of the entities, for `nlp.evaluate`."""
        from spacy.scorer import get_ner_prf

        return get_ner_prf(examples, **settings)


def _apart(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return the spans that overlap none of the others."""
    taken = {token.i for span in others for token in span}
    return [span for span in spans if taken.isdisjoint(range(span.start, span.end))]


class SentimentComponent(Component):
    """Sets `doc._.sentiment`, the label, and `doc._.sentiment_scores`, a probability by label."""

    OWNER, ATTRIBUTES = Doc, MappingProxyType({"sentiment": None, "sentiment_scores": {}})

    def checked(self, model: Model) -> Model:
        """Return the model. Raises ModelError if its answers are no labels."""
        from nlpkit.answers import Label

        if not issubclass(model.task.answers, Label):
            raise ModelError(
                f"{model.name}: gives no labels; 'nlpkit models' lists the models and their tasks"
            )
        return model

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the model."""
        return tuple(self.model.task.labels)

    def annotate(self, doc: Doc, answer: Any) -> None:
        """Set the label and the scores; None and no scores for an empty text."""
        doc._.sentiment = answer.label if answer else None
        scores = answer.scores if answer else {}
        doc._.sentiment_scores = {label: float(score) for label, score in scores.items()}


@Language.factory(
    "nlpkit_entities",
    default_config={"model": None, **CHOOSING, **LOADING},
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "span._.nlpkit_score"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0},
)
def entities(
    nlp: Language,
    name: str,
    model: str | None,
    types: list[str],
    min_confidence: float,
    overwrite_ents: bool,
    device: str,
    precision: str,
    threads: int,
) -> EntitiesComponent:
    """Return a component that finds named entities.

    Args:
        nlp: the pipeline; its language chooses the default model.
        name: the component's name in the pipeline.
        model: the name or path of a bundle; None: that of the language.
        types: the types to find; an empty list: all.
        min_confidence: least score of an entity.
        overwrite_ents: replace entities of earlier components where they overlap.
        device: auto, cpu, cuda or cuda:N.
        precision: auto, or one of the bundle's.
        threads: the number of CPU threads; 0: every core.

    Raises:
        UsageError: the language has no default model, or a setting is wrong.
        ModelError: the model does not exist, or finds no entities.
        DeviceError: the device does not work on this machine.
    """
    bundle = model or DEFAULTS.get(nlp.lang or "")
    if bundle is None:
        listed = " or ".join(DEFAULTS.values())
        raise UsageError(
            f"{name}: no default model for the language {nlp.lang!r}; name one in the config, "
            f'{{"model": NAME}}, such as {listed}'
        )
    settings = Settings(
        bundle, min_confidence, device, precision, threads, tuple(types), overwrite_ents
    )
    return EntitiesComponent(name, settings)


@Language.factory(
    "nlpkit_sentiment",
    default_config={"model": "sentiment", "min_confidence": 0.0, **LOADING},
    assigns=["doc._.sentiment", "doc._.sentiment_scores"],
)
def sentiment(
    nlp: Language,
    name: str,
    model: str,
    min_confidence: float,
    device: str,
    precision: str,
    threads: int,
) -> SentimentComponent:
    """Return a component that labels documents; any model that gives labels fits.

    A label whose score is below `min_confidence` becomes "uncertain". The other arguments, and the
    errors, are those of `entities`.
    """
    return SentimentComponent(name, Settings(model, min_confidence, device, precision, threads))
