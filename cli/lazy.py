"""Commands that are imported when they are run, so that ``penstock --help`` does not wait for numba and pyarrow."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


def flowing(text: str | None) -> str | None:
    """A docstring whose paragraphs have no line breaks, for the terminal breaks lines where it ends itself.

    >>> flowing("One.\\n\\nTwo\\n    three.")
    'One.\\n\\nTwo three.'
    """
    return text and "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command known by name and one line of help. ``target`` is ``module:attribute``: a function, or a Typer."""

    target: str
    help: str

    def load(self, name: str) -> Any:
        """Import it and make it a command."""
        module, _, attribute = self.target.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app = found
        else:
            app = typer.Typer(add_completion=False)
            app.command(name)(found)
        command = typer.main.get_command(app)
        command.name = name
        for one in (command, *getattr(command, "commands", {}).values()):
            one.help = flowing(one.help)
        return command


class LazyGroup(TyperGroup):
    """A group whose commands are :class:`Lazy`: listing them costs nothing, running one imports that one."""

    lazy: ClassVar[dict[str, Lazy]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, command in self.lazy.items():
            self.commands[name] = TyperCommand(name, help=command.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Called when a command is to be run: import it now."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.lazy[name].load(name) if name in self.lazy else command, rest
