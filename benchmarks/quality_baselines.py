"""The baselines of quality.py: LeIA, fastText, spaCy, and TF-IDF with logistic regression."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from quality_scores import Predict, Rows, Said, score

Fitted = tuple[Predict, dict[str, Any]]  # a system and its settings, as chosen on dev
SEED = 13


def choose(dev: Rows, name: str, fit: Callable[[float], Predict], *values: float) -> Fitted:
    fits = {value: fit(value) for value in values}
    on_dev = {value: score(dev, fits[value])["macro_f1"] for value in values}
    best = max(values, key=on_dev.__getitem__)
    return fits[best], {name: best, "dev": on_dev}


def leia(_train: Rows, _dev: Rows) -> Fitted:
    with patch("builtins.open", partial(open, encoding="utf-8")):  # LeIA uses the locale's encoding
        analyzer = import_module("LeIA").SentimentIntensityAnalyzer()

    def label(text: str) -> str:
        compound = analyzer.polarity_scores(text)["compound"]
        return "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"

    return lambda texts: [(label(text), math.nan) for text in texts], {}


def fasttext(train: Rows, dev: Rows, seconds: int) -> Fitted:
    learn = import_module("fasttext").train_supervised

    def line(text: str) -> str:
        return " ".join(text.lower().split())

    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/train", f"{folder}/dev"]
        for path, rows in zip(paths, (train, dev), strict=True):
            lines = [f"__label__{label} {line(text)}\n" for text, label in rows]
            Path(path).write_text("".join(lines), encoding="utf-8")
        model = learn(
            paths[0],
            autotuneValidationFile=paths[1],
            autotuneDuration=seconds,
            autotuneMetric="f1",
            seed=SEED,
            verbose=0,
        )

    def predict(texts: Sequence[str]) -> Sequence[Said]:
        labels, shares = model.predict([line(text) for text in texts])
        return [(top[0][9:], float(p[0])) for top, p in zip(labels, shares, strict=True)]

    chosen = model.f.getArgs()
    names = ("dim", "epoch", "lr", "wordNgrams", "minn", "maxn", "bucket")
    return predict, {name: getattr(chosen, name) for name in names}


def spacy(train: Rows, dev: Rows) -> Fitted:
    module, example = import_module("spacy"), import_module("spacy.training").Example
    nlp = module.blank("pt")
    labels = sorted({label for _, label in train})
    pipe = nlp.add_pipe("textcat")
    for label in labels:
        pipe.add_label(label)

    def examples(rows: Rows) -> list[Any]:
        cats = [{other: float(other == label) for other in labels} for _, label in rows]
        docs = nlp.tokenizer.pipe(text[:4000] for text, _ in rows)
        return [example.from_dict(doc, {"cats": c}) for doc, c in zip(docs, cats, strict=True)]

    def predict(texts: Sequence[str]) -> Sequence[Said]:
        docs = nlp.pipe((text[:4000] for text in texts), batch_size=256)
        return [max(doc.cats.items(), key=lambda item: item[1]) for doc in docs]

    training = examples(train)
    random.seed(SEED)
    module.util.fix_random_seed(SEED)
    optimizer = nlp.initialize(lambda: training[:1000])
    best, on_dev = b"", []
    for _ in range(3):
        random.shuffle(training)
        for start in range(0, len(training), 256):
            nlp.update(training[start : start + 256], sgd=optimizer, drop=0.2)
        on_dev.append(score(dev, predict)["macro_f1"])
        best = nlp.to_bytes() if on_dev[-1] == max(on_dev) else best
    nlp.from_bytes(best)
    return predict, {"dev": on_dev}


def tfidf(train: Rows, dev: Rows) -> Fitted:
    vectorizer = import_module("sklearn.feature_extraction.text").TfidfVectorizer
    regression = import_module("sklearn.linear_model").LogisticRegression
    common = {"sublinear_tf": True, "min_df": 3, "max_features": 150_000}
    words = vectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", **common)
    chars = vectorizer(ngram_range=(2, 5), analyzer="char_wb", **common)
    union = import_module("sklearn.pipeline").make_union(words, chars)
    features = union.fit_transform([text for text, _ in train]).astype("float32")

    def fit(c: float) -> Predict:
        model = regression(C=c, max_iter=200, tol=1e-3, class_weight="balanced")
        model.fit(features, [label for _, label in train])

        def predict(texts: Sequence[str]) -> Sequence[Said]:
            probs_NC = model.predict_proba(union.transform(texts))
            tops = probs_NC.argmax(1)
            return [
                (model.classes_[top], row[top]) for top, row in zip(tops, probs_NC, strict=True)
            ]

        return predict

    return choose(dev, "C", fit, 0.5, 2.0, 8.0)
