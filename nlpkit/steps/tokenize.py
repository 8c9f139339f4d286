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
    lang: Lang = setting("pt", "whose rules: pt, en, or auto to tell for each text")
    contractions: Literal["keep", "split"] = setting(
        "keep",
        "split takes Portuguese ones apart: do -> de o, disse-lhe -> disse lhe, fi-lo -> fiz o",
    )
    sentences: bool = setting(False, "sentences instead of words, separated by a tab")
    subword: str | None = setting(None, "pieces of this model's tokenizer instead of words")


def gives(options: Options) -> str:
    """Return what is made: sentences end a chain, for lines and JSONL join them differently."""
    return "sentences" if options.sentences else GIVES


def build(options: Options, load: Load = no_models) -> Step:
    """Return the step. Raises UsageError, and ModelError for a model that is not there."""
    chosen = [options.sentences, options.subword is not None, options.contractions == "split"]
    if sum(chosen) > 1:
        raise UsageError("choose one of --sentences, --subword and --contractions split")
    if options.subword is not None:
        return _subwords(options.subword, load)
    if options.sentences:
        return _by_rules(options.lang, _sentences)
    return _by_rules(options.lang, _uncontracted if options.contractions == "split" else _words)


def _by_rules(lang: Lang, made: Callable[[str, str, list[Span]], Tokens]) -> Step:
    """Make tokens of each text, its language and its spans."""
    tell = language_of(lang)

    def step(texts: Sequence[str]) -> list[Tokens]:
        langs = [tell(text) for text in texts]
        found = each_in_its_language(langs, texts, lambda lang: splitter(lang).spans_all)
        return [made(text, *pair) for text, pair in zip(texts, found, strict=True)]

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
    made = [(" ".join(text[start:end].split()), start, end) for start, end in bounds]
    return _tokens(made, separator="\t")


def _subwords(model: str, load: Load) -> Step:
    from nlpkit.text.subwords import Subwords

    tokenizer = load(model, device="cpu").tokenizer
    if tokenizer.kind not in catalog.names("tokenizers"):
        raise ModelError(f"{model}: has rules where this needs the files of a network")
    if not isinstance(tokenizer, Subwords):
        raise UsageError(f"--subword {model}: it has no subwords (its tokenizer reads words)")
    library = tokenizer.tokenizer  # its offsets are of pieces with the space before a word

    def pieces(texts: Sequence[str]) -> list[Tokens]:
        valid = [whole(text) for text in texts]
        return [
            Tokens(made.tokens, {"offsets": [list(pair) for pair in made.offsets]})
            for made in library.encode_batch(valid, add_special_tokens=False)
        ]

    return pieces
