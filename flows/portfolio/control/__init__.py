"""What holds trading up: breakers by themselves, people by commands. One breaker a file."""

from __future__ import annotations

from collections.abc import Container

from flows.portfolio.control.base import Breaker
from flows.portfolio.control.consecutive_losses import ConsecutiveLosses
from flows.portfolio.control.daily_loss import DailyLoss
from flows.portfolio.control.divergence import Divergence
from flows.portfolio.control.drawdown import Drawdown
from flows.portfolio.control.losses import Losses
from flows.portfolio.control.order_rate import OrderRate
from flows.portfolio.control.rejections import Rejections
from flows.portfolio.control.slippage import Slippage
from flows.portfolio.control.stale_data import StaleData
from flows.portfolio.control.volatility import Volatility
from schemas.config.root import Config

BREAKERS: tuple[type[Breaker], ...] = (
    Drawdown,
    DailyLoss,
    ConsecutiveLosses,
    Losses,
    Volatility,
    Slippage,
    Rejections,
    StaleData,
    OrderRate,
    Divergence,
)


def steered(config: Config) -> bool:
    """Whether anything could hold trading up."""
    return bool(config.senders) or any(breaker.wanted(config) for breaker in BREAKERS)


def breakers_of(config: Config, tripped: Container[str] = ()) -> dict[str, Breaker]:
    """By name, the breakers that the configuration asks for, and those that have tripped."""
    return {one.name: one(config) for one in BREAKERS if one.wanted(config) or one.name in tripped}
