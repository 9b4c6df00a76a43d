"""Options that several commands share, and the configuration they lead to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.config.kafka import KafkaConfig
    from schemas.config.load import Loaded

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Configuration file. Without it: penstock.yaml, if it is here."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one value, as in risk.per_trade_pct=0.5. Repeatable."),
]


def load_checked(config: Path | None, sets: list[str] | None) -> Loaded:
    """The effective configuration, its strategies checked, too. Raises ConfigError with every problem."""
    from flows.registry import check
    from schemas.config.load import load

    return load(config, os.environ, sets or (), check)


def load_kafka(config: Path | None, sets: list[str] | None) -> KafkaConfig:
    """The section ``kafka``, for commands that need no strategies. Raises ConfigError with every problem."""
    from schemas.config.load import load

    return load(config, os.environ, sets or ()).config.kafka
