"""The plan of a replay: what is read, how it is cut into shards, under which configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from connectors.candle_file import CandleFileError, CandleSeries, read_candles
from connectors.sharding import shard_of
from flows.currency import CurrencyError, currency_of
from flows.registry import fingerprint
from schemas.command import Command
from schemas.config.bars import BarsConfig
from schemas.config.root import Config
from schemas.window import Window

Of = Literal["files", "trades", "candles", "journal"]
"""What is replayed: files of candles, or of trades; the topic of candles, or the journal."""


class Input(BaseModel):
    """One file of candles or trades, as it was understood."""

    model_config = ConfigDict(frozen=True)

    path: str
    symbol: str
    timeframe_ms: int | None  # of candles
    rows: int
    sha256: str
    notes: tuple[str, ...]
    exchange: str | None = None  # of a recording that does not say it

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.path

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it has rows of."""
        return (self.symbol,)

    @property
    def told(self) -> dict[str, Any]:
        """What the events say of it."""
        return {"path": self.path, "symbol": self.symbol, "rows": self.rows, "sha256": self.sha256}


class TopicInput(BaseModel):
    """A stretch of a partition: the messages from offset ``begin`` on, up to and without ``end``.

    ``topic_id`` is the broker's: a topic that was made anew has another. ``rows`` are its messages or, in the journal,
    the candles in its entries.
    """

    model_config = ConfigDict(frozen=True)

    topic: str
    topic_id: str
    partition: int
    begin: int
    end: int
    rows: int
    timeframes: dict[str, int]  # by symbol: milliseconds
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in messages, and the shard that it is."""
        return f"{self.topic}-{self.partition}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it has candles of."""
        return tuple(self.timeframes)

    @property
    def told(self) -> dict[str, Any]:
        """What the events say of it."""
        return {"path": self.name, "begin": self.begin, "end": self.end, "rows": self.rows}


class Plan(BaseModel):
    """Everything that decides the outputs of a replay; two equal plans give the same bytes.

    ``window`` is what was made of --since and --until, which are kept as ``written``: "24h" is never the same twice.
    """

    model_config = ConfigDict(frozen=True)

    config: Config
    of: Of = "files"
    inputs: tuple[Input, ...] | tuple[TopicInput, ...]
    version: str
    code: dict[str, str]  # by strategy: its version, and a hash of the file it is written in
    window: Window = Window()
    commands: tuple[Command, ...] = ()
    written: tuple[str | None, str | None] = (None, None)

    @property
    def shards(self) -> dict[str, list[Input | TopicInput]]:
        """The inputs of each shard that has any; of a topic, each partition is one."""
        found: dict[str, list[Input | TopicInput]] = {}
        for item in self.inputs:
            found.setdefault(self._shard(item), []).append(item)
        return dict(sorted(found.items()))

    def _shard(self, item: Input | TopicInput) -> str:
        if isinstance(item, TopicInput):
            return item.name
        return f"shard-{shard_of(item.symbol, self.config.market.shards):04d}"

    @property
    def symbols(self) -> list[str]:
        """The symbols of all inputs."""
        return sorted({symbol for item in self.inputs for symbol in item.symbols})

    @property
    def rows(self) -> int:
        """Rows of all inputs."""
        return sum(item.rows for item in self.inputs)

    @property
    def portfolio(self) -> str:
        """The key of the portfolio stage, and the name of its part."""
        return f"portfolio-{self.config.portfolio.name}"

    def load(self, shard: str) -> list[CandleSeries]:
        """Read the files of a shard (again). Raises CandleFileError when one has changed since it was planned."""
        return [self._reload(item) for item in self.shards[shard] if isinstance(item, Input)]

    def _reload(self, item: Input) -> CandleSeries:
        series = read_candles(
            item.path,
            symbol=item.symbol,
            file_time=self.config.market.file_time,
            timeframe_ms=item.timeframe_ms,
        )
        if series.sha256 != item.sha256:
            raise CandleFileError(f"{item.path} has changed since the run began: start a new run")
        return series


def make_plan(
    paths: Sequence[Path], symbol: str | None, config: Config, version: str
) -> tuple[Plan, dict[str, CandleSeries]]:
    """Read the files and plan their replay. The second value holds what was read, by symbol.

    Raises CandleFileError for a file that cannot be used, for two files of one symbol, for ``--symbol`` with several
    files, and when the symbols are quoted in currencies that one account cannot hold.
    """
    if symbol is not None and len(paths) > 1:
        raise CandleFileError(
            f"--symbol names one market, but there are {len(paths)} files: name them as freqtrade does"
        )
    found: dict[str, CandleSeries] = {}
    for path in paths:
        series = read_candles(path, symbol=symbol, file_time=config.market.file_time)
        if series.symbol in found:
            raise CandleFileError(
                f"{found[series.symbol].path} and {path} both hold {series.symbol}: leave one out, or rename it"
            )
        found[series.symbol] = series
    inputs = tuple(
        Input(
            path=str(series.path),
            symbol=series.symbol,
            timeframe_ms=series.timeframe_ms,
            rows=len(series),
            sha256=series.sha256,
            notes=series.notes,
        )
        for series in (found[name] for name in sorted(found))
    )
    config = without_bars(with_currency(config, sorted(found)))
    return Plan(config=config, inputs=inputs, version=version, code=code_of(config)), found


def code_of(config: Config) -> dict[str, str]:
    """By strategy: its version, and a hash of the file it is written in."""
    return {strategy.label: fingerprint(strategy.use) for strategy in config.strategies}


def without_bars(config: Config) -> Config:
    """For candles that are read as they are: whatever a live run makes of trades, none are made here."""
    return config.model_copy(update={"market": config.market.model_copy(update={"bars": BarsConfig()})})


def with_currency(config: Config, symbols: Sequence[str]) -> Config:
    """The account is kept in the quote currency of what it trades."""
    try:
        currency = currency_of(config.portfolio, symbols)
    except CurrencyError as error:
        raise CandleFileError(str(error)) from None
    portfolio = config.portfolio.model_copy(update={"currency": currency or "USD"})
    return config.model_copy(update={"portfolio": portfolio})
