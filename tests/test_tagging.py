"""Lemmas and tags: edit scripts, ids of words, CoNLL-U, and the commands with a tagger."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import sentences, tiny_tree, write_jsonl
from hypothesis import given, settings, strategies as st

import nlpkit
from nlpkit import records
from nlpkit.errors import InputError, ModelError
from nlpkit.jobs.export import export
from nlpkit.language.edit_scripts import apply, script_of
from nlpkit.records import Source
from nlpkit.runtime import onepass
from nlpkit.settings import recipe
from nlpkit.tasks import tag
from nlpkit.text.documents import Words
from nlpkit.text.tokenizers import words as tokenizer
from nlpkit.text.tokenizers.words import SLOTS, STYLE, shape
from nlpkit.training import run

Cli = Callable[..., subprocess.CompletedProcess[bytes]]
WORD = st.text(min_size=1, max_size=12) | st.text("aáãçestrzpmoi|", min_size=1, max_size=8)


@given(WORD, WORD)
@settings(max_examples=500)
def test_edit_script_reproduces_its_lemma(form: str, wanted: str) -> None:
    assert apply(script_of(form, wanted), form) == wanted


@pytest.mark.parametrize(
    ("form", "lemma_of", "other", "its_lemma"),
    [
        ("comprava", "comprar", "amava", "amar"),
        ("Meninas", "menina", "CASAS", "casa"),
        ("BRASÍLIA", "Brasília", "SÃO", "São"),
        ("Fernando", "Fernando", "iPhone", "iPhone"),
        ("corações", "coração", "Leões", "leão"),
    ],
)
def test_edit_script_generalises_to_other_words(
    form: str, lemma_of: str, other: str, its_lemma: str
) -> None:
    assert apply(script_of(form, lemma_of), other) == its_lemma


def test_irregular_scripts_apply_only_to_known_forms() -> None:
    rows = [
        {"document": ["foi", "era", "casas"], "lemmas": ["ser", "ser", "casa"], "upos": ["AUX"] * 3}
    ] * 2
    task = tag.Task.from_rows(rows, tag.Config())
    again = tag.Task(task.config, task.labels, task.describe()["irregular"])
    place = task.labels.index(script_of("foi", "ser")) - len(tag.UPOS)
    logits = np.zeros((4, len(task.labels)), np.float32)
    logits[:, len(tag.UPOS) + place] = 9
    (said,) = again.decode([["Foi", "video", "😍", "12"]], [logits])
    lemmas, _ = said.layers
    assert lemmas[0] == "ser"
    assert lemmas[1] not in ("ser", "")
    assert lemmas[2:] == ("😍", "12")


def test_edit_script_that_does_not_fit_gives_none() -> None:
    assert apply(script_of("comprava", "comprar"), "é") is None
    assert apply(script_of("foi", "ir"), "x") == "ir"


@given(st.lists(st.text(min_size=1, max_size=30), max_size=8))
def test_ids_of_any_word_are_within_the_tables(words: list[str]) -> None:
    encoder = tokenizer.Words(buckets=97, letters=6, style="a")
    ids = encoder.encode([Words(words)]).ids_S
    assert ids.shape == (len(words), SLOTS + 6)
    assert ids.size == 0 or (ids.min() >= 0 and ids[:, :SLOTS].max() < 97 and ids.max() < 256)
    again = tokenizer.load(encoder.to_json())
    assert np.array_equal(again.encode([words]).ids_S, encoder.encode([words]).ids_S)


def test_styles_and_known_words_have_their_own_ids() -> None:
    encoder = tokenizer.Words(buckets=997, letters=4, style="x", vocabulary=["casa", "0"], width=3)
    documents = [["Casa", "7", "rua"], Words(["Casa", "7", "rua"], "y")]
    plain, styled = encoder.encode(documents).each()
    assert (plain[:, STYLE] != styled[:, STYLE]).all()
    assert plain[:, SLOTS - 1].tolist() == [1, 2, 0]
    assert shape("McDonald's-2000") == "XxXxxx'x-ddd"


BANK = """# sent_id = s1
# text = Disse-lhe no dia.
1-2\tDisse-lhe\t_\t_\t_\t_\t_\t_\t_\t_
1\tDisse\tdizer\tVERB\t_\t_\t0\troot\t_\t_
2\tlhe\tele\tPRON\t_\t_\t1\tiobj\t_\t_
3-4\tno\t_\t_\t_\t_\t_\t_\t_\t_
3\tem\tem\tADP\t_\t_\t5\tcase\t_\t_
4\to\to\tDET\t_\t_\t5\tdet\t_\t_
4.1\tx\tx\tX\t_\t_\t_\t_\t_\t_
5\tdia\tdia\tNOUN\t_\t_\t1\tobl\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_

