"""Parts of a recipe that name a module of the catalogue and hold its `Config`."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nlpkit import catalog
from nlpkit.errors import Renamed, UsageError
from nlpkit.settings import declaration


@dataclass(frozen=True)
class Part:
    """The name of a catalogue module, such as an architecture, and its `Config`."""

    name: str
    config: Any

    def settings(self) -> dict[str, Any]:
        """Return the settings that a recipe can give, as plain values."""
        values = dataclasses.asdict(self.config)
        return {key: values[key] for key, *_ in declaration.described(type(self.config))}


def read_part(table: Any, section: str, shelf: str, problems: list[str]) -> Part | None:
    """Read a section that names a module of a shelf; append what is wrong to `problems`."""
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        names = ", ".join(catalog.names(shelf))
        problems.append(f"[{section}] needs a name; there are: {names}")
        return None
    settings = {key: value for key, value in table.items() if key != "name"}
    name = catalog.current(shelf, table["name"])
    if name != table["name"]:
        warnings.warn(
            f'[{section}] name = "{table["name"]}" is called "{name}" now', Renamed, stacklevel=2
        )
    try:
        config = catalog.load(shelf, name).Config
    except UsageError as problem:
        problems.append(f"[{section}] {problem}")
        return None
    return Part(name, declaration.build(config, settings, section, problems))


def read_parts(
    table: Any, section: str, shelf: str, problems: list[str]
) -> tuple[Part | None, ...]:
    """Read a section of `name = {settings}`; a number in place of a table is the strength."""
    if not isinstance(table, Mapping):
        problems.append(f"[{section}] must be a table, not {table!r}")
        return ()
    return tuple(
        read_part(
            {**(value if isinstance(value, Mapping) else {"strength": value}), "name": name},
            f"{section}.{name}",
            shelf,
            problems,
        )
        for name, value in table.items()
    )
