"""DocBin files of spaCy: what is written is read again, and what other programs write is read."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import spacy
from conftest import Cli, Made, environment
from hypothesis import given, settings, strategies as st
from records_helpers import complaint, dump, parse
from spacy.tokens import Doc, DocBin

from nlpkit import records
from nlpkit.errors import InputError, UsageError
from nlpkit.jobs.split import split
from nlpkit.records import Layout, Record, write_output
from nlpkit.records.formats import spacy as docbin
from nlpkit.records.rows import read_rows
from nlpkit.records.target import format_for
from nlpkit.tasks.entities import Config, Task

WORDS = ["Ana", "Caf\u00e9", "Cafe\u0301", "\U0001f469\u200d\U0001f467", "foi", "\u200b", "1"]
ROWS: list[Record] = [
    {
        "text": "Ana foi a Recife.",
        "entities": [
            {"start": 0, "end": 3, "type": "PER"},
            {"start": 10, "end": 16, "type": "LOC"},
        ],
        "label": "good",
    },
    {"text": "  Cafe\u0301 \U0001f469\u200d\U0001f467\n\nx ", "entities": [], "label": "bad"},
]


def bin_of(*docs: Doc) -> bytes:
    return DocBin(docs=docs).to_bytes()


def docs_of(data: bytes) -> list[Doc]:
    return list(DocBin().from_bytes(data).get_docs(spacy.blank("xx").vocab))


def doc_of(text: str, *entities: tuple[int, int, str], **cats: float) -> Doc:
    doc = spacy.blank("pt").make_doc(text)
    if entities:
        doc.ents = [doc.char_span(*each) for each in entities]
    doc.cats = cats
    return doc


def test_a_written_file_is_read_again() -> None:
    data = dump(ROWS, "spacy")
    assert parse(data, "spacy") == ROWS
    assert dump(parse(data, "spacy"), "spacy") == data  # equal rows make equal bytes
    assert parse(dump([], "spacy"), "spacy") == parse(b"", "spacy") == []


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(["", "", "PER", "LOC"]))),
    st.sampled_from([None, "good", "bad"]),
)
@settings(max_examples=50)
def test_entities_of_whole_words_come_back(rows: list[tuple[str, str]], label: str | None) -> None:
    text, entities = "", []
    for word, kind in rows:
        if kind:
            entities.append({"start": len(text), "end": len(text) + len(word), "type": kind})
        text += f"{word} "
    record = {"text": text, "entities": entities, "label": label}
    (read,) = parse(dump([record], "spacy"), "spacy")
    assert (read["text"], read.get("label")) == (text, label)
    assert read.get("entities", []) == entities


def test_files_of_spacy_are_read() -> None:
    data = bin_of(
        doc_of("Ana foi", (0, 3, "PER"), good=0.2, bad=0.8),
        doc_of("nada"),  # nothing is annotated
        doc_of("x", none=0.0, neither=0.0),
        doc_of(""),
    )
    ana = {"start": 0, "end": 3, "type": "PER"}
    assert parse(data, "spacy") == [
        {"text": "Ana foi", "entities": [ana], "label": "bad"},
        {"text": "nada", "entities": None, "label": None},
        {"text": "x", "entities": None, "label": None},
        {"text": "", "entities": None, "label": None},
    ]
    assert parse(bin_of(doc_of("nada")), "spacy") == [{"text": "nada"}]
    known = Doc(spacy.blank("xx").vocab, words=["Ana", "foi"], ents=["B-PER", "O"])
    assert parse(bin_of(known), "spacy")[0]["entities"] == [ana]
    entities_only = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], docs=[known]).to_bytes()
    assert parse(entities_only, "spacy")[0]["entities"] == [ana]


def test_spacy_reads_what_is_written() -> None:
    first, second = docs_of(dump(ROWS, "spacy"))
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Ana", "PER"), ("Recife", "LOC")]
    assert (first.cats, second.cats) == ({"good": 1.0, "bad": 0.0}, {"good": 0.0, "bad": 1.0})
    assert second.has_annotation("ENT_IOB")  # nothing is found, which is an annotation
    (bare,) = docs_of(dump([{"text": "x"}], "spacy"))
    assert not bare.has_annotation("ENT_IOB") and not bare.cats


def test_entities_grow_to_whole_words() -> None:
    entities = [[1, 3, "PER"], [4, 5, "X"], [5, 8, "LOC"]]
    record = {"text": "casas-de praia", "entities": entities}
    (doc,) = docs_of(dump([record], "spacy"))
    words = [word.text for word in doc]
    assert all(ent.text in "casas-de" and len(ent) for ent in doc.ents), words
    with pytest.raises(InputError, match="record 1: span 8 to 9 is white space only"):
        dump([record | {"entities": [[8, 9, "Y"]]}], "spacy")
    (doc,) = docs_of(dump([{"text": "Recife2x", "entities": [[0, 6, "A"], [6, 8, "B"]]}], "spacy"))
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Recife2x", "A")]


def test_scores_are_categories() -> None:
    scored = {"text": "a", "label": "uncertain", "score": 0.6, "scores": {"bad": 0.6, "good": 0.4}}
    empty = {"text": "", "label": "", "score": None, "scores": {}}
    first, second = docs_of(dump([scored, empty], "spacy"))
    assert (first.cats, second.cats) == ({"bad": 0.6, "good": 0.4}, {})
    (doc,) = docs_of(dump([{"text": "a", "label": True, "scores": {"a": None}}], "spacy"))
    assert doc.cats == {"True": 1.0}


def test_another_field_can_hold_the_text() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    rows = [{"review": ["Ana", "foi"]}, {"review": None}, {"review": "\ud800"}]
    records.write(rows, stream, "spacy", Layout(text="review"))
    stream.flush()
    assert [doc.text for doc in docs_of(stream.buffer.getvalue())] == ["Ana foi", "", "?"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"review": "a"}, "record 1 has no 'text' for a DocBin; use --to jsonl"),
        ({"text": "a", "entities": [[0, 9, "A"]]}, "record 1: span 0 to 9 is not in the text"),
        ({"text": "a", "entities": "x"}, "record 1: entities are not JSON"),
        ({"text": "a", "label": [1]}, "record 1: the label is a list"),
    ],
)
def test_records_that_do_not_fit_are_refused(record: Record, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said), write_output(tmp_path / "a.spacy") as stream:
        docbin.write([record], stream)
    assert not list(tmp_path.iterdir())


def test_a_stream_of_text_is_refused() -> None:
    with pytest.raises(UsageError, match="a DocBin is binary"):
        docbin.write(ROWS, io.StringIO())


SOUND = bin_of(doc_of("Ana foi", (0, 3, "PER")))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"Ana\n", "in: not a DocBin of spaCy, despite its name"),
        (SOUND[:40], "in: not a DocBin of spaCy, or damaged (it cannot be decompressed)"),
        (zlib.compress(b"\x81\xa1a\x01"), "in: not a DocBin of spaCy, or damaged ('attrs')"),
        (zlib.compress(b"Ana"), "in: not a DocBin of spaCy, or damaged"),
    ],
)
def test_other_files_are_refused(data: bytes, said: str) -> None:
    assert said in complaint(data, "spacy")


def test_no_other_column_is_read() -> None:
    assert "no column 'entities'. Columns: text" in complaint(SOUND, "spacy", column="entities")


def test_a_docbin_among_lines_is_told() -> None:
    assert "if it is a DocBin of spaCy, use --from spacy" in complaint(SOUND, "lines")


def test_parts_are_joined(tmp_path: Path) -> None:
    parts = [tmp_path / "1", tmp_path / "2"]
    for part, row in zip(parts, ROWS, strict=True):
        part.write_bytes(dump([row], "spacy"))
    stream = io.BytesIO()
    docbin.join(parts, stream)
    assert stream.getvalue() == dump(ROWS, "spacy")
    empty = io.BytesIO()
    docbin.join([], empty)
    assert parse(empty.getvalue(), "spacy") == []


def test_standard_output_gets_json_lines() -> None:
    assert format_for("-", None, "spacy") == "jsonl"
    assert format_for("-", "spacy", "spacy") == "spacy"
    assert format_for("a.spacy", None, "lines") == "spacy"


def test_training_reads_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.spacy").write_bytes(dump(ROWS, "spacy"))
    rows = read_rows("a.spacy", text="text", label="entities")
    task = Task.from_rows([row.fields for row in rows], Config())
    assert set(task.types) == {"PER", "LOC"}
    assert [row.fields["label"] for row in read_rows("a.spacy", text="text", label="label")] == [
        "good",
        "bad",
    ]
    Path("b.spacy").write_bytes(bin_of(doc_of("Ana", (0, 3, "PER")), doc_of("nada")))
    with pytest.raises(InputError, match="row 2': its 'entities' is empty; label it"):
        read_rows("b.spacy", text="text", label="entities")


def test_split_writes_parts(tmp_path: Path) -> None:
    entities = [[0, 3, "PER"]]
    rows = [{"text": f"Ana {n}", "entities": entities, "label": "ab"[n % 2]} for n in range(8)]
    (tmp_path / "a.spacy").write_bytes(dump(rows, "spacy"))
    split(str(tmp_path / "a.spacy"), dev="4")
    for name in ("train", "dev"):
        docs = docs_of((tmp_path / f"a.{name}.spacy").read_bytes())
        assert [doc.ents[0].text for doc in docs] == ["Ana"] * 4
        assert all(set(doc.cats) == {"a", "b"} for doc in docs)


def test_commands_read_and_write_the_format(
    quick_cli: Cli, tiny_bundle: Made, tmp_path: Path
) -> None:
    command = ("sentiment", "--model", tiny_bundle("atnet"), "--device", "cpu")
    data = dump([{"text": row["text"]} for row in ROWS], "spacy")
    (tmp_path / "in.spacy").write_bytes(data)
    shown = quick_cli(*command, "in.spacy")
    assert shown.returncode == 0, shown.stderr.decode()
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [line["text"] for line in lines] == [row["text"] for row in ROWS]
    assert quick_cli(*command, "in.spacy", "-o", "out.spacy").returncode == 0
    docs = docs_of((tmp_path / "out.spacy").read_bytes())
    assert [doc.cats for doc in docs] == [line["scores"] for line in lines]
    assert quick_cli(*command, "in.spacy", "--to", "spacy").stdout == dump(lines, "spacy")
    refused = quick_cli(*command, "in.spacy", "-o", "x.spacy", "--into", "mood")
    assert refused.returncode == 2
    assert b"spacy holds entities, label, score, but not mood" in refused.stderr


def test_reading_does_not_import_torch(tmp_path: Path) -> None:
    (tmp_path / "a.spacy").write_bytes(SOUND)
    code = (
        "import sys; from nlpkit import records; "
        "stream = open('a.spacy', 'rb'); source = records.Source('a'); "
        "assert next(records.read(stream, 'spacy', source))['text'] == 'Ana foi'; "
        "assert 'torch' not in sys.modules"
    )
    lean: dict[str, Any] = environment() | {"NLPKIT_LEAN_SPACY": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=lean, check=True)
