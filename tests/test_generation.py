"""Writing token by token: greedy, by chance and by beam search, alone and in any batch."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from writing_helpers import Toy

from nlpkit.errors import UsageError
from nlpkit.runtime import beam
from nlpkit.runtime.choosing import Sampler, likeliest, likeliest_only, log_softmax
from nlpkit.runtime.generate import Draft, write
from nlpkit.runtime.graphs import IDS, LOGITS, MASK, PLACE, STEP

BOS, EOS, VOCAB = 2, 3, 12
PROMPTS = st.lists(st.lists(st.integers(4, VOCAB - 1), max_size=6), min_size=1, max_size=9)


def by_hand(run: Toy, prompt: list[int], limit: int, source: dict[str, Any]) -> list[int]:
    """Return what greedy writing adds, reading the whole text again for each token."""
    written: list[int] = []
    start = {"history": np.zeros((1, 6)), PLACE: np.zeros(1, dtype=int)}
    if source:
        encoded = run.encode(source)
        start |= {"history": encoded["history"], "memory": encoded["memory"], MASK: source[MASK]}
    while len(written) < limit:
        ids = np.array([[*prompt, *written]])
        token = int(run.step(start | {IDS: ids})[LOGITS][0].argmax())
        if token == EOS:
            break
        written.append(token)
    return written


def drafts_of(prompts: list[list[int]], limit: int = 8) -> list[Draft]:
    return [Draft([BOS, *prompt], limit) for prompt in prompts]


def written(run: Toy, drafts: list[Draft], choose: Any = likeliest, **options: Any) -> list[Draft]:
    for _ in write(run, options.pop("source", {}), drafts, choose, eos=EOS, **options):
        pass
    return drafts


@given(prompts=PROMPTS, one_by_one=st.booleans(), seed=st.integers(0, 20))
def test_greedy_takes_the_likeliest_token_in_any_batch(
    prompts: list[list[int]], one_by_one: bool, seed: int
) -> None:
    """Prompts of different lengths are in one batch; some texts end before others."""
    run = Toy(VOCAB, one_by_one=one_by_one, seed=seed)
    for draft in written(run, drafts_of(prompts)):
        assert draft.ids == by_hand(run, draft.prompt, 8, {})
        assert len(draft.logprobs) == len(draft.ids) + draft.ended
        assert draft.ended or len(draft.ids) == 8


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6), seed=st.integers(0, 20))
def test_greedy_from_sources_in_any_batch(lengths: list[int], seed: int) -> None:
    run = Toy(VOCAB, source=True, seed=seed)
    mask_BT = np.arange(5) < np.array(lengths)[:, None]
    ids_BT = np.random.default_rng(seed).integers(4, VOCAB, mask_BT.shape) * mask_BT
    drafts = written(run, drafts_of([[]] * len(lengths)), source={IDS: ids_BT, MASK: mask_BT})
    for row, draft in enumerate(drafts):
        own = {IDS: ids_BT[row : row + 1], MASK: mask_BT[row : row + 1]}
        assert draft.ids == by_hand(run, [BOS], 8, own)


def test_finished_texts_leave_the_batch() -> None:
    run = Toy(VOCAB, seed=3)
    drafts = written(run, drafts_of([[n % 8 + 4] * (n % 3) for n in range(40)], limit=30))
    rows = [rows for graph, rows in run.calls if graph == STEP]
    assert any(draft.ended for draft in drafts) and rows[0] == 40
    assert rows == sorted(rows, reverse=True) and rows[-1] < 20
    longest = max(len(draft.prompt) + len(draft.logprobs) for draft in drafts)
    assert sum(rows) < 40 * longest


def test_nothing_to_write_calls_nothing() -> None:
    run = Toy(VOCAB)
    assert not written(run, []) and not run.calls
    assert beam.search(run, {}, [], 3, eos=EOS) == []


def test_each_token_is_yielded_as_it_is_written() -> None:
    run, drafts, seen = Toy(VOCAB, seed=1), drafts_of([[5], [6, 7]], limit=3), Counter[int]()
    for index, draft in write(run, {}, drafts, likeliest, eos=EOS):
        seen[index] += 1
        assert draft is drafts[index] and len(draft.logprobs) == seen[index]
    assert seen == {index: len(draft.logprobs) for index, draft in enumerate(drafts)}


def test_likeliest_tokens_are_the_same_without_their_chances() -> None:
    run = Toy(VOCAB, seed=1)
    plain, fast = (
        written(run, drafts_of([[5], [6]]), each) for each in (likeliest, likeliest_only)
    )
    assert [draft.ids for draft in fast] == [draft.ids for draft in plain]
    assert np.isnan([chance for draft in fast for chance in draft.logprobs]).all()


def test_a_text_ends_when_it_is_finished() -> None:
    run = Toy(VOCAB, seed=2)
    (whole,) = written(run, drafts_of([[5]], limit=9))
    stop = whole.ids[2]
    (stopped,) = written(
        run, drafts_of([[5]], limit=9), finished=lambda draft: draft.ids[-1:] == [stop]
    )
    assert stopped.ended and stopped.ids == whole.ids[: whole.ids.index(stop) + 1]


@given(seed=st.integers(0, 2**31), prompts=PROMPTS)
def test_a_seed_gives_the_same_texts_alone_and_in_a_batch(
    seed: int, prompts: list[list[int]]
) -> None:
    run, sampler = Toy(VOCAB), Sampler(seed=seed, top_k=6, top_p=0.9)
    together = written(run, drafts_of(prompts), sampler)
    for prompt, draft in zip(prompts, together, strict=True):
        (alone,) = written(run, drafts_of([prompt]), sampler)
        assert alone.ids == draft.ids
        assert np.allclose(alone.logprobs, draft.logprobs, atol=1e-4)


def test_another_seed_and_another_number_give_other_texts() -> None:
    run = Toy(VOCAB, spread=0.5)
    by_seed = {
        tuple(written(run, drafts_of([[5]], 20), Sampler(seed=seed))[0].ids) for seed in range(8)
    }
    numbered = [Draft([BOS, 5], 20, number) for number in range(8)]
    by_number = {tuple(draft.ids) for draft in written(run, numbered, Sampler())}
    assert len(by_seed) == len(by_number) == 8
    assert Draft([BOS, 5], 20).number == 0 and len(by_seed & by_number) == 1  # seed 0, number 0


LIKELIEST = [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}]


@pytest.mark.parametrize("given", [*LIKELIEST, {"temperature": 1e-6}], ids=str)
def test_sampling_that_allows_one_token_is_greedy(given: dict[str, Any]) -> None:
    run = Toy(VOCAB, seed=4)
    prompts = [[5], [6, 7], [8]]
    greedy = written(run, drafts_of(prompts))
    sampled = written(run, drafts_of(prompts), Sampler(seed=9, **given))
    assert [draft.ids for draft in sampled] == [draft.ids for draft in greedy]
    assert np.allclose(sampled[0].logprobs, greedy[0].logprobs)


PROBS = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


def counts(draws: int = 4000, probs: np.ndarray = PROBS, **given: Any) -> Counter[int]:
    """Return how often each token is drawn, by the drafts' numbers."""
    drafts = [Draft([BOS], 1, number) for number in range(draws)]
    logits_BV = np.log(probs).astype(np.float32)[None].repeat(draws, axis=0)
    tokens, logprobs = Sampler(seed=5, **given)(drafts, logits_BV)
    assert np.allclose(logprobs, np.log(probs)[tokens], atol=1e-5)  # of the model itself
    return Counter(tokens.tolist())