1\tSim\tsim\tINTJ\t_\t_\t0\troot\t_\t_
"""


def bank(column: str | None, text: str = BANK) -> list[records.Record]:
    stream = io.BytesIO(text.encode())
    return list(records.read(stream, "conllu", Source("in", column=column)))


def test_conllu_is_read_as_words_or_tokens() -> None:
    first, second = bank("words")
    assert first["words"] == ["Disse", "lhe", "em", "o", "dia", "."]
    assert first["lemmas"] == ["dizer", "ele", "em", "o", "dia", "."]
    assert (first["text"], first["sent_id"]) == ("Disse-lhe no dia.", "s1")
    assert second == {"text": "Sim", "words": ["Sim"], "lemmas": ["sim"], "upos": ["INTJ"]}
    tokens = bank("tokens")[0]
    assert tokens["tokens"] == ["Disse-lhe", "no", "dia", "."]
    assert tokens["lemmas"] == ["dizer", "em", "dia", "."]
    assert tokens["upos"] == ["VERB", "ADP", "NOUN", "PUNCT"]
    out = io.StringIO()
    records.write(bank("words"), out, "conllu")
    assert bank("words", out.getvalue()) == bank("words")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1\tSim\tsim\n", "in:1: 3 columns where CoNLL-U has 10"),
        ("a" + "\t_" * 9 + "\n", "in:1: 'a' is not a word number"),
    ],
)
def test_conllu_errors_name_the_line(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        bank(None, text)
    with pytest.raises(InputError, match="no column 'lemma'"):
        bank("lemma", text)


def test_gold_of_another_length_or_tag_is_refused() -> None:
    task = tag.Task(tag.Config(), [*tag.UPOS, "l0||0|"])
    row = {"document": ["a", "b"], "lemmas": ["a"], "upos": ["DET", "NOUN"]}
    with pytest.raises(InputError, match="one entry for each word"):
        task.gold(row)
    with pytest.raises(InputError, match="unknown UPOS tag 'NOUM'"):
        task.gold(row | {"lemmas": ["a", "b"], "upos": ["DET", "NOUM"]})


def test_overlapping_windows_are_joined_in_the_middle() -> None:
    task = tag.Task(tag.Config(), [*tag.UPOS, "l0||0|"])
    spans = [(0, 8), (4, 12), (6, 14)]
    pieces = [np.full((8, 1), n) for n in range(3)]
    assert task.combine(pieces, spans)[:, 0].tolist() == [0] * 6 + [1] * 3 + [2] * 5
    padded = np.concatenate([np.full((3, 1), 5), np.zeros((5, 1))])
    assert task.combine([padded], [(0, 3)]).shape == (3, 1)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger trained on the sentences of conftest."""
    folder = tmp_path_factory.mktemp("tagger")
    write_jsonl(folder / "train.jsonl", sentences(300, 1))
    write_jsonl(folder / "dev.jsonl", sentences(60, 2))
    source = {"text": "words", "label": "upos"}
    tree = tiny_tree("wordlstm") | {
        "task": {"name": "tag", "hidden": 16},
        "data": {name: [{"path": f"{name}.jsonl"} | source] for name in ("train", "dev")},
    }
    tree["tokenizer"] |= {"vectors": "v.vec"}
    tree["export"] |= {"precisions": ["int8"]}
    (folder / "v.vec").write_text("2 4\ngatos 1 0 0 0\ncasa 0 1 0 0.5\n", encoding="utf-8")
    built = recipe.from_dict(tree, folder=folder, where="test")
    run.train(built, folder / "run", device="cpu", resume=False, listener=lambda event: None)
    export(str(folder / "run"), folder / "out", overrides=[], listener=lambda report: None)
    return folder / "out"


def test_lemmatize_command(tagger: Path, cli: Cli) -> None:
    text = b"Os gatos comprava 7.\n\nas portas levava 12 .\n"
    done = cli("lemmatize", "--model", tagger, stdin=text)
    assert done.stdout.decode() == "o gato comprar 7 .\n\no porta levar 12 .\n", done.stderr
    done = cli("lemmatize", "--model", tagger, "--pos", "--to", "jsonl", stdin=text)
    first = json.loads(done.stdout.splitlines()[0])
    assert first == {
        "text": ["o/DET", "gato/NOUN", "comprar/VERB", "7/NUM", "./PUNCT"],
        "lemmas": ["o", "gato", "comprar", "7", "."],
        "upos": ["DET", "NOUN", "VERB", "NUM", "PUNCT"],
    }


def test_long_document_is_tagged_across_windows(tagger: Path) -> None:
    model = nlpkit.load(str(tagger), device="cpu")
    words = ["os", "gatos", "comprava", "7", "."] * 30
    (answer,) = model.predict([words])
    assert answer.layers[0] == tuple(["o", "gato", "comprar", "7", "."] * 30)


