"""spaCy's tokenizer rules with ours added, imported without torch.

`import spacy` takes 2.2 s if torch is installed, because thinc imports torch, and spaCy its command
line. A blank tokenizer needs neither, so the nlpkit command and its workers hide both during the
import. A trained pipeline may need torch: the step that loads one imports spaCy in full before any
tokenizer is built.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import machinery, util
from pathlib import Path
from typing import Any

_MARKS = r"!?;()\[\]{}\"“”«»"
# Split words at marks without a space after them, as in informal text. spaCy's own rules split
# letters at a comma, a slash or a dash, and a lower-case letter from a capital at a full stop.
INFIXES = (
    r"(?<=[^\W_]):\)(?=[^\W_])",
    rf"(?:(?<=[^\W_])|(?<=[^\W_]\.))[{_MARKS}]+(?=[^\W_])",
    r"(?<=[^\W\d_])[:,](?=\d)|(?<=\d),(?=[^\W\d_])",  # nota:10, but 15:30 and 3,50
    r"(?<=\d)%(?=[^\W\d_])",
    r"(?<=[A-ZÀ-ÖØ-Þ]{2})\.(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])|(?<=\d)\.(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])",
)
SUFFIXES = (r"(?<=\w-[A-ZÀ-ÖØ-Þ])\.",)  # the full stop of Série-B., which is no initial
WHOLE = ("s/n", "S/N", "e/ou", "E/OU", "E/ou", "km/h")  # never split, in both languages
_NEGATIONS = {"n't", "n’t", "n‘t", "nt", "not"}
LEAN = "NLPKIT_LEAN_SPACY"  # set to "1" by the nlpkit command; others import spaCy in full


def spacy_package() -> Any:
    """Import spaCy and return it; the nlpkit command imports it without torch."""
    lean = os.environ.get(LEAN) == "1"
    if lean and "spacy" not in sys.modules and "torch" not in sys.modules:
        with _left_out():
            import spacy
    else:
        import spacy
    return spacy


def blank(lang: str) -> tuple[Any, set[str]]:
    """Return a blank pipeline of a language with our rules, which holds its tokenizer.

    The pipeline is of a subclass of spaCy's, so that its rules are compiled once and `spacy.blank`
    stays as it is for other users of spaCy.

    Returns:
        The pipeline, and the pieces of words that its rules split, such as "do" and "n't" of
        "don't", which must not be split again.
    """
    from nlpkit.language.mask import TAGS

    spacy = spacy_package()

    language: Any = spacy.util.get_lang_class(lang)
    split = _split_words(language.Defaults.tokenizer_exceptions)
    rules = {
        "infixes": [*language.Defaults.infixes, *INFIXES],
        "suffixes": [*language.Defaults.suffixes, *SUFFIXES],
        "tokenizer_exceptions": _exceptions(split)
        | language.Defaults.tokenizer_exceptions
        | _exceptions({word: [word] for word in (*WHOLE, *TAGS)}),
    }
    defaults = type("Defaults", (language.Defaults,), rules)
    extended: Any = type(language.__name__, (language,), {"Defaults": defaults})
    return extended.from_config({}), {piece for pieces in split.values() for piece in pieces}


def _split_words(exceptions: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the words that exceptions split, with those of negations in capitals, and pieces."""
    from spacy.attrs import ORTH

    split = {
        word: [piece[ORTH] for piece in pieces]
        for word, pieces in exceptions.items()
        if len(pieces) > 1
    }
    return split | {
        word.upper(): [piece.upper() for piece in pieces]
        for word, pieces in split.items()
        if set("'’‘") & set(word) or _NEGATIONS & set(pieces)
    }


def _exceptions(split: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return spaCy's tokenizer exceptions for words and their pieces."""
    from spacy.attrs import ORTH

    return {word: [{ORTH: piece} for piece in pieces] for word, pieces in split.items()}


@contextmanager
def _left_out() -> Iterator[None]:
    """Make `import torch` fail and spaCy's command line an empty module within the context."""
    cli, info = types.ModuleType("spacy.cli"), types.ModuleType("spacy.cli.info")
    cli.__path__ = []
    info.info = None  # type: ignore[attr-defined]
    stubs: dict[str, Any] = {"torch": None, "spacy.cli": cli, "spacy.cli.info": info}
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            sys.modules.pop(name, None)


def stop_words(lang: str) -> frozenset[str]:
    """Return spaCy's stop words of a language, loaded without importing spaCy, which is slow."""
    package = util.find_spec("spacy")
    assert package is not None and package.origin is not None  # a dependency of ours
    path = Path(package.origin).parent / "lang" / lang / "stop_words.py"
    module = types.ModuleType("stop_words")
    machinery.SourceFileLoader("stop_words", str(path)).exec_module(module)
    return frozenset(module.STOP_WORDS)
