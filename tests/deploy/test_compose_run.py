"""The flow of docker-compose.yml, by its very command, on this machine's broker: it trades, and its health is good."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import candles, environment, write_csv
from tests.deploy.compose import ROOT, command, compose, surroundings
from tests.live import Installation, get, serving_port

pytestmark = pytest.mark.long

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STATE, CONFIG = "/var/lib/penstock", "/etc/penstock/penstock.yaml"


def health_check(port: int) -> list[str]:
    """The health check of the image, with the port of the test in place of its own."""
    found = re.search(r"HEALTHCHECK .*\\\n\s+CMD (\[.+\])$", DOCKERFILE, re.M)
    assert found is not None
    words = [word.replace(":9464/", f":{port}/") for word in json.loads(found[1])]
    assert f"http://127.0.0.1:{port}/health/live" in words[-1]
    return [sys.executable if word == "python" else word for word in words]


@pytest.mark.parametrize("name", ["flow", "live"])
def test_the_flow_of_the_file_trades_and_is_healthy(kafka: str, tmp_path: Path, name: str) -> None:
    service = compose()["services"][name]
    one = Installation(kafka, tmp_path)
    (tmp_path / "mine.yaml").write_text("strategies: [{use: sma_cross}]\nmarket: {max_wait: 2s}\n", encoding="utf-8")
    one.done("topics", "create")
    one.done("publish", write_csv(tmp_path / "BTC_USDT-1m.csv", candles(600)))
    port = serving_port(2)
    words = command(service, {STATE: tmp_path / "state", CONFIG: tmp_path / "mine.yaml"})
    assert ("--config" in words) == (name == "live")
    given = surroundings(service, kafka, PENSTOCK__SERVE__PORT=str(port))
    assert given["PENSTOCK__SERVE__HOST"] == "0.0.0.0"  # Prometheus asks from another container
    with one.running(command=words, **given) as run:
        run.until(lambda: one.values("fills"), lambda found: len(found) > 0)
        for number in range(2):
            run.until(lambda at=port + number: get(at, "/health/ready"), lambda found: '"ok"' in found)  # type: ignore[misc]
        check = subprocess.run(health_check(port), env=environment(), capture_output=True, text=True, check=False)
        assert check.returncode == 0, check.stderr
        assert run.end() == 0
    gone = subprocess.run(health_check(port), env=environment(), capture_output=True, text=True, check=False)
    assert gone.returncode != 0
    assert {order["strategy"] for order in one.records("orders")} == {"sma_cross" if name == "live" else "sma_atr"}
    assert (tmp_path / "state/made-with.json").exists()
