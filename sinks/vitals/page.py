"""docs/monitoring.md and deploy/alerts.yml, from metrics and rules: ``python -m sinks.vitals.page docs deploy``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sinks.vitals.health import PATIENCE_S, STALE_S
from sinks.vitals.metrics import FEED_METRICS, METRICS, Definition
from sinks.vitals.rules import RULES, rule_file

HEAD = """\
# Monitoring

<!-- Written from sinks/vitals by `make docs`. Do not edit. -->

A live process (`penstock run`) answers over HTTP. Process 0 listens on `serve.port`, process 1 on the next port, and so
on; `serve.port: 0` turns it off. It listens on this machine only unless `serve.host` says otherwise. There is no
password, and the equity can be read there: open it to your monitoring, not to the world.

    curl http://127.0.0.1:9464/metrics          # Prometheus's text format
    curl http://127.0.0.1:9464/health/live      # 200, or 503 with the reasons
    curl http://127.0.0.1:9464/health/ready

```yaml
scrape_configs:
  - job_name: penstock    # the rules below go by this name
    static_configs:
      - targets: [127.0.0.1:9464, 127.0.0.1:9465]
  - job_name: penstock-feed
    static_configs:
      - targets: [127.0.0.1:9454]
```
"""

METRICS_HEAD = """
## Metrics

Each process tells of what it does itself; add up or compare over `instance`. Beside these there are the
`process_*` and `python_*` metrics of the Prometheus client (memory, CPU, open files, garbage collection).

"""

NOTES = """
What to know when reading them:

- **Counters begin at zero with the process.** After a crash, what is computed again since the last durable snapshot is
  counted again (dead letters, refusals, alerts). `penstock_records_out_total` is not: it counts what this process has
  committed, and what was on the topics already is not committed again. The exact numbers are on the topics.
- **A series appears with its first event**, and `increase` does not see the step from nothing to 1. So the rule for
  critical alerts asks for new series, too. The series of the configured strategies are there from the start.
- **Lag is counted from what has been read**, not from what is durable; the lag of the consumer group, which Kafka's own
  tools show, is larger by what an epoch holds. Markers of transactions take offsets: where records are published in
  transactions, a lag of 1 can be none.
- **Lag comes from the sources**, with what they fetch: it stands still while the broker cannot be reached.
- **Equity and drawdown** are those of the last record on the topic `equity`, one for each `run.equity_every` of event
  time; after a restart they are there again with the next one.
- **Watermark lag** compares event time with this machine's clock. It is never below the time that candles take to
  arrive, and grows by a timeframe between two candles.
"""

FEED_HEAD = """
## Metrics of a feed

`penstock feed` serves these on `serve.feed_port`, beside `penstock_alerts_total` and
`penstock_build_info`; `penstock record` the same. Its health: live while it decides, ready while every socket stands.

"""

HEALTH = f"""
## Health

The body says why, as JSON: `{{"status":"failing","reasons":["no progress for 130 s: the flow hangs"],…}}`.

| question | yes (200) | no (503) |
| --- | --- | --- |
| `/health/live`: would a restart be of no use? | the flow polled its sources within {STALE_S:.0f} s; or it waits \
for the broker; or it is starting | the flow hangs in its own work |
| `/health/ready`: does it do its work? | sources and publishers are open, and a source has been polled | something is \
being opened; a publisher has waited for the broker for more than {PATIENCE_S:.0f} s; fenced or failed; not live |

**An outage of the broker does not make a process unlive.** It waits by design and goes on by itself; a restart would
not bring the broker back, and would cost the work since the last snapshot. It does become unready while a publisher
waits. A call into the Kafka client that never comes back looks the same from outside, and `PenstockNothingDurable`
tells of both.

A process that never gets ready because no source has been polled has no partition: there are more processes than
partitions. As probes in Kubernetes: `livenessProbe` on `/health/live`, `readinessProbe` on `/health/ready`; a
`startupProbe` is not needed.

## Alert rules

[`deploy/alerts.yml`](../deploy/alerts.yml) is a file for Prometheus's `rule_files`; the Prometheus of
`docker-compose.yml` loads it. The thresholds fit the defaults of the configuration and candles of a minute; make them
yours. Nobody is told by it yet: that takes an Alertmanager of yours.

"""


def monitoring_page() -> str:
    """The whole page."""
    tables = f"{METRICS_HEAD}{_table(METRICS)}{NOTES}{FEED_HEAD}{_table(FEED_METRICS)}"
    return f"{HEAD}{tables}{HEALTH}{_rules()}"


def _rules() -> str:
    rows = [("alert", "severity", "after", "meaning"), ("---",) * 4]
    rows += [(f"`{rule.name}`", rule.severity, rule.wait, rule.summary.replace("|", "\\|")) for rule in RULES]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _table(metrics: dict[str, Definition]) -> str:
    rows = [("metric", "type", "labels", "meaning", "rules below"), ("---",) * 5, *map(_row, metrics.values())]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _row(metric: Definition) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    asked = [rule.name for rule in RULES if set(metric.series) & set(re.findall(r"\w+", rule.expr))]
    return f"`{metric.name}`", metric.kind, labels, metric.help, ", ".join(asked)


if __name__ == "__main__":
    docs, deploy = map(Path, sys.argv[1:])
    (docs / "monitoring.md").write_text(monitoring_page(), encoding="utf-8")
    (deploy / "alerts.yml").write_text(rule_file(), encoding="utf-8")
