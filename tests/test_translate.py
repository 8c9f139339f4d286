"""nlpkit translate: the layout of documents, long sentences, capitals, copies, and every format."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli
from hypothesis import given, strategies as st
from writing_helpers import language_model, model_of, tokenizer

from nlpkit import zoo
from nlpkit.answers.translation import Translation
from nlpkit.answers.written import Written
from nlpkit.errors import ModelError, UsageError
from nlpkit.jobs.translate import PAIRS, Translator, is_shouted, parts_of, translator
from nlpkit.language import copied
from nlpkit.tasks import generate
from nlpkit.text.unicode import visible

WINDOW = 24  # tokens that the model reads at once


class Mirror(generate.Task):
    """Translates a sentence by swapping the case of each word's letters; it keeps the marks.

    `asked` has the sentences, as the network would read them.
    """

    def __init__(self) -> None:
        super().__init__(generate.Config(copies=True))
        self.asked: list[str] = []

    def answer(self, model: Any, documents: Sequence[str], windows: Any) -> list[Any]:
        assert windows.truncated == 0, "a sentence was cut off"
        seen = [copied.hidden(document) for document in documents]
        self.asked += [text for text, _ in seen]
        return [Written(copied.shown(text.swapcase(), parts), 0.0) for text, parts in seen]


def mirror(lang: str = "en-pt") -> Translator:
    """Return a translator of the toy sentences."""
    model = model_of(None)
    object.__setattr__(model, "task", Mirror())
    object.__setattr__(model, "windows", model.task.windows(WINDOW, 0))
    return translator(model, lang)


def translated(text: str, lang: str = "en-pt") -> str:
    model = mirror(lang)
    (answer,) = model.answer([text], model.encode([text]))
    assert isinstance(answer, Translation)
    return answer.text


@pytest.mark.parametrize(
    "text",
    [
        "One. Two!  Three?",
        "  One.\n\n\n    Two.\n",
        "\tOne.\r\n\r\n\tTwo.\r\nThree.",
        "Title\n=====\n\n- one\n- two\n* three\n\n1.\n",
        "One.\u2028\nTwo.\x0bThree.\x85Four.\n",
        "“One.” (Two.) One… Two",
        "...\n\n***\n\n42\n",
        "a\n",
    ],
)
def test_layout_stays(text: str) -> None:
    assert translated(text) == text.swapcase()


@given(
    st.lists(
        st.sampled_from(
            ["One two.", "three", "\n", "\r\n", "  ", "\t", "- ", "!", "7", "👍", "(a)"]
        ),
        max_size=12,
    )
)
def test_parts_join_to_the_document(pieces: list[str]) -> None:
    """Up to the line breaks inside a sentence, which become spaces."""
    text = visible("".join(pieces))
    parts = list(parts_of(text, "en", lambda sentence: [sentence]))
    joined = "".join(part.text for part in parts)
    assert joined.split() == text.split()
    assert all(part.text == part.text.strip() for part in parts if part.translated)
    ends = [text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]]
    assert not text.strip() or (joined.startswith(ends[0]) and joined.endswith(ends[1]))


def test_sentence_that_is_wrapped_is_translated_as_one() -> None:
    wrapped = "This is a sentence that\n  goes on in the\nnext line of it.  And this one is new."
    model = mirror()
    (parts,) = model.encode([wrapped])
    assert [part.text for part in parts if part.translated] == [
        "This is a sentence that goes on in the next line of it.",
        "And this one is new.",
    ] or all(len(part.text) < 60 for part in parts)
    assert translated(wrapped).split() == wrapped.swapcase().split()


@pytest.mark.parametrize(
    "text",
    [
        "word " * 80,
        "one, two; " * 40,
        "w" * 300,
        "日本語" * 60,
        "a" * 20 + " " + "b" * 200,
        "see http://example.com/" + "x" * 300 + " now",
    ],
)
def test_long_sentences_are_not_cut_off(text: str) -> None:
    assert translated(text).split() == [
        copied.shown(seen.swapcase(), parts) for seen, parts in map(copied.hidden, text.split())
    ] or translated(text).replace(" ", "") == text.swapcase().replace(" ", "")


def test_long_sentence_is_cut_between_clauses_of_about_one_length() -> None:
    model = mirror()
    text = "the cat sat on the mat, while the dog ran, and the bird flew away, over the hill"
    (parts,) = model.encode([text])
    pieces = [part.text for part in parts if part.translated]
    assert len(pieces) > 1 and " ".join(pieces) == text
    assert all(piece.endswith(",") for piece in pieces[:-1])
    assert all(len(tokenizer().encode([piece]).ids_S) <= WINDOW for piece in pieces)


def test_pieces_leave_room_for_a_longer_translation() -> None:
    """A translation of more tokens than the model writes would be cut off."""
    model = mirror()
    task = model.model.task
    task.config = dataclasses.replace(task.config, longest=20)
    (parts,) = model.encode(["the cat sat on the mat, while the dog ran, and the bird flew away"])
    pieces = [part.text for part in parts if part.translated]
    assert max(len(tokenizer().encode([piece]).ids_S) for piece in pieces) <= 16


def test_capitals_are_read_as_small_letters_and_written_as_capitals() -> None:
    model = mirror()
    answers = model.answer(
        ["THE CAT RAN.", "NASA", "The CAT"], model.encode(["THE CAT RAN.", "NASA", "The CAT"])
    )
    assert model.model.task.asked == ["The cat ran.", "NASA", "The CAT"]
    assert [answer.text for answer in answers] == ["THE CAT RAN.", "nasa", "tHE cat"]
    assert is_shouted("É UM 2º TESTE") and not is_shouted("12 34") and not is_shouted("ÚNICO")


def test_addresses_numbers_and_markup_are_copied() -> None:
    text = "Go to https://Example.com/a?B=1, pay 1,234.56 to ana@Example.com or <b>Bob</b>."
    said = translated(text)
    for part in ("https://Example.com/a?B=1", "1,234.56", "ana@Example.com", "<b>bOB</b>"):
        assert part in said


def test_sentence_with_more_parts_than_marks_is_cut() -> None:
    fields = [f"{{f{number}}}" for number in range(len(copied.MARKS) + 8)]
    text = "Set " + " ".join(fields) + " now"
    assert translated(text) == text.swapcase().replace("{F", "{f")


def test_texts_between_tags_of_blocks_are_translated_alone() -> None:
    text = '<p class="x">Hello <br/> world</p>'
    assert translated(text) == '<p class="x">hELLO <br/> WORLD</p>'
    model = mirror()
    parts = [part.text for (each,) in [model.encode([text])] for part in each if part.translated]
    assert parts == ["Hello", "world"]
    assert translated("Press <b>Save</b> now") == "pRESS <b>sAVE</b> NOW"


def test_what_has_no_letters_is_not_translated() -> None:
    model = mirror()
    text = "42!\n\nhttp://example.com\n\n👍\n\nOne."
    model.answer([text], model.encode([text]))
    assert model.model.task.asked == ["One."]


def test_equal_sentences_are_translated_once_and_blank_documents_not_at_all() -> None:
    model = mirror()
    documents = ["One. One.", "", " \n", "Two. One."]
    answers = model.answer(documents, model.encode(documents))
    assert model.model.task.asked == ["One.", "Two."]
    assert [answer and answer.text for answer in answers] == ["oNE. oNE.", None, None, "tWO. oNE."]


def test_beams_replace_those_of_the_model_alone() -> None:
    model = model_of(None)
    assert translator(model, "en-pt", 4).model.task.config.beams == 4
    assert translator(model, "en-pt").model.task.config.beams == model.task.config.beams == 1


def test_wrong_models_and_languages_are_refused(quick_cli: Cli) -> None:
    with pytest.raises(UsageError, match="--lang pt: not one of en-pt, pt-en"):
        translator(model_of(None), "pt")
    with pytest.raises(ModelError, match="toy continues prompts; name a model that writes"):
        translator(language_model(), "en-pt")
    with pytest.raises(ModelError, match="writes no texts"):
        translator(type("Other", (), {"name": "other", "task": object()})(), "en-pt")
    done = quick_cli("translate", "--lang", "fr-pt", stdin=b"Bonjour")
    assert done.returncode == 2 and b"--lang fr-pt: not one of en-pt, pt-en" in done.stderr
    done = quick_cli("translate", stdin=b"Hello")
    assert done.returncode == 2 and b"--lang" in done.stderr
    done = quick_cli("translate", "--lang", "en-pt", "--model", "rules", stdin=b"Hello")
    assert done.returncode == 4 and b"rules writes no texts" in done.stderr


@pytest.fixture
def command(
    quick_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    model = mirror().model
    names: list[str] = []

    def load(name: str, **options: Any) -> Any:
        names.append(name)
        return model

    monkeypatch.setattr(zoo, "load", load)

    def run(*args: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        done = quick_cli("translate", "--lang", "pt-en", *map(str, args), **options)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        assert names[-1] == "translate-pt-en"
        return done

    return run


def test_lines_become_lines(command: Any) -> None:
    done = command(stdin="Olá, mundo.\r\n\n  Dois. \n".encode())
    assert done.stdout.decode() == "oLÁ, MUNDO.\n\n  dOIS. \n"


def test_whole_file_is_one_document(command: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Um.\n\nDois.\n", encoding="utf-8")
    (record,) = command("a.txt", "--whole", "--to", "jsonl").stdout.decode().splitlines()
    assert json.loads(record)["translation"] == "uM.\n\ndOIS."


def test_column_of_a_table_and_nested_records(command: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('id,frase\n1,"Um, dois."\n2,\n', encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(command("in.csv", "--column", "frase").stdout.decode())))
    assert [row["translation"] for row in rows] == ["uM, DOIS.", ""]
    assert [row["id"] for row in rows] == ["1", "2"]
    nested = [{"text": "Um.", "more": {"a": [1, None]}}, {"text": ""}]
    (tmp_path / "in.json").write_text(json.dumps(nested), encoding="utf-8")
    written = json.loads(command("in.json", "--into", "en").stdout)
    assert written == [nested[0] | {"en": "uM."}, nested[1] | {"en": ""}]


def test_pairs_are_named_in_the_help(quick_cli: Cli) -> None:
    shown = quick_cli("translate", "--help").stdout.decode()
    assert all(re.search(rf"\b{pair}\b", shown) for pair in PAIRS)
