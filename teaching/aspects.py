"""Write the training rows of aspects-pt: spans of aspects with their polarity.

    python teaching/aspects.py ../shared/data

teaching/rows-aspects-hotels-{train,dev}.jsonl: the reviews of absapt_hotels, whose aspects people
marked. teaching/rows-aspects.jsonl: reviews of other things, whose aspects are the nouns that
tagger-pt finds, less those of NONE, and whose polarity is that of a logistic regression over the
answers of the bundle `sentiment` to the clause, the sentence and their neighbours, learned from
the first file. So hotels teach what an aspect and its polarity are, and shops, apps, employers,
restaurants, books and complaints teach their words.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sentences import texts
from sklearn.linear_model import LogisticRegression

import nlpkit
from nlpkit.records.rows import read_records

HERE = Path(__file__).parent
LABELS = ("negative", "neutral", "positive")
SETS = (
    "sentiment_pt/olist_classified",
    "sentiment_pt/olist_sample",
    "sentiment_pt/mercadolivre",
    "sentiment_pt/mercadolivre_2026",
    "sentiment_pt/play_shopping_apps",
    "sentiment_pt/glassdoor_proscons",
    "sentiment_pt/tripadvisor_rota",
    "sentiment_pt/tripadvisor_minas",
    "sentiment_pt/books_amazon",
    "sentiment_pt/computer_br",
    "raw_pt/reclameaqui_2022",
)
MOST, SHORTEST, LONGEST = 2000, 20, 400  # texts of a set; characters of a text
FREQUENT = 4  # least mentions of a noun in a set
# Nouns that are no part or quality of anything: times, people, talk and figures of speech.
NONE = frozenset(
    re.findall(
        r"\w+",
        """dia vez ano mês semana hora minuto segundo momento tempo data época fim final início
        começo janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro
        dezembro manhã tarde noite ontem hoje amanhã domingo segunda terça quarta quinta sexta
        sábado feira fds natal gente pessoa cara pessoal mãe pai filho filha marido esposa irmão
        irmã amigo amiga família casal criança bebê mulher homem senhora senhor moça moço neto
        neta avó avô namorado namorada coisa pena exemplo fato caso forma jeito modo maneira
        tipo parte lado ponto questão vista meio real reais dinheiro mil cento metade dúzia par
        monte pouco resto falta volta ida vida mundo parabéns favor obrigado obrigada abraço boa
        atenção satisfação medo dúvida certeza vontade expectativa necessidade verdade mentira
        motivo razão culpa respeito descaso absurdo decepção vergonha palhaçada raiva saco bosta
        merda lixo porcaria top nota estrela dica elogio crítica brasil cidade estado país rio
        são bairro região estrada gb m cm kg w v não sim certo novo usuário consumidor cliente
        consumidores leitor turista gosto presente ideia sonho amor carinho deus graça mão pé
        cabeça olho boca corpo costa interesse opinião comentário avaliação recomendação
        reclamação relação respeito vista conta falar dar ser ter ficar fazer""",
    )
)
SENTENCE = re.compile(r"[.!?;…\n]+|\s-\s")
CLAUSE = re.compile(
    r"[.!?;…\n]+|\s-\s|[,:()]|\b(?:mas|porém|contudo|entretanto|todavia|só que|apesar de|embora"
    r"|porque|pois|já|enquanto)\b",
    re.IGNORECASE,
)
FINEST = re.compile(CLAUSE.pattern + r"|\be\b", re.IGNORECASE)
Mention = dict[str, Any]  # start, end and, in a gold row, type


def main() -> None:
    data = Path(sys.argv[1])
    gold = {split: list(_hotels(data, split)) for split in ("train", "dev")}
    for split, rows in gold.items():
        _write(HERE / f"rows-aspects-hotels-{split}.jsonl", rows)
    judge = Judge(gold["train"])
    tagger = nlpkit.load("tagger-pt")
    silver = [row for name in SETS for row in judge.judged(_nouns(data, name, tagger))]
    random.Random(0).shuffle(silver)
    _write(HERE / "rows-aspects.jsonl", silver)
    counts = Counter(each["type"] for row in silver for each in row["entities"])
    print(len(silver), "reviews", dict(counts), file=sys.stderr)


def _hotels(data: Path, split: str) -> Iterator[dict[str, Any]]:
    """Yield the reviews of absapt_hotels, each with all its mentions."""
    mentions: dict[str, dict[tuple[int, int], str]] = defaultdict(dict)
    for row in read_records(str(data / f"absa_pt/absapt_hotels/{split}.jsonl.xz"), "text"):
        mentions[row["text"]][row["start"], row["end"]] = row["label"]
    for text, own in mentions.items():
        spans = [{"start": s, "end": e, "type": label} for (s, e), label in sorted(own.items())]
        yield {"text": text, "entities": spans}


def _nouns(data: Path, name: str, tagger: Any) -> list[tuple[str, list[Mention]]]:
    """Return texts of a set with their nouns: two that are often one term are one mention."""
    every = [text for text in dict.fromkeys(texts(data, name)) if SHORTEST < len(text) < LONGEST]
    drawn = random.Random(0).sample(every, min(MOST, len(every)))
    tagged = [
        (text, _spans(text, answer))
        for text, answer in zip(drawn, tagger.predict(drawn), strict=True)
    ]
    singles = Counter(w[2] for _, words in tagged for w in words if w[3] == "NOUN")
    terms = Counter(key for _, words in tagged for _, key in _terms(words))
    found = []
    for text, words in tagged:
        spans, taken = [], -1
        joined = {first: key for first, key in _terms(words)}
        for index, (start, end, lemma, tag) in enumerate(words):
            if index <= taken or tag != "NOUN" or lemma in NONE or singles[lemma] < FREQUENT:
                continue
            if len(lemma) < 3:
                continue
            key = joined.get(index)
            if key and terms[key] >= FREQUENT and terms[key] > 0.2 * singles[lemma]:
                end, taken = words[index + 2][1], index + 2
            spans.append({"start": start, "end": end})
        if spans:
            found.append((text, spans))
    return found


def _spans(text: str, answer: Any) -> list[tuple[int, int, str, str]]:
    """Return (start, end, lemma, tag) of each word."""
    words, place = [], 0
    if answer is None:
        return words
    for word, lemma, tag in zip(answer.words, *answer.layers, strict=True):
        start = text.find(word, place)
        if start < 0:
            return words
        place = start + len(word)
        words.append((start, place, lemma.lower(), tag))
    return words


def _terms(words: list[tuple[int, int, str, str]]) -> Iterator[tuple[int, str]]:
    """Yield the index and the lemmas of each noun, preposition and noun in a row."""
    for index, three in enumerate(zip(words, words[1:], words[2:], strict=False)):
        tags, (_, _, joint, _) = [w[3] for w in three], three[1]
        known = three[2][2] not in NONE - {"manhã"} and joint in ("de", "do", "da", "dos", "das")
        if tags == ["NOUN", "ADP", "NOUN"] and known:
            yield index, " ".join(w[2] for w in three)


class Judge:
    """The polarity of a mention, by the answers of `sentiment` to the text around it."""

    def __init__(self, gold: list[dict[str, Any]]) -> None:
        self.model = nlpkit.load("sentiment")
        pairs = [(row["text"], each) for row in gold for each in row["entities"]]
        self.regression = LogisticRegression(C=1.0, max_iter=2000)
        self.regression.fit(self._features(pairs), [each["type"] for _, each in pairs])

    def judged(self, found: list[tuple[str, list[Mention]]]) -> Iterator[dict[str, Any]]:
        """Yield rows with the types of all mentions."""
        pairs = [(text, each) for text, own in found for each in own]
        types = iter(self.regression.predict(self._features(pairs)))
        for text, own in found:
            yield {"text": text, "entities": [each | {"type": str(next(types))} for each in own]}

    def _features(self, pairs: list[tuple[str, Mention]]) -> Any:
        views = [view for text, each in pairs for view in _views(text, each["start"], each["end"])]
        answers = self.model.predict(views)
        scores = [[a.scores[name] for name in LABELS] if a else [1 / 3] * 3 for a in answers]
        return np.log(np.array(scores) + 1e-3).reshape(len(pairs), -1)


def _views(text: str, start: int, end: int) -> list[str]:
    """Return the parts of a text that may say how a mention is judged."""
    first, _ = _around(text, CLAUSE, start, end)
    _, stop = _around(text, SENTENCE, start, end)
    around = [text[slice(*_around(text, p, start, end))] for p in (FINEST, CLAUSE, SENTENCE)]
    near = " ".join(text[start:].split()[:6])
    return [*around, near, text[max(0, start - 60) : end + 60], text[first:stop], text]


def _around(text: str, pattern: re.Pattern[str], start: int, end: int) -> tuple[int, int]:
    """Return the part between two matches of a pattern that holds text[start:end]."""
    first, last = 0, len(text)
    for match in pattern.finditer(text):
        if match.end() <= start:
            first = match.end()
        elif match.start() >= end:
            last = match.start()
            break
    return first, last


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
