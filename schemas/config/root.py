"""The whole configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from schemas.config.breakers import BreakersConfig
from schemas.config.broker import BrokerConfig
from schemas.config.commands import SINK, CommandsConfig
from schemas.config.entries import EntriesConfig
from schemas.config.exits import ExitsConfig
from schemas.config.instruments import InstrumentsConfig
from schemas.config.kafka import KafkaConfig
from schemas.config.market import MarketConfig
from schemas.config.portfolio import PortfolioConfig
from schemas.config.risk import RiskConfig
from schemas.config.run import RunConfig
from schemas.config.section import Section
from schemas.config.serve import ServeConfig
from schemas.config.strategies import StrategyConfig, check_labels


class Config(Section):
    """All sections. Without a file, every one has its defaults, and ``sma_atr`` trades whatever is replayed."""

    portfolio: PortfolioConfig = Field(PortfolioConfig(), description="the account")
    market: MarketConfig = Field(MarketConfig(), description="the market stage")
    instruments: InstrumentsConfig = Field(InstrumentsConfig(), description="ticks, lots and smallest orders")
    strategies: Annotated[tuple[StrategyConfig, ...], AfterValidator(check_labels)] = Field(
        (StrategyConfig(use="sma_atr"),), description="what runs"
    )
    risk: RiskConfig = Field(RiskConfig(), description="sizing and gates")
    breakers: BreakersConfig = Field(BreakersConfig(), description="what stops trading by itself")
    entries: EntriesConfig = Field(EntriesConfig(), description="how a position is entered")
    exits: ExitsConfig = Field(ExitsConfig(), description="how a position is left")
    commands: CommandsConfig = Field(CommandsConfig(), description="who may steer it while it runs")
    broker: BrokerConfig = Field(BrokerConfig(), description="the paper broker")
    kafka: KafkaConfig = Field(KafkaConfig(), description="the Kafka broker")
    run: RunConfig = Field(RunConfig(), description="the mechanics of a replay")
    serve: ServeConfig = Field(ServeConfig(), description="metrics and health of a live process")

    @property
    def senders(self) -> dict[str, tuple[str, ...]]:
        """By name, the commands that a sender may give.

        With the breaker ``divergence`` the sink may tell an alarm, if ``commands.senders`` does not say otherwise.

        >>> Config.model_validate({"breakers": {"divergence": {"alarms": 1}}}).senders
        {'sink': ('alarm',)}
        """
        own = {} if self.breakers.divergence.alarms is None else {SINK: ("alarm",)}
        return {**own, **self.commands.senders}

    def exits_of(self, strategy: str) -> ExitsConfig:
        """How the positions of a strategy are left, by its name in records.

        >>> config = Config.model_validate({"strategies": [{"use": "sma_atr", "exits": {"time_candles": 9}}]})
        >>> config.exits_of("sma_atr").time_candles, config.exits_of("manual").time_candles
        (9, None)
        """
        own = (one.exits for one in self.strategies if one.label == strategy and one.exits.model_fields_set)
        return self.exits.with_own(found) if (found := next(own, None)) else self.exits

    def all_exits(self) -> list[ExitsConfig]:
        """The shared ones, and those of strategies that have some of their own."""
        own = [self.exits.with_own(one.exits) for one in self.strategies if one.exits.model_fields_set]
        return [self.exits, *own]

    @model_validator(mode="after")
    def _candles_have_a_length(self) -> Config:
        by_measure = self.market.bars.made and not self.market.bars.timeframes
        if by_measure and self.risk.sizing == "volatility_target":
            raise ValueError("risk.sizing: volatility_target needs candles by time; market.bars makes others")
        return self
