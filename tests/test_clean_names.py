"""`clean --mask --entities` hides the names that a model finds, and no other text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from clean_helpers import OPTIONS, TEXTS, TYPES, Finder, cleaned, hidden, named
from conftest import Cli
from hypothesis import assume, given, settings, strategies as st

from nlpkit import zoo
from nlpkit.errors import ModelError, UsageError
from nlpkit.language.names import word_of
from nlpkit.steps import clean
from nlpkit.text.unicode import visible
from nlpkit.zoo import pipeline

NAMES = {"Zé Dias": "PER", "Zé": "PER", "Jundiaí": "LOC", "Ótica Lux": "ORG", "Lei Áurea": "LAW"}
TAGS = {"PER": "[PESSOA]", "LOC": "[LOCAL]", "ORG": "[ORGANIZACAO]", "LAW": "[LAW]"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Zé mora em Jundiaí.", "[PESSOA] mora em [LOCAL]."),
        ("Zé", "[PESSOA]"),
        ("", ""),
        ("nada", "nada"),
        ("ZéJundiaíZé", "[PESSOA][LOCAL][PESSOA]"),
        ("Zé, 529.982.247-25, Zé", "[PESSOA], [CPF], [PESSOA]"),
        ("Zé@x.com e zé.Zé@x.com", "[EMAIL] e [EMAIL]"),
        ("a Lei Áurea, da Ótica Lux", "a [LAW], da [ORGANIZACAO]"),
        ("<b>Z&eacute;</b> &amp; Ze\u0301, Z\u200bé", "[PESSOA] & [PESSOA], [PESSOA]"),
        ("https://x.com/Zé #Zé @Zé", "https://x.com/[PESSOA] #[PESSOA] @[PESSOA]"),
    ],
)
def test_names_become_tags(before: str, after: str) -> None:
    assert hidden([before], named(NAMES), "default") == [after]


def test_names_are_found_before_case_and_marks_are_lost() -> None:
    model = named(NAMES)
    text = "O Zé Dias, de Jundiaí (SP), pagou 10 reais à Ótica Lux pela Lei Áurea!"
    after = "o [PESSOA] de [LOCAL] sp pagou reais a [ORGANIZACAO] pela [LAW]"
    assert hidden([text], model, "bow", accents="strip") == [after]
    assert model.read[0] == text
    words = hidden(["#ZéDias @Zé"], named({"Zé Dias": "PER"}), "social")
    assert words == ["[PESSOA] usuario"]  # hashtags become words before the model reads them


def test_only_the_types_asked_for_are_hidden() -> None:
    text = "Zé, de Jundiaí"
    assert hidden([text], named(NAMES), entities=("PER",)) == ["[PESSOA], de Jundiaí"]
    assert hidden([text], named(NAMES), entities=("LOC, ORG", "LOC")) == ["Zé, de [LOCAL]"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [("PER", "PESSOA"), ("Organização", "ORGANIZACAO"), ("A/B c", "A_B_C"), ("人", "ENTIDADE")],
)
def test_a_tag_is_ascii(kind: str, word: str) -> None:
    assert word_of(kind) == word


def test_tags_are_no_names_for_a_model_that_finds_them() -> None:
    whole = Finder(lambda text: [(0, len(text), "PER")])
    assert hidden(["Rua [CPF], Ana [PESSOA]! b"], whole) == [
        "[PESSOA] [CPF][PESSOA] [PESSOA][PESSOA]"
    ]
    assert hidden(["[LOCAL], [PESSOA-KDTRMB]."], whole) == ["[LOCAL], [PESSOA-KDTRMB]."]
    assert whole.read[-1] == "[LOCAL], [PESSOA]."  # an alias is read as a tag


def test_a_model_reads_its_result_until_it_finds_no_more() -> None:
    first = Finder(lambda text: named(NAMES).find(text)[:1])
    assert hidden(["Zé e Zé em Jundiaí", "nada"], first) == [
        "[PESSOA] e [PESSOA] em [LOCAL]",
        "nada",
    ]
    assert first.read.count("nada") == 1


def test_tags_survive_later_steps() -> None:
    tagged = "[PESSOA], [LOCAL] e [ORGANIZACAO]: [PESSOA-KDTRMB]"
    after = "[PESSOA] [LOCAL] e [ORGANIZACAO] [PESSOA-KDTRMB]"
    assert cleaned(tagged, "bow", accents="strip") == after
    tokens = "[PESSOA] , [LOCAL] e [ORGANIZACAO] : [PESSOA-KDTRMB]"
    for lang in ("pt", "en"):
        assert pipeline(f"tokenize --lang {lang}").texts([tagged, "a[LOCAL-BBBBBB]b"]) == [
            tokens, "a [LOCAL-BBBBBB] b",
        ]  # fmt: skip
    assert pipeline("lemmatize").texts(["[PESSOA] e [PESSOA-KDTRMB]"]) == [
        "[PESSOA] e [PESSOA-KDTRMB]"
    ]


FILLERS = st.text(st.sampled_from("aeç ,.!\n\t[]()-'😂🇧#/&;"), max_size=6)
PARTS = st.lists(st.one_of(FILLERS, st.sampled_from(sorted(NAMES))), max_size=9)


def assembled(parts: list[str]) -> tuple[str, Finder]:
    """Return the text of the parts, and a model that knows where its names are."""
    text, spans = "", []
    for part in parts:
        if part in NAMES:
            spans.append((len(text), len(text) + len(part), NAMES[part]))
        text += part
    assume(visible(text) == text)
    return text, Finder(lambda other: spans if other == text else [])


@given(PARTS)
def test_every_name_is_hidden_and_all_else_stays(parts: list[str]) -> None:
    text, model = assembled(parts)
    right = "".join(TAGS[NAMES[part]] if part in NAMES else part for part in parts)
    assert hidden([text, "", text], model) == [right, "", right]


SPANS = st.lists(
    st.tuples(st.integers(-3, 45), st.integers(-3, 45), st.sampled_from([*TYPES, "TIME"])),
    max_size=6,
)


@given(st.text(st.characters(exclude_characters="@[]", exclude_categories=("Nd",))), SPANS)
def test_spans_may_overlap_and_leave_the_text(text: str, spans: list[Any]) -> None:
    text = visible(text)
    inside = {place for start, end, kind in spans if kind != "TIME" for place in range(start, end)}
    left = [char for place, char in enumerate(text) if place not in inside and not char.isspace()]
    (result,) = hidden([text], Finder(lambda other: spans if other == text else []))
    for tag in TAGS.values():
        result = result.replace(tag, " ")
    assert [char for char in result if not char.isspace()] == left


@pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")  # lingua may be missing
@settings(max_examples=200)
@given(OPTIONS, st.lists(st.one_of(TEXTS, st.sampled_from(sorted(NAMES))), max_size=6))
def test_hiding_names_is_idempotent(options: clean.Options, pieces: list[str]) -> None:
    given: Any = {name: getattr(options, name) for name in clean.Options.__dataclass_fields__}
    hide = clean.build(
        clean.Options(**given | {"mask": True, "entities": ("PER,LOC", "LAW")}), named(NAMES)
    )
    once = hide(["".join(pieces), " ".join(pieces)])
    assert hide(once) == once


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"entities": ("PER",)}, "--entities says which names --mask hides; add --mask"),
        ({"model": "x"}, "--model is for names; add --mask --entities PER,LOC"),
        ({"mask": True, "pseudonyms": "k"}, "--pseudonyms is for names; add --mask --entities"),
        ({"mask": True, "restore": "k"}, "--restore puts names back and --mask hides them"),
        ({"mask": True, "entities": (" ,",)}, "--entities: name the types to hide"),
        ({"mask": True, "entities": ("per",)}, "no such type. Did you mean 'PER'?"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        clean.build(clean.Options(**options), named(NAMES))
    assert message in str(caught.value)


def test_a_model_of_another_kind_is_refused() -> None:
    other = named(NAMES)
    other.task = SimpleNamespace(answers=str)
    with pytest.raises(ModelError, match="finder: finds no entities; 'nlpkit models'"):
        hidden(["Zé"], other)
    with pytest.raises(ModelError, match=r"entities-pt: this step needs a model"):
        clean.build(clean.Options(mask=True, entities=("PER",)))


def test_the_command_takes_types_and_a_model(
    quick_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = named(NAMES)
    monkeypatch.setattr(zoo, "load", model)
    flags = ["clean", "--mask", "--entities", "PER,LOC"]
    done = quick_cli(*flags, stdin="Zé, de Jundiaí, Ótica Lux\n\n".encode())
    assert done.stdout.decode() == "[PESSOA], de [LOCAL], Ótica Lux\n\n"
    assert model.asked == "entities-pt"
    quick_cli(*flags, "--model", "mine", stdin=b"a")
    assert model.asked == "mine"
    assert quick_cli("clean", "--entities", "PER", stdin=b"a").returncode == 2
