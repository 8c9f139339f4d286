"""Write examples/shop.csv: 600 reviews of a made-up shop, with stores and dates.

    python examples/shop.py > examples/shop.csv

Deliveries to the south are late from July on, and a new package is praised since June, so that
a report has changes to find. All sentences are our own.
"""

from __future__ import annotations

import csv
import random
import sys
from datetime import date, timedelta

ROWS = 600
STORES = ("Centro", "Norte", "Sul", "Online")
GOOD = {
    "entrega": "a entrega foi rápida|chegou antes do prazo|entrega no prazo, tudo certo"
    "|a entrega me surpreendeu",
    "produto": "o produto é ótimo|o produto superou as expectativas|produto excelente, recomendo"
    "|adorei o produto|o produto é igualzinho ao da foto",
    "preço": "o preço é justo|preço muito bom|pelo preço, vale a pena|melhor preço que achei",
    "atendimento": "o atendimento foi nota dez|atendimento atencioso, resolveram na hora"
    "|fui muito bem atendida",
    "embalagem": "a embalagem veio caprichada|embalagem perfeita|a embalagem nova protege bem",
    "tecido": "o tecido é macio|o tecido é de primeira|adorei o tecido",
    "tamanho": "o tamanho serviu direitinho|o tamanho veio certo",
}
BAD = {
    "entrega": "a entrega atrasou duas semanas|até hoje não chegou|a entrega demorou demais"
    "|entrega péssima, ninguém dá informação|o frete é caro e a entrega atrasa",
    "produto": "o produto veio com defeito|o produto quebrou na primeira semana"
    "|não gostei do produto, é frágil|veio o produto errado",
    "preço": "achei o preço salgado|o preço não compensa|caro pelo que é",
    "atendimento": "o atendimento foi péssimo|ninguém responde no chat|o vendedor foi grosso"
    "|atendimento demorado, não resolveram nada",
    "embalagem": "a embalagem chegou rasgada|embalagem frágil, veio tudo amassado",
    "tecido": "o tecido é fino demais|o tecido desbotou na primeira lavagem",
    "tamanho": "o tamanho veio errado|ficou pequeno, a tabela de tamanho engana",
}
NEUTRAL = (
    "comprei duas blusas e um cinto|pedi pelo site e retirei na loja"
    "|alguém sabe se tem na cor azul?"
    "|o pedido chegou hoje, ainda não usei|é a segunda vez que compro aqui"
)
STARTS = (
    *("", "", "", "Comprei um vestido. ", "Comprei para minha mãe. ", "Pedi duas camisas. "),
    *("Segunda compra aqui. ", "Primeira vez na loja. ", "Olha, ", "Gente, ", "Sinceramente, "),
    *("Comprei no site. ", "Fui na loja do shopping. ", "Era presente. ", "Pedi uma jaqueta. "),
    *("Comprei na promoção. ", "Usei o cupom. ", "Bom dia, ", "Enfim, ", "No geral, "),
)
ENDS = ("", "", "", ".", "!", "!!", " 😍", " 👎", ". Recomendo", ". Não volto mais")


def main() -> None:
    rng = random.Random(11)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["date", "store", "review"])
    for _ in range(ROWS):
        day = date(2025, 1, 6) + timedelta(days=rng.randrange(300))
        store = rng.choice(STORES)
        written = "" if rng.random() < 0.02 else day.strftime("%d/%m/%Y")
        writer.writerow([written, store, review(rng, day, store)])


def review(rng: random.Random, day: date, store: str) -> str:
    """Return a review, whose mood depends on the day and the store."""
    if rng.random() < 0.08:
        return rng.choice(STARTS[:3] + STARTS[8:10]) + rng.choice(NEUTRAL.split("|"))
    late = store == "Sul" and day >= date(2025, 7, 1)
    sides = [rng.random() < (0.1 if late else 0.7)]
    if rng.random() < 0.35:
        sides.append(not sides[0])
    said = [_clause(rng, good, day, late) for good in sides]
    joined = said[0] if len(said) == 1 else f"{said[0]}, {rng.choice(('mas', 'porém'))} {said[1]}"
    good_end = sides[-1]
    end = rng.choice(
        [e for e in ENDS if (e not in (" 👎", ". Não volto mais")) == good_end or not e]
    )
    start = rng.choice(STARTS)
    return start + (joined if start.endswith(", ") else joined[0].upper() + joined[1:]) + end


def _clause(rng: random.Random, good: bool, day: date, late: bool) -> str:
    things = dict(GOOD if good else BAD)
    weights = {name: 1.0 for name in things} | {"produto": 2.0, "entrega": 2.0}
    if late and not good:
        weights["entrega"] = 9.0
    if good and day >= date(2025, 6, 1):
        weights["embalagem"] = 3.0
    (thing,) = rng.choices(list(things), [weights[name] for name in things])
    return rng.choice(things[thing].split("|"))


if __name__ == "__main__":
    main()
