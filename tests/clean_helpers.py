"""Helpers for the tests of the step `clean`: a model that finds given names, odd texts, options."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from nlpkit.answers import Span
from nlpkit.answers.entities import Entities
from nlpkit.steps import clean

TYPES = ("PER", "LOC", "ORG", "LAW")
Found = list[tuple[int, int, str]]


def cleaned(text: str, preset: str = "none", **options: Any) -> str:
    (result,) = clean.build(clean.Options(preset=preset, **options))([text])  # type: ignore[arg-type]
    return str(result)


class Finder:
    """A model of entities that finds what a function from a text to (start, end, type) finds."""

    name = "finder"
    task = SimpleNamespace(answers=Entities, types=TYPES)
    tokenizer: Any = None

    def __init__(self, find: Callable[[str], Found]) -> None:
        self.find = find
        self.read: list[str] = []

    def predict(self, documents: Sequence[str]) -> list[Any]:
        self.read += documents
        return [self._answer(text) if text else None for text in documents]

    def embed(self, documents: Sequence[Any]) -> Any:
        raise NotImplementedError

    def _answer(self, text: str) -> Entities:
        return Entities(tuple(Span(a, b, kind, text[a:b], 0.9) for a, b, kind in self.find(text)))

    def __call__(self, name: str, **options: Any) -> Finder:
        """Load the model, as `nlpkit.load` does."""
        self.asked = name
        return self


def named(kinds: Mapping[str, str]) -> Finder:
    """Return a model that finds names of these types wherever they are; longer ones win."""
    longest = sorted(kinds, key=len, reverse=True)
    names = re.compile("|".join(map(re.escape, longest)) if longest else r"(?!)")
    return Finder(lambda text: [(m.start(), m.end(), kinds[m[0]]) for m in names.finditer(text)])


def hidden(texts: Sequence[str], model: Finder, preset: str = "none", **options: Any) -> list[str]:
    """Return the texts as `clean --mask --entities` writes them."""
    given: Any = {"preset": preset, "mask": True, "entities": TYPES} | options
    return list(clean.build(clean.Options(**given), model)(texts))


def choices(hint: Any) -> list[Any]:
    """Return every value of a field of this type."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return [None, *choices(get_args(hint)[0])]
    return [False, True] if hint is bool else []


def values(name: str, hint: Any) -> list[Any]:
    """Return the values of a field to try; fields of names and files keep their default."""
    return choices(hint) if choices(hint) not in ([], [None]) else [getattr(clean.Options, name)]


HINTS = get_type_hints(clean.Options)
OPTIONS = st.builds(
    clean.Options, **{name: st.sampled_from(values(name, hint)) for name, hint in HINTS.items()}
)
NASTY = (
    "&amp;lt;b&gt;|<<b>b>|&#38;#38;|&semi;|&lt|&#x26;|<b|<|>|&|<br>|</|<script>|</script>|<!--|-->"
    "|@@a|@|@ana|a@b.co|##|#|#BomDia|#a#b|http://|https://a.b/c|www.|bit.ly/|.com/|//|aaa|aaa\u0301"
    "|\u0301|e\u0301|İ|ΑΣ|Σ|ﬁ|ſ|\u212a|ẞ|\u0958|\u2126|ᄒ|ᅡ|=\u0338|१|²|½|Ⅷ|1.|1|,|3,50|R$ |%|º|.|:"
    "|/|-|_|'|’|(|)|[|]|[CPF]|[EMAIL|[PESSOA]|[LOCAL-BBBBBB]|kkk|kk|haha|ha|h|u|rsr|rs|sks|III|XVIII|x|BBB|!!|?|...|…|~|*|\\|+"
    "|😂|👩\u200d👩|👍🏽|🇧🇷|🇧|1️⃣|#️⃣|\u20e3|©|\ufe0f|\u200d|™|★|❤|:)|:|<3|D|carrro|s|url|usuario|numero"
    "|123.456.789-09|52998224725|11987654321|(11) 98765-4321|01310-100|CEP |12.345.678/0001-95|tel "
    "|12ABC34501DE35|\u00ad|\u200b|\x00|\x1c|\x85|\u2028|\u3000|\ud800|\udc00|\U000e0067| |\n|\t"
)
FRAGMENTS = NASTY.split("|")
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters()), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=30),  # lone surrogates as well
)
