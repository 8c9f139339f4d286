"""Words: forgotten spaces, emoji, negations, clitics, contractions and the ends of sentences."""

from __future__ import annotations

from typing import Any

import pytest
from emoji import EMOJI_DATA
from hypothesis import given, strategies as st

from nlpkit.language.contractions import split
from nlpkit.language.words import splitter
from nlpkit.zoo import pipeline

STEPS: dict[str, Any] = {}


def run(step: str, text: str) -> str:
    """Return a step's result for a text as a line."""
    if step not in STEPS:
        STEPS[step] = pipeline(step)
    return str(STEPS[step](text))


@pytest.mark.parametrize(
    "words",
    [
        "Adorei ! Recomendo", "bom ; barato", "bom : barato", "caro ( demais )", "bom / barato",
        "bom ? sim", "ruim . Péssimo", "RUIM . Muito", "bom , barato", "nota , 10", "bom ... ruim",
        "não ! gostei", "nota : 10", "bom – barato", '" bom " demais', "bom 😞 ruim", "50 % off",
        "bom :) ruim", "S.A. ( x )", "café { bom }",
    ],
)  # fmt: skip
def test_a_forgotten_space_parts_words(words: str) -> None:
    assert run("tokenize", words.replace(" ", "")) == words


@pytest.mark.parametrize(
    "token",
    [
        "1.234,56",
        "15h30",
        "15:30h",
        "24/7",
        "12/03/2020",
        "10:1",
        "1,5L",
        "km/h",
        "e/ou",
        "s/n",
        "c/",
        "p/",
        "S.A.",
        ":)",
        ":(",
        "<3",
        "d'água",
        "guarda-chuva",
        "bom-barato",
        "a@b.com.br",
        "https://a.com/x;y(z)?b=1",
        "www.a.com/x!y",
        "site.com/x?y=1",
        "¯\\_(ツ)_/¯",
    ],
)
def test_marks_inside_a_token_stay(token: str) -> None:
    assert run("tokenize", token) == token


@pytest.mark.parametrize("lang", ["pt", "en"])
def test_every_emoji_is_one_token(lang: str) -> None:
    signs = list(EMOJI_DATA)
    assert splitter(lang).split_all(signs) == [[sign] for sign in signs]


def test_emoji_that_touch_are_told_apart() -> None:
    assert run("tokenize", "bom👍🏿👍🏻🇧🇷🏳️‍🌈1️⃣ruim") == "bom 👍🏿 👍🏻 🇧🇷 🏳️‍🌈 1️⃣ ruim"
    assert run("tokenize", "a\u200d \ufe0f b\ufe0f") == "a b"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("DON'T BUY", "DO N'T BUY"), ("I CANNOT", "I CAN NOT"), ("cant buy", "ca nt buy"),
        ("DIDNT WORK", "DID NT WORK"), ("WON’T GO", "WO N’T GO"), ("ID", "ID"),
    ],
)  # fmt: skip
def test_english_negations_are_tokens_in_any_case(text: str, tokens: str) -> None:
    assert run("tokenize --lang en", text) == tokens


@pytest.mark.parametrize("word", ["DON'T", "don't", "dont", "CANNOT", "cant", "DIDNT", "ISN’T"])
def test_a_negation_is_no_stop_word(word: str) -> None:
    left = run("stopwords --lang en", f"I {word} buy").lower().replace("’", "'")
    assert {"n't", "nt", "not"} & set(left.split())
    assert word in run("stopwords", f"I {word} buy")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("Fi-lo", "Fiz o"), ("amá-lo", "amar o"), ("di-lo", "diz o"), ("pu-la", "pus a"),
        ("trá-lo", "traz o"), ("qué-lo", "quer o"), ("Amá-lo-íamos", "Amaríamos o"),
        ("Dá-lo-ei", "Darei o"), ("far-lhe-ão", "farão lhe"), ("pô-lo-emos", "poremos o"),
        ("vamo-nos", "vamos -nos"), ("Viram-no", "Viram o"), ("dão-na", "dão a"),
        ("Ei-lo", "Eis o"), ("Disse-mo", "Disse me o"), ("contaram-lhas", "contaram lhe as"),
        ("Vo-lo", "Vos o"), ("deu-no-lo", "deu -nos o"), ("convido-os", "convido os"),
        ("FAZÊ-LO", "FAZER O"), ("COMPREI-A", "COMPREI A"), ("pô-lo", "pôr o"),
        ("condu-lo", "conduz o"), ("pedi-lo", "pedir o"), ("predi-lo", "prediz o"),
        ("fê-lo", "fez o"), ("foi-se-lhe", "foi se lhe"), ("partir-se-á", "partirá se"),
        ("daqui", "de aqui"), ("dali", "de ali"), ("daí", "de aí"), ("dacolá", "de acolá"),
        ("donde", "de onde"), ("dentre", "de entre"), ("aonde", "a onde"), ("doutro", "de outro"),
        ("dalgum", "de algum"), ("nalguma", "em alguma"), ("àquilo", "a aquilo"),
        ("prum", "para um"), ("pros", "para os"), ("cum", "com um"), ("lho", "lhe o"),
        ("d'água", "de água"), ("d’Ávila", "de Ávila"), ("n'Os", "em Os"), ("co'a", "com a"),
    ],
)  # fmt: skip
def test_contractions_and_clitics_in_their_full_forms(token: str, words: str) -> None:
    assert " ".join(split(token)) == words


