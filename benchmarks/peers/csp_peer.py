"""csp: a graph of two rolling means and a Python node for their crossing. Signals only: csp has no portfolio.

``read`` makes numpy arrays of the Parquet file, ``simulate`` builds and runs the graph, in which a candle is one tick.
What it writes as ``trades`` are the times (open of the candle) and sides of its crossings. The averages are rolling
sums divided in the node: csp's own rolling mean gathers rounding errors, and then sees crossings in ties.
"""

from __future__ import annotations

import csv

import csp
import numpy as np
import peer
import pyarrow.parquet as pq
from csp import ts


@csp.node
def cross(fast_sum: ts[float], slow_sum: ts[float], fast: int, slow: int) -> ts[int]:
    """1 or -1 where the sums cross."""
    with csp.state():
        s_side = 0
    if csp.ticked(slow_sum) and csp.valid(fast_sum, slow_sum):
        a, b = fast_sum / fast, slow_sum / slow
        now = 1 if a > b else (-1 if a < b else 0)
        if now != 0:
            crossed = s_side == -now
            s_side = now
            if crossed:
                csp.output(now)


@csp.graph
def signals(times: object, closes: object, fast: int, slow: int) -> csp.Outputs(cross=ts[int]):
    """The crossings of two averages of a column of closes."""
    close = csp.curve(float, (times, closes))
    crossed = cross(csp.stats.sum(close, fast, fast), csp.stats.sum(close, slow, slow), fast, slow)
    return csp.output(cross=crossed)


def once(job: peer.Job, clock: peer.Clock) -> tuple[int, int, list[peer.Trade] | None]:
    """One run: its rows and its crossings."""
    with clock.phase("read"):
        table = pq.read_table(job.candles, columns=["date", "close"])
        times = table.column("date").to_numpy().astype("datetime64[ms]").astype("datetime64[ns]")
        closes = table.column("close").to_numpy()
    with clock.phase("simulate"):
        begin = np.datetime64(times[0], "us").astype(object)
        finish = np.datetime64(times[-1], "us").astype(object)
        found = csp.run(signals, times, closes, job.fast, job.slow, starttime=begin, endtime=finish, output_numpy=True)
        when, crossed = found["cross"]
    if job.trades is not None:
        with clock.phase("trades"), job.trades.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("time", "side"))
            sides = ("long" if side > 0 else "short" for side in crossed)
            writer.writerows(zip(peer.millis(when).tolist(), sides, strict=True))
    return table.num_rows, len(crossed), None


if __name__ == "__main__":
    peer.run("csp", once, fills="none: crossings only")
