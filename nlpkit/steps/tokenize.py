"""Split text into words, sentences or a model's subwords."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nlpkit import catalog
from nlpkit.errors import ModelError, UsageError
from nlpkit.language.contractions import split as split_contraction
from nlpkit.language.detect import Lang, language_of
from nlpkit.language.sentences import sentences
from nlpkit.language.words import Span, each_in_its_language, splitter
from nlpkit.settings.declaration import setting
from nlpkit.steps import Load, Step, Tokens, no_models
from nlpkit.text.unicode import whole

TAKES, GIVES = "text", "tokens"
IDEMPOTENT = True
OUTSIDE = ("subword",)
EXAMPLES = (
    ("", "Não gostei (veio quebrado)...", "Não gostei ( veio quebrado ) ..."),
    ("--contractions split", "Disse-lhe do atraso.", "Disse lhe de o atraso ."),
    ("--lang en", "I don't like it!", "I do n't like it !"),
    ("--sentences", "Veio quebrado. Quero trocar!", "Veio quebrado.\tQuero trocar!"),
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The language, and the unit: words, parts of contractions, sentences or subwords."""

    lang: Lang = setting("pt", "language of the texts; auto detects it for each")
    contractions: Literal["keep", "split"] = setting(
        "keep",
        "split Portuguese ones: do -> de o, disse-lhe -> disse lhe, fi-lo -> fiz o",
    )
    sentences: bool = setting(False, "split into sentences, separated by a tab")
    subword: str | None = setting(None, "split into the subwords of this model's tokenizer")


def gives(options: Options) -> str:
    """Return "sentences" or "tokens".

    Sentences can only end a chain, because lines and JSONL join them differently.
    """
    return "sentences" if options.sentences else GIVES


def build(options: Options, load: Load = no_models) -> Step:
    """Return the step.

    Raises:
        UsageError: options exclude each other, or the model has no subwords.
        ModelError: the model is missing, or has no network.
    """
    chosen = [options.sentences, options.subword is not None, options.contractions == "split"]
    if sum(chosen) > 1:
        raise UsageError("choose one of --sentences, --subword and --contractions split")
    if options.subword is not None:
        return _subwords(options.subword, load)
    if options.sentences:
        return _by_rules(options.lang, _sentences)
    return _by_rules(options.lang, _uncontracted if options.contractions == "split" else _words)


def _by_rules(lang: Lang, tokens_of: Callable[[str, str, list[Span]], Tokens]) -> Step:
    """Return a step that calls `tokens_of` with each text, its language and its words."""
    detect = language_of(lang)

    def step(texts: Sequence[str]) -> list[Tokens]:
        langs = [detect(text) for text in texts]
        spans = each_in_its_language(langs, texts, lambda lang: splitter(lang).spans_all)
        return [tokens_of(text, *pair) for text, pair in zip(texts, spans, strict=True)]

    return step


def _words(text: str, lang: str, spans: list[Span]) -> Tokens:
    return _tokens(spans)


def _uncontracted(text: str, lang: str, spans: list[Span]) -> Tokens:
    """Return the words of contractions, each with the offsets of the contraction."""
    if lang != "pt":
        return _tokens(spans)
    tokens = ["", *(token for token, *_ in spans), ""]
    return _tokens(
        [
            (word, start, end)
            for (token, start, end), before, after in zip(spans, tokens, tokens[2:], strict=False)
            for word in split_contraction(token, before, after)
        ]
    )


def _tokens(spans: Sequence[Span], separator: str = " ") -> Tokens:
    offsets = [[start, end] for _, start, end in spans]
    return Tokens([token for token, *_ in spans], {"offsets": offsets}, separator)


def _sentences(text: str, lang: str, spans: list[Span]) -> Tokens:
    bounds = [(spans[first][1], spans[last - 1][2]) for first, last in sentences(spans)]
    spans = [(" ".join(text[start:end].split()), start, end) for start, end in bounds]
    return _tokens(spans, separator="\t")


def _subwords(model: str, load: Load) -> Step:
    from nlpkit.text.subwords import Subwords

    tokenizer = load(model, device="cpu").tokenizer
    if tokenizer.kind not in catalog.names("tokenizers"):
        raise ModelError(f"--subword {model}: the model has no network; name one that has")
    if not isinstance(tokenizer, Subwords):
        raise UsageError(f"--subword {model}: its tokenizer reads words; name a model of subwords")
    library = tokenizer.tokenizer  # its offsets include the space before a word

    def pieces(texts: Sequence[str]) -> list[Tokens]:
        valid = [whole(text) for text in texts]
        return [
            Tokens(encoding.tokens, {"offsets": [list(pair) for pair in encoding.offsets]})
            for encoding in library.encode_batch(valid, add_special_tokens=False)
        ]

    return pieces
