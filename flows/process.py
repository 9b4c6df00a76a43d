"""One process of a dataflow's cluster."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.recovery import RecoveryConfig
from bytewax.testing import cluster_main

from sinks.recovery import forget_unfinished


class LostError(RuntimeError):
    """Another process of the cluster is gone, and this one cannot go on without it."""


def run_process(
    flow: Dataflow,
    recovery: Path,
    checkpoint_every_s: float,
    *,
    workers: int = 1,
    addresses: Sequence[str] = (),
    process: int = 0,
) -> None:
    """Run one process of the cluster to the end of the stream, going on from the last checkpoint if there is one.

    Raises what was raised inside a step, without Bytewax's wrapping; LostError when a peer is gone. In a cluster,
    Bytewax cannot tell what a step has raised from a lost peer: the step has to see to it.
    """
    # Records are made by the thousand and hold no cycles: looking for cycles among them every 700 costs 8 % of a run.
    gc.freeze()
    gc.set_threshold(200_000)
    if process == 0:  # the others read nothing before they have met this one
        forget_unfinished(recovery)
    try:
        cluster_main(  # type: ignore[no-untyped-call]
            flow,
            list(addresses),
            process,
            epoch_interval=timedelta(seconds=checkpoint_every_s),
            recovery_config=RecoveryConfig(recovery),  # type: ignore[no-untyped-call]
            worker_count_per_proc=workers,
        )
    except BytewaxRuntimeError as error:
        cause: BaseException | None = error
        while isinstance(cause, BytewaxRuntimeError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":  # of Rust, and no Exception
            raise
        raise LostError(f"another process of this run is gone, so this one ends, too ({panic})") from None
