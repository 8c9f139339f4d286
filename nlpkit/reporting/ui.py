"""The words of a report's page, in Portuguese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Report",
        "texts": "texts",
        "read": "{n} rows read",
        "sampled": "a random sample of {n} of them is reported",
        "empty": "{n} empty",
        "duplicates": "{n} repeated",
        "foreign": "{n} in another language ({which})",
        "unsure": "of {n} the model is unsure (its score is below 60%)",
        "feel": "How they feel",
        "label": "label",
        "counted": "counted",
        "share": "share",
        "interval": "95% interval",
        "off": "The interval covers the sampling of these texts and the errors of the model "
        "({errors} on kinds of texts that it was measured on). Both sides of a comparison have "
        "the same model, so comparisons are surer than the shares themselves.",
        "raw": "The interval covers the sampling of these texts only: the model states no errors.",
        "by": "By {name}",
        "value": "value",
        "differs": "differs",
        "others": "{values} other values have {texts} texts.",
        "differs_note": "“differs” names labels whose share is not that of the other texts, beyond "
        "noise (5% false discoveries).",
        "time": "Over time",
        "period": "period",
        "change": "change",
        "time_note": "A ring marks a change from the period before that is more than noise (5% "
        "false discoveries). Periods of fewer than 5 texts are not drawn. {n} texts have no date.",
        "table": "Table of periods",
        "aspects": "What is praised and complained of",
        "aspect": "aspect",
        "polarity": "polarity",
        "trend": "trend",
        "more": "more often lately",
        "less": "less often lately",
        "aspects_note": "A model finds aspects and their polarity; those in three texts or more "
        "are listed.",
        "praise": "Praise",
        "complaints": "Complaints",
        "no_aspects": "No aspect stands in three texts or more.",
        "words": "Words that set groups apart",
        "words_note": "Words and pairs of words by the log-odds ratio with a Dirichlet prior "
        "(Monroe et al. 2008): texts here, texts elsewhere.",
        "quotes": "Quotes",
        "quotes_note": "Words in blue speak for the label, words in orange against it.",
        "surest": "Surest",
        "typical": "Most typical",
        "mixed": "Most mixed",
        "model": "About the model",
        "model_note": "{model} labelled the texts. On {n} dev texts of many kinds, {accuracy} of "
        "its labels are right. It errs on irony, on mixed texts and on words of a trade; of each "
        "label, it is right and finds:",
        "no_model_note": "{model} labelled the texts; it states no scores.",
        "precision": "right of those given",
        "recall": "found of those true",
        "masked": "Personal data and names in quotes are hidden.",
        "made": "Made with nlpkit {version} from {files}.",
        "negative": "negative",
        "neutral": "neutral",
        "positive": "positive",
        "none": "(none)",
    },
    "pt": {
        "title": "Relatório",
        "texts": "textos",
        "read": "{n} linhas lidas",
        "sampled": "o relatório é de uma amostra aleatória de {n}",
        "empty": "{n} vazias",
        "duplicates": "{n} repetidas",
        "foreign": "{n} em outra língua ({which})",
        "unsure": "em {n} o modelo não tem certeza (pontuação abaixo de 60%)",
        "feel": "O que sentem",
        "label": "rótulo",
        "counted": "contados",
        "share": "parcela",
        "interval": "intervalo de 95%",
        "off": "O intervalo cobre a amostragem destes textos e os erros do modelo ({errors} nos "
        "tipos de texto em que foi medido). Os dois lados de uma comparação têm o mesmo modelo; "
        "por isso as comparações são mais seguras do que as parcelas.",
        "raw": "O intervalo cobre só a amostragem destes textos: o modelo não informa seus erros.",
        "by": "Por {name}",
        "value": "valor",
        "differs": "difere",
        "others": "Outros {values} valores têm {texts} textos.",
        "differs_note": "“difere” dá os rótulos cuja parcela não é a dos outros textos, além do "
        "acaso (5% de falsas descobertas).",
        "time": "Ao longo do tempo",
        "period": "período",
        "change": "mudança",
        "time_note": "Um anel marca uma mudança em relação ao período anterior que é mais do que "
        "acaso (5% de falsas descobertas). Períodos com menos de 5 textos não são desenhados. "
        "{n} textos não têm data.",
        "table": "Tabela dos períodos",
        "aspects": "O que elogiam e do que reclamam",
        "aspect": "aspecto",
        "polarity": "polaridade",
        "trend": "tendência",
        "more": "mais frequente no fim",
        "less": "menos frequente no fim",
        "aspects_note": "Um modelo acha os aspectos e a polaridade; listam-se os de três "
        "textos ou mais.",
        "praise": "Elogios",
        "complaints": "Reclamações",
        "no_aspects": "Nenhum aspecto está em três textos ou mais.",
        "words": "Palavras que distinguem os grupos",
        "words_note": "Palavras e pares de palavras pela razão de chances com priori de Dirichlet "
        "(Monroe et al. 2008): textos aqui, textos nos outros.",
        "quotes": "Citações",
        "quotes_note": "Palavras em azul falam pelo rótulo; em laranja, contra ele.",
        "surest": "As mais certas",
        "typical": "As mais típicas",
        "mixed": "As mais divididas",
        "model": "Sobre o modelo",
        "model_note": "{model} rotulou os textos. Em {n} textos de desenvolvimento de muitos "
        "tipos, {accuracy} dos rótulos estão certos. Erra em ironia, em textos divididos e em "
        "termos de um ofício; de cada rótulo, acerta e encontra:",
        "no_model_note": "{model} rotulou os textos; não informa a sua qualidade.",
        "precision": "certos dos que deu",
        "recall": "achados dos verdadeiros",
        "masked": "Dados pessoais e nomes nas citações estão ocultos.",
        "made": "Feito com nlpkit {version} a partir de {files}.",
        "negative": "negativo",
        "neutral": "neutro",
        "positive": "positivo",
        "none": "(sem valor)",
    },
}
LANGUAGES = tuple(WORDS)
POLARITIES = ("negative", "neutral", "positive")
LONGEST = 60  # characters of a value of a group


class Ui:
    """The words and numbers of one language."""

    def __init__(self, lang: str) -> None:
        self.lang = {"pt": "pt-BR"}.get(lang, lang)
        self.words = WORDS[lang]
        self.comma = lang == "pt"

    def __call__(self, key: str, **values: Any) -> str:
        """Return a phrase with its values."""
        return self.words[key].format(**values)

    def label(self, name: str) -> str:
        """Return the name of a label; polarities are translated, others are the user's."""
        return self.words[name] if name in POLARITIES else name

    def shown(self, value: str) -> str:
        """Return a value of a group, cut to LONGEST characters; an empty one has a name."""
        if not value:
            return self.words["none"]
        return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"

    def summary(self, values: Mapping[str, Any]) -> str:
        """Return how many rows a report has read, and what is odd about them."""
        told = [self("read", n=self.number(values["read"]))]
        for key in ("sampled", "empty", "duplicates"):
            if values[key]:
                told.append(self(key, n=self.number(values[key])))
        if foreign := values["foreign"]:
            which = ", ".join(f"{lang}: {self.number(n)}" for lang, n in foreign.items())
            told.append(self("foreign", n=self.number(sum(foreign.values())), which=which))
        if values["unsure"]:
            told.append(self("unsure", n=self.number(values["unsure"])))
        return "; ".join(told)

    def number(self, value: float) -> str:
        """Return a whole number with separators of thousands."""
        text = f"{value:,.0f}"
        return text.replace(",", ".") if self.comma else text

    def share(self, value: float) -> str:
        """Return a share in per cent, with one place."""
        text = f"{100 * value:.1f}%"
        return text.replace(".", ",") if self.comma else text
