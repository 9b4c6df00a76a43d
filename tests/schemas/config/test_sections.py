"""The sections themselves: defaults, and the few rules that are more than a bound."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from schemas.config.instruments import Instrument, InstrumentsConfig
from schemas.config.root import Config
from schemas.config.section import Section
from schemas.config.shape import shape_of
from schemas.config.strategies import StrategyConfig


def sections(annotation: Any) -> set[type[BaseModel]]:
    shape = shape_of(annotation)
    if shape.kind == "section":
        below = (sections(field.annotation) for field in shape.type.model_fields.values())
        return {shape.type}.union(*below)
    return sections(shape.item) if shape.item is not None else set()


@pytest.mark.parametrize("section", sorted(sections(Config), key=str))
def test_a_section_is_frozen_forbids_unknown_keys_and_describes_every_key(section: type[BaseModel]) -> None:
    assert issubclass(section, Section)
    assert (section.model_config.get("frozen"), section.model_config.get("extra")) == (True, "forbid")
    assert [name for name, field in section.model_fields.items() if not field.description] == []


def test_every_key_has_a_default_but_what_an_item_of_a_list_is_about() -> None:
    required = {
        f"{section.__name__}.{name}"
        for section in sections(Config)
        for name, field in section.model_fields.items()
        if field.is_required()
    }
    items = {"LotTier.equity", "LotTier.quantity", "Rung.share_pct", "Rung.at"}
    assert required == {"StrategyConfig.use", *items}


def test_the_default_strategy_is_sma_atr_on_all_symbols() -> None:
    (strategy,) = Config().strategies
    assert (strategy.use, strategy.label, strategy.symbols, strategy.mode) == ("sma_atr", "sma_atr", ("*",), "live")


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({"use": "sma_cross"}, "sma_cross"),
        ({"use": "my.module:Breakout"}, "breakout"),
        ({"use": "my.module:Breakout", "name": "mine"}, "mine"),
    ],
    ids=str,
)
def test_the_label_of_a_strategy_is_its_name_or_what_it_uses(given: dict[str, str], label: str) -> None:
    assert StrategyConfig(**given).label == label


def test_two_strategies_of_one_label_are_refused() -> None:
    one, other = StrategyConfig(use="a:Same"), StrategyConfig(use="b:Same")
    with pytest.raises(ValidationError, match="two strategies are named 'same'"):
        Config(strategies=(one, other))
    assert len(Config(strategies=(one, StrategyConfig(use="b:Same", name="two"))).strategies) == 2


def test_a_symbol_without_its_own_instrument_has_the_default_one() -> None:
    own = Instrument(lot=Decimal("0.001"))
    config = InstrumentsConfig(symbols={"BTC/USDT": own})
    assert config.of("BTC/USDT") is own
    assert config.of("BTC/USDT:USDT") is config.default


@pytest.mark.parametrize("value", ["NaN", "Infinity", "0", "-1"])
def test_a_tick_is_finite_and_positive(value: str) -> None:
    with pytest.raises(ValidationError):
        Instrument(tick=Decimal(value))
