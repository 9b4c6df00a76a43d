"""``run``: how a replay is carried out. No output record depends on it, but for the spacing of ``equity``."""

from __future__ import annotations

from pydantic import Field

from schemas.config.section import Duration, Section


class RunConfig(Section):
    """The mechanics of a run."""

    batch_rows: int = Field(32_768, ge=1, description="rows handed over at once; no output depends on it")
    checkpoint_every_s: float = Field(10.0, gt=0, description="wall-clock seconds between durable snapshots")
    equity_every: Duration = Field("1h", description="event time covered by one record of the equity topic")
    html: bool = Field(True, description="write summary.html")
