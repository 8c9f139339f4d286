"""Drop stop words, but keep those that carry sentiment: não, bom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unicodedata import combining, normalize

from nlpkit.errors import InputError, quoted
from nlpkit.language.detect import Lang, languages
from nlpkit.language.spacy_rules import stop_words
from nlpkit.language.words import Words
from nlpkit.settings.declaration import setting
from nlpkit.steps import Load, Step, Tokens, no_models
from nlpkit.text.unicode import visible

TAKES, GIVES = "tokens", "tokens"
IDEMPOTENT = True
OUTSIDE = ("list",)
EXAMPLES = (
    ("", "O serviço não é muito bom para nós", "serviço não bom"),
    ("--keep negation", "O serviço não é muito bom para nós", "serviço não"),
    ("--keep opinion", "O serviço não é muito bom para nós", "serviço não muito bom"),
    ("--keep none", "O serviço não é bom para nós", "serviço"),
    ("--add serviço", "O serviço não é bom para nós", "não bom"),
    ("--lang en", "This is not a good day", "not good day"),
)

NEGATION = {
    "pt": "não nao nem nunca jamais sem nada nenhum nenhuma nenhuns nenhumas ninguém tampouco",
    "en": "no not nor never none nobody nothing nowhere neither without cannot n't n’t n‘t nt",
}
# Stop words of spaCy's lists that praise or blame. It has bom, but neither ruim nor ótimo: without
# bom only the complaints of a text would be left.
VALUE = {"pt": "bom boa bem mal melhor pior", "en": "well"}
# Stop words of spaCy's lists that strengthen, weaken or limit an opinion.
DEGREE = {
    "pt": "mais menos muito muita muitos muitas pouco pouca demais bastante tão só apenas mas "
    "embora contudo porém talvez grande grandes obrigado obrigada",
    "en": "very too more most less least only but although however quite rather really almost",
}
KEPT = {
    "sentiment": (NEGATION, VALUE),
    "negation": (NEGATION,),
    "opinion": (NEGATION, VALUE, DEGREE),
    "none": (),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The language and the changes to its list of stop words."""

    lang: Lang = setting("pt", "language of the texts; auto detects it for each")
    keep: Literal["sentiment", "negation", "opinion", "none"] = setting(
        "sentiment",
        "stop words to keep: negation keeps não, nunca; sentiment also bom, mal; opinion also "
        "muito, mais, mas",
    )
    add: tuple[str, ...] = setting((), "add a stop word")
    remove: tuple[str, ...] = setting((), "take a word off the list")
    list: str | None = setting(
        None, "a file with one stop word a line, instead of spaCy's list; --keep still applies"
    )
    pretokenized: bool = setting(False, "split at spaces only, for text that is tokenized already")


def build(options: Options, load: Load = no_models) -> Step:
    """Return the step. Raises InputError when the list cannot be read."""
    lists = {lang: _with_clitics(words_of(options, lang)) for lang in languages(options.lang)}
    words = Words(options.lang, pretokenized=options.pretokenized)

    def drop(texts: Sequence[str]) -> Sequence[Tokens]:
        return [
            Tokens([token for token in tokens if token.lower() not in lists[lang]])
            for lang, tokens in words(texts)
        ]

    return drop


def show(options: Options) -> Sequence[str]:
    """Return the sorted stop words of these options, for --show."""
    return sorted(frozenset().union(*(words_of(options, x) for x in languages(options.lang))))


def words_of(options: Options, lang: str) -> frozenset[str]:
    """Return the stop words of a language in lower case. Raises InputError for a bad list."""
    words = _with_bare(stop_words(lang)) if options.list is None else _read(options.list)
    for kept in KEPT[options.keep]:
        words -= frozenset(kept[lang].split())
    words |= frozenset(map(_compared, options.add))
    return words - frozenset(map(_compared, options.remove))


def _compared(word: str) -> str:
    return visible(word).lower()


def _with_clitics(words: frozenset[str]) -> frozenset[str]:
    """Add the words behind a hyphen, as `--contractions split` writes "-nos"."""
    return words | {f"-{word}" for word in words}


def _with_bare(words: frozenset[str]) -> frozenset[str]:
    """Add the words without accents, as in informal text: "voce", "tambem"."""
    return words | {
        "".join(c for c in normalize("NFD", word) if not combining(c)) for word in words
    }


def _read(path: str) -> frozenset[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as problem:
        raise InputError(f"--list {quoted(path)}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"--list {quoted(path)}: not valid utf-8; convert it first") from None
    return frozenset(_compared(line.strip()) for line in lines if line.strip())
