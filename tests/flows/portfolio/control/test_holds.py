"""What holds trading up goes on doing so: nothing weaker ends it, and no breaker is let go unseen."""

from __future__ import annotations

from tests.flows.portfolio.control.test_commands import given, longs, play
from tests.flows.portfolio.stories import fields


def test_a_weaker_command_of_somebody_else_lifts_no_halt() -> None:
    commands = [
        given(1.5, "halt"),
        given(2.5, "pause", "bot", **{"for": "2m"}),
        given(6.5, "status"),
        given(7.5, "resume"),
    ]
    _, outbox = play(commands, wishes=longs(1, 3, 6, 8))
    assert [(row.before, row.after) for row in outbox["audit"][:2]] == [
        ({"portfolio": "ACTIVE"}, {"portfolio": "HALTED"}),
        ({"portfolio": "HALTED"}, {"portfolio": "HALTED"}),
    ]
    assert fields(outbox["rejections"], "ts", "code") == [(3, "TRADING_HALTED"), (6, "TRADING_HALTED")]
    resumed = [row for row in outbox["alerts"] if row.code == "TRADING_RESUMED"]
    assert [row.figures for row in resumed] == [{"by": "command", "state": "HALTED"}]
    assert outbox["replies"][2].figures["state"] == "HALTED"
    assert outbox["replies"][3].figures == {"state": "ACTIVE"}
    assert fields(outbox["orders"], "ts", "leg")[-1] == (8, "entry")


def test_a_shorter_command_ends_no_longer_one_and_is_told_when_it_ends() -> None:
    commands = [
        given(1.5, "pause", id_="long", **{"for": "5m"}),
        given(2.5, "pause", id_="short", **{"for": "1m"}),
        given(3.5, "halt", **{"for": "1m"}),
    ]
    _, outbox = play(commands, wishes=longs(*range(1, 8)))
    ends = [row.figures["until"] for row in outbox["replies"]]
    assert ends == [commands[0].ts + 300_000, commands[0].ts + 300_000, commands[2].ts + 60_000]
    assert fields(outbox["rejections"], "ts", "code") == [
        *((2, "TRADING_REDUCING"), (3, "TRADING_REDUCING"), (4, "TRADING_HALTED")),
        *((5, "TRADING_REDUCING"), (6, "TRADING_REDUCING")),
    ]
    assert fields(outbox["alerts"][1:], "ts", "code") == [(5, "TRADING_RESUMED"), (7, "TRADING_RESUMED")]
