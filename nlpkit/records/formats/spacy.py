"""Read and write spaCy's DocBin, the binary format of its training data (*.spacy).

Format: https://spacy.io/api/docbin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from nlpkit.errors import InputError, UsageError
from nlpkit.language.bio import mentions
from nlpkit.language.spacy_rules import spacy_package
from nlpkit.records.decode import whole_bytes
from nlpkit.records.rows import is_blank, label_of
from nlpkit.records.source import TEXT, Record, Source, document_of
from nlpkit.text.unicode import whole

NESTED = True
HOLDS = ("entities", "label", "score")  # answer fields that it can hold
WANTS_TEXT = True  # `write` takes the name of the text's field
ZLIB = b"\x78"  # the first byte of a DocBin
ENTITIES, LABEL, SCORES = "entities", "label", "scores"


def read(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """Yield records with `text`, and `entities` and `label` if any document is annotated with them.

    The label is the best category of a document, the first of equal ones. A field is None for a
    document that lacks what others have. The whole file is held in memory.

    Raises:
        InputError: the input is not a DocBin, is damaged, or a column other than `text` is named.
    """
    data = whole_bytes(stream, source.name)
    if not data:
        return
    source.settle([TEXT])
    if not data.startswith(ZLIB):
        raise InputError(
            f"{source.name}: not a DocBin of spaCy, despite its name or --from; "
            "DocBin.to_disk writes one"
        )
    try:
        records = [_record(doc) for doc in _docs(data)]
    except Exception as problem:  # of zlib, of msgpack, of missing or inconsistent fields
        raise InputError(
            f"{source.name}: not a DocBin of spaCy, or damaged ({_reason(problem)}); "
            "write it again with DocBin.to_disk"
        ) from None
    fields = [name for name in (ENTITIES, LABEL) if any(name in record for record in records)]
    for record in records:
        yield {TEXT: record[TEXT]} | {name: record.get(name) for name in fields}


def _docs(data: bytes) -> Iterator[Any]:
    spacy = spacy_package()
    docs: Iterator[Any] = spacy.tokens.DocBin().from_bytes(data).get_docs(spacy.vocab.Vocab())
    return docs


def _reason(problem: Exception) -> str:
    text = str(problem)
    if text.startswith("[E1014]"):  # of spaCy, which advises about another format
        return "it cannot be decompressed"
    return next(iter(text.splitlines()), type(problem).__name__)[:200]


def _record(doc: Any) -> Record:
    record: Record = {TEXT: doc.text}
    if len(doc) and doc.has_annotation("ENT_IOB"):
        record[ENTITIES] = [
            {"start": ent.start_char, "end": ent.end_char, "type": ent.label_} for ent in doc.ents
        ]
    best = max(doc.cats, key=doc.cats.__getitem__, default="")
    if best and doc.cats[best] > 0:
        record[LABEL] = best
    return record


def write(records: Iterable[Record], stream: TextIO, text: str = TEXT) -> None:
    """Write a DocBin of the texts, their `entities` and, as categories, `scores` or `label`.

    `text` is the field of the text. Words are those of spaCy's blank tokenizer, without a language.
    An entity grows to whole words; the longer of two that then overlap stays. Each document with a
    label has all labels of the file as categories, 1 for its own and 0 for the others.

    Raises:
        UsageError: the stream takes text only.
        InputError: a record has no text, or no valid entities or label. Nothing is written then.
    """
    binary = getattr(stream, "buffer", None)
    if binary is None:
        raise UsageError("a DocBin is binary; write it to a file or to standard output")
    spacy = spacy_package()
    tokenizer = spacy.blank("xx").tokenizer
    docs = [_doc(record, text, number, tokenizer) for number, record in enumerate(records, 1)]
    stream.flush()
    binary.write(_with_all_labels(spacy.tokens.DocBin(docs=docs)).to_bytes())


def join(parts: Sequence[Path], stream: BinaryIO) -> None:
    """Write the documents of parts as one DocBin."""
    spacy = spacy_package()
    joined = spacy.tokens.DocBin()
    for part in parts:
        joined.merge(spacy.tokens.DocBin().from_disk(part))
    stream.write(_with_all_labels(joined).to_bytes())


def _doc(record: Record, text: str, number: int, tokenizer: Any) -> Any:
    if text not in record:
        raise InputError(f"record {number} has no {text!r} for a DocBin; use --to jsonl")
    document = whole(document_of(record[text]))
    doc = tokenizer(document)
    try:
        if (entities := record.get(ENTITIES)) is not None:
            doc.ents = _spans(doc, entities)
        doc.cats = _cats(record)
    except InputError as problem:
        raise InputError(f"record {number}: {problem}") from None
    return doc


def _spans(doc: Any, entities: Any) -> list[Any]:
    """Return entities as spans of whole words that do not overlap."""
    spans = (
        doc.char_span(each.start, each.end, each.type, alignment_mode="expand")
        for each in mentions(entities, doc.text)
    )
    kept: list[Any] = spacy_package().util.filter_spans([span for span in spans if span])
    return kept


def _cats(record: Record) -> dict[str, float]:
    scores, label = record.get(SCORES), record.get(LABEL)
    if isinstance(scores, Mapping) and scores and set(map(type, scores.values())) <= {int, float}:
        return {str(name): float(score) for name, score in scores.items()}
    return {} if is_blank(label) else {label_of(label): 1.0}


def _with_all_labels(docs: Any) -> Any:
    """Return a DocBin whose documents with categories have those of all documents."""
    labels = dict.fromkeys((label for cats in docs.cats for label in cats), 0.0)
    docs.cats = [labels | cats if cats else {} for cats in docs.cats]
    return docs
