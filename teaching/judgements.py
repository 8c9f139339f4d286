"""Write sentences of our own that judge two or three things, each in its own way.

    python teaching/judgements.py > teaching/rows-judgements.jsonl

Reviews mostly praise everything or complain of everything, so that a network learns the mood of the
text and gives it to each aspect. In these sentences the mood changes at `mas` or at a comma.
"""

from __future__ import annotations

import json
import random

COUNT = 6000
# (aspects, praise, complaints); "o" or "a" stands before an aspect where a sentence has an article.
THINGS: tuple[tuple[str, str, str], ...] = (
    (
        "a entrega|o envio|a transportadora",
        "foi rápida|chegou antes do prazo|foi super rápida|foi no prazo|surpreendeu|é eficiente",
        "atrasou|demorou demais|demorou muito|foi péssima|não chegou no prazo|atrasou duas semanas"
        "|deixou a desejar|nunca chegou",
    ),
    (
        "o preço|o frete|o valor|a taxa|a mensalidade",
        "é justo|é ótimo|é bom|compensa|está barato|é acessível|vale a pena",
        "é caro|é alto demais|é abusivo|não compensa|subiu muito|é salgado|é absurdo|saiu caro",
    ),
    (
        "o atendimento|o vendedor|o garçom|a atendente|o suporte|o gerente|a equipe|a recepção",
        "foi atencioso|resolveu rápido|foi educado|é excelente|ajudou muito|foi nota dez"
        "|respondeu na hora",
        "foi grosso|não resolveu nada|foi mal educado|demorou para responder|ignorou a gente"
        "|foi péssimo|não responde|é despreparado|deixou a desejar",
    ),
    (
        "a bateria|a pilha|o carregador",
        "dura muito|dura o dia todo|carrega rápido|é excelente|aguenta bem|surpreendeu",
        "dura pouco|não dura nada|vicia logo|descarrega rápido|esquenta muito|parou de funcionar"
        "|não segura carga",
    ),
    (
        "a tela|a imagem|a câmera|o som|o microfone|o fone|o teclado|o controle",
        "é linda|é nítida|é muito boa|tem ótima qualidade|impressiona|funciona bem|é perfeita",
        "veio riscada|não presta|queimou|falha toda hora|é fraca|chia muito|trava|é ruim"
        "|parou de funcionar|deixa a desejar",
    ),
    (
        "o produto|o aparelho|o celular|o notebook|a máquina|o ventilador|a cafeteira|o brinquedo",
        "é ótimo|funciona perfeitamente|superou as expectativas|é excelente|é muito bom"
        "|vale cada centavo",
        "veio quebrado|não funciona|veio com defeito|quebrou na primeira semana|é uma porcaria"
        "|parou de funcionar|não vale nada|é fraco|decepcionou",
    ),
    (
        "a embalagem|a caixa|o lacre",
        "veio perfeita|é caprichada|protege bem|veio intacta|é bonita",
        "veio amassada|chegou rasgada|veio violada|é frágil|veio aberta|não protege nada",
    ),
    (
        "o tecido|o material|o acabamento|a costura|a qualidade|a cor|o tamanho|o zíper",
        "é ótimo|é de primeira|é resistente|é lindo|é excelente|veio certinho|é macio",
        "é fino demais|é ruim|desbotou|rasgou|é péssimo|não é o da foto|soltou|encolheu"
        "|deixa a desejar|veio errado",
    ),
    (
        "a comida|o prato|a pizza|a sobremesa|o lanche|o hambúrguer|a carne|o peixe"
        "|a bebida|o café",
        "estava deliciosa|é saborosa|é uma delícia|estava ótima|veio quentinha"
        "|é maravilhosa|é fresca",
        "estava fria|veio crua|estava salgada|é sem gosto|veio queimada|demorou uma hora"
        "|estava azeda"
        "|estava horrível|passou do ponto",
    ),
    (
        "o quarto|o banheiro|a cama|o chuveiro|a piscina|o ar-condicionado|o colchão|a toalha"
        "|o café da manhã|a internet",
        "é confortável|é limpo|é espaçoso|funciona bem|é ótimo|é variado|estava impecável"
        "|é excelente",
        "cheirava a mofo|estava sujo|não esquentava|é minúsculo|não funcionava|é barulhento|é velho"
        "|é fraco|é péssimo|era duro",
    ),
    (
        "a localização|o ambiente|o lugar|a vista|a decoração|o estacionamento",
        "é ótima|é agradável|é excelente|é linda|é bem cuidado|é perfeita|é tranquilo",
        "é ruim|é longe de tudo|é barulhento|é apertado|é sujo|é perigosa|está abandonado",
    ),
    (
        "o aplicativo|o app|o site|o sistema|a atualização|o login|o pagamento",
        "funciona bem|é rápido|é prático|é intuitivo|é fácil de usar|melhorou muito|é ótimo",
        "trava toda hora|fecha sozinho|não abre|dá erro|é lento|é confuso|caiu de novo"
        "|não funciona",
    ),
    (
        "o salário|o plano de saúde|a chefia|a liderança|o ambiente de trabalho|a carga horária"
        "|o plano de carreira|a gestão",
        "é bom|é competitivo|é acolhedora|é justo|é flexível|é excelente|respeita as pessoas",
        "é baixo|é ruim|é despreparada|é tóxico|é exaustiva|não existe|é fraca|é desorganizada",
    ),
    (
        "o livro|a história|o enredo|o personagem|a tradução|a capa|o final|a leitura"
        "|o filme|o roteiro",
        "é emocionante|prende do começo ao fim|é linda|é envolvente|é bem escrita"
        "|surpreende|é ótimo",
        "é arrastado|é chata|é mal escrito|é previsível|decepcionou|é confuso|veio amassada|é fraco"
        "|não convence",
    ),
    (
        "a consulta|o médico|o exame|a clínica|a espera|o diagnóstico",
        "foi ótima|é atencioso|foi rápido|é limpa|foi tranquila|é competente|explicou tudo",
        "demorou três horas|foi grosso|foi remarcado duas vezes|é suja|foi um descaso|atrasou"
        "|nem olhou para mim",
    ),
)
ADJECTIVES = {
    "positive": "ótimo|boa|excelente|perfeito|maravilhosa|rápida|justo|linda|impecável|top|show",
    "negative": "péssimo|ruim|horrível|caro|baixo|lenta|fraca|feio|suja|demorado|grosso|caríssimo",
}
NEGATED = {
    "negative": "não gostei d{}|não recomendo {}|não vale a pena pel{}|me decepcionei com {}"
    "|fiquei decepcionado com {}|odiei {}|só tenho reclamação d{}|sem condições {}",
    "positive": "gostei d{}|adorei {}|amei {}|recomendo {}|não tenho do que reclamar d{}"
    "|fiquei satisfeito com {}|me surpreendi com {}|nada a reclamar d{}",
}
CONTRASTS = (", mas ", ", porém ", " mas ", ", só que ", ". Já ", ", no entanto ", ", pena que ")
SAME = (", ", " e ", ". ", ", além disso ", " e também ")
STARTS = ("", "", "", "", "Olha, ", "Comprei mês passado. ", "Segunda vez que compro. ", "Enfim, ")
ENDS = (".", "!", "", "", "...", ". Recomendo", ". Não volto mais", " :(", " 👍")


