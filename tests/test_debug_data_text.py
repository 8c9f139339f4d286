"""nlpkit debug-data on texts: damage, language, length and line numbers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from conftest import grows_evenly
from debug_data_helpers import CLEAN, Row, found, here as here, places, save

from nlpkit.language.detect import foreign


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("NÃ£o gostei", "mojibake"),
        ("é Ã©, Ãºnico", "mojibake"),
        ("itâ€™s fine", "mojibake"),
        ("n\ufffdo gostei", "lost-letters"),
        ("cut emoji \ud83d", "lost-letters"),
        ("bom\x00", "control"),
        ("bom \x93aspas\x94", "control"),
    ],
)
def test_damaged_text_is_reported(text: str, check: str) -> None:
    one = found(save("a.jsonl", [*CLEAN, (text, "yes")]))
    assert places(one[check]) == ["a.jsonl:41"]
    assert one[check]["severity"] == ("warning" if check == "control" else "error")
    many = [(f"{n} linhas sem nada", "yes" if n % 2 else "no") for n in range(300)]
    assert found(save("a.jsonl", [*many, (text, "yes")]))[check]["severity"] == "warning"


@pytest.mark.parametrize(
    "text",
    [
        "NÃO É POSSÍVEL! SÃO PAULO",
        "que saco ¬¬",
        "«avião» – “aspas” … 5 €",
        "Ângela à toa, naïve café Ãngelo",
        "😀👍🏽",
        "linha\tcom tab\r\ne outra",
        "São João 100% © ®",
    ],
)
def test_sound_text_is_not_reported(text: str) -> None:
    assert found(save("a.jsonl", [*CLEAN, (text, "yes")])) == {}


def test_wrong_encoding_is_reported_as_mojibake() -> None:
    lines = "".join(f"não é tão bom {n}\n" for n in range(30))
    Path("a.txt").write_text(lines, encoding="utf-8")
    assert found("a.txt", encoding="latin-1")["mojibake"]["count"] == 30


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("I really think that this is not what they were looking for", "pt", "en"),
        ("Creo que los que lo dicen no han estado muy bien con ella", "pt", "es"),
        ("Eu acho que isso não foi o que eles estavam a procurar", "en", "pt"),
        ("Good!", "pt", ""),
        ("the best", "pt", ""),
        ("I'm at Praça do Papa in Belo Horizonte, MG https://t.co/the/and/of/is", "pt", ""),
        ("ha ha ha ha ha ha ha ha ha ha", "pt", ""),
        ("Adorei o filme The Lord of the Rings, é muito bom", "pt", ""),
        ("", "pt", ""),
    ],
)
def test_only_clearly_foreign_text_is_detected(text: str, lang: str, expected: str) -> None:
    assert foreign(text, lang) == expected


def test_language_is_checked_only_on_request() -> None:
    name = save("a.jsonl", [*CLEAN, ("This was not what I have asked them for", "no")])
    assert found(name) == {} and found(name, lang="any") == {}
    assert found(name, lang="pt")["language"]["examples"][0]["note"] == "English"
    assert found(name, lang="en") == {}  # short Portuguese texts are not detected either


def test_truncation_is_estimated_or_counted_by_a_model() -> None:
    rows: list[Row] = [*CLEAN, ("inconstitucionalissimamente " * 200, "yes")]
    name = save("a.jsonl", rows)
    one = found(name)["truncated"]
    assert one["severity"] == "info" and "256 tokens, estimated" in one["message"]
    assert one["examples"][0]["note"] == "280 tokens"
    assert found(name, window=280) == {}
    counted = found(name, model="sentiment", window=280)["truncated"]
    assert "280 tokens, as sentiment counts them" in counted["message"]


def test_reported_lines_match_the_file_in_every_format() -> None:
    table = 'text;label\n"duas\nlinhas";a\n"a mesma";a\n\n"mais\n\nlinhas\n";b\nA MESMA;a\n'
    Path("a.csv").write_text(table, encoding="utf-8")
    with gzip.open("a.tsv.gz", "wt", encoding="utf-16") as stream:
        stream.write("text\tlabel\numa\\nlinha\ta\na mesma\ta\nA MESMA\ta\n")
    Path("a.txt").write_bytes(b"\xef\xbb\xbfum\r\n\r\na mesma\r\nA mesma")
    for name, encoding, lines in (
        ("a.csv", None, [4, 10]),
        ("a.tsv.gz", "utf-16", [3, 4]),
        ("a.txt", None, [3, 4]),
    ):
        repeated = found(name, encoding=encoding)["repeated"]
        assert places(repeated) == [f"{name}:{line}" for line in lines]


def test_time_grows_linearly_with_rows() -> None:
    def work(count: int) -> None:
        assert found(f"{count}.jsonl", lang="pt") == {}

    for count in (2_500, 20_000):
        texts = (f"o produto número {n} chegou não é ruim" for n in range(count))
        save(f"{count}.jsonl", [(text, n % 3) for n, text in enumerate(texts)])
    assert grows_evenly(work, 2_500)
