"""Commands in a file, one JSON object a line, for a replay."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from schemas.command import Command


class CommandsFileError(ValueError):
    """A file of commands that cannot be used; the message says where and why."""


def read_commands(path: Path, portfolio: str) -> tuple[Command, ...]:
    """The commands of a file, in the order of their times; those of one time stay in that of their lines.

    Raises CommandsFileError for a line that is no command, and for one that is for another portfolio.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"not UTF-8 text at byte {error.start}"
        raise CommandsFileError(f"{path}: {why}") from None
    found = [_read(line, f"{path}:{number}", portfolio) for number, line in enumerate(lines, 1) if line.strip()]
    return tuple(sorted(found, key=lambda command: command.ts))


def _read(line: str, where: str, portfolio: str) -> Command:
    try:
        command = Command.model_validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CommandsFileError(f"{where}: {key + ': ' if key else ''}{first['msg']}") from None
    if command.portfolio != portfolio:
        raise CommandsFileError(f"{where}: it is for portfolio {command.portfolio}, and this one is {portfolio}")
    return command
