"""spaCy's tokenizer rules, without what a tokenizer does not need.

`import spacy` takes 2.2 s where torch is installed: thinc imports torch, and spaCy its own command
line. A blank tokenizer uses neither. Our own command line and its workers leave both out while
spaCy is imported, as if they were not installed. A trained pipeline may need torch: the step that
loads one imports spaCy whole before any tokenizer is made.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import machinery, util
from pathlib import Path
from typing import Any

LEAN = "NLPKIT_LEAN_SPACY"  # "1" from our command line; other programs import spaCy whole


def blank(lang: str) -> Any:
    """Return spaCy's blank pipeline of a language: its tokenizer."""
    lean = os.environ.get(LEAN) == "1"
    if lean and "spacy" not in sys.modules and "torch" not in sys.modules:
        with _left_out():
            import spacy
    else:
        import spacy
    return spacy.blank(lang)


@contextmanager
def _left_out() -> Iterator[None]:
    """Make `import torch` fail and spaCy's command line an empty module, for a while."""
    cli, info = types.ModuleType("spacy.cli"), types.ModuleType("spacy.cli.info")
    cli.__path__ = []
    info.info = None  # type: ignore[attr-defined]
    stubs: dict[str, Any] = {"torch": None, "spacy.cli": cli, "spacy.cli.info": info}
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            sys.modules.pop(name, None)


def stop_words(lang: str) -> frozenset[str]:
    """Return spaCy's list, read from its file alone: it is data that imports nothing."""
    package = util.find_spec("spacy")
    assert package is not None and package.origin is not None  # a dependency of ours
    path = Path(package.origin).parent / "lang" / lang / "stop_words.py"
    module = types.ModuleType("stop_words")
    machinery.SourceFileLoader("stop_words", str(path)).exec_module(module)
    return frozenset(module.STOP_WORDS)