def test_tokens_are_drawn_by_their_probabilities() -> None:
    drawn = counts()
    assert [drawn[token] / 4000 for token in range(5)] == pytest.approx(PROBS, abs=0.03)


def test_temperature_changes_the_probabilities() -> None:
    for temperature in (0.5, 2.0):
        drawn = counts(temperature=temperature)
        shares = PROBS ** (1 / temperature) / (PROBS ** (1 / temperature)).sum()
        assert [drawn[token] / 4000 for token in range(5)] == pytest.approx(shares, abs=0.03)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"top_k": 2}, 2),
        ({"top_k": 99}, 5),
        ({"top_k": 0}, 5),
        ({"top_p": 0.39}, 1),
        ({"top_p": 0.41}, 2),
        ({"top_p": 0.71}, 3),
        ({"top_p": 1.0}, 5),
        ({"min_p": 0.5}, 2),
        ({"min_p": 0.26}, 3),
        ({"min_p": 0.0}, 5),
        ({"top_k": 3, "top_p": 0.5, "min_p": 0.1}, 2),
    ],
    ids=str,
)
def test_only_the_likeliest_tokens_are_drawn(given: dict[str, Any], allowed: int) -> None:
    assert set(counts(1000, **given)) == set(range(allowed))


def test_equal_probabilities_allow_the_lower_ids() -> None:
    assert set(counts(1000, np.full(4, 0.25), top_k=2)) == {0, 1}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"temperature": -0.1}, "--temperature -0.1: give a number from 0 to 100"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"top_p": 1.1}, "--top-p 1.1: give a number from 0 to 1"),
        ({"min_p": -0.1}, "--min-p -0.1"),
        ({"repeat_penalty": 0.0}, "--repeat-penalty 0.0: give a number from 0.01 to 100"),
        ({"top_k": -1}, "--top-k -1: give 0 for all tokens, or a positive number"),
    ],
)
def test_numbers_out_of_range_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sampler(**given)
    assert said in str(caught.value)


