"""The step `clean`: its switches, presets and masks; and that twice is the same as once."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from conftest import environment
from hypothesis import HealthCheck, given, settings, strategies as st

from nlpkit.language.patterns import EMOJI, NEEDS, find
from nlpkit.settings import declaration
from nlpkit.steps import clean

Cases = list[tuple[dict[str, Any], str, str]]


def cleaned(text: str, preset: str = "none", **options: Any) -> str:
    (result,) = clean.build(clean.Options(preset=preset, **options))([text])  # type: ignore[arg-type]
    return str(result)


def parsed(line: str) -> dict[str, Any]:
    """Return options from `--name value` and `--switch`."""
    flags = {field.metadata["flag"]: field.name for field in dataclasses.fields(clean.Options)}
    words = line.split()
    options: dict[str, Any] = {}
    for number, word in enumerate(words):
        if word.startswith("--"):
            after = words[number + 1 : number + 2]
            value = after[0] if after and not after[0].startswith("--") else True
            options[flags.get(word[2:], word[2:])] = value
    return options


@pytest.mark.parametrize(("line", "before", "after"), clean.EXAMPLES)
def test_examples_are_true(line: str, before: str, after: str) -> None:
    assert cleaned(before, **{"preset": "default"} | parsed(line)) == after


def check(cases: Cases) -> None:
    wrong = [(o, before, cleaned(before, **o), after) for o, before, after in cases]
    assert not [case for case in wrong if case[2] != case[3]]


def test_html() -> None:
    html = {"html": True}
    stays = ("a < b", "eu <3 vc", "x<y and y>z", "if a <b or c> d", "AT&T", "?a=1&copy=2", "&foo;")
    stays += ("<user> oi", "<http://a.b>", "<!-- sem fim", "< b >", "<>")
    check([(html, text, text) for text in stays])
    check(
        [
            (html, "caf&eacute; &amp; p&atilde;o", "café & pão"),
            (html, "&amp;amp;lt;b&amp;gt;oi", "oi"),
            (html, "pala<b>vra</b>", "palavra"),
            (html, "fim<br/>come&ccedil;o", "fim começo"),
            (html, '<a href="http://a.b/?x=1">aqui</a>!', "aqui!"),
            (html, "<P CLASS='x'>um<p>dois", " um dois"),
            (html, "a<script type=x>var b = '<b>';</script>c", "a c"),
            (html, "a<!-- b <i> -->c<style>p {}</style >d", "a c d"),
            (html, "<o:p>Word</o:p>", " Word "),
            (html, "<script> sem fim", "  sem fim"),
            (html, "&#55357; &#0;|", " |"),
            (html, "<<b>br>fim", " fim"),
        ]
    )


def test_nfc_and_the_invisible() -> None:
    nfc = {"nfc": True}
    check(
        [
            (nfc, "cafe\u0301", "café"),
            (nfc, "e\u200b\u0301", "é"),
            (nfc, "ht\u200btp co\u00adres \ufeffoi\u202e", "http cores oi"),
            (nfc, "a\x00b\x1b\ud800c", "abc"),
            (nfc, "👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 👍🏽", "👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 👍🏽"),
            (nfc, "a\u200db ?\ufe0f ❤\u200d", "ab ? ❤"),
            (nfc, "um\tdois\n", "um\tdois\n"),
        ]
    )


def test_addresses() -> None:
    drop, token = {"urls": "drop"}, {"urls": "token"}
    check(
        [
            (token, "veja (https://a.b/c).", "veja (url)."),
            (token, "https://pt.wikipedia.org/wiki/Foo_(bar), e www.x.com!", "url, e url!"),
            (token, "lindohttps://t.co/x1😍", "lindo url 😍"),
            (token, "bit.ly/x1 e pic.twitter.com/abc", "url e url"),
            (token, "uol.com.br e/ou km/h 1/2 fim.Começo", "uol.com.br e/ou km/h 1/2 fim.Começo"),
            (token, "https://t.co/ab…", "url"),
            (drop, "fonte (www.g1.com). Fim", "fonte. Fim"),
            (drop, "a https://b.c d", "a d"),
            ({"emails": "token"}, "ana.b+c@x.com.br, ..eu@x.org", "email, ..email"),
            ({"emails": "drop", "users": "token"}, "ana@x.com @ana", " usuario"),
            ({"users": "token"}, "@ana: @@bia, @c@d", "usuario: usuario, usuario"),
            ({"users": "token"}, "@ana.maria. @bia.Oi", "usuario. usuario.Oi"),
            (
                {"users": "token", "lang": "en"},
                "@ana, tod@s ana@b.co @ 5",
                "user, tod@s ana@b.co @ 5",
            ),
            ({"users": "drop"}, "oi @ana!", "oi!"),
            ({"users": "drop"}, "https://medium.com/@ana/x", "https://medium.com/@ana/x"),
            ({"hashtags": "token"}, "#BomDia #1 C# a#b", "hashtag #1 C# a#b"),
            ({"hashtags": "drop"}, "oi #a#b fim", "oi fim"),
        ]
    )


def test_hashtags_become_words() -> None:
    words = {"hashtags": "words"}
    check(
        [
            (words, "#BomDia #MasterChefBR #JFClipping", "Bom Dia Master Chef BR JF Clipping"),
            (words, "#Eleições2018 #covid19 #foraPT", "Eleições 2018 covid19 fora PT"),
            (words, "😬#ÉHoje_sim#agora.", "😬 É Hoje sim agora."),
        ]
    )


def test_numbers() -> None:
    drop = {"numbers": "drop", "whitespace": True}
    check(
        [
            ({"numbers": "token"}, "R$ 3,50 em 10/05/2020 às 12:30", "numero em numero às numero"),
            ({"numbers": "token"}, "covid-19 4G 10h 1️⃣ -5 1º", "covid-19 4G 10h 1️⃣ numero numero"),
            ({"numbers": "token", "lang": "en"}, "$5.99 @ana_10", "number @ana_10"),
            (drop, "50% de 1.000.000, 2-1.", "de,."),
            (drop, "https://a.b/10 x@y2.com #a10 20", "https://a.b/10 x@y2.com #a10"),
        ]
    )


def test_punctuation() -> None:
    drop = {"punctuation": "drop", "whitespace": True}
    check(
        [
            (drop, "guarda-chuva, d'água: R$ 3,50!", "guarda-chuva d'água R 3,50"),
            (drop, "- 'oi' -- a_b _c_ “x” ½ 1.000,00.", "oi a_b c x ½ 1.000,00"),
            (drop, "oi,tudo/nada 10/05 12:30 P&G tod@s", "oi tudo nada 10/05 12:30 P&G tod@s"),
            (
                drop,
                "(https://a.b/c?d=1), ana@x.com @ana_ #tag!",
                "https://a.b/c?d=1 ana@x.com @ana_ #tag",
            ),
            (drop, "adorei :) <3 😍! 1️⃣ ❤️ :D", "adorei :) <3 😍 1️⃣ ❤️ :D"),
            (drop | {"emoji": "drop"}, "adorei :) <3 😍! 1️⃣ ❤️ :D", "adorei"),
            (drop, "a 𝛁 ≠ + b", "a b"),
            (drop, "[CPF] [TELEFONE]", "[CPF] [TELEFONE]"),
            (drop, "हिन्दी।", "हिन्दी"),
        ]
    )


def test_repeats() -> None:
    on = {"repeats": True}
    stays = "carro nosso cooperar veem BBB DDD III VIII xiii 1000000 www.aaa.com @aaana #boaaa 5aaa"
    stays += (
        " https://t.co/kkkaaa ana.aaa@bbb.com kkk haha hehe rsrs ok aff ele... srs sushi aha uhu"
    )
    check([(on, text, text) for text in stays.split()])
    check(
        [
            (on, "muuuito goooool beeeem liiindo tããão", "muito gol bem lindo tão"),
            (on, "MUUUITO carrrro nosssssa adoreiii", "MUITO carro nossa adorei"),
            (on, "kkkkkkk kk KKKKK amorkkkkk kkkkkj okkkk", "kkk kkk kkk amor kkk kkk ok"),
            (on, "hahahaha HAHAH ahahaha hehehe hauhauhau", "haha haha haha hehe haha"),
            (on, "rsrsrsrs rsrsr rsss ksksksk", "rsrs rsrs rs ksks"),
            (
                on,
                "aaaaaa, oi!!!! Quê??!?! sei..... :)))) <333 ---",
                "aaa, oi! Quê?! sei... :) <3 -",
            ),
            (on, "😂😂😂 ❤️❤️ 👏🏻👏🏻 🇧🇷🇧🇷 👩👩\u200d👧", "😂 ❤️ 👏🏻 🇧🇷 👩👩\u200d👧"),
            (on | {"lang": "en"}, "goooood sooo", "good soo"),
            (on | {"emoji": "words"}, "😂😂😂", "rosto chorando de rir"),
        ]
    )


def test_case_accents_and_white_space() -> None:
    check(
        [
            ({"lower": True}, "ÁRVORE İ ΟΔΟΣ [CPF] João", "árvore i̇ οδος [CPF] joão"),
            ({"accents": "strip"}, "São João é ñandu Ç ≠ º", "Sao Joao e nandu C ≠ º"),
            ({"whitespace": True}, "\n a\t\u00a0b\u2003 c\r\n", "a b c"),
            ({"lower": True, "accents": "strip"}, "İ", "i"),
        ]
    )


def test_emoji() -> None:
    words = {"emoji": "words"}
    check(
        [
            (words, "bom😍😂", "bom rosto sorridente com olhos de coração  rosto chorando de rir"),
            (words, "@ana👍 ★", "@ana polegar para cima ★"),
            (words | {"lang": "en"}, "👍", "thumbs up"),
            (words, "👨\u200d🐶", "homem rosto de cachorro"),
            ({"emoji": "drop"}, "a👨\u200d👩\u200d👧b 🇧🇷 ok :-) ™", "a b   ok   ™"),
            (
                {"emoji": "drop"},
                "https://a.b 12:30 (veja: sim) nota:P2",
                "https://a.b 12:30 (veja: sim) nota:P2",
            ),
        ]
    )


def test_every_emoji_is_known() -> None:
    emoji = pytest.importorskip("emoji")
    known = find(EMOJI)
    assert [e for e in emoji.EMOJI_DATA if not known.fullmatch(e)] == ["©", "®", "™"]
    dropped = clean.build(clean.Options(preset="none", emoji="drop"))(list(emoji.EMOJI_DATA))
    assert set(dropped) == {" ", "©", "®", "™"}


TWEET = "RT @ana: Ameeei!!! 😍😍 &lt;3 #BomDia kkkkkk R$ 10,50 (https://t.co/x) a@b.com"
REVIEW = "<b>Ótimo</b>&nbsp;produto,  chegou em 2 dias... Recomendoooo!!! www.loja.com/x"


@pytest.mark.parametrize(
    ("preset", "tweet", "review"),
    [
        ("none", TWEET, REVIEW),
        (
            "default",
            "RT @ana: Ameeei!!! 😍😍 <3 #BomDia kkkkkk R$ 10,50 (https://t.co/x) a@b.com",
            "Ótimo produto, chegou em 2 dias... Recomendoooo!!! www.loja.com/x",
        ),
        (
            "social",
            "RT usuario: Amei! 😍 <3 Bom Dia kkk R$ 10,50 (url) email",
            "Ótimo produto, chegou em 2 dias... Recomendo! url",
        ),
        (
            "reviews",
            "RT @ana: Amei! 😍 <3 #BomDia kkk R$ 10,50",
            "Ótimo produto, chegou em 2 dias... Recomendo!",
        ),
        (
            "news",
            "RT @ana: Ameeei!!! 😍😍 <3 #BomDia kkkkkk R$ 10,50",
            "Ótimo produto, chegou em 2 dias... Recomendoooo!!!",
        ),
        ("bow", "rt amei bom dia kkk", "ótimo produto chegou em dias recomendo"),
    ],
)
def test_presets(preset: str, tweet: str, review: str) -> None:
    assert cleaned(TWEET, preset) == tweet
    assert cleaned(REVIEW, preset) == review


def test_an_option_wins_over_its_preset() -> None:
    assert cleaned("Oi @ana!!", "bow", users="token", lower=False) == "Oi usuario"
    assert cleaned("<b>oi</b>  !", "default", html=False) == "<b>oi</b> !"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CPF 123.456.789-00 (errado)", "CPF [CPF] (errado)"),
        ("cpf:52998224725, 529 982 247 25", "cpf:[CPF], [CPF]"),
        ("CNPJ 12.345.678/0001-00 e 11222333000181", "CNPJ [CNPJ] e [CNPJ]"),
        ("12.ABC.345/01DE-35 ou 12abc345/01DE-35", "[CNPJ] ou 12abc345/01DE-35"),
        ("12ABC34501DE35 e 47960950/0001-21", "[CNPJ] e [CNPJ]"),
        ("529.982.247-2512.345.678/0001-95.529.982.247-25", "[CPF][CNPJ].[CPF]"),
        ("CEP 01310-100, 01.310-100; cep: 01310100", "CEP [CEP], [CEP]; cep: [CEP]"),
        ("(11) 98765-4321 / 11987654321 / 99999-8888", "[TELEFONE] / [TELEFONE] / [TELEFONE]"),
        ("+55 11 3456-7890 e +351 912 345 678", "[TELEFONE] e [TELEFONE]"),
        ("ligue 3456-7890 ou tel 1134567890", "ligue [TELEFONE] ou tel [TELEFONE]"),
        ("(63)99867140", "[TELEFONE]"),
        ("wa.me/5511987654321", "wa.me/[TELEFONE]"),
        ("ana.maria@x.com.br", "[EMAIL]"),
        ("529.982.<b>247</b>-25&#32;", "[CPF]"),
        ("529.982.\u200b247-25", "[CPF]"),
    ],
)
def test_masks_hide(before: str, after: str) -> None:
    assert cleaned(before, "default", mask=True) == after


@pytest.mark.parametrize(
    "text",
    [
        "R$ 1.234.567,89 e US$ 21.987.654.321",
        "10/05/2020 12:30:45, de 2019-2020 e 2020-05-10",
        "52998224726 e 11222333000182 não conferem",
        "pedido 4733456789, protocolo nº 11987654321, pedido 02-974533050",
        "faixa de 3000-4000 reais",
        "10.000.000.000 de pessoas, 130.000.000 de dólares",
        "boleto 00190.00009 02942.197001 02479.394179",
        "benefício 182.669.410-0, dia 30. 07.2025, motor 1.6 2015/2016",
        "https://g1.com/empresas/2015-11-09/x https://a.com/p/1946467621",
        "protocolo 000.897.955.111/2018, conta 1.123.456.789-12",
        "cartão 1234-5678-9012-3456",
        "em 1984, 20 mil em 2 dias e 15% a mais",
        "@ana e tod@s",
        "código AB123456789BR",
    ],
)
def test_masks_leave(text: str) -> None:
    assert cleaned(text, "default", mask=True) == text


def test_masks_outlive_every_other_option() -> None:
    text = "Ana: 529.982.247-25, ana@x.com, (11) 98765-4321, https://x.com/?cpf=529.982.247-25"
    assert cleaned(text, "bow", mask=True) == "ana [CPF] [EMAIL] [TELEFONE] [CPF]"
    assert cleaned(cleaned(text, mask=True), "bow") == "ana [CPF] [EMAIL] [TELEFONE] [CPF]"


def choices(hint: Any) -> list[Any]:
    """Return every value that a field of this type can have."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return [None, *choices(get_args(hint)[0])]
    return [False, True]


