"""Extractive summaries: the sentences that are chosen, and the command `summarise`."""

from __future__ import annotations

import csv
import io
import json
import warnings
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from conftest import Cli, grows_evenly
from hypothesis import given, strategies as st

from nlpkit.cli.screen.answers import show
from nlpkit.errors import Note, UsageError
from nlpkit.jobs.summarise import extracts, share_of
from nlpkit.records.reading import Reading
from nlpkit.summarizing.extract import DAMPING, Extractor, Graph, centrality
from nlpkit.summarizing.sentences import blocks, documents_in_sentences

FRIDGE = (
    "Olá, tudo bem com todos vocês aí? Comprei uma geladeira nova e a geladeira chegou com "
    "defeito na porta. O dia estava bonito e fui passear com meu cachorro. A loja não troca a "
    "geladeira com defeito e não devolve o dinheiro. Espero resposta da loja sobre a troca da "
    "geladeira. Abraços a todos."
)
CENTRAL = "Comprei uma geladeira nova e a geladeira chegou com defeito na porta."
REPORT = """Relatório anual da horta

Introdução

A horta do bairro nasceu há três anos, quando um grupo de
moradores limpou o terreno ao lado da escola. Hoje a horta
alimenta cerca de sessenta famílias do bairro.

- 34 voluntários
- 3 mutirões por mês

A água da horta foi o maior problema do ano: o poço secou.
A prefeitura prometeu água para a horta, mas a obra atrasou.
"""


def summary(text: str, sentences: int = 3, **options: object) -> list[str]:
    return Extractor(sentences=sentences, **options)([text])[0]  # type: ignore[arg-type]


def test_the_sentences_that_others_resemble_are_chosen_in_the_order_of_the_text() -> None:
    assert summary(FRIDGE, 1) == [CENTRAL]
    three = summary(FRIDGE, 3)
    assert three[0] == CENTRAL and three == sorted(three, key=FRIDGE.index)
    assert all("loja" in each for each in three[1:])


def test_a_short_text_is_its_own_summary() -> None:
    assert summary("Bom. Bom. Bom!") == ["Bom.", "Bom.", "Bom!"]
    assert summary("sem pontuação nenhuma", 1) == ["sem pontuação nenhuma"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\r\n \t", "\u200b"])
def test_a_blank_text_has_no_sentences(text: str) -> None:
    assert summary(text) == []


def test_text_is_composed_and_has_single_spaces() -> None:
    decomposed = normalize("NFD", FRIDGE).replace(" ", " \t ")
    assert summary(decomposed) == summary(FRIDGE)


def test_odd_texts() -> None:
    assert summary("😍😍! 👍🏽. 😡? ...", 1) == ["😍😍!"]
    assert summary("a\ud800b. c. d.", 1)[0]
    assert summary("palavra " * 20_000) == [" ".join(["palavra"] * 20_000)]
    assert len(summary("de o a. e que se. com por em.", 2)) == 2  # stop words alone


def test_a_sentence_that_repeats_a_chosen_one_is_left_out() -> None:
    other = "A entrega do pedido demorou quinze dias úteis."
    text = " ".join([CENTRAL, CENTRAL.replace("nova", "cara"), other, CENTRAL, CENTRAL])
    assert summary(text, 2) == [CENTRAL, other]
    assert summary(text, 4) == [CENTRAL, other]


def test_the_share_of_sentences() -> None:
    text = " ".join(
        f"O canteiro número {number} tem alface e couve{number}." for number in range(20)
    )
    assert len(summary(text, ratio=0.1)) == 2 and len(summary(text, ratio=0.01)) == 1
    assert len(summary(FRIDGE, ratio=1.0)) == 6
    assert [share_of(share) for share in ("20%", "0.2", "100%", " 1 ")] == [0.2, 0.2, 1.0, 1.0]


@pytest.mark.parametrize("share", ["", "0", "0%", "-5%", "101%", "20", "20%%", "nan", "inf", "um"])
def test_a_wrong_share_is_refused(share: str) -> None:
    with pytest.raises(UsageError, match="such as 20% or 0.2"):
        extracts("pt", None, share)


def test_numbers_of_sentences_are_checked() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        extracts("pt", 0, None)
    with pytest.raises(UsageError, match="exclude each other"):
        extracts("pt", 1, "20%")


def test_headings_and_list_items_are_no_sentences_and_wrapped_lines_go_on() -> None:
    found = blocks(REPORT)
    assert found[:2] == ["Relatório anual da horta", "Introdução"]
    assert found[2].startswith("A horta do bairro") and found[2].count("\n") == 2
    assert found[3:5] == ["- 34 voluntários", "- 3 mutirões por mês"] and len(found) == 6
    two = summary(REPORT, 2)
    assert two[0].startswith("A horta do bairro nasceu há três anos, quando um grupo de moradores")
    assert summary(REPORT.replace("\n", "\r\n"), 2) == two
    assert blocks("Lista\nleite\npão\numa linha muito mais longa que as outras.") == [
        "Lista",
        "leite",
        "pão",
        "uma linha muito mais longa que as outras.",
    ]


def test_english() -> None:
    text = "Hello there, all. The new fridge arrived broken. The shop will not replace the fridge."
    assert summary(text, 1, lang="en") == ["The new fridge arrived broken."]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # lingua may be missing
        assert summary(text, 1, lang="auto") == ["The new fridge arrived broken."]


def test_the_centrality_is_that_of_the_whole_matrix_of_cosines() -> None:
    documents = documents_in_sentences([FRIDGE, REPORT], "pt")
    graph = Graph(documents)
    matrix_SC = np.zeros((graph.sentences, graph.columns))
    matrix_SC[graph.sentence_P, graph.column_P] = graph.weight_P
    cosine_SS = matrix_SC @ matrix_SC.T
    np.fill_diagonal(cosine_SS, 0)
    degree_S = cosine_SS.sum(axis=1)
    alone_S = degree_S < 1e-9
    walk_SS = cosine_SS / np.where(alone_S, 1, degree_S)[:, None]
    jump_S = np.full(graph.sentences, DAMPING)
    exact_S = np.linalg.solve(np.eye(graph.sentences) - (1 - DAMPING) * walk_SS.T, jump_S)
    assert alone_S.any() and not alone_S.all()
    assert np.allclose(centrality(graph), exact_S, atol=0.01)
    assert centrality(graph)[alone_S] == pytest.approx(DAMPING)


WORDS = st.sampled_from([*"abcde", "loja", "não", "é", "😍", "10", "Sr.", "\n\n", "- ", "\u0301"])
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from([".", "!", "...", ",", '"'])), max_size=60)


