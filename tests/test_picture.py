"""docs/sentiment.svg shows what the program says today, on texts of our own."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
from conftest import ROOT

PERCENT = re.compile(r"\d+\.\d%")
NEAR = 1.0  # percentage points: scores differ a little from one processor to another


def picture() -> ModuleType:
    pytest.importorskip("pty", exc_type=ImportError)  # not on Windows
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs/picture.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_shows_todays_output() -> None:
    module = picture()
    drawn = module.drawn(module.SVG.read_text(encoding="utf-8"))
    today = [module.plain(line) for line in module.session()]
    old, new = (PERCENT.sub("%", "\n".join(lines)) for lines in (drawn, today))
    assert old == new, "run: python docs/picture.py"
    pairs = zip(PERCENT.findall("\n".join(drawn)), PERCENT.findall("\n".join(today)), strict=True)
    assert all(abs(float(one[:-1]) - float(other[:-1])) <= NEAR for one, other in pairs)


def test_the_picture_asks_nothing_of_the_network() -> None:
    svg = (ROOT / "docs/sentiment.svg").read_text(encoding="utf-8")
    assert "@font-face" not in svg
    assert set(re.findall(r"url\(([^)]{5})", svg)) == {"#nlpk"}
    assert re.findall(r"(?:href|src)\s*[=:]", svg) == []


def test_a_picture_has_its_text_where_the_terminal_had_it() -> None:
    module = picture()
    lines = ["\x1b[31mcadê\x1b[0m  <b> & c", "", "   \x1b[1mfim 😍\x1b[0m"]
    assert module.drawn(module.draw(lines)) == ["cadê  <b> & c", "", "   fim 😍"]
