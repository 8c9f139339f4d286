"""Preprocessing steps: the contract of every step, chains, and the output of each step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import tiny_tree
from hypothesis import given, settings, strategies as st

import nlpkit
from nlpkit import catalog
from nlpkit.chain import as_text
from nlpkit.cli.step_command import COMMON
from nlpkit.errors import InputError, MissingExtra, NlpkitError, UsageError
from nlpkit.language.contractions import split as contraction
from nlpkit.language.detect import detect
from nlpkit.language.words import splitter
from nlpkit.runtime import onepass
from nlpkit.settings import flags
from nlpkit.settings.links import links_of
from nlpkit.steps import Tokens
from nlpkit.text.unicode import visible
from nlpkit.zoo import pipeline

STEPS = catalog.names("steps")
FRAGMENTS = [
    "não", "d'água", "disse-lhe", "R$5,00", "km/h", "Sr.", "etc.", ":)", "😍", "👨‍👩‍👧", "don't",
    "http://a.com/b?c=1", "@ana", "#top", "...", "!!", "(", ")",
    '"', "1º", "10h30", "can't", "U.S.",
    "\u00a0", "\u2028", "\x1c", "\t", "\n", " ", "a\u0301", "\u200d", "\ud800", "-", "/", "x" * 600,
]  # fmt: skip
TEXT = st.text(max_size=40) | st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
CALLED = {"vectorize": "vectorize --method hash"}  # options that a step cannot do without


def made(name: str, options: str = "") -> Any:
    """Return a chain of one step."""
    return pipeline(f"{name} {options}".strip())


@pytest.mark.parametrize("name", STEPS)
def test_step_follows_the_contract(name: str) -> None:
    module = catalog.load("steps", name)
    assert module.TAKES in ("text", "tokens")
    assert module.GIVES in ("text", "tokens", "vector")
    assert (module.__doc__ or "").splitlines()[0].endswith(".")
    assert module.EXAMPLES
    known = flags.flags_of(module.Options)
    for flag in known:
        assert flag.help, flag.name
        # A flag must not shadow one that all step commands have.
        assert flag.name not in {"from", "show", *COMMON} - {"source"} or name == "vectorize"
    assert set(getattr(module, "OUTSIDE", ())) <= {flag.field for flag in known}
    assert module.Options.__dataclass_params__.frozen


@pytest.mark.parametrize(
    ("name", "options", "before", "after"),
    [(name, *example) for name in STEPS for example in catalog.load("steps", name).EXAMPLES],
)
def test_examples_match_the_output(name: str, options: str, before: str, after: Any) -> None:
    result = made(name, options)(before)
    assert (result if isinstance(after, dict) else as_text(result)) == after


@pytest.mark.parametrize("name", STEPS)
@given(texts=st.lists(TEXT, max_size=4))
@settings(max_examples=40)
def test_any_text_gives_one_deterministic_result(name: str, texts: list[str]) -> None:
    chain, module = cached(name), catalog.load("steps", name)
    results = chain(texts)
    assert len(results) == len(texts)
    assert list(chain(texts[::-1])) == list(results)[::-1]
    for result in results:
        if module.GIVES == "text":
            assert isinstance(result, str)
        if module.GIVES == "tokens":
            assert isinstance(result, Tokens)
            assert all(token == "".join(token.split()) != "" for token in result)
    if module.IDEMPOTENT:
        lines = [as_text(result) for result in results]
        assert [as_text(result) for result in chain(lines)] == lines


_CHAINS: dict[str, Any] = {}


def cached(name: str) -> Any:
    if name not in _CHAINS:
        _CHAINS[name] = made(CALLED.get(name, name))
    return _CHAINS[name]


@pytest.mark.parametrize("lang", ["pt", "en"])
@given(text=TEXT)
@settings(max_examples=150)
def test_offsets_slice_the_text_into_its_tokens(lang: str, text: str) -> None:
    tokens = cached(f"tokenize --lang {lang}")(text)
    for token, (start, end) in zip(tokens, tokens.fields["offsets"], strict=True):
        assert (
            token == text[start:end] if visible(text) == text else token in visible(text[start:end])
        )
    # Between tokens there are only white space and invisible characters.
    assert "".join(tokens) == "".join(visible(text).split())


@pytest.mark.parametrize("lang", ["pt", "en"])
@given(text=TEXT)
@settings(max_examples=150)
def test_joined_tokens_are_split_into_the_same_tokens(lang: str, text: str) -> None:
    (tokens,) = splitter(lang).split_all([text])
    assert splitter(lang).split_all([" ".join(tokens)]) == [tokens]


def test_sentences_and_their_offsets() -> None:
    text = '  "Veio quebrado." Quero   trocar!! E o Sr. Silva? ok'
    sentences = made("tokenize", "--sentences")(text)
    assert list(sentences) == ['"Veio quebrado."', "Quero trocar!!", "E o Sr. Silva?", "ok"]
    spans = sentences.fields["offsets"]
    assert [" ".join(text[start:end].split()) for start, end in spans] == list(sentences)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("do", "de o"), ("Da", "De a"), ("NOS", "EM OS"), ("pelas", "por as"), ("à", "a a"),
        ("àquele", "a aquele"), ("numa", "em uma"), ("disso", "de isso"), ("daí", "de aí"),
        ("disse-lhe", "disse lhe"), ("fazê-lo", "fazer o"), ("dir-lhe-ia", "diria lhe"),
        ("fá-lo-ei", "farei o"),
        ("poder-se-á", "poderá se"), ("guarda-chuva", "guarda-chuva"), ("casa", "casa"),
        ("bem-te-vi", "bem-te-vi"), ("dado", "dado"), ("-lo", "-lo"),
    ],
)  # fmt: skip
def test_contractions_are_split(token: str, words: str) -> None:
    assert " ".join(contraction(token)) == words


def test_subwords_equal_the_pieces_of_the_model(tiny_bundle: Callable[[str], Path]) -> None:
    from tokenizers import Tokenizer

    bundle = tiny_bundle("atnet")
    pieces = made("tokenize", f"--subword {bundle}")("Adorei o produto")
    expected = Tokenizer.from_file(str(bundle / "tokenizer.json")).encode("Adorei o produto")
    assert list(pieces) == expected.tokens
    assert pieces.fields["offsets"] == [list(pair) for pair in expected.offsets]


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Não gostei do produto, veio quebrado", "pt"),
        ("I did not like it, the box was broken", "en"),
        ("ótimo", "pt"), ("the best", "en"), ("", "pt"), ("👍", "pt"), ("very good", "en"),
        ("a", "pt"), ("muito bom", "pt"),
    ],
)  # fmt: skip
def test_language_is_detected(text: str, lang: str) -> None:
    assert detect(text) == lang


def test_stop_words_keep_negation_by_default(tmp_path: Path) -> None:
    text = "Não, isto nunca é o que nem eu quero"
    assert [
        word for word in made("stopwords")(text) if word.lower() in {"não", "nunca", "nem"}
    ] == ["Não", "nunca", "nem"]
    assert not {"Não", "nunca", "nem"} & set(made("stopwords", "--keep none --add nem")(text))
    listed = tmp_path / "list.txt"
    listed.write_text("\ufeffQUERO\n\neu\n", encoding="utf-8")
    dropped = made("stopwords", f"--list {listed}")(text)
    assert "eu" not in dropped
    assert "quero" not in dropped
    assert "isto" in dropped


def test_missing_stop_word_file_is_an_error() -> None:
    with pytest.raises(InputError, match="nowhere.txt: No such file"):
        made("stopwords", "--list nowhere.txt")


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # lingua may be missing
def test_stems_of_portuguese_and_english() -> None:
    assert str(made("stem")("gostaram gostei")) == "gost gost"
    assert str(made("stem", "--lang auto")("the dogs were running")) == "the dog were run"


def test_rslp_reports_its_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk", None)
    monkeypatch.setitem(sys.modules, "nltk.stem", None)
    with pytest.raises(MissingExtra, match="rslp"):
        made("stem", "--algorithm rslp")
    with pytest.raises(UsageError, match="only Portuguese"):
        made("stem", "--algorithm rslp --lang en")


@pytest.mark.parametrize(
    ("chain", "problem"),
    [
        ("claen", "unknown step 'claen'. Did you mean 'clean'?"),
        ("stopwords --keap none", "unknown option '--keap'. Did you mean '--keep'?"),
        ("stopwords --keep some", "not one of sentiment, negation, opinion, none"),
        ("tokenize |", "a step is missing beside a |"),
        ("", "a step is missing"),
        ("tokenize 'x", "No closing quotation"),
        ("stem --pretokenized=1", "takes no value"),
        ("tokenize --lang", "--lang needs a value"),
        ("tokenize --sentences --contractions split", "choose one of"),
        ("lemmatize --engine lookup --pos", "--engine lookup gives no tags"),
        ("lemmatize --engine spacy", "needs --model"),
        ("tokenize words", "unknown option 'words'"),
    ],
)
def test_invalid_chain_is_one_line(chain: str, problem: str) -> None:
    with pytest.raises(NlpkitError, match=problem.replace("|", r"\|").replace("?", r"\?")):
        pipeline(chain)


def test_chain_of_strings_and_tables_can_be_described() -> None:
    chain = pipeline("tokenize --contractions split | stem", {"name": "stopwords", "add": ["x"]})
    described = chain.describe()
    assert described == [
        {"name": "tokenize", "contractions": "split"},
        {"name": "stem"},
        {"name": "stopwords", "add": ["x"]},
    ]
    assert links_of(described) == list(chain.links)


def test_python_api_accepts_one_text_or_many() -> None:
    chain = nlpkit.pipeline("tokenize", "stopwords")
    assert chain("A casa (é) bonita") == ["casa", "(", ")", "bonita"]
    assert chain(["A casa", ""]) == [["casa"], []]
    assert chain([["A", "casa"]]) == [["casa"]]


def test_recipe_steps_run_in_training_and_in_the_bundle(tmp_path: Path, data: Path) -> None:
    from nlpkit.jobs.export import export
    from nlpkit.settings import recipe
    from nlpkit.training import run

    tree = tiny_tree("atnet") | {"preprocess": {"steps": ["stopwords --pretokenized | stem"]}}
    built = recipe.from_dict(tree, folder=data, where="test")
    run.train(built, tmp_path / "run", device="cpu", resume=False, listener=lambda event: None)
    export(str(tmp_path / "run"), tmp_path / "out", overrides=[], listener=lambda report: None)
    model = nlpkit.load(str(tmp_path / "out"), device="cpu")
    assert model.steps is not None
    assert [step["name"] for step in model.steps.describe()] == ["stopwords", "stem"]
    one, other = onepass.outputs(model, ["Adorei o produto", "ADOREI produtos"])
    assert (one == other).all()


@pytest.mark.parametrize(
    "step", ["stopwords --list x.txt", "vectorize", "claen", "clean --mask --entities PER"]
)
def test_recipe_refuses_steps_that_a_bundle_cannot_hold(step: str) -> None:
    from nlpkit.settings import recipe

    with pytest.raises(UsageError, match="preprocess"):
        recipe.from_dict(
            tiny_tree("atnet") | {"preprocess": {"steps": [step]}}, folder=Path(), where="test"
        )
