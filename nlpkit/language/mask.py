"""Privacy for `clean`: a tag in the place of what points to one person or firm.

A CPF, CNPJ or CEP in its written form goes even if its check digits are wrong: a typo still gives a
person away. A bare run of digits goes only if the check digits hold or it is a mobile's number:
it may as well be an order. Prices, dates and years stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nlpkit.language.patterns import EMAIL, Operation, find

# Eight digits near each other, an e-mail's @, or the end of a CNPJ: all else has nothing to hide.
_HINT = r"@|[0-9](?:\W{0,3}[0-9]){7}|/\w{4}[-–]\d\d|\b[0-9A-Z]{12}\d\d\b"
# Documents may run into each other: what follows the check digits of one may be the next.
_NEXT = r"(?:(?!\d)|(?=\d{2,3}\.\d{3}\.))"
_FORMER = r"(?<=-\d\d)|(?<=-\d\d\.)"
_CNPJ = (
    rf"(?:(?:(?<![0-9A-Z])|{_FORMER})[0-9A-Z]{{2}}\.[0-9A-Z]{{3}}\.[0-9A-Z]{{3}}"
    r"|(?<!\d)[0-9]{2}[. ]?[0-9]{3}[. ]?[0-9]{3})/[0-9A-Z]{4}[-–][0-9]{2}"
    rf"{_NEXT}"
)
_CPF = rf"(?:(?<!\d)(?<!\d\.)|{_FORMER})[0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}[-–][0-9]{{2}}{_NEXT}"
# Without their marks: check digits decide.
_AFTER = r"(?!\w|[.,/-]\d)"
_BARE_CNPJ = (
    r"(?<![\w.,/-])(?:[0-9A-Z]{12}[0-9]{2}|[0-9]{2}[. ]?[0-9]{3}[. ]?[0-9]{3}[/ ]?[0-9]{4}[- ]?"
    rf"[0-9]{{2}}){_AFTER}"
)
_BARE_CPF = rf"(?<![\w.,/-])[0-9]{{3}}[. ]?[0-9]{{3}}[. ]?[0-9]{{3}}[-. ]?[0-9]{{2}}{_AFTER}"
_CEP = r"(?<![\w.,/-])[0-9]{2}\.?[0-9]{3}-[0-9]{3}(?![\w-]|[.,/]\d)"
_NAMED_CEP = r"(?<=cep)(\W{0,3})[0-9]{2}\.?[0-9]{3}[- ]?[0-9]{3}(?!\d)"
# What the library leaves: an area code in brackets before a mobile of the old eight digits, and
# numbers without one, if they have a mobile's 9 or are four digits and four that are neither
# years (2019-2020) nor round sums (3000-4000).
_BRACKETED_PHONE = r"\(0?[1-9][0-9]\) ?9?[ .]?[0-9]{4}[-. ]?[0-9]{4}(?!\w)"
_LOCAL_PHONE = (
    r"(?<![\w.,/$-])(?<!\$ )(?!(?:19|20)\d\d-(?:19|20)\d\d)(?!\d\d00-\d\d00)"
    r"(?:9[ .]?[0-9]{4}|[2-9][0-9]{3})-[0-9]{4}(?![\w-]|[.,/]\d)"
)
# The library takes `30. 07.2025` and `182.669.410-0` for numbers; no phone number is written so.
_PHONE = (
    r"\+.+|(?:55[ .-]?)?\(?(?:0|0? ?xx)? ?[1-9]\d\)?[ .-]{0,3}9?[ .-]?\d{4}[ .-]{0,3}\d{4}"
    r"|0[3589]00[ .-]?[\d .-]{6,}|4\d{3}[ .-]\d{4}"
)
_PHONE_WORD = (
    r"\b(?:(?:tele)?fone|tel|cel|celular|contato|whats\w*|wpp|zap\w*|liga\w*|ligue|phone|call)"
    r"\W{0,4}$"
)
_ORDER_WORD = (
    r"\b(?:pedido|protocolo|processo|nota|nf-?e?|c[óo]d(?:igo)?|ref|contrato|rastreio|boleto"
    r"|s[ée]rie|order|id|rg|pis)\W{0,3}(?:(?:n[úu]mero|num|n[º°or.]{0,2}|é|is)?\W{0,3})$"
)


def masking() -> Operation:
    """Return the operation that puts [EMAIL], [CNPJ], [CPF], [CEP] and [TELEFONE] into a text."""
    from validate_docbr import CNPJ, CPF

    hint = re.compile(_HINT)
    email, cnpj, cpf, named_cep = find(EMAIL), find(_CNPJ), find(_CPF), find(_NAMED_CEP)
    bare_cnpj = _if_valid(_BARE_CNPJ, CNPJ(), "[CNPJ]")
    bare_cpf = _if_valid(_BARE_CPF, CPF(), "[CPF]")
    cep = _unless_order(_CEP, "[CEP]")
    phones, local = _phones(), _unless_order(f"{_BRACKETED_PHONE}|{_LOCAL_PHONE}", "[TELEFONE]")

    def run(text: str) -> str:
        if not hint.search(text):
            return text
        text = bare_cnpj(cnpj.sub("[CNPJ]", email.sub("[EMAIL]", text)))
        text = bare_cpf(cpf.sub("[CPF]", text))
        text = cep(named_cep.sub(r"\1[CEP]", text))
        return local(phones(text))

    return run


def _if_valid(pattern: str, document: Any, tag: str) -> Operation:
    search, mark = re.compile(pattern), re.compile(r"\W")

    def put(match: re.Match[str]) -> str:
        return tag if document.validate(mark.sub("", match[0])) else match[0]

    return lambda text: search.sub(put, text)


def _unless_order(pattern: str, tag: str) -> Operation:
    search, order = re.compile(pattern), find(_ORDER_WORD)

    def put(match: re.Match[str]) -> str:
        return match[0] if order.search(_before(match.string, match.start())) else tag

    return lambda text: search.sub(put, text)


def _before(text: str, start: int) -> str:
    return text[max(0, start - 30) : start]


def _phones() -> Operation:
    from phonenumbers import PhoneNumberMatcher

    is_phone, hint = _phone_judge(), re.compile(r"\+|\d{4}")

    def run(text: str) -> str:
        if not hint.search(text):
            return text
        kept, at = [], 0
        for found in PhoneNumberMatcher(text, "BR"):
            if is_phone(found.raw_string, _before(text, found.start)):
                kept.append(text[at : found.start])
                at = found.end
        return "[TELEFONE]".join([*kept, text[at:]])

    return run


def _phone_judge() -> Callable[[str, str], bool]:
    """Return what tells a phone from a sum or an order that the library finds a valid number."""
    phone, not_before = find(_PHONE), re.compile(r"(?:[$€£]\s?|(?<!\d)\d\d?/)$")
    phone_word, order = find(_PHONE_WORD), find(_ORDER_WORD)

    def judge(number: str, before: str) -> bool:
        if not phone.fullmatch(number) or not_before.search(before) or order.search(before):
            return False
        mobile = (len(number) == 11 and number[2] == "9") or (
            len(number) in (12, 13) and number.startswith("55")
        )
        return not number.isdigit() or mobile or bool(phone_word.search(before))

    return judge
