"""The step `clean`: its switches and presets."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import pytest
from clean_helpers import cleaned
from conftest import environment

from nlpkit.language.patterns import EMOJI, find
from nlpkit.settings import declaration
from nlpkit.steps import clean

Cases = list[tuple[dict[str, Any], str, str]]


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
def test_examples_match_the_output(line: str, before: str, after: str) -> None:
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


def test_nfc_and_invisible_characters() -> None:
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


def test_links_emails_and_mentions() -> None:
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
            ({"numbers": "token"}, "covid-19 4G 10h 1️⃣ -5 1º", "covid-19 4G numero 1️⃣ numero numero"),
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


def test_every_emoji_is_recognised() -> None:
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


def test_options_override_the_preset() -> None:
    assert cleaned("Oi @ana!!", "bow", users="token", lower=False) == "Oi usuario"
    assert cleaned("<b>oi</b>  !", "default", html=False) == "<b>oi</b> !"


def test_describe_lists_the_options_in_effect() -> None:
    fields = {field.name: field for field in dataclasses.fields(clean.Options)}
    assert fields["preset"].metadata["flag"] == "for"
    assert all("\n" not in field.metadata["help"] for field in fields.values())
    problems: list[str] = []
    made = declaration.build(clean.Options, {"preset": "bow", "urls": "keep"}, "clean", problems)
    assert not problems and made == clean.Options(preset="bow", urls="keep")


def test_disabled_options_import_nothing() -> None:
    code = (
        "import sys; from nlpkit.steps import clean\n"
        "clean.build(clean.Options(preset='bow'))(['a'])\n"
        "sys.exit(any(name in sys.modules for name in ('emoji', 'phonenumbers', 'validate_docbr')))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 0
