"""Faithfulness of explanations: comprehensiveness and sufficiency of each method, beside random.

    python benchmarks/faithfulness.py --data ../shared/data [--most 300]

ERASER's measures (DeYoung et al. 2020) over ten shares of the words, from 5% to 50%; texts of 4 to
100 words, drawn from each file with a seed. The models were not trained on these files.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from pathlib import Path

from nlpkit import catalog, zoo
from nlpkit.explaining.explainer import Explainer
from nlpkit.explaining.words import spans
from nlpkit.jobs.explain import measured
from nlpkit.records.rows import read_records
from nlpkit.text.documents import whole_text

SENTIMENT = (
    "sentiment_pt/mercadolivre/test.jsonl.xz",
    "sentiment_pt/computer_br/test.jsonl.xz",
    "sentiment_pt/tripadvisor_rota/test.jsonl.xz",
)
ENTITIES = ("ner_pt/harem_selective/test.jsonl.xz",)
MODELS = {
    "sentiment": SENTIMENT,
    "sentiment-lstm": SENTIMENT,
    "sentiment-atnet": SENTIMENT,
    "sentiment-transformer": SENTIMENT,
    "sentiment-best": SENTIMENT,
    "sentiment-auto": SENTIMENT,
    "entities-pt": ENTITIES,
}
ATTEND = ("sentiment-lstm", "sentiment-atnet", "sentiment-transformer", "sentiment-best")
SHORTEST, LONGEST = 4, 100  # words


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("NLPKIT_DATA"))
    parser.add_argument("--most", type=int, default=300, help="texts of each file")
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    given = parser.parse_args()
    print("| model | method | comprehensiveness | random | sufficiency | random | ms a text |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for name in given.models:
        texts = [text for file in MODELS[name] for text in drawn(given.data / file, given.most)]
        for method in ("occlusion", "attention") if name in ATTEND else ("occlusion",):
            print(row(name, method, texts), flush=True)


def drawn(path: Path, most: int) -> list[str]:
    """Return texts of a file, drawn with a seed."""
    column = "tokens" if "ner_" in str(path) else "text"
    texts = [whole_text(record[column]) for record in read_records(str(path), column)]
    fitting = [text for text in dict.fromkeys(texts) if SHORTEST <= len(spans(text)) <= LONGEST]
    return random.Random(0).sample(fitting, min(most, len(fitting)))


def row(name: str, method: str, texts: list[str]) -> str:
    """Return a row of the table."""
    module = catalog.load("explainers", method)
    model = zoo.load(name, device="cpu", attention=method == "attention")
    started = time.process_time()
    mean = measured(Explainer(model, module).answer(texts))
    assert mean is not None
    milliseconds = 1000 * (time.process_time() - started) / len(texts)
    numbers = mean[0], mean[2], mean[1], mean[3]
    cells = [name, method, *(f"{number:.3f}" for number in numbers), f"{milliseconds:.1f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
