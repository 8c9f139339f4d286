"""Pruning keeps what a corpus needs, and changes nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from importing_helpers import CORPUS, byte_level, opened, unigram, wordpiece, write
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from nlpkit import text
from nlpkit.jobs.importing import import_run
from nlpkit.jobs.pruning import Corpus
from nlpkit.text import pretrained, vocabulary

SPECIALS = 4
WORDS = [word for line in CORPUS[::9] for word in line.split()]
TEXTS = st.lists(st.text(max_size=4) | st.sampled_from(WORDS), max_size=8).map(" ".join)


def characters() -> Tokenizer:
    """Return BPE over characters, as older models have it, with an unknown token."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(vocab_size=250, special_tokens=special, show_progress=False)
    made.train_from_iterator(CORPUS, trainer)
    return made


MAKERS = [wordpiece, byte_level, unigram, characters]


@cache
def renumbered(make: Callable[[], Tokenizer]) -> dict[str, Any]:
    """Return the tree as an import numbers it."""
    made = make()
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]"), ("<pad>", "<unk>", "<s>", "</s>")
    first = [made.token_to_id(name) for name in names[make is not wordpiece]]
    tree = json.loads(made.to_str())
    others = [id for id in vocabulary.pieces_of(tree) if id not in first]
    return vocabulary.renumbered(tree, first + others, SPECIALS)


def loaded(tree: dict[str, Any]) -> Any:
    return text.load(vocabulary.KINDS[tree["model"]["type"]], json.dumps(tree))


@pytest.mark.parametrize("make", MAKERS)
@given(line=TEXTS, data=st.data())
@settings(max_examples=60)
def test_ids_do_not_change_if_all_pieces_of_a_text_are_kept(
    make: Callable[[], Tokenizer], line: str, data: st.DataObject
) -> None:
    tree = renumbered(make)
    full = loaded(tree)
    ids = text.encode(full, [line]).ids_S.tolist()
    if full.unk in ids and make is wordpiece:
        return  # a word that is unknown as a whole may have pieces once a longer piece is gone
    more = data.draw(st.sets(st.integers(0, full.vocab_size - 1), max_size=20))
    kept = sorted(vocabulary.with_parts(tree, {*range(SPECIALS), *ids, *more}))
    pruned = loaded(vocabulary.renumbered(tree, kept, SPECIALS))
    assert pruned.vocab_size == len(kept)
    assert [kept[id] for id in text.encode(pruned, [line]).ids_S] == ids


