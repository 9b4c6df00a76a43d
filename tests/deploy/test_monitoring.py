"""Prometheus and Grafana: they ask where the flow answers, and for what it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml

from schemas.config.serve import ServeConfig
from sinks.vitals.metrics import FEED_METRICS, METRICS
from sinks.vitals.rules import rule_file
from tests.deploy.compose import ROOT, compose

GRAFANA = ROOT / "deploy/grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/penstock.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
SHOWN = [panel for panel in PANELS if panel["type"] != "row"]
ALL = METRICS | FEED_METRICS
SERIES = {series: metric for metric in ALL.values() for series in metric.series}
ADDED = {"le", "job", "instance"}
"""Labels that a histogram and Prometheus add."""


def selectors(expression: str) -> Iterator[promql.VectorSelector]:
    """What a query reads. Grafana's own variables are given a value first. Raises ValueError when it is no PromQL."""
    tree = promql.parse(expression.replace("$__rate_interval", "1m"))
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        elif isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)

    promql.walk(tree, visit)
    yield from found


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


@pytest.mark.parametrize("panel", SHOWN, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_metrics_and_labels_that_are_there(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        metrics = [SERIES[str(one.name)] for one in selectors(target["expr"])]
        labels = ADDED.union(*(metric.labels for metric in metrics))
        assert metrics
        asked = {label.strip() for by in re.findall(r"by \((.*?)\)", target["expr"]) for label in by.split(",")}
        asked |= set(re.findall(r"(\w+)=~?\"", target["expr"]))
        assert asked <= labels
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= asked
        assert 'job=~"$job"' in target["expr"]


def test_every_metric_is_on_a_panel() -> None:
    seen = {SERIES[str(one.name)].name for panel in SHOWN for text in expressions(panel) for one in selectors(text)}
    assert seen == set(ALL)


def test_counters_are_shown_as_rates_and_gauges_as_they_are() -> None:
    for panel in SHOWN:
        for text in expressions(panel):
            for one in selectors(text):
                metric = SERIES[str(one.name)]
                over_time = re.search(rf"(rate|increase)\({one.name}\b", text) is not None
                since_start = "Since the start." in panel["description"]
                assert over_time is (metric.kind != "gauge" and not since_start)


def test_panels_have_ids_and_places_of_their_own() -> None:
    assert max(Counter(panel["id"] for panel in PANELS).values()) == 1
    cells = Counter(
        (x, y)
        for panel in PANELS
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert max(cells.values()) == 1
    assert max(x for x, _ in cells) == 23


def test_the_dashboard_finds_its_data_source_in_the_services_of_the_compose_file() -> None:
    services = compose()["services"]
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/penstock.yml").read_text())["providers"]
    assert (source["url"], source["isDefault"]) == ("http://prometheus:9090", True)
    assert "prometheus" in services
    mounted = {text.split(":")[1]: text.split(":")[0] for text in services["grafana"]["volumes"]}
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    kinds = {variable["name"]: (variable["type"], variable["query"]) for variable in DASHBOARD["templating"]["list"]}
    assert kinds["datasource"] == ("datasource", source["type"])
    assert {target["datasource"]["uid"] for panel in SHOWN for target in panel["targets"]} == {"${datasource}"}
    (asked,) = re.findall(r"penstock_\w+", DASHBOARD["templating"]["list"][1]["definition"])
    assert asked in METRICS


def test_prometheus_loads_the_alert_rules() -> None:
    settings = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text(encoding="utf-8"))
    mounted = dict(volume.split(":")[1::-1] for volume in compose()["services"]["prometheus"]["volumes"])
    files = [f"/etc/prometheus/{name}" for name in settings["rule_files"]]
    assert [(ROOT / mounted[file]).read_text(encoding="utf-8") for file in files] == [rule_file()]


def test_prometheus_asks_every_process_of_the_flow() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    for name in ("flow", "live"):
        service = compose()["services"][name]
        (alias,) = service["networks"]["default"]["aliases"]
        words = service["command"]
        processes = int(words[words.index("--processes") + 1])
        assert targets["penstock"] == [f"{alias}:{ServeConfig().port_of(number)}" for number in range(processes)]
        assert service["environment"]["PENSTOCK__SERVE__HOST"] == "0.0.0.0"
