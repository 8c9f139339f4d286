"""Show weighted terms as bars on a terminal."""

from __future__ import annotations

from rich.text import Text

from nlpkit.cli.screen.console import Console

BAR = 30


def bars(document: int | None, terms: list[tuple[str, float]]) -> None:
    """Print a bar for each (term, weight), under the document's number if there is one.

    The terms come by falling weight.
    """
    console = Console(highlight=False)
    if document is not None:
        console.print(Text(f"document {document}", style="bold" if terms else "dim"))
    if not terms:
        return
    most = terms[0][1]
    numbers = [shown(weight) for _, weight in terms]
    names = [_safe(term, console.width) for term, _ in terms]
    width = min(max(name.cell_len for name in names), console.width // 2)
    for name, number, (_, weight) in zip(names, numbers, terms, strict=True):
        name.truncate(width, overflow="ellipsis", pad=True)
        line = name.append(f"  {number:>{max(map(len, numbers))}}  ", style="dim")
        line.append("█" * round(BAR * weight / most) or "▏", style="cyan")
        line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)


def _safe(term: str, columns: int) -> Text:
    """Return a term with control characters replaced by spaces."""
    return Text("".join(c if c.isprintable() else " " for c in term[: columns * 2]))


def shown(weight: float) -> str:
    """Format a weight: counts as integers, others with four significant digits or decimals."""
    if isinstance(weight, int):
        return str(weight)
    return f"{weight:.4f}" if weight >= 0.1 else f"{weight:.4g}"
