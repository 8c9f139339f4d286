"""Hook of mkdocs: pages from files outside of docs/, with their links turned to those of the site.

The READMEs, model cards, changelog and benchmarks become pages. A link to a file that is no page,
such as source code, becomes its name.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "README.pt-BR.md": "pt/index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
API = ("nlpkit", "nlpkit.runtime.model.Model", "nlpkit.chain.Pipeline", "nlpkit.answers")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
_CODE = re.compile(r"(```.*?```)", re.DOTALL)


def pages() -> dict[str, str]:
    """Return the page of each file: its path in the repository -> its path in the site."""
    found = {f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}
    for folder in ("commands", "pt"):
        found |= {
            f"docs/{folder}/{path.name}": f"{folder}/{path.name}"
            for path in (ROOT / "docs" / folder).glob("*.md")
        }
    for shelf in ("models", "export"):
        for card in sorted(ROOT.glob(f"{shelf}/*/README.md")):
            found[f"{shelf}/{card.parent.name}/README.md"] = f"models/{card.parent.name}.md"
    return found | PAGES


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made of other files."""
    known = pages()
    for source, target in known.items():
        if not source.startswith("docs/") and files.get_file_from_path(target) is None:
            content = (ROOT / source).read_text(encoding="utf-8")
            files.append(File.generated(config, target, content=_linked(content, source, known)))
    cards = sorted(target for target in known.values() if target.startswith("models/"))
    listed = "\n".join(f"- [{Path(card).stem}]({Path(card).name})" for card in cards)
    files.append(File.generated(config, "models/index.md", content=f"# Models\n\n{listed}\n"))
    api = "\n\n".join(f"::: {name}" for name in API)
    files.append(File.generated(config, "python.md", content=f"# From Python\n\n{api}\n"))
    return files


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Turn the links of pages in docs/."""
    if page.file.generated_by:
        return markdown
    return _linked(markdown, f"docs/{page.file.src_uri}", pages())


def _linked(markdown: str, source: str, known: dict[str, str]) -> str:
    """Return a page whose relative links lead to pages of the site, outside of code."""
    parts = _CODE.split(markdown)

    def turned(match: re.Match[str]) -> str:
        bang, name, link = match.groups()
        path, mark, anchor = link.partition("#")
        if not path or "://" in link or link.startswith("mailto:"):
            return match.group()
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        target = known.get(wanted) or known.get(f"{wanted}/README.md")
        if target is None and wanted.startswith("docs/") and (ROOT / wanted).is_file():
            target = wanted.removeprefix("docs/")
        if target is None:
            return name if bang or (ROOT / wanted).exists() else match.group()
        here = known.get(source, source.removeprefix("docs/"))
        path = posixpath.relpath(target, posixpath.dirname(here) or ".")
        return f"{bang}[{name}]({path}{mark}{anchor})"

    return "".join(
        part if index % 2 else _LINK.sub(turned, part) for index, part in enumerate(parts)
    )
