"""summary.json: a pure function of the files of a finished run folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from schemas.summary import AccountSummary, Summary
from sinks.atomic import replacing
from sinks.columns import RunColumns, read_run
from sinks.state import State, read_state
from sinks.summary.account import account_summary
from sinks.summary.counts import count_alerts, count_dead_letters, count_refusals, count_signals
from sinks.tables import iso


def summarise(folder: Path, run: RunColumns | None = None) -> Summary:
    """All figures of a run. ``run`` saves reading positions and equity again.

    Raises FileNotFoundError, or ValueError that names the file and line, when the folder is not that of a finished run.
    """
    run = read_run(folder) if run is None else run
    state = read_state(folder)
    refusals = count_refusals(folder)

    def account(of: State, strategy: str | None) -> AccountSummary:
        return account_summary(of, run.trades, run.curve, strategy, refusals.get(strategy, {}))

    ran = state.first_ts is not None and state.last_ts is not None
    start, end = iso(np.array([state.first_ts, state.last_ts])) if ran else (None, None)
    return Summary(
        portfolio=state.portfolio,
        currency=state.currency,
        start=start,
        end=end,
        start_ts=state.first_ts,
        end_ts=state.last_ts,
        duration_s=((state.last_ts or 0) - (state.first_ts or 0)) / 1000 if ran else None,
        instants=state.instants,
        signals=count_signals(folder),
        account=account(state, None),
        shadow={name: account(shadow, name) for name, shadow in sorted(state.shadow.items())},
        dead_letters=count_dead_letters(folder),
        alerts=count_alerts(folder),
    )


def write_summary(folder: Path, run: RunColumns | None = None) -> Summary:
    """:func:`summarise`, written to ``summary.json``."""
    summary = summarise(folder, run)
    with replacing(folder / "summary.json") as temporary:
        temporary.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return summary
