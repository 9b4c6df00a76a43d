"""A broker that wants to know who one is."""

from __future__ import annotations

from tests.conftest import PASSWORD
from tests.faults.conftest import Install
from tests.kafka.broker import Broker

CLIENT = """\
  client:
    security.protocol: SASL_PLAINTEXT
    sasl.mechanism: PLAIN
    sasl.username: penstock
    sasl.password_file: password
"""


def test_a_wrong_password_is_told_but_not_shown_and_the_right_one_does(broker: Broker, install: Install) -> None:
    live = install(broker.address, CLIENT, door=broker.door)
    (live.folder / "password").write_text("wrong-and-secret\n", encoding="utf-8")
    said = live.start().refused()
    assert said.startswith(f"penstock: Kafka at {broker.door}: ")
    assert said.endswith("; check user and password in kafka.client (sasl.username, sasl.password, sasl.mechanism)")
    assert "secret" not in said
    (live.folder / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    run = live.start()
    live.finish(run)
    assert run.end() == 0
    assert PASSWORD not in run.said()
