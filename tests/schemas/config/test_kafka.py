from pathlib import Path
from typing import Any

import pytest

from schemas.config.kafka import KafkaConfig
from schemas.config.load import load
from schemas.config.problem import ConfigError


def wrong(environ: dict[str, str], *sets: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(None, environ, sets)
    return str(error.value)


def test_numbers_and_booleans_become_the_texts_that_librdkafka_reads() -> None:
    client: dict[str, Any] = {"socket.timeout.ms": 500, "enable.ssl.certificate.verification": False, "a": "b"}
    assert KafkaConfig(client=client).client == {
        "socket.timeout.ms": "500",
        "enable.ssl.certificate.verification": "false",
        "a": "b",
    }


def test_a_setting_has_its_dots_in_set_and_underscores_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    environ = {
        "PENSTOCK__KAFKA__CLIENT__SASL_PASSWORD_FILE": str(tmp_path / "secret"),
        "PENSTOCK__KAFKA__CLIENT__SASL_USERNAME": "me",
    }
    kafka = load(None, environ, ["kafka.client.security.protocol=SASL_SSL"]).config.kafka
    assert kafka.settings() == {
        "sasl.password": "hunter2",
        "sasl.username": "me",
        "security.protocol": "SASL_SSL",
        "bootstrap.servers": "localhost:9092",
    }


@pytest.mark.parametrize("address", ["", "localhost", "localhost:", ":9092", "a:9092,b", "a:0", "a:65536", "a:x"])
def test_an_address_without_host_or_port_is_refused(address: str) -> None:
    assert "is not an address: write host:port" in wrong({}, f"kafka.bootstrap_servers={address}")


def test_addresses_are_parted_by_commas() -> None:
    assert KafkaConfig(bootstrap_servers="a:1, [::1]:2").bootstrap_servers == "a:1,[::1]:2"


def test_what_is_not_to_be_set_is_named_with_where_to_set_it() -> None:
    assert "group.id is not to be set here: write kafka.deployment" in wrong({}, "kafka.client.group.id=x")


def test_a_secret_in_two_ways_is_refused_and_not_shown() -> None:
    said = wrong(
        {"PENSTOCK__KAFKA__CLIENT__SASL_PASSWORD": "hunter2", "PENSTOCK__KAFKA__CLIENT__SASL_PASSWORD_FILE": "f"}
    )
    assert "sasl.password and sasl.password_file are both given: keep one of them" in said
    assert "hunter2" not in said


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff")
    kafka = KafkaConfig(client={"a_file": str(tmp_path / "none"), "b_file": str(tmp_path / "bytes")})
    with pytest.raises(ConfigError) as error:
        kafka.settings()
    assert [(problem.key, problem.message.split("; ")[0]) for problem in error.value.problems] == [
        ("kafka.client.a_file", f"{tmp_path / 'none'}: No such file or directory"),
        ("kafka.client.b_file", f"{tmp_path / 'bytes'}: not UTF-8 text"),
    ]
