"""Draw the imports between the rooms of nlpkit: python docs/rooms.py writes docs/rooms.svg.

A room is a folder of the package, or a file beside the folders. Imports inside functions and those
for type checkers count. Arrows that follow from others are left out: if cli imports jobs and jobs
imports zoo, no arrow leads from cli to zoo.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
SVG = Path(__file__).with_name("rooms.svg")
Graph = dict[str, set[str]]

BOX, HIGH, ACROSS, DOWN, LEFT, TOP = 112, 34, 20, 52, 20, 20


def modules(package: Path = ROOT / "nlpkit") -> dict[str, Path]:
    """Return the files of the package by module name."""
    files = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        files[".".join(parts).removesuffix(".__init__")] = path
    return files


def imports(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules of the package that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and (node.module or "") in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def module_graph() -> Graph:
    """Return the modules that each module imports."""
    known = modules()
    return {name: set(imports(name, path, known)) - {name} for name, path in known.items()}


def room_of(module: str) -> str:
    """Return the room of a module; the package itself is a room of its own."""
    return module.split(".")[1] if "." in module else module


def room_graph() -> Graph:
    """Return the rooms that each room imports."""
    rooms: Graph = {}
    for module, others in module_graph().items():
        room = room_of(module)
        rooms.setdefault(room, set()).update(map(room_of, others))
    return {room: others - {room} for room, others in rooms.items()}


def circle(graph: Graph) -> list[str]:
    """Return the members of an import circle in order, or an empty list."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            return way[way.index(node) :]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if members := walk(other, [*way, node]):
                return members
        done.add(node)
        return []

    return next((members for node in sorted(graph) if (members := walk(node, []))), [])


def layers(graph: Graph) -> dict[str, int]:
    """Return the layer of each room: one above the highest room that it imports, from 0."""
    height: dict[str, int] = {}

    def rise(room: str) -> int:
        if room not in height:
            height[room] = max((rise(other) + 1 for other in graph[room]), default=0)
        return height[room]

    return {room: rise(room) for room in graph}


def reduced(graph: Graph) -> Graph:
    """Return the transitive reduction of an acyclic graph."""

    def below(room: str) -> set[str]:
        return graph[room].union(*(below(other) for other in graph[room]))

    return {
        room: {other for other in others if not any(other in below(o) for o in others - {other})}
        for room, others in graph.items()
    }


def draw(graph: Graph) -> str:
    """Return the graph as SVG, with each room above the rooms that it imports."""
    height, arrows = layers(graph), reduced(graph)
    rows: list[list[str]] = [[] for _ in range(max(height.values()) + 1)]
    for room in sorted(graph):
        rows[max(height.values()) - height[room]].append(room)
    columns = max(map(len, rows))
    width, size = columns * (BOX + ACROSS) + 2 * LEFT, len(rows) * (HIGH + DOWN) + TOP
    positions: dict[str, tuple[float, float]] = {}
    for line, row in enumerate(rows):
        row.sort(key=lambda room: _pull(room, arrows, positions))
        start = (width - len(row) * (BOX + ACROSS) + ACROSS) / 2
        for column, room in enumerate(row):
            positions[room] = (start + column * (BOX + ACROSS), TOP + line * (HIGH + DOWN))
    return "\n".join(_parts(arrows, positions, width, size)) + "\n"


def _pull(room: str, arrows: Graph, positions: Mapping[str, tuple[float, float]]) -> float:
    """Return the mean x of the rooms that import a room: ordering by it reduces crossings."""
    above = [position[0] for other, position in positions.items() if room in arrows[other]]
    return sum(above) / len(above) if above else 0.0


def _parts(
    arrows: Graph, positions: Mapping[str, tuple[float, float]], width: float, height: float
) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="system-ui, sans-serif" '
        'font-size="13">'
    )
    yield "<title>The rooms of nlpkit; an arrow leads from a room to one that it imports</title>"
    yield '<rect width="100%" height="100%" fill="#ffffff"/>'
    yield (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#8a8a8a"/></marker>'
    )
    for room in sorted(arrows):
        for other in sorted(arrows[room]):
            (x1, y1), (x2, y2) = positions[room], positions[other]
            start, end = (x1 + BOX / 2, y1 + HIGH), (x2 + BOX / 2, y2 - 2)
            bend = (end[1] - start[1]) / 2
            yield (
                f'<path d="M{start[0]:g} {start[1]:g}C{start[0]:g} {start[1] + bend:g} {end[0]:g} '
                f'{end[1] - bend:g} {end[0]:g} {end[1]:g}" fill="none" stroke="#8a8a8a" '
                'stroke-width="1.2" marker-end="url(#tip)"/>'
            )
    for room, (x, y) in sorted(positions.items()):
        yield (
            f'<rect x="{x:g}" y="{y:g}" width="{BOX}" height="{HIGH}" rx="6" fill="#eef3fb" '
            'stroke="#2f5f9e"/>'
        )
        yield (
            f'<text x="{x + BOX / 2:g}" y="{y + HIGH / 2 + 4.5:g}" text-anchor="middle" '
            f'fill="#1b2a3d">{escape(room)}</text>'
        )
    yield "</svg>"


if __name__ == "__main__":
    if members := circle(room_graph()):
        raise SystemExit(f"import circle: {' -> '.join([*members, members[0]])}")
    SVG.write_text(draw(room_graph()), encoding="utf-8")
