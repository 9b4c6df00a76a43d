from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from schemas.config.secrets import is_secret
from tests.deploy.compose import FILE, ROOT, VARIABLE, binds, compose
from tests.kafka.broker import POM, Broker, free_ports

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
PROFILES = ("demo", "live")


def validated(file: Path) -> subprocess.CompletedProcess[str]:
    """Against the JSON Schema of the Compose specification, which the tool brings along."""
    tool = Path(sys.executable).with_name("check-jsonschema")
    words = [str(tool), "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_file_is_as_the_compose_specification_wants_it() -> None:
    done = validated(FILE)
    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("read_only: true", "readonly: true"), ("restart: unless-stopped", "restart: [1]"), ("condition:", "when:")],
)
def test_a_mistake_in_the_file_would_be_seen(tmp_path: Path, right: str, wrong: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert right in text
    copy = tmp_path / FILE.name
    copy.write_text(text.replace(right, wrong), encoding="utf-8")
    assert validated(copy).returncode == 1


def test_there_is_a_profile_for_demo_and_one_for_live() -> None:
    profiles = {profile: {name for name in SERVICES if profile in SERVICES[name]["profiles"]} for profile in PROFILES}
    assert profiles == {
        "demo": {"kafka", "topics", "feeder", "flow", "prometheus", "grafana"},
        "live": {"live-topics", "live", "live-feed", "prometheus", "grafana"},
    }


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_is_there_in_each_of_its_profiles_and_can_come_true(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        awaited = SERVICES[other]
        assert set(SERVICES[name]["profiles"]) <= set(awaited["profiles"])
        if how["condition"] == "service_healthy":
            assert awaited["healthcheck"]["test"]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert awaited["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if not service["image"].startswith("penstock:"):  # ours says USER in the Dockerfile
        assert int(service["user"].partition(":")[0]) > 0
    assert service.get("read_only", False) is (name != "kafka")
    assert [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_services_come_back_unless_they_run_once(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", service["image"])
    assert service["restart"] == ("no" if name.endswith("topics") else "unless-stopped")


def test_no_secret_is_in_the_file() -> None:
    given = {
        name: value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if is_secret(name)
    }
    assert given == {}
    assert all(set(secret) == {"file"} for secret in compose()["secrets"].values())


def test_all_that_is_mounted_is_there_and_all_volumes_are_named() -> None:
    mounts = [text.split(":") for service in SERVICES.values() for text in service.get("volumes", ())]
    assert {outside for outside, *_ in mounts if not outside.startswith(".")} == set(compose()["volumes"])
    for service in SERVICES.values():
        assert [str(path) for path in binds(service).values() if not path.exists()] == []


def test_demo_and_live_do_not_share_state() -> None:
    volumes = {name: SERVICES[name]["volumes"] for name in ("flow", "live")}
    state = {name: [text for text in texts if "/var/lib/penstock" in text] for name, texts in volumes.items()}
    assert state == {"flow": ["demo-state:/var/lib/penstock"], "live": ["live-state:/var/lib/penstock"]}


def test_every_variable_is_in_the_example_with_its_default() -> None:
    used = {found[1]: found[2] for found in VARIABLE.finditer(FILE.read_text(encoding="utf-8"))}
    passed_on = {
        name for service in SERVICES.values() for name, value in service.get("environment", {}).items() if value is None
    }
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"(#?)([A-Z_]+)=(.*)", line) for line in lines]
    shown = {one[2]: one[3] for one in found if one and not one[1]}
    only_named = {one[2] for one in found if one and one[1]}
    assert shown.pop("COMPOSE_PROFILES") == "demo"
    assert shown == {name: value for name, value in used.items() if name in shown}
    assert only_named == {name for name in used if name not in shown} | passed_on


def test_kafka_is_of_the_version_of_the_tests_and_takes_the_settings(tmp_path: Path, kafka_jars: Path) -> None:
    service = SERVICES["kafka"]
    assert f"<version>{service['image'].partition(':')[2]}</version>" in POM.read_text(encoding="utf-8")
    # The image makes its server.properties like this; only the places are of this machine.
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in service["environment"].items()
        if name != "KAFKA_HEAP_OPTS"
    }
    ports = dict(zip(("19092", "9092", "29093"), free_ports(3), strict=True))
    settings = {
        name: re.sub(r"(?<=[/@])[a-z]*:(\d+)", lambda found: f"127.0.0.1:{ports[found[1]]}", value)
        for name, value in given.items()
    } | {"log.dirs": str(tmp_path / "data")}
    broker = Broker(tmp_path, settings)
    try:
        broker.start()
        for port in (ports["19092"], ports["9092"]):  # for the containers, and for this machine
            admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}"})
            (answer,) = admin.describe_configs([ConfigResource(ResourceType.BROKER, "1")]).values()
            found = answer.result(30)
            assert {name: found[name].value for name in settings} == settings
    finally:
        broker.stop()
