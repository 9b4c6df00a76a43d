"""The page on commands has every code that one is answered with, and its records are commands."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.command import COMMANDS, Command

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_code_of_a_refusal_is_on_the_page() -> None:
    files = sorted((ROOT / "flows" / "portfolio" / "control").glob("*.py"))
    raised = {code for path in files for code in re.findall(r'Refused\(\s*"([A-Z_]+)"', path.read_text("utf-8"))}
    raised |= {"DONE", "CONFIRM", "COMMAND_EARLY", "COMMAND_OLD", "DATA_STALE", "INTENT_EXECUTED", "INTENT_PENDING"}
    table = PAGE[PAGE.index("### Every answer") : PAGE.index("## Hot reload")]
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+|DONE|CONFIRM)`", table)) == raised


def test_the_records_on_the_page_are_commands_with_arguments_that_are_known() -> None:
    lines = [line.strip() for line in PAGE.splitlines() if line.startswith('    {"id"')]
    commands = [Command.model_validate_json(line, strict=True) for line in lines]
    assert [command.name for command in commands] == ["buy", "pause"]
    assert all(set(command.arguments) <= set(COMMANDS[command.name] or ()) for command in commands)


def test_every_argument_is_on_the_page() -> None:
    arguments = {name for names in COMMANDS.values() for name in names or ()}
    assert [name for name in sorted(arguments) if f"`{name}`" not in PAGE and f"{name}=" not in PAGE] == []
