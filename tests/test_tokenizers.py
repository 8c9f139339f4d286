"""The contract of tokenizers, tested for every kind in the catalogue."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nlpkit import catalog, text
from nlpkit.errors import InputError, UsageError
from nlpkit.settings.sections import Tokenizer as Settings
from nlpkit.text import WordVectors
from nlpkit.text.windows import Slide, Truncate

KINDS = catalog.names("tokenizers")
TEXTS = [f"Uma frase de teste, número {n}: coração e pão." for n in range(60)]
SUBWORDS = [kind for kind in KINDS if kind != "words"]
DOCUMENTS = st.lists(st.text(max_size=30), max_size=5)


def settings_of(kind: str, **settings: Any) -> Settings:
    size = 280 if kind == "bytelevel" else 200  # every byte is a piece
    return Settings(kind=kind, window=8, overlap=2, **{"vocab_size": size} | settings)


def learned(kind: str, **settings: Any) -> text.Tokenizer:
    module = catalog.load("tokenizers", kind)
    vectors = WordVectors(("frase",), np.ones((1, 2), np.float32))
    chosen = settings_of(kind, **settings)
    return module.learn(TEXTS, chosen, vectors=vectors if kind == "words" else WordVectors())


LEARNED = {kind: learned(kind) for kind in KINDS}
BYTES = learned("bytelevel", lowercase=False)


@pytest.mark.parametrize("kind", KINDS)
@given(documents=DOCUMENTS)
def test_stored_tokenizer_gives_the_same_ids(kind: str, documents: list[str]) -> None:
    tokenizer = LEARNED[kind]
    again = text.load(kind, tokenizer.to_json())
    one, other = tokenizer.encode(documents), again.encode(documents)
    assert np.array_equal(one.ids_S, other.ids_S) and one.lengths_N.sum() == len(one.ids_S)
    assert again.kind == kind and again.sizes() == tokenizer.sizes()
    assert len(one.each()) == len(documents)


@pytest.mark.parametrize("kind", KINDS)
@given(documents=DOCUMENTS)
def test_offsets_do_not_change_ids_and_lie_within_the_text(kind: str, documents: list[str]) -> None:
    tokenizer = LEARNED[kind]
    plain, pointed = tokenizer.encode(documents), tokenizer.encode(documents, offsets=True)
    assert np.array_equal(plain.ids_S, pointed.ids_S)
    assert plain.offsets_S2 is None and pointed.offsets_S2 is not None
    each = text.split(pointed.offsets_S2, pointed.lengths_N)
    for document, spans in zip(documents, each, strict=True):
        for start, end in spans.tolist():
            assert 0 <= start <= end <= len(document)


@pytest.mark.parametrize("kind", SUBWORDS)
def test_offsets_exclude_white_space(kind: str) -> None:
    tokenizer = LEARNED[kind]
    line = "Uma  frase\tde pão"
    encoded = tokenizer.encode([line], offsets=True)
    assert encoded.offsets_S2 is not None
    marked = "".join(line[start:end] for start, end in encoded.offsets_S2.tolist())
    assert marked.replace(" ", "") == "Umafrasedepão"


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_words_equals_the_joined_text(kind: str) -> None:
    tokenizer = LEARNED[kind]
    one, other = tokenizer.encode([["uma", "frase"]]), tokenizer.encode(["uma frase"])
    assert np.array_equal(one.ids_S, other.ids_S)


@pytest.mark.parametrize("kind", SUBWORDS)
def test_ids_decode_to_the_text(kind: str) -> None:
    tokenizer = LEARNED[kind]
    encoded = tokenizer.encode(["uma frase de teste"])
    assert tokenizer.text(encoded.ids_S.tolist()) == "uma frase de teste"
    assert len(tokenizer.pieces(encoded.ids_S.tolist())) == len(encoded.ids_S)


@given(document=st.text(max_size=30))
def test_bytes_give_back_any_text(document: str) -> None:
    """In NFC and without blanks at its ends; nothing is unknown."""
    tokenizer = BYTES
    seen = text.seen_document(document)
    ids = text.encode(tokenizer, [document]).ids_S.tolist()
    assert tokenizer.text(ids) == unicodedata.normalize("NFC", seen).strip()
    assert not {tokenizer.pad, tokenizer.unk} & {*ids}
    assert bool(ids) == bool(seen.strip())


@pytest.mark.parametrize("number", ["7", "2024", "1.234,56", "-10%", "v2.0.1"])
def test_bytes_read_numbers_digit_by_digit(number: str) -> None:
    tokenizer = LEARNED["bytelevel"]
    pieces = tokenizer.pieces(tokenizer.encode([f"número {number}"]).ids_S.tolist())
    digits = [piece for piece in pieces if any(char.isdigit() for char in piece)]
    assert digits == [char for char in number if char.isdigit()]


def test_bytes_keep_case_or_not_as_the_settings_say() -> None:
    for lowercase, expected in ((False, "Ação ÓTIMA"), (True, "ação ótima")):
        tokenizer = learned("bytelevel", lowercase=lowercase)
        assert tokenizer.text(tokenizer.encode(["Ação ÓTIMA"]).ids_S.tolist()) == expected


def test_vocabulary_without_room_for_every_byte_is_refused() -> None:
    learn = catalog.load("tokenizers", "bytelevel").learn
    for bounds, least in ((False, 258), (True, 260)):
        with pytest.raises(InputError, match=f"vocab_size = 257: .* needs {least} pieces"):
            learn(TEXTS, settings_of("bytelevel", vocab_size=257), bounds=bounds)
        least_tokenizer = learn(TEXTS, settings_of("bytelevel", vocab_size=least), bounds=bounds)
        assert least_tokenizer.vocab_size == least
    with pytest.raises(InputError, match="all empty"):
        learn([" ", "\u200b"], settings_of("bytelevel"))


@pytest.mark.parametrize("kind", SUBWORDS)
def test_blank_documents_have_no_tokens(kind: str) -> None:
    blank = ["", " ", "\n\t", "\u200b", " \ufeff\u2003"]
    assert text.encode(LEARNED[kind], blank).lengths_N.tolist() == [0] * len(blank)
    framed = text.encode(LEARNED[kind], [*blank, "frase"], bounds=(2, 3))
    assert framed.lengths_N[:-1].sum() == 0 and framed.lengths_N[-1] > 2


def test_known_words_decode_and_others_are_unknown() -> None:
    tokenizer = LEARNED["words"]
    assert tokenizer.text(tokenizer.encode(["frase nova"]).ids_S) == "frase [UNK]"


@pytest.mark.parametrize("kind", SUBWORDS)
def test_bos_and_eos_ids_never_come_from_text(kind: str) -> None:
    module = catalog.load("tokenizers", kind)
    tokenizer = module.learn(TEXTS, settings_of(kind), bounds=True)
    assert (tokenizer.pad, tokenizer.unk) == (0, 1)
    assert tokenizer.vocab_size <= settings_of(kind).vocab_size
    assert None not in (tokenizer.bos, tokenizer.eos) and tokenizer.bos != tokenizer.eos
    ids = tokenizer.encode(["[BOS] [EOS] [PAD]"]).ids_S.tolist()
    assert not {tokenizer.bos, tokenizer.eos, tokenizer.pad} & set(ids)
    assert tokenizer.text([tokenizer.bos, *tokenizer.encode(["frase"]).ids_S, tokenizer.eos]) == (
        "frase"
    )
    assert LEARNED[kind].bos is LEARNED[kind].eos is None


def test_hashed_words_refuse_bounds() -> None:
    with pytest.raises(UsageError, match="cannot generate text; use bpe or unigram"):
        catalog.load("tokenizers", "words").learn(TEXTS, Settings(kind="words"), bounds=True)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'bpee': not one of .*Did you mean 'bpe'"):
        Settings(kind="bpee")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_content_is_a_value_error(kind: str) -> None:
    for content in ("", "{}", "nonsense", '{"version": 9}'):
        with pytest.raises(ValueError):
            text.load(kind, content)


@given(lengths=st.lists(st.integers(0, 40), max_size=6))
def test_slide_covers_documents_and_truncate_counts_cut_ones(lengths: list[int]) -> None:
    lengths_N = np.array(lengths, dtype=np.int64)
    encoded = text.Encoded(np.arange(int(lengths_N.sum())), lengths_N)
    slid, cut = Slide(8, 2).cut(encoded), Truncate(8, 2).cut(encoded)
    for number, length in enumerate(lengths):
        rows = np.flatnonzero(slid.owner_W == number)
        covered = {t for row in rows for t in range(slid.first_W[row], slid.last_W[row])}
        assert covered == set(range(length))
        (kept,) = [np.flatnonzero(cut.owner_W == number)]
        assert [int(cut.last_W[row]) for row in kept] == ([min(length, 8)] if length else [])
    assert cut.truncated == sum(length > 8 for length in lengths)
    assert slid.truncated == 0
