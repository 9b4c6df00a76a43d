"""Event: a step in the life of a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Figures, Millis, Record


class Event(Record):
    """Run started, data loaded, checkpoint saved, run finished. The one topic that speaks of wall-clock time."""

    ts: Annotated[Millis, Field(description="wall-clock time, epoch ms UTC")]
    name: Annotated[
        str,
        Field(
            description="dotted: run.started, data.loaded, commands.loaded, checkpoint.saved, run.finished; of a live "
            "run run.started, checkpoint.saved, trouble, partitions.added, run.failed, run.ended"
        ),
    ]
    run: str
    figures: Figures
