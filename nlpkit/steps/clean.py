"""Clean text: markup, links, emoji, repeats, personal data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace as replace_fields
from typing import Any, Literal

from nlpkit.errors import UsageError
from nlpkit.language import clean_words as words, markup
from nlpkit.language.clean_presets import PRESETS
from nlpkit.language.detect import Lang, language_of, languages
from nlpkit.language.patterns import (
    EMAIL,
    EMOJI,
    EMOTICON,
    HASHTAGS,
    NUMBER,
    TAG,
    URL,
    USERS,
    Operation,
    outside,
    replace,
)
from nlpkit.settings.declaration import setting
from nlpkit.steps import Load, Step, no_models
from nlpkit.text.unicode import visible

TAKES = GIVES = "text"
IDEMPOTENT = True
READS_INVISIBLE = True
OUTSIDE = ("entities", "model", "pseudonyms", "restore")
EXAMPLES = (
    ("", "  caf&eacute; <b>quente</b><br>e   bolo", "café quente e bolo"),
    (
        "--for social",
        "@ana muuuuito bom!!! kkkkkk 😍 #BomDia https://t.co/x1",
        "usuario muito bom! kkk 😍 Bom Dia url",
    ),
    ("--for reviews", "Ótimoooo!!! Veja em www.loja.com/p/1", "Ótimo! Veja em"),
    ("--for news", "Fonte: G1 (https://g1.com/x).", "Fonte: G1."),
    (
        "--for bow",
        "Comprei 2 guarda-chuvas por R$ 59,90... ADOREI 😍",
        "comprei guarda-chuvas por adorei",
    ),
    (
        "--mask",
        "CPF 123.456.789-09, ligue (11) 98765-4321",
        "CPF [CPF], ligue [TELEFONE]",
    ),
    ("--emoji words", "Chegou 😍", "Chegou rosto sorridente com olhos de coração"),
    ("--accents strip --lower", "São João", "sao joao"),
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `clean`. The preset sets the options that are None."""

    preset: Literal["default", "social", "reviews", "news", "bow", "none"] = setting(
        "default", "preset for a kind of text or a purpose; 'default' keeps every word", flag="for"
    )
    lang: Lang = setting("pt", "language of emoji names, placeholders and stretched words")
    mask: bool = setting(False, "hide CPF, CNPJ, phone, e-mail and CEP behind tags such as [CPF]")
    entities: tuple[str, ...] = setting(
        (), "with --mask: types of names to hide too; PER,LOC puts [PESSOA] and [LOCAL]"
    )
    model: str | None = setting(None, "bundle that finds the names of --entities (entities-pt)")
    pseudonyms: str | None = setting(
        None, "key file: a name becomes an alias of its own, such as [PESSOA-KDTRMB], not a tag"
    )
    restore: str | None = setting(
        None, "key file of --pseudonyms: put the names back in the place of their aliases"
    )
    html: bool | None = setting(None, "resolve entities (&amp;) and take out tags")
    nfc: bool | None = setting(None, "compose accents (NFC) and drop invisible characters")
    urls: Literal["keep", "drop", "token"] | None = setting(
        None, "addresses on the web; token is 'url'"
    )
    emails: Literal["keep", "drop", "token"] | None = setting(
        None, "e-mail addresses; token is 'email'"
    )
    users: Literal["keep", "drop", "token"] | None = setting(
        None, "@names; token is 'usuario' ('user')"
    )
    hashtags: Literal["keep", "drop", "token", "words"] | None = setting(
        None, "#tags; token is 'hashtag', words makes #BomDia Bom Dia"
    )
    numbers: Literal["keep", "drop", "token"] | None = setting(
        None, "numbers, prices, dates and times; token is 'numero' ('number')"
    )
    emoji: Literal["keep", "drop", "words"] | None = setting(
        None, "emoji; words writes their names, drop also removes emoticons such as :)"
    )
    repeats: bool | None = setting(
        None, "squeeze muuuito, kkkkkk, !!!! and runs of one emoji to a single form"
    )
    punctuation: Literal["keep", "drop"] | None = setting(
        None, "marks and symbols, except inside words, numbers and anything kept by another option"
    )
    lower: bool | None = setting(None, "lower case")
    accents: Literal["keep", "strip"] | None = setting(None, "accents and cedillas of letters")
    whitespace: bool | None = setting(None, "one space for any white space, none at the ends")


_WORDS = {"urls": ("url", "url"), "emails": ("email", "email"), "users": ("usuario", "user")}
_WORDS |= {"hashtags": ("hashtag", "hashtag"), "numbers": ("numero", "number")}
# In this order, because each may contain the next.
_ADDRESSES = {"urls": URL, "emails": EMAIL, "users": USERS, "hashtags": HASHTAGS}
_PASSES = 12
MODEL = "entities-pt"
# What names are recognised by: these operations follow a model.
_READABLE = {"numbers": "keep", "punctuation": "keep", "lower": False, "accents": "keep"}
Texts = Sequence[str]


def resolve(options: Options) -> Options:
    """Return the options with a value for every switch, independent of later presets."""
    return replace_fields(options, preset="none", **_chosen(options))


def _chosen(options: Options) -> dict[str, Any]:
    preset = PRESETS[options.preset]
    given = {key: getattr(options, key) for key in preset}
    return preset | {key: value for key, value in given.items() if value is not None}


