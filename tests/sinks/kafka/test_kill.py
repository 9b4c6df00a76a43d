from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from connectors.kafka.journal_source import Entries
from tests.command import environment
from tests.kafka.child import SHARDS, stream
from tests.kafka.topics import new_topic, raw, rows

PROBES = ("O1", "O2", "O3", "P2", "P3", "P4", "S2", "C")
ROUNDS = 2  # each probe is reached so often
AT_RANDOM = 6
COUNT = 3_000
ROOT = Path(__file__).resolve().parents[3]


def start(settings: dict[str, str]) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.kafka.child", json.dumps(settings)]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=pipe, stderr=pipe, text=True)


def ended(child: subprocess.Popen[str]) -> str:
    """What the child said last."""
    said, complained = child.communicate(timeout=60)
    assert child.returncode in (0, -signal.SIGKILL), complained
    return said.strip()


def test_whatever_a_kill_interrupts_nothing_is_lost_doubled_or_out_of_order(kafka: str, tmp_path: Path) -> None:
    topics = [new_topic(kafka, 3), new_topic(kafka, 1)]
    journal = new_topic(kafka, name=f"{topics[0]}.journal")
    settings = {
        "address": kafka,
        "journal": journal,
        "deployment": topics[0],
        "topics": ",".join(topics),
        "file": str(tmp_path / "checkpoint"),
        "count": str(COUNT),
    }
    draw, killed = random.Random(1), Counter[str]()
    # Read-back happens only when something was published since the checkpoint: so O3 follows P4.
    order = ("P2", "C", "S2", "P3", "O1", "P4", "O3", "O2")
    plan = [probe for _ in range(ROUNDS) for probe in order] + [""] * AT_RANDOM
    for number, probe in enumerate(plan):
        times = 1 if probe.startswith("O") else draw.randint(2, 6)
        child = start({**settings, "kill": probe, "times": str(times), "seed": str(number)})
        if not probe:
            try:
                child.wait(draw.uniform(0.3, 1.2))
            except subprocess.TimeoutExpired:
                child.kill()
        said = ended(child)
        assert said in (probe, "")
        killed[probe] += 1
    assert killed == {**dict.fromkeys(PROBES, ROUNDS), "": AT_RANDOM}

    assert ended(start({**settings, "kill": "", "times": "0", "seed": "last"})) == "done"
    wanted = stream(topics, COUNT)
    for topic in topics:
        for key in {message.key for message in wanted}:
            expected = [(m.id, m.value) for m in wanted if (m.topic, m.key) == (topic, key)]
            found = [(id_, value) for _, its_key, id_, value in rows(kafka, topic) if its_key == key]
            assert found == expected
    reader = Entries("main", topics[0])
    entries = [one for message in raw(kafka, journal) if (one := reader.take(message)) is not None]
    for shard, name in enumerate(SHARDS):
        own = [entry for entry in entries if entry.shard == name]
        positions = [position for entry in own for position in entry.position.tolist()]
        assert positions == list(range(shard, COUNT, len(SHARDS)))
        uptos = [entry.upto for entry in own]
        assert (uptos, uptos[-1]) == (sorted(set(uptos)), COUNT)
        for entry, later in pairwise(own):
            assert not len(later) or entry.watermark < later.ts.min()
        assert own[-1].watermark == COUNT * 60_000 - 1
