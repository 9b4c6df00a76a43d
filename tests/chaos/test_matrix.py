from __future__ import annotations

from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from tests.chaos.clicks import WANTED
from tests.chaos.matrix import Outcome
from tests.chaos.plan import LONG, SHORT, Round, plan
from tests.chaos.run import matrix
from tests.chaos.worker import COMMANDS, POINTS, READING, STEPS

IN_GAP = SHORT[:2]
ANSWERS = {"DONE", "CONFIRM", "TOKEN_UNKNOWN", "COMMAND_SEEN", "SENDER_UNKNOWN", "SETTING_FIXED", "SETTING_WRONG"}
"""Those that come, whatever happens when, besides those of a double click."""


@pytest.mark.parametrize(
    ("rounds", "every_shard"),
    [pytest.param(SHORT, True, id="all shards"), pytest.param(IN_GAP, False, id="one empty", marks=pytest.mark.long)],
)
def test_whatever_is_killed_the_topics_equal_a_replay_id_by_id_and_value_by_value(
    rounds: tuple[Round, ...], every_shard: bool, kafka: str, tmp_path: Path
) -> None:
    kills = sum(one.kills for one in rounds)
    drawn = list(plan(rounds, kills, Random(7)))
    name = f"chaos-{uuid4().hex[:8]}"
    outcome: Outcome = matrix(tmp_path, kafka, name, drawn, 7, every_shard=every_shard)
    assert outcome.problems == []
    assert {topic: verdict.wrong for topic, verdict in outcome.verdicts.items() if verdict.wrong} == {}
    assert sum(outcome.kills.values()) == kills + 1
    nothing = {topic for topic, verdict in outcome.verdicts.items() if verdict.expected == 0}
    assert nothing == set()
    assert outcome.codes.keys() >= ANSWERS | WANTED


def test_the_long_form_has_every_point() -> None:
    rounds = list(plan(LONG, 200, Random(1)))
    assert {one.point for one in rounds} - {None} == {*POINTS, *STEPS, *COMMANDS, READING}
    assert 200 <= sum(one.kills for one in rounds) <= 201
