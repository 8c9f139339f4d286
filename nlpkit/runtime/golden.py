"""Golden texts: a bundle stores its answers to them, so that `models verify` can repeat them."""

from __future__ import annotations

import json

from nlpkit.runtime.model import Model

TEXTS = (
    "Adorei o produto, chegou antes do prazo!",
    "Péssimo atendimento, nunca mais compro aqui.",
    "O pacote foi entregue na portaria às 14h.",
    "Não é ruim, mas também não é nada demais.",
    "kkkkkk que filme maravilhoso, vi duas vezes 😍",
    "nao gostei, veio quebrado e a loja nem respondeu",
    "A reunião de quinta-feira foi remarcada para sexta.",
    "I loved every minute of it.",
    "Terrible service, the food was cold.",
    "The meeting is at three o'clock.",
    "",
    "   ",
    "a",
    "?!...",
    "👍",
    "PÉSSIMO!!!!!!!!!",
    "@loja http://exemplo.com.br cadê meu pedido???",
    "linha com\ttabulação e \\ barra",
    "muito bom " * 300,
)


def golden_lines(model: Model) -> str:
    """Return golden.jsonl: one line for each text with its answer, if it has one."""
    lines = []
    for text, answer in zip(TEXTS, model.predict(TEXTS), strict=True):
        lines.append({"text": text} | (answer.plain() if answer else {}))
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