@pytest.mark.parametrize("make", MAKERS)
def test_specials_cannot_be_written_even_without_their_characters(
    make: Callable[[], Tokenizer],
) -> None:
    tree = renumbered(make)
    letters = {id for id, piece in vocabulary.pieces_of(tree).items() if piece.isalpha()}
    kept = sorted(vocabulary.with_parts(tree, letters | set(range(SPECIALS))))
    pruned = loaded(vocabulary.renumbered(tree, kept, SPECIALS))
    marks = "<s> </s> <pad> [CLS] [SEP] [PAD] <s></s>"
    for line in (marks, marks.replace(" ", "  "), "<s>"):
        assert not {0, 2, 3} & set(text.encode(pruned, [line]).ids_S.tolist())


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta"])
def test_pruning_keeps_characters_and_emoji_that_the_corpus_lacks(
    kind: str, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    write(tmp_path / "model", kind)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("ótimo ótimo hotel hotel\nxyz\n", encoding="utf-8")
    import_run(str(tmp_path / "model"), tmp_path / "whole")
    report = import_run(
        str(tmp_path / "model"), tmp_path / "pruned", keep_vocabulary=Corpus([str(corpus)])
    )
    _, whole = opened(tmp_path / "whole")
    encoder, pruned = opened(tmp_path / "pruned")
    assert report.pruning and report.pruning.pieces_before == whole.vocab_size
    assert report.pruning.pieces == pruned.vocab_size == len(encoder.embed.weight)
    assert pruned.vocab_size < 0.9 * whole.vocab_size and report.pruning.documents == 2
    for line in ("1 2 3 9 0", "😍 👍 💔", "a á ç ã é O", "R$ nº , . ! ? …", "hotel ótimo"):
        before, after = (text.encode(made, [line]).ids_S.tolist() for made in (whole, pruned))
        assert after.count(pruned.unk) == before.count(whole.unk), line
    assert pruned.pieces(text.encode(pruned, ["hotel"]).ids_S) == whole.pieces(
        text.encode(whole, ["hotel"]).ids_S
    )


def test_pruning_reports_what_is_lost(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    write(tmp_path / "model", "xlm-roberta")
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(CORPUS), encoding="utf-8")
    reports = [
        import_run(
            str(tmp_path / "model"),
            tmp_path / f"run{least}",
            keep_vocabulary=Corpus([str(corpus), str(corpus)]),
            min_count=least,
        ).pruning
        for least in (1, 60)
    ]
    assert reports[0] and reports[1]
    assert reports[0].documents == 2 * len(CORPUS)
    assert reports[0].longer == 1 and reports[0].unknown == reports[0].unknown_before
    assert reports[1].longer > 1.02 and reports[1].pieces < reports[0].pieces


def test_pruning_reads_documents_one_stretch_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlpkit.jobs import pruning

    alive = []

    def records(path: str, column: str, encoding: str) -> Any:
        for number in range(5000):
            alive.append(number)
            yield {"text": f"hotel {number}"}

    seen = []

    def encoded(tokenizer: Any, documents: list[Any], **options: Any) -> Any:
        seen.append(len(documents))
        assert len(alive) <= sum(seen)
        return text.Encoded(np.zeros(1, np.int64), np.array([1]))

    monkeypatch.setattr("nlpkit.records.rows.read_records", records)
    monkeypatch.setattr("nlpkit.text.encode", encoded)
    pruning.prune(renumbered(unigram), Corpus(["a.txt"]), 2, SPECIALS)
    assert max(seen) == pruning.STRETCH and sum(seen) == 10_000  # both passes


def test_letters_of_a_byte_level_vocabulary_stand_for_all_bytes() -> None:
    letters = pre_tokenizers.ByteLevel.alphabet()
    assert len(letters) == 256
    encoded = Tokenizer(models.BPE({letter: id for id, letter in enumerate(letters)}, []))
    encoded.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for char in "aç😍日\n":
        pieces = encoded.encode(char).tokens
        assert vocabulary.text_of("".join(pieces), in_bytes=True) == char
    tree = json.loads(encoded.to_str())
    assert vocabulary.is_byte_level(tree) and vocabulary.basic(tree) == set(range(256))
    assert not vocabulary.is_byte_level(renumbered(unigram))


def test_basic_pieces_are_characters_of_latin_script_signs_and_emoji() -> None:
    tree = renumbered(unigram)
    tree = {**tree, "model": {**tree["model"], "vocab": [["x", 0.0]] * 4}}
    pieces = ["▁", "▁a", "ç", "ª", "º", "µ", "7", "٣", "!", "▁😍", "👩‍👩‍👧", "<0x0A>", "ﬁ", "Ω"]
    pieces += ["д", "日", "▁casa", "12", "##"]
    tree["model"]["vocab"] = [[piece, 0.0] for piece in pieces]
    lost = [piece for id, piece in enumerate(pieces) if id not in vocabulary.basic(tree)]
    assert lost == ["Ω", "д", "日", "▁casa", "12"]


@pytest.mark.parametrize("make", [wordpiece, byte_level, unigram])
def test_whole_words_are_masked(make: Callable[[], Tokenizer]) -> None:
    from nlpkit.heads.pieces import Words

    tree = renumbered(make)
    tokenizer = loaded(tree)
    line = "atendedora, hotelão manhã! custar😍coração partidor"
    ids_BT = text.encode(tokenizer, [line] * 40).ids_S.reshape(40, -1)
    words = Words(tokenizer.pieces(range(tokenizer.vocab_size)))
    hidden_BT = words.hidden(ids_BT, np.ones_like(ids_BT, bool), 0.5, np.random.default_rng(1))
    offsets = text.encode(tokenizer, [line], offsets=True).offsets_S2
    assert offsets is not None
    for word in ("atendedora", "hotelão", "partidor"):
        start = line.index(word)
        inside = (offsets[:, 0] < start + len(word)) & (offsets[:, 1] > start)
        hidden = hidden_BT[:, inside]
        assert inside.sum() > 1, word  # several pieces
        assert 5 < hidden.all(axis=1).sum() < 35 and not (hidden.any(1) != hidden.all(1)).any()
    comma = line.index(",")
    (place,) = np.flatnonzero((offsets[:, 0] <= comma) & (offsets[:, 1] > comma))
    assert (hidden_BT[:, place] != hidden_BT[:, place - 1]).any()  # a word of its own


def test_content_is_read_as_the_library_reads_it() -> None:
    made = unigram()
    tokens = pretrained.read(made.to_str(), None)
    assert (tokens.pad, tokens.unk, tokens.bos, tokens.eos) == (1, 3, 0, 2)
    assert tokens.last_id == made.get_vocab_size() - 1
    made.enable_padding(pad_id=4, pad_token="<mask>")
    made.enable_truncation(3)
    tokens = pretrained.read(made.to_str(), None)
    assert tokens.pad == 4
