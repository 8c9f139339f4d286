"""Replace words by their dictionary forms, chosen in context."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace as replace_fields
from itertools import accumulate
from typing import Any, Literal

from nlpkit.errors import ModelError, UsageError
from nlpkit.language.contractions import split as split_contraction
from nlpkit.language.detect import Lang, languages
from nlpkit.language.mask import TAGS
from nlpkit.language.verbs import is_verb
from nlpkit.language.words import Words, each_in_its_language
from nlpkit.settings.declaration import setting
from nlpkit.steps import Load, Step, Tokens, no_models

TAKES, GIVES = "tokens", "tokens"
IDEMPOTENT = False
OUTSIDE = ("model",)
EXAMPLES = (
    ("", "Os produtos chegaram quebrados", "o produto chegar quebrado"),
    ("--pos", "As casas são azuis", "o/DET casa/NOUN ser/AUX azul/ADJ"),
    ("--lang en", "These phones were cheaper", "this phone be cheap"),
    ("--engine lookup", "As casas são azuis", "o casa ser azul"),
)
BUNDLES = {"pt": "tagger-pt", "en": "tagger-en"}
_CODE = re.compile(r"[^-]*[^\W_]-[A-Z\d]+\]?")  # the bracket is an alias's: [PESSOA-KDTRMB]
LAYERS = ("lemmas", "upos")  # answers of a tagger for each word

Tagged = tuple[list[str], list[str]]  # lemmas and tags of a document, one of each for a token
Tagger = Callable[[Sequence[list[str]]], list[Tagged]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The language, the engine and its model, and the form of the output."""

    lang: Lang = setting("pt", "language of the texts; auto detects it for each")
    engine: Literal["neural", "lookup", "spacy"] = setting(
        "neural", "nlpkit's tagger, simplemma's table (no context), or a spaCy pipeline (--model)"
    )
    model: str | None = setting(None, "a tagger's bundle, or a pipeline's name for --engine spacy")
    convention: Literal["nlpkit", "treebank"] = setting(
        "nlpkit",
        "lemmas of diminutives, feminines and superlatives: the base form, or as the tagger's "
        "treebank has them",
    )
    pos: bool = setting(False, "add the UPOS tag: casa/NOUN")
    pretokenized: bool = setting(False, "split at spaces only, for text that is tokenized already")


def prepare(options: Options) -> None:
    """Import spaCy in full for a trained pipeline, before a tokenizer imports it without torch."""
    if options.engine == "spacy":
        import spacy  # noqa: F401


def build(options: Options, load: Load = no_models) -> Step:
    """Return the step.

    Raises:
        UsageError: the options contradict each other.
        ModelError: the engine's model is missing, or is not a tagger.
    """
    if options.engine == "lookup" and options.pos:
        raise UsageError("--pos: --engine lookup gives no tags; use --engine neural or spacy")
    if options.engine == "lookup" and options.model:
        raise UsageError("--model: --engine lookup uses no model; leave out --model or --engine")
    if options.convention == "treebank" and options.engine != "neural":
        raise UsageError(f"--convention treebank needs --engine neural, not {options.engine}")
    if options.engine == "spacy" and not options.model:
        raise UsageError("--engine spacy needs --model, such as pt_core_news_lg")
    words = Words(options.lang, pretokenized=options.pretokenized)
    engine = ENGINES[options.engine]
    taggers = {lang: engine(lang, options, load) for lang in languages(options.lang)}

    def lemmatize(texts: Sequence[str]) -> Sequence[Tokens]:
        split = words(texts)
        langs, documents = [lang for lang, _ in split], [tokens for _, tokens in split]
        tagged = each_in_its_language(langs, documents, taggers.__getitem__)
        return [_result(lemmas, upos, options.pos) for _, (lemmas, upos) in tagged]

    return lemmatize


def _result(lemmas: Sequence[str], upos: Sequence[str], pos: bool) -> Tokens:
    # Models and tables may give a lemma with spaces; it must be one token.
    tokens = ["_".join(lemma.split()) or "_" for lemma in lemmas]
    if not pos:
        return Tokens(tokens)
    items = [f"{lemma}/{tag}" for lemma, tag in zip(tokens, upos, strict=True)]
    return Tokens(items, {"lemmas": tokens, "upos": list(upos)})


def _neural(lang: str, options: Options, load: Load) -> Tagger:
    tagger: Any = load(options.model or BUNDLES[lang], device="cpu")
    if getattr(tagger.task.answers, "LAYERS", ()) != LAYERS:
        raise ModelError(f"--model {options.model}: not a tagger; 'nlpkit models' lists the models")
    if options.convention == "treebank":
        tagger = replace_fields(tagger, task=tagger.task.as_annotated())

    def tag(documents: Sequence[list[str]]) -> list[Tagged]:
        parts = [[_words_of(token, lang) for token in tokens] for tokens in documents]
        answers = tagger.predict([[word for part in doc for word in part] for doc in parts])
        tagged = [
            _of_tokens(answer.layers, doc) if answer else ([], [])
            for answer, doc in zip(answers, parts, strict=True)
        ]
        return [
            (list(map(_own_lemma, tokens, lemmas, pieces)), upos)
            for tokens, (lemmas, upos), pieces in zip(documents, tagged, parts, strict=True)
        ]

    return tag


def _own_lemma(token: str, lemma: str, parts: Sequence[str]) -> str:
    """Return the lemma of a token; a code (hepatite-A, ARACAJU-SE) or a tag ([CPF]) is its own."""
    is_code = "-" in token and bool(_CODE.fullmatch(token))
    if is_code and len(parts) > 1:  # FIZERAM-NO
        is_code = not is_verb(parts[0].lower())
    return token if is_code or token in TAGS else lemma


def _words_of(token: str, lang: str) -> tuple[str, ...]:
    """Split a verb from its pronoun ("disse-lhe"): the tagger knows the verb alone better."""
    return split_contraction(token) if lang == "pt" and "-" in token else (token,)


def _of_tokens(layers: Sequence[Sequence[str]], parts: Sequence[Sequence[str]]) -> Tagged:
    """Return the lemma and the tag of the first word of each token."""
    lemmas, upos = layers
    starts = list(accumulate(map(len, parts), initial=0))[:-1]
    return [lemmas[start] for start in starts], [upos[start] for start in starts]


def _lookup(lang: str, options: Options, load: Load) -> Tagger:
    from simplemma import lemmatize

    def lemma(word: str) -> str:
        try:
            return lemmatize(word, lang=lang)
        except UnicodeEncodeError:  # a lone surrogate, as in a cut JSON string
            return word

    return lambda documents: [([lemma(word) for word in words], []) for words in documents]


def _trained(lang: str, options: Options, load: Load) -> Tagger:
    import spacy
    from spacy.tokens import Doc

    model = options.model
    assert model is not None  # build has checked
    try:
        nlp = spacy.load(model)
    except OSError:
        raise ModelError(
            f"--model {model}: spaCy has no such pipeline installed; "
            f"run python -m spacy download {model}"
        ) from None

    def tag(documents: Sequence[list[str]]) -> list[Tagged]:
        docs = nlp.pipe(Doc(nlp.vocab, words=words) for words in documents)
        return [([t.lemma_ or t.text for t in doc], [t.pos_ or "X" for t in doc]) for doc in docs]

    return tag


ENGINES: dict[str, Callable[[str, Options, Load], Tagger]] = {
    "neural": _neural,
    "lookup": _lookup,
    "spacy": _trained,
}
