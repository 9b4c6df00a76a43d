"""The gates between a signal and an order, in the order in which they are asked. One rule a file."""

from __future__ import annotations

from flows.portfolio.gates.base import Gate
from flows.portfolio.gates.cash import Cash
from flows.portfolio.gates.duplicate_intent import DuplicateIntent
from flows.portfolio.gates.gross_exposure import GrossExposure
from flows.portfolio.gates.minimum import Minimum
from flows.portfolio.gates.open_positions import OpenPositions
from flows.portfolio.gates.position_size import PositionSize
from flows.portfolio.gates.reward_to_risk import RewardToRisk
from flows.portfolio.gates.size import Size
from flows.portfolio.gates.stale_data import StaleData
from flows.portfolio.gates.stop import Stop

GATES: tuple[type[Gate], ...] = (
    DuplicateIntent,
    StaleData,
    Stop,
    RewardToRisk,
    OpenPositions,
    Size,
    PositionSize,
    GrossExposure,
    Cash,
    Minimum,
)