def build(options: Options, load: Load = no_models) -> Step:
    """Return the step.

    Raises:
        UsageError: the options contradict each other, or a key file cannot be used.
        InputError: a key file is not one.
        ModelError: the model is missing, or finds no entities.
    """
    _check(options)
    chosen, tell = _chosen(options), language_of(options.lang)
    cleaned = _cleaning(chosen, options)
    if (names := _names(options, load)) is None:
        return lambda texts: cleaned(texts, map(tell, texts))
    readable = _cleaning(chosen | _READABLE, options)

    def clean(texts: Texts) -> Texts:
        langs = [tell(text) for text in texts]
        return cleaned(names(readable(texts, langs)), langs)

    return clean


def _check(options: Options) -> None:
    if options.entities and not options.mask:
        raise UsageError("--entities says which names --mask hides; add --mask")
    if not options.entities and (options.model or options.pseudonyms):
        flag = "--model" if options.model else "--pseudonyms"
        raise UsageError(f"{flag} is for names; add --mask --entities PER,LOC, or leave it out")
    if options.restore is not None and options.mask:
        raise UsageError("--restore puts names back and --mask hides them; leave one out")


def _names(options: Options, load: Load) -> Callable[[Texts], Texts] | None:
    """Return a function from texts to texts that hides names or puts them back, if asked for."""
    if options.restore is not None:
        from nlpkit.language.pseudonyms import restoring

        return restoring(options.restore)
    if options.entities:
        from nlpkit.language.names import Hiding

        model = load(options.model or MODEL, device="cpu")
        return Hiding(model, options.entities, options.pseudonyms)
    return None


def _cleaning(
    chosen: Mapping[str, Any], options: Options
) -> Callable[[Texts, Iterable[str]], list[str]]:
    """Return a function from texts and their languages to clean texts."""
    tags = TAG
    if options.entities:
        from nlpkit.language import names

        tags = names.tags(options.entities)  # with those of other types than PER, LOC and ORG
    once = {
        lang: _in_turn(list(_operations(chosen, lang, options.mask, tags)))
        for lang in languages(options.lang)
    }
    return lambda texts, langs: [
        _settled(text, once[lang]) for text, lang in zip(texts, langs, strict=True)
    ]


def _in_turn(operations: Sequence[Operation]) -> Operation:
    def once(text: str) -> str:
        for operation in operations:
            text = operation(text)
        return text

    return once


def _settled(text: str, once: Operation) -> str:
    """Clean until nothing changes, so that cleaning the result again changes nothing.

    An operation may create work for an earlier one: `&amp;lt;b&gt;` contains a tag, and İ in lower
    case an accent. Real texts need two or three passes. If a text still changes after _PASSES,
    entities were nested in it on purpose, and all its marks become spaces: letters, digits and
    spaces cannot be nested.
    """
    for attempt in range(2 * _PASSES):
        if attempt == _PASSES:
            text = re.sub(r"[\W_]", " ", text)
        result = once(text)
        if result == text:
            break
        text = result
    return text


def _operations(
    chosen: Mapping[str, Any], lang: str, mask: bool, tags: str = TAG
) -> Iterator[Operation]:
    """Yield the operations in an order in which none destroys the patterns of a later one."""
    yield from _unwrapping(chosen, mask)
    kept = [tags]  # patterns that no later operation changes
    yield from _replacing(chosen, lang, kept)
    yield from _respelling(chosen, lang, kept)


def _unwrapping(chosen: Mapping[str, Any], mask: bool) -> Iterator[Operation]:
    if chosen["html"]:  # first, because entities hide other patterns: &#64; is an @
        yield markup.html()
    if chosen["nfc"]:
        yield markup.without_controls()
    if chosen["nfc"] or mask:  # a zero-width space would cut an address or a number in two
        yield visible
    if mask:  # before marks are dropped, and before links, which may contain a CPF
        from nlpkit.language.mask import masking

        yield masking()


def _replacing(chosen: Mapping[str, Any], lang: str, kept: list[str]) -> Iterator[Operation]:
    for kind, pattern in _ADDRESSES.items():
        way = chosen[kind]
        if way == "keep":
            kept.append(pattern)
        elif way == "words":
            yield outside(kept, words.split_hashtags(), pattern)
        else:
            yield outside(kept, replace(pattern, _placeholder(kind, way, lang)), pattern)


def _respelling(chosen: Mapping[str, Any], lang: str, kept: list[str]) -> Iterator[Operation]:
    if chosen["repeats"]:  # ahead of names, so that 😂😂😂 is named once
        yield outside(kept, words.repeats(lang))
    if chosen["emoji"] != "keep":  # ahead of numbers and marks: 1️⃣ and :) contain them
        named = chosen["emoji"] == "words"
        yield outside(kept, words.name_emoji(lang) if named else words.drop_emoji())
    if (way := chosen["numbers"]) != "keep":  # ahead of marks: 3,50 is one number
        yield outside(kept, replace(NUMBER, _placeholder("numbers", way, lang)), NUMBER)
    if chosen["punctuation"] == "drop":
        faces = [EMOJI, EMOTICON] if chosen["emoji"] == "keep" else []
        yield outside(kept + faces, words.punctuation())
    if chosen["lower"]:
        yield outside(kept[:1], str.lower)  # tags
    if chosen["accents"] == "strip":  # after lower, which gives İ an accent
        yield words.accents()
    if chosen["whitespace"]:  # last, for the others leave spaces
        yield lambda text: " ".join(text.split())


def _placeholder(kind: str, way: str, lang: str) -> str:
    return _WORDS[kind][lang == "en"] if way == "token" else ""
