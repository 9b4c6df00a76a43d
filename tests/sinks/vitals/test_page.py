"""docs/monitoring.md: what is committed is what the code gives, and its rules ask for what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from sinks.vitals.metrics import FEED_METRICS, METRICS
from sinks.vitals.page import monitoring_page
from sinks.vitals.rules import RULES, Rule, rule_file

ROOT = Path(__file__).resolve().parents[3]
DOCS, ALERTS = ROOT / "docs", ROOT / "deploy/alerts.yml"
ALL = METRICS | FEED_METRICS
SERIES = {name: metric for metric in ALL.values() for name in metric.series}


def test_the_committed_page_is_what_the_code_gives() -> None:
    assert (DOCS / "monitoring.md").read_text(encoding="utf-8") == monitoring_page(), "run: make docs"
    assert ALERTS.read_text(encoding="utf-8") == rule_file(), "run: make docs"


def test_every_metric_is_on_the_page_with_a_rule() -> None:
    rows = [line.split(" | ") for line in monitoring_page().splitlines() if line.startswith("| `penstock_")]
    assert [row[0].strip("| `") for row in rows] == list(ALL)
    assert [row[0] for row in rows if not row[4].strip(" |")] == []


def test_the_rules_are_a_rule_file() -> None:
    (group,) = yaml.safe_load(rule_file())["groups"]
    assert [
        Rule(rule["alert"], rule["labels"]["severity"], rule["for"], rule["expr"], rule["annotations"]["summary"])
        for rule in group["rules"]
    ] == list(RULES)
    assert [rule for rule in RULES if f"| `{rule.name}` | {rule.severity} |" not in monitoring_page()] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_asks_for_series_and_labels_that_there_are(rule: Rule) -> None:
    asked = re.findall(r"(penstock_\w+)(?:\{(\w+)[=~])?", rule.expr)
    assert [name for name, _ in asked if name not in SERIES] == []
    assert [(name, label) for name, label in asked if label and label not in SERIES[name].labels] == []
    assert asked or rule.expr in ('up{job="penstock"} == 0', 'up{job="penstock-feed"} == 0')
