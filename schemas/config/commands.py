"""``commands``: who may steer a portfolio, and how fresh a word has to be."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.command import COMMANDS
from schemas.config.section import Duration, Section


def _are_commands(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name != "*" and name not in COMMANDS:
            raise ValueError(f"{name!r} is no command: write * for all, or some of {', '.join(COMMANDS)}")
    return names


SINK = "sink"
"""The sender of the alarms that a live run tells itself."""
CONFIG = "config"
"""The sender of the settings that a live run finds in its saved configuration file."""


class CommandsConfig(Section):
    """Without a sender no command is obeyed, and each is answered so."""

    senders: dict[str, Annotated[tuple[str, ...], AfterValidator(_are_commands)]] = Field(
        {}, description="by name of a sender, the commands that he may give; * for all"
    )
    max_age: Duration = Field(
        "1m",
        description="older ones are refused when they arrive, and so are ones of the future; an order by hand, too, "
        "when the symbol's last close is older than this and its timeframe",
    )
    confirm_within: Duration = Field("1m", description="how long the token of a two-step command is good")
    intents_expire: Duration = Field("1h", description="how long an intent is remembered, so that it is not done twice")
