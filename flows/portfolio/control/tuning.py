"""Settings that a command may change while a portfolio runs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from flows.portfolio.control.outcome import Refused
from flows.portfolio.estimates import watch_of
from schemas.config.load import overridden
from schemas.config.override import steps_of
from schemas.config.problem import ConfigError
from schemas.config.root import Config
from schemas.config.show import scalar

SECTIONS = ("risk", "breakers", "exits")
"""What the portfolio stage alone reads. Anything else needs a restart."""


def changed(config: Config, key: str, value: str) -> tuple[Config, Any, Any]:
    """The configuration with one setting changed, and the setting before and after.

    Raises Refused when there is no such setting, when it may not be changed while the portfolio runs, or when the
    value is not allowed.
    """
    section = key.partition(".")[0]
    if section not in SECTIONS:
        raise Refused("SETTING_FIXED", key=key, why=f"only {', '.join(SECTIONS)} can change while it runs")
    try:
        new = overridden(config, [f"{key}={value}"])
    except ConfigError as error:
        raise Refused("SETTING_WRONG", key=key, why="; ".join(one.message for one in error.problems)) from None
    if isinstance(_at(new, key), BaseModel):
        raise Refused("SETTING_WRONG", key=key, why=f"a whole section; name one setting, as in {key}.KEY")
    if keeps(new) != keeps(config):
        raise Refused("SETTING_FIXED", key=key, why="it needs figures of the past that were not kept: restart with it")
    return new, _shown(config, key), _shown(new, key)


def keeps(config: Config) -> tuple[Any, ...]:
    """What is kept of the past for these settings."""
    kelly = config.risk.kelly_trades if config.risk.sizing == "kelly" else 0
    return (*watch_of(config).tolist(), config.risk.var_window, kelly)


def _shown(config: Config, key: str) -> Any:
    """As a record has it: what is no single value in one line of YAML, as in the file."""
    value = _at(config, key)
    return value if isinstance(value, float | int | str | None) else scalar(value)


def _at(config: Config, key: str) -> Any:
    """The value of a key; None when there is none, as of a name in a mapping that is not there yet."""
    here: Any = config
    for step in steps_of(key):
        if isinstance(here, BaseModel):
            here = getattr(here, step)
        elif isinstance(here, dict):
            here = here.get(step)
        else:
            here = here[int(step)] if here is not None and int(step) < len(here) else None
    return here
