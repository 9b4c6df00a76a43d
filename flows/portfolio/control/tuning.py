"""Settings that a command may change while a portfolio runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from flows.portfolio.control.outcome import Refused
from flows.portfolio.estimates import watch_of
from schemas.config.load import overridden
from schemas.config.override import steps_of
from schemas.config.problem import ConfigError
from schemas.config.root import Config
from schemas.config.section import fields_of
from schemas.config.show import scalar

SECTIONS = ("risk", "breakers", "exits")
"""What the portfolio stage alone reads; so it does the exits of strategies. Anything else needs a restart."""
OWN = re.compile(r"strategies\.[^.]+\.exits(\..+)?")


def can_change(key: str) -> bool:
    """Whether a setting can change while a portfolio runs.

    >>> can_change("risk.quantity"), can_change("strategies.dip.exits.trail"), can_change("strategies.dip.mode")
    (True, True, False)
    """
    return key.partition(".")[0] in SECTIONS or OWN.fullmatch(key) is not None


def changed(config: Config, wanted: Mapping[str, str]) -> tuple[Config, dict[str, Any], dict[str, Any]]:
    """The configuration with some settings changed at once, and by key each of them before and after.

    Raises Refused when there is no such setting, when one may not be changed while the portfolio runs, or when the
    values are not allowed.
    """
    if not wanted:
        raise Refused("ARGUMENT_MISSING", argument="KEY=VALUE")
    for key in wanted:
        if not can_change(key):
            why = f"only {', '.join(SECTIONS)} and strategies.NAME.exits can change while it runs"
            raise Refused("SETTING_FIXED", key=key, why=why)
        if isinstance(_at(config, key), BaseModel):  # as a whole it would put back to the defaults what is not named
            raise Refused("SETTING_WRONG", key=key, why=f"a whole section; name one setting, as in {key}.KEY")
    try:
        new = overridden(config, [f"{key}={value}" for key, value in wanted.items()])
    except ConfigError as error:
        why = "; ".join(one.message for one in error.problems)
        raise Refused("SETTING_WRONG", key=_blamed(error, wanted), why=why) from None
    if keeps(new) != keeps(config):
        fixed = [key for key, value in wanted.items() if needs_past(config, key, value)]
        why = "it needs figures of the past that were not kept: restart with it"
        raise Refused("SETTING_FIXED", key=", ".join(fixed or wanted), why=why)
    return new, {key: shown(config, key) for key in wanted}, {key: shown(new, key) for key in wanted}


def _blamed(error: ConfigError, wanted: Mapping[str, str]) -> str:
    """The settings that a problem names, or all of them."""
    wrong = {one.key for one in error.problems}
    return ", ".join([key for key in wanted if key in wrong] or wanted)


def needs_past(config: Config, key: str, value: str) -> bool:
    """Whether a setting takes figures of the past that are not kept as the configuration is.

    >>> needs_past(Config(), "risk.var_window", "400"), needs_past(Config(), "risk.per_trade_pct", "0.5")
    (True, False)
    """
    try:
        return keeps(overridden(config, [f"{key}={value}"])) != keeps(config)
    except ConfigError:  # it is good with others only
        return False


def changeable(config: Config) -> dict[str, Any]:
    """All settings that can change, as JSON has them."""
    settings = config.model_dump(mode="json")
    own = {one.label: settings["strategies"][at]["exits"] for at, one in enumerate(config.strategies)}
    return {**{section: settings[section] for section in SECTIONS}, "strategies": own}


def with_changeable(config: Config, settings: Mapping[str, Any] | None) -> Config:
    """The configuration with all of :func:`changeable` as it was in another one; without one, as it is.

    >>> other = overridden(Config(), ["risk.per_trade_pct=0.25", "strategies.sma_atr.exits.time_candles=9"])
    >>> with_changeable(other, changeable(Config())) == Config()
    True
    """
    if settings is None:
        return config
    tree, own = config.model_dump(), settings["strategies"]
    strategies = [
        {**tree["strategies"][at], "exits": own.get(one.label, {})} for at, one in enumerate(config.strategies)
    ]
    return Config.model_validate({**tree, **settings, "strategies": strategies})


def keeps(config: Config) -> tuple[Any, ...]:
    """What is kept of the past for these settings."""
    kelly = config.risk.kelly_trades if config.risk.sizing == "kelly" else 0
    return (*watch_of(config).tolist(), config.risk.var_window, kelly)


def shown(config: Config, key: str) -> Any:
    """As a record has it: what is no single value in one line of YAML, as in the file."""
    value = _at(config, key)
    return value if isinstance(value, float | int | str | None) else scalar(value)


def _at(config: Config, key: str) -> Any:
    """The value of a key; None when it is not there, as an exit that a strategy does not have of its own."""
    here: Any = config
    for step in steps_of(key):
        if isinstance(here, BaseModel):
            here = getattr(here, step) if step in fields_of(here) else None
        elif isinstance(here, dict):
            here = here.get(step)
        else:
            names = [getattr(one, "label", str(at)) for at, one in enumerate(here or ())]
            here = here[names.index(step)] if step in names else None
    return here
