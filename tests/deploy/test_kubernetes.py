from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from schemas.config.load import load
from sinks.vitals.health import Health
from sinks.vitals.server import Server
from sinks.vitals.vitals import Vitals
from tests.deploy.compose import ROOT, compose

FOLDER = ROOT / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
MANIFESTS: dict[str, dict[str, Any]] = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name != "kustomization.yaml"
}
SET = MANIFESTS["statefulset.yaml"]["spec"]
PODS = {"statefulset": SET["template"]["spec"], "topics": MANIFESTS["topics.yaml"]["spec"]["template"]["spec"]}
VERSIONS = ("1.32", kubernetes_validate.latest_version())


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_is_as_kubernetes_wants_it(name: str, version: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda spec: spec.update(serviceNam="penstock"),
        lambda spec: spec.pop("selector"),
        lambda spec: spec["template"]["spec"]["containers"][0]["livenessProbe"].update(periodSeconds="ten"),
    ],
)
def test_a_mistake_in_a_manifest_would_be_seen(spoil: Callable[[Any], Any]) -> None:
    wrong = deepcopy(MANIFESTS["statefulset.yaml"])
    spoil(wrong["spec"])
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_all_manifests_are_applied_but_the_example_of_the_secret() -> None:
    assert {*KUSTOMIZATION["resources"], "secret.example.yaml"} == set(MANIFESTS)
    assert [image["name"] for image in KUSTOMIZATION["images"]] == ["penstock"]
    images = {container["image"] for pod in PODS.values() for container in pod["containers"]}
    assert images == {compose()["services"]["flow"]["image"]}


def test_the_configuration_is_one_and_names_the_files_of_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "penstock.yaml"
    file.write_text(MANIFESTS["configmap.yaml"]["data"]["penstock.yaml"], encoding="utf-8")
    config = load(file, {}).config
    kafka = "/run/secrets/kafka/"
    named = {value.removeprefix(kafka) for value in config.kafka.client.values() if value.startswith(kafka)}
    assert named == set(MANIFESTS["secret.example.yaml"]["stringData"])
    ports = {port["name"]: port["containerPort"] for port in PODS["statefulset"]["containers"][0]["ports"]}
    assert (config.serve.host, config.serve.port) == ("0.0.0.0", ports["metrics"])
    for pod in PODS.values():
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        secret = volumes[mounts[kafka.rstrip("/")]]["secret"]
        assert secret["secretName"] == MANIFESTS["secret.example.yaml"]["metadata"]["name"]
        assert volumes[mounts["/etc/penstock"]]["configMap"]["name"] == MANIFESTS["configmap.yaml"]["metadata"]["name"]
        assert "/etc/penstock/penstock.yaml" in " ".join(container["args"])


def test_every_pod_of_the_set_has_its_address_in_the_order_of_the_ordinals() -> None:
    (container,) = PODS["statefulset"]["containers"]
    service = MANIFESTS["service.yaml"]
    name, headless = MANIFESTS["statefulset.yaml"]["metadata"]["name"], SET["serviceName"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    addresses = [word.partition("=")[2] for word in container["args"] if word.startswith("--address=")]
    assert addresses == [
        f"{name}-{ordinal}.{headless}.$(POD_NAMESPACE).svc.cluster.local:{ports['cluster']}"
        for ordinal in range(SET["replicas"])
    ]
    assert (service["metadata"]["name"], service["spec"]["clusterIP"]) == (headless, "None")
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == ports
    assert service["spec"]["publishNotReadyAddresses"] is True
    fields = {one["name"]: one["valueFrom"]["fieldRef"]["fieldPath"] for one in container["env"]}
    assert set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))) == set(fields)
    assert "--process=$(POD_INDEX)" in container["args"]
    assert fields["POD_INDEX"] == "metadata.labels['apps.kubernetes.io/pod-index']"


def test_every_pod_has_a_volume_of_its_own_for_its_state_that_outlives_it() -> None:
    (claim,) = SET["volumeClaimTemplates"]
    (container,) = PODS["statefulset"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (state,) = [word.partition("=")[2] for word in container["args"] if word.startswith("--state=")]
    assert state.startswith(mounts[claim["metadata"]["name"]] + "/")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert SET["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_two_versions_never_run_together_and_no_pod_waits_for_another_to_start() -> None:
    assert SET["updateStrategy"] == {"type": "OnDelete"}
    assert SET["podManagementPolicy"] == "Parallel"


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_more_rights_than_it_needs(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    user = (ROOT / "Dockerfile").read_text(encoding="utf-8").partition("USER ")[2].partition(":")[0]
    assert {pod["securityContext"][one] for one in ("runAsUser", "runAsGroup", "fsGroup")} == {int(user)}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_probes_and_scrapes_ask_for_what_is_served() -> None:
    (container,) = PODS["statefulset"]["containers"]
    annotations = SET["template"]["metadata"]["annotations"]
    asked = [container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")]
    assert asked == ["/health/live", "/health/ready"]
    assert set(server_routes()) == {*asked, annotations["prometheus.io/path"]}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert int(annotations["prometheus.io/port"]) == ports["metrics"]


def server_routes() -> list[str]:
    """What the server says that there is, when it is asked for something else."""
    with Server(Vitals("1.0"), Health()) as server, pytest.raises(HTTPError) as refused:
        urlopen(f"{server.url}/nothing")
    return re.findall(r"/\S+", refused.value.read().decode())


def test_all_that_belongs_to_the_cluster_selects_its_pods() -> None:
    labels = SET["template"]["metadata"]["labels"]
    policy = MANIFESTS["networkpolicy.yaml"]["spec"]
    cluster, scrape = policy["ingress"]
    selectors = [
        SET["selector"]["matchLabels"],
        MANIFESTS["service.yaml"]["spec"]["selector"],
        MANIFESTS["poddisruptionbudget.yaml"]["spec"]["selector"]["matchLabels"],
        policy["podSelector"]["matchLabels"],
        cluster["from"][0]["podSelector"]["matchLabels"],
    ]
    assert [selector for selector in selectors if selector != labels] == []
    assert ([port["port"] for port in cluster["ports"]], [port["port"] for port in scrape["ports"]]) == (
        ["cluster"],
        ["metrics"],
    )
    assert "from" not in scrape
    assert MANIFESTS["topics.yaml"]["spec"]["template"]["metadata"]["labels"] != labels
