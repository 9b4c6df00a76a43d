import json
import subprocess
import sys
from pathlib import Path
from time import time_ns

from schemas.event import Event
from sinks.events import EventLog

WRITER = """
import sys
from pathlib import Path
from sinks.events import EventLog
log = EventLog(Path(sys.argv[1]), "demo")
for number in range(200):
    log("checkpoint.saved", process=sys.argv[2], number=number, filler="x" * 500)
"""


def test_an_event_is_a_line_stamped_with_the_wall_clock(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    before = time_ns() // 1_000_000
    EventLog(path, "demo")("run.started", rows=3, name_of_file="a.csv", share=0.5, nothing=None)
    after = time_ns() // 1_000_000
    (line,) = path.read_bytes().splitlines()
    event = Event.model_validate_json(line)
    assert before <= event.ts <= after
    assert event.model_dump(exclude={"ts"}) == {
        "name": "run.started",
        "run": "demo",
        "figures": {"rows": 3, "name_of_file": "a.csv", "share": 0.5, "nothing": None},
    }


def test_events_are_appended_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path, "demo")("run.started")
    EventLog(path, "demo")("run.resumed")
    assert [json.loads(line)["name"] for line in path.read_text().splitlines()] == ["run.started", "run.resumed"]


def test_an_event_is_in_the_file_as_soon_as_it_is_said(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl", "demo")
    log("run.started")
    assert log.path.read_bytes().endswith(b'"figures":{}}\n')


def test_processes_that_share_the_file_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("one", "other")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    events = [Event.model_validate_json(line) for line in path.read_bytes().splitlines()]
    for name in ("one", "other"):
        own = [event.figures["number"] for event in events if event.figures["process"] == name]
        assert own == list(range(200))
