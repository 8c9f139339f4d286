"""Draw a terminal session with nlpkit: python docs/picture.py writes docs/sentiment.svg.

The commands run in a pseudo terminal of 80 columns, on texts of our own, and rich draws their
output. The line with the seconds, which vary, is left out. The picture loads no web font; the
attribute textLength fits the characters to the cells of any monospace font.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

from rich.cells import cell_len
from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
SVG = Path(__file__).with_name("sentiment.svg")
COLUMNS, ROWS = 80, 40
COMMANDS = (
    "head -9 examples/reviews.csv | nlpkit sentiment --from csv --column review",
    "nlpkit sentiment examples/reviews.csv --column review --by store",
)
SHELL = f'nlpkit() {{ "{sys.executable}" -m nlpkit "$@"; }}\n'
FONT_FACE = re.compile(r"\s*@font-face \{\{.*?\}\}", re.DOTALL)
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SECONDS = re.compile(r"documents in [\d.,]+ s, ")
ANSI = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")
TEXT = re.compile(r'<text class="[^"]*" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
BLANK_ENDS = re.compile(r'x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+"([^>]*)>([^<]*)</text>')
CELL = 12.2  # width of a character in rich's SVG


def shown(command: str) -> list[str]:
    """Return the lines that a command writes to a terminal, with ANSI colours.

    Raises:
        RuntimeError: the command failed or wrote to stderr; the message has its stderr.
    """
    drop = ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES")
    env = {k: v for k, v in os.environ.items() if k not in drop and not k.startswith("NLPKIT_")}
    env |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(
        ["sh", "-c", SHELL + command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(terminal)
        output = b"".join(_read(screen)).decode()
        assert process.stderr
        stderr = process.stderr.read().decode()
    if process.returncode or stderr:
        raise RuntimeError(f"{command}: {stderr}")
    lines = output.replace("\r\n", "\n").rstrip("\n").split("\n")
    return [line for line in lines if not SECONDS.search(line)]


def _read(screen: int) -> Iterator[bytes]:
    """Yield the bytes written to a terminal, until it is closed."""
    with os.fdopen(screen, "rb", buffering=0) as stream:
        while True:
            try:
                chunk = stream.read(1 << 16)
            except OSError:  # Linux raises EIO when the terminal is closed
                return
            if not chunk:
                return
            yield chunk


def session() -> list[str]:
    """Return the lines of the picture: each command and its output."""
    lines: list[str] = []
    for command in COMMANDS:
        lines += [f"\x1b[32m$\x1b[0m {command}", *_without_blank_end(shown(command)), ""]
    return lines[:-1]


def _without_blank_end(lines: list[str]) -> list[str]:
    while lines and not plain(lines[-1]):
        lines = lines[:-1]
    return lines


def plain(line: str) -> str:
    """Return a line without colours and trailing blanks."""
    return ANSI.sub("", line).rstrip()


def draw(lines: list[str]) -> str:
    """Return the lines as an SVG of a terminal."""
    console = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    template = FONT_FACE.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code, monospace", FONT)
    svg = console.export_svg(title="nlpkit", code_format=template, unique_id="nlpkit")
    svg = BLANK_ENDS.sub(_without_blanks, svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def _without_blanks(match: re.Match[str]) -> str:
    """Move a text right by its leading blanks: some viewers drop them and shift the text."""
    x, y, rest, text = match.groups()
    text = unescape(text).rstrip("\xa0\n")
    bare = text.lstrip("\xa0")
    left = float(x) + CELL * (len(text) - len(bare))
    shown = escape(bare, quote=False).replace("\xa0", "&#160;")
    return f'x="{left:g}" y="{y}" textLength="{CELL * cell_len(bare):g}"{rest}>{shown}</text>'


def drawn(svg: str) -> list[str]:
    """Return the text lines of an SVG, comparable to those of `plain`."""
    rows: dict[float, str] = {}
    for x, y, text in TEXT.findall(svg):
        row = rows.get(float(y), "")
        gap = round(float(x) / CELL) - cell_len(row)
        rows[float(y)] = row + " " * gap + unescape(text).replace("\xa0", " ").rstrip("\n")
    return [row.rstrip() for _, row in sorted(rows.items())]


if __name__ == "__main__":
    SVG.write_text(draw(session()), encoding="utf-8")