def test_evaluate_and_predict_with_a_tagger(tagger: Path, cli: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "test.jsonl", sentences(30, 3))
    done = cli("evaluate", tagger, "test.jsonl", "-c", "words", "--label", "upos", "--to", "json")
    assert json.loads(done.stdout)["lemma_accuracy"] > 0.95, done.stderr
    shown = cli("evaluate", tagger, "test.jsonl", "-c", "words", "--label", "upos")
    assert b"lemma_accuracy" in shown.stdout, shown.stderr
    done = cli("predict", "--model", tagger, "--to", "jsonl", stdin=b"os gatos\n")
    assert (done.returncode, done.stderr) == (0, b"")
    answered = json.loads(done.stdout)
    assert answered["text"] == "os gatos" and "label" not in answered
    assert (answered["lemmas"], answered["upos"]) == (["o", "gato"], ["DET", "NOUN"])


def test_lemmatize_refuses_a_classifier(tiny_bundle: Callable[[str], Path], cli: Cli) -> None:
    done = cli("lemmatize", "--model", tiny_bundle("atnet"), stdin=b"os gatos\n")
    assert (done.returncode, done.stderr.count(b"\n")) == (4, 1)
    assert b"not a tagger" in done.stderr


def test_classifiers_give_embeddings_and_taggers_do_not(
    tiny_bundle: Callable[[str], Path], tagger: Path, cli: Cli
) -> None:
    model = nlpkit.load(str(tiny_bundle("lstm")), device="cpu")
    texts = ["adorei o produto", "", "péssimo " * 40]
    rows = model.embed(texts)
    assert rows.shape == (3, 32)
    assert rows.dtype == np.float32
    assert not rows[1].any()
    assert np.array_equal(model.embed(texts[2:])[0], rows[2])
    assert model.embed([""]).shape == (1, 32)
    done = cli("vectorize", "--method", "embed", "--model", tagger, "--to", "jsonl", stdin=b"a\n")
    assert (done.returncode, done.stderr.count(b"\n")) == (4, 1)
    assert b"no embeddings" in done.stderr


def test_lemmatize_with_a_spacy_pipeline(tmp_path: Path) -> None:
    import spacy

    nlp = spacy.blank("pt")
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "casas"}]], {"LEMMA": "casa", "POS": "NOUN"})
    nlp.to_disk(tmp_path / "pipeline")
    chain = nlpkit.pipeline(f"lemmatize --engine spacy --model {tmp_path / 'pipeline'} --pos")
    assert chain("As casas") == ["As/X", "casa/NOUN"]
    with pytest.raises(ModelError, match="spacy download none"):
        nlpkit.pipeline("lemmatize --engine spacy --model none")


def test_a_verb_with_its_pronoun_in_capitals_is_a_verb_and_a_code_is_not(cli: Cli) -> None:
    done = cli("lemmatize", stdin=b"Eles FIZERAM-NO em ARACAJU-SE.\n")
    assert done.stdout.decode() == "eles fazer em ARACAJU-SE .\n"


def test_predict_tokenizes_texts_but_not_lists(
    cli: Cli,
) -> None:
    def said(*options: str, given: str) -> dict[str, Any]:
        done = cli("predict", "-m", "tagger-pt", *options, "--to", "jsonl", stdin=given.encode())
        assert done.returncode == 0, done.stderr.decode()
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    answer = said(given="Ela não gostou, disse-lhe.\n")
    assert answer["words"] == ["Ela", "não", "gostou", ",", "disse", "lhe", "."]
    assert answer["lemmas"] == ["ela", "não", "gostar", ",", "dizer", "ele", "."]
    listed = json.dumps({"words": ["custa", "10 000", "euros"]})
    answer = said("--from", "jsonl", given=listed)
    assert answer["words"] == ["custa", "10 000", "euros"] and len(answer["lemmas"]) == 3


def test_predict_reads_conllu(cli: Cli, tmp_path: Path) -> None:
    rows = [("1-2", "do"), ("1", "de"), ("2", "o"), ("3", "gato"), ("4", ".")]
    lines = ["# text = do gato.", *("\t".join([*row, *"________"]) for row in rows)]
    (tmp_path / "a.conllu").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    done = cli("predict", "-m", "tagger-pt", "a.conllu")
    assert done.returncode == 0, done.stderr.decode()
    words = [line.split("\t")[1:4] for line in done.stdout.decode().splitlines()[1:-1]]
    assert words == [
        ["de", "de", "ADP"],
        ["o", "o", "DET"],
        ["gato", "gato", "NOUN"],
        [".", ".", "PUNCT"],
    ]
    refused = cli("predict", "-m", "sentiment", "a.conllu")
    assert refused.returncode == 2 and b"conllu holds words" in refused.stderr


def test_a_long_document_is_decoded_in_parts(tagger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nlpkit.load(str(tagger))
    words = [word for row in sentences(400, 5) for word in row["words"]]
    documents = [words, words[:3], [], words[:900]]
    whole = model.predict(documents)
    for part in (1, 2, 7):
        monkeypatch.setattr(onepass, "PART", part)
        assert model.predict(documents) == whole
