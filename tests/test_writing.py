"""Texts that a model writes: prompts and their continuations, sources, stops, copies, samples."""

from __future__ import annotations

import dataclasses
import unicodedata
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from writing_helpers import (
    Scripted,
    Toy,
    copier,
    language_model,
    model_of,
    scripted,
    tokenizer,
    writer,
)

from nlpkit.answers import Text
from nlpkit.errors import ModelError
from nlpkit.jobs import generate as job
from nlpkit.records.reading import Reading
from nlpkit.runtime.choosing import Sampler
from nlpkit.runtime.graphs import STEP
from nlpkit.runtime.writing import IGNORED, MOST, Manner, pieces_text, prompt_of

PROMPTS = ["O gato", "", "o pato número 7", "O gato", "  dois  espaços ", "coração 👍🏽"]
CHANCE = Manner(longest=9, sampler=Sampler(temperature=1.0))
BEAMS = Manner(longest=6, beams=3)


def texts(model: Any, prompts: list[str], manner: Manner, numbers: Any = None) -> list[str]:
    answers = model.task.write(model, prompts, numbers or [0] * len(prompts), manner)
    return [answer.text if answer else None for answer in answers]


@pytest.mark.parametrize(
    "manner", [Manner(longest=9), CHANCE, BEAMS], ids=["greedy", "chance", "beams"]
)
def test_prompts_are_continued_alike_alone_and_among_others(manner: Manner) -> None:
    model = language_model()
    many = PROMPTS * (MOST // 4)  # more than one batch
    together = texts(model, many, manner)
    for prompt, text in zip(PROMPTS, together, strict=False):
        assert [text] == texts(model, [prompt], manner)
        assert text.startswith(prompt.rstrip())
    assert together == together[: len(PROMPTS)] * (MOST // 4)


@pytest.mark.parametrize(
    "manner", [Manner(longest=9), CHANCE, BEAMS], ids=["greedy", "chance", "beams"]
)
def test_sources_give_the_same_texts_alone_and_among_others(manner: Manner) -> None:
    model = writer()
    together = texts(model, PROMPTS, manner)
    assert together[1] is None, "an empty source has no answer"
    assert together == [texts(model, [prompt], manner)[0] for prompt in PROMPTS]
    assert len({*together}) == 5


def test_no_more_tokens_than_the_limit_are_written() -> None:
    for longest in (1, 2, 7):
        (answer,) = language_model().task.write(
            language_model(), ["O gato"], [0], Manner(longest=longest, pieces=True)
        )
        assert len(answer.pieces) <= longest


def test_prompt_is_normalised_and_its_end_cut() -> None:
    model = scripted(" mia", "coração")
    for prompt in ("coração  \n", unicodedata.normalize("NFD", "coração"), "cora\u200bção\ufeff "):
        assert texts(model, [prompt], Manner()) == ["coração mia"]
    assert texts(scripted("Era", ""), [""], Manner()) == ["Era"]
    assert texts(scripted("Era", ""), [" \u200b"], Manner()) == ["Era"]
    assert texts(scripted(" x", "? oi"), ["\udcff oi"], Manner()) == ["? oi x"]


def test_characters_may_be_broken_over_tokens() -> None:
    """What is told while a text is written is never taken back, but for a broken character."""
    text, told = " diz: 👍🏽 日本語 ção\n\tfim", []
    model = scripted(text, "Ele")
    (answer,) = model.task.write(
        model, ["Ele"], [0], Manner(), lambda index, so_far: told.append((index, so_far))
    )
    assert answer.text == "Ele" + text
    assert {index for index, _ in told} == {0} and any("\ufffd" in each for _, each in told)
    assert all(text.startswith(each.rstrip("\ufffd")) for _, each in told)
    assert told[-1][1] == text


def test_texts_end_before_a_stop() -> None:
    model = scripted(" um. Dois. Três.", "Diz")
    for stop, expected in (
        ((". Três",), "Diz um. Dois"),
        (("não há", ". "), "Diz um"),
        ((" um",), "Diz"),
        (("não há",), "Diz um. Dois. Três."),
    ):
        model.run.calls.clear()
        assert texts(model, ["Diz"], Manner(stop=stop)) == [expected]
        steps = len([graph for graph, _ in model.run.calls if graph == STEP])
        whole = len(model.run.script)
        assert steps < whole if expected != "Diz um. Dois. Três." else steps == whole
    assert texts(model, ["Diz"], Manner(stop=(". ",), beams=2)) == ["Diz um"]


def test_stop_in_the_prompt_ends_nothing() -> None:
    model = scripted(" um", "Fim. Diz")
    assert texts(model, ["Fim. Diz"], Manner(stop=("Fim",))) == ["Fim. Diz um"]


def test_listener_of_a_stop_hears_the_text_before_it() -> None:
    told: list[str] = []
    model = scripted(" um. Dois", "Diz")
    model.task.write(
        model, ["Diz"], [0], Manner(stop=(".",)), lambda index, text: told.append(text)
    )
    assert told[-1] == " um" and all(" um".startswith(each) for each in told)


def test_listener_hears_no_beginning_of_a_stop() -> None:
    told: list[str] = []
    model = scripted(" um. Dois. Fim", "Diz")
    (answer,) = model.task.write(
        model, ["Diz"], [0], Manner(stop=(". Fim",)), lambda index, text: told.append(text)
    )
    assert answer.text == "Diz um. Dois"
    assert told == sorted(told) and told[-1] == " um. Dois" and " um." not in told


@pytest.mark.parametrize(
    "manner", [Manner(longest=9, pieces=True), Manner(beams=3, longest=5, pieces=True)]
)
def test_log_probabilities_are_those_of_the_network(manner: Manner) -> None:
    model = language_model()
    (answer,) = model.task.write(model, ["O gato"], [0], manner)
    bos, _ = model.task.bounds(model.tokenizer)
    ids = [bos, *model.tokenizer.encode(["O gato"]).ids_S.tolist()]
    total = 0.0
    for _, logprob in answer.pieces:
        logits_V = _logits(model.run, ids).astype(np.float64)
        logprobs_V = logits_V - np.log(np.exp(logits_V).sum())
        (token,) = np.flatnonzero(np.abs(logprobs_V - logprob) < 1e-6)
        ids.append(int(token))
        total += logprob
    assert answer.score == pytest.approx(total / len(answer.pieces))
    assert model.tokenizer.text(ids) == answer.text
    values = answer.values(answer)
    assert values["output_logprobs"] == [[text, round(number, 4)] for text, number in answer.pieces]
    assert values["output_score"] == round(answer.score, 4)


def _logits(run: Toy, ids: list[int]) -> np.ndarray:
    from nlpkit.runtime.generate import Decoding

    silent = [tokenizer().pad, tokenizer().unk, tokenizer().bos or 0]
    logits_V: np.ndarray = Decoding(run, {}, 1, silent).read(np.array([ids]))[0]
    return logits_V


@given(text=st.text(st.characters(codec="ascii"), min_size=1, max_size=30))
def test_texts_of_pieces_join_to_the_text(text: str) -> None:
    ids = tokenizer().encode([text]).ids_S.tolist()
    assert "".join(pieces_text(tokenizer(), ids)) == ("" if text.isspace() else text)


def test_a_part_of_a_character_is_shown_as_such() -> None:
    ids = tokenizer().encode(["👍"]).ids_S.tolist()
    assert len(ids) > 1 and set(pieces_text(tokenizer(), ids)) == {"\ufffd"}


def test_the_end_of_a_text_has_a_log_probability_and_no_text() -> None:
    model = scripted(" um\n", "Diz")
    (answer,) = model.task.write(model, ["Diz"], [0], Manner(pieces=True))
    assert [text for text, _ in answer.pieces][-2:] == ["\n", ""]
    (cut,) = model.task.write(model, ["Diz"], [0], Manner(longest=2, pieces=True))
    assert len(cut.pieces) == 2 and cut.pieces[-1][0]


def test_what_is_copied_stands_where_its_mark_is_written() -> None:
    model, told = copier("\x0f e \x0e, !"), []
    document = "Veja https://exemplo.com/A?b=1 por 1.234,56\x0e"
    (answer,) = model.task.write(
        model, [document], [0], Manner(), lambda index, text: told.append(text)
    )
    assert answer.text == "1.234,56 e https://exemplo.com/A?b=1, !"
    assert told[-1] == answer.text and not any("\x0e" in text for text in told)
    assert [each.text for each in model.predict([document])] == [answer.text]
    assert model.predict(["", "\x0e\x0f", " "]) == [None, None, None]


def test_ids_that_stand_for_no_text_are_never_written() -> None:
    tokens = tokenizer()
    script = [tokens.pad, tokens.unk, tokens.bos, *tokens.encode([" fim"]).ids_S, tokens.eos]
    run = Scripted(tokens.vocab_size, len(tokens.encode(["Diz"]).ids_S) + 1, script)
    (text,) = texts(model_of(run, source=False), ["Diz"], Manner())
    assert "[" not in text


@pytest.mark.parametrize("manner", [Manner(longest=4), Manner(longest=4, beams=2)])
def test_of_a_long_prompt_the_end_is_read(manner: Manner) -> None:
    model = language_model()
    start = "x" * 5000
    long, short = texts(model, [start + " O gato come o pato na casa", "O gato"], manner)
    assert long.startswith(start) and short == texts(model, ["O gato"], manner)[0]
    size = model.windows.size
    assert max(read for read in model.run.read) <= size
    assert (model.tally.truncated, model.tally.size) == (1, size)


def test_what_is_copied_is_that_of_the_prepared_text() -> None:
    model = dataclasses.replace(copier("\x0e"), steps=SimpleNamespace(texts=without_links))
    document = "Veja https://exemplo.com/A por 25 reais"
    (answer,) = model.task.write(model, [document], [0], Manner())
    assert answer.text == "25" == model.predict([document])[0].text


def without_links(documents: Any) -> list[str]:
    return [document.replace("https://exemplo.com/A", "link") for document in documents]


def test_target_that_is_cut_does_not_end() -> None:
    model = model_of(Toy(tokenizer().vocab_size, source=True), longest=4)
    golds = [Text("O gato come o pato"), Text("O")]
    wanted_BU = model.task.targets(golds, None, tokenizer())["wanted"]
    assert wanted_BU.shape == (2, 5) and wanted_BU[0, 4] == IGNORED
    assert tokenizer().eos in wanted_BU[1] and tokenizer().eos not in wanted_BU[0]


def test_samples_are_numbered_and_in_order() -> None:
    model = job.writer_of(language_model())
    reading = Reading(inputs=[], texts=PROMPTS)
    items = list(job.texts(model, reading, manner=CHANCE, samples=3))
    assert [item.text for item in items] == [prompt for prompt in PROMPTS for _ in range(3)]
    assert [item.record["sample"] for item in items] == [1, 2, 3] * len(PROMPTS)
    assert items[0].answer.text == items[9].answer.text, "equal prompts have equal samples"
    assert len({item.answer.text for item in items[:3]}) == 3
    single = list(job.texts(model, reading, manner=CHANCE))
    assert [item.answer.text for item in single] == [item.answer.text for item in items[::3]]
    assert "sample" not in single[0].record


def test_stream_of_many_records_keeps_their_order_and_blank_ones(tmp_path: Any) -> None:
    lines = [f"linha {n}" if n % 7 else " \u200b" for n in range(3 * MOST)]
    (tmp_path / "in.txt").write_text("\n".join(lines), encoding="utf-8")
    model, settled = language_model(), []
    reading = Reading(inputs=[str(tmp_path / "in.txt")])
    items = list(job.texts(model, reading, lambda: settled.append(1), manner=Manner(longest=2)))
    assert [item.text for item in items] == lines and settled
    assert all((item.answer is None) == (not n % 7) for n, item in enumerate(items))
    answers = (item.answer.text for item in items if item.answer)
    assert all(text.startswith("linha") for text in answers)


def test_prompts_one_by_one_are_those_of_the_batch() -> None:
    model = job.writer_of(language_model())
    reading = Reading(inputs=[], texts=PROMPTS)
    items = list(job.texts(model, reading, manner=CHANCE, samples=2))
    ones = [write(None) for _, write in job.one_by_one(model, reading, CHANCE, 2)]
    assert [one.text for one in ones] == [item.answer.text for item in items]


def test_model_that_writes_no_texts_is_refused() -> None:
    model = SimpleNamespace(name="sentiment", task=object())
    with pytest.raises(ModelError, match="writes no texts; name a model of the task generate"):
        job.writer_of(model)


def test_writer_of_a_language_model_answers_with_texts() -> None:
    model = language_model()
    assert not issubclass(model.task.answers, Text)
    assert issubclass(job.writer_of(model).task.answers, Text)
    assert not issubclass(model.task.answers, Text), "the model itself is unchanged"


@settings(max_examples=20)
@given(prompts=st.lists(st.text(max_size=12), max_size=5))
def test_any_prompt_is_continued(prompts: list[str]) -> None:
    model = language_model()
    for prompt, text in zip(prompts, texts(model, prompts, Manner(longest=3)), strict=True):
        kept = prompt_of(prompt)
        assert text.startswith(kept) and text.encode()
        assert unicodedata.is_normalized("NFC", kept)
