"""Replace personal data by tags: e-mail addresses, CNPJ, CPF, CEP and phone numbers.

A CPF, CNPJ or CEP with its usual marks is replaced even if its check digits are wrong: a typo
still identifies a person. Digits without marks may be an order number, so they are replaced only
if the check digits are right or the number is a mobile phone's. Prices, dates and years stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from nlpkit.language.patterns import EMAIL, Operation, find

# Dashes, spaces and full-width characters, each with the ASCII character that replaces it. One
# character replaces one, so that positions in the plain text are positions in the text.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_SPACES = (
    "\t\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_PLAIN = dict.fromkeys(map(ord, _DASHES), "-") | dict.fromkeys(map(ord, _SPACES), " ")
_PLAIN |= {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
# A text that matches none of these has no personal data: an e-mail's @, eight digits near each
# other, or the end of a CNPJ with letters. Each of them and most patterns below begin with a
# character or a set of few, because `re` finds those fastest; lookbehinds follow it.
_EIGHT_DIGITS = r"[0-9](?:\W{0,3}[0-9]){7}"
_CNPJ_ENDS = (r"- ?[0-9]{2}(?!\w)", r"/[0-9A-Z]{4}[0-9]{2}(?!\w)", r"[0-9A-Z]{12}[0-9]{2}(?!\w)")
_HINTS = ("@", _EIGHT_DIGITS, *_CNPJ_ENDS)
_DASH = " ?- ?"
# Documents may run into each other: what follows the check digits of one may be the next.
_NEXT = r"(?:(?!\d)|(?=\d{2,3}\.\d{3}\.))"
_FORMER = r"(?<=-\d\d.)|(?<=-\d\d\..)"
_CNPJ = (
    r"[0-9A-Z](?:"
    rf"(?:(?<![0-9A-Z]{{2}})|{_FORMER})[0-9A-Z]\.[0-9A-Z]{{3}}\.[0-9A-Z]{{3}}"
    r"|(?<=[0-9])(?<!\d.)[0-9][. ]?[0-9]{3}[. ]?[0-9]{3}"
    rf") ?/ ?[0-9A-Z]{{4}}{_DASH}[0-9]{{2}}{_NEXT}"
)
_CPF = (
    rf"[0-9](?:(?<!\d.)(?<!\d\..)|{_FORMER})[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}{_DASH}[0-9]{{2}}"
    rf"{_NEXT}"
)
# Without their marks, or with others: check digits decide. A comma before two digits is a price.
_BEFORE, _AFTER = r"(?<![\w.,/-].)", r"(?!\w|[.,/-]\d)"
_NAMED = rf"(?:{_BEFORE}|(?<=[º°ª].)|(?<=(?i:cpf).)|(?<=(?i:cnpj).))"
_TIGHT = "(?: ?[-./] ?)?"
_LOOSE = "(?: ?[-./] ?|[ ,])?"
_LAST = "(?: ?[-./] ?| )?"
_BARE_CNPJ = (
    rf"[0-9A-Z]{_NAMED}(?:"
    rf"[0-9A-Z]{_TIGHT}[0-9A-Z]{{3}}{_TIGHT}[0-9A-Z]{{3}}{_TIGHT}[0-9A-Z]{{4}}{_TIGHT}"
    rf"|[0-9]{_LOOSE}[0-9]{{3}}{_LOOSE}[0-9]{{3}}{_LOOSE}[0-9]{{4}}{_LAST}"
    rf")[0-9]{{2}}{_AFTER}"
)
_BARE_CPF = rf"[0-9]{_NAMED}[0-9]{{2}}{_LOOSE}[0-9]{{3}}{_LOOSE}[0-9]{{3}}{_LAST}[0-9]{{2}}{_AFTER}"
_CEP = (
    rf"[0-9]{_BEFORE}(?<!\$.)(?<!\$ .)(?:[0-9]\.[0-9]{{3}}-|[0-9]{{4}}{_DASH})[0-9]{{3}}"
    r"(?![\w-]|[.,/]\d| ?%| ?(?:reais|unidades|[ckm]m|kg)\b)"
)
_NAMED_CEP = rf"(?<=cep)(\W{{0,3}})[0-9]{{2}}\.?[0-9]{{3}}{_LAST}[0-9]{{3}}(?!\d)"
# With spaces around its dash a CEP may be a range or a sum, unless it begins with 0, an address
# precedes it, or a state follows.
_ADDRESS_BEFORE = (
    r"\b(?:cep|endere[çc]o|rua|r\.|av\.?|avenida|alameda|al\.|travessa|tv\.|pra[çc]a|p[çc]a\.?"
    r"|rodovia|rod\.|estrada|quadra|lote|bairro|jardim|vila|apto?\.?|bloco|mora\w*|resid\w+)(?!\w)"
)
_STATE_AFTER = (
    r"[^\n\d]{0,40}?\b(?:AC|AL|AM|AP|BA|CE|DF|ES|GO|MA|MG|MS|MT|PA|PB|PE|PI|PR|RJ|RN|RO|RR|RS|SC"
    r"|SE|SP|TO)\b"
)
# An address with spaces in it, if it ends as most do.
_SPACED_EMAIL = (
    r"(?<![\w.+-])\w[\w.+-]{0,63}+(?:@| @ )(?:[\w-]++\.)*?[\w-]++ ?\. ?"
    r"(?:com|net|org|gov|edu)(?: ?\. ?br)?\b"
)
# Phone numbers that phonenumbers does not find: an area code in brackets before a mobile number of
# the old eight digits, and numbers without an area code, if they have a mobile's 9 or are four
# digits and four that are neither years (2019-2020) nor round sums (3000-4000), or if a word
# announces them.
_BRACKETED_PHONE = r"\(0?[1-9][0-9]\) ?9?[ .]?[0-9]{4}[-. ]?[0-9]{4}(?!\w)"
_LOCAL_PHONE = (
    r"[2-9](?<![\w.,/$-].)(?<!\$ .)(?!(?<=2)0\d\d-(?:19|20)\d\d)(?!\d00-\d\d00)"
    r"(?:(?<=9)[ .]?[0-9]{4}|[0-9]{3})-[0-9]{4}(?![\w-]|[.,/]\d)"
)
_ANNOUNCED_PHONE = (
    rf"[2-9]{_BEFORE}(?!(?<=2)0\d\d[ .](?:19|20)\d\d)"
    rf"(?:(?<=9)[ .]?[0-9]{{4}}|[0-9]{{3}})[ .]?[0-9]{{4}}{_AFTER}"
)
# phonenumbers takes `30. 07.2025` and `182.669.410-0` for numbers; no phone is written so.
_PHONE = (
    r"\+.+|(?:55[ .-]?)?\(?(?:0|0? ?xx)? ?[1-9]\d\)?[ .-]{0,3}9?[ .-]?\d{4}[ .-]{0,3}\d{4}"
    r"|0[3589]00[ .-]?[\d .-]{6,}|4\d{3}[ .-]\d{4}"
)
_PHONE_WORD = (
    r"\b(?:(?:tele)?fone|tel|cel|celular|contato|whats\w*|wpp|zap\w*|liga(?!ç)\w*|ligue|phone|call)"
    r"\W{0,4}$"
)
_ORDER_WORD = (
    r"\b(?:pedido|protocolo|processo|nota|nf-?e?|c[óo]d(?:igo)?|ref|contrato|rastreio|boleto"
    r"|s[ée]rie|sku|order|id|rg|pis)\W{0,3}(?:(?:n[úu]mero|num|n[º°or.]{0,2}|é|is)?\W{0,3})$"
)


TAGS = ("[EMAIL]", "[CNPJ]", "[CPF]", "[CEP]", "[TELEFONE]", "[PESSOA]", "[LOCAL]", "[ORGANIZACAO]")

Span = tuple[int, int]
Finder = Callable[[str], list[Span]]


def masking() -> Operation:
    """Return the operation that puts [EMAIL], [CNPJ], [CPF], [CEP] and [TELEFONE] into a text."""
    from validate_docbr import CNPJ, CPF

    odd = re.compile(f"[{''.join(map(chr, _PLAIN))}]")
    hints = [re.compile(hint) for hint in _HINTS]
    finders: list[tuple[str, Finder]] = [
        ("[EMAIL]", _with_sign("@", _matches(find(EMAIL)))),
        ("[EMAIL]", _with_sign("@", _matches(find(_SPACED_EMAIL)))),
        ("[CNPJ]", _with_sign("/", _matches(find(_CNPJ)))),
        ("[CNPJ]", _matches(re.compile(_BARE_CNPJ), _is_valid(CNPJ()))),
        ("[CPF]", _matches(re.compile(_CPF))),
        ("[CPF]", _matches(re.compile(_BARE_CPF), _is_valid(CPF()))),
        ("[CEP]", _matches(find(_NAMED_CEP))),
        ("[CEP]", _matches(re.compile(_CEP), _is_cep())),
        ("[TELEFONE]", _phones()),
        ("[TELEFONE]", _matches(re.compile(_BRACKETED_PHONE), _is_no_order())),
        ("[TELEFONE]", _matches(re.compile(_LOCAL_PHONE), _is_no_order())),
        ("[TELEFONE]", _matches(re.compile(_ANNOUNCED_PHONE), _is_announced())),
    ]

    def run(text: str) -> str:
        plain = text if text.isascii() else odd.sub(_plain, text)
        for hint in hints:
            if hint.search(plain):
                return _masked(text, plain, finders)
        return text

    return run


def _masked(text: str, plain: str, finders: Sequence[tuple[str, Finder]]) -> str:
    """Return the text with the tag of each finder in the place of the spans that it finds."""
    for tag, spans_in in finders:
        if spans := spans_in(plain):
            text, plain = _tagged(text, spans, tag), _tagged(plain, spans, tag)
    return text


def _plain(match: re.Match[str]) -> str:
    return _PLAIN[ord(match[0])]


def _tagged(text: str, spans: Sequence[Span], tag: str) -> str:
    """Return the text with a tag in the place of each span."""
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    return tag.join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _matches(
    search: re.Pattern[str], judge: Callable[[re.Match[str]], object] = lambda match: True
) -> Finder:
    """Return a finder of the matches that a judge accepts; a span begins after group 1, if any."""
    return lambda text: [
        (match.end(1) if match.lastindex else match.start(), match.end())
        for match in search.finditer(text)
        if judge(match)
    ]


def _with_sign(sign: str, finder: Finder) -> Finder:
    """Return a finder that skips texts without a sign."""
    return lambda text: finder(text) if sign in text else []


def _is_valid(document: Any) -> Callable[[re.Match[str]], bool]:
    mark = re.compile(r"\W")
    return lambda match: bool(document.validate(mark.sub("", match[0])))


def _is_no_order() -> Callable[[re.Match[str]], bool]:
    order = find(_ORDER_WORD)
    return lambda match: not order.search(_before(match.string, match.start()))


def _is_cep() -> Callable[[re.Match[str]], bool]:
    address, state = find(_ADDRESS_BEFORE), re.compile(_STATE_AFTER)
    is_no_order = _is_no_order()

    def judge(match: re.Match[str]) -> bool:
        number, text = match[0], match.string
        surely = " " not in number or number.startswith("0")
        return is_no_order(match) and bool(
            surely
            or address.search(text, max(0, match.start() - 80), match.start())
            or state.match(text, match.end())
        )

    return judge


def _is_announced() -> Callable[[re.Match[str]], bool]:
    word = find(_PHONE_WORD)
    return lambda match: bool(word.search(_before(match.string, match.start())))


def _before(text: str, start: int) -> str:
    return text[max(0, start - 30) : start]


def _phones() -> Finder:
    from phonenumbers import PhoneNumberMatcher

    is_phone, hint = _phone_judge(), re.compile(_EIGHT_DIGITS)

    def spans(text: str) -> list[Span]:
        if not hint.search(text):
            return []
        return [
            (phone.start, phone.end)
            for phone in PhoneNumberMatcher(text, "BR")
            if is_phone(phone.raw_string, _before(text, phone.start))
        ]

    return spans


def _phone_judge() -> Callable[[str, str], bool]:
    """Return a test of numbers, with the text before them: is it a phone, not a sum or order?"""
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