HINTS = get_type_hints(clean.Options)
OPTIONS = st.builds(
    clean.Options, **{name: st.sampled_from(choices(hint)) for name, hint in HINTS.items()}
)
NASTY = (
    "&amp;lt;b&gt;|<<b>b>|&#38;#38;|&semi;|&lt|&#x26;|<b|<|>|&|<br>|</|<script>|</script>|<!--|-->"
    "|@@a|@|@ana|a@b.co|##|#|#BomDia|#a#b|http://|https://a.b/c|www.|bit.ly/|.com/|//|aaa|aaa\u0301"
    "|\u0301|e\u0301|İ|ΑΣ|Σ|ﬁ|ſ|\u212a|ẞ|\u0958|\u2126|ᄒ|ᅡ|=\u0338|१|²|½|Ⅷ|1.|1|,|3,50|R$ |%|º|.|:"
    "|/|-|_|'|’|(|)|[|]|[CPF]|[EMAIL|kkk|kk|haha|ha|h|u|rsr|rs|sks|III|XVIII|x|BBB|!!|?|...|…|~|*|\\|+"
    "|😂|👩\u200d👩|👍🏽|🇧🇷|🇧|1️⃣|#️⃣|\u20e3|©|\ufe0f|\u200d|™|★|❤|:)|:|<3|D|carrro|s|url|usuario|numero"
    "|123.456.789-09|52998224725|11987654321|(11) 98765-4321|01310-100|CEP |12.345.678/0001-95|tel "
    "|12ABC34501DE35|\u00ad|\u200b|\x00|\x1c|\x85|\u2028|\u3000|\ud800|\udc00|\U000e0067| |\n|\t"
)
FRAGMENTS = NASTY.split("|")
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters()), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=30),  # half surrogate pairs too
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(OPTIONS, st.lists(TEXTS, min_size=1, max_size=8))
def test_cleaning_twice_is_cleaning_once(options: clean.Options, texts: list[str]) -> None:
    step = clean.build(options)
    once = step(texts)
    assert step(once) == once
    assert [clean.build(options)([text])[0] for text in texts[:1]] == once[:1]


