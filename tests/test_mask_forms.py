"""The written forms of personal data that `clean --mask` hides, and numbers that it keeps."""

from __future__ import annotations

import re

import pytest
from clean_helpers import cleaned
from hypothesis import given, strategies as st

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
HIDDEN = "\xad\u200b\u2060\ufeff"


def masked(text: str) -> str:
    """Return a text as `clean --mask` writes it, between two words."""
    return cleaned(f"dado {text} fim", "default", mask=True)[5:-4]


@pytest.mark.parametrize("dash", [*DASHES, *(f"-{char}" for char in HIDDEN)])
@pytest.mark.parametrize(
    ("form", "right"),
    [
        ("529.982.247{}25", "[CPF]"),
        ("11.222.333/0001{}81", "[CNPJ]"),
        ("11.222.333 / 0001{}81", "[CNPJ]"),
        ("12.ABC.345/01DE{}35", "[CNPJ]"),
        ("(11) 98765{}4321", "[TELEFONE]"),
        ("11 98765{}4321", "[TELEFONE]"),
        ("+55 11 3456{}7890", "[TELEFONE]"),
        ("01310{}100", "[CEP]"),
        ("CEP 88010{}400", "CEP [CEP]"),
        ("Rua Sete, 9, 88010{}400", "Rua Sete, 9, [CEP]"),
        ("88010{}400 Florianópolis/SC", "[CEP] Florianópolis/SC"),
    ],
)
def test_any_dash_is_a_dash(form: str, dash: str, right: str) -> None:
    for around in ("{}", " {}", "{} ", " {} "):
        assert masked(form.format(around.format(dash))) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("529.982.247/25 529,982,247-25 529-982-247-25 529.982.247.25", "[CPF] [CPF] [CPF] [CPF]"),
        ("529. 982. 247-25; CPF52998224725", "[CPF]; CPF[CPF]"),
        ("529.982.247\xad25, 529\xa0982\xa0247\u202f25", "[CPF], [CPF]"),
        ("５２９.９８２.２４７－２５", "[CPF]"),
        ("12.ABC.345/01DE\xad35, 12.abc.345/01de-35, 12ABC34501DE35", "[CNPJ], [CNPJ], [CNPJ]"),
        ("CNPJ11222333000181, 11 222 333 0001 81", "CNPJ[CNPJ], [CNPJ]"),
        ("CEP: 01.310-100, cep 01310100", "CEP: [CEP], cep [CEP]"),
        ("(11)\xa098765\u20074321, (011) 3456-7890", "[TELEFONE], [TELEFONE]"),
        ("0800 123 4567, 0800-123-4567, +351 912 345 678", "[TELEFONE], [TELEFONE], [TELEFONE]"),
        ("fone: 3333 4444, tel 3333.4444", "fone: [TELEFONE], tel [TELEFONE]"),
        ("whats 11 987654321, 98765-4321", "whats [TELEFONE], [TELEFONE]"),
        ("a\xadna@ex\u200bemplo.com, ana＠exemplo.com.br", "[EMAIL], [EMAIL]"),
        ("ana @ exemplo.com, ana@exemplo . com", "[EMAIL], [EMAIL]"),
    ],
)
def test_other_written_forms(text: str, right: str) -> None:
    assert masked(text) == right


@pytest.mark.parametrize(
    "text",
    [
        "R$ 1.234,56", "R$ 15000-200", "R$ 1.234.567,89", "10000 - 500 = 9500", "1.000-2.000",
        "10/05/2020", "10-05-2020", "2020-05-10", "12:30:45", "15h30", "20:00-21:30",
        "2020-2021", "2020 - 2021", "1984–2024", "10-0", "3 - 2", "10–0", "3000-4000",
        "15000 – 200 unidades", "15000 - 200 unidades", "25000-300 mm", "entre 15000 — 200 kg",
        "pedido 12345678901", "pedido nº 12345678902", "código 88010-400", "sku 55512-340",
        "ISBN 978-85-333-0227-3", "9788533302273", "978-3-16-148410-0",
        "BR15 0000 0000 0000 1093 2840 814P 2", "PT50 0002 0123 1234 5678 9015 4",
        "versão 1.2.3-45", "v10.15.7", "2.10.100-12", "192.168.100.200",
        "ABC-1234", "ABC1D23", "AB123456789BR", "52998224726", "529 982 247 26",
        "11222333000182", "12ABC34501DE36", "12345678", "123.456.789", "150 000 000 habitantes",
        "cartão 4111 1111 1111 1111", "4111111111111111", "processo 0001234-56.2020.8.26.0100",
        "RG 12.345.678-9", "PIS 120.12345.67-8", "lei 13.709/2018", "conta 12345-6",
        "protocolo de ligação 6309.7908", "@ana", "tod@s", "a @ b",
    ],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def with_check_digits(digits: list[int], *weights: list[int]) -> list[int]:
    """Return values with two check digits by modulus 11, as the Receita Federal computes them."""
    for row in weights:
        rest = sum(a * b for a, b in zip(digits, row, strict=True)) % 11
        digits = [*digits, 0 if rest < 2 else 11 - rest]
    return digits


def cpf(digits: list[int]) -> str:
    return "".join(map(str, with_check_digits(digits, [*range(10, 1, -1)], [*range(11, 1, -1)])))


def cnpj(body: str) -> str:
    """Return a CNPJ, whose letters count as their ASCII code less 48."""
    first = [*range(5, 1, -1), *range(9, 1, -1)]
    values = with_check_digits([ord(char) - 48 for char in body], first, [6, *first])
    return body + "".join(map(str, values[-2:]))


CPFS = st.lists(st.integers(0, 9), min_size=9, max_size=9).map(cpf)
CNPJS = st.from_regex(r"[0-9A-Z]{8}[0-9]{4}", fullmatch=True).map(cnpj)
GAPS = st.sampled_from(["", " ", "\xa0"])
DASHED = st.tuples(GAPS, st.sampled_from(DASHES), GAPS).map("".join)
WORDS = st.sampled_from(["", "o dado é ", "Ana, ", "número: ", "(", "pedido 33, ", "dia 10/05 "])


def test_check_digits_are_right() -> None:
    assert cpf([5, 2, 9, 9, 8, 2, 2, 4, 7]) == "52998224725"
    assert (cnpj("112223330001"), cnpj("12ABC34501DE")) == ("11222333000181", "12ABC34501DE35")


@given(CPFS, DASHED, WORDS, st.booleans())
def test_any_cpf_is_masked(number: str, dash: str, before: str, dots: bool) -> None:
    parts = re.findall("...", number)
    written = ("." if dots else "").join(parts) + dash + number[-2:]
    if not dots and len(set(number)) == 1:
        return  # validators refuse 111.111.111-11: with its dots it is masked as a typo
    assert masked(f"{before}{written}, sim") == f"{before}[CPF], sim"


@given(CNPJS, DASHED, WORDS)
def test_any_cnpj_is_masked(number: str, dash: str, before: str) -> None:
    written = f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}{dash}{number[12:]}"
    assert masked(f"{before}{written}, sim") == f"{before}[CNPJ], sim"
    if len(set(number)) > 1:
        assert masked(f"{before}{number}, sim") == f"{before}[CNPJ], sim"