def test_repeat_penalty_makes_tokens_of_the_text_unlikely() -> None:
    run = Toy(VOCAB, seed=6)
    sampler = Sampler(temperature=0.0, repeat_penalty=100.0)
    (draft,) = written(run, [Draft([BOS, 5, 6], 7)], sampler)
    plain = written(run, [Draft([BOS, 5, 6], 7)])[0]
    assert len({5, 6, *draft.ids}) > len({5, 6, *plain.ids})


def test_repeat_penalty_divides_positive_logits_and_multiplies_negative_ones() -> None:
    draft = Draft([0], 9, ids=[1, 1])
    logits_BV = np.array([[3.0, -1.0, 2.0, 0.0]], dtype=np.float32)
    token_B, _ = Sampler(temperature=0.0, repeat_penalty=2.0)([draft], logits_BV)
    assert token_B.tolist() == [2]  # 1.5, -2, 2, 0
    assert logits_BV.tolist() == [[3.0, -1.0, 2.0, 0.0]], "the network's logits are not changed"


def exhaustive(run: Toy, prompt: list[int], limit: int) -> tuple[float, list[int]]:
    """Return the best text and its score, of all texts up to `limit` tokens."""
    best: tuple[float, list[int]] = (float("-inf"), [])
    for length in range(1, limit + 1):
        for tokens in itertools.product(range(run.out_DV.shape[1]), repeat=length):
            ended = tokens[-1] == EOS
            if EOS in tokens[:-1] or (length < limit and not ended):
                continue
            draft = Draft(prompt, limit)
            state = {"history": np.zeros((1, 6)), PLACE: np.zeros(1, dtype=int)}
            for end in range(length):
                ids = np.array([[*prompt, *tokens[:end]]])
                logprobs = log_softmax(run.step(state | {IDS: ids})[LOGITS])[0]
                draft.add(tokens[end], float(logprobs[tokens[end]]), EOS)
            best = max(best, (beam.score(draft), draft.ids))
    return best


@settings(max_examples=8)
@given(seed=st.integers(0, 99), one_by_one=st.booleans())
def test_search_with_many_beams_finds_the_best_of_all_texts(seed: int, one_by_one: bool) -> None:
    """Without a length penalty, because with one a search may end too early (beam.search)."""
    run = Toy(5, seed=seed, one_by_one=one_by_one, spread=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam, "ALPHA", 0.0)
        (found,) = beam.search(run, {}, [Draft([BOS, 4], 4)], 64, eos=EOS)
        score, ids = exhaustive(run, [BOS, 4], 4)
        assert found.ids == ids and beam.score(found) == pytest.approx(score, abs=1e-4)


@given(seed=st.integers(0, 50), beams=st.integers(1, 6), rows=st.integers(1, 4))
def test_search_is_the_same_in_any_batch(seed: int, beams: int, rows: int) -> None:
    run = Toy(VOCAB, seed=seed)
    drafts = [Draft([BOS, 4 + row], 6) for row in range(rows)]
    together = beam.search(run, {}, drafts, beams, eos=EOS)
    for draft, found in zip(drafts, together, strict=True):
        (alone,) = beam.search(run, {}, [draft], beams, eos=EOS)
        assert alone.ids == found.ids
        assert found.ended or len(found.ids) == 6
        assert len(found.logprobs) == len(found.ids) + found.ended
        assert not draft.ids, "the drafts themselves are not changed"


def test_search_with_more_beams_than_tokens() -> None:
    run = Toy(5, seed=1)
    (found,) = beam.search(run, {}, [Draft([BOS], 1)], 64, eos=EOS)
    logprobs = log_softmax(
        run.step({"history": np.zeros((1, 6)), PLACE: np.zeros(1, int), IDS: np.array([[BOS]])})[
            LOGITS
        ]
    )
    assert found.logprobs == [pytest.approx(float(logprobs.max()), abs=1e-6)]
