"""The masks of `clean` hide personal numbers and addresses and keep all others."""

from __future__ import annotations

import pytest
from clean_helpers import cleaned


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CPF 123.456.789-00 (errado)", "CPF [CPF] (errado)"),
        ("cpf:52998224725, 529 982 247 25", "cpf:[CPF], [CPF]"),
        ("CNPJ 12.345.678/0001-00 e 11222333000181", "CNPJ [CNPJ] e [CNPJ]"),
        ("12.ABC.345/01DE-35 ou 12abc345/01DE-35", "[CNPJ] ou 12abc345/01DE-35"),
        ("12ABC34501DE35 e 47960950/0001-21", "[CNPJ] e [CNPJ]"),
        ("529.982.247-2512.345.678/0001-95.529.982.247-25", "[CPF][CNPJ].[CPF]"),
        ("CEP 01310-100, 01.310-100; cep: 01310100", "CEP [CEP], [CEP]; cep: [CEP]"),
        ("(11) 98765-4321 / 11987654321 / 99999-8888", "[TELEFONE] / [TELEFONE] / [TELEFONE]"),
        ("+55 11 3456-7890 e +351 912 345 678", "[TELEFONE] e [TELEFONE]"),
        ("ligue 3456-7890 ou tel 1134567890", "ligue [TELEFONE] ou tel [TELEFONE]"),
        ("(63)99867140", "[TELEFONE]"),
        ("wa.me/5511987654321", "wa.me/[TELEFONE]"),
        ("ana.maria@x.com.br", "[EMAIL]"),
        ("529.982.<b>247</b>-25&#32;", "[CPF]"),
        ("529.982.\u200b247-25", "[CPF]"),
    ],
)
def test_masks_hide_personal_data(before: str, after: str) -> None:
    assert cleaned(before, "default", mask=True) == after


@pytest.mark.parametrize(
    "text",
    [
        "R$ 1.234.567,89 e US$ 21.987.654.321",
        "10/05/2020 12:30:45, de 2019-2020 e 2020-05-10",
        "52998224726 e 11222333000182 não conferem",
        "pedido 4733456789, protocolo nº 11987654321, pedido 02-974533050",
        "faixa de 3000-4000 reais",
        "10.000.000.000 de pessoas, 130.000.000 de dólares",
        "boleto 00190.00009 02942.197001 02479.394179",
        "benefício 182.669.410-0, dia 30. 07.2025, motor 1.6 2015/2016",
        "https://g1.com/empresas/2015-11-09/x https://a.com/p/1946467621",
        "protocolo 000.897.955.111/2018, conta 1.123.456.789-12",
        "cartão 1234-5678-9012-3456",
        "em 1984, 20 mil em 2 dias e 15% a mais",
        "@ana e tod@s",
        "código AB123456789BR",
    ],
)
def test_masks_keep_other_numbers(text: str) -> None:
    assert cleaned(text, "default", mask=True) == text


def test_other_options_keep_the_masks() -> None:
    text = "Ana: 529.982.247-25, ana@x.com, (11) 98765-4321, https://x.com/?cpf=529.982.247-25"
    assert cleaned(text, "bow", mask=True) == "ana [CPF] [EMAIL] [TELEFONE] [CPF]"
    assert cleaned(cleaned(text, mask=True), "bow") == "ana [CPF] [EMAIL] [TELEFONE] [CPF]"
