"""Settings that are right one by one, but together do nothing, or let nothing through."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.config.breakers import BreakerConfig
from schemas.config.root import Config


def doubts(config: Config) -> list[str]:
    """What somebody who wrote these settings may not have meant, each with its key; nothing of it is an error.

    >>> from schemas.config.risk import RiskConfig
    >>> doubts(Config()), doubts(Config(risk=RiskConfig(sizing="lot_tiers")))
    ([], ['risk.sizing: lot_tiers without any risk.lot_tiers: every entry is refused'])
    """
    return [*_risk(config), *_breakers(config), *_exits(config)]


def _risk(config: Config) -> Iterator[str]:
    risk = config.risk
    if risk.sizing == "lot_tiers" and not risk.lot_tiers:
        yield "risk.sizing: lot_tiers without any risk.lot_tiers: every entry is refused"
    if risk.sizing == "kelly" and risk.kelly_min_trades > risk.kelly_trades:
        yield (
            f"risk.kelly_min_trades: {risk.kelly_min_trades} are more than the {risk.kelly_trades} of risk.kelly_trades"
            ": kelly_fallback sizes all entries"
        )
    if risk.max_var_pct is not None and risk.var_min_samples > risk.var_window:
        yield (
            f"risk.var_min_samples: {risk.var_min_samples} are more than the {risk.var_window} of risk.var_window: "
            "every entry is refused"
        )
    known = {"manual", *(strategy.label for strategy in config.strategies)}
    for name in sorted(risk.strategy_scale.keys() - known):
        yield f"risk.strategy_scale.{name}: no strategy has this name: they are {', '.join(sorted(known))}"


def _breakers(config: Config) -> Iterator[str]:
    for name in type(config.breakers).model_fields:
        section: BreakerConfig = getattr(config.breakers, name)
        (limit,) = (key for key, field in type(section).model_fields.items() if field.default is None)
        if getattr(section, limit) is None and section != type(section)():
            yield f"breakers.{name}: without {limit} it is off"


def _exits(config: Config) -> Iterator[str]:
    found = [("", config.exits)]
    for number, one in enumerate(config.strategies):
        found += [(f"strategies.{number}.", config.exits_of(one.label))] if one.exits.model_fields_set else []
    for of, exits in found:
        near = len(exits.ladder) + (exits.dual.stop_money is not None)
        if exits.break_even_after is not None and exits.break_even_after > near:
            yield f"{of}exits.break_even_after: targets before the last one: {near}: no stop is moved by it"