def main() -> None:
    rng = random.Random(7)
    for _ in range(COUNT):
        print(json.dumps(sentence(rng), ensure_ascii=False))


def sentence(rng: random.Random) -> dict[str, object]:
    """Return a text with its aspects."""
    count = rng.choice((1, 2, 2, 2, 3))
    polarity = rng.choice(("positive", "negative"))
    text, spans = rng.choice(STARTS), []
    for number in range(count):
        if number:
            changes = rng.random() < 0.75
            text += rng.choice(CONTRASTS if changes else SAME)
            if changes:
                polarity = "negative" if polarity == "positive" else "positive"
        before, aspect, after = clause(rng, polarity)
        spans.append((len(text) + len(before), aspect, polarity))
        text += before + aspect + after
    text += rng.choice(ENDS)
    if rng.random() < 0.3:
        text = text.lower()
    elif text[0].islower():
        text = text[0].upper() + text[1:]
    entities = [{"start": s, "end": s + len(a), "type": p} for s, a, p in spans]
    return {"text": text, "entities": entities}


def clause(rng: random.Random, polarity: str) -> tuple[str, str, str]:
    """Return what stands before an aspect, the aspect, and what is said of it."""
    things, praise, complaints = rng.choice(THINGS)
    article, _, aspect = rng.choice(things.split("|")).partition(" ")
    said = rng.choice((praise if polarity == "positive" else complaints).split("|"))
    form = rng.random()
    if form < 0.25:
        adjective = rng.choice(ADJECTIVES[polarity].split("|"))
        return "", aspect, f" {rng.choice(('', '', 'muito ', 'bem '))}{adjective}"
    if form < 0.4:
        before = rng.choice(NEGATED[polarity].split("|")).replace("{}", article)
        return f"{before} ", aspect, ""
    return f"{article} ", aspect, f" {said}"


if __name__ == "__main__":
    main()
