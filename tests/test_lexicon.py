"""The lexicon of lemmas: its file, how it decides, unknown words, and its place in a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import sentences, tiny_tree, write_jsonl
from hypothesis import given, strategies as st

import nlpkit
from nlpkit.errors import InputError, ModelError
from nlpkit.jobs.export import export
from nlpkit.language import inflection_en, inflection_pt
from nlpkit.language.lemmas import Chooser
from nlpkit.language.lexicon import Lexicon, pack
from nlpkit.language.treebank import UPOS
from nlpkit.settings import recipe
from nlpkit.training import run
from nlpkit.training.opened import open_run

ENTRIES = [
    ("casa", "casa", "NOUN"),
    ("casa", "casar", "VERB"),
    ("odeio", "odiar", "VERB"),
    ("foi", "ser", "AUX"),
    ("foi", "ir", "VERB"),
    ("gata", "gato", "NOUN"),
    ("gato", "gato", "NOUN"),
    ("lindo", "lindo", "ADJ"),
    ("que", "que", "SCONJ"),
    ("historia", "história", "noun"),  # in small letters: the form lacks its accent
    ("e", "ser", "aux"),
    ("e", "e", "CCONJ"),
    ("gatinha", "gatinhar", "VERB"),
]
SCRIPTS = ["l0||0|", "l0||1|r", "l0||1|o", "k0||0|", "l=ser"]
LEXICON = Lexicon.read(pack(ENTRIES, language="pt"))
WORD = st.text("abcçéãoi-", min_size=1, max_size=8)


@given(st.lists(st.tuples(WORD, WORD, st.sampled_from(UPOS)), max_size=40))
def test_a_lexicon_keeps_every_entry_in_order(entries: list[tuple[str, str, str]]) -> None:
    lexicon = Lexicon.read(pack(entries, language="pt"))
    for form, _, _ in entries:
        wanted = dict.fromkeys((tag, lemma) for each, lemma, tag in entries if each == form)
        assert lexicon.of(form) == tuple(wanted)
    assert lexicon.of("zzzz") == ()


@given(st.binary(max_size=60))
def test_other_content_is_no_lexicon(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a lexicon"):
        Lexicon.read(content)


def test_a_cut_lexicon_is_refused() -> None:
    content = pack(ENTRIES, language="pt")
    for size in (0, 10, len(content) // 2, len(content) - 1):
        with pytest.raises(ValueError, match="not a lexicon"):
            Lexicon.read(content[:size])


def chosen(form: str, tag: str, script: str = "l0||0|", second: str = "") -> tuple[str, str]:
    """Return the lemma and tag of a word for which a tagger proposes a tag and a script."""
    return chosen_after("na", form, tag, script, second)


def chosen_after(
    before: str, form: str, tag: str, script: str = "l0||0|", second: str = ""
) -> tuple[str, str]:
    """Return the lemma and tag of a word that follows another."""
    logits_TC = np.zeros((2, len(UPOS) + len(SCRIPTS)), dtype=np.float32)
    logits_TC[1, UPOS.index(tag)] = 5
    if second:
        logits_TC[1, UPOS.index(second)] = 4
    logits_TC[1, len(UPOS) + SCRIPTS.index(script)] = 5
    lemmas, upos = Chooser(LEXICON, SCRIPTS).choose([before, form], logits_TC)
    return lemmas[1], upos[1]


def test_a_capital_at_the_start_of_a_sentence_makes_no_name() -> None:
    assert chosen_after("na", "Odeio", "PROPN", second="VERB") == ("Odeio", "PROPN")
    assert chosen_after(".", "Odeio", "PROPN", second="VERB") == ("odiar", "VERB")
    assert chosen_after("QUE", "ODEIO", "PROPN", second="VERB") == ("odiar", "VERB")
    assert chosen_after(".", "Zoraide", "PROPN", second="VERB") == ("Zoraide", "PROPN")


@pytest.mark.parametrize(
    ("form", "tag", "script", "wanted"),
    [
        ("casa", "NOUN", "l0||1|r", ("casa", "NOUN")),  # the lexicon has no NOUN "casar"
        ("Casa", "VERB", "l0||0|", ("casar", "VERB")),
        ("odeio", "VERB", "l0||1|r", ("odiar", "VERB")),  # no script of the tagger makes it
        ("odeio", "NOUN", "l0||0|", ("odiar", "VERB")),  # a form of a verb only
        ("foi", "AUX", "l0||0|", ("ser", "AUX")),
        ("odeio", "AUX", "l0||0|", ("odiar", "AUX")),
        ("lindo", "NOUN", "l0||0|", ("lindo", "NOUN")),  # adjectives serve as nouns
        ("historia", "NOUN", "l0||0|", ("história", "NOUN")),
        ("gaaaata", "NOUN", "l0||0|", ("gato", "NOUN")),
        ("gatinhas", "NOUN", "l0||0|", ("gato", "NOUN")),
        ("gatinha", "NOUN", "l0||0|", ("gato", "NOUN")),
        ("lindíssimo", "ADJ", "l0||0|", ("lindo", "ADJ")),
        ("que", "SCONJ", "l0||1|r", ("que", "SCONJ")),
        ("Casa", "PROPN", "l0||0|", ("Casa", "PROPN")),
        ("casa", "PROPN", "l0||0|", ("casar", "VERB")),  # a known word in lower case is no name
        ("Temer", "PROPN", "l0||1|o", ("Temer", "PROPN")),
        ("shippei", "VERB", "l0||1|r", ("shippar", "VERB")),
        ("bugou", "VERB", "l=ser", ("bugar", "VERB")),
        ("mm21", "NOUN", "l=ser", ("mm21", "NOUN")),
        ("!", "PUNCT", "l=ser", ("!", "PUNCT")),
        ("👍", "NOUN", "l=ser", ("👍", "NOUN")),
    ],
)
def test_the_lexicon_disposes(form: str, tag: str, script: str, wanted: tuple[str, str]) -> None:
    second = "VERB" if form == "casa" and tag == "PROPN" else ""
    assert chosen(form, tag, script, second) == wanted


@given(st.sampled_from(ENTRIES), st.sampled_from(UPOS), st.sampled_from(SCRIPTS))
def test_a_known_open_form_gets_a_lemma_of_the_lexicon(
    entry: tuple[str, str, str], tag: str, script: str
) -> None:
    if tag in ("ADJ", "ADV", "AUX", "NOUN", "VERB"):
        lemma, _ = chosen(entry[0], tag, script)
        derived = {"gato"} if entry[0] == "gatinha" else set()
        assert lemma in {lemma for _, lemma in LEXICON.of(entry[0])} | derived


@given(st.text(max_size=12), st.sampled_from(UPOS), st.sampled_from(SCRIPTS))
def test_any_word_has_a_lemma(form: str, tag: str, script: str) -> None:
    lemma, upos = chosen(form, tag, script)
    assert (lemma or not form) and upos in UPOS


@pytest.mark.parametrize(
    ("form", "tag", "lemma"),
    [
        ("printei", "VERB", "printar"),
        ("fiquei", "VERB", "ficar"),
        ("paguei", "VERB", "pagar"),
        ("flopando", "VERB", "flopar"),
        ("bugaram", "VERB", "bugar"),
        ("zukeu", "VERB", "zuker"),
        ("tablets", "NOUN", "tablet"),
        ("pixões", "NOUN", "pixão"),
        ("posts", "NOUN", "post"),
        ("funis", "NOUN", "funis"),
        ("ônibus", "NOUN", "ônibus"),
        ("oi", "VERB", "oi"),
        ("assim", "ADV", "assim"),
    ],
)
def test_regular_inflection(form: str, tag: str, lemma: str) -> None:
    assert inflection_pt.regular_lemma(form, tag) == lemma


@pytest.mark.parametrize(
    ("form", "tag", "lemma"),
    [
        ("googled", "VERB", "google"),
        ("blogging", "VERB", "blog"),
        ("tweeted", "VERB", "tweet"),
        ("archived", "VERB", "archive"),
        ("hashtags", "NOUN", "hashtag"),
        ("glitches", "NOUN", "glitch"),
        ("bus", "NOUN", "bus"),
        ("meh", "ADJ", "meh"),
    ],
)
def test_unknown_english_words_are_inflected_regularly(form: str, tag: str, lemma: str) -> None:
    assert inflection_en.regular_lemma(form, tag) == lemma


def test_derived_words_have_bases() -> None:
    assert "poucos" in inflection_pt.bases("pouquinhos")
    assert "cafe" in inflection_pt.bases("cafezinho")
    assert list(inflection_pt.bases("pinha")) == []
    assert list(inflection_pt.bases("couves-flores")) == ["couve-flor"]


def test_long_letters_hide_no_word() -> None:
    assert chosen("caaaasa", "NOUN") == ("casa", "NOUN")


def test_a_lexicon_without_rules_of_its_language_is_refused() -> None:
    lexicon = Lexicon.read(pack(ENTRIES, language="xx"))
    with pytest.raises(ValueError, match="'xx'"):
        Chooser(lexicon, SCRIPTS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger trained with a lexicon, as a run and a bundle."""
    folder = tmp_path_factory.mktemp("lexicon")
    write_jsonl(folder / "train.jsonl", sentences(300, 1))
    write_jsonl(folder / "dev.jsonl", sentences(60, 2))
    (folder / "pt.npz").write_bytes(pack([("gatos", "bichano", "NOUN"), *ENTRIES], language="pt"))
    source = {"text": "words", "label": "upos"}
    tree = tiny_tree("wordlstm") | {
        "task": {"name": "tag", "hidden": 16, "lexicon": "pt.npz"},
        "data": {name: [{"path": f"{name}.jsonl"} | source] for name in ("train", "dev")},
    }
    tree["export"] |= {"precisions": ["int8"]}
    built = recipe.from_dict(tree, folder=folder, where="test")
    run.train(built, folder / "run", device="cpu", resume=False, listener=lambda event: None)
    (folder / "pt.npz").unlink()  # the run and the bundle have their own
    export(str(folder / "run"), folder / "out", overrides=[], listener=lambda report: None)
    return folder


