"""The frame of a page: its head, its colours for light and dark screens and for paper.

Orange and blue are told apart by colour-blind readers. Every colour of text has a contrast of at
least 4.5 with its background (WCAG 2.1, 1.4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --faint: #5c5c5c; --line: #d5d5d5;
  --for: 31 105 205; --against: 214 98 0; --box: #f5f5f3; --blue: #1f5fb4; --orange: #a84a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --paper: #16181b; --faint: #a8a8a8;
  --line: #3b3f45; --for: 84 150 240; --against: 224 122 32; --box: #1f2226; --blue: #7db3ff;
  --orange: #ffa45c; } }
* { box-sizing: border-box; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
a { color: var(--blue); }
.faint, caption { color: var(--faint); font-size: .9rem; }
caption { text-align: left; padding: .3rem 0; }
caption.unseen { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; }
table { border-collapse: collapse; max-width: 100%; overflow-wrap: break-word; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
th { white-space: nowrap; max-width: 14rem; overflow: hidden; text-overflow: ellipsis; }
blockquote { margin: .6rem 0; padding: .5rem .8rem; background: var(--box);
  border-left: .25rem solid var(--line); }
.text { white-space: pre-wrap; }
.w { border-radius: .2em; padding: .05em .1em; box-decoration-break: clone; }
mark { color: #111; border-radius: .3em; padding: .1em .25em; }
mark small { font-weight: 700; font-size: .65em; margin-left: .4em; letter-spacing: .03em; }
.scroll { overflow-x: auto; }
svg { max-width: 100%; height: auto; }
@media print { :root { color-scheme: light; } body { max-width: none; margin: 0; }
  section, blockquote, tr, figure { break-inside: avoid; } h2, h3 { break-after: avoid; }
  * { print-color-adjust: exact; } }
"""


def page(title: str, body: str, *, lang: str = "en") -> str:
    """Return an HTML document; `body` is HTML, `title` is text."""
    return f"{opening(title, lang=lang)}{body}{closing()}"


def opening(title: str, *, lang: str = "en") -> str:
    """Return a page up to its body, with the title as its heading, for pages written by parts."""
    name = escape(title)
    return (
        f'<!doctype html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{name}</h1>\n"
    )


def closing() -> str:
    """Return the end of a page."""
    return "</main>\n</body>\n</html>\n"


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text: int = 1,
    headed: bool = False,
) -> str:
    """Return a table whose cells are HTML; the first `text` columns hold text, the rest numbers.

    With `headed`, a heading says the caption already, and only screen readers get it.
    """
    kinds = ["" if index < text else ' class="number"' for index in range(len(columns))]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for kind, name in zip(kinds, columns, strict=True)
    )
    unseen = ' class="unseen"' if headed else ""
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td{kind}>{c}</td>" for kind, c in zip(kinds[1:], others, strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>\n')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>\n'
        f"<caption{unseen}>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{''.join(lines)}</tbody></table></div>\n"
    )