@given(TEXTS)
def test_a_search_is_spared_only_where_nothing_is_found(text: str) -> None:
    for pattern, needs in NEEDS.items():
        assert needs(text) or not find(pattern).search(text), pattern


@pytest.mark.parametrize("trap", ["<b" * 500 + ">" * 500, "&lt" + "&semi;" * 500 + ";b>oi"])
def test_a_trap_settles(trap: str) -> None:
    once = cleaned(f"antes {trap} depois", "default")
    assert once.startswith("antes ") and once.endswith(" depois")
    assert cleaned(once, "default") == once


@given(st.lists(st.text("abcdãéç", min_size=1), max_size=6).map(" ".join))
def test_the_default_leaves_words_alone(text: str) -> None:
    assert cleaned(text, "default") == text


def test_a_text_with_nothing_to_clean_is_the_same_object() -> None:
    class Verbatim(str):
        pass

    text = Verbatim("nada a fazer")
    assert clean.build(clean.Options())([text])[0] is text


UNITS = (
    "a < & @ # 1 k . ! <b <!-- --><!-- &amp; http:// http://( www. a. @a. a@ a@a. #1 ha ka rs ahu"
    " 1. 1- (1 R$ 😂 👩\u200d 🇧 \u0301 <3 :( [ [CPF] a- İ \u200b &semi; <script> 529.982.247-25 +1"
)


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "social"},
        {"preset": "bow", "accents": "strip"},
        {"preset": "reviews", "emoji": "words", "numbers": "token", "punctuation": "drop"},
        {"mask": True},
    ],
)
def test_no_text_takes_long(options: dict[str, Any]) -> None:
    step = clean.build(clean.Options(**options))
    for unit in UNITS.split():
        start = time.process_time()
        step([unit * (20_000 // len(unit)), unit * (20_000 // len(unit)) + "x"])
        assert time.process_time() - start < 1, (options, unit)


def test_options_are_described() -> None:
    fields = {field.name: field for field in dataclasses.fields(clean.Options)}
    assert fields["preset"].metadata["flag"] == "for"
    assert all("\n" not in field.metadata["help"] for field in fields.values())
    problems: list[str] = []
    made = declaration.build(clean.Options, {"preset": "bow", "urls": "keep"}, "clean", problems)
    assert not problems and made == clean.Options(preset="bow", urls="keep")


def test_what_is_off_is_not_imported() -> None:
    code = (
        "import sys; from nlpkit.steps import clean\n"
        "clean.build(clean.Options(preset='bow'))(['a'])\n"
        "sys.exit(any(name in sys.modules for name in ('emoji', 'phonenumbers', 'validate_docbr')))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 0
