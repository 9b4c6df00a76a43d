"""The gates between a signal and an order, in the order in which they are asked. One rule a file."""

from __future__ import annotations

from flows.portfolio.gates.base import Gate
from flows.portfolio.gates.cash import Cash
from flows.portfolio.gates.confidence import Confidence
from flows.portfolio.gates.cooldown import Cooldown
from flows.portfolio.gates.daily_loss import DailyLoss
from flows.portfolio.gates.duplicate_intent import DuplicateIntent
from flows.portfolio.gates.gross_exposure import GrossExposure
from flows.portfolio.gates.group_exposure import GroupExposure
from flows.portfolio.gates.leverage import Leverage
from flows.portfolio.gates.lifetime_loss import LifetimeLoss
from flows.portfolio.gates.minimum import Minimum
from flows.portfolio.gates.net_exposure import NetExposure
from flows.portfolio.gates.open_positions import OpenPositions
from flows.portfolio.gates.order_rate import OrderRate
from flows.portfolio.gates.position_size import PositionSize
from flows.portfolio.gates.reward_to_risk import RewardToRisk
from flows.portfolio.gates.risk import Risk
from flows.portfolio.gates.session import Session
from flows.portfolio.gates.size import Size
from flows.portfolio.gates.spread import Spread
from flows.portfolio.gates.stale_data import StaleData
from flows.portfolio.gates.stop import Stop
from flows.portfolio.gates.strategy_mode import StrategyMode
from flows.portfolio.gates.symbol_exposure import SymbolExposure
from flows.portfolio.gates.trading_state import TradingState
from flows.portfolio.gates.var import ValueAtRisk
from schemas.config.root import Config

GATES: tuple[type[Gate], ...] = (
    TradingState,
    StrategyMode,
    StaleData,
    Spread,
    Session,
    DuplicateIntent,
    Cooldown,
    Confidence,
    Stop,
    RewardToRisk,
    Size,
    Leverage,
    SymbolExposure,
    GroupExposure,
    GrossExposure,
    NetExposure,
    PositionSize,
    Risk,
    OpenPositions,
    OrderRate,
    DailyLoss,
    LifetimeLoss,
    ValueAtRisk,
    Cash,
    Minimum,
)


def gates_of(config: Config) -> list[Gate]:
    """The gates that the configuration asks for, ready to be asked."""
    return [gate(config) for gate in GATES if gate.wanted(config)]