def test_a_run_and_its_bundle_keep_the_lexicon(runs: Path) -> None:
    words = ["Os", "gatos", "7", "."]
    model, _, _ = open_run(runs / "run")
    for tagger in (model, nlpkit.load(str(runs / "out"), device="cpu")):
        (answer,) = tagger.predict([words])
        assert answer.layers[0][1] == "bichano"


def test_a_changed_lexicon_of_a_bundle_is_refused(runs: Path) -> None:
    path = runs / "out" / "lexicon.npz"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ModelError, match=r"lexicon.npz: its SHA-256 differs"):
            nlpkit.load(str(runs / "out"), device="cpu")
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("content", [None, b"no lexicon"])
def test_a_recipe_with_a_wrong_lexicon_is_refused(content: bytes | None, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", sentences(20, 1))
    write_jsonl(tmp_path / "dev.jsonl", sentences(20, 2))
    if content:
        (tmp_path / "pt.npz").write_bytes(content)
    source = {"text": "words", "label": "upos"}
    tree = tiny_tree("wordlstm") | {
        "task": {"name": "tag", "hidden": 16, "lexicon": "pt.npz"},
        "data": {name: [{"path": f"{name}.jsonl"} | source] for name in ("train", "dev")},
    }
    built = recipe.from_dict(tree, folder=tmp_path, where="test")
    with pytest.raises(InputError, match="not a lexicon" if content else "pt.npz"):
        run.train(built, tmp_path / "r", device="cpu", resume=False, listener=lambda event: None)


def logits_of(words: list[str], tags: list[dict[str, float]]) -> np.ndarray:
    """Return logits of the given tags, 0 elsewhere, and of the identity script."""
    logits_TC = np.zeros((len(words), len(UPOS) + len(SCRIPTS)), dtype=np.float32)
    for row, each in enumerate(tags):
        for tag, logit in each.items():
            logits_TC[row, UPOS.index(tag)] = logit
    logits_TC[:, len(UPOS)] = 1
    return logits_TC


@pytest.mark.parametrize(("noun", "lemma"), [("avó", "e"), ("avo", "ser")])
def test_a_word_lacks_its_accent_only_in_a_text_without_accents(noun: str, lemma: str) -> None:
    words = ["eu", "e", noun]
    logits_TC = logits_of(words, [{"PRON": 9}, {"AUX": 9, "CCONJ": 5}, {"NOUN": 9}])
    lemmas, _ = Chooser(LEXICON, SCRIPTS).choose(words, logits_TC)
    assert lemmas[1] == lemma


@pytest.mark.parametrize(("tag", "lemma"), [("NOUN", "gato"), ("VERB", "gatinhar")])
def test_a_diminutive_that_looks_like_a_verb_is_either(tag: str, lemma: str) -> None:
    assert chosen("gatinha", tag) == (lemma, tag)


def test_the_treebank_keeps_its_diminutives() -> None:
    words = ["gatinha"]
    logits_TC = logits_of(words, [{"NOUN": 9}])
    for treebank, lemma in ((False, "gato"), (True, "gatinha")):
        lemmas, _ = Chooser(LEXICON, SCRIPTS, treebank=treebank).choose(words, logits_TC)
        assert lemmas == (lemma,)
