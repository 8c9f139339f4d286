"""How a model writes, by the options of `nlpkit generate`."""

from __future__ import annotations

from typing import Any

import pytest
from writing_helpers import Toy, language_model, model_of, tokenizer, writer

from nlpkit.errors import UsageError
from nlpkit.jobs import generate as job
from nlpkit.runtime.writing import Manner


def test_manner_follows_from_the_options() -> None:
    neutral = {"top_k": 0, "top_p": 0.95, "min_p": 0.0, "repeat_penalty": 1.0, "seed": 3}
    lm, source = language_model(), writer()

    def manner(model: Any, **given: Any) -> Manner:
        options: dict[str, Any] = {
            "beams": None,
            "longest": None,
            "temperature": None,
            "sampling": neutral,
        }
        options |= {"samples": 1, "stop": ()} | given
        return job.manner_of(model, **options)

    assert manner(source).sampler is None
    assert manner(lm).sampler.temperature == job.TEMPERATURE and manner(lm).sampler.seed == 3
    assert manner(lm, temperature=0.0).sampler is None
    assert manner(lm, beams=4).sampler is None and manner(lm, beams=4).beams == 4
    penalty = neutral | {"repeat_penalty": 1.3}
    assert manner(source, sampling=penalty).sampler.temperature == 0
    assert (manner(lm).longest, manner(lm, longest=7).longest) == (job.LONGEST, 7)
    searching = model_of(Toy(tokenizer().vocab_size, source=True), longest=12, beams=3)
    assert (manner(searching).longest, manner(searching).beams) == (12, 3)
    assert (manner(searching, beams=1).beams, manner(searching, temperature=0.5).beams) == (1, 1)
    with pytest.raises(UsageError, match="leave --temperature out"):
        manner(lm, beams=2, temperature=0.5)
    with pytest.raises(UsageError, match="leave --repeat-penalty out"):
        manner(lm, beams=2, sampling=penalty)
    with pytest.raises(UsageError, match="--stop '' would end every text"):
        manner(lm, stop=("fim", ""))
    assert manner(lm, samples=2).sampler.temperature == job.TEMPERATURE
    for model, chosen in ((lm, {"beams": 2}), (lm, {"temperature": 0.0}), (source, {})):
        with pytest.raises(UsageError, match="--samples draws by chance"):
            manner(model, samples=2, **chosen)
