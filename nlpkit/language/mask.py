"""Privacy for `clean`: a tag in the place of what points to one person or firm.

A CPF, CNPJ or CEP in its written form goes even if its check digits are wrong: a typo still gives a
person away. A bare run of digits goes only if the check digits hold or it is a mobile's number:
it may as well be an order. Prices, dates and years stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nlpkit.language.patterns import EMAIL, Operation, find

# People write marks as their keyboard has them. Of the same length, so that places agree.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_SPACES = (
    "\t\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_PLAIN = dict.fromkeys(map(ord, _DASHES), "-") | dict.fromkeys(map(ord, _SPACES), " ")
_PLAIN |= {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
# Eight digits near each other, an e-mail's @, or the end of a CNPJ: all else has nothing to hide.
_HINT = rf"[@\uff20]|\d(?:\W{{0,3}}\d){{7}}|[-{_DASHES}]\s?\d\d\b|\b[0-9A-Z]{{12}}\d\d\b"
_DASH = " ?- ?"
# Documents may run into each other: what follows the check digits of one may be the next.
_NEXT = r"(?:(?!\d)|(?=\d{2,3}\.\d{3}\.))"
_FORMER = r"(?<=-\d\d)|(?<=-\d\d\.)"
_CNPJ = (
    rf"(?:(?:(?<![0-9A-Z])|{_FORMER})[0-9A-Z]{{2}}\.[0-9A-Z]{{3}}\.[0-9A-Z]{{3}}"
    rf"|(?<!\d)[0-9]{{2}}[. ]?[0-9]{{3}}[. ]?[0-9]{{3}}) ?/ ?[0-9A-Z]{{4}}{_DASH}[0-9]{{2}}"
    rf"{_NEXT}"
)
_CPF = rf"(?:(?<!\d)(?<!\d\.)|{_FORMER})[0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}{_DASH}[0-9]{{2}}{_NEXT}"
# Without their marks, or with others: check digits decide. A comma before two digits is a price.
_BEFORE, _AFTER = r"(?<![\w.,/-])", r"(?!\w|[.,/-]\d)"
_TIGHT = "(?: ?[-./] ?)?"
_LOOSE = "(?: ?[-./] ?|[ ,])?"
_LAST = "(?: ?[-./] ?| )?"
_BARE_CNPJ = (
    rf"{_BEFORE}(?:"
    rf"[0-9A-Z]{{2}}{_TIGHT}[0-9A-Z]{{3}}{_TIGHT}[0-9A-Z]{{3}}{_TIGHT}[0-9A-Z]{{4}}{_TIGHT}"
    rf"|[0-9]{{2}}{_LOOSE}[0-9]{{3}}{_LOOSE}[0-9]{{3}}{_LOOSE}[0-9]{{4}}{_LAST}"
    rf")[0-9]{{2}}{_AFTER}"
)
_BARE_CPF = rf"{_BEFORE}[0-9]{{3}}{_LOOSE}[0-9]{{3}}{_LOOSE}[0-9]{{3}}{_LAST}[0-9]{{2}}{_AFTER}"
_CEP = (
    rf"{_BEFORE}(?<!\$)(?<!\$ )(?:[0-9]{{2}}\.[0-9]{{3}}-|[0-9]{{5}}{_DASH})[0-9]{{3}}"
    r"(?![\w-]|[.,/]\d| ?%| ?reais)"
)
_NAMED_CEP = rf"(?<=cep)(\W{{0,3}})[0-9]{{2}}\.?[0-9]{{3}}{_LAST}[0-9]{{3}}(?!\d)"
# An address with spaces in it, if it ends as most do.
_SPACED_EMAIL = (
    r"(?<![\w.+-])\w[\w.+-]{0,63}+(?:@| @ )(?:[\w-]++\.)*?[\w-]++ ?\. ?"
    r"(?:com|net|org|gov|edu)(?: ?\. ?br)?\b"
)
# What the library leaves: an area code in brackets before a mobile of the old eight digits, and
# numbers without one, if they have a mobile's 9 or are four digits and four that are neither
# years (2019-2020) nor round sums (3000-4000), or if a word announces them.
_BRACKETED_PHONE = r"\(0?[1-9][0-9]\) ?9?[ .]?[0-9]{4}[-. ]?[0-9]{4}(?!\w)"
_LOCAL_PHONE = (
    r"(?<![\w.,/$-])(?<!\$ )(?!(?:19|20)\d\d-(?:19|20)\d\d)(?!\d\d00-\d\d00)"
    r"(?:9[ .]?[0-9]{4}|[2-9][0-9]{3})-[0-9]{4}(?![\w-]|[.,/]\d)"
)
_ANNOUNCED_PHONE = (
    rf"{_BEFORE}(?!(?:19|20)\d\d[ .](?:19|20)\d\d)"
    rf"(?:9[ .]?[0-9]{{4}}|[2-9][0-9]{{3}})[ .]?[0-9]{{4}}{_AFTER}"
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


Span = tuple[int, int]
Finder = Callable[[str], list[Span]]


def masking() -> Operation:
    """Return the operation that puts [EMAIL], [CNPJ], [CPF], [CEP] and [TELEFONE] into a text."""
    from validate_docbr import CNPJ, CPF

    odd, hint = re.compile(f"[{''.join(map(chr, _PLAIN))}]"), re.compile(_HINT)
    finders: list[tuple[str, Finder]] = [
        ("[EMAIL]", _where("@", _matches(find(EMAIL)))),
        ("[EMAIL]", _where("@", _matches(find(_SPACED_EMAIL)))),
        ("[CNPJ]", _matches(find(_CNPJ))),
        ("[CNPJ]", _matches(re.compile(_BARE_CNPJ), _is_valid(CNPJ()))),
        ("[CPF]", _matches(find(_CPF))),
        ("[CPF]", _matches(re.compile(_BARE_CPF), _is_valid(CPF()))),
        ("[CEP]", _matches(find(_NAMED_CEP))),
        ("[CEP]", _matches(re.compile(_CEP), _is_no_order())),
        ("[TELEFONE]", _phones()),
        ("[TELEFONE]", _matches(find(f"{_BRACKETED_PHONE}|{_LOCAL_PHONE}"), _is_no_order())),
        ("[TELEFONE]", _matches(re.compile(_ANNOUNCED_PHONE), _is_announced())),
    ]

    def run(text: str) -> str:
        if not hint.search(text):
            return text
        plain = text if text.isascii() else odd.sub(_plain, text)
        for tag, spans_in in finders:
            if spans := spans_in(plain):
                text, plain = _tagged(text, spans, tag), _tagged(plain, spans, tag)
        return text

    return run


def _plain(match: re.Match[str]) -> str:
    return _PLAIN[ord(match[0])]


def _tagged(text: str, spans: Sequence[Span], tag: str) -> str:
    """Return the text with a tag in the place of each span."""
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    return tag.join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _matches(
    search: re.Pattern[str], judge: Callable[[re.Match[str]], object] = lambda match: True
) -> Finder:
    """Return what finds the matches that a judge accepts; a group is left out of the span."""
    return lambda text: [
        (match.end(1) if match.lastindex else match.start(), match.end())
        for match in search.finditer(text)
        if judge(match)
    ]


def _where(sign: str, finder: Finder) -> Finder:
    """Return a finder that is spared the texts without a sign."""
    return lambda text: finder(text) if sign in text else []


def _is_valid(document: Any) -> Callable[[re.Match[str]], bool]:
    mark = re.compile(r"\W")
    return lambda match: bool(document.validate(mark.sub("", match[0])))


def _is_no_order() -> Callable[[re.Match[str]], bool]:
    order = find(_ORDER_WORD)
    return lambda match: not order.search(_before(match.string, match.start()))


def _is_announced() -> Callable[[re.Match[str]], bool]:
    word = find(_PHONE_WORD)
    return lambda match: bool(word.search(_before(match.string, match.start())))


def _before(text: str, start: int) -> str:
    return text[max(0, start - 30) : start]


def _phones() -> Finder:
    from phonenumbers import PhoneNumberMatcher

    is_phone, hint = _phone_judge(), re.compile(r"\+|\d{4}")

    def spans(text: str) -> list[Span]:
        if not hint.search(text):
            return []
        return [
            (found.start, found.end)
            for found in PhoneNumberMatcher(text, "BR")
            if is_phone(found.raw_string, _before(text, found.start))
        ]

    return spans


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
