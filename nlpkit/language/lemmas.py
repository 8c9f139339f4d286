"""Choose the lemma and tag of each word by a tagger's scores, among those that a lexicon allows.

A form that the lexicon knows gets one of its lemmas, for a tag with which the lexicon has it. A
form that it does not know gets a lemma that is a word with that tag, or a regular formation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nlpkit.language import inflection_en, inflection_pt
from nlpkit.language.edit_scripts import apply, is_bold, script_of
from nlpkit.language.treebank import UPOS

if TYPE_CHECKING:
    import numpy as np

    from nlpkit.language.lexicon import Analyses, Lexicon

INFLECTIONS = {"pt": inflection_pt, "en": inflection_en}
NOMINAL = frozenset({"ADJ", "NOUN"})
OPEN = frozenset({"ADJ", "ADV", "AUX", "NOUN", "VERB"})
# A lexicon lists no word with all of its tags: nouns serve as adjectives, and verbs as auxiliaries.
ALSO = {"ADJ": ("NOUN",), "NOUN": ("ADJ",), "VERB": ("AUX",), "AUX": ("VERB",)}
CROSSED = 1.0  # cost of a tag that the lexicon does not list, in logits; AUX is free
LEAST = -12.0  # the logit, less the largest one, of an edit script that the tagger does not know
SCRIPTS = 0.3  # weight of the scripts beside the tags
BARE = 5.0  # cost of a form without its accents, in a text that has accents
SURE = 3.0  # logits by which a capital that says nothing must look more like a name than a word
ENDS = frozenset(".!?…:;\"'“”‘’()[]-–—•*")  # tokens after which a sentence may begin
LIKELY = 4.0  # logits below the best at which the script of an unknown word is still tried
TRIED = 8  # best scripts that are tried for an unknown word
_LONG = re.compile(r"(\w)\1{2,}")


class Candidate(NamedTuple):
    """A lemma with a tag that a form may have.

    `script` is -1 where the tagger has no such one; `bare` tells that the form lacks its accents.
    """

    tag: int
    script: int
    cost: float
    lemma: str
    bare: bool


class Chooser:
    """Chooses among a tagger's proposals.

    Legend: T words, C = tags + scripts.

    Raises:
        ValueError: the lexicon is of a language without rules for unknown words.
    """

    def __init__(self, lexicon: Lexicon, scripts: Sequence[str], *, treebank: bool = False) -> None:
        """Create the chooser; `treebank` prefers the tagger's lemma where it is a word.

        A treebank has its own habits: diminutives stay as they are, and so do some feminines.
        """
        if lexicon.language not in INFLECTIONS:
            raise ValueError(
                f"a lexicon of {lexicon.language!r}; there are rules for {', '.join(INFLECTIONS)}"
            )
        self.lexicon, self.scripts = lexicon, scripts
        self.treebank = treebank
        self.inflection = INFLECTIONS[lexicon.language]
        self.script_indices = {script: index for index, script in enumerate(scripts)}
        self.candidates = lru_cache(1 << 16)(self._candidates)

    def choose(
        self, forms: Sequence[str], logits_TC: np.ndarray
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the lemma and the UPOS tag of each word."""
        tags_TC, scripts_TS = logits_TC[:, : len(UPOS)], logits_TC[:, len(UPOS) :]
        best = tags_TC.argmax(axis=1).tolist()
        most = scripts_TS.max(axis=1).tolist()
        named = _may_be_names(forms)
        bare = BARE if any(form.isalpha() and not form.isascii() for form in forms) else 0.0
        chosen = [
            self._word(form, UPOS[tag], named[row], bare, tags_TC[row], scripts_TS[row], most[row])
            for row, (form, tag) in enumerate(zip(forms, best, strict=False))
        ]
        return tuple(lemma for lemma, _ in chosen), tuple(tag for _, tag in chosen)

    def _word(
        self,
        form: str,
        tag: str,
        named: bool,
        bare: float,
        tags_C: np.ndarray,
        scripts_S: np.ndarray,
        most: float,
    ) -> tuple[str, str]:
        """Return the lemma and the tag of a word; `tag` is the tagger's.

        `named` tells whether the word's capital marks a name; `bare` is what a form without its
        accents costs.
        """
        if not any(map(str.isalpha, form)):  # marks, numbers and emoji are their own lemmas
            return form, tag
        if self.treebank and (lemma := self._as_annotated(form, tag, scripts_S)):
            return lemma, tag
        candidates = self.candidates(form.lower())
        if tag not in OPEN and (tag != "PROPN" or named):
            candidates = tuple(each for each in candidates if UPOS[each.tag] == tag)
        if not candidates:
            return self._unknown(form, tag, scripts_S), tag

        def logit(each: Candidate) -> float:
            script = scripts_S[each.script] - most if each.script >= 0 else LEAST
            cost = each.cost + bare * each.bare
            return float(tags_C[each.tag] + SCRIPTS * max(script, LEAST) - cost)

        chosen = max(candidates, key=logit)
        is_sure = tags_C[UPOS.index(tag)] - tags_C[chosen.tag] > SURE
        if tag == "PROPN" and form[0].isupper() and is_sure:
            return form, tag
        return chosen.lemma, UPOS[chosen.tag]

    def _applied(self, index: int, form: str) -> str | None:
        """Return the lemma by a script, or None if the script replaces most of the form."""
        script = self.scripts[index]
        return None if is_bold(script, form) else apply(script, form)

    def _name(self, form: str, scripts_S: np.ndarray) -> str:
        """Return a name, or its singular if the tagger proposes it: "Palestinians"."""
        lemma = self._applied(int(scripts_S.argmax()), form)
        singular = self.inflection.regular_lemma(form.lower(), "NOUN")
        changes = singular != form.lower()
        return lemma if changes and lemma and lemma.lower() == singular else form

    def _as_annotated(self, form: str, tag: str, scripts_S: np.ndarray) -> str | None:
        """Return the lemma of the tagger's best script if it is a word with the tag, or derived."""
        lemma = self._applied(int(scripts_S.argmax()), form)
        known = lemma and any(each.upper() == tag for each, _ in self._analyses(lemma))
        return lemma if known else None

    def _candidates(self, form: str) -> tuple[Candidate, ...]:
        return tuple(self._each_candidate(form))

    def _each_candidate(self, form: str) -> Iterator[Candidate]:
        analyses = self._analyses(form)
        listed = {tag.upper() for tag, _ in analyses}
        for listed_tag, lemma in analyses:
            tag, bare = listed_tag.upper(), listed_tag.islower()
            script = self.script_indices.get(script_of(form, lemma), -1)
            yield Candidate(UPOS.index(tag), script, 0.0, lemma, bare)
            for other in ALSO.get(tag, ()):
                if other not in listed:
                    cost = 0.0 if other == "AUX" else CROSSED
                    yield Candidate(UPOS.index(other), script, cost, lemma, bare)

    def _analyses(self, form: str) -> Analyses:
        """Return the analyses of a form, else of its spelling without repeated letters.

        A diminutive that is also a verb's form, as "gatinha" of "gatinhar", has those of both.
        """
        shorter = _LONG.sub(r"\1", form)
        spellings = dict.fromkeys((form, _LONG.sub(r"\1\1", form), shorter))
        own = next(filter(None, map(self.lexicon.of, spellings)), ())
        if any(tag.upper() in NOMINAL for tag, _ in own):
            return own
        for base in self.inflection.bases(shorter):
            if derived := tuple(p for p in self.lexicon.of(base) if p[0].upper() in NOMINAL):
                return own + derived
        return own

    def _unknown(self, form: str, tag: str, scripts_S: np.ndarray) -> str:
        """Return the lemma of a word that the lexicon does not have with an allowed tag."""
        if tag == "PROPN":
            return self._name(form, scripts_S)
        if tag not in OPEN:
            return self._applied(int(scripts_S.argmax()), form) or form.lower()
        if not form.replace("-", "").isalpha():  # 5h, p/l, mm21
            return form.lower()
        regular = self.inflection.regular_lemma(form.lower(), tag)
        best = float(scripts_S.max())
        for index in scripts_S.argsort()[::-1][:TRIED].tolist():
            if best - scripts_S[index] > LIKELY:
                break
            lemma = self._applied(index, form)
            if lemma and (lemma == regular or self.lexicon.is_lemma(lemma, tag)):
                return lemma
        return regular


def _may_be_names(forms: Sequence[str]) -> list[bool]:
    """Return for each word whether its capital may mark a name.

    It says nothing at the start of a sentence, or where most words have no small letters.
    """
    words = [form for form in forms if len(form) > 1 and any(map(str.isalpha, form))]
    shouted = 2 * sum(form.isupper() for form in words) > len(words)
    starts = [row == 0 or forms[row - 1] in ENDS for row in range(len(forms))]
    return [
        form[:1].isupper() and not start and not shouted
        for form, start in zip(forms, starts, strict=True)
    ]
