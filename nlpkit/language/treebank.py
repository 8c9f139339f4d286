"""Read words, lemmas and UPOS tags from treebank rows, and collect irregular forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nlpkit.answers import UNKNOWN
from nlpkit.errors import InputError
from nlpkit.language.edit_scripts import is_bold, script_of

# https://universaldependencies.org/u/pos/
_TAGS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
UPOS = tuple(_TAGS.split())


def words_of(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (form, lemma, UPOS) of each word of a row.

    Raises:
        InputError: the row lacks words, lemmas or tags, or their numbers differ.
    """
    words, lemmas, upos = (row.get(name) for name in ("document", "lemmas", "upos"))
    if (
        not isinstance(words, list)
        or not isinstance(lemmas, list)
        or not isinstance(upos, list)
        or not len(words) == len(lemmas) == len(upos)
    ):
        raise InputError(
            'the row needs lists "lemmas" and "upos" with one entry for each word, '
            "as the conllu reader gives them"
        )
    if not all(isinstance(each, str) for each in (*words, *lemmas, *upos)):
        raise InputError('"words", "lemmas" and "upos" must be lists of strings')
    return list(zip(words, lemmas, upos, strict=True))


def irregular_forms(rows: Iterable[Mapping[str, Any]], scripts: Sequence[str]) -> dict[str, str]:
    """Map each irregular form to the indices in `scripts` of its scripts, joined by spaces.

    A form is irregular if the rows have it with a script for which `is_bold` is true.
    """
    index = {script: number for number, script in enumerate(scripts)}
    forms: dict[str, set[int]] = {}
    for row in rows:
        for form, lemma, _ in words_of(row):
            script = script_of(form, lemma)
            if lemma != UNKNOWN and script in index and is_bold(script, form):
                forms.setdefault(form.lower(), set()).add(index[script])
    return {form: " ".join(map(str, sorted(forms[form]))) for form in sorted(forms)}