@pytest.mark.parametrize(
    "token",
    [
        "103-A",
        "hepatite-A",
        "hepatite-a",
        "Série-A",
        "série-a",
        "SÉRIE-A",
        "5-O",
        "bem-te-vi",
        "bem-me-quer",
        "louva-a-deus",
        "copo-d’água",
        "pra",
        "to",
        "ta",
        "mas",
        "consigo",
        "coa",
        "doravante",
        "casa",
        "-nos",
    ],
)
def test_only_verbs_have_clitics(token: str) -> None:
    assert split(token) == (token,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("O MacBook Pro e o S9 Pro vão pro lixo", "O MacBook Pro e o S9 Pro vão para o lixo"),
        ("Num Lock? Num dia! A tecla Num", "Em um Lock ? Em um dia ! A tecla Num"),
        ("Gostei. Pro meu pai, bom", "Gostei . Para o meu pai , bom"),
        ("Vou No Mercado Do Zé", "Vou Em o Mercado De o Zé"),
        ("VOU PRO SUL", "VOU PARA O SUL"),
        ("Nos vamos e nos vemos", "Nos vamos e nos vemos"),
        ("NOS VAMOS", "NOS VAMOS"),
        ("Nos próximos e nos últimos", "Em os próximos e em os últimos"),
        ("nos termos, nos ramos", "em os termos , em os ramos"),
    ],
)
def test_names_and_pronouns_are_no_contractions(text: str, words: str) -> None:
    assert run("tokenize --contractions split", text) == words
    assert run("tokenize --contractions split", words) == words


def test_a_code_is_its_own_lemma() -> None:
    assert {"103-A", "hepatite-A"} <= set(run("lemmatize", "A hepatite-A e o 103-A da lei").split())


VERBS = [
    "fi",
    "deu",
    "viram",
    "vamo",
    "amá",
    "fazê",
    "partir",
    "disse",
    "ei",
    "no",
    "vo",
    "põe",
    "comprei",
    "compus",
    "pelo",
    "série",
    "da",
    "3",
    "à",
]
CLITICS = [
    "o",
    "a",
    "os",
    "as",
    "lo",
    "la",
    "no",
    "na",
    "nos",
    "me",
    "te",
    "se",
    "lhe",
    "lhes",
    "vos",
    "mo",
    "ta",
    "lho",
    "á",
    "ei",
    "íamos",
    "ia",
    "A",
]
PLAIN_WORDS = ["nos", "Nos", "vamos", "do", "pelo", "daqui", "Pro", "Num", "."]
HYPHENED = st.builds(
    "-".join, st.tuples(st.sampled_from(VERBS), st.sampled_from(CLITICS))
    | st.tuples(st.sampled_from(VERBS), st.sampled_from(CLITICS), st.sampled_from(CLITICS))
)  # fmt: skip
ELIDED = st.builds("{}'{}".format, st.sampled_from(["d", "n", "co", "D"]), st.sampled_from(
    ["água", "ele", "da", "amá-lo", "Os", "aquele", "d'ali"]
))  # fmt: skip


@given(st.lists(HYPHENED | ELIDED | st.sampled_from(PLAIN_WORDS), max_size=5))
def test_splitting_contractions_twice_changes_nothing(tokens: list[str]) -> None:
    step = "tokenize --contractions split"
    once = run(step, " ".join(tokens))
    assert run(step, once) == once


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("O Sr. Silva, a Dra. Ana e a Profa. Lima moram no apto. 3.", 1),
        ("A loja X Ltda., etc., fica na pág. 10 e nas págs. 3-5.", 1),
        ("No séc. XIX, de jan. a dez., obs.: nada.", 1),
        ('"Ótimo!", disse ela. não gostei. veio quebrado!!', 3),
        ("Gostei de vc. Nota dez. Comprei na X Ltda. Recomendo.", 4),
    ],
)
def test_sentences_go_on_behind_titles_and_before_commas(text: str, count: int) -> None:
    assert run("tokenize --sentences", text).split("\t") == STEPS["tokenize --sentences"](text)
    assert len(STEPS["tokenize --sentences"](text)) == count


def test_numbers_are_times_too_and_no_hearts() -> None:
    before = "I <3 U às 15h30, 15:30h, 8h e 12:30; <30 e </3"
    after = "I <3 U às numero, numero, numero e numero; <numero e </3"
    assert run("clean --numbers token", before) == after


def test_a_full_stop_after_a_word_with_a_letter_is_a_token() -> None:
    assert run("tokenize", "É a hepatite-B. A S.A. subiu.") == "É a hepatite-B . A S.A. subiu ."


def test_the_tags_of_masking_stay_tokens() -> None:
    text = "cpf nº52998224725, fone (11) 98765-4321, mail a@b.com."
    chain = "clean --mask --for none | lemmatize | tokenize"
    assert {"[CPF]", "[TELEFONE]", "[EMAIL]"} <= set(run(chain, text).split())