@given(st.lists(TEXTS.map(" ".join), max_size=5), st.integers(1, 4))
def test_a_summary_is_a_part_of_its_text_in_any_company(texts: list[str], count: int) -> None:
    extractor = Extractor(sentences=count)
    summaries = extractor(texts)
    assert summaries == [extractor([text])[0] for text in texts]
    for document, chosen in zip(documents_in_sentences(texts, "pt"), summaries, strict=True):
        left = iter(sentence.text for sentence in document)
        assert all(sentence in left for sentence in chosen)  # in order
        assert min(len(document), 1) <= len(chosen) <= count


def test_time_grows_with_the_length_of_a_text() -> None:
    def work(size: int) -> None:
        rng = np.random.default_rng(0)
        words = [f"palavra{number}" for number in range(200)]
        text = " ".join(" ".join(rng.choice(words, 10)) + "." for _ in range(size))
        assert len(summary(text, ratio=0.2)) <= size / 5

    assert grows_evenly(work, 200)


def test_lines_become_lines(quick_cli: Cli) -> None:
    stdin = f"{FRIDGE}\n\nótimo\n".encode()
    done = quick_cli("summarise", "--sentences", "1", stdin=stdin)
    assert done.stdout.decode() == f"{CENTRAL}\n\nótimo\n"
    assert quick_cli("summarize", "-n", "1", stdin=stdin).stdout == done.stdout
    assert quick_cli("summarise", stdin=b"").stdout == b""


def test_records_get_a_field(quick_cli: Cli, tmp_path: Path) -> None:
    rows = f'id,review\n1,"{FRIDGE}"\n2,\n'
    (tmp_path / "in.csv").write_text(rows, encoding="utf-8")
    options = ("in.csv", "--column", "review", "-n", "1")
    done = quick_cli("summarise", *options)
    read = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert read == [
        {"id": "1", "review": FRIDGE, "summary": CENTRAL},
        {"id": "2", "review": "", "summary": ""},
    ]
    assert not quick_cli("summarise", *options, "-o", "out.xlsx").returncode
    again = quick_cli("summarise", "out.xlsx", "-c", "summary", "--into", "short", "--to", "jsonl")
    first, second = map(json.loads, again.stdout.splitlines())
    assert first["short"] == first["summary"] == CENTRAL and second["short"] == ""


def test_whole_files_are_documents(quick_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(REPORT.replace("\n", "\r\n").encode())
    (tmp_path / "b.txt").write_text("Uma linha só.\n", encoding="utf-8")
    done = quick_cli("summarise", "--whole", "a.txt", "b.txt", "--ratio", "20%")
    one, two = done.stdout.decode().splitlines()
    assert one.startswith("A horta do bairro nasceu há três anos, quando um grupo de moradores")
    assert two == "Uma linha só."
    done = quick_cli("summarise", "--whole", "b.txt", "--to", "jsonl")
    assert json.loads(done.stdout) == {
        "file": "b.txt",
        "text": "Uma linha só.",
        "summary": "Uma linha só.",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--ratio", "zero"), "--ratio zero: give a share"),
        (("-n", "0"), "--sentences 0"),
        (("--ratio", "5%", "-n", "2"), "exclude each other"),
        (("--into", ""), "--into: the name is empty"),
        (("--to", "lines"), "--to lines: not one of"),
    ],
)
def test_errors_are_one_line(quick_cli: Cli, options: tuple[str, ...], said: str) -> None:
    done = quick_cli("summarise", *options, stdin=b"Bom.\n")
    assert done.returncode == 2 and done.stdout == b""
    assert said in done.stderr.decode() and done.stderr.count(b"\n") == 1


def test_the_alias_is_not_listed_but_helps(quick_cli: Cli) -> None:
    assert b"summarize" not in quick_cli("--help").stdout
    assert quick_cli("summarize", "--help").stdout == quick_cli("summarise", "--help").stdout


def test_a_terminal_shows_each_summary_under_its_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    path = tmp_path / "texts.txt"
    path.write_text(f"{FRIDGE}\n\nótimo\n", encoding="utf-8")
    show(extracts("pt", 1, None), Reading(inputs=[str(path)]), quiet=True, min_confidence=0)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Olá, tudo bem com todos vocês aí? Compr…",
        "  Comprei uma geladeira nova e a ",
        "  geladeira chegou com defeito na porta.",
        "",
        "(empty)",
        "",
        "ótimo",
        "  ótimo",
    ]
